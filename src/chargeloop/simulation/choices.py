"""The twin from choice to choice: it stops at each driver who asks, says what is known, and judges the answer by hindsight.

Hindsight: when everybody who is there will really leave, and what bay-time is worth to the drivers who really come. Its prices
are the dual prices of the day itself (`recommendation.prices`), so minutes that a choice takes from others count as well.
"""

from typing import NamedTuple

import numpy as np

from chargeloop.model.city import Floats
from chargeloop.physics import kernel, take_bay
from chargeloop.recommendation import NO_PRICES, Prices, Problem, Seen, features, summed
from chargeloop.simulation.course import advance, head_for
from chargeloop.simulation.manner import RISK
from chargeloop.simulation.power import accrue_all, set_power
from chargeloop.simulation.state import CURSOR, LISTENING, Rules, Stage, State, Whole
from chargeloop.simulation.twin import Twin
from chargeloop.simulation.waits import LONGEST_WAIT_S, expected_free_s, likely_wait_s

NEVER_LATE_S = -1e6
WORST_MIN = 60.0  # what it counts for to be sent where nobody can charge, and the longest wait
_ASKING = np.int64(Stage.ASKING)
_NOBODY = np.int64(-1)


class Choice(NamedTuple):
    """A driver who asks. `problem`: one request, in minutes; `seen`: K x `FEATURES`; `lost_min`: K, see `Choices`."""

    driver: int
    problem: Problem
    seen: Seen
    lost_min: Floats


class Choices:
    """The drivers of an external twin who ask before `end_s`, one after the other.

    What is known of an option is its drive, expected and likely wait, the price of the stay at the twin's shadow prices, and
    `toll_min` (P), minutes that a pool costs besides. `hindsight`: prices of the day itself, from the twin's start on.
    `lost_min` of an option: what it costs driver and others by hindsight, above the best option.
    """

    def __init__(
        self, twin: Twin, end_s: float, *, toll_min: Floats | None = None, hindsight: Prices = NO_PRICES, risk: float = RISK
    ) -> None:
        self.twin = twin
        pools = len(twin.state.pools)
        self._toll_min = np.zeros(pools) if toll_min is None else toll_min
        self._hindsight, self._bin_s, self._risk = hindsight.summed_s(pools), hindsight.bin_s, risk
        self._clock = np.array([twin.now_s, float(twin.step_s), end_s])
        twin.state.counts[LISTENING] = 0
        set_power(twin.state, twin.now_s, float(twin.step_s))

    def next(self) -> Choice | None:
        """The next one who asks; None: the time is over."""
        state, rules = self.twin.state, self.twin.rules
        d = next_asker(state, rules, self._clock)
        if d < 0:
            return None
        now_s = float(state.cars["appear_s"][d])
        problem = known(state, rules, d, now_s, self._toll_min, self._risk)
        seen = features(problem, problem.bay_free_s, 0)
        return Choice(d, problem, seen, lost(state, rules, d, now_s, self._toll_min, self._hindsight, self._bin_s))

    def take(self, choice: Choice, option: int) -> None:
        """Send the driver there."""
        state, d = self.twin.state, choice.driver
        now_s = float(state.cars["appear_s"][d])
        head_for(state, d, int(state.option[d, option]), now_s, state.option_s[d, option], state.option_m[d, option])


@kernel
def next_asker(state: State, rules: Rules, clock: Floats) -> int:
    """Let everything happen until a driver asks; -1: nobody does. `clock`: begin of the step, its length, the end; s."""
    while True:
        d = state.counts[CURSOR]
        while d < state.cars.size and (not state.cars[d].follows or state.option[d, 0] < 0):
            d += 1
        step_end_s = min(clock[0] + clock[1], clock[2])
        if d < state.cars.size and state.cars[d].appear_s < step_end_s:
            advance(state, rules, state.cars[d].appear_s + 1e-6)
            if state.cars[d].stage == _ASKING:
                return int(d)
        else:
            advance(state, rules, step_end_s)
            accrue_all(state, step_end_s)
            clock[0] = step_end_s
            if step_end_s >= clock[2]:
                return -1
            set_power(state, step_end_s, clock[1])


