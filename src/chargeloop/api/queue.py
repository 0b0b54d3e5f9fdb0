"""The virtual queue over HTTP: a driver's place and what he is offered; for operators all queues, and their rules."""

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from chargeloop.api.access import Who, may
from chargeloop.api.context import Context, Loop
from chargeloop.loop import CityLoop, driver_of, expected_start
from chargeloop.model import (
    Answer,
    Cdr,
    CostLine,
    Current,
    Decision,
    Loss,
    Offer,
    QueuePolicy,
    Reservation,
    ReservationState,
    Tier,
)
from chargeloop.model.validated import from_data
from chargeloop.recommendation import is_resting, line, pool_of

router = APIRouter(tags=["queue"])  # for who runs stations
driver_router = APIRouter(tags=["drivers"])
Keeper = Annotated[Who, may("queue")]
Phase = Literal["waiting", "resting", "offered", "held"]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BetterOffer(Shape):
    """Another station that would have the driver charged sooner: take it with its decision."""

    decision_id: str
    offer: Offer


class Afterwards(Shape):
    """What was promised and what happened; the amounts once the session has ended."""

    session_id: str
    promised_wait_min: float | None
    wait_min: float | None
    promised_amount: Decimal | None
    amount: Decimal | None
    energy_kwh: float
    ended_at: datetime | None
    lines: list[CostLine]
    notes: list[str]


class ReservationDetail(Shape):
    """A reservation as it stands. `place`: in the line of its pool, 1 is next; `start_at`: when a bay is expected."""

    reservation_id: int
    evse_id: str | None
    station_id: str
    id_token: str
    made_at: datetime
    expires_at: datetime
    request_id: str | None
    state: ReservationState
    current: Current | None
    tier: Tier
    user_id: str | None
    decision_id: str | None
    arrive_at: datetime | None
    keep_until: datetime | None
    answer_by: datetime | None
    snoozes: int
    rests_until: datetime | None
    held_at: datetime | None
    lost: Loss | None
    lost_evse_id: str | None
    session_id: str | None
    waited_min: float | None
    place: int | None = None
    in_line: int | None = None
    start_at: datetime | None = None
    snoozes_left: int | None = None
    better: BetterOffer | None = None
    afterwards: Afterwards | None = None


class AnswerIn(Shape):
    answer: Literal["accept", "snooze", "decline"]


class PolicyIn(Shape):
    """Seconds, and how often an offer may be put off."""

    answer_s: Annotated[float, Field(ge=30, le=3600)]
    snoozes: Annotated[int, Field(ge=0, le=20)]
    snooze_s: Annotated[float, Field(ge=60, le=7200)]
    plug_in_s: Annotated[float, Field(ge=60, le=7200)]
    near_s: Annotated[float, Field(ge=0, le=7200)]
    keep_s: Annotated[float, Field(ge=300, le=86400)]


class QueuedDriver(Shape):
    """`no_shows_before`: of the same driver, ever."""

    reservation_id: int
    station_id: str
    current: Current | None
    tier: Tier
    phase: Phase
    place: int | None
    evse_id: str | None
    since: datetime
    arrive_at: datetime | None
    until: datetime
    snoozes: int
    no_shows_before: int


class Waits(Shape):
    """Of today: drivers who plugged in with a reservation, and how long they were without a bay."""

    drivers: int
    mean_min: float | None
    p95_min: float | None
    no_shows: int


class StationQueue(Waits):
    station_id: str
    waiting: int
    offered: int
    held: int


class QueuePicture(Shape):
    """`waiting`, `offered`, `held`: drivers now. `ended`: today, by how."""

    at: datetime
    waiting: int
    offered: int
    held: int
    joined_today: int
    today: Waits
    ended: dict[str, int]
    stations: list[StationQueue]
    drivers: list[QueuedDriver]
    policy: QueuePolicy


# --- drivers ------------------------------------------------------------------------------------------------------------------


@driver_router.post("/reservations/{reservation_id}/answer")
async def answer(context: Loop, reservation_id: int, said: AnswerIn) -> ReservationDetail:
    """To the bay that is offered: accept it, let the next one go first (snooze), or leave the queue (decline)."""
    await context.loop.answer_offer(reservation_id, Answer(said.answer))
    return await reservation_detail(context, reservation_id)


@driver_router.post("/reservations/{reservation_id}/arrived")
async def arrived(context: Loop, reservation_id: int) -> ReservationDetail:
    """The driver is at the station."""
    found = context.loop.reservation(reservation_id)
    if found is not None:
        await context.loop.arrived(found)
    return await reservation_detail(context, reservation_id)


async def reservation_detail(context: Context, reservation_id: int) -> ReservationDetail:
    """A reservation with its place in line while it is held, and with what came of it afterwards."""
    loop = context.loop
    live = loop.reservation(reservation_id)
    found = live or await context.store.reservation(reservation_id)
    if found is None:
        raise HTTPException(404, f"no reservation {reservation_id}")
    known = {name: value for name, value in asdict(found).items() if name in ReservationDetail.model_fields}
    if live is None:
        after = await _afterwards(context, found) if found.session_id is not None else None
        return ReservationDetail(**known, afterwards=after)
    there = [each.reservation_id for each in line(loop.perception.state.reservations, pool_of(live))]
    return ReservationDetail(
        **known,
        place=there.index(reservation_id) + 1 if reservation_id in there else None,
        in_line=len(there),
        start_at=expected_start(loop.perception, loop.last.world, live) if loop.last and live.evse_id is None else None,
        snoozes_left=max(loop.queue.books.policy.snoozes - live.snoozes, 0),
        better=_better(loop.elsewhere.better.get(reservation_id)),
    )


