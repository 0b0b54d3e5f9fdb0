"""The virtual queue: whose turn it is, how long for, and that nothing else can happen, whatever happens."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chargeloop.model import (
    Answer,
    BadInput,
    BayLost,
    BayOffered,
    Current,
    Loss,
    OfferAnswered,
    QueuePolicy,
    Reservation,
    ReservationClosed,
    ReservationMade,
    ReservationState,
    Tier,
)
from chargeloop.recommendation import (
    Bay,
    BayState,
    Queue,
    QueueEvent,
    answer_offer,
    applied,
    bay_needed_until,
    is_near,
    is_resting,
    join,
    line,
    next_in_line,
    pool_of,
    tend,
)
from tests.small_city import START

POLICY = QueuePolicy()
HERE = ("S0", Current.DC)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def wanted(key: int, at: float = 0, drive: float = 0, tier: Tier = Tier.PRIVATE) -> Reservation:
    arrive = after(at + drive)
    return Reservation(
        key, None, "S0", f"T{key}", after(at), arrive, f"r{key}", current=Current.DC, tier=tier, arrive_at=arrive
    )


def bays(*states: BayState, token: str | None = None) -> list[Bay]:
    return [Bay(f"S0-{n:02d}", "S0", Current.DC, state, token) for n, state in enumerate(states, start=1)]


FREE, BUSY, OCCUPIED, OUT = (bays(state) for state in BayState)


def waiting(*drivers: Reservation) -> dict[int, Reservation]:
    """Those who joined one after the other while no bay was free."""
    queue: dict[int, Reservation] = {}
    for each in drivers:
        queue = applied(queue, join(queue, each, BUSY, POLICY, each.made_at))
    return queue


def asked(queue: Queue, at: float, there: Sequence[Bay] = FREE) -> dict[int, Reservation]:
    return applied(queue, tend(queue, there, POLICY, after(at)))


def answered(queue: Queue, key: int, said: Answer, at: float) -> dict[int, Reservation]:
    return applied(queue, answer_offer(queue, key, said, POLICY, after(at)))


def who_is_offered(queue: Queue) -> list[int]:
    return [key for key, each in queue.items() if each.is_offered]


def test_a_free_bay_is_held_at_once_from_the_arrival_on() -> None:
    (made,) = join({}, wanted(1, drive=10), FREE, POLICY, START)
    assert isinstance(made, ReservationMade)
    assert made.reservation.is_held
    assert made.reservation.evse_id == "S0-01"
    assert made.reservation.expires_at == after(10 + POLICY.plug_in_s / 60)
    assert tend({1: made.reservation}, FREE, POLICY, after(1)) == []


def test_where_none_is_free_there_is_a_line_by_joining_with_emergency_first() -> None:
    queue = waiting(wanted(1), wanted(2, at=1), wanted(3, at=2, tier=Tier.EMERGENCY))
    assert [each.reservation_id for each in line(queue, HERE)] == [3, 1, 2]
    assert who_is_offered(asked(queue, at=3)) == [3]
    assert {pool_of(each) for each in queue.values()} == {HERE}


def test_the_last_free_bays_of_some_pools_are_for_emergency_vehicles() -> None:
    two = [replace(each, kept=1) for each in bays(BayState.FREE, BayState.FREE)]
    queue = waiting(wanted(1), wanted(2, at=1))
    queue = asked(queue, at=2, there=two)
    assert who_is_offered(queue) == [1]
    assert tend(queue, two, POLICY, after(3)) == []
    (made,) = join(queue, wanted(3, at=3, tier=Tier.EMERGENCY), two, POLICY, after(3))
    assert isinstance(made, ReservationMade)
    assert made.reservation.evse_id == "S0-02"


def test_who_is_far_does_not_keep_a_bay_from_who_is_there_and_keeps_his_place() -> None:
    queue = waiting(wanted(1, drive=20), wanted(2, at=1))
    assert not is_near(queue[1], POLICY, after(2))
    queue = asked(queue, at=2)
    assert who_is_offered(queue) == [2]
    queue = asked(answered(queue, 2, Answer.ACCEPT, at=3), at=11, there=bays(BayState.BUSY, BayState.FREE))
    assert who_is_offered(queue) == [1]
    assert next_in_line(queue.values(), POLICY, after(12)) is None


def test_where_nobody_is_near_the_first_is_asked_and_the_bay_kept_until_he_can_be_there() -> None:
    queue = asked(waiting(wanted(1, drive=40), wanted(2, drive=30)), at=1)
    assert who_is_offered(queue) == [1]
    assert bay_needed_until(queue[1], POLICY) == after(40) + timedelta(seconds=POLICY.plug_in_s)
    held = answered(queue, 1, Answer.ACCEPT, at=2)[1]
    assert held.expires_at == bay_needed_until(held, POLICY) == after(40) + timedelta(seconds=POLICY.plug_in_s)


def test_a_snooze_lets_the_next_go_first_and_is_not_for_ever() -> None:
    queue = asked(waiting(wanted(1), wanted(2)), at=1)
    queue = answered(queue, 1, Answer.SNOOZE, at=2)
    assert is_resting(queue[1], after(3))
    queue = asked(queue, at=3)
    assert who_is_offered(queue) == [2]
    queue = asked(queue, at=13, there=bays(BayState.FREE, BayState.FREE))
    assert who_is_offered(queue) == [1]
    queue = answered(queue, 1, Answer.SNOOZE, at=14)
    queue = asked(queue, at=25)
    with pytest.raises(BadInput, match="2 times"):
        answer_offer(queue, 1, Answer.SNOOZE, POLICY, after(26))


def test_who_does_not_answer_has_snoozed_and_is_out_at_last() -> None:
    queue, ends = waiting(wanted(1)), list[QueueEvent]()
    for at in range(1, 60):
        events = tend(queue, FREE, POLICY, after(at))
        queue = applied(queue, events)
        ends += [each for each in events if not isinstance(each, BayOffered)]
    assert [each.answer for each in ends if isinstance(each, OfferAnswered)] == [Answer.NONE] * (POLICY.snoozes + 1)
    assert [each.state for each in ends if isinstance(each, ReservationClosed)] == [ReservationState.UNANSWERED]
    assert queue == {}


def test_who_declines_leaves_and_the_bay_goes_to_the_next() -> None:
    queue = asked(waiting(wanted(1), wanted(2)), at=1)
    *_, closed = answer_offer(queue, 1, Answer.DECLINE, POLICY, after(2))
    assert closed == ReservationClosed(at=after(2), reservation_id=1, state=ReservationState.DECLINED)
    assert who_is_offered(asked(answered(queue, 1, Answer.DECLINE, at=2), at=2)) == [2]


def test_an_answer_that_comes_too_late_or_to_nothing_is_refused() -> None:
    queue = asked(waiting(wanted(1)), at=1)
    for key, at in ((1, 1 + POLICY.answer_s / 60), (2, 2)):
        with pytest.raises(BadInput, match="no bay is offered"):
            answer_offer(queue, key, Answer.ACCEPT, POLICY, after(at))


def test_who_does_not_come_loses_the_bay() -> None:
    queue = answered(asked(waiting(wanted(1)), at=1), 1, Answer.ACCEPT, at=2)
    assert tend(queue, FREE, POLICY, after(16.9)) == []
    (closed,) = tend(queue, FREE, POLICY, after(17))
    assert closed == ReservationClosed(at=after(17), reservation_id=1, state=ReservationState.NO_SHOW)


@pytest.mark.parametrize(
    ("there", "why"),
    [(OUT, Loss.FAULT), (bays(BayState.OCCUPIED, token="somebody"), Loss.TAKEN), ([], Loss.FAULT)],
)
@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_bay_that_fails_or_is_taken_costs_the_driver_no_place(there: list[Bay], why: Loss, is_accepted: bool) -> None:
    queue = asked(waiting(wanted(1), wanted(2)), at=1)
    queue = [queue, answered(queue, 1, Answer.ACCEPT, at=2)][is_accepted]
    (lost,) = tend(queue, there, POLICY, after(3))
    assert lost == BayLost(at=after(3), reservation_id=1, why=why)
    queue = applied(queue, [lost])
    assert (queue[1].lost, queue[1].lost_evse_id, queue[1].snoozes) == (why, "S0-01", 0)
    assert queue[1].expires_at == queue[1].keep_until
    assert who_is_offered(asked(queue, at=4)) == [1]


def test_a_place_in_the_line_ends_where_no_bay_comes_free() -> None:
    queue = waiting(wanted(1))
    assert tend(queue, BUSY, POLICY, after(119)) == []
    (closed,) = tend(queue, BUSY, POLICY, after(120))
    assert closed == ReservationClosed(at=after(120), reservation_id=1, state=ReservationState.EXPIRED)


def test_what_comes_after_the_end_changes_nothing() -> None:
    queue = asked(waiting(wanted(1)), at=1)
    late: list[QueueEvent] = [
        OfferAnswered(at=after(2), answer=Answer.ACCEPT, reservation=queue[1]),
        BayOffered(at=after(2), reservation=queue[1]),
        BayLost(at=after(2), reservation_id=1, why=Loss.CHARGER),
        ReservationClosed(at=after(2), reservation_id=1, state=ReservationState.USED),
    ]
    assert applied({}, late) == {}


class AnyQueue(RuleBasedStateMachine):
    """Whatever drivers, chargers and the clock do. Bays: two fast ones and a slow one at S0."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.policy = QueuePolicy(answer_s=120, snoozes=1, snooze_s=300, plug_in_s=300, near_s=300, keep_s=1800)
        self.queue: dict[int, Reservation] = {}
        self.log: list[QueueEvent] = []
        self.ends: Counter[int] = Counter()
        self.numbers = itertools.count(1)
        self.bays = {each.evse_id: each for each in bays(BayState.FREE, BayState.FREE)}
        self.bays["S0-03"] = Bay("S0-03", "S0", Current.AC, BayState.FREE)

    def take(self, events: Sequence[QueueEvent]) -> None:
        for event in events:
            self.check_turn(event)
            self.queue = applied(self.queue, [event])
            self.log.append(event)
        self.ends.update(event.reservation_id for event in events if isinstance(event, ReservationClosed))

    def check_turn(self, event: QueueEvent) -> None:
        """A bay goes to nobody before whom somebody waits who is as near and awake."""
        mine = getattr(event, "reservation", None)
        gets_bay = isinstance(event, BayOffered | ReservationMade) and mine is not None and mine.evse_id is not None
        before = (
            [
                each.reservation_id
                for each in line(self.queue, pool_of(mine))
                if each.evse_id is None
                and each.reservation_id != mine.reservation_id
                and (each.tier is not Tier.EMERGENCY, each.made_at, each.reservation_id)
                < (mine.tier is not Tier.EMERGENCY, mine.made_at, mine.reservation_id)
                and not is_resting(each, self.now)
                and (is_near(each, self.policy, self.now) or not is_near(mine, self.policy, self.now))
            ]
            if gets_bay and mine is not None
            else []
        )
        assert before == []

    def any_of(self, data: st.DataObject, keys: Sequence[int]) -> int:
        return data.draw(st.sampled_from(sorted(keys)))

    @rule(drive=st.integers(0, 15), tier=st.sampled_from([Tier.PRIVATE, Tier.EMERGENCY]), current=st.sampled_from(Current))
    def join(self, drive: int, tier: Tier, current: Current) -> None:
        key, arrive = next(self.numbers), self.now + timedelta(minutes=drive)
        new = Reservation(key, None, "S0", f"T{key}", self.now, arrive, current=current, tier=tier, arrive_at=arrive)
        self.take(join(self.queue, new, list(self.bays.values()), self.policy, self.now))

    @rule(minutes=st.sampled_from([0, 1, 3, 10]))
    def time_goes_by(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.take(tend(self.queue, list(self.bays.values()), self.policy, self.now))

    @rule(evse_id=st.sampled_from(["S0-01", "S0-02", "S0-03"]), state=st.sampled_from(BayState))
    def a_bay_changes(self, evse_id: str, state: BayState) -> None:
        """It fails, is mended or left, or a walk-in plugs in."""
        token = "walk-in" if state is BayState.OCCUPIED else None
        self.bays[evse_id] = replace(self.bays[evse_id], state=state, id_token=token)

    @precondition(lambda self: any(each.is_offered and each.answer_by > self.now for each in self.queue.values()))
    @rule(data=st.data(), said=st.sampled_from([Answer.ACCEPT, Answer.SNOOZE, Answer.DECLINE]))
    def a_driver_answers(self, data: st.DataObject, said: Answer) -> None:
        open_offers = [key for key, each in self.queue.items() if each.answer_by is not None and each.answer_by > self.now]
        key = self.any_of(data, open_offers)
        may = said is not Answer.SNOOZE or self.queue[key].snoozes < self.policy.snoozes
        self.take(answer_offer(self.queue, key, said if may else Answer.ACCEPT, self.policy, self.now))

    @precondition(lambda self: any(each.is_held for each in self.queue.values()))
    @rule(data=st.data())
    def a_driver_plugs_in(self, data: st.DataObject) -> None:
        key = self.any_of(data, [key for key, each in self.queue.items() if each.is_held])
        evse_id = self.queue[key].evse_id or ""
        self.bays[evse_id] = replace(self.bays[evse_id], state=BayState.OCCUPIED, id_token=f"T{key}")
        self.take([ReservationClosed(at=self.now, reservation_id=key, state=ReservationState.USED)])

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def a_driver_gives_up(self, data: st.DataObject) -> None:
        key = self.any_of(data, list(self.queue))
        self.take([ReservationClosed(at=self.now, reservation_id=key, state=ReservationState.CANCELLED)])

    @invariant()
    def a_bay_has_one_holder(self) -> None:
        held = Counter(each.evse_id for each in self.queue.values() if each.evse_id is not None)
        assert max(held.values(), default=1) == 1

    @invariant()
    def a_place_ends_once(self) -> None:
        assert max(self.ends.values(), default=1) == 1
        assert not self.ends.keys() & self.queue.keys()

    @invariant()
    def the_same_events_give_the_same_queue(self) -> None:
        assert applied({}, self.log) == self.queue

    @invariant()
    def what_is_settled_stays_so(self) -> None:
        """Once tended, there is nothing left to do at the same instant."""
        once = applied(self.queue, tend(self.queue, list(self.bays.values()), self.policy, self.now))
        assert tend(once, list(self.bays.values()), self.policy, self.now) == []

    def teardown(self) -> None:
        """Left alone, every place comes to its end, within the time that the policy gives."""
        for _ in range(60):
            self.time_goes_by(minutes=3)
        assert self.queue == {}
        assert len(self.ends) == next(self.numbers) - 1


AnyQueue.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyQueue = AnyQueue.TestCase
