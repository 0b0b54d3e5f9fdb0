"""The wait that a driver is promised: quantiles at a pool and an instant of arrival, with all who stand before counted.

Where more drivers stand before than bays are free, bays change hands more than once until it is one's turn. Each bay is then a
renewal process: it comes free when its stay ends, and again a stay later, as long as somebody waits for it. A driver with n
before him begins at the (n + 1)-th time that a bay comes free; how many have come free by an instant is a sum over independent
bays, whose mean and variance stand for it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import World
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel
from chargeloop.recommendation.held import Pools
from chargeloop.recommendation.problem import Problem, link
from chargeloop.recommendation.waiting import (
    CLOSE_S,
    COME_STILL,
    OVERSTAY_S,
    PARKED_SIGMA_S,
    SAID_ERROR,
    Z90,
    over_by,
    overtakers,
    parked_until,
)

SURE = 3.0902  # 0.999-quantile of the standard normal
CROWD = 20  # requests of one turn that could all go to a pool: one error of the estimate would then break many promises
SOME = 5  # on their way to what a driver may choose from who come together with him: a crowd that asks one by one
TOGETHER_S = 120.0  # nobody knows in which order those come who are expected within so little time
IN_COMMON = 0.15  # sigma of what all stays at a pool are longer or shorter than expected, by the same share
LONGEST_S = 24 * 3600.0
NEVER = 1e-3  # less likely than this does not count


def wait_quantiles_s(world: World, inflow_per_h: Floats, pool: Ints, arrive_s: Floats, risks: tuple[float, ...]) -> Floats:
    """Wait at each of `pool` (M) of one who arrives at `arrive_s` (M), as known now: M x quantiles, seconds.

    `risks`: quantiles of the standard normal, 0 for the middle, `Z90` for the 0.9-quantile. `inflow_per_h`: P, forecast
    arrivals. Infinite where no bay is in order, a day where it would be longer.
    """
    layout, pools, free_s = world.layout, Pools.of_layout(world.layout), world.bay_free_s.copy()
    out = np.empty((pool.size, len(risks)))
    for m, (p, at_s) in enumerate(zip(pool.tolist(), arrive_s.tolist(), strict=True)):
        bays = free_s[pools.start[pools.common[p]] : pools.start[pools.common[p] + 1]]  # without those held for emergencies
        unknown = overtakers(float(inflow_per_h[p]) / 3600, at_s - world.now_s)
        for n, risk in enumerate(risks):
            out[m, n] = line_wait_s(bays, bool(layout.pool_is_dc[p]), world.now_s, at_s, 0.0, at_s, 0.0, unknown, float(risk))
    return out


@kernel
def promised_waits_s(
    problem: Problem,
    choice: Ints,
    is_dc: NDArray[np.bool_],
    now_s: float,
    inflow_per_h: Floats,
    request: Ints,
    option: Ints,
    coming_pool: Ints,
    coming_arrive_s: Floats,
) -> Floats:
    """M: the 0.9-quantile of the wait for pairs of `request` and `option`, the rest of the plan `choice` as it is.

    Surer than that where a crowd asks at once: what breaks one of those promises breaks most of them. `coming_*`: who was
    sent before; they are in `bay_free_s`, so that what their stays have in common is added to the wait.
    """
    first, after, _ = link(problem, choice)
    listed = np.zeros(is_dc.size, np.int64)
    for i in range(problem.pool.shape[0]):
        for j in range(problem.pool.shape[1]):
            if problem.pool[i, j] >= 0:
                listed[problem.pool[i, j]] += 1
    together = _together(problem, coming_pool, coming_arrive_s)
    out = np.zeros(request.size)
    for m in range(request.size):
        i, pool = request[m], problem.pool[request[m], option[m]]
        arrive_s = problem.arrive_s[i, option[m]]
        ahead, come_s, stay_s = 0.0, 0.0, 0.0
        other = first[problem.pool_station[pool]]
        while other >= 0:
            at_s = problem.arrive_s[other, choice[other]]
            if other != i and problem.pool[other, choice[other]] == pool and at_s <= arrive_s + TOGETHER_S:
                ahead += 1
                come_s += min(at_s, arrive_s)
                stay_s += problem.stay_s[other, choice[other]]
            other = after[other]
        free_s = problem.bay_free_s[problem.pool_start[pool] : problem.pool_start[pool + 1]]
        unknown = overtakers(inflow_per_h[pool] / 3600, arrive_s - now_s)
        risk = Z90
        if listed[pool] >= CROWD or together[i] >= SOME:
            risk, unknown = SURE, unknown / COME_STILL  # where it fills up around here, the others are sent here
        some = max(ahead, 1.0)
        out[m] = line_wait_s(free_s, is_dc[pool], now_s, arrive_s, ahead, come_s / some, stay_s / some, unknown, risk)
        if together[i] >= SOME:
            out[m] += risk * IN_COMMON * (arrive_s + out[m] - now_s)
    return out


@kernel
def _together(problem: Problem, coming_pool: Ints, coming_arrive_s: Floats) -> Ints:
    """R: who was sent before to one of a request's options, and comes there within `TOGETHER_S` of its driver."""
    out = np.zeros(problem.pool.shape[0], np.int64)
    order = np.argsort(coming_pool)
    sent = coming_pool[order]
    for i in range(out.size):
        for j in range(problem.pool.shape[1]):
            pool = problem.pool[i, j]
            if pool < 0:
                continue
            k = np.searchsorted(sent, pool)
            while k < sent.size and sent[k] == pool:
                out[i] += abs(coming_arrive_s[order[k]] - problem.arrive_s[i, j]) <= TOGETHER_S
                k += 1
    return out


