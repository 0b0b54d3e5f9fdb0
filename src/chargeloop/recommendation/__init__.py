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
from chargeloop.recommendation.prices import NO_PRICES, DayAhead, Demand, Prices, ascend, respond, summed
from chargeloop.recommendation.problem import Problem, alone, alternatives, evaluate, scores
from chargeloop.recommendation.promises import line_wait_s, turns, wait_quantiles_s
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
from chargeloop.recommendation.waiting import Z90, left_by, likely_waits_s, over_by, overtakers
from chargeloop.recommendation.weights import DEFAULT, TierWeights, Weights

__all__ = [
    "DEFAULT",
    "NO_PRICES",
    "SOLVERS",
    "TERMS",
    "Z90",
    "Assignment",
    "Candidates",
    "DayAhead",
    "Demand",
    "Drivers",
    "Flow",
    "Options",
    "Prices",
    "Problem",
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
    "left_by",
    "likely_waits_s",
    "line_wait_s",
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
    "turns",
    "wait_quantiles_s",
]
