"""How good forecasts were once the truth is known, by horizon and level; and whether errors are beyond what they used to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats
from chargeloop.prediction.forecast import QUANTILES, Forecast
from chargeloop.prediction.levels import Correlation, Levels, summed
from chargeloop.prediction.stats import pinball

HORIZONS_H = (1, 3, 6, 12, 24)
LEVELS = ("zone", "district", "city")
RECENT_D, BEFORE_D = 7, 28  # days that are compared
LEAST_RECENT_D, LEAST_BEFORE_D = 3, 14
DRIFT_P, DRIFT_TIMES = 0.01, 1.1  # errors have grown: by more than chance, and by more than a tenth


class Score(NamedTuple):
    """One hour, at one level and horizon; sums over the `units` whose feeds ran.

    `abs_kwh`: of |came - median|; `pinball_kwh`: mean of the three quantiles; `covered`: within the band. `relative`: of each
    unit's error over its own mean hour, `naive` that of the same hour a week before. `stopped`: zones left out.
    """

    level: str
    horizon_h: int
    units: int
    stopped: int
    actual_kwh: float
    abs_kwh: float
    pinball_kwh: float
    covered: int
    relative: float
    naive: float


def scored(
    forecast: Forecast, row: int, levels: Levels, correlation: Correlation, history_kwh: Floats, stopped: NDArray[np.bool_]
) -> list[Score]:
    """Row `row` of a forecast, h = `row` + 1 hours ahead, against the last row of `history_kwh` (hours x zones).

    Zones whose feed has `stopped` (Z) are taken out of forecast and truth alike, at all levels.
    """
    kept = np.where(stopped, 0.0, 1.0)
    low, middle, high = (each[row : row + 1] * kept for each in (forecast.q10, forecast.q50, forecast.q90))
    one = Forecast(forecast.origin, forecast.zone_ids, low, middle, high)
    running = np.flatnonzero(~stopped)
    whole = np.zeros(len(levels.zone_ids), dtype=np.int64)
    found = []
    for level, group, names, r in (
        ("zone", np.arange(len(levels.zone_ids)), levels.zone_ids, 0.0),
        ("district", levels.district_of, levels.district_ids, correlation.district),
        ("city", whole, ("city",), correlation.city),
    ):
        units = np.unique(group[running])
        told = one if level == "zone" else summed(one, group, names, r)
        member = (group[:, None] == units).astype(np.float64)
        found.append(_score(level, row + 1, told, units, (history_kwh * kept) @ member, int(stopped.sum())))
    return found


def _score(level: str, horizon_h: int, told: Forecast, units: NDArray[np.int64], history: Floats, stopped: int) -> Score:
    """`history`: hours x these units, the last row what came."""
    came = history[-1]
    low, middle, high = (each[0, units] for each in (told.q10, told.q50, told.q90))
    error = np.abs(came - middle)
    usual = np.maximum(history.mean(axis=0), 1e-3)
    before = history[-1 - 168] if len(history) > 168 else np.full_like(came, np.nan)
    return Score(
        level=level,
        horizon_h=horizon_h,
        units=len(units),
        stopped=stopped,
        actual_kwh=float(came.sum()),
        abs_kwh=float(error.sum()),
        pinball_kwh=float(
            sum(pinball(came, each, q).sum() for each, q in zip((low, middle, high), QUANTILES, strict=True)) / 3
        ),
        covered=int(((came >= low - 1e-6) & (came <= high + 1e-6)).sum()),
        relative=float((error / usual).sum()),
        naive=float((np.abs(came - before) / usual).sum()),
    )


@dataclass(frozen=True, slots=True)
class Drift:
    """Mean relative error of the recent days and of those before, and p of no growth; None where days are too few."""

    recent: float | None
    before: float | None
    p: float | None

    @property
    def is_there(self) -> bool | None:
        if self.recent is None or self.before is None or self.p is None:
            return None
        return self.p < DRIFT_P and self.recent > DRIFT_TIMES * self.before


def drift(by_day: Sequence[float]) -> Drift:
    """Of the daily relative errors, oldest first: the last `RECENT_D` against the `BEFORE_D` before them.

    One-sided test of Mann and Whitney on ranks: a single bad day is no drift.
    """
    recent, before = np.array(by_day[-RECENT_D:]), np.array(by_day[-RECENT_D - BEFORE_D : -RECENT_D])
    if len(recent) < LEAST_RECENT_D or len(before) < LEAST_BEFORE_D:
        return Drift(float(recent.mean()) if len(recent) else None, None, None)
    from scipy.stats import mannwhitneyu  # noqa: PLC0415 (not needed for --help)

    p = float(mannwhitneyu(recent, before, alternative="greater").pvalue)
    return Drift(float(recent.mean()), float(before.mean()), p)
