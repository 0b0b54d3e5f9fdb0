"""OCPP gateway: one WebSocket for each charger, whatever version it speaks; what it says is durable before it is answered."""

from chargeloop.gateway.ocpp.charger import Charger
from chargeloop.gateway.ocpp.connection import Connection
from chargeloop.gateway.ocpp.credentials import without_secrets
from chargeloop.gateway.ocpp.door import Door
from chargeloop.gateway.ocpp.gateway import OcppGateway
from chargeloop.gateway.ocpp.handling import Answer, TokenInfo
from chargeloop.gateway.ocpp.listener import accepted, listen, refusal
from chargeloop.gateway.ocpp.notices import Notice
from chargeloop.gateway.ocpp.process import prepare_process
from chargeloop.gateway.ocpp.reading import read_call
from chargeloop.gateway.ocpp.signed import checked_keys, recheck, signed_of

__all__ = [
    "Answer",
    "Charger",
    "Connection",
    "Door",
    "Notice",
    "OcppGateway",
    "TokenInfo",
    "accepted",
    "checked_keys",
    "listen",
    "prepare_process",
    "read_call",
    "recheck",
    "refusal",
    "signed_of",
    "without_secrets",
]