def _better(decision: Decision | None) -> BetterOffer | None:
    if decision is None or decision.chosen is None:
        return None
    return BetterOffer(decision_id=decision.decision_id, offer=decision.chosen)


async def _afterwards(context: Context, used: Reservation) -> Afterwards:
    session_id = used.session_id or ""
    cdr: Cdr | None = await context.store.cdr(session_id)
    running = context.loop.perception.session(session_id)
    decision = await context.store.decision(used.decision_id) if used.decision_id else None
    offers = decision.offers if decision else ()
    promised = next((each for each in offers if each.station_id == used.station_id), None)
    outcome = await context.store.outcome(used.decision_id) if cdr and used.decision_id else None
    waited_min = outcome.realised_wait_min if outcome else None
    session = cdr.session if cdr else running
    return Afterwards(
        session_id=session_id,
        promised_wait_min=promised.wait_min if promised else None,
        wait_min=used.waited_min if waited_min is None else waited_min,
        promised_amount=promised.amount if promised else None,
        amount=cdr.amount if cdr else None,
        energy_kwh=round(session.energy_kwh, 3) if session else 0.0,
        ended_at=session.ended_at if session else None,
        lines=list(cdr.lines) if cdr else [],
        notes=list(session.notes) if session else [],
    )


# --- operators ----------------------------------------------------------------------------------------------------------------


@router.get("/queue", dependencies=[may("see")])
async def queue(context: Loop) -> QueuePicture:
    """Who waits for a bay where, today's waits and no-shows by station, and the rules."""
    return _picture(context.loop)


@router.get("/queue/policy", dependencies=[may("see", "queue")])
async def policy(context: Loop) -> QueuePolicy:
    return context.loop.queue.books.policy


@router.put("/queue/policy")
async def put_policy(context: Loop, who: Keeper, wanted: PolicyIn) -> QueuePolicy:
    """Change the rules; they hold for every offer from now on."""
    entry = await context.audit.begin(who.name, "queue policy", wanted.model_dump(), datetime.now(UTC))
    record: QueuePolicy = from_data(QueuePolicy, wanted.model_dump(), "queue policy")
    await context.loop.queue.set_policy(record, context.loop.clock.now())
    await context.audit.end(entry, "done")
    return context.loop.queue.books.policy


def _picture(loop: CityLoop) -> QueuePicture:
    now, books = loop.clock.now(), loop.queue.books
    held = dict(loop.perception.state.reservations)
    places = {
        each.reservation_id: n
        for pool in {pool_of(each) for each in held.values()}
        for n, each in enumerate(line(held, pool), start=1)
    }
    drivers = [
        QueuedDriver(
            reservation_id=key,
            station_id=each.station_id,
            current=each.current,
            tier=each.tier,
            phase=_phase(each, now),
            place=places.get(key),
            evse_id=each.evse_id,
            since=each.made_at,
            arrive_at=each.arrive_at,
            until=each.answer_by or each.expires_at,
            snoozes=each.snoozes,
            no_shows_before=books.no_shows_of.get(driver_of(each), 0),
        )
        for key, each in sorted(held.items(), key=lambda item: (item[1].station_id, places.get(item[0], 0), item[0]))
    ]
    phases = Counter((each.station_id, "waiting" if each.phase == "resting" else each.phase) for each in drivers)
    stations = sorted({each.station_id for each in drivers} | set(books.waits_min) | set(books.no_shows))
    totals = Counter(
        {phase: sum(n for (_, each), n in phases.items() if each == phase) for phase in ("waiting", "offered", "held")}
    )
    return QueuePicture(
        at=now,
        **_counts(totals),
        joined_today=books.joined,
        today=Waits(**_waits([wait for each in books.waits_min.values() for wait in each], sum(books.no_shows.values()))),
        ended=dict(books.ended),
        stations=[
            StationQueue(
                station_id=station,
                **_counts(Counter({phase: phases[station, phase] for phase in ("waiting", "offered", "held")})),
                **_waits(books.waits_min.get(station, []), books.no_shows.get(station, 0)),
            )
            for station in stations
        ],
        drivers=drivers,
        policy=books.policy,
    )


def _phase(reservation: Reservation, now: datetime) -> Phase:
    if reservation.is_held:
        return "held"
    if reservation.is_offered:
        return "offered"
    return "resting" if is_resting(reservation, now) else "waiting"


def _counts(phases: Counter[str]) -> dict[str, Any]:
    return {name: phases[name] for name in ("waiting", "offered", "held")}


def _waits(minutes: list[float], no_shows: int) -> dict[str, Any]:
    return {
        "drivers": len(minutes),
        "mean_min": round(float(np.mean(minutes)), 2) if minutes else None,
        "p95_min": round(float(np.quantile(minutes, 0.95)), 2) if minutes else None,
        "no_shows": no_shows,
    }
