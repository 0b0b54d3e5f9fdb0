"""How drivers' habits have changed over the last weeks: how much they charge, at what hour, and how much of it on days of rest.

Each habit is one figure a day; a day is compared with its like, so weeks count and not the day that they begin on. Change is
by Theil and Sen, the median slope between all pairs of days; its test is that of Mann and Kendall, whose variance is enlarged
where days resemble those before them (Yue and Wang, Water Resour. Manage. 18, 2004). Of many zones and habits some move by
chance: of those called significant one in ten at most is expected to (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from chargeloop.model import Demand
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import local
from chargeloop.prediction.calendar import hours_of
from chargeloop.prediction.history import without_frozen

FALSE_SHARE = 0.1  # of the changes called significant
LEAST_DAYS = 21
LEAST_REST_DAYS = 8  # for the share of days of rest
MOST_LASTING = 0.9
KNOWN_H = 18  # hours of a day that must be known


class Trait(StrEnum):
    LEVEL = "level"
    PEAK_HOUR = "peak_hour"
    REST_SHARE = "rest_share"


@dataclass(frozen=True, slots=True)
class Trend:
    """`change`: over the days looked at. LEVEL, REST_SHARE: of their former value (0.1: a tenth more); PEAK_HOUR: hours later.

    PEAK_HOUR is the middle of the day's charging (circular mean); REST_SHARE what is charged on a day of rest over the mean
    workday of the week. `p`: of no change at all; `significant`: after many were asked about.
    """

    unit_id: str
    habit: Trait
    change: float
    p: float
    significant: bool
    days: int


def trends(demand: Demand, time_zone: str, unit_ids: Sequence[str], weeks: int = 5) -> tuple[Trend, ...]:
    """Of each unit (column of `demand`) and habit, over the last `weeks`, those first that are least by chance.

    Hours of frozen feeds are left out. A unit with too few days known has no trend.
    """
    days, rest, energy = _days(demand, time_zone, weeks)
    found = []
    for z, unit_id in enumerate(unit_ids):
        for habit, (at, values) in _habits(energy[:, :, z], rest, days).items():
            if len(at) >= (LEAST_REST_DAYS if habit is Trait.REST_SHARE else LEAST_DAYS):
                slope, p = sen_slope(at, values), kendall_p(at, values)
                whole = slope * (at[-1] - at[0])
                change = float(whole if habit is Trait.PEAK_HOUR else np.expm1(whole))
                found.append(Trend(unit_id, habit, change, p, False, int(at[-1] - at[0] + 1)))
    found.sort(key=lambda each: each.p)
    sure = significant([each.p for each in found])
    return tuple(
        Trend(each.unit_id, each.habit, each.change, each.p, yes, each.days) for each, yes in zip(found, sure, strict=True)
    )


def _days(demand: Demand, time_zone: str, weeks: int) -> tuple[Ints, Floats, Floats]:
    """Whole local days: their numbers, which are of rest (1), and days x 24 x units of kWh. Clocks that change are left to."""
    energy = without_frozen(demand.energy_kwh)
    first = -_local_hour(demand.start, time_zone) % 24
    count = min((len(energy) - first) // 24, 7 * weeks)
    begin = first + 24 * ((len(energy) - first) // 24 - count)
    of_day = energy[begin : begin + 24 * count].reshape(count, 24, energy.shape[1])
    hours = hours_of(demand.start + timedelta(hours=begin), 24 * count, time_zone)
    return np.arange(count), hours.rest[12::24], of_day


def _local_hour(at: datetime, time_zone: str) -> int:
    return local(at, time_zone).hour


def _habits(energy: Floats, rest: Floats, days: Ints) -> dict[Trait, tuple[Floats, Floats]]:
    """Day numbers and figures of each habit. `energy`: days x 24."""
    known = np.isfinite(energy).sum(axis=1) >= KNOWN_H
    total = np.nanmean(np.where(known[:, None], energy, 0.0), axis=1) * 24
    usable = known & (total > 0)
    at, log = days[usable].astype(np.float64), np.log(np.maximum(total[usable], 1e-9))
    angle = 2 * np.pi * (np.arange(24) + 0.5) / 24
    mean = np.nan_to_num(energy[usable]) @ np.exp(1j * angle)
    middle = np.angle(mean / np.exp(1j * np.angle(mean.sum()))) * 24 / (2 * np.pi)  # hours from the usual one
    return {
        Trait.LEVEL: (at, _unlike(log, usable, rest)),
        Trait.PEAK_HOUR: (at, _unlike(middle, usable, rest)),
        Trait.REST_SHARE: _rest_share(at, log, rest[usable]),
    }


def _unlike(values: Floats, usable: "np.typing.NDArray[np.bool_]", rest: Floats) -> Floats:
    """Less the median of days of the same kind, of work or of rest."""
    out = values.copy()
    for kind in (0.0, 1.0):
        those = rest[usable] == kind
        if those.any():
            out[those] -= np.median(values[those])
    return out


def _rest_share(at: Floats, log: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """Of each day of rest: the logarithm of what is charged over the mean of the workdays of the week around it."""
    off = np.flatnonzero(rest > 0)
    near = [np.flatnonzero((rest == 0) & (np.abs(at - at[d]) <= 4)) for d in off]
    pairs = [(at[d], log[d] - log[work].mean()) for d, work in zip(off, near, strict=True) if work.size]
    return np.array([day for day, _ in pairs]), np.array([value for _, value in pairs])


def sen_slope(at: Floats, values: Floats) -> float:
    """Median slope between all pairs of days."""
    i, j = np.triu_indices(len(at), 1)
    return float(np.median((values[j] - values[i]) / (at[j] - at[i])))


def kendall_p(at: Floats, values: Floats) -> float:
    """Two-sided p of Mann and Kendall's test for a monotonic trend, for autocorrelation by (1 + r) / (1 - r)."""
    from scipy.special import ndtr  # noqa: PLC0415 (not needed for --help)

    n = len(values)
    i, j = np.triu_indices(n, 1)
    s = float(np.sign(values[j] - values[i]).sum())
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0:
        return 1.0
    left = values - sen_slope(at, values) * at
    left = left - left.mean()
    power = float((left**2).sum())
    lasting = float((left[1:] * left[:-1]).sum()) / power + 2 / n if power > 0 else 0.0  # a short series shows too little of it
    kept = min(max(lasting, 0.0), MOST_LASTING)
    enlarge = (1 + kept) / (1 - kept)
    z = max(abs(s) - 1, 0) / np.sqrt(variance * enlarge)
    return float(2 * ndtr(-z))


def significant(p: Sequence[float], false_share: float = FALSE_SHARE) -> list[bool]:
    """By Benjamini and Hochberg: of those called significant a share of `false_share` at most is expected to be by chance."""
    ranked = np.sort(np.asarray(p, dtype=np.float64))
    passed = np.flatnonzero(ranked <= false_share * (np.arange(ranked.size) + 1) / max(ranked.size, 1))
    most = ranked[passed[-1]] if passed.size else -1.0
    return [bool(each <= most) for each in p]
