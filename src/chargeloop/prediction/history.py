"""The demand seen until the origin, and what it says by itself about an hour: the historical usage index P."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import BadInput, Demand
from chargeloop.model.city import Floats
from chargeloop.physics import full_hour, hours_between, kernel

FROZEN_H = 24  # a positive value that does not move for so long is a feed that has stopped
LAGS_H = np.array([24, 48, 72, 96, 120, 144, 168, 336, 504, 672])
# half the mean of the same hour on the last 7 days, half that of the same hour in the last 4 weeks (168 h is in both)
LAG_WEIGHTS = np.array([1 / 14] * 6 + [1 / 14 + 1 / 8] + [1 / 8] * 3)


def known_until(history: Demand, origin: datetime) -> Floats:
    """Hours x zones that had ended at the origin, frozen stretches and impossible values as NaN; may end earlier.

    Raises:
        BadInput: where the array has not two dimensions, or a time has no zone.
    """
    if origin.tzinfo is None or history.start.tzinfo is None:
        raise BadInput("origin", "times need a zone")
    ended = max(hours_between(history.start, full_hour(origin)), 0)
    return without_frozen(history.energy_kwh[:ended])


def without_frozen(energy_kwh: Floats) -> Floats:
    """A copy with NaN for what can't be a reading: negative or infinite, or the same positive value for `FROZEN_H` or more.

    Zeros stay: a zone may be idle.

    Raises:
        BadInput: where the array has not two dimensions.
    """
    energy = plausible(energy_kwh)
    still = still_h(energy)
    ends = np.ones_like(still, dtype=np.bool_)
    ends[:-1] = still[1:] == 0
    for row, zone in zip(*np.nonzero(ends & (still >= FROZEN_H - 1) & (energy > 0)), strict=True):
        energy[row - int(still[row, zone]) : row + 1, zone] = np.nan
    return energy


def is_held(energy_kwh: Floats) -> NDArray[np.bool_]:
    """Zones whose value, be it 0, has not moved for `FROZEN_H` hours at the end of hours x zones."""
    if len(energy_kwh) < FROZEN_H:
        return np.zeros(energy_kwh.shape[1], dtype=np.bool_)
    return np.asarray(still_h(energy_kwh[-FROZEN_H:])[-1] == FROZEN_H - 1)


def plausible(energy_kwh: Floats) -> Floats:
    """A copy with NaN for what is negative or infinite.

    Raises:
        BadInput: where the array has not two dimensions.
    """
    if energy_kwh.ndim != 2:
        raise BadInput("demand.energy_kwh", f"want hours x zones, got {energy_kwh.ndim} dimensions")
    return np.where((energy_kwh >= 0) & np.isfinite(energy_kwh), energy_kwh, np.nan)


@kernel
def still_h(energy_kwh: Floats) -> Floats:
    """Hours x zones: for how many hours the value has been that of the hour before; 0 where either is not known."""
    hours, zones = energy_kwh.shape
    out = np.zeros((hours, zones))
    for t in range(1, hours):
        for z in range(zones):
            if energy_kwh[t, z] == energy_kwh[t - 1, z]:
                out[t, z] = out[t - 1, z] + 1
    return out


def usage_index(energy_kwh: Floats, first: int, count: int) -> Floats:
    """P, kWh: `count` hours x zones from row `first` on, which may lie up to 24 h past the end. NaN where nothing is known.

    Looks back 24 h and more, so it is known a day ahead. Lags that are missing leave their weight to the others.
    """
    rows = np.arange(first, first + count)
    total = np.zeros((count, energy_kwh.shape[1]))
    weight = np.zeros_like(total)
    for lag_h, share in zip(LAGS_H, LAG_WEIGHTS, strict=True):
        row = rows - lag_h
        there = (row >= 0) & (row < len(energy_kwh))
        seen = np.full_like(total, np.nan)
        seen[there] = energy_kwh[row[there]]
        known = np.isfinite(seen)
        total += np.where(known, share * seen, 0.0)
        weight += share * known
    return np.asarray(np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0))
