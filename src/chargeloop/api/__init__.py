"""The open HTTP API."""

from chargeloop.api.app import create_app
from chargeloop.api.context import Context

__all__ = ["Context", "create_app"]
