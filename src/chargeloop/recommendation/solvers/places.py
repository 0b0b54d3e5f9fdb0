"""Queue places: the surrogate that `exact` solves and `auction` bids in.

Every pool has *places*, the instants at which the 1st, 2nd, .. vehicle it is sent can begin, if each before it held its bay
for the shortest stay anybody here has in mind. A request at a place waits from its own arrival until that instant; its U
counts the vehicles that are there already. Places within the same two minutes are one, which takes as many requests. So the
wait of the k-th additional arrival at a pool is a row of places with rising costs, priced with every request's own arrival
and value of time.

No plan can begin earlier than its places say. So with U at its best for everybody, prices of places give a number that is
below F of every plan (`floor_cost`): the bound.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel, take_bay
from chargeloop.recommendation.objective import best_busy, busy_cost
from chargeloop.recommendation.problem import Problem, option_cost, taken_at, taken_s

PLACE_S = 120.0
PER_CNY = 1000.0  # costs and prices of places count in whole thousandths, costs rounded down


class Places(NamedTuple):
    """S places of P pools, open to the options of R requests. A tuple, so that kernels can take it.

    The places of pool p are `first[p]:first[p + 1]`, in order of time. A request's option (i, j) at place k of its pool p
    costs `cost[row[i, j] + k - first[p]]` thousandths of a CNY.
    """

    pool: Ints  # S, rising
    begin_s: Floats  # S, earliest instant
    capacity: Ints  # S, how many requests truly fit
    room: Ints  # S, how many are let in: in the last place of a pool all who might come
    first: Ints  # P + 1
    row: Ints  # R x K
    cost: Floats
    least: Floats  # R x K, the cost of each option's cheapest place; infinite where it is none
    by_least: Ints  # R x K, the options with `least` rising


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A plan of the surrogate. `dual_cost` comes from the prices alone: no plan costs less, so equal to `cost` it is a proof.

    `choice`, `place`: R, option and place of each request, -1 for none; `price`: S, thousandths; both costs in CNY.
    """

    choice: Ints
    place: Ints
    price: Floats
    spots: Places
    cost: float
    dual_cost: float


def open_places(problem: Problem, wanted: Ints) -> Places:
    """The first places of each pool, enough for `wanted` (P) vehicles, with their costs for everybody."""
    pool, begin_s, capacity, room = places(problem, wanted)
    first = np.searchsorted(pool, np.arange(len(problem.pool_station) + 1))
    many = np.where(problem.pool >= 0, np.diff(first)[problem.pool], 0)
    row = (np.cumsum(many) - many.ravel()).reshape(many.shape)
    cost, least = np.empty(int(many.sum())), np.full(many.shape, np.inf)
    price_places(problem, begin_s, first, row, cost, least)
    return Places(pool, begin_s, capacity, room, first, row, cost, least, np.argsort(least, axis=1))


@kernel
def places(problem: Problem, wanted: Ints) -> tuple[Ints, Floats, Ints, Ints]:
    """Pool, instant, capacity and room of the places of the pools somebody may go to; see `Places`."""
    pools = problem.pool_station.size
    interested, seen_by = np.zeros(pools, np.int64), np.full(pools, -1)
    first_s, shortest_s = np.full(pools, np.inf), np.full(pools, np.inf)
    for i in range(problem.pool.shape[0]):
        for j in range(problem.pool.shape[1]):
            p = problem.pool[i, j]
            if p >= 0:
                first_s[p] = min(first_s[p], problem.arrive_s[i, j])
                shortest_s[p] = min(shortest_s[p], problem.stay_s[i, j])
                if seen_by[p] != i:
                    interested[p] += 1
                    seen_by[p] = i
    opened = np.minimum(interested, np.maximum(wanted, 1))
    most = opened.sum()
    pool, begin_s, capacity = np.empty(most, np.int64), np.empty(most), np.empty(most, np.int64)
    room = np.empty(most, np.int64)
    n = 0
    for p in range(pools):
        if interested[p] == 0:
            continue
        free = np.maximum(problem.bay_free_s[problem.pool_start[p] : problem.pool_start[p + 1]], first_s[p])
        first = n
        for vehicle in range(interested[p]):
            start = np.floor(free[0] / PLACE_S) * PLACE_S
            take_bay(free, free[0], shortest_s[p])
            if n > first and start == begin_s[n - 1]:
                capacity[n - 1] += 1
            elif vehicle >= opened[p]:
                break
            else:
                pool[n], begin_s[n], capacity[n] = p, start, 1
                n += 1
        room[first:n] = capacity[first:n]
        room[n - 1] += interested[p] - capacity[first:n].sum()
    return pool[:n], begin_s[:n], capacity[:n], room[:n]


