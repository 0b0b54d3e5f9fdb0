"""How long a vehicle will stay, how much it will take and how long it will stand idle, asked when it is plugged in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.arrivals import Arrivals, Sessions, known_at_arrival, local_clock
from chargeloop.prediction.forecast import QUANTILES
from chargeloop.prediction.quantile_trees import QuantileTrees

ENOUGH = 300  # sessions; fewer leave a driver's hour as the only thing to go by
HALF_LIFE_D = 180.0  # of a session's weight in the fit
ROUNDS = 150
SETTINGS = {"learning_rate": 0.03, "num_leaves": 15, "min_data_in_leaf": 30}


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
    """Boosted trees on what is known at arrival (`arrivals.FEATURES`). `past`: sessions that an arrival is compared with."""

    time_zone: str
    past: Sessions
    plain: ByHour
    trees: Mapping[str, QuantileTrees]

    @classmethod
    def fit(cls, past: Sessions, time_zone: str) -> "Stays":
        """From sessions that have ended. A quantity that fewer than `ENOUGH` of them tell is told by the hour alone."""
        newest_last = past.rows(np.argsort(past.end_s, kind="stable"))
        known = known_at_arrival(newest_last.arrivals, newest_last, time_zone)
        age_d = (newest_last.end_s.max(initial=0.0) - newest_last.arrivals.at_s) / 86400
        weight = 0.5 ** (age_d / HALF_LIFE_D)
        trees = {}
        for name, values in _targets(newest_last).items():
            there = np.flatnonzero(np.isfinite(values))
            if there.size >= ENOUGH:
                trees[name] = QuantileTrees.fit(known[there], values[there], weight[there], ROUNDS, SETTINGS)
        return cls(time_zone, past, ByHour.fit(past, time_zone), trees)

    def with_past(self, past: Sessions) -> "Stays":
        """The same models, comparing with sessions that have ended since the fit as well."""
        return replace(self, past=past)

    def predict(self, arrivals: Arrivals) -> Expected:
        """Of the past, each arrival sees what had ended before it."""
        plain = self.plain.predict(arrivals)
        known = known_at_arrival(arrivals, self.past, self.time_zone)
        found = {name: getattr(plain, name) for name in self.plain.table}
        for name, trees in self.trees.items():
            found[name] = np.maximum(trees.predict(known), 0.0)
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
