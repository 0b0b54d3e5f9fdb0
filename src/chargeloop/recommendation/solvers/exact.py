"""Exact assignment to queue places, as a min-cost flow.

The surrogate that is solved exactly: every pool has *places*, the instants at which the 1st, 2nd, .. vehicle it is sent
can begin, if each before it held its bay for the shortest stay anybody here has in mind. A request at a place waits from
its own arrival until that instant; its U counts the vehicles that are there already. Each place takes one request (places
within the same two minutes are one arc of larger capacity), so the wait of the k-th additional arrival at a pool is a row of
unit-capacity arcs with rising costs, priced with every request's own arrival and value of time.

No plan can begin earlier than its places say. So with U at its best for everybody, the surrogate's prices give a number
that is below F of every plan: the bound.
"""

from dataclasses import dataclass
from time import monotonic

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel, take_bay
from chargeloop.recommendation.objective import best_busy
from chargeloop.recommendation.problem import Problem, evaluate, option_cost, taken_s
from chargeloop.recommendation.solvers.assignment import Assignment
from chargeloop.recommendation.solvers.local import polish

FIRST_PLACES = 6
PLACE_S = 120.0
PER_CNY = 1000  # the flow counts in whole thousandths


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """The surrogate's optimum. `dual_cost` is computed from the prices alone: equal to `cost`, it proves it optimal.

    `choice`: R; `cost`, `dual_cost`: CNY of the surrogate; `bound`: CNY, below F of every plan; `shadow_price`: P, CNY.
    """

    choice: Ints
    cost: float
    dual_cost: float
    bound: float
    shadow_price: Floats


