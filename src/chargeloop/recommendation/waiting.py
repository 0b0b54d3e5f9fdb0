"""How long the wait may turn out: from the distributions of the stays that run, and of who will come before.

A driver can begin when more bays have come free than there are drivers before. How many will have come free by an instant is
a sum of independent yes and no, one a bay; its mean and variance stand for it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import World
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import first_free_s, kernel
from chargeloop.recommendation.held import Pools

SAID_ERROR = 0.2  # sigma of the logarithm of (stay a driver names / true stay): an assumption, no data set here says it
HANGING_ON_S = 300.0  # mean time that one still stays who should have left long ago
OVERSTAY_S = 300.0  # mean time from the end of a fast charge to unplugging
PARKED_SIGMA_S = 1440.0  # of the departure of one who parks: `SAID_ERROR` of two hours
USUAL_DRIVE_S = 200.0
COME_STILL = 0.5  # of arrivals as of late: where it fills up, the others are sent elsewhere; set so that promises are kept
Z90 = 1.2816  # 0.9-quantile of the standard normal
LONGEST_S = 6 * 3600.0
CLOSE_S = 20.0  # to which a wait is found


def longer_s(world: World, pools: Pools, pool: Ints, arrive_s: Floats, inflow_per_h: Floats, risk: float) -> Floats:
    """R x K: what the likely wait is longer than the expected one, if nobody else is assigned now; 0 where `pool` is -1.

    `pool`: among `pools`; `inflow_per_h`: of the layout's.
    """
    free_s, is_dc = world.bay_free_s.copy(), world.layout.pool_is_dc[pools.of]  # a kernel compiles anew for a read-only array
    likely_s = likely_waits_s(free_s, pools.start, is_dc, pool, world.now_s, arrive_s, pools.inflow(inflow_per_h), risk)
    first_s = first_free_s(free_s, pools.start)[np.maximum(pool, 0)]
    return np.where(pool >= 0, np.maximum(likely_s - np.maximum(first_s - arrive_s, 0), 0), 0.0)


@kernel
def likely_waits_s(
    bay_free_s: Floats,
    pool_start: Ints,
    is_dc: NDArray[np.bool_],
    pool: Ints,
    now_s: float,
    arrive_s: Floats,
    inflow_per_h: Floats,
    risk: float,
) -> Floats:
    """R x K: the wait that lies `risk` standard deviations of bays coming free above the middle; 0 where `pool` is -1.

    `bay_free_s`: E, sorted within each pool, when each bay is expected to be free to a new arrival; `is_dc`, `inflow_per_h`: P.
    """
    wait = np.zeros(pool.shape)
    for i in range(pool.shape[0]):
        for k in range(pool.shape[1]):
            p = pool[i, k]
            if p >= 0:
                free = bay_free_s[pool_start[p] : pool_start[p + 1]]
                unknown = overtakers(inflow_per_h[p] / 3600, arrive_s[i, k] - now_s)
                wait[i, k] = _likely_wait_s(free, is_dc[p], now_s, arrive_s[i, k], unknown, risk)
    return wait


@kernel
def _likely_wait_s(free_s: Floats, is_dc: bool, now_s: float, arrive_s: float, unknown: float, risk: float) -> float:
    idle = np.searchsorted(free_s, now_s, side="right")
    if idle > unknown + 0.5 + risk * math.sqrt(unknown) or _is_enough(free_s, is_dc, now_s, arrive_s, unknown, risk):
        return 0.0
    short_s, long_s = 0.0, 300.0
    while not _is_enough(free_s, is_dc, now_s, arrive_s + long_s, unknown, risk):
        short_s, long_s = long_s, 2 * long_s
        if long_s > LONGEST_S:
            return LONGEST_S
    while long_s - short_s > CLOSE_S:
        middle_s = (short_s + long_s) / 2
        if _is_enough(free_s, is_dc, now_s, arrive_s + middle_s, unknown, risk):
            long_s = middle_s
        else:
            short_s = middle_s
    return (short_s + long_s) / 2


@kernel
def _is_enough(free_s: Floats, is_dc: bool, now_s: float, at_s: float, unknown: float, risk: float) -> bool:
    """Whether more bays than `unknown`, a Poisson number's mean, will have come free at `at_s`."""
    mean, variance = 0.0, unknown
    for e in range(free_s.size):
        if np.isinf(free_s[e]):
            break
        gone = 1.0
        if free_s[e] > now_s:
            gone = over_by(free_s[e] - OVERSTAY_S, OVERSTAY_S, at_s) if is_dc else parked_until(free_s[e], now_s, at_s)
        mean += gone
        variance += gone * (1 - gone)
    return mean - risk * math.sqrt(variance) >= unknown + 0.5


@kernel
def parked_until(expected_s: float, now_s: float, at_s: float) -> float:
    """Probability that one has left at `at_s` whose departure is normal around what is expected, and who is there now."""
    already = 0.5 * math.erfc((expected_s - now_s) / (PARKED_SIGMA_S * math.sqrt(2.0)))
    gone = 0.5 * math.erfc((expected_s - at_s) / (PARKED_SIGMA_S * math.sqrt(2.0)))
    return max(gone - already, 0.0) / (1 - already)


@kernel
def overtakers(per_s: float, ahead_s: float) -> float:
    """How many will come within `ahead_s` of whom nobody knows yet, if `per_s` come a second.

    One who arrives after x seconds is known by now if he drives for longer than x; drives are taken to be exponential.
    """
    unknown_s = ahead_s - USUAL_DRIVE_S * (1 - math.exp(-ahead_s / USUAL_DRIVE_S))
    return COME_STILL * per_s * unknown_s


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
