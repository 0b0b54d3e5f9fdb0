"""How long a vehicle will stay, how much it will take and how long it will stand idle, asked when it is plugged in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.arrivals import Arrivals, Sessions, known_at_arrival, local_clock
from chargeloop.prediction.forecast import QUANTILES

if TYPE_CHECKING:
    import lightgbm

Boosters: TypeAlias = tuple["lightgbm.Booster", ...]  # one a quantile
ENOUGH = 300  # sessions; fewer leave a driver's hour as the only thing to go by
SIDES = (QUANTILES[0], QUANTILES[-1])
HELD_BACK = 0.2  # share of the sessions, the newest, on which the width of the band is found
HALF_LIFE_D = 180.0  # of a session's weight in the fit
ROUNDS = 150
SETTINGS = {
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "verbose": -1,
    "seed": 1,
}


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Each 3 x N, for `QUANTILES`; not negative, and rising. NaN where nothing is known of any session."""

    stay_s: Floats
    energy_kwh: Floats
    idle_s: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ByHour:
    """Quantiles by local hour of arrival: what there is to beat, and what is left where little is known.

    `table`: of each of stay (s), energy (kWh) and idle time (s), 3 x 24.
    """

    time_zone: str
    table: Mapping[str, Floats]

    @classmethod
    def fit(cls, past: Sessions, time_zone: str) -> "ByHour":
        """An hour in which nobody came takes the quantiles of all."""
        hour = local_clock(past.arrivals.at_s, time_zone)[0].astype(np.int64)
        return cls(time_zone, {name: _by_hour(values, hour) for name, values in _targets(past).items()})

    def predict(self, arrivals: Arrivals) -> Expected:
        hour = local_clock(arrivals.at_s, self.time_zone)[0].astype(np.int64)
        return Expected(**{name: table[:, hour] for name, table in self.table.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Gradient boosting on what is known at arrival (`arrivals.FEATURES`), one model a quantile (pinball loss, LightGBM).

    `past`: the sessions that an arrival is compared with. `shift`: of each quantity, what is added to its quantiles, so that
    of the newest sessions a tenth fell below the lowest and a tenth above the highest when they were left out of the fit
    (conformalised quantile regression, Romano et al. 2019, each side by itself).
    """

    time_zone: str
    past: Sessions
    plain: ByHour
    boosters: Mapping[str, Boosters]
    shift: Mapping[str, Floats]

    @classmethod
    def fit(cls, past: Sessions, time_zone: str) -> "Stays":
        """From sessions that have ended. A quantity that fewer than `ENOUGH` of them tell is told by the hour alone."""
        newest_last = past.rows(np.argsort(past.end_s, kind="stable"))
        known = known_at_arrival(newest_last.arrivals, newest_last, time_zone)
        age_d = (newest_last.end_s.max(initial=0.0) - newest_last.arrivals.at_s) / 86400
        weight = 0.5 ** (age_d / HALF_LIFE_D)
        boosters, shift = {}, {}
        for name, values in _targets(newest_last).items():
            there = np.flatnonzero(np.isfinite(values))
            if there.size < ENOUGH:
                continue
            older, newer = np.split(there, [int((1 - HELD_BACK) * there.size)])
            tried = _quantiles(_boosters(known[older], values[older], weight[older], SIDES), known[newer])
            shift[name] = _shift(tried, values[newer])
            boosters[name] = _boosters(known[there], values[there], weight[there], QUANTILES)
        return cls(time_zone, past, ByHour.fit(past, time_zone), boosters, shift)

    def with_past(self, past: Sessions) -> "Stays":
        """The same models, comparing with sessions that have ended since the fit as well."""
        return replace(self, past=past)

    def predict(self, arrivals: Arrivals) -> Expected:
        """Of the past, each arrival sees what had ended before it."""
        plain = self.plain.predict(arrivals)
        known = known_at_arrival(arrivals, self.past, self.time_zone)
        found = {name: getattr(plain, name) for name in self.plain.table}
        for name, models in self.boosters.items():
            shifted = _quantiles(models, known) + self.shift[name][:, None]
            found[name] = np.maximum(np.sort(shifted, axis=0), 0.0)
        return Expected(**found)


def _targets(past: Sessions) -> dict[str, Floats]:
    return {"stay_s": past.stay_s, "energy_kwh": past.energy_kwh, "idle_s": past.idle_s}


def _by_hour(values: Floats, hour: Ints) -> Floats:
    known = np.isfinite(values)
    values, hour = values[known], hour[known]
    out = np.full((len(QUANTILES), 24), np.nan)
    for h in range(24):
        then = values[hour == h]
        if values.size:
            out[:, h] = np.quantile(then if then.size else values, QUANTILES)
    return out


def _boosters(known: Floats, values: Floats, weight: Floats, quantiles: tuple[float, ...]) -> Boosters:
    import lightgbm  # noqa: PLC0415 (seconds of CPU)

    def train(quantile: float) -> "lightgbm.Booster":
        data = lightgbm.Dataset(known, values, weight=weight)
        return lightgbm.train({**SETTINGS, "objective": "quantile", "alpha": quantile}, data, ROUNDS)

    return tuple(train(quantile) for quantile in quantiles)


def _quantiles(boosters: Boosters, known: Floats) -> Floats:
    return np.array([np.asarray(booster.predict(known)) for booster in boosters])


def _shift(tried: Floats, values: Floats) -> Floats:
    """What to add to the three quantiles; the one in the middle stays. `tried`: 2 x N, those of `SIDES`."""
    low, high = (np.quantile(values - side, share) for side, share in zip(tried, SIDES, strict=True))
    return np.array([low, 0.0, high])