@kernel
def known(state: State, rules: Rules, d: Whole, now_s: float, toll_min: Floats, risk: float) -> Problem:
    """The choice of driver `d` as a problem of its own: his options are its pools, its CNY are minutes."""
    options = state.option.shape[1]
    pool, fixed = np.full((1, options), -1), np.full((1, options), np.inf)
    arrive_s, stay_s = np.zeros((1, options)), np.full((1, options), state.cars[d].said_stay_s)
    start = np.zeros(options + 1, np.int64)
    for k in range(options):
        p = state.option[d, k]
        start[k + 1] = start[k] + (state.pools[p].end - state.pools[p].begin if p >= 0 else 0)
    free_s = np.empty(start[options])
    for k in range(options):
        p = state.option[d, k]
        if p < 0:
            continue
        drive_s = state.option_s[d, k]
        arrive_s[0, k] = now_s + drive_s
        bays = free_s[start[k] : start[k + 1]]
        bays[:] = expected_free_s(state, rules, p, now_s, now_s + drive_s)
        if np.isinf(bays[0]):
            continue
        pool[0, k] = k
        wait_s = max(bays[0] - now_s - drive_s, 0.0)
        likely_s = likely_wait_s(state, rules, p, now_s, now_s + drive_s, risk, LONGEST_WAIT_S) if risk > 0 else 0.0
        longer_s = max(min(likely_s, LONGEST_WAIT_S) - wait_s, 0.0)
        begin_s = now_s + drive_s + wait_s - rules.from_s
        price_s = summed(state.price[p], begin_s, begin_s + state.cars[d].said_stay_s, rules.price_bin_s)
        fixed[0, k] = toll_min[p] + (drive_s + longer_s + price_s) / 60
    over_s, rate = np.full((1, options), NEVER_LATE_S), np.full(1, 1 / 60)
    each = np.arange(options)
    return Problem(
        pool, arrive_s, stay_s, over_s, fixed, rate, np.zeros(1), np.zeros(1, np.int64), free_s, start, each,
        np.arange(options + 1), np.array([0.0, 0.0, 0.0, np.nan]),  # a curve of busy shares that weighs nothing
    )  # fmt: skip


@kernel
def lost(state: State, rules: Rules, d: Whole, now_s: float, toll_min: Floats, price: Floats, bin_s: float) -> Floats:
    """K, minutes: what each option of driver `d` costs him and others by hindsight, above the best; `WORST_MIN` at most."""
    cost = np.full(state.option.shape[1], np.inf)
    stay_s = true_stay_s(state, rules, d)
    for k in range(cost.size):
        p = state.option[d, k]
        if p >= 0:
            arrive_s = now_s + state.option_s[d, k]
            wait_s = min(max(true_free_s(state, rules, p, now_s, arrive_s) - arrive_s, 0.0), 60 * WORST_MIN)
            begin_s = arrive_s + wait_s - rules.from_s
            others_s = summed(price[p], begin_s, begin_s + stay_s, bin_s)
            cost[k] = toll_min[p] + (state.option_s[d, k] + wait_s + others_s) / 60
    above: Floats = np.minimum(cost - cost.min(), WORST_MIN)
    return above


@kernel
def true_free_s(state: State, rules: Rules, p: Whole, now_s: float, arrive_s: float) -> float:
    """When a bay of pool `p` will be free to one who arrives at `arrive_s`, if nobody comes before but those on their way."""
    cars, pool = state.cars, state.pools[p]
    free_s = state.scratch[: pool.end - pool.begin]
    for i in range(free_s.size):
        bay = state.bays[pool.begin + i]
        free_s[i] = now_s
        if bay.broken > 0:
            free_s[i] = np.inf
        elif bay.driver >= 0:
            free_s[i] = max(_true_end_s(state, pool.begin + i, now_s), now_s)
    free_s.sort()
    other = pool.queue_head
    while other >= 0:
        take_bay(free_s, now_s, true_stay_s(state, rules, other))
        other = cars[other].next
    other = pool.inbound_head
    while other >= 0 and cars[other].arrive_s <= arrive_s:
        take_bay(free_s, cars[other].arrive_s, true_stay_s(state, rules, other))
        other = cars[other].next
    return float(free_s[0])


@kernel
def _true_end_s(state: State, e: Whole, now_s: float) -> float:
    """When the vehicle at bay `e` will be gone, its power staying as it is."""
    bay = state.bays[e]
    car = state.cars[bay.driver]
    if not car.is_dc or bay.charged:
        return float(bay.leave_s)
    if bay.power_kw > 0:
        return float(now_s + (car.target - car.soc) * car.battery_kwh / bay.power_kw * 3600 + car.stay_s)
    return float(car.start_s + car.said_stay_s)


@kernel
def true_stay_s(state: State, rules: Rules, d: Whole) -> float:
    """How long driver `d` will hold a bay: fast charges as long as expected, but for the time until unplugging."""
    car = state.cars[d]
    return float(car.said_stay_s - rules.dc_overstay_s + car.stay_s if car.is_dc else car.stay_s)