def exact(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    """The optimum of the surrogate, then moved by local search on F itself while the budget lasts."""
    deadline_s = monotonic() + budget_s
    flow = assign_places(problem)
    choice = polish(problem, flow.choice, rng, deadline_s)
    return Assignment(choice, float(evaluate(problem, choice)[2].sum()), flow.bound, flow.shadow_price)


def assign_places(problem: Problem) -> Flow:
    """Solve the surrogate. Requests without any option stay out of it.

    At first only a few places of each pool are opened, the last with room for all: a relaxation. Where its optimum puts more
    there than truly fit, twice as many are opened; once nothing is overfull, the optimum is that of all places.
    """
    opened = np.full(len(problem.pool_station), FIRST_PLACES)
    while True:
        place_pool, place_s, capacity, room = places(problem, opened)
        flow, used = _solve(problem, place_pool, place_s, room)
        overfull = place_pool[used > capacity]
        if not len(overfull):
            return flow
        opened[overfull] *= 2


def _solve(problem: Problem, place_pool: Ints, place_s: Floats, room: Ints) -> tuple[Flow, Ints]:
    """The cheapest flow from the requests through the places, and how many requests each place got."""
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 (a fifth of a second that greedy users save)

    size, sink = len(problem.pool), len(problem.pool) + len(place_s)
    choice, shadow_price = np.full(size, -1), np.zeros(len(problem.pool_station))
    request, option, place, cost, floor = arcs(problem, place_pool, place_s)
    served = np.flatnonzero((problem.pool >= 0).any(axis=1))
    if not len(served):
        return Flow(choice, 0.0, 0.0, 0.0, shadow_price), np.zeros(0, dtype=np.int64)
    units = np.floor(cost * PER_CNY).astype(np.int64)  # down, so that the bound stays one
    tail = np.concatenate([request, size + np.arange(len(place_s))])
    head = np.concatenate([size + place, np.full(len(place_s), sink)])
    most = np.concatenate([np.ones(len(request), dtype=np.int64), room])
    price = np.concatenate([units, np.zeros(len(place_s), dtype=np.int64)])
    network = min_cost_flow.SimpleMinCostFlow()
    every_arc = network.add_arcs_with_capacity_and_unit_cost(tail, head, most, price)
    network.set_nodes_supplies(served, np.ones(len(served), dtype=np.int64))
    network.set_node_supply(sink, -len(served))
    status = network.solve()
    if status != network.OPTIMAL:  # cannot be: the last place of each pool has room for all
        raise RuntimeError(f"min-cost flow ended with {status.name}")
    units_sent = network.flows(every_arc)
    taken = np.flatnonzero(units_sent[: len(request)])
    choice[request[taken]] = option[taken]
    potential = potentials(sink + 1, tail, head, most, price, units_sent)
    place_price = np.maximum(potential[sink] - potential[size:sink], 0) / PER_CNY
    np.maximum.at(shadow_price, place_pool, place_price)
    flow = Flow(
        choice=choice,
        cost=network.optimal_cost() / PER_CNY,
        dual_cost=lagrangian(size, request, place, units / PER_CNY, room, place_price),
        bound=lagrangian(size, request, place, floor, room, place_price),
        shadow_price=shadow_price,
    )
    return flow, np.bincount(place[taken], minlength=len(place_s))


@kernel
def places(problem: Problem, opened: Ints) -> tuple[Ints, Floats, Ints, Ints]:
    """The first queue places of the pools somebody may go to; `opened`: P, how many of each.

    Returns pool (rising), earliest instant, how many requests truly fit in each, and how many are let in: in the last of a
    pool all who might come.
    """
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
    most = np.minimum(interested, opened).sum()
    place_pool, place_s, capacity = np.empty(most, np.int64), np.empty(most), np.empty(most, np.int64)
    room = np.empty(most, np.int64)
    n = 0
    for p in range(pools):
        if interested[p] == 0:
            continue
        free = np.maximum(problem.bay_free_s[problem.pool_start[p] : problem.pool_start[p + 1]], first_s[p])
        left, first = interested[p], n
        while left > 0:
            start = np.floor(free[0] / PLACE_S) * PLACE_S
            take_bay(free, free[0], shortest_s[p])
            if n > first and start == place_s[n - 1]:
                capacity[n - 1] += 1
            elif n - first == opened[p]:
                break
            else:
                place_pool[n], place_s[n], capacity[n] = p, start, 1
                n += 1
            left -= 1
        room[first:n] = capacity[first:n]
        room[n - 1] += left
    return place_pool[:n], place_s[:n], capacity[:n], room[:n]


@kernel
def arcs(problem: Problem, place_pool: Ints, place_s: Floats) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    """Every request with every place of its options: request, option, place, F there, and F with U at its best."""
    first = np.searchsorted(place_pool, np.arange(problem.pool_station.size + 1))
    count = 0
    for pool in problem.pool.ravel():
        if pool >= 0:
            count += first[pool + 1] - first[pool]
    request, option, place = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    cost, floor = np.empty(count), np.empty(count)
    n = 0
    for i in range(problem.pool.shape[0]):
        for j in range(problem.pool.shape[1]):
            pool = problem.pool[i, j]
            if pool < 0:
                continue
            stay, arrive, station = problem.stay_s[i, j], problem.arrive_s[i, j], problem.pool_station[pool]
            for k in range(first[pool], first[pool + 1]):
                wait = max(place_s[k] - arrive, 0.0)
                taken, usable = taken_s(problem, problem.bay_free_s, station, arrive + wait, stay)
                busy = min((taken + stay) / (usable * stay), 1.0)
                request[n], option[n], place[n] = i, j, k
                cost[n] = option_cost(problem, i, j, wait, busy)
                floor[n] = option_cost(problem, i, j, wait, best_busy(problem.busy_curve, 1.0 / usable))
                n += 1
    return request, option, place, cost, floor


@kernel
def lagrangian(size: int, request: Ints, place: Ints, cost: Floats, capacity: Ints, place_price: Floats) -> float:
    """Cost of letting every request have its cheapest place at these prices, less what the places earn.

    Below the cost of every assignment, whatever the prices (not negative); equal to the optimum at the best ones.
    """
    least = np.full(size, np.inf)
    for a in range(request.size):
        least[request[a]] = min(least[request[a]], cost[a] + place_price[place[a]])
    total = 0.0
    for i in range(size):
        if np.isfinite(least[i]):
            total += least[i]
    return float(total - (capacity * place_price).sum())


@kernel
def potentials(nodes: int, tail: Ints, head: Ints, room: Ints, price: Ints, flow: Ints) -> Ints:
    """Node potentials of an optimal flow: shortest distances in its residual graph, by Bellman and Ford."""
    distance = np.zeros(nodes, np.int64)
    for _ in range(nodes):
        changed = False
        for a in range(tail.size):
            t, h = tail[a], head[a]
            if flow[a] < room[a] and distance[t] + price[a] < distance[h]:
                distance[h] = distance[t] + price[a]
                changed = True
            if flow[a] > 0 and distance[h] - price[a] < distance[t]:
                distance[t] = distance[h] - price[a]
                changed = True
        if not changed:
            break
    return distance