@kernel
def price_places(problem: Problem, begin_s: Floats, first: Ints, row: Ints, cost: Floats, least: Floats) -> None:
    """Fill in `cost`, F of every request at every place of its options, and `least` of each option."""
    for i in range(problem.pool.shape[0]):
        wait_rate, late_rate = problem.wait_rate[i], problem.late_rate[i]
        for j in range(problem.pool.shape[1]):
            pool = problem.pool[i, j]
            if pool < 0:
                continue
            stay, arrive = problem.stay_s[i, j], problem.arrive_s[i, j]
            over, fixed = problem.over_s[i, j], problem.fixed[i, j]
            station = problem.pool_station[pool]
            first_pool, end_pool = problem.station_pool[station], problem.station_pool[station + 1]
            at, there, before = row[i, j], 0.0, -1.0
            for k in range(first[pool], first[pool + 1]):
                wait = max(begin_s[k] - arrive, 0.0)
                if wait != before:  # places that are free before the request gets there are all the same to it
                    taken, usable = taken_at(problem.bay_free_s, problem.pool_start, first_pool, end_pool, arrive + wait, stay)
                    busy = busy_cost(problem.busy_curve, min((taken + stay) / (usable * stay), 1.0))
                    there = np.floor(PER_CNY * (fixed + wait_rate * wait + late_rate * max(over + wait, 0.0) + busy))
                    least[i, j] = min(least[i, j], there)
                    before = wait
                cost[at] = there
                at += 1


def dual_cost(problem: Problem, spots: Places, price: Floats) -> float:
    """CNY: every request at its cheapest place at these prices (S, thousandths), less what the places earn.

    Below the cost of every plan of the surrogate, whatever the prices (not negative); equal to the optimum at the best ones.
    """
    least = cheapest(problem, spots, price)
    return float((least[np.isfinite(least)].sum() - (spots.room * price).sum()) / PER_CNY)


@kernel
def cheapest(problem: Problem, spots: Places, price: Floats) -> Floats:
    """R: what each request pays at its cheapest place at these prices; infinite where it has none."""
    least = np.full(problem.pool.shape[0], np.inf)
    for i in range(problem.pool.shape[0]):
        for n in range(problem.pool.shape[1]):
            j = spots.by_least[i, n]
            if spots.least[i, j] >= least[i]:  # prices only add to it
                break
            pool = problem.pool[i, j]
            away = spots.row[i, j] - spots.first[pool]
            for k in range(spots.first[pool], spots.first[pool + 1]):
                least[i] = min(least[i], spots.cost[away + k] + price[k])
    return least


@kernel
def floor_cost(problem: Problem, spots: Places, price: Floats) -> float:
    """CNY: `dual_cost` with U at its best for everybody, so that it is below F of every plan."""
    total = -(spots.room * price).sum() / PER_CNY
    usable = np.zeros(problem.pool_station.size, np.int64)
    for p in range(usable.size):
        usable[p] = taken_s(problem, problem.bay_free_s, problem.pool_station[p], 0.0, 0.0)[1]
    for i in range(problem.pool.shape[0]):
        least = np.inf
        for j in range(problem.pool.shape[1]):
            pool = problem.pool[i, j]
            if pool < 0:
                continue
            busy = best_busy(problem.busy_curve, 1.0 / usable[pool])
            for k in range(spots.first[pool], spots.first[pool + 1]):
                wait = max(spots.begin_s[k] - problem.arrive_s[i, j], 0.0)
                least = min(least, option_cost(problem, i, j, wait, busy) + price[k] / PER_CNY)
        if np.isfinite(least):
            total += least
    return float(total)


def pool_prices(problem: Problem, spots: Places, price: Floats) -> Floats:
    """P, CNY: the price of the dearest place of each pool."""
    dearest = np.zeros(len(problem.pool_station))
    np.maximum.at(dearest, spots.pool, price / PER_CNY)
    return dearest
