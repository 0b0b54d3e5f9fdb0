"""What a model has not explained: how long it lasts, and how far it spreads at each hour of the day."""

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.forecast import QUANTILES

LAST_KNOWN_H = 24  # an error seen longer ago says nothing about now
LONGEST_MEMORY = 0.99


def memory(residual: Floats) -> Floats:
    """Zones: how much of a residual is left an hour later (autocorrelation at lag 1, 0..0.99); 0 where nothing is known."""
    known = np.isfinite(residual)
    pair = known[1:] & known[:-1]
    now, before = np.where(pair, residual[1:], 0.0), np.where(pair, residual[:-1], 0.0)
    power = (before**2).sum(axis=0)
    kept = np.divide((now * before).sum(axis=0), power, out=np.zeros(residual.shape[1]), where=power > 0)
    return np.asarray(np.clip(kept, 0, LONGEST_MEMORY))


def quantiles_by_hour(residual: Floats, hour: Ints) -> Floats:
    """3 x 24 x zones: quantiles of the residuals at each local hour of the day; of all hours where an hour has none, else 0."""
    out = np.zeros((len(QUANTILES), 24, residual.shape[1]))
    overall = quantiles(residual)
    for h in range(24):
        there = quantiles(residual[hour == h])
        out[:, h] = np.where(np.isfinite(there), there, overall)
    return np.nan_to_num(out)


def quantiles(values: Floats) -> Floats:
    """3 x zones, NaN where nothing is known. By sorting: `np.nanquantile` goes zone by zone."""
    ranked = np.sort(values, axis=0)  # NaN last
    known = np.isfinite(ranked).sum(axis=0)
    if not len(ranked):
        return np.full((len(QUANTILES), values.shape[1]), np.nan)
    rank = np.array(QUANTILES)[:, None] * np.maximum(known - 1, 0)
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(known - 1, 0))
    zone = np.arange(values.shape[1])
    return np.asarray(ranked[low, zone] + (rank - low) * (ranked[high, zone] - ranked[low, zone]))


def carried(residual: Floats, kept: Floats, steps: Ints) -> tuple[Floats, Floats]:
    """What is left of the last known residual after each of `steps` hours past the last row, and the share of spread regained.

    Both steps x zones: residual x kept^lead, and sqrt(1 - kept^(2 lead)), as for a first-order autoregression.
    """
    recent = residual[-LAST_KNOWN_H:]
    hours = np.arange(len(recent))[:, None]
    last = np.where(np.isfinite(recent), hours, -1).max(axis=0, initial=-1)
    value = np.where(last >= 0, recent[np.maximum(last, 0), np.arange(residual.shape[1])], 0.0) if len(recent) else 0.0 * kept
    age = np.where(last >= 0, len(recent) - 1 - last, np.inf)
    left = np.where(kept > 0, np.maximum(kept, 1e-12) ** (steps[:, None] + age), 0.0)
    return left * value, np.sqrt(1 - left**2)
