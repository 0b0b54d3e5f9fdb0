"""The wait that one who comes to a pool should reckon with, from what drivers have said and not from what they will do."""

import math

import numpy as np

from chargeloop.model.city import Floats
from chargeloop.physics import kernel, take_bay
from chargeloop.recommendation import left_by, over_by, overtakers
from chargeloop.simulation.state import RECENT_S, Policy, Rules, State, Whole

OVERDUE_S = 5 * 60.0  # a vehicle that should be gone already is expected to leave within this
LONGEST_WAIT_S = 6 * 3600.0
HELD_BACK = 0.3  # of a bay's power: charging slower than this now is not held back for ever
_COMMIT = np.int64(Policy.COMMIT)
_NOBODY = np.int64(-1)


@kernel
def expected_wait_s(state: State, rules: Rules, p: Whole, now_s: float, arrive_s: float) -> float:
    """Wait expected at pool `p` by one who arrives at `arrive_s`, from what drivers have said, not from what they will do.

    Counts the running sessions, those who queue and, from `COMMIT` on, those on their way who arrive before.
    """
    return float(max(expected_free_s(state, rules, p, now_s, arrive_s)[0] - arrive_s, 0.0))


@kernel
def expected_free_s(state: State, rules: Rules, p: Whole, now_s: float, arrive_s: float) -> Floats:
    """When each bay of pool `p` is expected to be free to one who arrives at `arrive_s`, sorted; holds until asked again."""
    cars, pool = state.cars, state.pools[p]
    free_s = state.scratch[: pool.end - pool.begin]
    for i in range(free_s.size):
        bay = state.bays[pool.begin + i]
        free_s[i] = now_s
        if bay.broken > 0:
            free_s[i] = np.inf
        elif bay.driver >= 0:
            free_s[i] = expected_end_s(state, rules, pool.begin + i, now_s)
        elif bay.reserved_for != -1:
            free_s[i] = max(bay.reserved_until_s, now_s)
    free_s.sort()
    other = pool.queue_head
    while other >= 0:
        take_bay(free_s, now_s, cars[other].said_stay_s)
        other = cars[other].next
    other = pool.inbound_head if rules.policy >= _COMMIT else _NOBODY
    while other >= 0 and cars[other].arrive_s <= arrive_s:
        if cars[other].follows:
            take_bay(free_s, cars[other].arrive_s, cars[other].said_stay_s)
        other = cars[other].next
    return free_s


@kernel
def expected_end_s(state: State, rules: Rules, e: Whole, now_s: float) -> float:
    """When the vehicle at bay `e` should be gone: AC by what its driver said, DC by the energy still to come."""
    bay = state.bays[e]
    car = state.cars[bay.driver]
    end_s = car.start_s + car.said_stay_s
    if car.is_dc and bay.charged:
        end_s = car.charged_s + rules.dc_overstay_s
    elif car.is_dc and bay.power_kw > 0:
        rate_kw = max(bay.power_kw, HELD_BACK * bay.kw)
        end_s = now_s + (car.target - car.soc) * car.battery_kwh / rate_kw * 3600 + rules.dc_overstay_s
    return float(max(end_s, now_s + OVERDUE_S))


@kernel
def likely_wait_s(state: State, rules: Rules, p: Whole, now_s: float, arrive_s: float, risk: float, longest_s: float) -> float:
    """Wait at pool `p` that is not exceeded with the probability that lies `risk` standard deviations above the middle.

    By then as many bays must have come free as there are drivers before, those included who are not known yet. How many will
    have, is a sum of independent yes and no with the probabilities of each stay's distribution: its mean and variance stand
    for it. Infinite where it is longer than `longest_s` and than `LONGEST_WAIT_S`.
    """
    cars, pool = state.cars, state.pools[p]
    unknown = overtakers(recent_arrivals(state, p, now_s) / RECENT_S, arrive_s - now_s)
    before = pool.queue + unknown
    other = pool.inbound_head
    while other >= 0 and cars[other].arrive_s <= arrive_s:
        before += cars[other].follows
        other = cars[other].next
    if _idle(state, p) > before + risk * math.sqrt(unknown):
        return 0.0
    short_s, long_s = 0.0, min(longest_s, LONGEST_WAIT_S)
    if not _is_enough(state, rules, p, now_s, arrive_s, arrive_s + long_s, before + 0.5, unknown, risk):
        return np.inf
    if _is_enough(state, rules, p, now_s, arrive_s, arrive_s, before + 0.5, unknown, risk):
        return 0.0
    while long_s - short_s > 20:
        middle_s = (short_s + long_s) / 2
        if _is_enough(state, rules, p, now_s, arrive_s, arrive_s + middle_s, before + 0.5, unknown, risk):
            long_s = middle_s
        else:
            short_s = middle_s
    return (short_s + long_s) / 2


@kernel
def recent_arrivals(state: State, p: Whole, now_s: float) -> float:
    """Of drivers at pool `p`, each counted less the longer ago."""
    pool = state.pools[p]
    return float(pool.arrivals * math.exp(-(now_s - pool.counted_s) / RECENT_S))


@kernel
def _idle(state: State, p: Whole) -> int:
    """Bays of pool `p` that anybody may use now."""
    pool, idle = state.pools[p], 0
    if pool.idle > 0:
        for e in range(pool.begin, pool.end):
            bay = state.bays[e]
            idle += bay.driver < 0 and bay.broken == 0 and bay.reserved_for == -1
    return idle


@kernel
def _is_enough(
    state: State,
    rules: Rules,
    p: Whole,
    now_s: float,
    arrive_s: float,
    at_s: float,
    before: float,
    variance: float,
    risk: float,
) -> bool:
    """Whether as many bays as `before`, a number of that variance, will have come free at `at_s`."""
    cars, pool = state.cars, state.pools[p]
    mean = 0.0
    for e in range(pool.begin, pool.end):
        bay = state.bays[e]
        if bay.broken > 0:
            continue
        gone = 1.0
        if bay.driver >= 0:
            gone = gone_by(state, rules, e, now_s, at_s)
        elif bay.reserved_for != -1:
            gone = 1.0 if bay.reserved_until_s <= at_s else 0.0
        mean += gone
        variance += gone * (1 - gone)
    # those before leave in their turn: a bay each from when they are expected to begin
    other = pool.inbound_head
    while other >= 0 and cars[other].arrive_s <= arrive_s:
        if cars[other].follows:
            gone = left_by(cars[other].arrive_s, cars[other].said_stay_s, cars[other].arrive_s, at_s)
            mean += gone
            variance += gone * (1 - gone)
        other = cars[other].next
    return mean - risk * math.sqrt(variance) >= before


@kernel
def gone_by(state: State, rules: Rules, e: Whole, now_s: float, at_s: float) -> float:
    """Probability that the vehicle at bay `e` is gone at `at_s`, given that it is there at `now_s`."""
    bay = state.bays[e]
    car = state.cars[bay.driver]
    if not car.is_dc:
        return left_by(car.start_s, car.said_stay_s, now_s, at_s)
    if bay.charged:
        return over_by(now_s, rules.dc_overstay_s, at_s)
    end_s = car.start_s + car.said_stay_s - rules.dc_overstay_s
    if bay.power_kw > 0:
        end_s = now_s + (car.target - car.soc) * car.battery_kwh / max(bay.power_kw, HELD_BACK * bay.kw) * 3600
    return over_by(max(end_s, now_s), rules.dc_overstay_s, at_s)
