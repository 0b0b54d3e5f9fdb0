"""Transactions folded from what stations tell, in any order, any number of times."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import (
    ChargeEnded,
    Event,
    EvseStatus,
    EvseStatusChanged,
    MeterSampled,
    SessionEnded,
    SessionStarted,
    StopReason,
)
from chargeloop.protocols.ocpp import (
    KEPT,
    Ended,
    Fact,
    Ledger,
    Outcome,
    Reading,
    Started,
    StatusTold,
    Transaction,
    Updated,
    session_id,
)

T0 = datetime(2025, 6, 10, 9, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    return T0 + timedelta(minutes=minute)


def start(
    minute: float = 0, wh: float | None = 1000.0, connector: int = 1, wire_id: str | None = None, seq: int | None = None
) -> Started:
    told = f"{connector} {minute} {wh}"
    return Started(connector=connector, at=at(minute), id_token="T", meter_wh=wh, told=told, wire_id=wire_id, seq_no=seq)


def reading(wire_id: str | None, minute: float, wh: float, connector: int = 1, seq: int | None = None) -> Updated:
    return Updated(wire_id=wire_id, connector=connector, at=at(minute), readings=(Reading(at(minute), wh),), seq_no=seq)


def stop(wire_id: str, minute: float, wh: float | None = 5000.0, seq: int | None = None) -> Ended:
    return Ended(wire_id=wire_id, connector=None, at=at(minute), reason=StopReason.DEPARTED, meter_wh=wh, seq_no=seq)


def status(minute: float, state: EvseStatus = EvseStatus.AVAILABLE, connector: int = 1) -> StatusTold:
    return StatusTold(connector=connector, status=state, at=at(minute))


class Told:
    """A ledger, and everything that came of what it was told."""

    def __init__(self, evses: int = 1, known: Sequence[Transaction] = ()) -> None:
        self.ledger = Ledger(tuple(f"E{n}" for n in range(1, evses + 1)), count(len(known) + 1).__next__, known)
        self.events: list[Event] = []

    def tell(self, *facts: Fact, minute: float = 60) -> Outcome:
        outcome = Outcome()
        for fact in facts:
            outcome = self.ledger.apply(fact, at(minute))
            self.events += outcome.events
        return outcome

    def tend(self, minute: float) -> None:
        self.events += self.ledger.tend(at(minute)).events

    @property
    def ended(self) -> list[SessionEnded]:
        return [event for event in self.events if isinstance(event, SessionEnded)]

    @property
    def kinds(self) -> list[type]:
        return [type(event) for event in self.events]


def test_a_plain_session() -> None:
    told = Told()
    assert told.tell(start()).transaction is told.ledger.at_evse("E1")
    told.tell(reading("1", 30, 4000), stop("1", 40))
    assert told.events == [
        SessionStarted(at=at(0), session_id="ocpp-1", evse_id="E1", id_token="T", meter_wh=1000),
        MeterSampled(at=at(30), session_id=session_id(1), evse_id="E1", meter_wh=4000, power_kw=6.0),
        SessionEnded(at=at(40), session_id="ocpp-1", evse_id="E1", meter_wh=5000, reason=StopReason.DEPARTED),
    ]
    assert told.ledger.open == ()


def test_what_is_told_again_changes_nothing() -> None:
    told = Told()
    first = told.tell(start())
    again = told.tell(start())
    assert again.transaction is first.transaction
    told.tell(stop("1", 40), stop("1", 40), start(), reading("1", 30, 4000))
    assert told.kinds == [SessionStarted, SessionEnded]
    assert again.odd == ["told again"]


def test_a_lost_stop_is_closed_when_the_next_begins_and_says_so() -> None:
    told = Told()
    told.tell(start(0), reading("1", 10, 3000), start(20, 3500))
    assert (told.ended[0].session_id, told.ended[0].meter_wh, told.ended[0].at) == ("ocpp-1", 3000, at(20))
    assert "never came" in told.ended[0].notes[0]
    outcome = told.tell(stop("1", 15, 3400))
    assert len(told.ended) == 1
    assert "3400 Wh; 3000 were billed" in outcome.odd[1]


def test_a_lost_stop_is_closed_some_time_after_the_connector_was_free() -> None:
    told = Told()
    told.tell(start(), reading("1", 10, 3000), status(20), minute=20)
    told.tend(21)
    assert told.ended == []
    told.tend(23)
    assert told.ended[0].meter_wh == 3000
    assert "free again" in told.ended[0].notes[0]


def test_a_stop_that_its_status_overtook_is_in_time() -> None:
    told = Told()
    told.tell(start(), status(20), stop("1", 20), minute=21)
    told.tend(60)
    assert [event.notes for event in told.ended] == [()]


def test_two_days_of_silence_end_a_transaction() -> None:
    told = Told()
    told.tell(start(), minute=0)
    told.tend(48 * 60 - 1)
    assert told.ended == []
    told.tend(48 * 60)
    assert "48 hours" in told.ended[0].notes[0]


def test_a_transaction_told_after_later_ones_is_told_whole() -> None:
    told = Told()
    told.tell(start(30), start(0, 100), reading("2", 5, 200), stop("2", 10, 900))
    assert told.kinds == [SessionStarted, SessionStarted, SessionEnded]
    assert (told.ended[0].session_id, told.ledger.open[0].wire_id) == ("ocpp-2", "1")


@pytest.mark.parametrize("wire_id", ["-1", "0", str(2**63 - 1)])
def test_ids_that_stand_for_an_unanswered_start(wire_id: str) -> None:
    told = Told()
    told.tell(start(), reading(wire_id, 10, 2000))
    assert told.kinds == [SessionStarted, MeterSampled]
    told.tell(stop(wire_id, 20))
    assert told.ended[0].session_id == "ocpp-1"


def test_a_stop_without_a_start_is_kept_and_bills_nothing() -> None:
    told = Told()
    assert "kept" in told.tell(stop("77", 20)).odd[0]
    assert told.events == []


def test_a_stop_without_a_start_that_holds_both_readings_is_a_session() -> None:
    told = Told()
    readings = (Reading(at(0), 1000.0, is_begin=True), Reading(at(20), 5000.0))
    told.tell(Ended(wire_id="77", connector=None, at=at(20), reason=StopReason.DEPARTED, meter_wh=5000.0, readings=readings))
    assert (told.ended[0].meter_wh, told.events[0]) == (
        5000,
        SessionStarted(at=at(0), session_id="ocpp-1", evse_id="E1", id_token="unknown", meter_wh=1000),
    )
    assert "start was not told" in told.ended[0].notes[0]


def test_readings_of_an_unknown_transaction_while_charging_adopt_it() -> None:
    told = Told()
    told.tell(reading("9", 5, 2000))
    assert told.events == []
    told.tell(status(6, EvseStatus.CHARGING), reading("9", 7, 3000), stop("9", 20))
    assert told.kinds == [EvseStatusChanged, SessionStarted, MeterSampled, SessionEnded]
    assert told.events[1] == SessionStarted(at=at(7), session_id="ocpp-1", evse_id="E1", id_token="unknown", meter_wh=3000)


def test_version_2_in_disorder() -> None:
    told = Told()
    told.tell(reading("x", 10, 2000, seq=1), start(0, None, wire_id="x", seq=0), reading("x", 10, 2000, seq=1))
    told.tell(stop("x", 30, None, seq=4))
    assert told.kinds == [SessionStarted, MeterSampled, SessionEnded]
    assert "messages never came: 2, 3" in told.ended[0].notes


def test_where_the_start_has_no_register_the_session_counts_from_its_first_reading() -> None:
    told = Told()
    told.tell(start(0, None, wire_id="x"), reading("x", 10, 90_000), reading("x", 20, 94_000), stop("x", 30, None))
    assert told.ended[0].meter_wh == 4000


def test_the_vehicle_is_full_and_stays() -> None:
    told = Told()
    told.tell(start(), status(10, EvseStatus.SUSPENDED_EV), status(11, EvseStatus.SUSPENDED_EV), stop("1", 20))
    assert told.kinds == [SessionStarted, ChargeEnded, EvseStatusChanged, EvseStatusChanged, SessionEnded]
    assert told.ended[0].reason is StopReason.FULL


def test_only_so_many_transactions_are_remembered() -> None:
    told = Told()
    for n in range(KEPT + 10):
        told.tell(start(n), stop(str(n + 1), n + 0.5), minute=n)
    assert told.ledger.find("1") is None
    assert told.ledger.find(str(KEPT)) is not None


def test_a_station_down_as_a_whole_and_well_again() -> None:
    told = Told(evses=2)
    told.tell(status(0, connector=0), status(1, EvseStatus.CHARGING, 2), status(2, EvseStatus.FAULTED, 0))
    told.tell(status(3, connector=0))
    states = [(event.evse_id, event.status) for event in told.events if isinstance(event, EvseStatusChanged)][1:]
    assert states == [
        ("E1", EvseStatus.FAULTED),
        ("E2", EvseStatus.FAULTED),
        ("E1", EvseStatus.AVAILABLE),
        ("E2", EvseStatus.CHARGING),
    ]
    assert told.ledger.status(2) is EvseStatus.CHARGING


def test_what_makes_no_sense_harms_nothing() -> None:
    told = Told(evses=2)
    odd = [told.tell(each).odd for each in (status(1, connector=7), reading("5", 1, 1, connector=9), stop("5", 3))]
    assert all(odd)
    told.tell(status(5), status(4))
    assert told.kinds == [EvseStatusChanged]


def test_a_ledger_goes_on_from_what_was_stored() -> None:
    before = Told()
    known = before.tell(start(), reading("1", 10, 3000)).changed
    after = Told(known=known)
    assert after.ledger.find("1") is known[0]
    after.tell(start(), reading("1", 20, 4000), stop("1", 30))
    assert after.kinds == [MeterSampled, SessionEnded]


LIFE: list[list[Fact]] = [
    [
        start(10 * n, 1000.0 * n, connector=1 + n % 2, wire_id=f"w{n}", seq=0),
        reading(f"w{n}", 10 * n + 2, 1000.0 * n + 300, 1 + n % 2, seq=1),
        reading(f"w{n}", 10 * n + 4, 1000.0 * n + 600, 1 + n % 2, seq=2),
        stop(f"w{n}", 10 * n + 8, 1000.0 * n + 900, seq=3),
    ]
    for n in range(4)
]
FACTS: list[Fact] = [fact for life in LIFE for fact in life]


@given(st.lists(st.sampled_from(FACTS), max_size=40), st.lists(st.integers(100, 10_000), max_size=3))
def test_in_any_order_sessions_begin_once_end_once_and_never_overlap(facts: list[Fact], tended: list[int]) -> None:
    told = Told(evses=2)
    for fact in facts:
        told.tell(fact)
    assert len({each.evse_id for each in told.ledger.open}) == len(told.ledger.open)
    for minute in tended:
        told.tend(minute)
    begun = Counter(event.session_id for event in told.events if isinstance(event, SessionStarted))
    ended = Counter(event.session_id for event in told.ended)
    assert set(begun.values()) <= {1}
    assert set(ended.values()) <= {1}
    assert ended.keys() <= begun.keys()


@given(st.permutations(range(len(FACTS))))
def test_told_whole_in_any_order_every_session_ends(order: list[int]) -> None:
    told = Told(evses=2)
    for i in order:
        told.tell(FACTS[i])
    told.tend(100_000)
    assert len(told.ended) == len(LIFE)
    assert told.ledger.open == ()
