"""A day's trouble at a site, second by second: the platform a process of its own, chargers and meter on real sockets."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chargeloop.edge import ChargerOf, Circuit, Control, Edge, Meter, Site, Upstream
from chargeloop.loop import Clock
from chargeloop.model import Layout
from chargeloop.simulation.chargers import ocpp_evses
from tests.edge.meter_server import SimulatedMeter
from tests.edge.platform import Platform
from tests.edge.world import FaultProxy, World, longest_over

LIMIT_KW, REACTION_S, BAYS = 40.0, 2, 5


def base_kw(now: datetime) -> float:
    """Of a workshop: a wave, a ripple, and something large that comes and goes."""
    second = now.timestamp()
    large = 12.0 if second % 97 < 30 else 0.0
    return 9.0 + 4.0 * math.sin(second / 60) + 0.3 * (second % 3) + large


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("platform"), BAYS)
    yield platform.ready()
    platform.stop()


@pytest.fixture
async def line(platform: Platform) -> AsyncIterator[FaultProxy]:
    line = await FaultProxy(platform.ocpp_port).start()
    yield line
    await line.stop()


@pytest.fixture
async def world(line: FaultProxy, layout: Layout, tmp_path: Path) -> AsyncIterator[World]:
    """Five chargers behind 40 kW, two of them behind a 20 A cable."""
    ids = ocpp_evses(layout, BAYS)
    meter = await SimulatedMeter().start()
    site = Site(
        name="Workshop",
        blind_kw=10.0,
        circuits=(Circuit(name="grid", limit_kw=LIMIT_KW), Circuit(name="yard", parent="grid", limit_a=20.0)),
        chargers=tuple(ChargerOf(id=each, circuit="yard" if n < 2 else None) for n, each in enumerate(ids)),
        upstream=Upstream(url=f"ws://127.0.0.1:{line.port}/ocpp", retry_s=0.5),
        meter=Meter(host="127.0.0.1", port=meter.port, map="eastron-sdm630"),
        control=Control(turn_s=120.0),
        unknown_tokens="accept",
        data_dir=tmp_path / "edge",
    )
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)
    now = [begin]
    edge = await Edge.open(site, {}, Clock.real(), now=lambda: now[0])
    await edge.start("127.0.0.1", 0)
    world = World(edge, meter, now, base_kw)
    for each in ids:
        await world.connect(each)
    yield world
    await world.stop()
    await edge.stop()
    await meter.stop()


async def delivered(world: World) -> None:
    """Until the platform has all that the site kept for it."""
    async with asyncio.timeout(60):
        while await world.edge.shared.buffer.backlog():
            await asyncio.sleep(0.05)


async def ended(platform: Platform, count: int) -> list[dict[str, Any]]:
    """The platform's sessions, once its loop has taken in that many ends."""
    async with asyncio.timeout(60):
        while True:
            sessions: list[dict[str, Any]] = await asyncio.to_thread(platform.get, "/sessions?limit=100")
            if sum(each["ended_at"] is not None for each in sessions) >= count:
                return sessions
            await asyncio.sleep(0.2)


async def test_ten_minutes_without_the_platform(world: World, line: FaultProxy, platform: Platform) -> None:
    a, b, c, d, e = world.chargers
    world.plug_in(a, "TA")
    world.plug_in(c, "TC")
    await world.seconds(60)
    line.cut()
    world.plug_in(b, "TB")
    await world.seconds(100)
    world.plug_in(d, "TD")
    world.unplug(a)
    await world.seconds(100)
    world.plug_in(a, "TA2")
    await world.leave(c)  # its own link to the site controller is down as well
    world.plug_in(e, "TE", max_kw=3.7)
    await world.seconds(100)
    await world.join(c)
    await world.seconds(100)
    world.unplug(c)
    world.unplug(b)
    await world.seconds(100)
    world.plug_in(c, "TC2")
    world.unplug(d)
    await world.seconds(100)
    line.mend()
    await world.seconds(60)
    for each in list(world.vehicles):
        world.unplug(each)
    await world.seconds(5)
    await delivered(world)

    assert len(world.loads_kw) == 725
    assert longest_over(world.loads_kw, LIMIT_KW) <= REACTION_S
    yard = [kw_a + kw_b for kw_a, kw_b in zip(world.drawn[a], world.drawn[b], strict=True)]
    assert max(yard) <= 20 * 0.69 + 1e-6
    sessions = await ended(platform, 7)
    told = {each["id_token"]: each for each in sessions}
    assert len(sessions) == len(world.over) == 7
    assert {token: (each["evse_id"], each["started_at"]) for token, each in told.items()} == {
        each.token: (each.charger_id, each.begun_at.isoformat().replace("+00:00", "Z")) for each in world.over
    }
    assert {token: round(each["energy_kwh"] * 1000) for token, each in told.items()} == {
        each.token: each.charged_wh for each in world.over
    }
