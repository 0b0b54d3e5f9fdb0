"""A particle swarm on F itself: a key for each pool is a price there, and each request in turn takes what is then cheapest.

As many numbers as there are pools, not requests; prices that draw apart who would crowd.
"""

from time import monotonic

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation.problem import Problem, alone
from chargeloop.recommendation.solvers.assignment import Assignment
from chargeloop.recommendation.solvers.evolution import around, evolve
from chargeloop.recommendation.solvers.greedy import take_turns

PARTICLES = 25


def swarm(problem: Problem, rng: np.random.Generator, budget_s: float, *, warm: bool = True) -> Assignment:
    """Adaptive particle swarm. `warm`: around no prices at all, the plan in which each goes in turn."""
    from pymoo.algorithms.soo.nonconvex.pso import PSO  # noqa: PLC0415 (half a second that others save)

    deadline_s = monotonic() + budget_s
    order, dearest = np.argsort(problem.turn, kind="stable"), price_range(problem)
    pools = len(problem.pool_station)

    def plan_of(keys: Floats) -> Ints:
        return take_turns(problem, order, keys * dearest)

    start = plan_of(np.zeros(pools)) if warm else None
    sampling = around(np.zeros(pools), PARTICLES, rng) if warm else rng.random((PARTICLES, pools))
    algorithm = PSO(pop_size=PARTICLES, sampling=sampling)
    return Assignment(*evolve(problem, algorithm, pools, plan_of, start, rng, deadline_s))


def price_range(problem: Problem) -> float:
    """CNY: by how much the options of the middle request differ; a price above that keeps it away."""
    cost = alone(problem)
    cost = cost[np.isfinite(cost).any(axis=1)]
    if not len(cost):
        return 0.0
    return float(np.median(np.where(np.isfinite(cost), cost, -np.inf).max(axis=1) - cost.min(axis=1)))