@kernel
def line_wait_s(
    free_s: Floats,
    is_dc: bool,
    now_s: float,
    arrive_s: float,
    ahead: float,
    come_s: float,
    stay_s: float,
    unknown: float,
    risk: float,
) -> float:
    """Wait with `ahead` drivers before, who come at `come_s` and hold a bay for `stay_s` or so: seconds, `LONGEST_S` at most.

    `free_s`: when each bay is expected to be free otherwise, `unknown`: mean of a Poisson number who come before as well.
    """
    if np.isinf(free_s).all():
        return np.inf
    if is_enough(free_s, is_dc, now_s, arrive_s, ahead, come_s, stay_s, unknown, risk):
        return 0.0
    short_s, long_s = 0.0, 300.0
    while not is_enough(free_s, is_dc, now_s, arrive_s + long_s, ahead, come_s, stay_s, unknown, risk):
        short_s, long_s = long_s, 2 * long_s
        if long_s > LONGEST_S:
            return LONGEST_S
    while long_s - short_s > CLOSE_S:
        middle_s = (short_s + long_s) / 2
        if is_enough(free_s, is_dc, now_s, arrive_s + middle_s, ahead, come_s, stay_s, unknown, risk):
            long_s = middle_s
        else:
            short_s = middle_s
    return float(long_s)


@kernel
def is_enough(
    free_s: Floats,
    is_dc: bool,
    now_s: float,
    at_s: float,
    ahead: float,
    come_s: float,
    stay_s: float,
    unknown: float,
    risk: float,
) -> bool:
    """Whether a bay will have come free by `at_s` once more than there are drivers before."""
    mean, variance, idle = 0.0, unknown, 0
    for e in range(free_s.size):
        if np.isinf(free_s[e]):
            continue
        gone, spread_s = 1.0, 0.0
        idle += free_s[e] <= now_s
        if free_s[e] > now_s:
            spread_s = OVERSTAY_S if is_dc else PARKED_SIGMA_S
            gone = over_by(free_s[e] - OVERSTAY_S, OVERSTAY_S, at_s) if is_dc else parked_until(free_s[e], now_s, at_s)
        times, moment = turns(gone, max(free_s[e], come_s), spread_s, stay_s, is_dc, ahead, at_s)
        mean += times
        variance += moment
    variance += (IN_COMMON * (mean - idle)) ** 2
    return mean - risk * math.sqrt(variance) >= ahead + unknown + 0.5


@kernel
def turns(
    gone: float, from_s: float, spread_s: float, stay_s: float, is_dc: bool, ahead: float, at_s: float
) -> tuple[float, float]:
    """Mean and variance of how often a bay comes free by `at_s`: first with probability `gone`, then each stay later."""
    mean, second = gone, gone
    if ahead > 0 and stay_s > 0:
        one = OVERSTAY_S if is_dc else SAID_ERROR * stay_s
        k = 1
        while k <= ahead:
            sigma_s = math.sqrt(spread_s**2 + k * one**2)
            again = gone * 0.5 * math.erfc((from_s + k * stay_s - at_s) / (sigma_s * math.sqrt(2.0)))
            if again < NEVER:
                break
            mean += again
            second += (2 * k + 1) * again
            k += 1
    return mean, max(second - mean**2, 0.0)
