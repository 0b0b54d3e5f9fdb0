"""How good forecasts were, zone by zone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats
from chargeloop.prediction.forecast import QUANTILES
from chargeloop.prediction.stats import mean_of_known, pinball


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Each by zone, NaN where nothing was known: kWh, but `rae` = sum |e| / sum |y - mean(y)|, `coverage` (share of hours
    between q10 and q90) and `pinball` (mean over the quantiles) over the zone's mean."""

    mae: Floats
    rmse: Floats
    rae: Floats
    pinball: Floats
    coverage: Floats

    @classmethod
    def of(cls, actual: Floats, q10: Floats, q50: Floats, q90: Floats) -> "Scores":
        """All hours x zones; hours without an actual value or a forecast are left out."""
        actual = np.where(np.isfinite(q50), actual, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            error = actual - q50
            mean = mean_of_known(actual)
            mae = mean_of_known(np.abs(error))
            loss = [mean_of_known(pinball(actual, f, q)) for q, f in zip(QUANTILES, (q10, q50, q90), strict=True)]
            inside = np.where(np.isfinite(actual), (q10 <= actual) & (actual <= q90), np.nan)
            return cls(
                mae,
                np.sqrt(mean_of_known(error**2)),
                mae / mean_of_known(np.abs(actual - mean)),
                np.mean(loss, axis=0) / mean,
                mean_of_known(inside),
            )


def live_zones(energy_kwh: Floats, first: int, last: int) -> NDArray[np.bool_]:
    """Zones whose value is that of the hour before in at most half of rows `first` to `last`."""
    first = max(first, 1)
    still = energy_kwh[first:last] == energy_kwh[first - 1 : last - 1]
    return np.asarray(still.mean(axis=0) <= 0.5)


def skill(mae: Floats, reference: Floats) -> float:
    """1 - the mean over zones of mae over that of the reference; zones in which the reference is never wrong are left out."""
    fine = np.isfinite(mae) & (reference > 0)
    return float(1 - np.mean(mae[fine] / reference[fine]))
