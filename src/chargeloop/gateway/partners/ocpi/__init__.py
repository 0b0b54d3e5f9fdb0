"""Partners by OCPI 2.2.1 and 2.3.0, as operator, provider or hub: both sides of every module, over small ports."""

from chargeloop.gateway.partners.ocpi.calls import Call as Asked
from chargeloop.gateway.partners.ocpi.catchup import CatchUp, Pulled
from chargeloop.gateway.partners.ocpi.client import Client
from chargeloop.gateway.partners.ocpi.handshake import Handshake
from chargeloop.gateway.partners.ocpi.hub import Hub
from chargeloop.gateway.partners.ocpi.objects import Id, Objects
from chargeloop.gateway.partners.ocpi.offer import Us, role
from chargeloop.gateway.partners.ocpi.partners import OcpiPartners
from chargeloop.gateway.partners.ocpi.peers import Peer, Peers
from chargeloop.gateway.partners.ocpi.ports import Begun, Ports, Received, ReserveAt
from chargeloop.gateway.partners.ocpi.push import Push

__all__ = [
    "Asked",
    "Begun",
    "CatchUp",
    "Client",
    "Handshake",
    "Hub",
    "Id",
    "Objects",
    "OcpiPartners",
    "Peer",
    "Peers",
    "Ports",
    "Pulled",
    "Push",
    "Received",
    "ReserveAt",
    "Us",
    "role",
]
