"""The wait that a driver of the twin is promised who chooses at shadow prices; see `recommendation.promises` for the model."""

import math

from chargeloop.physics import kernel
from chargeloop.recommendation import overtakers, turns
from chargeloop.recommendation.promises import IN_COMMON, LONGEST_S
from chargeloop.recommendation.waiting import CLOSE_S, OVERSTAY_S, PARKED_SIGMA_S, Z90
from chargeloop.simulation.state import RECENT_S, Rules, State, Whole
from chargeloop.simulation.waits import expected_end_s, gone_by, recent_arrivals


@kernel
def promised_wait_s(state: State, rules: Rules, d: Whole, p: Whole, now_s: float, arrive_s: float) -> float:
    """The 0.9-quantile of the wait of driver `d` at pool `p`, seconds, with all counted who stand before."""
    cars, pool = state.cars, state.pools[p]
    ahead, come_s, stay_s = 0.0, 0.0, 0.0
    other = pool.queue_head
    while other >= 0:
        ahead += 1
        come_s += now_s
        stay_s += cars[other].said_stay_s
        other = cars[other].next
    other = pool.inbound_head
    while other >= 0 and cars[other].arrive_s <= arrive_s:
        if cars[other].follows:
            ahead += 1
            come_s += cars[other].arrive_s
            stay_s += cars[other].said_stay_s
        other = cars[other].next
    some = max(ahead, 1.0)
    unknown = overtakers(recent_arrivals(state, p, now_s) / RECENT_S, arrive_s - now_s)
    line = (ahead, come_s / some, stay_s / some, OVERSTAY_S if cars[d].is_dc else PARKED_SIGMA_S)
    if _is_enough(state, rules, p, now_s, arrive_s, line, unknown):
        return 0.0
    short_s, long_s = 0.0, 300.0
    while not _is_enough(state, rules, p, now_s, arrive_s + long_s, line, unknown):
        short_s, long_s = long_s, 2 * long_s
        if long_s > LONGEST_S:
            return LONGEST_S
    while long_s - short_s > CLOSE_S:
        middle_s = (short_s + long_s) / 2
        if _is_enough(state, rules, p, now_s, arrive_s + middle_s, line, unknown):
            long_s = middle_s
        else:
            short_s = middle_s
    return (short_s + long_s) / 2


@kernel
def _is_enough(
    state: State, rules: Rules, p: Whole, now_s: float, at_s: float, line: tuple[float, float, float, float], unknown: float
) -> bool:
    ahead, come_s, stay_s, spread_s = line
    pool = state.pools[p]
    mean, variance, idle = 0.0, unknown, 0
    for e in range(pool.begin, pool.end):
        bay = state.bays[e]
        if bay.broken > 0:
            continue
        gone, from_s, sigma_s = 1.0, now_s, 0.0
        if bay.driver >= 0:
            gone = gone_by(state, rules, e, now_s, at_s)
            from_s, sigma_s = expected_end_s(state, rules, e, now_s), spread_s
        elif bay.reserved_for != -1:
            gone = 1.0 if bay.reserved_until_s <= at_s else 0.0
            from_s = max(bay.reserved_until_s, now_s)
        else:
            idle += 1
        times, moment = turns(gone, max(from_s, come_s), sigma_s, stay_s, spread_s == OVERSTAY_S, ahead, at_s)
        mean += times
        variance += moment
    variance += (IN_COMMON * (mean - idle)) ** 2
    return mean - Z90 * math.sqrt(variance) >= ahead + unknown + 0.5
