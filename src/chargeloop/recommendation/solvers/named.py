"""A solver by its name: one of ours, or anybody's as `module:function`."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

import numpy as np

from chargeloop.model import BadInput
from chargeloop.recommendation.problem import Problem
from chargeloop.recommendation.solvers.assignment import Assignment, Solver
from chargeloop.recommendation.solvers.auction import auction
from chargeloop.recommendation.solvers.exact import exact
from chargeloop.recommendation.solvers.genetic import genetic
from chargeloop.recommendation.solvers.greedy import greedy
from chargeloop.recommendation.solvers.learned import learned
from chargeloop.recommendation.solvers.swarm import swarm

SOLVERS: Mapping[str, Solver] = MappingProxyType(
    {"exact": exact, "auction": auction, "greedy": greedy, "genetic": genetic, "swarm": swarm, "learned": learned}
)


def solver_named(name: str) -> Solver:
    """One of `SOLVERS`, or what `module:function` names.

    Raises:
        BadInput: there is none of that name, or it cannot be imported or called.
    """
    if name in SOLVERS:
        return SOLVERS[name]
    module, colon, function = name.partition(":")
    if not colon:
        raise BadInput("solver", f"no solver {name!r}; there are {', '.join(SOLVERS)}, and your own as module:function")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInput("solver", f"{name!r} cannot be imported: {error}") from None
    if not callable(found):
        raise BadInput("solver", f"{name!r} is no function of (problem, rng, budget_s)")
    return cast(Solver, found)


def solve(name: str, problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    """Run a solver and check its plan, whoever wrote it.

    Raises:
        BadInput: no such solver, or its plan is none: an option that breaks a constraint, or a request left out that has one.
    """
    found = solver_named(name)(problem, rng, budget_s)
    choice, size = np.asarray(found.choice), len(problem.pool)
    if choice.shape != (size,) or not np.issubdtype(choice.dtype, np.integer):
        raise BadInput(f"solver {name}", f"its choice must be {size} whole numbers, got {choice.dtype} of shape {choice.shape}")
    inside = (choice >= -1) & (choice < problem.pool.shape[1])
    allowed = inside & np.where(choice >= 0, problem.pool[np.arange(size), np.where(inside, choice, 0)] >= 0, True)
    left_out = (choice < 0) & (problem.pool >= 0).any(axis=1)
    wrong = np.flatnonzero(~allowed | left_out)
    if wrong.size:
        what = "is left out though it has options" if left_out[wrong[0]] else f"cannot have option {choice[wrong[0]]}"
        raise BadInput(f"solver {name}", f"request {wrong[0]} {what}; {wrong.size} of {size} requests are wrong")
    return found
