"""OCPP 1.6J gateway: one WebSocket for each charge point, events durable before they are answered."""

from chargeloop.gateway.ocpp.gateway import OcppGateway

__all__ = ["OcppGateway"]
