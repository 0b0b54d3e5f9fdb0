"""The site controller: holds a site's limit, and goes on with its chargers while the link to the platform is down."""

from chargeloop.edge.config import ChargerOf, Circuit, Control, Meter, Site, Upstream
from chargeloop.edge.control import Controller, Decision, Session
from chargeloop.edge.site import Edge
from chargeloop.edge.tree import fair_share, tree_of

__all__ = [
    "ChargerOf",
    "Circuit",
    "Control",
    "Controller",
    "Decision",
    "Edge",
    "Meter",
    "Session",
    "Site",
    "Upstream",
    "fair_share",
    "tree_of",
]
