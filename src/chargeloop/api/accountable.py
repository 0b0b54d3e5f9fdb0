"""What was promised against what happened; and decisions made again, as they were or with something changed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query

from chargeloop.api.context import Context, Loop
from chargeloop.api.shapes import BinShape, PromisedDecision, Promises, Replayed, ReplayIn, StandingShape
from chargeloop.loop import unpacked
from chargeloop.model import BadInput, Decision
from chargeloop.persistence import (
    Bin,
    Columns,
    Kept,
    Standing,
    calibration,
    find_kept,
    find_kept_decision,
    find_promises,
    standing,
    standings,
)

router = APIRouter(tags=["accountable"])
USUAL_DAYS = 7
By = Literal["station", "operator"]
Instant = datetime | None


@router.get("/promises")
async def promises(
    context: Loop,
    by: By = "station",
    since: Annotated[Instant, Query(alias="from")] = None,
    until: Annotated[Instant, Query(alias="to")] = None,
    group: str | None = None,
) -> Promises:
    """Waits and amounts, promised and realised, by station or operator, of what was promised in a span (or a week)."""
    begin, end = span(context, since, until)
    group_of = _operator_of(context) if by == "operator" else str
    stations = None if group is None else _stations_of(context, group_of, group)
    rows, total, bins = await context.store.read(
        lambda connection: _figures(find_promises(connection, begin.timestamp(), end.timestamp(), stations), group_of)
    )
    return Promises(
        by=by,
        since=begin,
        until=end,
        total=_standing_shape(total),
        rows=[_standing_shape(each) for each in rows],
        calibration=[BinShape(**each._asdict()) for each in bins],
    )


@router.get("/promises/decisions")
async def promised_decisions(
    context: Loop,
    by: By,
    group: str,
    since: Annotated[Instant, Query(alias="from")] = None,
    until: Annotated[Instant, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[PromisedDecision]:
    """The decisions behind a row of /promises, the newest first."""
    begin, end = span(context, since, until)
    group_of = _operator_of(context) if by == "operator" else str
    stations = _stations_of(context, group_of, group)
    find = partial(find_kept, since_s=begin.timestamp(), until_s=end.timestamp(), stations=stations, limit=limit)
    return [
        PromisedDecision(
            decision_id=row.decision_id,
            at=datetime.fromtimestamp(row.made_s, UTC),
            station_id=row.station_id,
            came=row.came,
            wait_min=row.wait_min,
            wait_p90_min=row.wait_p90_min,
            realised_wait_min=row.realised_wait_min,
            amount=_cny(row.amount_cents),
            realised_amount=None if row.realised_amount is None else _cny(row.realised_amount * 100),
        )
        for row in await context.store.read(find)
    ]


@router.post("/decisions/{decision_id}/replay")
async def replay(context: Loop, decision_id: str, change: ReplayIn) -> Replayed:
    """Make a decision again from what it was made from, with other weights, another solver or stations that have failed."""
    kept: Kept | None = await context.store.read(lambda connection: find_kept_decision(connection, decision_id))
    if kept is None:
        raise HTTPException(404, f"no decision {decision_id!r}")
    if kept.given is None:
        raise HTTPException(404, f"what decision {decision_id!r} was made from is not kept (any more)")
    return await asyncio.to_thread(_replayed, context, kept, change)


def _replayed(context: Context, kept: Kept, change: ReplayIn) -> Replayed:
    layout, recommender, then = context.loop.layout, context.loop.recommender, kept.decision
    given = unpacked(kept.given or b"", kept.prices, layout)
    before = {each.decision_id: each for each in recommender(given)}
    changed = given.changed(layout, weights=change.weights, solver=change.solver, outages=change.outages)
    after = {each.decision_id: each for each in recommender(changed)}
    return Replayed(
        then=then,
        now=after[then.decision_id],
        exact=before[then.decision_id] == then,
        requests=len(after),
        moved=sum(_station(before[key]) != _station(after[key]) for key in after),
    )


def _station(decision: Decision) -> str | None:
    return decision.chosen.station_id if decision.chosen else None


def _figures(found: Columns, group_of: Callable[[str], str]) -> tuple[list[Standing], Standing, list[Bin]]:
    return standings(found, group_of), standing("", found), calibration(found)


def span(context: Context, since: Instant, until: Instant) -> tuple[datetime, datetime]:
    if any(each is not None and each.tzinfo is None for each in (since, until)):
        raise BadInput("from, to", "need an offset, such as 2025-06-10T00:00:00Z")
    end = until or context.loop.clock.now() + timedelta(seconds=1)
    begin = since or end - timedelta(days=USUAL_DAYS)
    if begin >= end:
        raise BadInput("from", f"must lie before {end.isoformat()}, got {begin.isoformat()}")
    return begin, end


def _stations_of(context: Context, group_of: Callable[[str], str], group: str) -> list[str]:
    """Of a station's name that the city does not have (any more), that name."""
    return [each.station_id for each in context.loop.city.stations if group_of(each.station_id) == group] or [group]


def _operator_of(context: Context) -> Callable[[str], str]:
    known = {each.station_id: each.operator_id for each in context.loop.city.stations}
    return lambda station_id: known.get(station_id, "")


def _standing_shape(each: Standing) -> StandingShape:
    shown = {name: value for name, value in each._asdict().items() if not name.endswith("_cents")}
    return StandingShape(
        **shown, promised_amount=_mean_cny(each.promised_cents), realised_amount=_mean_cny(each.realised_cents)
    )


def _mean_cny(cents: float | None) -> Decimal | None:
    return None if cents is None else _cny(cents)


def _cny(cents: float) -> Decimal:
    return Decimal(round(cents)).scaleb(-2)
