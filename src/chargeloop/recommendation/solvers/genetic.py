"""A genetic algorithm on F itself: a key for each request says which of its options, from the cheapest on, it takes."""

from functools import partial
from time import monotonic

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation.problem import Problem, alone
from chargeloop.recommendation.solvers.assignment import Assignment
from chargeloop.recommendation.solvers.evolution import around, evolve
from chargeloop.recommendation.solvers.greedy import in_turn

PLANS = 40  # in a generation


def genetic(problem: Problem, rng: np.random.Generator, budget_s: float, *, warm: bool = True) -> Assignment:
    """Uniform crossover and polynomial mutation (Deb) of keys. `warm`: around the plan in which each goes in turn."""
    from pymoo.algorithms.soo.nonconvex.ga import GA  # noqa: PLC0415 (half a second that others save)
    from pymoo.operators.crossover.ux import UniformCrossover  # noqa: PLC0415

    deadline_s = monotonic() + budget_s
    ranked, many = ranking(problem)
    start = in_turn(problem) if warm else None
    size = len(many)
    sampling = rng.random((PLANS, size)) if start is None else around(keys_of(start, ranked, many), PLANS, rng)
    algorithm = GA(pop_size=PLANS, sampling=sampling, crossover=UniformCrossover(), eliminate_duplicates=False)
    return Assignment(*evolve(problem, algorithm, size, partial(plan_of, ranked=ranked, many=many), start, rng, deadline_s))


def ranking(problem: Problem) -> tuple[Ints, Ints]:
    """R x K, the options of each request from the one that is cheapest alone on; R, how many it has."""
    return np.argsort(alone(problem), axis=1, kind="stable"), (problem.pool >= 0).sum(axis=1)


def plan_of(keys: Floats, ranked: Ints, many: Ints) -> Ints:
    """From keys in 0..1 to options, -1 where there is none."""
    rank = np.minimum((keys * many).astype(np.int64), np.maximum(many - 1, 0))
    return np.where(many > 0, ranked[np.arange(len(many)), rank], -1)


def keys_of(plan: Ints, ranked: Ints, many: Ints) -> Floats:
    """The keys, in the middle of their intervals, that stand for a plan."""
    rank = np.argmax(ranked == plan[:, None], axis=1)
    return np.asarray((rank + 0.5) / np.maximum(many, 1))
