"""Exact assignment to queue places (see `places`), as a min-cost flow from the requests through the places.

Most of the network is never used, so it is left out: an auction with coarse steps gives prices at which nearly all arcs cost
far more than the best of their request, and only the others are given to the flow. Prices of the places that the flow's
optimum leads to then prove that nothing left out is worth having, or say what is, which is added.
"""

from time import monotonic

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel
from chargeloop.recommendation.problem import Problem, evaluate
from chargeloop.recommendation.solvers.assignment import Assignment
from chargeloop.recommendation.solvers.auction import BACK, expected, more_places, plan_cost, settle
from chargeloop.recommendation.solvers.local import polish
from chargeloop.recommendation.solvers.places import (
    Flow,
    Places,
    cheapest,
    dual_cost,
    floor_cost,
    open_places,
    pool_prices,
)

Arcs = tuple[Ints, Ints, Ints, Floats]

COARSE, FINE = (1000.0, 100.0), 10.0  # steps of the auction, thousandths of a CNY
NEAR = 15.0  # steps of the auction that an arc may cost more than the best of its request, to be in the flow


def exact(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    """The optimum of the surrogate, then moved by local search on F itself while the budget lasts."""
    deadline_s = monotonic() + budget_s
    flow = assign_places(problem)
    bound = floor_cost(problem, flow.spots, flow.price)
    saved = least_prices(problem, flow.spots, flow.choice, flow.place)
    choice = polish(problem, flow.choice, rng, deadline_s)
    return Assignment(choice, float(evaluate(problem, choice)[2].sum()), bound, pool_prices(problem, flow.spots, saved))


def assign_places(problem: Problem) -> Flow:
    """Solve the surrogate. Requests without any option stay out of it."""
    spots = open_places(problem, expected(problem))
    price = np.zeros(len(spots.pool))
    for step in COARSE:
        spots, _, _, price = settle(problem, spots, price, step)
        price = np.maximum(price - BACK * step, 0)
    while True:
        spots, _, _, price = settle(problem, spots, price, FINE)
        option, place, price = solve(problem, spots, price)
        used = np.bincount(place[place >= 0], minlength=len(spots.pool))
        if not (used > spots.capacity).any():
            break
        spots, price = more_places(problem, spots, price, used)
    return Flow(option, place, price, spots, plan_cost(problem, spots, option, place), dual_cost(problem, spots, price))


def solve(problem: Problem, spots: Places, price: Floats) -> tuple[Ints, Ints, Floats]:
    """The optimum over all arcs: option and place of each request (-1: has none), and prices of the places that prove it.

    `price`: S, of an auction with the step `FINE`, so that its plan is among the arcs that the flow begins with.
    """
    arcs = arcs_below(problem, spots, price, cheapest(problem, spots, price) + NEAR * FINE)
    while True:
        option, place, price, paid = cheapest_flow(problem, spots, arcs, price)
        missing = arcs_below(problem, spots, price, paid - 1)
        if not len(missing[0]):
            return option, place, price
        request, option, place, cost = (np.concatenate(both) for both in zip(arcs, missing, strict=True))
        arcs = request, option, place, cost


def cheapest_flow(problem: Problem, spots: Places, arcs: Arcs, start: Floats) -> tuple[Ints, Ints, Floats, Floats]:
    """The optimum over `arcs`: option and place of each request, price of each place, and what each request pays at them.

    `start`: S, prices near those that are looked for.
    """
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 (a fifth of a second that greedy users save)

    request, option, place, cost = arcs
    served, node = np.unique(request, return_inverse=True)
    wanted, there = np.unique(place, return_inverse=True)
    size, sink = len(served), len(served) + len(wanted)
    tail, head = np.concatenate([node, np.arange(size, sink)]), np.concatenate([size + there, np.full(len(wanted), sink)])
    most = np.concatenate([np.ones(len(request), dtype=np.int64), spots.room[wanted]])
    price = np.concatenate([cost, np.zeros(len(wanted))]).astype(np.int64)
    network = min_cost_flow.SimpleMinCostFlow()
    every_arc = network.add_arcs_with_capacity_and_unit_cost(tail, head, most, price)
    network.set_nodes_supplies(np.arange(size), np.ones(size, dtype=np.int64))
    network.set_node_supply(sink, -size)
    status = network.solve()
    if status != network.OPTIMAL:  # cannot be: the last place of each pool has room for all
        raise RuntimeError(f"min-cost flow ended with {status.name}")
    sent = network.flows(every_arc)
    full = sent[len(request) :] == spots.room[wanted]
    potential = np.concatenate([np.zeros(size), np.where(full, -start[wanted], 0.0), [0.0]]).astype(np.int64)
    settle_potentials(potential, tail, head, most, price, sent)
    place_price = np.zeros(len(spots.pool))
    place_price[wanted] = np.maximum(potential[sink] - potential[size:sink], 0)
    taken = np.flatnonzero(sent[: len(request)])
    chosen, at, paid = (np.full(len(problem.pool), nothing) for nothing in (-1, -1, -np.inf))
    chosen[request[taken]], at[request[taken]] = option[taken], place[taken]
    paid[request[taken]] = cost[taken] + place_price[place[taken]]
    return chosen, at, place_price, paid


@kernel
def arcs_below(problem: Problem, spots: Places, price: Floats, limit: Floats) -> Arcs:
    """The places that cost a request no more than its `limit` (R) at these prices: request, option, place, cost of each."""
    request, option, place, cost = [0], [0], [0], [0.0]
    for i in range(problem.pool.shape[0]):
        for n in range(problem.pool.shape[1]):
            j = spots.by_least[i, n]
            if not spots.least[i, j] <= limit[i] or np.isinf(spots.least[i, j]):
                break
            away = spots.row[i, j] - spots.first[problem.pool[i, j]]
            for k in range(spots.first[problem.pool[i, j]], spots.first[problem.pool[i, j] + 1]):
                if spots.cost[away + k] + price[k] <= limit[i]:
                    request.append(i)
                    option.append(j)
                    place.append(k)
                    cost.append(spots.cost[away + k])
    return np.array(request[1:]), np.array(option[1:]), np.array(place[1:]), np.array(cost[1:])


@kernel
def settle_potentials(potential: Ints, tail: Ints, head: Ints, room: Ints, price: Ints, flow: Ints) -> None:
    """Lower potentials until no arc with room left, and none back along the flow, gains: Bellman and Ford, from any start."""
    for _ in range(potential.size):
        changed = False
        for a in range(tail.size):
            t, h = tail[a], head[a]
            if flow[a] < room[a] and potential[t] + price[a] < potential[h]:
                potential[h] = potential[t] + price[a]
                changed = True
            if flow[a] > 0 and potential[h] - price[a] < potential[t]:
                potential[t] = potential[h] - price[a]
                changed = True
        if not changed:
            break


@kernel
def least_prices(problem: Problem, spots: Places, option: Ints, place: Ints) -> Floats:
    """S: the smallest prices that prove this optimum, thousandths: what one more bay at each place would have saved.

    Somebody moves there and leaves a bay, which saves again. From nothing upwards: who stands at a place that has become
    dearer is asked again where a move would save more.
    """
    size = problem.pool.shape[0]
    price = np.zeros(spots.pool.size)
    first, after = np.full(price.size, -1), np.full(size, -1)
    asked, waiting, many = np.empty(size, np.int64), np.zeros(size, np.bool_), 0
    for i in range(size):
        if place[i] >= 0:
            after[i], first[place[i]] = first[place[i]], i
            asked[many] = i
            waiting[i] = True
            many += 1
    while many > 0:
        many -= 1
        i = asked[many]
        waiting[i] = False
        here = spots.cost[spots.row[i, option[i]] + place[i] - spots.first[problem.pool[i, option[i]]]] + price[place[i]]
        for n in range(problem.pool.shape[1]):
            j = spots.by_least[i, n]
            if spots.least[i, j] >= here:
                break
            away = spots.row[i, j] - spots.first[problem.pool[i, j]]
            for k in range(spots.first[problem.pool[i, j]], spots.first[problem.pool[i, j] + 1]):
                if here - spots.cost[away + k] <= price[k]:
                    continue
                price[k] = here - spots.cost[away + k]
                other = first[k]
                while other >= 0:
                    if not waiting[other]:
                        asked[many] = other
                        waiting[other] = True
                        many += 1
                    other = after[other]
    return price
