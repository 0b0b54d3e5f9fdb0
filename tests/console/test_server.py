"""The server put together: pages, API and chargers on real ports."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import structlog
import websockets
from fastapi import FastAPI

from chargeloop.city import builtin_city
from chargeloop.cli import main
from chargeloop.console.demo import usual_start
from chargeloop.console.server import Options, Outside, listen, serve
from chargeloop.console.web import add_pages
from chargeloop.loop import Clock
from chargeloop.model import CancelReservation, City, Command, GuideDriver, Unreachable
from chargeloop.physics import local
from tests.console.demo_process import free_port
from tests.small_city import START


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Options]:
    options = Options("127.0.0.1", free_port(), free_port(), folder, None, 30.0, Clock.starting(START, 30.0), None, None, 5)
    ready = asyncio.Event()
    running = asyncio.create_task(serve(options, ready))
    await asyncio.wait({running, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield options
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_it_serves_drivers_and_chargers_and_shrugs_off_a_broken_one(tmp_path: Path) -> None:
    async with served(tmp_path) as options, httpx.AsyncClient(base_url=f"http://127.0.0.1:{options.http_port}") as http:
        assert (await http.get("/api/v1/health")).json()["speed"] == 30
        assert (await http.get("/api/docs")).status_code == 200
        assert (await http.get("/")).status_code in (200, 503)  # 503 says how to build the pages
        evse = builtin_city().stations[0].evses[0].evse_id
        url = f"ws://127.0.0.1:{options.ocpp_port}/ocpp/{evse}"
        async with websockets.connect(url, subprotocols=[websockets.Subprotocol("ocpp1.6")]) as charger:
            await charger.send("this is no JSON")
            await charger.send('[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
            answers = [await asyncio.wait_for(charger.recv(), 10) for _ in range(2)]
            assert any('"Accepted"' in str(answer) for answer in answers)
        assert (await http.get("/api/v1/health")).status_code == 200


@pytest.fixture
def own_logging() -> Iterator[None]:
    """`serve` sets up the logging of its process; here that is everybody's."""
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("own_logging")
def test_a_port_that_is_taken_is_named(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=f"port {port} .* --http-port"):
            listen("127.0.0.1", port, "--http-port")
        assert main(["demo", "--http-port", str(port), "--data-dir", str(tmp_path)]) == 1
        assert main(["serve", "--http-port", str(port), "--data-dir", str(tmp_path)]) == 1
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(str(port) in line for line in said)


async def test_without_built_pages_it_says_how_to_build_them(tmp_path: Path) -> None:
    app = FastAPI()
    add_pages(app, tmp_path / "none")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        for path in ("/", "/drive"):
            answer = await http.get(path)
            assert answer.status_code == 503
            assert "make setup" in answer.text


async def test_commands_go_to_chargers_by_ocpp_and_to_all_else_by_the_feed() -> None:
    fed: list[Command] = []
    by_ocpp: list[Command] = []
    missed: list[Command] = []

    class Feed:
        async def send(self, commands: list[Command]) -> None:
            fed.extend(commands)

    class Gateway:
        evses = frozenset(["E1"])

        async def send(self, command: Command) -> bool:
            by_ocpp.append(command)
            return False

    class Loop:
        def undelivered(self, command: Command) -> None:
            missed.append(command)

    outside = Outside()
    outside.hub, outside.gateway, outside.loop = Feed(), Gateway(), Loop()  # type: ignore[assignment]
    guide = GuideDriver(at=START, request_id="r1", station_id=None, why="none")
    mine, other = (CancelReservation(at=START, evse_id=evse, reservation_id=1) for evse in ("E1", "E2"))
    await outside.send([guide, mine, other])
    await asyncio.sleep(0.01)
    assert fed == [guide, other]
    assert by_ocpp == missed == [mine]


def test_a_demo_begins_in_the_rush_hour_of_a_working_day(city: City) -> None:
    start = local(usual_start(city), city.time_zone)
    assert (start.weekday(), start.hour, start.minute) == (1, 17, 30)
    assert usual_start(city) - city.demand.start >= timedelta(weeks=5)
