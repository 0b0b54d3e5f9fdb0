"""Price auction over queue places (Bertsekas 1988): requests outbid each other for places until everybody has one.

A request bids for the place that is cheapest to it at the prices so far, and raises its price by what it would lose with its
second choice, plus a step. When everybody has a place, nobody pays more than a step above the best; prices that began at
zero have only risen for places that are full, so the plan is within (requests x step) of the optimum. Small steps take long:
they begin a little below the prices that larger ones led to. Whatever the prices, their `dual_cost` certifies how far the
plan is from the optimum at most.
"""

from time import monotonic

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel
from chargeloop.recommendation.problem import Problem, evaluate
from chargeloop.recommendation.solvers.assignment import Assignment
from chargeloop.recommendation.solvers.greedy import in_turn
from chargeloop.recommendation.solvers.local import polish
from chargeloop.recommendation.solvers.places import (
    PER_CNY,
    Flow,
    Places,
    dual_cost,
    floor_cost,
    open_places,
    pool_prices,
)

STEPS = (3000.0, 300.0, 30.0, 3.0)  # thousandths of a CNY
BACK = 3  # an auction begins this many of the steps before it below the prices that those led to
CLOSE = 1e-4  # of the cost: what the prices leave open, at most
SPARE = 8


def auction(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    """The plan of the last auction that the budget allowed, then moved by local search on F itself."""
    deadline_s = monotonic() + budget_s
    flow = bid_for_places(problem, deadline_s)
    bound, shadow_price = floor_cost(problem, flow.spots, flow.price), pool_prices(problem, flow.spots, flow.price)
    choice = polish(problem, flow.choice, rng, deadline_s)
    return Assignment(choice, float(evaluate(problem, choice)[2].sum()), bound, shadow_price)


def bid_for_places(problem: Problem, deadline_s: float) -> Flow:
    """Auctions with smaller and smaller steps, until the certificate is close or monotonic time `deadline_s` is reached."""
    spots = open_places(problem, expected(problem))
    price = np.zeros(len(spots.pool))
    for step in STEPS:
        spots, option, place, price = settle(problem, spots, price, step)
        cost, dual = plan_cost(problem, spots, option, place), dual_cost(problem, spots, price)
        if cost - dual <= CLOSE * abs(dual) or monotonic() > deadline_s or step == STEPS[-1]:
            break
        price = np.maximum(price - BACK * step, 0)
    return Flow(option, place, price, spots, cost, dual)


def expected(problem: Problem) -> Ints:
    """P: for how many vehicles places are opened at first: twice as many as come if each goes in turn, or a bay each."""
    option = in_turn(problem)
    going = np.flatnonzero(option >= 0)
    come = np.bincount(problem.pool[going, option[going]], minlength=len(problem.pool_station))
    return np.asarray(np.maximum(2 * come, np.diff(problem.pool_start)) + SPARE)


def settle(problem: Problem, spots: Places, price: Floats, step: float) -> tuple[Places, Ints, Ints, Floats]:
    """An auction after which no place is overfull: places, option and place of each request, price of each place.

    The last place of a pool lets everybody in: a relaxation. Where more are there than truly fit, twice as many places are
    opened; once nothing is overfull, the optimum is that of all places.
    """
    while True:
        option, place, found = bid(problem, spots, price, step)
        used = np.bincount(place[place >= 0], minlength=len(spots.pool))
        if not (used > spots.capacity).any():
            return spots, option, place, found
        spots, price = more_places(problem, spots, price, used)


def more_places(problem: Problem, spots: Places, price: Floats, used: Ints) -> tuple[Places, Floats]:
    """Places for twice as many vehicles as are in a pool (`used`: S) that is overfull, and the prices of those there were."""
    wanted, come = (np.bincount(spots.pool, each, len(problem.pool_station)) for each in (spots.capacity, used))
    overfull = spots.pool[used > spots.capacity]
    wanted[overfull] = 2 * np.maximum(wanted, come)[overfull]
    more = open_places(problem, wanted.astype(np.int64))
    kept = np.zeros(len(more.pool))
    kept[more.first[spots.pool] + np.arange(len(spots.pool)) - spots.first[spots.pool]] = price
    return more, kept


def plan_cost(problem: Problem, spots: Places, option: Ints, place: Ints) -> float:
    """CNY of a plan of the surrogate."""
    going = np.flatnonzero(option >= 0)
    first = spots.first[problem.pool[going, option[going]]]
    return float(spots.cost[spots.row[going, option[going]] + place[going] - first].sum() / PER_CNY)


@kernel
def bid(problem: Problem, spots: Places, start: Floats, step: float) -> tuple[Ints, Ints, Floats]:
    """One auction: option and place of each request (-1: has none), price of each place.

    `start`: S, where prices begin; `step`: thousandths. Each
    of a place's bays has its own price, what was bid for it; the price of the place is the least of them.
    """
    size, options = problem.pool.shape
    option, place, price = np.full(size, -1), np.full(size, -1), start.copy()
    bays = np.where(spots.room > spots.capacity, 0, spots.capacity)  # none: the place lets everybody in, and costs nothing
    bay = np.concatenate((np.zeros(1, np.int64), np.cumsum(bays)))
    bay_price, bay_owner = np.repeat(start, bays), np.full(bay[-1], -1)
    price[bays == 0] = 0.0
    waiting = np.empty(size, np.int64)
    many = 0
    for i in range(size):
        if problem.pool[i].max() >= 0:
            waiting[many] = i
            many += 1
    while many > 0:
        many -= 1
        i = waiting[many]
        best, second, j_best, k_best = np.inf, np.inf, -1, -1
        for n in range(options):
            j = spots.by_least[i, n]
            if spots.least[i, j] >= second:  # prices only add to it
                break
            pool = problem.pool[i, j]
            away = spots.row[i, j] - spots.first[pool]
            for k in range(spots.first[pool], spots.first[pool + 1]):
                total = spots.cost[away + k] + price[k]
                if total < second:
                    if total < best:
                        best, second, j_best, k_best = total, best, j, k
                    else:
                        second = total
        option[i], place[i] = j_best, k_best
        if bays[k_best] == 0:
            continue
        mine = bay[k_best] + np.argmin(bay_price[bay[k_best] : bay[k_best + 1]])
        if bay_owner[mine] >= 0:
            waiting[many] = bay_owner[mine]
            many += 1
        bay_owner[mine] = i
        bay_price[mine] = price[k_best] + step + (second - best if np.isfinite(second) else 0.0)
        price[k_best] = bay_price[bay[k_best] : bay[k_best + 1]].min()
    return option, place, price
