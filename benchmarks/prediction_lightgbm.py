"""LightGBM as it comes: lags and calendar, its own settings, a model of all zones for each horizon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from chargeloop.model import Demand, Weather
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import hours_between
from chargeloop.prediction import HORIZONS_H, Forecast, hours_of

if TYPE_CHECKING:
    import lightgbm

RECENT = 24  # the last hours known
DAYS = 7  # the same hour on the days before
SIDES = (0.1, 0.9)
REACH_H = 24 * DAYS + RECENT
AS_IT_COMES = {"verbose": -1, "num_threads": 1, "seed": 1}


@dataclass(frozen=True, slots=True, eq=False)
class PlainLightGbm:
    """`boosters`: by horizon, of the mean (the default, squared errors) and of the quantiles 0.1 and 0.9.
    Zones count in units of their mean."""

    zone_ids: tuple[str, ...]
    time_zone: str
    mean_kwh: Floats
    boosters: tuple[tuple["lightgbm.Booster", ...], ...]

    @classmethod
    def fit(cls, demand: Demand, weather: Weather, time_zone: str, zone_ids: Sequence[str] = ()) -> "PlainLightGbm":  # noqa: ARG003
        import lightgbm  # noqa: PLC0415

        energy = demand.energy_kwh
        mean_kwh = np.maximum(energy.mean(axis=0), 1e-9)
        scaled, rows = energy / mean_kwh, np.arange(REACH_H + max(HORIZONS_H), len(energy))
        calendar = _calendar(demand.start, len(energy), time_zone)
        boosters = []
        for lead in HORIZONS_H:
            known = lightgbm.Dataset(
                _inputs(scaled, calendar, rows, lead), scaled[rows].ravel(), params={"verbose": -1}, categorical_feature=[0]
            ).construct()
            losses = [{}, *({"objective": "quantile", "alpha": each} for each in SIDES)]
            boosters.append(tuple(lightgbm.train({**AS_IT_COMES, **loss}, known) for loss in losses))
        return cls(tuple(zone_ids), time_zone, mean_kwh, tuple(boosters))

    def forecast(self, history: Demand, weather: Weather, origin: datetime, hours: int) -> Forecast:  # noqa: ARG002
        """Of the horizons it has models for; the hours between are NaN."""
        end = hours_between(history.start, origin)
        past = history.energy_kwh[end - REACH_H : end] / self.mean_kwh
        scaled = np.concatenate([past, np.full((hours, past.shape[1]), np.nan)])
        calendar = _calendar(origin - timedelta(hours=REACH_H), len(scaled), self.time_zone)
        out = np.full((3, hours, past.shape[1]), np.nan)
        for lead, (middle, low, high) in zip(HORIZONS_H, self.boosters, strict=True):
            inputs = _inputs(scaled, calendar, np.array([REACH_H + lead - 1]), lead)
            told = np.array([np.asarray(each.predict(inputs, num_threads=1)) for each in (low, middle, high)])
            out[:, lead - 1] = np.maximum(np.sort(told, axis=0), 0) * self.mean_kwh
        return Forecast(origin, self.zone_ids, *out)


def _calendar(start: datetime, count: int, time_zone: str) -> Floats:
    """Rows x 3: hour of the day, day of the week, rest day."""
    hours = hours_of(start, count, time_zone)
    return np.stack([hours.of_day, hours.of_week // 24, hours.rest], axis=1).astype(np.float64)


def _inputs(scaled: Floats, calendar: Floats, rows: Ints, lead: int) -> Floats:
    """(Rows x zones) x inputs: the zone, its last hours known, the same hour on the days before, the calendar of the hour."""
    zones = scaled.shape[1]
    recent = [scaled[rows - lead - back] for back in range(RECENT)]
    days = [scaled[rows - 24 * day] for day in range(1, DAYS + 1)]
    when = [np.repeat(each[rows][:, None], zones, axis=1) for each in calendar.T]
    zone = np.broadcast_to(np.arange(zones, dtype=np.float64), (len(rows), zones))
    return np.stack([zone, *recent, *days, *when], axis=2).reshape(len(rows) * zones, -1)
