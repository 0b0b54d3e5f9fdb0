"""The plain forecaster: what a zone draws at this hour of the week, times how busy it has been of late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from chargeloop.model import Demand, Weather
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import full_hour, hours_between
from chargeloop.prediction.calendar import hours_of
from chargeloop.prediction.forecast import Forecast, named
from chargeloop.prediction.history import known_until, without_frozen
from chargeloop.prediction.residuals import carried, memory, quantiles, quantiles_by_hour

LEVEL_H = 168  # the week that the recent level is taken from
LEVEL_RANGE = (0.2, 5.0)


@dataclass(frozen=True, slots=True, eq=False)
class HourOfWeek:
    """D(t) = profile(hour of week) x level + e(t). `profile_kwh`: 168 x zones, medians.

    The level is that of the last week; e fades by `kept` an hour from the last hour known. `spread`: 3 x 24 x zones, kWh.
    """

    time_zone: str
    zone_ids: tuple[str, ...]
    profile_kwh: Floats
    kept: Floats
    spread: Floats

    @classmethod
    def fit(cls, demand: Demand, time_zone: str, zone_ids: Sequence[str] = ()) -> "HourOfWeek":
        """Never fails on gaps: hours of the week without data take the hour of the day's median, then the zone's, then 0."""
        energy = without_frozen(demand.energy_kwh)
        hours = hours_of(demand.start, len(energy), time_zone)
        profile = weekly_medians(energy, hours.of_week)
        usual = profile[hours.of_week]
        residual = energy - usual * _levels(energy, usual)
        spread = quantiles_by_hour(residual, hours.of_day)
        return cls(time_zone, named(zone_ids, energy.shape[1]), profile, memory(residual), spread)

    def forecast(self, history: Demand, weather: Weather, origin: datetime, hours: int) -> Forecast:  # noqa: ARG002
        """The next `hours` hours from what had ended at `origin`; weather is taken for the sake of one signature."""
        energy = known_until(history, origin)
        return self.from_known(energy, history.start, origin, hours)

    def from_known(self, energy: Floats, start: datetime, origin: datetime, hours: int) -> Forecast:
        """The same from hours x zones that start at `start` and hold nothing later than the origin."""
        usual = self.profile_kwh[hours_of(start, len(energy), self.time_zone).of_week][-LEVEL_H:]
        recent = energy[-LEVEL_H:]
        level = recent_level(recent, usual)
        steps = hours_between(start, full_hour(origin)) - len(energy) + 1 + np.arange(hours)
        left, regained = carried(recent - usual * level, self.kept, steps)
        ahead = hours_of(full_hour(origin), hours, self.time_zone)
        point = self.profile_kwh[ahead.of_week] * level + left
        return Forecast.of(origin, self.zone_ids, point, self.spread[:, ahead.of_day] * level * regained)


def weekly_medians(energy: Floats, hour_of_week: Ints) -> Floats:
    """168 x zones: the median of each hour of the week, of the hour of the day where there is none, of all hours, else 0."""
    overall = np.nan_to_num(quantiles(energy)[1])
    daily = np.stack([_median_or(energy[hour_of_week % 24 == h], overall) for h in range(24)])
    return np.stack([_median_or(energy[hour_of_week == h], daily[h % 24]) for h in range(168)])


def _median_or(energy: Floats, otherwise: Floats) -> Floats:
    middle = quantiles(energy)[1]
    return np.where(np.isfinite(middle), middle, otherwise)


def recent_level(energy: Floats, usual: Floats) -> Floats:
    """Zones: what was drawn over what is usual in the same hours, within `LEVEL_RANGE`; 1 where nothing is known."""
    known = np.isfinite(energy)
    drawn = np.where(known, energy, 0.0).sum(axis=0)
    expected = np.where(known, usual, 0.0).sum(axis=0)
    return np.asarray(np.clip(np.divide(drawn, expected, out=np.ones_like(drawn), where=expected > 0), *LEVEL_RANGE))


def _levels(energy: Floats, usual: Floats) -> Floats:
    """Hours x zones: the level that was known at the start of each day of the history."""
    level = np.ones_like(energy)
    for day in range(24, len(energy), 24):
        week = slice(max(day - LEVEL_H, 0), day)
        level[day : day + 24] = recent_level(energy[week], usual[week])
    return level
