"""Charges, messages and objects of other platforms, in the real database."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from chargeloop.persistence import PartnerBook, PartnerCharge, Store, Waiting

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CHARGE = PartnerCharge("N1", "P", "E1", "T1", 1, NOW)


async def test_a_number_opens_one_charge(database_url: str) -> None:
    store = await Store.open(database_url)
    book = PartnerBook(store)
    assert await book.open_charge(CHARGE) == CHARGE
    assert await book.open_charge(replace(CHARGE, id_token="T2")) == CHARGE
    assert await book.charges("P", [1]) == (CHARGE,)
    assert await book.charges("Q", [1]) == ()
    begun = replace(CHARGE, state=2, session_id="S1")
    await book.move(begun, [("start", {"money": Decimal("1.20")})])
    assert await book.charge("N1") == begun
    assert await book.charges("P", [1]) == ()
    assert await book.waiting("P") == (Waiting(1, "P", "start", {"money": "1.20"}, 0),)
    await store.close()


async def test_messages_leave_in_order_and_of_a_status_the_newest_counts(database_url: str) -> None:
    store = await Store.open(database_url)
    book = PartnerBook(store)
    await book.post("P", "status", {"is": "free"}, key="E1")
    await book.post("P", "order", {"n": 1})
    await book.post("P", "status", {"is": "busy"}, key="E1")
    await book.post("Q", "status", {"is": "free"}, key="E1")
    first, second = await book.waiting("P")
    assert (first.body, second.body) == ({"n": 1}, {"is": "busy"})
    await book.not_told(first.number)
    assert (await book.waiting("P"))[0].tried == 1
    await book.not_told(first.number, "no such charge")
    await book.told(second.number)
    assert await book.waiting("P") == ()
    assert await book.refused("P") == (("order", "no such charge"),)
    assert len(await book.waiting("Q")) == 1
    await store.close()


async def test_what_was_told_last_stands(database_url: str) -> None:
    store = await Store.open(database_url)
    book = PartnerBook(store)
    await book.keep("P", "station", {"A": {"name": "莲花山"}, "B": {}})
    await book.keep("P", "station", {"A": {"name": "中心"}})
    assert await book.kept("P", "station") == {"A": {"name": "中心"}, "B": {}}
    assert await book.kept_one("P", "station", "A") == {"name": "中心"}
    assert await book.kept_one("Q", "station", "A") is None
    await store.close()
