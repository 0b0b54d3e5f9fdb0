"""The server that charge points connect to."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from urllib.parse import unquote

import structlog
from picows import (
    WSCloseCode,
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from chargeloop.gateway.ocpp.connection import MESSAGE_BYTES, Connection, Stranger
from chargeloop.gateway.ocpp.station import Station
from chargeloop.model import BadInput, Command, GuideDriver, Unreachable
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import SUBPROTOCOL, call_of

PATH = "/ocpp/"
# Wall time: how long a station may keep us waiting does not scale with the city's clock.
CALL_TIMEOUT_S = 10.0
PING_AFTER_S, PONG_WITHIN_S = 60.0, 30.0
log = structlog.get_logger()


class OcppGateway:
    """OCPP 1.6J over WebSockets at /ocpp/<evse_id>; each EVSE is a charge point of its own, with one connector.

    `known`: whether there is an EVSE of that id. `clock`: the city's time, told to stations that ask.
    """

    def __init__(
        self, known: Callable[[str], bool], store: Store, clock: Callable[[], datetime], call_timeout_s: float = CALL_TIMEOUT_S
    ) -> None:
        self._known, self._store, self._clock, self._call_timeout_s = known, store, clock, call_timeout_s
        self._server: asyncio.Server | None = None
        self._stations: dict[str, Station] = {}
        self._connections: dict[str, Connection] = {}

    @property
    def connected(self) -> frozenset[str]:
        return frozenset(self._connections)

    @property
    def port(self) -> int:
        """The port listened on; 0 while stopped."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one.

        Raises:
            Unreachable: naming the port that is taken.
        """
        try:
            self._server = await ws_create_server(
                self._accept,
                host,
                port,
                max_frame_size=MESSAGE_BYTES,
                enable_auto_ping=True,
                auto_ping_idle_timeout=PING_AFTER_S,
                auto_ping_reply_timeout=PONG_WITHIN_S,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise Unreachable(f"port {port} on {host}: {reason}; choose another with --ocpp-port") from None

    async def stop(self) -> None:
        """Close all connections, and wait until nothing of them runs any more."""
        if self._server is None:
            return
        self._server.close()
        connections = list(self._connections.values())
        for each in connections:
            each.close(WSCloseCode.GOING_AWAY, "the server stops")
        for each in connections:
            await each.ended()
        self._server = None

    async def send(self, command: Command) -> bool:
        """Have a charge point do something; True once it has accepted. False: not connected, no answer in time, or refused."""
        if isinstance(command, GuideDriver):
            return False
        connection = self._connections.get(command.evse_id)
        if connection is None:
            return False
        try:
            call = call_of(command)
        except BadInput as error:
            log.warning("command that OCPP cannot carry", evse_id=command.evse_id, what=str(error))
            return False
        return await connection.call(call) == "Accepted"

    def _accept(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        """Who connects: a charge point of ours, or None, which is answered with 404."""
        path = request.path.decode("ascii", "replace").split("?")[0]
        identity = unquote(path.removeprefix(PATH))
        if not path.startswith(PATH) or not self._known(identity):
            log.warning("unknown charge point", path=path[:200])
            return None
        offered = [name.strip() for name in ",".join(request.headers.getall("Sec-WebSocket-Protocol", [])).split(",")]
        if SUBPROTOCOL not in offered:
            log.warning("no subprotocol in common", evse_id=identity, offered=offered)
            return Stranger()
        station = self._stations.setdefault(identity, Station(identity, self._store, self._clock))
        connection = Connection(identity, station.handle, self._opened, self._closed, self._call_timeout_s)
        response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": SUBPROTOCOL})
        return WSUpgradeResponseWithListener(response, connection)

    def _opened(self, connection: Connection) -> None:
        older = self._connections.get(connection.identity)
        self._connections[connection.identity] = connection
        if older is not None:
            older.close(WSCloseCode.POLICY_VIOLATION, "replaced by a newer connection")

    def _closed(self, connection: Connection) -> None:
        if self._connections.get(connection.identity) is connection:
            del self._connections[connection.identity]
