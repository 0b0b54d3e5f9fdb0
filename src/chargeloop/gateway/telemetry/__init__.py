"""Feeds that bring many EVSEs and drivers at once over one WebSocket: events in, commands out."""

from chargeloop.gateway.telemetry.hub import TelemetryHub
from chargeloop.gateway.telemetry.link import TelemetryLink

__all__ = ["TelemetryHub", "TelemetryLink"]
