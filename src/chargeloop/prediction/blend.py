"""The best forecaster: the strong naive, corrected by a linear and a boosted model, with conformal bands.

What is unlike the rest is forecast by a named method of its own, zone by zone (`Forecast.methods`):

blend         the last hour and the same hour of a day before are known
held          the value has not moved for 24 h: it stays
mean7         the feed is late: what is left of the last deviation from the mean of seven days
hour_of_week  nothing of the last week is known
other_zones   the zone has no history: the middle of all other zones
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import BadInput, Demand, Weather
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import full_hour, hours_between
from chargeloop.prediction.bands import TRIED, Trial, at_leads, width_of
from chargeloop.prediction.boosted import Boosted
from chargeloop.prediction.forecast import Forecast, named
from chargeloop.prediction.history import is_held, plausible, without_frozen
from chargeloop.prediction.linear import Linear
from chargeloop.prediction.past import FADE, LEADS, REACH_H, Past
from chargeloop.prediction.profile import HourOfWeek
from chargeloop.prediction.stats import mean_of_known

TRIAL_H = 24 * 28
LEAST_H = 24 * 42  # of history: four weeks of a trial after two of learning
FIRST_H = 24 * 8  # hours before that have too little behind them to learn from


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """`scale`: zones, kWh, mean deviation of an hour from the mean of the seven days before; NaN where a zone has no history.
    `typical`: zones, mean spread over seven days, over scale. `hours`: those it learned from, from `start` on."""

    time_zone: str
    zone_ids: tuple[str, ...]
    start: datetime
    hours: int
    scale: Floats
    typical: Floats
    linear: Linear
    boosted: Boosted
    trial: Trial
    weights: Floats
    spread: Floats
    fallback: HourOfWeek

    @classmethod
    def fit(cls, demand: Demand, weather: Weather, time_zone: str, zone_ids: Sequence[str] = ()) -> "Blend":  # noqa: ARG003
        """Learn from all but the last four weeks, forecast those, and learn from all. Weather is not used: it did not help.

        Raises:
            BadInput: fewer than six weeks of history.
        """
        hours = len(demand.energy_kwh)
        if hours < LEAST_H:
            raise BadInput("demand", f"the blend wants {LEAST_H // 24} days of history, got {hours // 24}")
        before = Demand(demand.start, demand.energy_kwh[: hours - TRIAL_H])
        return cls._untried(before, time_zone, named(zone_ids, demand.energy_kwh.shape[1])).updated(demand)

    @classmethod
    def _untried(cls, demand: Demand, time_zone: str, zone_ids: tuple[str, ...], trial: Trial | None = None) -> "Blend":
        energy = plausible(demand.energy_kwh)
        clean = without_frozen(energy)
        raw = Past.of(clean, demand.start, time_zone, np.ones(energy.shape[1]))
        scale = mean_of_known(np.abs(raw.state["deviation"][: len(energy)]))
        scale[~(scale > 0)] = np.nan
        past = Past.of(energy, demand.start, time_zone, scale)
        target = clean / scale
        target[:FIRST_H] = np.nan
        rng = np.random.default_rng(0)
        empty = np.zeros((len(TRIED), 0, energy.shape[1]))
        trial = trial or Trial(np.zeros((*empty.shape, 2)), empty, empty, empty[0], np.zeros(0, dtype=np.int64))
        weights = trial.weights()
        return cls(
            time_zone,
            zone_ids,
            demand.start,
            len(energy),
            scale,
            np.nan_to_num(mean_of_known(past.usual["spread7"][: len(energy)]), nan=1.0),
            Linear.fit(past, target, rng),
            Boosted.fit(past, target, rng),
            trial,
            weights,
            trial.spread(weights),
            HourOfWeek.fit(demand, time_zone, zone_ids),
        )

    def updated(self, demand: Demand) -> "Blend":
        """Learned anew from a record that goes on where the last one ended; the hours since then join the trial."""
        first = max(self.hours, len(demand.energy_kwh) - TRIAL_H)
        energy = plausible(demand.energy_kwh)
        past = Past.of(energy, demand.start, self.time_zone, self.scale)
        rows = np.arange(first, len(energy))
        asked = [(rows, int(lead)) for lead in TRIED]
        naive = np.stack([past.strong_naive(*each) for each in asked])
        parts = np.stack([np.stack([self.linear.forecast(past, *each) for each in asked]), self._boosted(past, asked)], axis=3)
        actual = (without_frozen(energy) / self.scale)[rows][None] - naive
        newer = Trial(parts - naive[..., None], actual, naive, width_of(past, rows, self.typical), past.of_day[rows])
        return Blend._untried(demand, self.time_zone, self.zone_ids, self.trial.then(newer, TRIAL_H))

    def _boosted(self, past: Past, asked: list[tuple[Ints, int]]) -> Floats:
        return np.stack(self.boosted.of_leads(past, asked))

    def forecast(self, history: Demand, weather: Weather, origin: datetime, hours: int) -> Forecast:  # noqa: ARG002
        """The next `hours` hours from what had ended at `origin`, nothing later; past 24 h from its own medians."""
        if origin.tzinfo is None or history.start.tzinfo is None:
            raise BadInput("origin", "times need a zone")
        first = max(hours_between(history.start, full_hour(origin)), 0)
        energy = plausible(history.energy_kwh[:first])
        energy = np.concatenate([energy, np.full((first - len(energy), energy.shape[1]), np.nan)])[-REACH_H:]
        start = full_hour(origin) - timedelta(hours=len(energy))
        plain = self.fallback.from_known(without_frozen(energy), start, origin, hours)
        days, methods = [], self._methods(energy)
        for day in range(0, hours, LEADS):
            made = self._day(energy[-REACH_H:], full_hour(origin) + timedelta(hours=day), methods)
            made = np.where(np.isfinite(made), made, _day_of(plain, day))
            days.append(made)
            energy = np.concatenate([energy, made[1]])
        low, middle, high = np.concatenate(days, axis=1)[:, :hours]
        known = np.array([each != "other_zones" for each in methods])
        if known.any() and not known.all():
            low[:, ~known] = np.quantile(low[:, known], 0.1, axis=1)[:, None]
            middle[:, ~known] = np.median(middle[:, known], axis=1)[:, None]
            high[:, ~known] = np.quantile(high[:, known], 0.9, axis=1)[:, None]
        return Forecast(origin, self.zone_ids, low, middle, high, methods)

    def _methods(self, energy: Floats) -> tuple[str, ...]:
        known = np.isfinite(energy)
        last = known[-1] if len(energy) else np.zeros(energy.shape[1], dtype=np.bool_)
        week = np.asarray(known[-7 * 24 :].any(axis=0)) & np.isfinite(self.scale)
        # every hour ahead must have had a day with the same hour known
        daily = _every_hour(known[-7 * 24 :])
        seen = np.atleast_1d(known.any(axis=0) | (self.fallback.profile_kwh > 0).any(axis=0))
        return tuple(
            "held"
            if held
            else "blend"
            if now and day
            else "mean7"
            if recent and day
            else "hour_of_week"
            if some
            else "other_zones"
            for held, now, day, recent, some in zip(is_held(energy), np.logical_and(last, week), daily, week, seen, strict=True)
        )

    def _day(self, energy: Floats, at: datetime, methods: tuple[str, ...]) -> Floats:
        """3 x 24 x zones, kWh; NaN where the method is none of blend, held and mean7."""
        past = Past.of(energy, at - timedelta(hours=len(energy)), self.time_zone, self.scale)
        leads = np.arange(1, LEADS + 1)
        asked = [(np.array([len(energy) + lead - 1]), int(lead)) for lead in leads]
        rows = len(energy) + leads - 1
        naive = np.concatenate([past.strong_naive(*each) for each in asked])
        parts = np.stack(
            [np.concatenate([self.linear.forecast(past, *each) for each in asked]), self._boosted(past, asked)[:, 0]]
        )
        share = at_leads(self.weights, leads, 0)
        point = np.maximum(naive + np.einsum("prz,rp->rz", parts - naive, share), 0)
        hour = past.of_day[rows]
        spread = at_leads(self.spread, leads, 1)[:, leads - 1, hour] * width_of(past, rows, self.typical)
        late = np.maximum(past.usual["mean7"][rows] + _left(past, leads), 0)
        widest = self.spread[:, -1][:, hour] * width_of(past, rows, self.typical)
        method = np.array(methods)
        made = np.where(method == "blend", point + spread, np.where(method == "mean7", late + widest, np.nan)) * self.scale
        held = np.broadcast_to(energy[-1] if len(energy) else np.nan, made.shape)
        return np.asarray(np.maximum(np.where(method == "held", held, made), 0))


def _left(past: Past, leads: Ints) -> Floats:
    """Leads x zones: what is left of the last deviation known in a day."""
    recent = past.state["deviation"][: len(past.seen) - LEADS][-LEADS:]
    row = np.where(np.isfinite(recent), np.arange(len(recent))[:, None], -1).max(axis=0, initial=-1)
    value = np.where(row >= 0, recent[np.maximum(row, 0), np.arange(recent.shape[1])], 0.0)
    return np.asarray(value * FADE ** (leads[:, None] + (len(recent) - 1 - row)))


def _every_hour(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Zones of which each of the last 24 hours of the day is known on one day at least."""
    days = len(known) // 24
    if not days:
        return np.zeros(known.shape[1], dtype=np.bool_)
    return np.asarray(known[-24 * days :].reshape(days, 24, -1).any(axis=0).all(axis=0))


def _day_of(plain: Forecast, day: int) -> Floats:
    """3 x 24 x zones from hour `day` on, padded with its last hour."""
    rows = np.minimum(np.arange(day, day + LEADS), len(plain.q50) - 1)
    return np.stack([plain.q10[rows], plain.q50[rows], plain.q90[rows]])
