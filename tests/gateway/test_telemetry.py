"""Feeds: the real hub under uvicorn, the real store, the real link; one test kills the server outright."""

import asyncio
import json
import os
import signal
import socket as sockets
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chargeloop.gateway.telemetry import TelemetryHub, TelemetryLink
from chargeloop.model import CancelReservation, Command, Event, GuideDriver, MeterSampled, WeatherObserved
from chargeloop.model.validated import to_json
from chargeloop.persistence import Store
from tests.gateway.conftest import NOW, stored

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "0123456789abcdef"


def weather(i: int) -> WeatherObserved:
    return WeatherObserved(at=NOW + timedelta(hours=i), temperature_c=float(i), rain=0)


def batch(seq: Any, *events: Event) -> str:
    return json.dumps({"seq": seq, "events": [json.loads(to_json(each, Event)) for each in events]})


class Served:
    def __init__(self, hub: TelemetryHub, port: int) -> None:
        self.hub, self.port = hub, port
        self.url = f"http://127.0.0.1:{port}"

    def connect(self, token: str | None = TOKEN, source: str = "twin") -> connect:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return connect(f"ws://127.0.0.1:{self.port}/telemetry?source={source}", additional_headers=headers, proxy=None)


@asynccontextmanager
async def served(store: Store, port: int = 0, token: str | None = TOKEN) -> AsyncIterator[Served]:
    hub = TelemetryHub(store=store, token=token)
    app = FastAPI()
    app.include_router(hub.router)
    listener = sockets.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, lifespan="off"))
    with server_without_signals(server):
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Served(hub, listener.getsockname()[1])
        finally:
            server.should_exit = True
            await task


@contextmanager
def server_without_signals(server: uvicorn.Server) -> Iterator[None]:
    """Leave the test runner's signal handlers alone."""
    before = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}
    yield
    for which, handler in before.items():
        signal.signal(which, handler)


@pytest.fixture
async def server(store: Store) -> AsyncIterator[Served]:
    async with served(store) as server:
        yield server


