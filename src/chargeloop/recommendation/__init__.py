"""Which station: for one driver, or for all open requests at once, on the live state of the city."""

from chargeloop.recommendation.build import Candidates, Options, Surroundings, build
from chargeloop.recommendation.explain import reason
from chargeloop.recommendation.features import FEATURES, Seen, features
from chargeloop.recommendation.objective import (
    TERMS,
    Drivers,
    busy_cost,
    busy_curve,
    busy_price,
    others_delayed_min,
    price_over,
)
from chargeloop.recommendation.prices import NO_PRICES, DayAhead, Demand, Prices, ascend, respond, summed
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
from chargeloop.recommendation.waiting import left_by, likely_waits_s, over_by, overtakers
from chargeloop.recommendation.weights import DEFAULT, TierWeights, Weights

__all__ = [
    "DEFAULT",
    "FEATURES",
    "NO_PRICES",
    "SOLVERS",
    "TERMS",
    "Assignment",
    "Candidates",
    "DayAhead",
    "Demand",
    "Drivers",
    "Flow",
    "Options",
    "Prices",
    "Problem",
    "Seen",
    "Solver",
    "Surroundings",
    "TierWeights",
    "Weights",
    "alone",
    "alternatives",
    "ascend",
    "assign_places",
    "bid_for_places",
    "build",
    "busy_cost",
    "busy_curve",
    "busy_price",
    "evaluate",
    "features",
    "left_by",
    "likely_waits_s",
    "others_delayed_min",
    "over_by",
    "overtakers",
    "price_over",
    "reason",
    "recommend",
    "respond",
    "scores",
    "solve",
    "solver_named",
    "summed",
]
