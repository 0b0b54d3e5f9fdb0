"""A database that fails under a gateway: what a charger was told is stored is there, once; the rest it tells again."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection
from websockets.exceptions import ConnectionClosed

from chargeloop.model import MeterSampled
from chargeloop.persistence import Store
from tests.database import Postgres
from tests.gateway.conftest import Dial, stored


def meter_values(transaction: int, minute: int) -> dict[str, Any]:
    sample = {"timestamp": f"2025-06-10T09:2{minute}:00Z", "sampledValue": [{"value": str(1000 * minute)}]}
    return {"connectorId": 1, "transactionId": transaction, "meterValue": [sample]}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_charger_notices_nothing_of_a_connection_that_is_cut(
    dial: Dial, store: Store, postgres: Postgres, database_url: str
) -> None:
    wire = await dial()
    transaction = await wire.start(meter=0)
    for minute in range(1, 6):
        cutting = asyncio.create_task(asyncio.to_thread(postgres.cut, database_url))
        assert await wire.ask("MeterValues", meter_values(transaction, minute), f"m{minute}") == [3, f"m{minute}", {}]
        await cutting
    await wire.stop(transaction, meter=6000)
    assert [each.meter_wh for each in await stored(store) if isinstance(each, MeterSampled)] == [1000, 2000, 3000, 4000, 5000]
    kept = [frame.message_id for _, frame in await store.frames(action="MeterValues")]
    assert kept == ["m5", "m4", "m3", "m2", "m1"]


def pages(connection: Connection, at_most: int | None) -> None:
    """Let the database grow no further; or, with a number, up to that."""
    used = connection.exec_driver_sql("PRAGMA page_count").scalar()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {at_most or used}")


async def tell_until_cut(wire: Any, transaction: int, answered: list[int]) -> None:
    for minute in range(1, 10):
        answer = await wire.ask("MeterValues", meter_values(transaction, minute) | {"vendor": "x" * 9000}, f"m{minute}")
        assert answer == [3, f"m{minute}", {}]
        answered.append(minute)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_is_told_by_silence_and_the_message_comes_again(dial: Dial, store: Store) -> None:
    wire = await dial()
    transaction = await wire.start(meter=0)
    await store.write(lambda connection: pages(connection, None))
    answered: list[int] = []
    with pytest.raises(ConnectionClosed, match="cannot store"):
        await tell_until_cut(wire, transaction, answered)
    await store.write(lambda connection: pages(connection, 1 << 30))
    wire = await dial()
    again = len(answered) + 1
    assert await wire.ask("MeterValues", meter_values(transaction, again), f"m{again}") == [3, f"m{again}", {}]
    samples = [each.meter_wh for each in await stored(store) if isinstance(each, MeterSampled)]
    assert samples == [1000.0 * minute for minute in range(1, again + 1)]