async def heard(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def eventually(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


class TestHub:
    async def test_batches_are_durable_once_acknowledged(self, server: Served, store: Store) -> None:
        async with server.connect() as socket:
            assert await heard(socket) == {"last_seq": 0}
            await socket.send(batch(1, weather(1), weather(2)))
            assert await heard(socket) == {"ack": 1}
            assert await stored(store) == [weather(1), weather(2)]
        async with server.connect() as socket:
            assert await heard(socket) == {"last_seq": 1}

    async def test_a_batch_told_twice_is_stored_once(self, server: Served, store: Store) -> None:
        async with server.connect() as socket:
            await heard(socket)
            for _ in range(2):
                await socket.send(batch(1, weather(1)))
                assert await heard(socket) == {"ack": 1}
        assert await stored(store) == [weather(1)]

    @pytest.mark.parametrize(
        ("text", "seq", "where"),
        [
            (batch(1, weather(1))[:-3], None, "batch"),
            ('{"seq": 4, "events": 3}', 4, "batch: events"),
            ('{"seq": 0, "events": []}', 0, "batch: seq"),
            ('{"seq": 4, "events": [{"kind": "magic"}]}', 4, "batch: events.0"),
            (batch(4, weather(1)).replace("1.0", '"warm"'), 4, "temperature_c"),
            *((batch(4, weather(1)).replace("1.0", number), None, "batch") for number in ("NaN", "-Infinity")),
            (batch(4, weather(1)).replace("1.0", "1e999"), 4, "batch"),
            (batch(10**30, weather(1)), 10**30, "batch: seq"),
            (batch(2**53, weather(1)), 2**53, "batch: seq"),
            (batch(4, weather(1)).replace("+00:00", "").replace("Z", ""), 4, "at"),
            ("[]", None, "batch"),
        ],
    )
    async def test_a_malformed_batch_is_refused_as_a_whole(
        self, server: Served, store: Store, text: str, seq: int | None, where: str
    ) -> None:
        async with server.connect() as socket:
            await heard(socket)
            await socket.send(text)
            error = (await heard(socket))["error"]
            assert error["seq"] == seq
            assert where in error["where"]
            assert error["what"]
            await socket.send(batch(5, weather(5)))
            assert await heard(socket) == {"ack": 5}
        assert await stored(store) == [weather(5)]

    async def test_good_events_beside_a_bad_one_are_not_stored(self, server: Served, store: Store) -> None:
        bad = MeterSampled(at=NOW, session_id="s", evse_id="E", meter_wh=1, power_kw=1, soc=7.0)
        async with server.connect() as socket:
            await heard(socket)
            await socket.send(batch(1, weather(1), bad))
            assert "soc" in (await heard(socket))["error"]["where"]
        assert await stored(store) == []

    @pytest.mark.parametrize(
        ("token", "source"), [(None, "twin"), ("wrong", "twin"), ("", "twin"), (TOKEN, ""), (TOKEN, "x" * 65)]
    )
    async def test_without_the_token_or_a_name_it_is_refused(self, server: Served, token: str | None, source: str) -> None:
        with pytest.raises(InvalidStatus) as caught:
            await server.connect(token, source)
        assert caught.value.response.status_code == 403

    async def test_a_server_without_a_token_refuses_all(self, store: Store) -> None:
        async with served(store, token=None) as server:
            for token in ("", "None", TOKEN):
                with pytest.raises(InvalidStatus):
                    await server.connect(token)

    async def test_commands_go_to_every_feed(self, server: Served) -> None:
        command = CancelReservation(at=NOW, evse_id="E", reservation_id=3)
        await server.hub.send([command])  # nobody is there
        async with server.connect() as one, server.connect(source="other") as other:
            for socket in (one, other):
                await heard(socket)
            await server.hub.send([])
            await server.hub.send([command])
            for socket in (one, other):
                (said,) = (await heard(socket))["commands"]
                assert said["kind"] == "cancel_reservation"

    async def test_a_newer_connection_replaces_the_older(self, server: Served) -> None:
        async with server.connect() as older:
            await heard(older)
            async with server.connect() as newer:
                await heard(newer)
                with pytest.raises(ConnectionClosed):
                    await heard(older)
                await newer.send(batch(1, weather(1)))
                assert await heard(newer) == {"ack": 1}
                assert server.hub.connected == {"twin"}

    async def test_bytes_end_only_their_own_connection(self, server: Served) -> None:
        async with server.connect() as socket, server.connect(source="other") as other:
            await heard(socket)
            await heard(other)
            await socket.send(b"\x00")
            with pytest.raises(ConnectionClosed):
                await heard(socket)
            await other.send(batch(1, weather(1)))
            assert await heard(other) == {"ack": 1}


class TestLink:
    async def test_events_go_and_commands_come(self, server: Served, store: Store) -> None:
        command = GuideDriver(at=NOW, request_id="R1", station_id="S", why="near", route=((1.0, 2.0),))
        async with TelemetryLink(server.url, "twin", TOKEN) as link:
            events = [weather(i) for i in range(1200)]  # more than a batch holds
            link.submit(events)
            link.submit([])
            await asyncio.wait_for(link.flushed(), 10)
            assert await stored(store) == events
            await server.hub.send([command])
            commands: list[Command] = []
            async with asyncio.timeout(5):
                async for each in link.commands():
                    commands.append(each)
                    break
            assert commands == [command]

    async def test_it_outlives_the_server(self, store: Store) -> None:
        async with served(store) as server:
            port = server.port
            link = TelemetryLink(server.url, "twin", TOKEN)
            await link.__aenter__()
            link.submit([weather(1)])
            await asyncio.wait_for(link.flushed(), 5)
        link.submit([weather(2)])
        link.submit([weather(3)])
        async with served(store, port):
            await asyncio.wait_for(link.flushed(), 10)
            link.submit([weather(4)])
            await asyncio.wait_for(link.flushed(), 10)
            await link.__aexit__(None, None, None)
        assert await stored(store) == [weather(i) for i in (1, 2, 3, 4)]

    async def test_a_new_process_goes_on_with_the_numbers(self, server: Served, store: Store) -> None:
        for i in (1, 2):
            async with TelemetryLink(server.url, "twin", TOKEN) as link:
                link.submit([weather(i)])
                await asyncio.wait_for(link.flushed(), 5)
        assert await stored(store) == [weather(1), weather(2)]
        assert await store.last_seq("feed:twin") == 2

    async def test_a_refused_batch_is_dropped(self, server: Served, store: Store) -> None:
        async with TelemetryLink(server.url, "twin", TOKEN) as link:
            link.submit([weather(1)])
            link.submit([MeterSampled(at=NOW, session_id="s", evse_id="E", meter_wh=-1, power_kw=1)])
            link.submit([weather(2)])
            await asyncio.wait_for(link.flushed(), 5)
        assert await stored(store) == [weather(1), weather(2)]

    async def test_a_wrong_token_is_tried_again(self, server: Served) -> None:
        async with TelemetryLink(server.url, "twin", "wrong") as link:
            link.submit([weather(1)])
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(link.flushed(), 0.5)

    async def test_a_killed_server_loses_nothing_and_doubles_nothing(self, tmp_path: Path) -> None:
        port = free_port()
        database = tmp_path / "kill.db"
        async with TelemetryLink(f"http://127.0.0.1:{port}", "twin", TOKEN) as link:
            for part in range(3):
                process = subprocess.Popen(
                    [sys.executable, __file__, str(port), str(database)], env={**os.environ, "PYTHONPATH": str(ROOT)}
                )
                try:
                    for i in range(part * 50, part * 50 + 50):
                        link.submit([weather(i)])
                        if i % 50 == 40:
                            await wait_until_stored(database, i - 10)
                        await asyncio.sleep(0.001)
                    if part == 2:
                        await asyncio.wait_for(link.flushed(), 20)
                finally:
                    process.kill()
                    process.wait()
        store = await Store.open(database)
        assert await stored(store) == [weather(i) for i in range(150)]
        await store.close()


def free_port() -> int:
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def wait_until_stored(database: Path, event_id: int) -> None:
    """Look from outside at what the server has on disk."""

    def newest() -> int:
        try:
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
                found = connection.execute("SELECT max(event_id) FROM event").fetchone()[0] or 0
            connection.close()
        except sqlite3.OperationalError:
            return 0
        return int(found)

    async with asyncio.timeout(30):
        while newest() < event_id:
            await asyncio.sleep(0.02)


async def _serve_for_ever(port: int, database: str) -> None:
    store = await Store.open(database)
    async with served(store, port):
        await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(_serve_for_ever(int(sys.argv[1]), sys.argv[2]))
