"""A platform's gateway, a meter, and a site between them, on real sockets; time is moved by the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargeloop.edge import ChargerOf, Circuit, Edge, Meter, Site, Upstream
from chargeloop.gateway.ocpp import OcppGateway, TokenInfo
from chargeloop.loop import Clock
from chargeloop.persistence import Store
from tests.edge.meter_server import SimulatedMeter
from tests.edge.world import FaultProxy, World

IDS = ("C1", "C2")
OpenEdge = Callable[..., Awaitable[World]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "platform.db")
    yield store
    await store.close()


@pytest.fixture
async def gateway(store: Store) -> AsyncIterator[OcppGateway]:
    """Knows tokens that begin with T."""

    def authorise(token: str, _now: datetime) -> TokenInfo:
        return TokenInfo("Accepted" if token.startswith("T") else "Invalid")

    gateway = OcppGateway(
        store, lambda: datetime.now(UTC), lambda evse_id: "S" if evse_id in IDS else None, authorise=authorise, call_timeout_s=2
    )
    await gateway.enrol(IDS)
    await gateway.start("127.0.0.1", 0)
    yield gateway
    await gateway.stop()


@pytest.fixture
async def line(gateway: OcppGateway) -> AsyncIterator[FaultProxy]:
    line = await FaultProxy(gateway.port).start()
    yield line
    await line.stop()


@pytest.fixture
async def meter() -> AsyncIterator[SimulatedMeter]:
    meter = await SimulatedMeter().start()
    yield meter
    await meter.stop()


@pytest.fixture
async def open_edge(line: FaultProxy, meter: SimulatedMeter, tmp_path: Path) -> AsyncIterator[OpenEdge]:
    """Two chargers behind 30 kW; what is given replaces parts of the site. Base load: 5 kW and a ripple."""
    opened: list[World] = []

    async def open_(**changes: object) -> World:
        parts: dict[str, object] = {
            "name": "Small",
            "blind_kw": 10.0,
            "circuits": (Circuit(name="grid", limit_kw=30.0),),
            "chargers": tuple(ChargerOf(id=each) for each in IDS),
            "upstream": Upstream(url=f"ws://127.0.0.1:{line.port}/ocpp", retry_s=0.2, answer_s=3.0),
            "meter": Meter(host="127.0.0.1", port=meter.port),
            "data_dir": tmp_path / "edge",
        }
        now = [datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)]
        edge = await Edge.open(Site(**parts | changes), {}, Clock.real(), now=lambda: now[0])  # type: ignore[arg-type]
        await edge.start("127.0.0.1", 0)
        opened.append(World(edge, meter, now, lambda at: 5.0 + 0.1 * (at.second % 3)))
        return opened[-1]

    yield open_
    for world in opened:
        await world.stop()
        await world.edge.stop()
