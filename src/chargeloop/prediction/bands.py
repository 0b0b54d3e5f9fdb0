"""How far off the blend was of late: its weights, and conformal quantiles around it, from forecasts made before the fact."""

from dataclasses import dataclass

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.forecast import QUANTILES
from chargeloop.prediction.linear import absolute
from chargeloop.prediction.past import Past
from chargeloop.prediction.residuals import quantiles

TRIED = np.array([1, 3, 6, 12, 24])  # leads; what lies between is interpolated
NEAR_H = 3  # quantiles of an hour of the day take the hours around it too
NARROW = 0.05  # of a zone's scale: no band is made from a narrower width
FEW = 48  # errors; with fewer the band is that of all zones
POOLED = 0.3  # of all zones in a zone's own quantiles: four weeks say little of the tails of one (chosen on January)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The last hours as they were forecast: `parts` (tried leads x hours x zones x linear and boosted) and `actual`
    (tried leads x hours x zones), both as differences from the
    strong naive in units of scale; `width`, `naive` and `of_day` beside them."""

    parts: Floats
    actual: Floats
    naive: Floats
    width: Floats
    of_day: Ints

    def then(self, newer: "Trial", hours: int) -> "Trial":
        """With newer hours behind these, the last `hours` of them."""

        def joined(old: Floats, new: Floats) -> Floats:
            return np.concatenate([old, new], axis=1)[:, -hours:]

        return Trial(
            joined(self.parts, newer.parts),
            joined(self.actual, newer.actual),
            joined(self.naive, newer.naive),
            np.concatenate([self.width, newer.width])[-hours:],
            np.concatenate([self.of_day, newer.of_day])[-hours:],
        )

    def weights(self) -> Floats:
        """Tried leads x 2: shares of the linear and the boosted change from the naive, by least absolute deviations, 0..1."""
        out = np.full((len(TRIED), 2), 0.5)
        for k in range(len(TRIED)):
            known = np.isfinite(self.actual[k]) & np.isfinite(self.parts[k]).all(axis=2)
            if known.sum() > 500:
                out[k] = np.clip(absolute(self.parts[k][known], self.actual[k][known]), 0, 1)
        return out

    def spread(self, weights: Floats) -> Floats:
        """3 x tried leads x 24 x zones: quantiles of the errors in units of width, a zone's own drawn towards those of all; the
        middle one is 0."""
        out = np.zeros((len(QUANTILES), len(TRIED), 24, self.actual.shape[2]))
        for k in range(len(TRIED)):
            point = np.maximum(self.naive[k] + self.parts[k] @ weights[k], 0)
            error = (self.naive[k] + self.actual[k] - point) / self.width
            few = np.isfinite(error).sum(axis=0) < FEW
            for hour in range(24):
                off = np.abs(self.of_day - hour)
                near = error[np.minimum(off, 24 - off) <= NEAR_H]
                own, of_all = quantiles(near), np.nan_to_num(quantiles(near.reshape(-1, 1)))
                drawn = (1 - POOLED) * own + POOLED * of_all
                out[:, k, hour] = np.where(few | ~np.isfinite(own), of_all, drawn)
        out[1] = 0.0
        return out


def at_leads(tried: Floats, leads: Ints, axis: int) -> Floats:
    """Values of tried leads as values of any leads up to 24, in between by straight lines."""
    right = np.clip(np.searchsorted(TRIED, leads), 1, len(TRIED) - 1)
    share = (leads - TRIED[right - 1]) / (TRIED[right] - TRIED[right - 1])
    shape = [1] * tried.ndim
    shape[axis] = len(leads)
    low, high = np.take(tried, right - 1, axis), np.take(tried, right, axis)
    return np.asarray(low + share.reshape(shape) * (high - low))


def width_of(past: Past, rows: Ints, typical: Floats) -> Floats:
    """Rows x zones: how much the hour varied over seven days, drawn towards what is typical of the zone; over scale."""
    spread = past.usual["spread7"][rows]
    return np.asarray(np.maximum(0.7 * np.where(np.isfinite(spread), spread, typical) + 0.3 * typical, NARROW))
