"""What a policy sees of the options of one request: figures between 0 and 1 that mean the same in every city.

Everything is put in minutes of the driver who asks (CNY by his own rate of waiting), shares and ratios. No place, no hour, no
name and no count of the city enters. So one policy serves any city, and both the twin and the loop can ask it: each says what
it knows as a `Problem`.
"""

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats
from chargeloop.physics import kernel
from chargeloop.recommendation.problem import Problem, option_cost, taken_at, taken_s

FEATURES = (
    "open",  # 1: may be chosen; 0: all others of the option are 0 too
    "above_best",  # F above that of the best option, half at 2 minutes
    "far_above_best",  # the same, half at 15 minutes
    "fixed",  # what does not depend on queues: drive, money, prices; above the least
    "later",  # arrival after the earliest
    "wait",
    "next_wait",  # of one who comes right after
    "idle_share",  # of the bays, on arrival
    "idle",  # their number, half at 3
    "free_soon",  # share of the bays that are free 20 minutes after arrival
    "free_later",  # and 60 minutes
    "bays",  # half at 10
    "busy",  # share of the bay-time during the stay that is taken already
    "stay",  # half at 60 minutes
    "late",  # past the deadline
    "rank",  # share of the other options that are better
    "regret",  # what the second best is above the best
    "around",  # mean busy share of the `AROUND` best options
)
AROUND = 6
SOON_S, LATER_S = 20 * 60.0, 60 * 60.0
_COUNT = len(FEATURES)
Seen = NDArray[np.float32]


@kernel
def features(problem: Problem, free_s: Floats, request: int) -> Seen:
    """K x `FEATURES` of one request, if its bays are free at `free_s` (E, sorted within each pool)."""
    options = problem.pool.shape[1]
    seen = np.zeros((options, _COUNT), np.float32)
    cost, busy = np.full(options, np.inf), np.zeros(options)
    per_min = 60 * problem.wait_rate[request] if problem.wait_rate[request] > 0 else 1.0
    least_fixed, first_s = np.inf, np.inf
    for j in range(options):
        pool = problem.pool[request, j]
        if pool >= 0:
            wait_s = max(free_s[problem.pool_start[pool]] - problem.arrive_s[request, j], 0.0)
            cost[j], busy[j] = _cost_and_busy(problem, free_s, request, j, wait_s, per_min)
            least_fixed = min(least_fixed, problem.fixed[request, j])
            first_s = min(first_s, problem.arrive_s[request, j])
    by_cost = np.argsort(cost)
    many = int(np.isfinite(cost).sum())
    if many == 0:
        return seen
    best = cost[by_cost[0]]
    regret = _half_at(cost[by_cost[1]] - best, 5.0) if many > 1 else 1.0
    around = 0.0
    for n in range(min(many, AROUND)):
        around += busy[by_cost[n]] / min(many, AROUND)
    for n in range(many):
        j = by_cost[n]
        pool = problem.pool[request, j]
        arrive_s, stay_s = problem.arrive_s[request, j], problem.stay_s[request, j]
        bays = free_s[problem.pool_start[pool] : problem.pool_start[pool + 1]]
        wait_s = max(bays[0] - arrive_s, 0.0)
        usable = _free_by(bays, 1e300)
        after_s = min(bays[1] if usable > 1 else np.inf, arrive_s + wait_s + stay_s)
        idle = _free_by(bays, arrive_s)
        seen[j] = (
            1.0,
            _half_at(cost[j] - best, 2.0),
            _half_at(cost[j] - best, 15.0),
            _half_at((problem.fixed[request, j] - least_fixed) / per_min, 10.0),
            _half_at((arrive_s - first_s) / 60, 10.0),
            _half_at(wait_s / 60, 10.0),
            _half_at((after_s - arrive_s) / 60, 10.0),
            idle / usable,
            _half_at(float(idle), 3.0),
            _free_by(bays, arrive_s + SOON_S) / usable,
            _free_by(bays, arrive_s + LATER_S) / usable,
            _half_at(float(usable), 10.0),
            busy[j],
            _half_at(stay_s / 60, 60.0),
            _half_at((problem.over_s[request, j] + wait_s) / 60, 15.0),
            n / max(many - 1, 1),
            regret,
            around,
        )
    return seen


@kernel
def _cost_and_busy(
    problem: Problem, free_s: Floats, request: int, option: int, wait_s: float, per_min: float
) -> tuple[float, float]:
    """F of the option as things stand, in minutes; and the share of the pool's bay-time that is taken during the stay."""
    pool, stay_s = problem.pool[request, option], problem.stay_s[request, option]
    begin_s = problem.arrive_s[request, option] + wait_s
    taken, usable = taken_s(problem, free_s, problem.pool_station[pool], begin_s, stay_s)
    cost = option_cost(problem, request, option, wait_s, min((taken + stay_s) / (usable * stay_s), 1.0))
    there, bays = taken_at(free_s, problem.pool_start, pool, pool + 1, begin_s, stay_s)
    return cost / per_min, min(there / (bays * stay_s), 1.0)


@kernel
def _free_by(bays: Floats, at_s: float) -> int:
    count = 0
    while count < bays.size and bays[count] <= at_s:
        count += 1
    return count


@kernel
def _half_at(x: float, half: float) -> float:
    """From 0 on to 1, which it never reaches; 0 below."""
    return max(x, 0.0) / (max(x, 0.0) + half)
