"""The server that chargers connect to."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import structlog
from picows import WSCloseCode, WSListener, WSUpgradeResponseWithListener

from chargeloop.gateway.ocpp.certificates import Certificates
from chargeloop.gateway.ocpp.charger import Charger
from chargeloop.gateway.ocpp.connection import Connection, Stranger
from chargeloop.gateway.ocpp.credentials import change_of, hashed, is_old, is_taken, new_password, without_secrets
from chargeloop.gateway.ocpp.door import Door
from chargeloop.gateway.ocpp.fleet import Fleet
from chargeloop.gateway.ocpp.handling import Answer, TokenInfo
from chargeloop.gateway.ocpp.inventory import SETTLE_S, Inventory
from chargeloop.gateway.ocpp.listener import Visitor, accepted, listen, refusal
from chargeloop.gateway.ocpp.local_lists import LocalLists
from chargeloop.gateway.ocpp.reading import read_answer
from chargeloop.gateway.ocpp.reservations import refused, status_wanted
from chargeloop.model import (
    BadInput,
    Command,
    Event,
    GuideDriver,
    RemoteStop,
    ReserveEvse,
    SetChargingProfile,
    Tariff,
    Unreachable,
)
from chargeloop.persistence import Entry, OcppFrame, Registration, Store
from chargeloop.pki import Credentials, Forward, Pki
from chargeloop.protocols.ocpp import (
    CallError,
    CallResult,
    Listed,
    Version,
    WireError,
    call_of,
    check,
    encode,
)

CALL_TIMEOUT_S = 10.0  # wall time: how long a charger may keep us waiting does not scale with the city's clock
TEND_S = 30.0
FRAMES_KEPT = timedelta(days=30)
FORGET_EVERY, RENEW_EVERY = 120, 2880  # times of tending: an hour, a day
ROTATED_AT_ONCE = 20  # passwords
WARN_DAYS = 30.0  # before a certificate expires
log = structlog.get_logger()


class OcppGateway:
    """OCPP 1.6J, 2.0.1 and 2.1 over WebSockets at /ocpp/<charger_id>.

    `station_of`: the station of an EVSE of the city, or None. `clock`: the city's time, told to chargers that ask. `zone`: its
    time zone. `wall`: the time that certificates are of. `authorise`: what is known of an id token; without one, whoever holds
    a token may charge. `entries`: the tokens for chargers that keep a list. `pki`: for profile 3 and the certificate messages.
    `forward`: the service of contract certificates, if not ours. `settle_s`: how long a charger is left alone after its
    boot; thousands are asked about themselves one after the other. `cost_of`: what a session costs that ends with those events.
    `tariff_of`: of an EVSE. `password_days`: after which a charger gets another password; None: only by `rotate`.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        station_of: Callable[[str], str | None],
        *,
        authorise: Callable[[str, datetime], TokenInfo] = lambda _token, _now: TokenInfo("Accepted"),
        pki: Pki | None = None,
        forward: Forward | None = None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        cost_of: Callable[[str, Sequence[Event]], Decimal | None] = lambda _session_id, _events: None,
        tariff_of: Callable[[str], Tariff | None] = lambda _evse_id: None,
        entries: Callable[[], Iterable[Listed]] = tuple,
        zone: str = "UTC",
        settle_s: float = SETTLE_S,
        password_days: int | None = None,
        call_timeout_s: float = CALL_TIMEOUT_S,
    ) -> None:
        self.store, self.clock, self.wall, self.zone, self.authorise = store, clock, wall, zone, authorise
        self.cost_of, self.tariff_of = cost_of, tariff_of
        self.certificates = Certificates(pki, forward) if pki is not None else None
        self.inventory = Inventory(store, clock, self.call, settle_s)
        self.lists = LocalLists(store, self.inventory, self.call, self.work, entries, settle_s)
        self.listeners: list[Callable[[OcppFrame], None]] = []
        self._call_timeout_s, self._password_days = call_timeout_s, password_days
        self._fleet = Fleet(store, station_of, lambda registration: Charger(registration, self))
        self.lists.chargers = self.chargers.values
        self._servers: list[asyncio.Server] = []
        self._door = Door(pki.stations if pki is not None else None)
        self._credentials: Credentials | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- running --------------------------------------------------------------------------------------------------------

    async def start(self, host: str, port: int, credentials: Credentials | None = None, tls_port: int = 0) -> None:
        """Listen on `port` (ws), and with `credentials` also on `tls_port` (wss); 0 takes a free one.

        Raises:
            Unreachable: naming the port that is taken.
        """
        await self.inventory.load()
        await self.lists.load()
        await self._fleet.load()
        self._credentials = credentials
        tls_one = [(tls_port, credentials.context, "--ocpp-tls-port")] if credentials is not None else []
        wanted = [(port, None, "--ocpp-port"), *tls_one]
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
        for charger in self.chargers.values():
            if charger.connection is not None:
                charger.connection.close(WSCloseCode.GOING_AWAY, "the server stops")
        await self.store.recorded()
        await self._fleet.save()

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
        return self._fleet.chargers

    @property
    def connected(self) -> frozenset[str]:
        """The chargers with an open socket."""
        return frozenset(charger_id for charger_id, each in self.chargers.items() if each.connection is not None)

    @property
    def evses(self) -> frozenset[str]:
        """The EVSEs of adopted chargers."""
        return frozenset(self._fleet.at)

    @property
    def connected_evses(self) -> frozenset[str]:
        """The EVSEs of adopted chargers with an open socket."""
        return frozenset(evse_id for evse_id, (charger, _) in self._fleet.at.items() if charger.connection is not None)

    async def adopt(
        self, charger_id: str, evse_ids: Iterable[str], security_profile: int = 0, *, with_password: bool = False
    ) -> tuple[Registration, str | None]:
        """Let a charger serve EVSEs of the city, connector by connector; its new password where one was asked for.

        Raises:
            BadInput: an EVSE is unknown, of another station, or another charger's; or the profile needs what is not there.
        """
        if security_profile > 1 and self._servers and self._credentials is None:
            raise BadInput("security_profile", "2 and 3 need TLS: start the server with --ocpp-tls-chain and --ocpp-tls-key")
        return await self._fleet.adopt(charger_id, tuple(evse_ids), security_profile, with_password, self.clock(), self.wall())

    async def retire(self, charger_id: str) -> Registration:
        """Never let a charger in again, until it is adopted anew.

        Raises:
            BadInput: there is none of that id.
        """
        return await self._fleet.retire(charger_id)

    async def rotate(self, charger_id: str) -> Answer:
        """Give a connected charger a new password (A01). Until it has come back with it, the old one counts too.

        Raises:
            BadInput: there is no such charger, or it has no password.
        """
        charger = self.chargers.get(charger_id)
        if charger is None or charger.registration.password_hash is None:
            raise BadInput("charger_id", f"there is no charger {charger_id!r} with a password")
        old, password = charger.registration.password_hash.split()[-1], new_password()
        charger.keep_password(f"{old} {hashed(password)}")
        await self._fleet.save()  # before the charger has it
        answer = await self.call(charger_id, *change_of(charger.registration.version, password))
        if answer.status != "timeout" and not is_taken(answer.payload):
            charger.keep_password(old)  # after a timeout nobody knows: both count
            charger.complain("did not take its new password: the old one stays")
        return answer

    async def enrol(self, evse_ids: Iterable[str]) -> None:
        """Adopt chargers of one connector that are called as their EVSE, without credentials: for a simulated city."""
        await self._fleet.enrol(evse_ids, self.clock())

    # --- commands -------------------------------------------------------------------------------------------------------

    async def send(self, command: Command) -> bool:
        """Have a charger do something; True once it has accepted. False: not connected, no answer in time, or refused."""
        if isinstance(command, GuideDriver) or command.evse_id not in self._fleet.at:
            return False
        charger, connector = self._fleet.at[command.evse_id]
        ledger, connection = await charger.loaded(), charger.connection
        if connection is None or ledger is None:
            return False
        running = ledger.at_evse(command.evse_id)
        is_about_session = isinstance(command, SetChargingProfile | RemoteStop)
        is_it = running is not None and is_about_session and running.session_id == command.session_id  # type: ignore[union-attr]
        try:
            wire_id = running.wire_id if running and is_it else None
            action, payload = call_of(connection.version, command, connector, wire_id, charger.abilities(connector))
            answer = await self.call(charger.charger_id, action, payload)
            if isinstance(command, ReserveEvse):
                self._reserved(charger, command, connection.version, connector, answer)
        except BadInput as error:
            log.warning("command that OCPP cannot carry", evse_id=command.evse_id, what=str(error))
            return False
        return answer.status == "answered" and answer.payload.get("status") == "Accepted"

    def _reserved(self, charger: Charger, command: ReserveEvse, version: Version, connector: int, answer: Answer) -> None:
        """A bay that the charger does not keep: say so, and have the charger say what it really is."""
        now = self.clock()
        events = refused(command.evse_id, command.reservation_id, answer.payload, now)
        if events:
            why = f"reservation {command.reservation_id}: {answer.payload['status']}"
            self.store.record(Entry(OcppFrame(now.timestamp(), charger.charger_id, True, "Repair", "", why, None, why), events))
            self._spawn(self.call(charger.charger_id, *status_wanted(version, connector)))

    async def call(self, charger_id: str, action: str, payload: dict[str, Any]) -> Answer:
        """Call a charger and wait for its answer.

        Raises:
            BadInput: there is no such charger, or the payload does not fit the action in the charger's version.
        """
        charger = self.chargers.get(charger_id)
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
                answer = Answer("answered", *read_answer(version, action, frame))
                charger.sent(action, payload, answer.payload)
                flag = answer.description or None
            case CallError():
                answer = Answer("error", {}, str(frame.code), frame.description)
                flag = f"{frame.code}: {frame.description}"
            case _:
                answer = Answer("timeout" if connection.is_open else "offline")
                flag = "no answer"
        heard = encode(frame, version).decode() if frame is not None else None
        at_s = self.clock().timestamp()
        kept = without_secrets(payload)
        if kept is not payload:
            text = msgspec.json.encode([2, msgspec.json.decode(text)[1], action, kept])
        self._record(OcppFrame(at_s, charger_id, True, action[:64], "", text.decode(), heard, flag))
        return answer

    # --- what chargers need -----------------------------------------------------------------------------------------------

    def registered(self, registration: Registration) -> None:
        """Have a changed registration stored soon."""
        if self._fleet.registered(registration):
            self._spawn(self._fleet.save())

    def booted(self, charger: Charger) -> None:
        """Ask it about itself, where that was not done yet; give it its tariffs."""
        self._spawn(charger.costs.bring_tariffs(charger.registration))
        if self.inventory.is_due(charger.registration):
            self._spawn(self.inventory.take_in_turn(charger, len(self.chargers)))
        else:
            self._spawn(self.lists.catch_up(charger))

    def work(self, work: Coroutine[Any, Any, Any]) -> None:
        """Have something done beside the messages."""
        self._spawn(work)

    def heard(self, frame: OcppFrame) -> None:
        for listener in self.listeners:
            listener(frame)

    # --- at the door ------------------------------------------------------------------------------------------------------

    def _judge(self, visitor: Visitor) -> WSListener | WSUpgradeResponseWithListener | None:
        """Who may come in: chargers that prove who they are; unknown ones wait in quarantine. None is answered with 404."""
        charger_id = visitor.charger_id
        if charger_id is None:
            return None
        charger = self.chargers.get(charger_id) or self._quarantined(charger_id)
        if charger is None or charger.registration.state == "retired":
            log.warning("charger not let in", charger_id=charger_id, address=visitor.address)
            return None
        admission = self._door.judge(charger.registration, visitor, self.wall())
        if admission.status != 101:
            log.warning("charger not let in", charger_id=charger_id, address=visitor.address, status=admission.status)
            return refusal(admission.status)
        version = visitor.version
        if version is None:
            offered = visitor.offered
            log.warning("no subprotocol in common", charger_id=charger_id, offered=offered)
            said = f"offers {', '.join(offered)}" if any(offered) else "names no version of OCPP"
            charger.complain(f"turned away: it {said}; we speak {', '.join(Version)}")
            return Stranger("no subprotocol in common")
        connection = Connection(charger_id, version, visitor.address, charger, self._call_timeout_s)
        connection.certificate_expires = admission.certificate_expires
        if admission.password_hash is not None:
            charger.keep_password(admission.password_hash)
        return accepted(version, connection)

    def _quarantined(self, charger_id: str) -> Charger | None:
        if self._fleet.is_full_of_unknown():
            return None
        registration = Registration(charger_id=charger_id, state="quarantined", first_seen=self.clock())
        log.warning("unknown charger: in quarantine until it is adopted", charger_id=charger_id)
        self.registered(registration)
        return self._fleet.take(registration)

    # --- how --------------------------------------------------------------------------------------------------------------

    def _record(self, frame: OcppFrame) -> None:
        self.store.record(Entry(frame))
        self.heard(frame)

    async def _tend(self) -> None:
        times = 0
        while True:
            await asyncio.sleep(TEND_S)
            times += 1
            try:
                await self.tend(times)
            except Exception as error:  # such as a database that is gone for a while
                log.error("tending failed: tried again", why=str(error))

    async def tend(self, times: int) -> None:
        """Repair what never closes; take over new TLS files; forget raw messages that are old; have certificates renewed."""
        now = self.clock()
        for charger in self.chargers.values():
            charger.tend(now)
        if self._credentials is not None and self._credentials.refresh():
            log.info("TLS files have changed: new connections get the new ones")
        if times % FORGET_EVERY == 0:
            await self.store.forget_frames(now - FRAMES_KEPT)
        if times % RENEW_EVERY == 1:
            self.remind()
        if self._password_days is not None:
            await self._rotate_some(self.wall() - timedelta(days=self._password_days))

    async def _rotate_some(self, before: datetime) -> None:
        """New passwords for chargers that have had theirs for too long, not all at once."""
        due = [
            charger_id for charger_id, each in self.chargers.items() if each.is_connected and is_old(each.registration, before)
        ]
        for charger_id in due[:ROTATED_AT_ONCE]:
            await self.rotate(charger_id)

    def remind(self) -> None:
        """Say which certificates expire soon: to the log, and to chargers that can ask for new ones."""
        now = self.wall()
        days_left = self._credentials.days_left(now) if self._credentials is not None else WARN_DAYS
        if days_left < WARN_DAYS:
            log.warning("the certificate of the chargers' port expires", days_left=round(days_left, 1))
        if self.certificates is None:
            return
        open_ones = ((charger_id, each.connection) for charger_id, each in self.chargers.items())
        connected = {charger_id: str(each.version) for charger_id, each in open_ones if each is not None}
        for charger_id, reminder in self.certificates.renewals(connected, now):
            self._spawn(self.call(charger_id, *reminder))

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("work beside the messages failed", exc_info=task.exception())
