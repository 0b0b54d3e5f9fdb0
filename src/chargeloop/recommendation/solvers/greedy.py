"""Greedy: one request after the other takes its best option, and those after it see the bay as taken."""

from time import monotonic

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel, take_bay
from chargeloop.recommendation.problem import Problem, alone, evaluate, option_cost, taken_s
from chargeloop.recommendation.solvers.assignment import Assignment
from chargeloop.recommendation.solvers.local import polish


def greedy(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    """In the order of turn (emergency first), then of regret: who would lose most by the second-best option goes first."""
    deadline_s = monotonic() + budget_s
    order = np.lexsort((-regret(alone(problem)), problem.turn))
    choice = polish(problem, take_turns(problem, order, np.zeros(len(problem.pool_station))), rng, deadline_s)
    return Assignment(choice, float(evaluate(problem, choice)[2].sum()))


def regret(cost: Floats) -> Floats:
    """What each request loses if it gets its second-best option, CNY; infinite where there is none."""
    if cost.shape[1] < 2:
        return np.full(cost.shape[0], np.inf)
    two = np.partition(cost, 1, axis=1)
    return np.asarray(two[:, 1] - np.where(np.isfinite(two[:, 0]), two[:, 0], 0.0))


def in_turn(problem: Problem) -> Ints:
    """The plan in which everybody goes in turn, without further thought."""
    return take_turns(problem, np.argsort(problem.turn, kind="stable"), np.zeros(len(problem.pool_station)))


@kernel
def take_turns(problem: Problem, order: Ints, price: Floats) -> Ints:
    """Each request of `order` commits the bay of its cheapest option as things stand then; -1 where it has none.

    `price`: P, CNY that an option there costs on top.
    """
    choice = np.full(order.size, -1)
    free = problem.bay_free_s.copy()
    for i in order:
        best_cost = np.inf
        for j in range(problem.pool.shape[1]):
            pool = problem.pool[i, j]
            if pool < 0:
                continue
            arrive, stay = problem.arrive_s[i, j], problem.stay_s[i, j]
            wait = max(free[problem.pool_start[pool]] - arrive, 0.0)
            taken, usable = taken_s(problem, free, problem.pool_station[pool], arrive + wait, stay)
            cost = option_cost(problem, i, j, wait, min((taken + stay) / (usable * stay), 1.0))
            if cost + price[pool] < best_cost:
                best_cost, choice[i] = cost + price[pool], j
        if choice[i] >= 0:
            pool = problem.pool[i, choice[i]]
            bays = free[problem.pool_start[pool] : problem.pool_start[pool + 1]]
            take_bay(bays, problem.arrive_s[i, choice[i]], problem.stay_s[i, choice[i]])
    return choice
