"""A real loop on a real database behind the real application; only the network between is left out."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from chargeloop.api import Context, create_app
from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.guidance import Guide
from chargeloop.identity import Accounts, Audit, Tokens
from chargeloop.loop import CityLoop, Clock, stages_of
from chargeloop.model import City, Command, Layout, MeterSampled, SessionEnded, SessionStarted
from chargeloop.persistence import Store
from chargeloop.pki import open_pki
from tests.small_city import START


@dataclass
class Running:
    loop: CityLoop
    store: Store
    http: httpx.AsyncClient
    context: Context


def station_of(layout: Layout) -> Callable[[str], str | None]:
    def found(evse_id: str) -> str | None:
        index = layout.evse_index.get(evse_id)
        return None if index is None else layout.station_ids[layout.evse_station[index]]

    return found


@pytest.fixture
async def running(small_city: City, small_layout: Layout, tmp_path: Path, database_url: str) -> AsyncIterator[Running]:
    """S0-01 is charging, S0-02 has charged and left."""
    guide = Guide.of(small_city, small_layout)
    store = await Store.open(database_url)

    async def send(_: Sequence[Command]) -> None:
        """Nobody is connected."""

    stages = stages_of(small_city, small_layout, guide, keep=True)
    loop = CityLoop(small_city, small_layout, stages, store, Clock.starting(START, 1.0), send)
    store.on_commit = loop.publish
    gateway = OcppGateway(store, loop.clock.now, station_of(small_layout), call_timeout_s=0.5)
    await gateway.enrol(["S0-01"])
    await gateway.start("127.0.0.1", 0)
    pki = open_pki(tmp_path / "pki", "Stadtwerke", datetime.now(UTC))
    accounts, tokens = await Accounts.load(store), await Tokens.load(store)
    context = Context(loop, store, guide, gateway, accounts, tokens, Audit(store), pki)
    later = START + timedelta(seconds=1)
    await store.append(
        "test",
        [
            SessionStarted(at=START, session_id="s1", evse_id="S0-01", id_token="T1"),
            MeterSampled(at=later, session_id="s1", evse_id="S0-01", meter_wh=500, power_kw=50.0),
            SessionStarted(at=START, session_id="s2", evse_id="S0-02", id_token="T2"),
            SessionEnded(at=later, session_id="s2", evse_id="S0-02", meter_wh=4000),
        ],
    )
    await loop.turn()
    transport = httpx.ASGITransport(create_app(context))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as http:
        yield Running(loop, store, http, context)
    await gateway.stop()
    await store.close()
