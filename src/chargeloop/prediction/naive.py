"""Forecasts that anything better has to beat: the last value, the same hour of a day or a week ago, and dev7, the strong one.

dev7: m(t) = mean of y(t - 24 k h), k = 1..7; forecast(o + h) = max(0, m(o + h) + 0.97^h (y(o) - m(o))), o the last
hour that had ended.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from chargeloop.model import BadInput, Demand, Weather
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import full_hour, hours_between
from chargeloop.prediction.calendar import hours_of
from chargeloop.prediction.forecast import Forecast, named
from chargeloop.prediction.history import plausible
from chargeloop.prediction.past import LEADS, Past
from chargeloop.prediction.residuals import quantiles_by_hour

NAIVE = ("last", "day", "week", "dev7")
KEPT_H = 24 * 15  # of history: dev7 looks back eight days, and a week may be missing
LEARNED_H = 24 * 28


@dataclass(frozen=True, slots=True, eq=False)
class Naive:
    """`spread`: 3 x 24 x zones by local hour, kWh: quantiles of the errors a day ahead over the last four weeks of the fit."""

    kind: str
    time_zone: str
    zone_ids: tuple[str, ...]
    spread: Floats

    @classmethod
    def fit(cls, kind: str, demand: Demand, time_zone: str, zone_ids: Sequence[str] = ()) -> "Naive":
        """
        Raises:
            BadInput: no such kind.
        """
        if kind not in NAIVE:
            raise BadInput("naive", f"there is no {kind!r}; there are {', '.join(NAIVE)}")
        energy = plausible(demand.energy_kwh)[-LEARNED_H - KEPT_H :]
        start = demand.start + timedelta(hours=len(demand.energy_kwh) - len(energy))
        point = _points(kind, energy, start, time_zone)(np.arange(len(energy)), LEADS)
        spread = quantiles_by_hour((energy - point)[-LEARNED_H:], hours_of(start, len(energy), time_zone).of_day[-LEARNED_H:])
        return cls(kind, time_zone, named(zone_ids, energy.shape[1]), spread)

    def forecast(self, history: Demand, weather: Weather, origin: datetime, hours: int) -> Forecast:  # noqa: ARG002
        """The next `hours` hours; past 24 h, from its own first days. What nothing is known of is 0."""
        first = max(hours_between(history.start, full_hour(origin)), 0)
        energy = plausible(history.energy_kwh[:first])
        energy = np.concatenate([energy, np.full((first - len(energy), energy.shape[1]), np.nan)])[-KEPT_H:]
        start = full_hour(origin) - timedelta(hours=len(energy))
        known = len(energy)
        while len(energy) < known + hours:
            at_lead = _points(self.kind, energy, start, self.time_zone)
            energy = np.concatenate([energy, *(at_lead(np.array([len(energy) + h - 1]), h) for h in range(1, LEADS + 1))])
        point = np.nan_to_num(energy[known : known + hours])
        ahead = hours_of(full_hour(origin), hours, self.time_zone).of_day
        middle = np.array([1.0, 0.0, 1.0])[:, None, None]  # the point is the median
        return Forecast.of(origin, self.zone_ids, point, self.spread[:, ahead] * middle)


def _points(kind: str, energy: Floats, start: datetime, time_zone: str) -> Callable[[Ints, int], Floats]:
    """What gives rows x zones, kWh, as known a lead of hours before each row; NaN where nothing is."""
    if kind == "dev7":
        return Past.of(energy, start, time_zone, np.ones(energy.shape[1])).strong_naive

    def earlier(rows: Ints, lead: int) -> Floats:
        row = rows - {"last": lead, "day": 24, "week": 168}[kind]
        return np.where((row >= 0)[:, None], energy[np.maximum(row, 0)], np.nan)

    return earlier
