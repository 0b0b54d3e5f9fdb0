"""OCPP gateway: one WebSocket for each charger, whatever version it speaks; what it says is durable before it is answered."""

from chargeloop.gateway.ocpp.charger import Charger
from chargeloop.gateway.ocpp.credentials import without_secrets
from chargeloop.gateway.ocpp.gateway import Answer, OcppGateway
from chargeloop.gateway.ocpp.handling import TokenInfo

__all__ = ["Answer", "Charger", "OcppGateway", "TokenInfo", "without_secrets"]
