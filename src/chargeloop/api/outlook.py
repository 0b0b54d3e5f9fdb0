"""What is coming, at every level, and how good forecasts were."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import APIRouter, HTTPException, Query

from chargeloop.api.accountable import Instant, span
from chargeloop.api.context import Context, Loop
from chargeloop.api.outlook_shapes import (
    DriftShape,
    FeedShape,
    KeptShape,
    Level,
    LevelShape,
    OutlookShape,
    PastShape,
    RecordShape,
    ScoresShape,
    ToldShortage,
    TrendShape,
)
from chargeloop.loop import Outlook, history_start, stopped_feeds, unpack_forecast
from chargeloop.persistence import Record, find_forecast, find_origins, find_records
from chargeloop.physics import full_hour
from chargeloop.prediction import Forecast, levelled

router = APIRouter(tags=["forecasts"])
NEWEST = 48


@router.get("/forecast/{level}")
async def at_level(context: Loop, level: Level, hours: Annotated[int, Query(ge=1, le=24)] = 24) -> LevelShape:
    """The newest forecast of all units of a level: stations, zones, districts or the city."""
    forecast: Forecast = getattr(_outlook(context).levels, level)
    columns = {name: getattr(forecast, name)[:hours].round(3).tolist() for name in ("q10", "q50", "q90")}
    return LevelShape(
        level=level,
        origin=forecast.origin,
        hours=[forecast.origin + timedelta(hours=h) for h in range(len(columns["q50"]))],
        unit_ids=list(forecast.zone_ids),
        **columns,
    )


@router.get("/outlook")
async def outlook(context: Loop) -> OutlookShape:
    """Peaks, shortages of bays with their probability, changed habits, and feeds that have stopped."""
    found, levels, told = _outlook(context), context.loop.levels, context.loop.shortages
    districts: dict[str, list[str]] = {each: [] for each in levels.district_ids}
    for zone_id, d in zip(levels.zone_ids, levels.district_of, strict=True):
        districts[levels.district_ids[d]].append(zone_id)
    return OutlookShape(
        origin=found.levels.zone.origin,
        districts=districts,
        peaks=list(found.peaks),
        shortages=[ToldShortage(shortage=each, told=told.is_told(each)) for each in found.shortages],
        trends=[
            TrendShape(
                unit_id=each.unit_id,
                habit=each.habit.value,
                change=each.change,
                p=each.p,
                significant=each.significant,
                days=each.days,
            )
            for each in found.trends
            if each.significant
        ],
        trends_asked=len(found.trends),
        methods=dict(Counter(found.levels.zone.methods)),
        stopped=[
            FeedShape(
                unit=each.unit,
                unit_id=each.unit_id,
                since=each.since,
                value_kwh=each.value_kwh,
            )
            for each in stopped_feeds(context.turn.world)
        ],
    )


@router.get("/forecasts")
async def scores(
    context: Loop,
    since: Annotated[Instant, Query(alias="from")] = None,
    until: Annotated[Instant, Query(alias="to")] = None,
) -> ScoresShape:
    """How good forecasts of the hours in a span (or a week) were, by level and hours ahead, and whether errors have grown."""
    begin, end = span(context, since, until)
    records = await context.store.read(lambda connection: find_records(connection, begin.timestamp(), end.timestamp()))
    newest = await context.store.read(partial(find_origins, limit=NEWEST))
    return ScoresShape(
        since=begin,
        until=end,
        records=[_record_shape(each) for each in records],
        newest=[KeptShape(origin=_instant(row.origin_s), made_at=_instant(row.made_s)) for row in newest],
    )


@router.get("/forecasts/{origin}")
async def past(context: Loop, origin: datetime, unit: str = "city") -> PastShape:
    """A forecast as it was made, of the city, a district or a zone, and what came, as far as it is known by now."""
    if origin.tzinfo is None:
        raise HTTPException(422, "origin: needs an offset, such as 2025-06-10T00:00:00Z")
    origin_s = full_hour(origin).timestamp()
    kept = await context.store.read(partial(find_forecast, origin_s=origin_s))
    if kept is None:
        raise HTTPException(404, f"no forecast of {origin.isoformat()} is kept; /api/v1/forecasts lists the newest")
    forecast, correlation = unpack_forecast(kept.body)
    levels = context.loop.levels
    for of, group in zip(levelled(forecast, levels, correlation)[:3], _groups(context), strict=True):
        if unit in of.zone_ids:
            u = of.zone_ids.index(unit)
            return PastShape(
                made_at=_instant(kept.made_s),
                origin=_instant(origin_s),
                unit_id=unit,
                hours=[_instant(origin_s + 3600 * h) for h in range(len(of.q50))],
                q10=of.q10[:, u].round(3).tolist(),
                q50=of.q50[:, u].round(3).tolist(),
                q90=of.q90[:, u].round(3).tolist(),
                came=_came(context, group == u, origin_s, len(of.q50)),
            )
    raise HTTPException(404, f"no zone, district or city {unit!r}")


def _groups(context: Context) -> tuple[np.ndarray, ...]:
    """Which unit each zone belongs to: of the city, of districts, of zones."""
    levels = context.loop.levels
    zones = np.arange(len(levels.zone_ids))
    return np.zeros_like(zones), levels.district_of, zones


def _came(context: Context, zones: np.ndarray, origin_s: float, hours: int) -> list[float | None]:
    """kWh of the hours that are over and still known."""
    world = context.turn.world
    energy = world.zone_energy_kwh[:-1][:, zones].sum(axis=1)
    first = round((origin_s - history_start(world).timestamp()) / 3600)
    rows = range(first, first + hours)
    return [round(float(energy[row]), 3) if 0 <= row < len(energy) else None for row in rows]


def _record_shape(each: Record) -> RecordShape:
    drift = DriftShape(is_there=each.drift.is_there, recent=each.drift.recent, before=each.drift.before, p=each.drift.p)
    return RecordShape(**{**each._asdict(), "drift": drift})


def _outlook(context: Context) -> Outlook:
    if context.loop.outlook is None:
        raise HTTPException(503, "the loop is starting; try again in a few seconds", {"Retry-After": "2"})
    return context.loop.outlook


def _instant(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
