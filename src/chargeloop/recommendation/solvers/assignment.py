"""What a solver returns."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation.problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """`choice`: R, the option of each request, -1 only where it has none. `objective`: F of that plan, CNY, by `evaluate`.

    `bound`: no plan has a smaller F. `shadow_price`: P, what one more bay would have saved this plan, CNY. None: not known.
    """

    choice: Ints
    objective: float
    bound: float | None = None
    shadow_price: Floats | None = None


class Solver(Protocol):
    """Finds a plan within about `budget_s` seconds; always returns one."""

    def __call__(self, problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment: ...
