"""The assignment problem as arrays, and what a plan costs: the one F that every solver is judged by."""

from typing import NamedTuple

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel, take_bay
from chargeloop.recommendation.objective import best_busy, busy_cost


class Problem(NamedTuple):
    """R requests, K options each (a pool of bays), E bays, P pools, N stations. A tuple, so that kernels can take it.

    A station serves in the order of arrival; `stay_s` is how long the bay is held. Options that break a hard constraint
    have `pool` -1 and `fixed` infinite. A plan is `choice`: R, the option of each request or -1.
    """

    pool: Ints  # R x K
    arrive_s: Floats  # R x K, epoch seconds
    stay_s: Floats  # R x K
    over_s: Floats  # R x K, seconds past the deadline if charging begins on arrival; negative while there is time
    fixed: Floats  # R x K, CNY of all terms that don't depend on the other requests
    wait_rate: Floats  # R, CNY a second of waiting
    late_rate: Floats  # R, CNY a second past the deadline
    turn: Ints  # R, 0 chooses before 1 where a solver goes one by one
    bay_free_s: Floats  # E, sorted within each pool; infinite out of order
    pool_start: Ints  # P + 1
    pool_station: Ints  # P, rising
    station_pool: Ints  # N + 1, the pools of station n are station_pool[n]:station_pool[n + 1]
    busy_curve: Floats  # see objective.busy_curve


@kernel
def taken_s(problem: Problem, bay_free_s: Floats, station: int, begin_s: float, stay_s: float) -> tuple[float, int]:
    """Bay-seconds of a station that are taken within `stay_s` from `begin_s`, and its usable bays."""
    return taken_at(
        bay_free_s, problem.pool_start, problem.station_pool[station], problem.station_pool[station + 1], begin_s, stay_s
    )


@kernel
def taken_at(
    bay_free_s: Floats, pool_start: Ints, first_pool: int, end_pool: int, begin_s: float, stay_s: float
) -> tuple[float, int]:
    """`taken_s` of the pools from `first_pool` until before `end_pool`; for inner loops, where passing a tuple costs."""
    taken, usable = 0.0, 0
    for pool in range(first_pool, end_pool):
        bay = pool_start[pool + 1] - 1  # from the last to be free backwards: most are free by then
        while bay >= pool_start[pool] and np.isinf(bay_free_s[bay]):
            bay -= 1
        usable += bay - pool_start[pool] + 1
        while bay >= pool_start[pool] and bay_free_s[bay] > begin_s:
            taken += min(bay_free_s[bay] - begin_s, stay_s)
            bay -= 1
    return taken, usable


@kernel
def option_cost(problem: Problem, request: int, option: int, wait_s: float, busy: float) -> float:
    """F of one request at one option, CNY."""
    late_s = max(problem.over_s[request, option] + wait_s, 0.0)
    return float(
        problem.fixed[request, option]
        + problem.wait_rate[request] * wait_s
        + problem.late_rate[request] * late_s
        + busy_cost(problem.busy_curve, busy)
    )


@kernel
def serve_station(problem: Problem, station: int, who: Ints, option: Ints, wait_s: Floats, busy: Floats) -> float:
    """Serve the requests `who`, given in the order of arrival, at one station; returns the sum of their F.

    Fills `wait_s` and `busy` (U), one entry a request: U counts what ran before, and everybody in `who`.
    """
    lo = problem.pool_start[problem.station_pool[station]]
    hi = problem.pool_start[problem.station_pool[station + 1]]
    free = problem.bay_free_s[lo:hi].copy()
    for m in range(who.size):
        i, j = who[m], option[m]
        pool = problem.pool[i, j]
        bays = free[problem.pool_start[pool] - lo : problem.pool_start[pool + 1] - lo]
        wait_s[m] = take_bay(bays, problem.arrive_s[i, j], problem.stay_s[i, j])
    total = 0.0
    for m in range(who.size):
        i, j = who[m], option[m]
        stay = problem.stay_s[i, j]
        begin = problem.arrive_s[i, j] + wait_s[m]
        taken, usable = taken_s(problem, problem.bay_free_s, station, begin, stay)
        for other in range(who.size):
            start = problem.arrive_s[who[other], option[other]] + wait_s[other]
            end = start + problem.stay_s[who[other], option[other]]
            taken += max(min(begin + stay, end) - max(begin, start), 0.0)
        busy[m] = min(taken / (usable * stay), 1.0)
        total += option_cost(problem, i, j, wait_s[m], busy[m])
    return total


@kernel
def insert(problem: Problem, who: Ints, option: Ints, size: int, request: int, choice: int) -> int:
    """Put a request into lists that are in order of arrival (then turn, then number); returns where it stands."""
    at = size
    mine = (problem.arrive_s[request, choice], problem.turn[request], request)
    while at > 0 and (problem.arrive_s[who[at - 1], option[at - 1]], problem.turn[who[at - 1]], who[at - 1]) > mine:
        who[at], option[at] = who[at - 1], option[at - 1]
        at -= 1
    who[at], option[at] = request, choice
    return at


