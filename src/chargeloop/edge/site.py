"""The site controller: chargers below, the platform above, the meter beside, and once a second a look at it all."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from picows import WSListener, WSUpgradeResponseWithListener

from chargeloop.edge.buffer import Buffer
from chargeloop.edge.config import Site
from chargeloop.edge.control import Controller, Decision, Session, measured_rows
from chargeloop.edge.modbus import ModbusMeter
from chargeloop.edge.registers import Reading
from chargeloop.edge.shared import Shared
from chargeloop.edge.sight import Sight
from chargeloop.edge.station import Station
from chargeloop.edge.tokens import SITE, Tokens
from chargeloop.gateway.ocpp import Connection, Door, accepted, listen, refusal
from chargeloop.gateway.ocpp.connection import Stranger
from chargeloop.gateway.ocpp.listener import Visitor
from chargeloop.loop import Clock
from chargeloop.model import BadInput, Unreachable
from chargeloop.persistence import Registration
from chargeloop.pki import Credentials, Pair, Tls

CALL_TIMEOUT_S = 5.0  # wall time; a charger that does not answer is one that cannot be told
TICK_S = 1.0
log = structlog.get_logger()


class Edge:
    """Made by `Edge.open`. `tick` is what happens once a second; `start` and `stop` are about sockets and links."""

    def __init__(self, shared: Shared, clock: Clock, meter: ModbusMeter | None) -> None:
        self.shared, self.site, self._clock, self._meter = shared, shared.site, clock, meter
        self.controller, self.sight = Controller(shared.site), Sight(shared.site)
        self.stations = [Station(shared, n, self.controller.caps[n]) for n in range(len(shared.site.chargers))]
        self._by_id = {each.id: each for each in self.stations}
        self.decision: Decision | None = None
        self.decided_at: datetime | None = None
        self.reads_failed = 0
        self.limit_until: datetime | None = None
        self._door = Door(None)
        self._credentials: Credentials | None = None
        self._server: asyncio.Server | None = None
        self._running: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        site: Site,
        passwords: dict[str, str],
        clock: Clock,
        beside: Path | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> "Edge":
        """Take up where an earlier process of the site left. `beside`: folder that a register map of one's own is relative to.

        `now`: another clock than the injected one, for whoever calls `tick` by himself.

        Raises:
            BadInput, Unreachable: the data folder, the meter's map or the TLS files are not there or damaged.
        """
        meter = ModbusMeter(site.meter, beside) if site.meter is not None else None
        if meter is not None and site.circuits[0].limit_a is not None and not meter.map.has_currents:
            raise BadInput("circuits[0].limit_a", "needs a meter that tells the current of each phase")
        tls = _client_context(site)
        buffer = Buffer(site.data_dir)
        shared = Shared(site, buffer, Tokens(site, buffer, await buffer.tokens()), now or clock.now, passwords, tls)
        edge = cls(shared, clock, meter)
        for station in edge.stations:
            await station.load()
        memory = await buffer.recall(SITE)
        edge.controller.limit_kw = memory.get("limit_kw")
        until = memory.get("limit_until")
        edge.limit_until = datetime.fromisoformat(until) if until is not None else None
        return edge

    async def start(self, host: str, port: int) -> None:
        """Listen for chargers; 0 takes a free port. The links to the platform come up where there is reason to.

        Raises:
            Unreachable: the port is taken.
        """
        listening = self.site.listen
        if listening.tls_chain is not None and listening.tls_key is not None:
            self._credentials = Credentials(Tls((Pair(listening.tls_chain, listening.tls_key),)))
        context = self._credentials.context if self._credentials is not None else None
        try:
            self._server = await listen(self._judge, host, port, context)
        except OSError as error:
            raise Unreachable(f"port {port} on {host}: {error.strerror or error}; choose another: listen.ocpp_port") from None
        self._running += [asyncio.create_task(each.uplink.run()) for each in self.stations]

    async def stop(self) -> None:
        """Close all sockets; what was told is stored."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for station in self.stations:
            await station.stop()
        if self._meter is not None:
            self._meter.close()
        self.shared.buffer.close()

    @property
    def port(self) -> int:
        """Where chargers connect; 0 while stopped."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else 0

    async def run(self) -> None:
        """Tick once a second of domain time, until cancelled."""
        loop = asyncio.get_running_loop()
        step_s = TICK_S / self._clock.speed
        next_s = loop.time()
        while True:
            try:
                await self.tick()
            except Exception:
                log.exception("a look at the site failed: tried again")
            next_s = max(next_s + step_s, loop.time() - step_s)
            await asyncio.sleep(max(next_s - loop.time(), 0.0))

    # --- once a second ------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Measure, decide, tell."""
        reading = await self._read()
        now = self.shared.clock()
        now_s = now.timestamp()
        if self.limit_until is not None and now >= self.limit_until:
            await self.set_limit(None)
        for station in self.stations:
            station.telling.tend(now_s)
        sessions = [
            each for station in self.stations for each in station.sessions(now, is_over=self.is_plan_over(station, now))
        ]
        was_blind = bool(self.sight.why)
        believed = self.sight.look(now_s, reading, self._reported_kw(now_s, sessions))
        if was_blind != bool(self.sight.why):
            log.warning("meter is believed" if was_blind else "blind: the safe limit holds", why=self.sight.why)
        tree = self.controller.tree
        load = None if believed is None else measured_rows(tree, believed.kw, believed.amperes)
        self.decision, self.decided_at = self.controller.step(now_s, load, sessions), now
        self._tell(self.decision, sessions, now)

    def is_plan_over(self, station: Station, now: datetime) -> bool:
        """The platform is gone, and what it last said of sessions is too old to hold a vehicle to."""
        heard_at = station.plan.heard_at
        old = timedelta(seconds=self.site.control.plan_s)
        return not station.uplink.is_up and heard_at is not None and now - heard_at >= old

    async def set_limit(self, kw: float | None, until: datetime | None = None) -> None:
        """Hold less than the site's own limit, until then or until told otherwise; None: the site's own again."""
        self.controller.limit_kw, self.limit_until = kw, until if kw is not None else None
        await self.shared.buffer.remember(SITE, "limit_kw", kw)
        await self.shared.buffer.remember(
            SITE, "limit_until", None if self.limit_until is None else self.limit_until.isoformat()
        )

    async def _read(self) -> Reading | None:
        if self._meter is None:
            return None
        try:
            return await self._meter.read()
        except (Unreachable, BadInput) as error:
            self.reads_failed += 1
            log.debug("meter not read", why=str(error))
            return None

    def _reported_kw(self, now_s: float, sessions: list[Session]) -> float | None:
        """What the chargers themselves say they draw, as far as that is fresh: no more than they were told.

        None where one that can be told and has reported before has a vehicle, and none has a fresh report.
        """
        newest_s = now_s - 2 * self.site.control.react_s
        fresh = [each for each in sessions if self.controller.is_fresh(each) and each.reported_s >= newest_s]
        may_report = [
            each for each in sessions if each.power_kw is not None and self.controller.caps[each.charger].is_reachable
        ]
        if may_report and not fresh:
            return None
        by_charger: dict[int, float] = {}
        for each in fresh:
            by_charger[each.charger] = by_charger.get(each.charger, 0.0) + (each.power_kw or 0.0)
        return sum(min(kw, self.controller.caps[n].in_force_kw(now_s)) for n, kw in by_charger.items())

    def _tell(self, decision: Decision, sessions: list[Session], now: datetime) -> None:
        for n, kw in decision.orders.items():
            self.stations[n].telling.order(kw)
        for station in self.stations:
            shares = {each.wire_id: decision.share_kw[each.key] for each in sessions if each.charger == station.number}
            is_over = self.is_plan_over(station, now)
            station.telling.shares(shares, is_ordered=station.number in decision.orders, is_over=is_over)

    # --- at the door --------------------------------------------------------------------------------------------------

    def _judge(self, visitor: Visitor) -> WSListener | WSUpgradeResponseWithListener | None:
        """The chargers of the site's file, with their passwords where they have any."""
        station = self._by_id.get(visitor.charger_id or "")
        if station is None:
            log.warning("not a charger of this site", charger_id=visitor.charger_id, address=visitor.address)
            return None
        if station.password is not None:
            status = self._door.judge(self._registration(station), visitor, datetime.now(UTC)).status
            if status != 101:
                return refusal(status)
        if visitor.version is None:
            return Stranger("no subprotocol in common")
        connection = Connection(station.id, visitor.version, visitor.address, station, CALL_TIMEOUT_S)
        return accepted(visitor.version, connection)

    def _registration(self, station: Station) -> Registration:
        """As the gateway's door wants to have it: a password, over TLS where we have a certificate."""
        return Registration(
            charger_id=station.id,
            state="adopted",
            first_seen=datetime.now(UTC),
            security_profile=1 if self._credentials is None else 2,
            password_hash=station.password_hash,
        )


def _client_context(site: Site) -> ssl.SSLContext | None:
    """Of the links to the platform."""
    if not site.upstream.url.startswith("wss://"):
        return None
    try:
        return ssl.create_default_context(cafile=site.upstream.ca)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(f"upstream.ca {site.upstream.ca}", str(error)) from None
