"""Solvers of one `Problem` behind one signature: `(problem, rng, budget_s) -> Assignment`."""

from chargeloop.recommendation.solvers.assignment import Assignment, Solver
from chargeloop.recommendation.solvers.auction import auction, bid_for_places
from chargeloop.recommendation.solvers.exact import assign_places, exact
from chargeloop.recommendation.solvers.genetic import genetic
from chargeloop.recommendation.solvers.greedy import greedy
from chargeloop.recommendation.solvers.learned import learned
from chargeloop.recommendation.solvers.named import SOLVERS, solve, solver_named
from chargeloop.recommendation.solvers.places import Flow, floor_cost
from chargeloop.recommendation.solvers.swarm import swarm

__all__ = [
    "SOLVERS",
    "Assignment",
    "Flow",
    "Solver",
    "assign_places",
    "auction",
    "bid_for_places",
    "exact",
    "floor_cost",
    "genetic",
    "greedy",
    "learned",
    "solve",
    "solver_named",
    "swarm",
]
