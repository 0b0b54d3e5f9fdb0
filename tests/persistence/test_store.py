"""What is stored stays stored, once."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chargeloop.model import (
    BadInput,
    Cdr,
    Current,
    Decision,
    EvseStatus,
    EvseStatusChanged,
    MeterSampled,
    Offer,
    Reservation,
    ReservationState,
    Session,
    Unreachable,
)
from chargeloop.persistence import Entry, OcppFrame, Outcome, Registration, Store, Stored
from chargeloop.protocols.ocpp import Transaction

NOW = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(database_url)
    yield opened
    await opened.close()


def status(n: int = 0) -> EvseStatusChanged:
    return EvseStatusChanged(at=NOW + timedelta(seconds=n), evse_id=f"E{n}", status=EvseStatus.AVAILABLE)


def meter(n: int = 0) -> MeterSampled:
    return MeterSampled(at=NOW, session_id="s1", evse_id="E1", meter_wh=float(n), power_kw=7.0)


def session(key: str = "s1", ended: bool = False, kwh: float = 1.0) -> Session:
    return Session(key, "E1", "S1", "T1", NOW, kwh, ended_at=NOW + timedelta(hours=1) if ended else None)


def decision(key: str = "D-1", station: str = "S1", at: datetime = NOW) -> Decision:
    offer = Offer(station, Current.DC, 6.0, 3.0, 0.0, 0.0, 25.0, 24.0, 0.19, Decimal("20.10"), 1.5, {"drive": 1.5})
    return Decision(key, "r1", at, "exact", offer, (offer,), "near")


async def stored_events(store: Store, after: int = 0) -> list[tuple[int, object]]:
    return [pair async for pair in store.events_after(after)]


async def test_events_come_back_in_order_with_rising_ids(store: Store) -> None:
    first = await store.append("gateway", [status(1), status(2)])
    second = await store.append("gateway", [meter(3)])
    assert [i for i, _ in (*first, *second)] == [1, 2, 3]
    assert await stored_events(store) == [*first, *second]
    assert await stored_events(store, after=2) == [*second]


async def test_more_events_than_one_page_are_all_read(store: Store) -> None:
    await store.append("feed", [status(n % 7) for n in range(2500)])
    assert [i for i, _ in await stored_events(store)] == list(range(1, 2501))


async def test_a_batch_sent_again_is_stored_once(store: Store) -> None:
    assert len(await store.append("twin", [status(1)], seq=1)) == 1
    assert await store.append("twin", [status(1)], seq=1) == ()
    assert len(await store.append("other", [status(1)], seq=1)) == 1
    assert len(await store.append("twin", [status(2)], seq=2)) == 1
    assert await store.last_seq("twin") == 2
    assert await store.last_seq("stranger") == 0
    assert len(await stored_events(store)) == 3


async def test_listeners_hear_of_events_in_the_order_of_the_database(store: Store) -> None:
    heard: list[int] = []

    def hear(stored: Stored) -> None:
        heard.extend(i for i, _ in stored)

    store.on_commit = hear
    await asyncio.gather(*(store.append("many", [status(n), meter(n)]) for n in range(100)))
    assert heard == list(range(1, 201))


async def test_a_caller_who_gives_up_does_not_lose_the_event_nor_its_telling(store: Store) -> None:
    heard: list[int] = []
    store.on_commit = lambda stored: heard.extend(i for i, _ in stored)
    waiting = asyncio.create_task(store.append("gone", [status(1)]))
    await asyncio.sleep(0)
    waiting.cancel()
    await store.append("next", [status(2)])
    assert heard == [1, 2]
    assert len(await stored_events(store)) == 2


async def test_one_bad_write_does_not_spoil_the_others(store: Store) -> None:
    results = await asyncio.gather(
        store.put_outcome("no such decision", 1.0, None),
        *(store.append("twin", [status(n)], seq=n) for n in range(1, 20)),
        return_exceptions=True,
    )
    assert isinstance(results[0], Exception)
    assert [each for each in results[1:] if isinstance(each, BaseException)] == []
    assert len(await stored_events(store)) == 19


async def test_ids_are_never_used_again(database_url: str) -> None:
    store = await Store.open(database_url)
    await store.append("feed", [meter(n) for n in range(5)])
    await store.save_snapshot(5, "a")
    await store.save_snapshot(5, "b")
    reservation = await store.next_reservation_id()
    number = store.next_transaction_number()
    store.record(Entry(frame("1"), transactions=[transaction(number)]))
    await store.close()
    again = await Store.open(database_url)
    ((event_id, _),) = await again.append("feed", [meter(9)])
    assert event_id == 6
    assert await again.next_reservation_id() > reservation
    assert again.next_transaction_number() > number
    assert [i for i, _ in await again.frames()] == [1]
    await again.close()


async def test_the_newest_snapshot_counts_and_old_meter_samples_go(store: Store) -> None:
    assert await store.latest_snapshot() is None
    await store.append("feed", [status(1), meter(2), meter(3)])
    await store.save_snapshot(2, "first")
    await store.append("feed", [meter(4)])
    await store.save_snapshot(4, "second")
    assert await store.latest_snapshot() == (4, "second")
    assert [i for i, _ in await stored_events(store)] == [1, 3, 4]
    await store.save_snapshot(4, "third")
    assert await store.latest_snapshot() == (4, "third")


def frame(message_id: str, charger_id: str = "C1", at: datetime = NOW, **more: Any) -> OcppFrame:
    return OcppFrame(at.timestamp(), charger_id, False, "Heartbeat", message_id, f'[2,"{message_id}","Heartbeat",{{}}]', **more)


def transaction(number: int, charger_id: str = "C1") -> Transaction:
    return Transaction(number, str(number), charger_id, "T1", NOW, 0.0, 0.0, NOW, NOW)


async def test_a_message_is_stored_with_what_it_means_before_it_is_told(store: Store) -> None:
    told: list[object] = []
    store.on_commit = told.append
    running = transaction(store.next_transaction_number())
    store.record(Entry(frame("1"), [meter(1)], [running], told.append))
    running.meter_wh = 5000.0  # of a later message: not stored with this one
    await store.recorded()
    assert told == [((1, meter(1)),), None]
    assert await store.transactions("C1") == (transaction(running.number),)
    assert await store.transactions("C2") == ()


async def test_who_gives_up_waiting_does_not_stop_the_storing(store: Store) -> None:
    told: list[object] = []
    store.record(Entry(frame("1"), then=told.append))
    waiting = asyncio.create_task(store.recorded())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    store.record(Entry(frame("2"), then=told.append))
    await asyncio.wait_for(store.recorded(), 10)
    assert told == [None, None]


async def test_messages_are_found_by_charger_action_and_text(store: Store) -> None:
    store.record(Entry(frame("1")))
    store.record(Entry(frame("2", "C2", flag="odd 100%")))
    store.record(Entry(frame("3", answer="[3]")._replace(action="Authorize")))
    await store.recorded()

    async def found(**asked: Any) -> list[str]:
        return [each.message_id for _, each in await store.frames(**asked)]

    assert await found() == ["3", "2", "1"]
    assert await found(charger_id="C1", limit=1) == ["3"]
    assert await found(charger_id="C1", before=3) == ["1"]
    assert await found(action="Authorize") == ["3"]
    assert await found(text="100%") == ["2"]
    assert await found(text="1%0") == []


async def test_of_ten_thousands_of_messages_each_charger_s_are_found_by_pages(store: Store) -> None:
    chargers = ("C1", "C2", "C3")
    sent = [
        (n, chargers[n * n % 3]) for n in range(1, 25_001)
    ]  # more than are indexed at once, twice, and some that are not yet
    for n, charger_id in sent:
        store.record(Entry(frame(str(n), charger_id, at=NOW + timedelta(seconds=n))))
        if n % 777 == 0:
            await store.recorded()
    await store.recorded()
    of_c2 = [n for n, charger_id in reversed(sent) if charger_id == "C2"]
    paged, before = [], 10**6
    while page := await store.frames("C2", limit=1000, before=before):
        paged += [number for number, _ in page]
        before = paged[-1]
    assert paged == of_c2
    assert await store.forget_frames(NOW + timedelta(seconds=15_000)) == 14_999
    assert [number for number, _ in await store.frames("C2", limit=20_000)] == [n for n in of_c2 if n >= 15_000]


async def test_old_messages_are_forgotten_and_what_they_meant_is_not(store: Store) -> None:
    for n in range(4):
        store.record(Entry(frame(str(n), at=NOW + timedelta(days=n)), [meter(n)]))
    await store.recorded()
    assert await store.forget_frames(NOW + timedelta(days=2)) == 2
    assert [each.message_id for _, each in await store.frames()] == ["3", "2"]
    assert len(await stored_events(store)) == 4


async def test_a_registration_is_overwritten(store: Store) -> None:
    first = Registration(charger_id="C1", state="quarantined", first_seen=NOW)
    adopted = replace(first, state="adopted", station_id="S1", evse_ids=("E1", "E2"))
    for each in (first, adopted):
        await store.put_registration(each)
    assert await store.registrations() == (adopted,)


async def test_sessions_are_kept_as_they_stand_and_stay_ended(store: Store) -> None:
    await store.put_sessions([session(), session("s2", kwh=2.0)])
    await store.put_sessions([session(ended=True, kwh=9.0)])
    await store.put_sessions([session(kwh=3.0)])
    assert await store.session("s1") == session(ended=True, kwh=9.0)
    assert await store.session("nobody") is None
    assert [each.session_id for each in await store.sessions(open_only=True)] == ["s2"]
    assert len(await store.sessions(station_id="S1")) == 2
    assert await store.sessions(station_id="S9") == ()
    assert len(await store.sessions(limit=1)) == 1


async def test_a_session_has_one_cdr(store: Store) -> None:
    cdr = Cdr("CDR-s1", session(ended=True), "day", "CNY", (), Decimal("12.30"), 4.5)
    assert await store.add_cdr(cdr)
    assert not await store.add_cdr(cdr)
    assert await store.cdr("s1") == cdr
    assert await store.cdrs() == (cdr,)


async def test_decisions_and_what_came_of_them(store: Store) -> None:
    await store.add_decisions([decision(), decision("D-2", "S2", NOW + timedelta(minutes=1))])
    await store.add_decisions([decision()])
    assert await store.decision("D-1") == decision()
    assert [each.decision_id for each in await store.decisions()] == ["D-2", "D-1"]
    assert [each.decision_id for each in await store.decisions(station_id="S1")] == ["D-1"]
    assert await store.outcome("D-1") is None
    await store.put_outcome("D-1", 4.0, Decimal("21.00"))
    assert await store.outcome("D-1") == Outcome(4.0, Decimal("21.00"))


async def test_reservations(store: Store) -> None:
    key = await store.next_reservation_id()
    assert await store.reservation(key) is None
    held = Reservation(key, "E1", "S1", "T1", NOW, NOW + timedelta(minutes=20))
    await store.put_reservation(held)
    assert await store.reservation(key) == held
    assert await store.reservations() == (held,)
    used = Reservation(key, "E1", "S1", "T1", NOW, NOW + timedelta(minutes=20), state=ReservationState.USED)
    await store.put_reservation(used)
    assert await store.reservations() == ()
    assert await store.reservations(active_only=False) == (used,)


async def test_small_facts(store: Store) -> None:
    assert await store.get_meta("clock") is None
    await store.set_meta("clock", "1")
    await store.set_meta("clock", "2")
    assert await store.get_meta("clock") == "2"


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.db"
    bad.write_text("this is not a database, and long enough to be read as one. " * 40)
    with pytest.raises(BadInput, match=r"bad\.db"):
        await Store.open(bad)


async def test_a_database_serves_one_server_at_a_time(database_url: str, store: Store) -> None:
    with pytest.raises(Unreachable, match="another Chargeloop"):
        await Store.open(database_url)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises((Unreachable, FileNotFoundError)):
        await Store.open(tmp_path / "nowhere" / "test.db")


APPENDER = """
import asyncio, sys
from datetime import UTC, datetime
from chargeloop.model import EvseStatus, EvseStatusChanged
from chargeloop.persistence import Store

async def append_for_ever(store, lane):
    while True:
        event = EvseStatusChanged(at=datetime.now(UTC), evse_id=lane, status=EvseStatus.AVAILABLE)
        ((event_id, _),) = await store.append(lane, [event])
        print(event_id, flush=True)

async def main():
    store = await Store.open(sys.argv[1])
    await asyncio.gather(*(append_for_ever(store, f"lane{n}") for n in range(20)))

asyncio.run(main())
"""


async def test_what_was_acknowledged_survives_a_kill(database_url: str) -> None:
    with subprocess.Popen([sys.executable, "-c", APPENDER, database_url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(500)]
        os.kill(process.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    store = await Store.open(database_url)
    kept = {i for i, _ in await stored_events(store)}
    await store.close()
    assert set(acknowledged) <= kept
    assert len(acknowledged) == len(set(acknowledged))
