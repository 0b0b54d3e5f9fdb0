"""A site to hold: chargers and a meter on real sockets, vehicles that take what they may, and a clock that a test moves."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chargeloop.edge import Edge
from chargeloop.model import Command, EvseStatus, StopReason
from chargeloop.simulation.chargers import Charger
from tests.edge.meter_server import SimulatedMeter

REPORT_S = 10  # between two meter values of a charger


class FaultProxy:
    """A line that can be cut: TCP from a port of its own to another."""

    def __init__(self, port: int) -> None:
        self._to, self.is_cut, self.port = port, False, 0
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

    token: str
    max_kw: float
    begun_wh: float
    meter_wh: float
    draws_kw: float = 0.0


@dataclass
class World:
    """`second` lets one pass: vehicles follow what they were allowed, the meter measures, the edge looks and tells."""

    edge: Edge
    meter: SimulatedMeter
    now: datetime
    base_kw: Callable[[datetime], float] = lambda _: 0.0
    chargers: dict[str, Charger] = field(default_factory=dict)
    vehicles: dict[str, Vehicle] = field(default_factory=dict)
    over: list[tuple[str, str, float]] = field(default_factory=list)  # charger, token, Wh of transactions that ended
    loads_kw: list[float] = field(default_factory=list)
    _running: list[asyncio.Task[None]] = field(default_factory=list)
    _registers: dict[str, float] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    async def connect(self, charger_id: str) -> Charger:
        def obey(_command: Command) -> bool:
            return False

        charger = Charger(charger_id, f"ws://127.0.0.1:{self.edge.port}/ocpp", self.clock, obey)
        self.chargers[charger_id] = charger
        self._running.append(asyncio.create_task(charger.run()))
        await charger.delivered()
        return charger

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def plug_in(self, charger_id: str, token: str, max_kw: float = 11.0) -> None:
        begun = self._registers.setdefault(charger_id, 1000.0)
        self.vehicles[charger_id] = Vehicle(token, max_kw, begun, begun)
        self.chargers[charger_id].plug_in(self.now, token, begun)

    def unplug(self, charger_id: str) -> None:
        vehicle = self.vehicles.pop(charger_id)
        self._registers[charger_id] = vehicle.meter_wh
        self.chargers[charger_id].unplug(self.now, vehicle.meter_wh, StopReason.DEPARTED)
        self.over.append((charger_id, vehicle.token, round(vehicle.meter_wh) - round(vehicle.begun_wh)))

    def charged(self, charger_id: str) -> None:
        self.chargers[charger_id].set_status(EvseStatus.SUSPENDED_EV, self.now)

    @property
    def charging_kw(self) -> float:
        return sum(each.draws_kw for each in self.vehicles.values())

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            await self.second()

    async def second(self) -> None:
        self.now += timedelta(seconds=1)
        for charger_id, vehicle in self.vehicles.items():
            charger = self.chargers[charger_id]
            vehicle.draws_kw = min(vehicle.max_kw, charger.limit_kw(self.now))
            vehicle.meter_wh += vehicle.draws_kw / 3.6
            if self.now.second % REPORT_S == 0:
                charger.sample(self.now, vehicle.meter_wh, vehicle.draws_kw)
        load_kw = self.base_kw(self.now) + self.charging_kw
        self.loads_kw.append(load_kw)
        self.meter.say(load_kw)
        await asyncio.gather(*(each.delivered() for each in self.chargers.values()))
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
