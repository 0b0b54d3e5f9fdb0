"""Feeds that lie: a meter or its collector that has stopped goes on saying the same."""

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics.kernel import kernel

STALE_H = 24  # hours of the same positive value, or of none, after which a feed has stopped
IDLE_TIMES = 2  # a zone that rests at times must rest so many times as long as it ever did


@kernel
def stale_from(energy_kwh: Floats, stale_h: int, idle_times: int) -> Ints:
    """Columns: the row from which on a feed has not moved up to the last row, -1 where it has. `energy_kwh`: hours x zones.

    The same positive value, or nothing (NaN), for `stale_h` hours; zeros too, if for `idle_times` as long as ever before.
    """
    hours, zones = energy_kwh.shape
    out = np.full(zones, -1, np.int64)
    for z in range(zones):
        if hours == 0:
            continue
        last, begin = energy_kwh[hours - 1, z], hours - 1
        while begin > 0 and (energy_kwh[begin - 1, z] == last or (np.isnan(last) and np.isnan(energy_kwh[begin - 1, z]))):
            begin -= 1
        least = stale_h
        if last == 0:
            longest, run = 0, 0
            for t in range(begin):
                run = run + 1 if energy_kwh[t, z] == 0 else 0
                longest = max(longest, run)
            least = max(stale_h, idle_times * longest)
        if hours - begin >= least and begin > 0:  # one that never moved has nothing to stand still from
            out[z] = begin
    return out
