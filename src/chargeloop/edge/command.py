"""`chargeloop edge`: the controller of one site."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import structlog

from chargeloop.edge.config import read_site
from chargeloop.loop import Clock
from chargeloop.model import BadInput, Unreachable

TOKEN = "CHARGELOOP_EDGE_TOKEN"  # noqa: S105 (the name of a variable)
TOKEN_LENGTH = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", type=Path, metavar="SITE.toml", help="the site: circuits, meter, chargers, platform")
    parser.add_argument("--check", action="store_true", help="only look at the file, and say what is wrong with it")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.add_argument("--clock", help=argparse.SUPPRESS)  # of a simulated site


def run(args: argparse.Namespace) -> int:
    """Until interrupted."""
    site, _ = read_site(args.site)
    token = os.environ.get(TOKEN)
    if token is not None and len(token) < TOKEN_LENGTH:
        raise BadInput(TOKEN, f"needs {TOKEN_LENGTH} characters or more")
    if args.check:
        sys.stdout.write(f"{args.site}: {site.name}, {len(site.circuits)} circuits, {len(site.chargers)} chargers: sound\n")
        return 0
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, args.log_level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    clock = Clock.parse(args.clock) if args.clock else Clock.real()
    asyncio.run(_run(args.site, clock, token))
    return 0


async def _run(path: Path, clock: Clock, token: str | None) -> None:
    """The controller and its pages, until a signal."""
    import uvicorn  # noqa: PLC0415 (heavy)

    from chargeloop.edge.site import Edge  # noqa: PLC0415 (heavy)
    from chargeloop.edge.status import create_app  # noqa: PLC0415 (heavy)

    site, passwords = read_site(path)
    with _listen(site.listen.http_host, site.listen.http_port) as listener:
        edge = await Edge.open(site, passwords, clock, path.parent)
        try:
            await edge.start(site.listen.host, site.listen.ocpp_port)
            server = uvicorn.Server(
                uvicorn.Config(create_app(edge, token), log_config=None, access_log=False, timeout_graceful_shutdown=2)
            )
            for each in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(each, setattr, server, "should_exit", True)
            turning = asyncio.create_task(edge.run())
            await server.serve(sockets=[listener])
            turning.cancel()
            with suppress(asyncio.CancelledError):
                await turning
        finally:
            await edge.stop()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise Unreachable(f"port {port} on {host}: {error.strerror}; choose another: listen.http_port") from None
