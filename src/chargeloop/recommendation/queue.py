"""The virtual queue: to whom a bay that comes free is offered, how long he has for what, and what happens if he does not come.

Drivers wait in one line for each pool (the bays of one current at a station), in the order in which they joined, emergency
vehicles before all others. A bay goes to the first in line who is near: at the station, or expected there soon. Where nobody
is near, it goes to the first in line, however far. So nobody keeps a bay empty while others stand before it, and a driver who
is passed over for being far, or who snoozes, keeps his place in line: he is asked first as soon as he is near, or awake.
At some stations the last free bays are kept for emergency vehicles: nobody else is offered them.

All is pure: reservations, bays and `now` in; events out, which hold the reservations as they stand afterwards.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

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

Queue: TypeAlias = Mapping[int, Reservation]  # all that are held, by reservation id
QueueEvent: TypeAlias = ReservationMade | ReservationClosed | BayOffered | OfferAnswered | BayLost
Pool: TypeAlias = tuple[str, Current | None]


class BayState(StrEnum):
    """As a queue sees it. OCCUPIED: somebody charges there; BUSY: not to be had, but not lost either."""

    FREE = "free"
    BUSY = "busy"
    OCCUPIED = "occupied"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Bay:
    """`id_token`: who charges there, where it is occupied. `kept`: so many free bays of its pool are for emergency vehicles."""

    evse_id: str
    station_id: str
    current: Current
    state: BayState
    id_token: str | None = None
    kept: int = 0


def pool_of(each: Reservation | Bay) -> Pool:
    return each.station_id, each.current


def rank(reservation: Reservation) -> tuple[bool, datetime, int]:
    """The order of a line: emergency first, then by joining."""
    return reservation.tier is not Tier.EMERGENCY, reservation.made_at, reservation.reservation_id


def line(queue: Queue, pool: Pool) -> list[Reservation]:
    """Those of a pool who have no bay of their own yet, first in line first; one who is asked just now still stands in it."""
    return sorted((each for each in queue.values() if pool_of(each) == pool and not each.is_held), key=rank)


def is_resting(reservation: Reservation, now: datetime) -> bool:
    return reservation.rests_until is not None and reservation.rests_until > now


def is_near(reservation: Reservation, policy: QueuePolicy, now: datetime) -> bool:
    return reservation.arrive_at is None or reservation.arrive_at <= now + timedelta(seconds=policy.near_s)


def next_in_line(waiting: Iterable[Reservation], policy: QueuePolicy, now: datetime) -> Reservation | None:
    """Who is asked next: the first who is near, else the first; nobody who snoozes, or is being asked already."""
    asked = sorted((each for each in waiting if each.evse_id is None and not is_resting(each, now)), key=rank)
    return next((each for each in asked if is_near(each, policy, now)), asked[0] if asked else None)


def join(queue: Queue, wanted: Reservation, bays: Sequence[Bay], policy: QueuePolicy, now: datetime) -> list[QueueEvent]:
    """Take a place in line. A bay that is free and nobody else's turn is held at once: he has just asked for it."""
    keep_until = wanted.expires_at + timedelta(seconds=policy.keep_s)
    waiting = replace(wanted, evse_id=None, expires_at=keep_until, keep_until=keep_until)
    offers = _offers({**queue, wanted.reservation_id: waiting}, bays, policy, now)
    offered = {each.reservation.reservation_id: each for each in offers}
    mine = offered.pop(wanted.reservation_id, None)
    stands = waiting if mine is None else _held(mine.reservation, policy, now)
    return [*offered.values(), ReservationMade(at=now, reservation=stands)]


def answer_offer(queue: Queue, reservation_id: int, said: Answer, policy: QueuePolicy, now: datetime) -> list[QueueEvent]:
    """A driver's word on the bay that he is offered.

    Raises:
        BadInput: nothing is offered to him now, or he has snoozed as often as he may.
    """
    asked = queue.get(reservation_id)
    if asked is None or not asked.is_offered or asked.answer_by is None or asked.answer_by <= now:
        raise BadInput(f"reservation {reservation_id}", "no bay is offered to it now")
    match said:
        case Answer.ACCEPT:
            return [OfferAnswered(at=now, answer=said, reservation=_held(asked, policy, now))]
        case Answer.DECLINE:
            return [
                OfferAnswered(at=now, answer=said, reservation=asked.without_bay()),
                ReservationClosed(at=now, reservation_id=reservation_id, state=ReservationState.DECLINED),
            ]
        case Answer.SNOOZE if asked.snoozes >= policy.snoozes:
            raise BadInput("answer", f"the next one may be let go first {policy.snoozes} times")
        case _:
            return [OfferAnswered(at=now, answer=said, reservation=_snoozing(asked, policy, now))]


