"""PostgreSQL that cuts connections, crashes, or is taken by another server: what was acknowledged is there, once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from chargeloop.model import EvseStatus, EvseStatusChanged, Unreachable
from chargeloop.persistence import Entry, OcppFrame, Store, Stored
from tests.database import Postgres

NOW = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)


def status(n: int) -> EvseStatusChanged:
    return EvseStatusChanged(at=NOW + timedelta(seconds=n), evse_id=f"E{n}", status=EvseStatus.AVAILABLE)


async def stored(store: Store) -> Stored:
    return tuple([each async for each in store.events_after(0)])


async def append_while(store: Store, disturb: Callable[[], Awaitable[None]], count: int = 200) -> Stored:
    """Twenty lanes that append without a pause while something goes wrong; what was acknowledged."""
    acknowledged: list[tuple[int, object]] = []

    async def lane(first: int) -> None:
        for n in range(first, count, 20):
            acknowledged.extend(await store.append("test", [status(n)]))
            await asyncio.sleep(0.01)

    await asyncio.gather(disturb(), *(lane(first) for first in range(20)))
    return tuple(sorted(acknowledged))  # type: ignore[arg-type]


async def test_cut_connections_lose_and_double_nothing(postgres: Postgres) -> None:
    url = postgres.database()
    store = await Store.open(url)
    told: list[tuple[int, object]] = []
    store.on_commit = told.extend

    async def cut() -> None:
        for _ in range(5):
            await asyncio.sleep(0.05)
            await asyncio.to_thread(postgres.cut, url)

    acknowledged = await append_while(store, cut)
    assert await stored(store) == acknowledged == tuple(told)
    assert len(acknowledged) == 200
    await store.append("test", [status(200)])  # a cut after the last one has been noticed by now
    with pytest.raises(Unreachable, match="another Chargeloop"):  # the lock has been taken again
        await Store.open(url)
    await store.close()


async def test_a_crash_of_the_database_is_waited_for(postgres: Postgres) -> None:
    store = await Store.open(postgres.database())

    async def crash() -> None:
        await asyncio.sleep(0.05)
        await asyncio.to_thread(postgres.crash)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(postgres.start)

    acknowledged = await append_while(store, crash)
    assert await stored(store) == acknowledged
    assert len(acknowledged) == 200
    await store.close()


async def test_messages_that_cannot_be_stored_in_time_are_refused_and_the_next_are_stored(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chargeloop.persistence.writer.RECONNECT_S", 0.5)
    store = await Store.open(postgres.database())
    failures: list[Exception | None] = []

    async def record(message_id: str) -> None:
        frame = OcppFrame(NOW.timestamp(), "C1", False, "Heartbeat", message_id, "[]")
        store.record(Entry(frame, then=failures.append))
        await store.recorded()

    await asyncio.to_thread(postgres.crash)
    await record("1")
    await asyncio.to_thread(postgres.start)
    await record("2")
    assert [type(each) for each in failures] == [Unreachable, type(None)]
    assert [each.message_id for _, each in await store.frames()] == ["2"]
    await store.close()


async def test_a_server_whose_database_was_taken_over_writes_never_again(postgres: Postgres) -> None:
    url = postgres.database()
    first = await Store.open(url)
    ended: list[str] = []
    first.on_lost = lambda: ended.append("told")
    await asyncio.to_thread(postgres.cut, url)
    second = await Store.open(url)
    await second.append("test", [status(1)])
    await second.close()
    for n in (2, 3):
        with pytest.raises(Unreachable, match="has taken it over"):
            await first.append("test", [status(n)])
    assert ended == ["told"]
    assert [event for _, event in await stored(first)] == [status(1)]
    await first.close()


@asynccontextmanager
async def cutting_at(socket: str, is_told: bool) -> AsyncIterator[tuple[int, list[bool]]]:
    """A port before the database that cuts the first connection at its COMMIT once told so: before or after it went through."""
    armed: list[bool] = []
    ended: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.Event())
        this = ended[-1]
        from_server, to_server = await asyncio.open_unix_connection(socket)
        is_cut = asyncio.Event()

        async def ask() -> None:
            while data := await reader.read(1 << 16):
                if armed and b"COMMIT" in data:
                    armed.clear()
                    is_cut.set()
                    if is_told:
                        to_server.write(data)
                        await asyncio.sleep(0.2)  # done by then, and nobody hears of it
                    break
                to_server.write(data)
            to_server.close()
            writer.transport.abort()

        async def answer() -> None:
            while (data := await from_server.read(1 << 16)) and not is_cut.is_set():
                writer.write(data)

        answering = asyncio.create_task(answer())
        with suppress(ConnectionError):
            await ask()
        answering.cancel()
        with suppress(ConnectionError, asyncio.CancelledError):
            await answering
        with suppress(ConnectionError):
            await to_server.wait_closed()
            await writer.wait_closed()
        this.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], armed
        await asyncio.gather(*(each.wait() for each in ended))


@pytest.mark.parametrize("is_told", [False, True])
async def test_a_cut_in_the_middle_of_a_commit(postgres: Postgres, is_told: bool) -> None:
    """Nobody tells us whether it took place: the next connection asks."""
    name = postgres.database().rpartition("?")[0].rpartition("/")[2]
    async with cutting_at(postgres.socket, is_told) as (port, armed):
        store = await Store.open(f"postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=disable&gssencmode=disable")
        armed.append(True)
        acknowledged = await store.append("test", [status(1)])
        assert armed == []
        assert await stored(store) == acknowledged
        assert len(acknowledged) == 1
        await store.close()
