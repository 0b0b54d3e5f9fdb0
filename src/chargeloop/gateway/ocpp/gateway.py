"""The server that chargers connect to."""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import unquote

import structlog
from picows import WSCloseCode, WSListener, WSUpgradeResponse, WSUpgradeResponseWithListener

from chargeloop.gateway.ocpp.charger import Charger, TokenInfo
from chargeloop.gateway.ocpp.connection import Connection, Stranger, payload_bytes
from chargeloop.gateway.ocpp.credentials import basic, fits, hashed, new_password
from chargeloop.gateway.ocpp.listener import Visitor, listen, refusal
from chargeloop.identity import Lockout
from chargeloop.model import BadInput, Command, GuideDriver, RemoteStop, SetChargingProfile, Unreachable
from chargeloop.persistence import Entry, OcppFrame, Registration, Store
from chargeloop.protocols.ocpp import (
    CallError,
    CallResult,
    Version,
    WireError,
    call_of,
    check,
    encode,
    response,
)

PATH = "/ocpp/"
ID_LENGTH = 48
CALL_TIMEOUT_S = 10.0  # wall time: how long a charger may keep us waiting does not scale with the city's clock
QUARANTINE_SIZE = 1000
TEND_S = 30.0
FRAMES_KEPT = timedelta(days=30)
FORGET_EVERY = 120  # times of tending
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call to a charger. `payload`: its answer; `code`, `description`: of its error."""

    status: Literal["answered", "error", "timeout", "offline"]
    payload: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    description: str = ""


class OcppGateway:
    """OCPP 1.6J, 2.0.1 and 2.1 over WebSockets at /ocpp/<charger_id>.

    `station_of`: the station of an EVSE of the city, or None. `clock`: the city's time, told to chargers that ask.
    `authorise`: what is known of an id token; without one, whoever holds a token may charge.
    `is_revoked`: whether a client certificate (DER) may not be used any more.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        station_of: Callable[[str], str | None],
        *,
        authorise: Callable[[str, datetime], TokenInfo] = lambda _token, _now: TokenInfo("Accepted"),
        call_timeout_s: float = CALL_TIMEOUT_S,
    ) -> None:
        self.store, self.clock, self.authorise = store, clock, authorise
        self.listeners: list[Callable[[OcppFrame], None]] = []
        self._station_of, self._call_timeout_s = station_of, call_timeout_s
        self._chargers: dict[str, Charger] = {}
        self._of_evse: dict[str, tuple[Charger, int]] = {}
        self._servers: list[asyncio.Server] = []
        self._lockout = Lockout()
        self._changed: dict[str, Registration] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- running --------------------------------------------------------------------------------------------------------

    async def start(self, host: str, port: int, context: ssl.SSLContext | None = None, tls_port: int = 0) -> None:
        """Listen on `port` (ws), and with a `context` also on `tls_port` (wss); 0 takes a free one.

        Raises:
            Unreachable: naming the port that is taken.
        """
        for registration in await self.store.registrations():
            self._take(Charger(registration, self))
        wanted = [(port, None, "--ocpp-port")] + ([(tls_port, context, "--ocpp-tls-port")] if context is not None else [])
        for number, tls, flag in wanted:
            try:
                self._servers.append(await listen(self._judge, host, number, tls))
            except OSError as error:
                reason = error.strerror or str(error)
                await self.stop()
                raise Unreachable(f"port {number} on {host}: {reason}; choose another with {flag}") from None
        self._spawn(self._tend())

    async def stop(self) -> None:
        """Close all connections; what was received is stored."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for task in self._tasks:
            task.cancel()
        for charger in self._chargers.values():
            if charger.connection is not None:
                charger.connection.close(WSCloseCode.GOING_AWAY, "the server stops")
        await self.store.recorded()
        await self._save()

    @property
    def port(self) -> int:
        """The ws port listened on; 0 while stopped."""
        return int(self._servers[0].sockets[0].getsockname()[1]) if self._servers else 0

    @property
    def tls_port(self) -> int:
        """The wss port listened on; 0 without one."""
        return int(self._servers[1].sockets[0].getsockname()[1]) if len(self._servers) > 1 else 0

    # --- chargers -------------------------------------------------------------------------------------------------------

    @property
    def chargers(self) -> dict[str, Charger]:
        """All that are known, by id."""
        return self._chargers

    @property
    def connected(self) -> frozenset[str]:
        """The chargers with an open socket."""
        return frozenset(charger_id for charger_id, each in self._chargers.items() if each.connection is not None)

    @property
    def evses(self) -> frozenset[str]:
        """The EVSEs of adopted chargers."""
        return frozenset(self._of_evse)

    @property
    def connected_evses(self) -> frozenset[str]:
        """The EVSEs of adopted chargers with an open socket."""
        return frozenset(evse_id for evse_id, (charger, _) in self._of_evse.items() if charger.connection is not None)

    async def adopt(
        self, charger_id: str, evse_ids: Iterable[str], security_profile: int = 0, *, with_password: bool = False
    ) -> tuple[Registration, str | None]:
        """Let a charger serve EVSEs of the city, connector by connector; its new password where one was asked for.

        Raises:
            BadInput: an EVSE is unknown, of another station, or another charger's; or the profile needs what is not there.
        """
        evses = tuple(evse_ids)
        station_id = self._checked(charger_id, evses)
        if security_profile not in range(4):
            raise BadInput("security_profile", f"is one of 0, 1, 2, 3, got {security_profile}")
        known = self._chargers.get(charger_id)
        old = known.registration if known else Registration(charger_id=charger_id, state="adopted", first_seen=self.clock())
        needs_one = security_profile in (1, 2) and old.password_hash is None
        password = new_password() if with_password or needs_one else None
        registration = replace(
            old,
            state="adopted",
            station_id=station_id,
            evse_ids=evses,
            security_profile=security_profile,
            password_hash=hashed(password) if password else old.password_hash,
        )
        await self._put(registration)
        return registration, password

    async def retire(self, charger_id: str) -> Registration:
        """Never let a charger in again, until it is adopted anew.

        Raises:
            BadInput: there is none of that id.
        """
        if charger_id not in self._chargers:
            raise BadInput("charger_id", f"there is no charger {charger_id!r}")
        registration = replace(self._chargers[charger_id].registration, state="retired", evse_ids=(), password_hash=None)
        await self._put(registration)
        return registration

    async def enrol(self, evse_ids: Iterable[str]) -> None:
        """Adopt chargers of one connector that are called as their EVSE, without credentials: for a simulated city."""
        for evse_id in evse_ids:
            if evse_id not in self._chargers:
                station_id = self._checked(evse_id, (evse_id,))
                registration = Registration(
                    charger_id=evse_id, state="adopted", first_seen=self.clock(), station_id=station_id, evse_ids=(evse_id,)
                )
                self._take(Charger(registration, self))
                self.registered(registration)
        await self._save()

    # --- commands -------------------------------------------------------------------------------------------------------

    async def send(self, command: Command) -> bool:
        """Have a charger do something; True once it has accepted. False: not connected, no answer in time, or refused."""
        if isinstance(command, GuideDriver) or command.evse_id not in self._of_evse:
            return False
        charger, connector = self._of_evse[command.evse_id]
        ledger, connection = await charger.loaded(), charger.connection
        if connection is None or ledger is None:
            return False
        running = ledger.at_evse(command.evse_id)
        is_about_session = isinstance(command, SetChargingProfile | RemoteStop)
        is_it = running is not None and is_about_session and running.session_id == command.session_id  # type: ignore[union-attr]
        try:
            action, payload = call_of(connection.version, command, connector, running.wire_id if running and is_it else None)
            answer = await self.call(charger.charger_id, action, payload)
        except BadInput as error:
            log.warning("command that OCPP cannot carry", evse_id=command.evse_id, what=str(error))
            return False
        return answer.status == "answered" and answer.payload.get("status") == "Accepted"

    async def call(self, charger_id: str, action: str, payload: dict[str, Any]) -> Answer:
        """Call a charger and wait for its answer.

        Raises:
            BadInput: there is no such charger, or the payload does not fit the action in the charger's version.
        """
        charger = self._chargers.get(charger_id)
        if charger is None:
            raise BadInput("charger_id", f"there is no charger {charger_id!r}")
        connection = charger.connection
        version = connection.version if connection is not None else Version(charger.registration.version or Version.V16)
        try:
            check(version, action, payload)
        except WireError as error:
            raise BadInput(f"{action} payload", error.what) from None
        if connection is None:
            return Answer("offline")
        text, frame = await connection.call(action, payload)
        flag = None
        match frame:
            case CallResult():
                answer = Answer("answered", *self._checked_answer(version, action, frame))
                flag = answer.description or None
            case CallError():
                answer = Answer("error", {}, str(frame.code), frame.description)
                flag = f"{frame.code}: {frame.description}"
            case _:
                answer = Answer("timeout" if connection.is_open else "offline")
                flag = "no answer"
        heard = encode(frame, version).decode() if frame is not None else None
        at_s = self.clock().timestamp()
        self._record(OcppFrame(at_s, charger_id, True, action[:64], "", text.decode(), heard, flag))
        return answer

    def _checked_answer(self, version: Version, action: str, frame: CallResult) -> tuple[dict[str, Any], str, str]:
        raw = payload_bytes(frame.payload)
        try:
            return response(version, action, raw), "", ""
        except WireError as error:  # read as it is: what a person or the loop looks for may be sound
            log.warning("charger answered nonsense", action=action, what=error.what)
            return (frame.payload if isinstance(frame.payload, dict) else {}), str(error.code), error.what

    # --- what chargers need -----------------------------------------------------------------------------------------------

    def registered(self, registration: Registration) -> None:
        """Have a changed registration stored soon."""
        self._changed[registration.charger_id] = registration
        if len(self._changed) == 1:
            self._spawn(self._save())

    def heard(self, frame: OcppFrame) -> None:
        for listener in self.listeners:
            listener(frame)

    # --- at the door ------------------------------------------------------------------------------------------------------

    def _judge(self, visitor: Visitor) -> WSListener | WSUpgradeResponseWithListener | None:
        """Who may come in: chargers that prove who they are; unknown ones wait in quarantine. None is answered with 404."""
        path = visitor.request.path.decode("ascii", "replace").split("?")[0]
        charger_id = unquote(path.removeprefix(PATH))
        if not path.startswith(PATH) or not is_identity(charger_id):
            return None
        charger = self._chargers.get(charger_id) or self._quarantined(charger_id)
        if charger is None or charger.registration.state == "retired":
            log.warning("charger not let in", charger_id=charger_id, address=visitor.address)
            return None
        status = self._may_enter(charger.registration, visitor)
        if status != 101:
            log.warning("charger not authenticated", charger_id=charger_id, address=visitor.address, status=status)
            return refusal(status)
        offered = [name.strip() for name in ",".join(visitor.request.headers.getall("Sec-WebSocket-Protocol", [])).split(",")]
        version = next((Version(name) for name in offered if name in set(Version)), None)
        if version is None:
            log.warning("no subprotocol in common", charger_id=charger_id, offered=offered)
            return Stranger("no subprotocol in common")
        accepted = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": str(version)})
        connection = Connection(charger_id, version, visitor.address, charger, self._call_timeout_s)
        return WSUpgradeResponseWithListener(accepted, connection)

    def _may_enter(self, registration: Registration, visitor: Visitor) -> int:
        """101, or the HTTP status to refuse with: each profile has its transport and its proof (A00.FR.002)."""
        profile = registration.security_profile
        if registration.state == "quarantined" or profile == 0:
            return 101
        if visitor.is_tls != (profile > 1):
            return 403
        who, now = f"{registration.charger_id} {visitor.address}", asyncio.get_running_loop().time()
        if self._lockout.is_locked(who, now):
            return 429
        if self._has_proof(registration, visitor):
            self._lockout.succeeded(who)
            return 101
        self._lockout.failed(who, now)
        return 401

    def _has_proof(self, registration: Registration, visitor: Visitor) -> bool:
        if registration.security_profile == 3:
            return visitor.certificate is not None and common_name(visitor.certificate) == registration.charger_id
        shown = basic(visitor.request.headers.get("Authorization"))
        known = registration.password_hash
        return shown is not None and known is not None and shown[0] == registration.charger_id and fits(shown[1], known)

    def _quarantined(self, charger_id: str) -> Charger | None:
        waiting = sum(each.registration.state == "quarantined" for each in self._chargers.values())
        if waiting >= QUARANTINE_SIZE:
            return None
        registration = Registration(charger_id=charger_id, state="quarantined", first_seen=self.clock())
        log.warning("unknown charger: in quarantine until it is adopted", charger_id=charger_id)
        charger = Charger(registration, self)
        self._take(charger)
        self.registered(registration)
        return charger

    # --- how --------------------------------------------------------------------------------------------------------------

    def _checked(self, charger_id: str, evse_ids: tuple[str, ...]) -> str:
        """The station of those EVSEs."""
        if not is_identity(charger_id):
            raise BadInput("charger_id", f"has 1 to {ID_LENGTH} printable characters and no colon, got {charger_id!r}")
        stations = {evse_id: self._station_of(evse_id) for evse_id in evse_ids}
        for evse_id, station_id in stations.items():
            if station_id is None:
                raise BadInput("evse_ids", f"there is no EVSE {evse_id!r}")
            if evse_id in self._of_evse and self._of_evse[evse_id][0].charger_id != charger_id:
                raise BadInput("evse_ids", f"{evse_id!r} is served by charger {self._of_evse[evse_id][0].charger_id!r}")
        found = set(stations.values())
        if len(found) != 1 or len(stations) != len(evse_ids):
            raise BadInput("evse_ids", "name one EVSE or more, each once, all of one station")
        return str(found.pop())

    def _take(self, charger: Charger) -> None:
        self._chargers[charger.charger_id] = charger
        for connector, evse_id in enumerate(charger.registration.evse_ids, start=1):
            self._of_evse[evse_id] = (charger, connector)

    async def _put(self, registration: Registration) -> None:
        charger = self._chargers.get(registration.charger_id) or Charger(registration, self)
        self._of_evse = {evse_id: served for evse_id, served in self._of_evse.items() if served[0] is not charger}
        charger.adopted(registration)
        self._take(charger)
        self._changed.pop(registration.charger_id, None)
        await self.store.put_registration(registration)

    def _record(self, frame: OcppFrame) -> None:
        self.store.record(Entry(frame))
        self.heard(frame)

    async def _save(self) -> None:
        while self._changed:
            _, registration = self._changed.popitem()
            await self.store.put_registration(registration)

    async def _tend(self) -> None:
        """Repair what never closes; forget raw messages that are old."""
        times = 0
        while True:
            await asyncio.sleep(TEND_S)
            now = self.clock()
            for charger in self._chargers.values():
                charger.tend(now)
            times += 1
            if times % FORGET_EVERY == 0:
                await self.store.forget_frames(now - FRAMES_KEPT)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def is_identity(charger_id: str) -> bool:
    """Whether a charger may be called so: a colon would end the user name of its Basic authentication."""
    return 0 < len(charger_id) <= ID_LENGTH and ":" not in charger_id and charger_id.isprintable()


def common_name(certificate: bytes) -> str | None:
    """The CN of a DER certificate's subject."""
    from cryptography import x509  # noqa: PLC0415 (needed with profile 3 only)

    names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else None
