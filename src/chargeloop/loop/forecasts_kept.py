"""Forecasts are kept as they were made, and scored when the hours that they were about are over."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np

from chargeloop.loop.outlook import history_start
from chargeloop.model import World
from chargeloop.physics import full_hour
from chargeloop.prediction import HORIZONS_H, Correlation, Drift, Forecast, Levels, Score, scored

LATE_H = 1  # an hour is scored so long after it is over: sessions that charged in it may be told of late
CATCH_UP_H = 48  # after a stop
FORECASTS_KEPT = timedelta(days=35)
SCORES_KEPT = timedelta(days=400)


class KeptForecast(NamedTuple):
    origin_s: float
    made_s: float
    body: bytes


class ForecastRecords(Protocol):
    """What is needed of the database."""

    async def add_forecast(self, made: KeptForecast) -> None: ...
    async def forecasts_from(self, origins_s: Sequence[float]) -> Mapping[float, bytes]: ...
    async def add_scores(self, hour_s: float, scores: Sequence[Score]) -> None: ...
    async def forecast_drift(self, until: datetime) -> Drift: ...
    async def last_scored_s(self) -> float | None: ...
    async def forget_forecasts(self, older_than: datetime, scores_older_than: datetime) -> int: ...


async def keep(store: ForecastRecords, forecast: Forecast, correlation: Correlation, now: datetime) -> None:
    """The first forecast of an origin stands; one made again after a restart is not kept."""
    origin_s = full_hour(forecast.origin).timestamp()
    await store.add_forecast(KeptForecast(origin_s, now.timestamp(), pack_forecast(forecast, correlation)))


async def score(store: ForecastRecords, world: World, levels: Levels) -> int:
    """Score every hour that is over and was not; returns how many."""
    newest_s = full_hour(world.at).timestamp() - 3600.0 * (1 + LATE_H)
    last_s = await store.last_scored_s()
    first_s = newest_s - 3600.0 * (CATCH_UP_H - 1)
    first_s = first_s if last_s is None else max(first_s, last_s + 3600)
    hours = np.arange(first_s, newest_s + 1, 3600.0).tolist()
    for hour_s in hours:
        made = await store.forecasts_from([hour_s - 3600.0 * (h - 1) for h in HORIZONS_H])
        if made:
            await store.add_scores(hour_s, _scores_of(hour_s, made, world, levels))
    return len(hours)


def _scores_of(hour_s: float, made: Mapping[float, bytes], world: World, levels: Levels) -> list[Score]:
    row = round((hour_s - history_start(world).timestamp()) / 3600)
    history, stopped = world.zone_energy_kwh[: row + 1], world.zone_stale_s <= hour_s
    found = []
    if row < 0 or not len(history):
        return []
    for h in HORIZONS_H:
        body = made.get(hour_s - 3600.0 * (h - 1))
        if body is not None:
            forecast, correlation = unpack_forecast(body)
            if forecast.zone_ids == levels.zone_ids and h <= len(forecast.q50):
                found += scored(forecast, h - 1, levels, correlation, history, stopped)
    return found


def pack_forecast(forecast: Forecast, correlation: Correlation) -> bytes:
    """In single precision, compressed."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        origin_s=np.array(forecast.origin.timestamp()),
        zone_ids=np.array(forecast.zone_ids),
        quantiles=np.stack([forecast.q10, forecast.q50, forecast.q90]).astype(np.float32),
        correlation=np.array(correlation),
        methods=np.array(forecast.methods, dtype=np.str_),
    )
    return file.getvalue()


def unpack_forecast(body: bytes) -> tuple[Forecast, Correlation]:
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        low, middle, high = file["quantiles"].astype(np.float64)
        origin = datetime.fromtimestamp(float(file["origin_s"]), UTC)
        methods = tuple(map(str, file["methods"])) if "methods" in file.files else ()  # before there were any
        made = Forecast(origin, tuple(map(str, file["zone_ids"])), low, middle, high, methods)
        return made, Correlation(*file["correlation"].tolist())
