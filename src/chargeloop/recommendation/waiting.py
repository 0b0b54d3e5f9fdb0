"""How long the wait may turn out, beside the expected one."""

import math

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel

STRETCH = 1.3  # running sessions may last this much longer than expected
SAID_ERROR = 0.2  # sigma of the logarithm of (stay a driver names / true stay): an assumption, no data set here says it
HANGING_ON_S = 300.0  # mean time that one still stays who should have left long ago
Z90 = 1.2816  # 0.9-quantile of the standard normal


@kernel
def wait_margins_s(
    bay_free_s: Floats, pool_start: Ints, pool: Ints, now_s: float, arrive_s: Floats, stay_s: Floats, inflow_per_h: Floats
) -> Floats:
    """Seconds from the expected wait to a rough 0.9-quantile of it, one entry a driver; all but `now_s` are arrays.

    The rule: before this driver come as many others, whom nobody has announced, as the 0.9-quantile of a Poisson count
    with mean inflow x drive time (normal approximation, rounded down); and all bays free up later, by 30 % of the time
    still to go. Not yet calibrated against waits that happened.
    """
    margin = np.empty(pool.size)
    for m in range(pool.size):
        free = bay_free_s[pool_start[pool[m]] : pool_start[pool[m] + 1]]
        usable = np.isfinite(free).sum()
        mean = inflow_per_h[m] * (arrive_s[m] - now_s) / 3600
        before = int(mean + Z90 * np.sqrt(mean))
        begin_s = now_s + STRETCH * max(free[before % usable] - now_s, 0.0) + before // usable * stay_s[m]
        margin[m] = max(begin_s - arrive_s[m], 0.0) - max(free[0] - arrive_s[m], 0.0)
    return margin


@kernel
def left_by(start_s: float, said_s: float, now_s: float, at_s: float) -> float:
    """Probability that one who came at `start_s` to stay `said_s` and is there at `now_s` has left at `at_s` (parked, AC)."""
    already = _left(start_s, said_s, now_s)
    if already > 0.999:
        return over_by(now_s, HANGING_ON_S, at_s)
    return (_left(start_s, said_s, at_s) - already) / (1 - already)


@kernel
def _left(start_s: float, said_s: float, at_s: float) -> float:
    """The stay is lognormal around what was said."""
    if at_s <= start_s:
        return 0.0
    return 0.5 * (1 + math.erf(math.log((at_s - start_s) / said_s) / (SAID_ERROR * math.sqrt(2.0))))


@kernel
def over_by(end_s: float, mean_s: float, at_s: float) -> float:
    """Probability that one whose charge ends at `end_s` has left at `at_s`, if what is added is exponential (DC)."""
    if at_s <= end_s:
        return 0.0
    return 1 - math.exp(-(at_s - end_s) / mean_s)
