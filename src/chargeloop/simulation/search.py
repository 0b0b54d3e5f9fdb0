"""An algorithm of pymoo, asked for points and told what they come to, for a number of generations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats, Ints

if TYPE_CHECKING:
    from pymoo.core.algorithm import Algorithm

Evaluate = Callable[[Floats], Floats]  # n points x variables (each in 0..1) -> n x objectives, all to be small
Told = Callable[[int], None]  # generations done

AROUND = 0.15  # sigma of the first points around the start, of the width of each variable


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """All that was tried, in order: `points` n x variables, `values` n x objectives, `generation` n."""

    points: Floats
    values: Floats
    generation: Ints

    @property
    def best(self) -> int:
        """The one with the least first objective; the earlier of equal ones."""
        return int(np.argmin(self.values[:, 0]))

    @property
    def front(self) -> Ints:
        """Those that no other beats or equals in all objectives, by the first."""
        return non_dominated(self.values)


def search(
    method: str,
    start: Floats,
    objectives: int,
    evaluate: Evaluate,
    *,
    population: int,
    generations: int,
    seed: int,
    told: Told = lambda _: None,
) -> Searched:
    """By `ga`, `pso` or `nsga2`. The first generation is the start and points drawn around it, so nothing can end worse.

    Raises:
        BadInput: no such method, or too few points or generations.
    """
    if population < 4 or generations < 1:
        raise BadInput("search", f"want 4 points and 1 generation at least, got {population} and {generations}")
    from pymoo.core.problem import Problem  # noqa: PLC0415 (half a second that others save)

    rng = np.random.default_rng(seed)
    cloud = np.clip(start + AROUND * rng.standard_normal((population, start.size)), 0, 1)
    cloud[0] = start
    algorithm = _algorithm(method, cloud)
    space = Problem(n_var=start.size, n_obj=objectives, xl=0.0, xu=1.0)
    algorithm.setup(space, seed=seed, termination=("n_gen", generations + 1), verbose=False)
    points, values, generation = [], [], []
    for n in range(generations):
        asked = algorithm.ask()
        where = np.asarray(asked.get("X"), dtype=np.float64)
        found = evaluate(where)
        asked.set("F", found)
        algorithm.tell(infills=asked)
        points.append(where)
        values.append(found)
        generation.append(np.full(len(where), n + 1))
        told(n + 1)
    return Searched(np.concatenate(points), np.concatenate(values), np.concatenate(generation))


def _algorithm(method: str, cloud: Floats) -> "Algorithm":
    from pymoo.algorithms.moo.nsga2 import NSGA2  # noqa: PLC0415
    from pymoo.algorithms.soo.nonconvex.ga import GA  # noqa: PLC0415
    from pymoo.algorithms.soo.nonconvex.pso import PSO  # noqa: PLC0415

    kinds = {"ga": GA, "pso": PSO, "nsga2": NSGA2}
    if method not in kinds:
        raise BadInput("method", f"there is no {method!r}; there are: {', '.join(kinds)}")
    return kinds[method](pop_size=len(cloud), sampling=cloud)


def non_dominated(values: Floats) -> Ints:
    """Rows that no other row equals or beats in every column (of equal rows the first stays), by the first column."""
    kept = [
        n
        for n, row in enumerate(values)
        if not ((values <= row).all(axis=1) & ((values < row).any(axis=1) | (np.arange(len(values)) < n))).any()
    ]
    return np.array(sorted(kept, key=lambda n: tuple(values[n])), dtype=np.int64)


def hypervolumes(searched: Searched, reference: Floats, ideal: Floats) -> list[float]:
    """After each generation: of the box between `ideal` and `reference`, the share that all tried until then dominate."""
    from pymoo.indicators.hv import HV  # noqa: PLC0415

    scaled = (searched.values - ideal) / (reference - ideal)
    volume = HV(ref_point=np.ones(scaled.shape[1]))
    last = int(searched.generation.max())
    return [float(volume(scaled[searched.generation <= n])) for n in range(1, last + 1)]
