"""Solvers of one `Problem` behind one signature: `(problem, rng, budget_s) -> Assignment`."""

from collections.abc import Mapping
from types import MappingProxyType

from chargeloop.recommendation.solvers.assignment import Assignment, Solver
from chargeloop.recommendation.solvers.auction import auction
from chargeloop.recommendation.solvers.exact import exact
from chargeloop.recommendation.solvers.greedy import greedy

SOLVERS: Mapping[str, Solver] = MappingProxyType({"exact": exact, "auction": auction, "greedy": greedy})

__all__ = ["SOLVERS", "Assignment", "Solver", "auction", "exact", "greedy"]
