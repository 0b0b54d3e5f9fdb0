"""The site controller: holds a site's limit, and goes on with its chargers while the link to the platform is down."""

from chargeloop.edge.config import ChargerOf, Circuit, Control, Listen, Meter, Site, Upstream, read_site
from chargeloop.edge.control import Cap, Controller, Decision, Session
from chargeloop.edge.site import Edge
from chargeloop.edge.tree import Tree, fair_share, tree_of

__all__ = [
    "Cap",
    "ChargerOf",
    "Circuit",
    "Control",
    "Controller",
    "Decision",
    "Edge",
    "Listen",
    "Meter",
    "Session",
    "Site",
    "Tree",
    "Upstream",
    "fair_share",
    "read_site",
    "tree_of",
]
