"""What `genetic` and `swarm` share: an algorithm of pymoo, asked for points and told their F, until time is up."""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation.problem import Problem, evaluate

if TYPE_CHECKING:
    from pymoo.core.algorithm import Algorithm

ANEW = 0.01  # of a start's keys that each of the points around it draws anew


def evolve(
    problem: Problem,
    algorithm: "Algorithm",
    keys: int,
    decode: Callable[[Floats], Ints],
    start: Ints | None,
    rng: np.random.Generator,
    deadline_s: float,
) -> tuple[Ints, float]:
    """The best plan met, with its F, until monotonic time `deadline_s`; at least one is tried.

    `decode`: from `keys` numbers in 0..1 to a plan. `start`: a plan that is known already.
    """
    from pymoo.core.problem import Problem as Space  # noqa: PLC0415 (half a second that others save)

    algorithm.setup(Space(n_var=keys, n_obj=1, xl=0.0, xu=1.0), seed=int(rng.integers(2**31)), termination=("n_gen", 10**9))
    best = decode(rng.random(keys)) if start is None else start
    least = float(evaluate(problem, best)[2].sum())
    is_open = bool(((problem.pool >= 0).sum(axis=1) > 1).any())  # somebody has more than one option
    while is_open and monotonic() < deadline_s:
        points = algorithm.ask()
        found = np.full(len(points), np.inf)
        for n, point in enumerate(points.get("X")):
            plan = decode(point)
            found[n] = evaluate(problem, plan)[2].sum()
            if found[n] < least:
                best, least = plan, float(found[n])
            if monotonic() > deadline_s:
                return best, least
        points.set("F", found[:, None])
        algorithm.tell(infills=points)
    return best, least


def around(start: Floats, points: int, rng: np.random.Generator) -> Floats:
    """points x keys: the start itself, then copies in which a few keys are drawn anew."""
    cloud = np.tile(start, (points, 1))
    anew = rng.random(cloud.shape) < max(ANEW, 1 / max(start.size, 1))
    anew[0] = False
    cloud[anew] = rng.random(int(anew.sum()))
    return cloud
