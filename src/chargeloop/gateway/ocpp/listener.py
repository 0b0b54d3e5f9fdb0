"""The listening socket: every request to become a WebSocket is judged before it is answered, with who asks in sight."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote

import aiofastnet
from picows import WSAutoPingStrategy, WSListener, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

# picows' own `ws_create_server` shows the request alone: neither the client's certificate nor its address.
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from chargeloop.gateway.ocpp.connection import MESSAGE_BYTES
from chargeloop.protocols.ocpp import Version

PATH = "/ocpp/"
ID_LENGTH = 48
HANDSHAKE_S = 10.0
PING_AFTER_S, PONG_WITHIN_S = 60.0, 30.0  # wall time
READ_BUFFER = 2048  # of each socket; grows where a message needs it
BACKLOG = 4096  # thousands come back at once after a restart


class Visitor(NamedTuple):
    """Who asks: the request, the peer's address, its TLS session and certificate (DER) where there are any."""

    request: WSUpgradeRequest
    address: str
    is_tls: bool
    certificate: bytes | None

    @property
    def charger_id(self) -> str | None:
        """The identity at the end of the path; None where there is none."""
        path = self.request.path.decode("ascii", "replace").split("?")[0]
        charger_id = unquote(path.removeprefix(PATH))
        return charger_id if path.startswith(PATH) and is_identity(charger_id) else None

    @property
    def offered(self) -> list[str]:
        """Subprotocols, the preferred one first."""
        return [name.strip() for name in ",".join(self.request.headers.getall("Sec-WebSocket-Protocol", [])).split(",")]

    @property
    def version(self) -> Version | None:
        """The first that we speak."""
        return next((Version(name) for name in self.offered if name in set(Version)), None)


Judge = Callable[[Visitor], WSListener | WSUpgradeResponseWithListener | None]


async def listen(judge: Judge, host: str, port: int, context: ssl.SSLContext | None = None) -> asyncio.Server:
    """Listen; port 0 takes a free one.

    Raises:
        OSError: the port cannot be had.
    """

    def protocol() -> Any:
        made: Any = WSProtocol(
            None,
            None,
            False,
            lambda request: judge(_visitor(request, made.transport.underlying_transport)),
            logging.getLogger("chargeloop.ocpp"),
            True,
            HANDSHAKE_S,
            True,
            PING_AFTER_S,
            PONG_WITHIN_S,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            True,
            MESSAGE_BYTES,
            None,
            READ_BUFFER,
        )
        return made

    create = partial(aiofastnet.create_server, asyncio.get_running_loop())
    server: asyncio.Server = await create(protocol, host, port, ssl=context, backlog=BACKLOG)
    return server


def is_identity(charger_id: str) -> bool:
    """Whether a charger may be called so: a colon would end the user name of its Basic authentication."""
    return 0 < len(charger_id) <= ID_LENGTH and ":" not in charger_id and charger_id.isprintable()


def accepted(version: Version, listener: WSListener) -> WSUpgradeResponseWithListener:
    """The handshake's good end."""
    response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": str(version)})
    return WSUpgradeResponseWithListener(response, listener)


def refusal(status: int) -> WSUpgradeResponseWithListener:
    """An HTTP answer instead of a WebSocket."""
    headers = {"WWW-Authenticate": 'Basic realm="OCPP"'} if status == 401 else {}
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status, extra_headers=headers), None)


def _visitor(request: WSUpgradeRequest, transport: Any) -> Visitor:
    peer, session = transport.get_extra_info("peername"), transport.get_extra_info("ssl_object")
    return Visitor(request, str(peer[0]) if peer else "", session is not None, session.getpeercert(True) if session else None)
