"""What serves the loop and its web pages: `serve` for a deployment, `demo` with the city twin beside it."""

from chargeloop.console.server import Options, Outside, serve
from chargeloop.console.web import add_pages

__all__ = ["Options", "Outside", "add_pages", "serve"]
