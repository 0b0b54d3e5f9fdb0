"""A site to hold: chargers and a meter on real sockets, vehicles that take what they may, and a clock that a test moves."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from chargeloop.edge import Edge
from chargeloop.model import Command, EvseStatus, StopReason
from chargeloop.simulation.chargers import Charger
from tests.edge.meter_server import SimulatedMeter

REPORT_S = 10  # between two meter values of a charger


class FaultProxy:
    """A line that can be cut, or slow: TCP from a port of its own to another."""

    def __init__(self, port: int) -> None:
        self._to, self.is_cut, self.port = port, False, 0
        self.delay_s = 0.0  # until a new connection goes through
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> "FaultProxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def cut(self) -> None:
        self.is_cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        await asyncio.sleep(self.delay_s)
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            self._open |= {writer, far_writer}
            await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
            self._open -= {writer, far_writer}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@dataclass
class Vehicle:
    """At a charger. `draws_kw`: at this moment."""

    charger_id: str
    token: str
    max_kw: float
    begun_at: datetime
    begun_wh: float
    meter_wh: float
    draws_kw: float = 0.0

    @property
    def charged_wh(self) -> int:
        return round(self.meter_wh) - round(self.begun_wh)


class World:
    """`second` lets one pass: vehicles follow what they were allowed, the meter measures, the edge looks and tells.

    `now`: one instant in a list, which is the edge's clock. `loads_kw`: of the site in each second; `drawn`: of each charger.
    """

    def __init__(self, edge: Edge, meter: SimulatedMeter, now: list[datetime], base_kw: Callable[[datetime], float]) -> None:
        self.edge, self.meter, self._now, self._base_kw = edge, meter, now, base_kw
        self.chargers: dict[str, Charger] = {}
        self.vehicles: dict[str, Vehicle] = {}
        self.over: list[Vehicle] = []
        self.loads_kw: list[float] = []
        self.drawn: defaultdict[str, list[float]] = defaultdict(list)
        self._links: dict[str, asyncio.Task[None]] = {}
        self._registers: dict[str, float] = {}

    def now(self) -> datetime:
        return self._now[0]

    # --- chargers and vehicles ------------------------------------------------------------------------------------------

    async def connect(self, charger_id: str) -> Charger:
        def obey(_command: Command) -> bool:
            return False

        self.chargers[charger_id] = Charger(charger_id, f"ws://127.0.0.1:{self.edge.port}/ocpp", self.now, obey)
        await self.join(charger_id)
        return self.chargers[charger_id]

    async def join(self, charger_id: str) -> None:
        """Its link to the edge is up, and what it had to tell is told."""
        self._links[charger_id] = asyncio.create_task(self.chargers[charger_id].run())
        await self.chargers[charger_id].delivered()

    async def leave(self, charger_id: str) -> None:
        """Its link is down; it goes on with what it was told last."""
        link = self._links.pop(charger_id)
        link.cancel()
        await asyncio.wait([link])

    async def stop(self) -> None:
        for charger_id in list(self._links):
            await self.leave(charger_id)

    def plug_in(self, charger_id: str, token: str, max_kw: float = 11.0) -> None:
        begun = self._registers.setdefault(charger_id, 1000.0)
        self.vehicles[charger_id] = Vehicle(charger_id, token, max_kw, self.now(), begun, begun)
        self.chargers[charger_id].plug_in(self.now(), token, begun)

    def unplug(self, charger_id: str) -> None:
        vehicle = self.vehicles.pop(charger_id)
        self._registers[charger_id] = vehicle.meter_wh
        self.chargers[charger_id].unplug(self.now(), vehicle.meter_wh, StopReason.DEPARTED)
        self.over.append(vehicle)

    def is_full(self, charger_id: str) -> None:
        """The vehicle takes no more."""
        self.chargers[charger_id].set_status(EvseStatus.SUSPENDED_EV, self.now())
        self.vehicles[charger_id].max_kw = 0.0

    # --- time -----------------------------------------------------------------------------------------------------------

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            await self.second()

    async def second(self) -> None:
        self._now[0] = now = self.now() + timedelta(seconds=1)
        for charger_id, charger in self.chargers.items():
            vehicle = self.vehicles.get(charger_id)
            if vehicle is not None:
                vehicle.draws_kw = min(vehicle.max_kw, charger.limit_kw(now))
                vehicle.meter_wh += vehicle.draws_kw / 3.6
                if now.second % REPORT_S == 0:
                    charger.sample(now, vehicle.meter_wh, vehicle.draws_kw)
            self.drawn[charger_id].append(0.0 if vehicle is None else vehicle.draws_kw)
        load_kw = self._base_kw(now) + sum(each.draws_kw for each in self.vehicles.values())
        self.loads_kw.append(load_kw)
        self.meter.say(load_kw)
        await asyncio.gather(*(self.chargers[each].delivered() for each in self._links))
        await self.edge.tick()
        await self.settled()

    async def settled(self) -> None:
        """Until the chargers have taken what they were told."""
        async with asyncio.timeout(20):
            while not all(each.telling.is_settled for each in self.edge.stations if each.cap.is_reachable):
                await asyncio.sleep(0.001)


def longest_over(loads_kw: list[float], limit_kw: float) -> int:
    """The most seconds in a row for which a load was above a limit."""
    longest = run = 0
    for each in loads_kw:
        run = run + 1 if each > limit_kw + 1e-6 else 0
        longest = max(longest, run)
    return longest