@kernel
def link(problem: Problem, choice: Ints) -> tuple[Ints, Ints, Ints]:
    """Who goes to which station, as linked lists: first request of each station, next request, station of each request."""
    first = np.full(problem.station_pool.size - 1, -1)
    after = np.full(choice.size, -1)
    station = np.full(choice.size, -1)
    for i in range(choice.size):
        if choice[i] >= 0:
            s = problem.pool_station[problem.pool[i, choice[i]]]
            station[i], after[i], first[s] = s, first[s], i
    return first, after, station


@kernel
def gather(problem: Problem, choice: Ints, first: Ints, after: Ints, station: int, skip: int, who: Ints, option: Ints) -> int:
    """Write the requests sent to `station` (but not `skip`) in order of arrival; returns how many."""
    size = 0
    i = first[station]
    while i >= 0:
        if i != skip:
            insert(problem, who, option, size, i, choice[i])
            size += 1
        i = after[i]
    return size


@kernel
def evaluate(problem: Problem, choice: Ints) -> tuple[Floats, Floats, Floats]:
    """Wait (s), busy share U and F (CNY) of each request under a plan; all 0 for a request that goes nowhere."""
    size = choice.size
    wait_s, busy, cost = np.zeros(size), np.zeros(size), np.zeros(size)
    first, after, _ = link(problem, choice)
    who, option = np.empty(size, np.int64), np.empty(size, np.int64)
    for station in range(first.size):
        n = gather(problem, choice, first, after, station, -1, who, option) if first[station] >= 0 else 0
        waits, shares = np.empty(n), np.empty(n)
        serve_station(problem, station, who[:n], option[:n], waits, shares)
        for m in range(n):
            i = who[m]
            wait_s[i], busy[i] = waits[m], shares[m]
            cost[i] = option_cost(problem, i, option[m], waits[m], shares[m])
    return wait_s, busy, cost


@kernel
def alternatives(problem: Problem, choice: Ints) -> tuple[Floats, Floats]:
    """Wait (s) and U that each request would meet at each of its options (R x K), the rest of the plan as it is."""
    size, options = problem.pool.shape
    wait_s, busy = np.full((size, options), np.nan), np.full((size, options), np.nan)
    first, after, _ = link(problem, choice)
    who, option = np.empty(size + 1, np.int64), np.empty(size + 1, np.int64)
    waits, shares = np.empty(size + 1), np.empty(size + 1)
    for i in range(size):
        for j in range(options):
            if problem.pool[i, j] < 0:
                continue
            station = problem.pool_station[problem.pool[i, j]]
            n = gather(problem, choice, first, after, station, i, who, option)
            at = insert(problem, who, option, n, i, j)
            serve_station(problem, station, who[: n + 1], option[: n + 1], waits, shares)
            wait_s[i, j], busy[i, j] = waits[at], shares[at]
    return wait_s, busy


@kernel
def alone(problem: Problem) -> Floats:
    """F of each option (R x K, CNY) if nobody else was assigned; infinite where the option breaks a constraint."""
    size, options = problem.pool.shape
    cost = np.full((size, options), np.inf)
    for i in range(size):
        for j in range(options):
            pool = problem.pool[i, j]
            if pool >= 0:
                arrive, stay = problem.arrive_s[i, j], problem.stay_s[i, j]
                wait = max(problem.bay_free_s[problem.pool_start[pool]] - arrive, 0.0)
                taken, usable = taken_s(problem, problem.bay_free_s, problem.pool_station[pool], arrive + wait, stay)
                cost[i, j] = option_cost(problem, i, j, wait, (taken + stay) / (usable * stay))
    return cost


@kernel
def least_cost(problem: Problem) -> Floats:
    """The least F that each option (R x K, CNY) can have in any plan: waits as if alone, U at its best."""
    size, options = problem.pool.shape
    cost = np.full((size, options), np.inf)
    for i in range(size):
        for j in range(options):
            pool = problem.pool[i, j]
            if pool >= 0:
                wait = max(problem.bay_free_s[problem.pool_start[pool]] - problem.arrive_s[i, j], 0.0)
                _, usable = taken_s(problem, problem.bay_free_s, problem.pool_station[pool], 0.0, 0.0)
                cost[i, j] = option_cost(problem, i, j, wait, best_busy(problem.busy_curve, 1.0 / usable))
    return cost


@kernel
def scores(problem: Problem, wait_s: Floats, busy: Floats) -> Floats:
    """F of each option (R x K, CNY) at the waits and shares given; infinite where the option breaks a constraint."""
    size, options = problem.pool.shape
    cost = np.full((size, options), np.inf)
    for i in range(size):
        for j in range(options):
            if problem.pool[i, j] >= 0:
                cost[i, j] = option_cost(problem, i, j, wait_s[i, j], busy[i, j])
    return cost
