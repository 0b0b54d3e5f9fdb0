"""OCPP gateway: one WebSocket for each charger, whatever version it speaks; what it says is durable before it is answered."""

from chargeloop.gateway.ocpp.charger import Charger, TokenInfo
from chargeloop.gateway.ocpp.gateway import Answer, OcppGateway

__all__ = ["Answer", "Charger", "OcppGateway", "TokenInfo"]