def tend(queue: Queue, bays: Sequence[Bay], policy: QueuePolicy, now: datetime) -> list[QueueEvent]:
    """All that is due now: bays that got lost, times that are over, and offers of the bays that are free then."""
    events: list[QueueEvent] = []
    states = {each.evse_id: each for each in bays}
    for each in sorted(queue.values(), key=rank):
        why = _lost(each, states)
        if why is not None:
            events.append(BayLost(at=now, reservation_id=each.reservation_id, why=why))
    left = applied(queue, events)
    for each in sorted(left.values(), key=rank):
        events.extend(_over(each, policy, now))
    events.extend(_offers(applied(queue, events), bays, policy, now))
    return events


def applied(queue: Queue, events: Iterable[QueueEvent]) -> dict[int, Reservation]:
    """The reservations after some events."""
    after = dict(queue)
    for event in events:
        match event:
            case ReservationMade():
                after[event.reservation.reservation_id] = event.reservation
            case ReservationClosed():
                after.pop(event.reservation_id, None)
            case BayLost():
                held = after.get(event.reservation_id)
                if held is not None and held.evse_id is not None:
                    after[event.reservation_id] = held.bay_lost(event.why)
            case BayOffered() | OfferAnswered():
                if event.reservation.reservation_id in after:
                    after[event.reservation.reservation_id] = event.reservation
    return after


def bay_needed_until(reservation: Reservation, policy: QueuePolicy) -> datetime:
    """How long a charger is to keep a bay, at most: for one that is offered, as if the driver accepted at the last moment."""
    if reservation.answer_by is None:
        return reservation.expires_at
    return _plug_in_by(reservation, policy, reservation.answer_by)


def _offers(queue: Queue, bays: Sequence[Bay], policy: QueuePolicy, now: datetime) -> list[BayOffered]:
    """The free bays that are nobody's yet, each to the next in its line."""
    taken = {each.evse_id for each in queue.values()}
    waiting: defaultdict[Pool, dict[int, Reservation]] = defaultdict(dict)
    for each in queue.values():
        waiting[pool_of(each)][each.reservation_id] = each
    free = [bay for bay in bays if bay.state is BayState.FREE and bay.evse_id not in taken]
    left = Counter(pool_of(bay) for bay in free)
    events = []
    for bay in free:
        may = [each for each in waiting[pool_of(bay)].values() if left[pool_of(bay)] > bay.kept or each.tier is Tier.EMERGENCY]
        chosen = next_in_line(may, policy, now)
        if chosen is None:
            continue
        left[pool_of(bay)] -= 1
        asked = replace(
            chosen, evse_id=bay.evse_id, answer_by=now + timedelta(seconds=policy.answer_s), rests_until=None, lost=None
        )
        waiting[pool_of(bay)][asked.reservation_id] = asked
        events.append(BayOffered(at=now, reservation=asked))
    return events


def _lost(reservation: Reservation, bays: Mapping[str, Bay]) -> Loss | None:
    if reservation.evse_id is None:
        return None
    bay = bays.get(reservation.evse_id)
    if bay is None or bay.state is BayState.OUT:
        return Loss.FAULT
    return Loss.TAKEN if bay.state is BayState.OCCUPIED and bay.id_token != reservation.id_token else None


def _over(reservation: Reservation, policy: QueuePolicy, now: datetime) -> list[QueueEvent]:
    """What follows where a time is over: an offer without answer counts as a snooze, the last one ends the place."""
    if reservation.answer_by is not None:
        if reservation.answer_by > now:
            return []
        said = OfferAnswered(at=now, answer=Answer.NONE, reservation=_snoozing(reservation, policy, now))
        is_last = reservation.snoozes >= policy.snoozes
        return [said, _closed(reservation, ReservationState.UNANSWERED, now)] if is_last else [said]
    if reservation.expires_at > now:
        return []
    return [_closed(reservation, ReservationState.NO_SHOW if reservation.is_held else ReservationState.EXPIRED, now)]


def _closed(reservation: Reservation, state: ReservationState, now: datetime) -> ReservationClosed:
    return ReservationClosed(at=now, reservation_id=reservation.reservation_id, state=state)


def _held(asked: Reservation, policy: QueuePolicy, now: datetime) -> Reservation:
    return replace(asked, answer_by=None, held_at=now, expires_at=_plug_in_by(asked, policy, now), lost=None)


def _snoozing(asked: Reservation, policy: QueuePolicy, now: datetime) -> Reservation:
    return replace(asked.without_bay(), snoozes=asked.snoozes + 1, rests_until=now + timedelta(seconds=policy.snooze_s))


def _plug_in_by(reservation: Reservation, policy: QueuePolicy, now: datetime) -> datetime:
    """The time to plug in begins with the arrival, which may be to come."""
    return max(now, reservation.arrive_at or now) + timedelta(seconds=policy.plug_in_s)
