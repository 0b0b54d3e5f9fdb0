"""The virtual queue in the live loop: what drivers and chargers are told, what is on record, and what a kill leaves."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from chargeloop.loop import Clock, Conflict, Elsewhere, QueueBooks, Queueing, QueueRecords, driver_of, expected_start
from chargeloop.model import (
    Answer,
    BayLost,
    BayOffered,
    CancelReservation,
    ChargeRequest,
    EvseStatus,
    EvseStatusChanged,
    Loss,
    OfferAnswered,
    QueuePolicy,
    QueuePolicySet,
    RequestWithdrawn,
    Reservation,
    ReservationMade,
    ReservationState,
    ReserveEvse,
    SessionEnded,
    SessionStarted,
)
from tests.loop.test_city_loop import House, house, request
from tests.small_city import START

__all__ = ["house"]
FAST = ("S0-01", "S0-02")


async def set_clock(house: House, minutes: float) -> None:
    house.loop.clock = house.clock = Clock.starting(START + timedelta(minutes=minutes), 1.0)
    await house.loop.turn()


async def plug_in(house: House, evse: str, token: str, minutes: float = 0) -> None:
    at = START + timedelta(minutes=minutes)
    await house.store.append("test", [SessionStarted(at=at, session_id=f"{evse}-{token}", evse_id=evse, id_token=token)])


async def leave(house: House, evse: str, token: str, minutes: float = 1) -> None:
    at = START + timedelta(minutes=minutes)
    await house.store.append("test", [SessionEnded(at=at, session_id=f"{evse}-{token}", evse_id=evse, meter_wh=1000)])


async def full(house: House) -> None:
    for evse in FAST:
        await plug_in(house, evse, "X")


async def reserve(house: House, key: str = "r1", token: str = "T1", **more: object) -> Reservation:
    asked: ChargeRequest = replace(request(key, token), **more)  # type: ignore[arg-type]
    decision, _ = await house.loop.recommend(asked)
    return await house.loop.reserve(decision, "S0")


def now(house: House, reservation: Reservation) -> Reservation:
    found = house.loop.reservation(reservation.reservation_id)
    assert found is not None
    return found


async def ended(house: House, reservation: Reservation) -> Reservation:
    assert house.loop.reservation(reservation.reservation_id) is None
    found = await house.store.reservation(reservation.reservation_id)
    assert found is not None
    return found


async def queued(house: House) -> tuple[Reservation, Reservation]:
    """Two drivers in line at S0, both bays taken."""
    await full(house)
    return await reserve(house), await reserve(house, "r2", "T2")


async def test_a_bay_that_comes_free_is_offered_then_held_then_used(house: House) -> None:
    first, second = await queued(house)
    assert (first.evse_id, first.current, first.decision_id) == (None, "DC", "D-r1")
    await leave(house, "S0-02", "X")
    await house.loop.turn()
    assert now(house, first).is_offered
    assert not now(house, second).is_offered
    (kept,) = house.sent(ReserveEvse)
    assert (kept.evse_id, kept.id_token) == ("S0-02", "T1")
    await house.loop.answer_offer(first.reservation_id, Answer.ACCEPT)
    held = now(house, first)
    assert held.is_held
    assert kept.expires_at > held.expires_at  # the charger keeps it longer than we do
    assert await house.store.reservation(first.reservation_id) == held
    await plug_in(house, "S0-02", "T1", 5)
    await house.loop.turn()
    used = await ended(house, first)
    assert (used.state, used.session_id, used.evse_id) == (ReservationState.USED, "S0-02-T1", "S0-02")
    assert used.waited_min == pytest.approx(0, abs=0.1)  # the bay was held before he could be there
    assert house.sent(CancelReservation) == []
    assert house.loop.queue.books.waits_min == {"S0": [used.waited_min]}


async def test_what_one_lets_go_the_next_is_offered(house: House) -> None:
    first, second = await queued(house)
    await leave(house, "S0-02", "X")
    await house.loop.turn()
    await house.loop.answer_offer(first.reservation_id, Answer.SNOOZE)
    assert now(house, first).rests_until is not None
    assert now(house, second).evse_id == "S0-02"
    assert [each.reservation_id for each in house.sent(CancelReservation)] == [first.reservation_id]
    await house.loop.answer_offer(second.reservation_id, Answer.DECLINE)
    assert (await ended(house, second)).state is ReservationState.DECLINED
    with pytest.raises(Conflict, match="no bay is offered"):
        await house.loop.answer_offer(first.reservation_id, Answer.ACCEPT)
    assert house.loop.perception.request("r2") is None


async def test_nobody_answers_and_nobody_comes(house: House) -> None:
    await house.loop.queue.set_policy(QueuePolicy(snoozes=0), START)
    first, second = await queued(house)
    await leave(house, "S0-02", "X")
    await house.loop.turn()
    await set_clock(house, 6)
    assert (await ended(house, first)).state is ReservationState.UNANSWERED
    assert now(house, second).evse_id == "S0-02"
    await house.loop.answer_offer(second.reservation_id, Answer.ACCEPT)
    await set_clock(house, 60)
    assert (await ended(house, second)).state is ReservationState.NO_SHOW
    books = house.loop.queue.books
    assert (books.no_shows, books.no_shows_of) == ({"S0": 1}, {"T2": 1})
    assert books.ended == {"unanswered": 1, "no_show": 1}
    assert driver_of(replace(second, user_id="ada")) == "ada"


async def fault(house: House, evse: str) -> None:
    await house.store.append("test", [EvseStatusChanged(at=START, evse_id=evse, status=EvseStatus.FAULTED)])


async def walk_in(house: House, evse: str) -> None:
    await plug_in(house, evse, "walk-in", 2)


async def gives_up(house: House, evse: str) -> None:
    (told,) = house.sent(ReserveEvse)
    await house.store.append("test", [BayLost(at=START, reservation_id=told.reservation_id, why=Loss.CHARGER)])


@pytest.mark.parametrize(("happens", "why"), [(fault, Loss.FAULT), (walk_in, Loss.TAKEN), (gives_up, Loss.CHARGER)], ids=str)
async def test_a_bay_that_gets_lost_leaves_the_driver_his_place(
    house: House, happens: Callable[[House, str], object], why: Loss
) -> None:
    first, _ = await queued(house)
    await leave(house, "S0-02", "X")
    await house.loop.turn()
    await happens(house, "S0-02")  # type: ignore[misc]
    at_once = now(house, first).lost
    await house.loop.turn()
    assert why in (at_once, now(house, first).lost)
    await leave(house, "S0-01", "X", 3)
    await house.loop.turn()
    assert now(house, first).is_offered
    assert now(house, first).snoozes == 0


async def test_who_plugs_in_elsewhere_gives_his_bay_free(house: House) -> None:
    reservation = await reserve(house)
    assert reservation.evse_id == "S0-01"
    await plug_in(house, "S0-02", "T1")
    await house.loop.turn()
    assert (await ended(house, reservation)).evse_id == "S0-02"
    assert [each.evse_id for each in house.sent(CancelReservation)] == ["S0-01"]


async def test_who_gives_up_is_out_of_the_line(house: House) -> None:
    first, _ = await queued(house)
    await house.store.append("test", [RequestWithdrawn(at=START, request_id="r1")])
    await house.loop.turn()
    assert (await ended(house, first)).state is ReservationState.CANCELLED


async def test_offers_answers_and_no_shows_survive_a_kill(house: House) -> None:
    await house.loop.queue.set_policy(QueuePolicy(answer_s=600), START)
    first, _ = await queued(house)
    await leave(house, "S0-02", "X")
    await house.loop.turn()
    await house.loop.save()
    await house.loop.answer_offer(first.reservation_id, Answer.SNOOZE)
    await set_clock(house, 60)
    await set_clock(house, 61)
    before, books = dict(house.loop.perception.state.reservations), house.loop.queue.books
    await house.store.close()
    await house.open()
    assert house.loop.perception.state.reservations == before
    assert house.loop.queue.books == replace(books, closed=house.loop.queue.books.closed)
    assert house.loop.queue.books.policy.answer_s == 600
    kinds = [event.kind async for _, event in house.store.events_after(0)]
    assert {"bay_offered", "offer_answered", "queue_policy_set"} <= set(kinds)


async def test_reservations_of_an_earlier_version_are_taken_up(house: House) -> None:
    await full(house)
    decision, _ = await house.loop.recommend(request())
    await house.loop.reserve(decision, "S0")
    (held,) = house.loop.perception.state.reservations.values()
    old = Reservation(held.reservation_id, None, "S0", "T1", held.made_at, held.expires_at, "r1")
    await house.store.append("test", [ReservationMade(at=START, reservation=old)])
    await leave(house, "S0-01", "X")
    await house.loop.turn()
    assert now(house, old).evse_id == "S0-01"
    assert now(house, old).current == "DC"
    assert old.waited_until(START) is None


async def test_a_driver_says_that_he_is_there(house: House) -> None:
    first, _ = await queued(house)
    expected = now(house, first).arrive_at
    await house.loop.arrived(first)
    there = now(house, first).arrive_at
    assert there is not None
    assert expected is not None
    assert there < expected
    await house.loop.arrived(first)
    assert now(house, first).arrive_at == there


async def test_a_much_better_station_is_found_and_moved_to(house: House) -> None:
    """S0 fails altogether while two wait there; S2's fast bays are free."""
    first, _ = await queued(house)
    await house.loop.turn()
    for evse in FAST:
        await fault(house, evse)
    await set_clock(house, 5)
    assert isinstance(house.loop.elsewhere, Elsewhere)
    start = expected_start(house.loop.perception, house.loop.last.world, now(house, first))  # type: ignore[union-attr]
    assert start is None  # no bay in order
    decision = house.loop.elsewhere.better[first.reservation_id]
    assert decision.chosen is not None
    assert decision.chosen.station_id != "S0"
    assert await house.store.decision(decision.decision_id) == decision
    moved = await house.loop.reserve(decision, decision.chosen.station_id, instead_of=now(house, first))
    assert moved.is_held
    assert (await ended(house, first)).state is ReservationState.MOVED
    assert house.loop.perception.request(moved.request_id or "") is not None
    await house.loop.turn()
    assert first.reservation_id not in house.loop.elsewhere.better
    with pytest.raises(Conflict, match="not held"):
        await house.loop.reserve(decision, decision.chosen.station_id, instead_of=first)


def test_books_begin_a_new_day_and_know_no_shows_for_ever() -> None:
    books = QueueBooks(no_shows_of={"T1": 2})
    held = Reservation(1, "S0-01", "S0", "T1", START, START)
    books.roll(START, "Asia/Shanghai")
    books.count(ReservationMade(at=START, reservation=held), [])
    books.count(QueuePolicySet(at=START, policy=QueuePolicy(snoozes=5)), [])
    books.roll(START + timedelta(hours=10), "Asia/Shanghai")
    assert (books.joined, books.policy.snoozes, books.no_shows_of) == (0, 5, {"T1": 2})
    names: Sequence[type] = (Queueing, QueueRecords, BayOffered, OfferAnswered)
    assert all(each.__name__ for each in names)
