"""Which station: for one driver, or for all open requests at once, on the live state of the city."""

from chargeloop.recommendation.build import Candidates, Options, Surroundings, build
from chargeloop.recommendation.explain import reason
from chargeloop.recommendation.objective import (
    TERMS,
    Drivers,
    busy_cost,
    busy_curve,
    busy_price,
    others_delayed_min,
    price_over,
)
from chargeloop.recommendation.problem import Problem, alone, alternatives, evaluate, scores
from chargeloop.recommendation.recommend import recommend
from chargeloop.recommendation.solvers import (
    SOLVERS,
    Assignment,
    Flow,
    Solver,
    assign_places,
    bid_for_places,
    solve,
    solver_named,
)
from chargeloop.recommendation.waiting import wait_margins_s
from chargeloop.recommendation.weights import DEFAULT, TierWeights, Weights

__all__ = [
    "DEFAULT",
    "SOLVERS",
    "TERMS",
    "Assignment",
    "Candidates",
    "Drivers",
    "Flow",
    "Options",
    "Problem",
    "Solver",
    "Surroundings",
    "TierWeights",
    "Weights",
    "alone",
    "alternatives",
    "assign_places",
    "bid_for_places",
    "build",
    "busy_cost",
    "busy_curve",
    "busy_price",
    "evaluate",
    "others_delayed_min",
    "price_over",
    "reason",
    "recommend",
    "scores",
    "solve",
    "solver_named",
    "wait_margins_s",
]
