"""Which station: for one driver, or for all open requests at once, on the live state of the city."""

from chargeloop.recommendation.build import Options, Surroundings, build
from chargeloop.recommendation.candidates import Candidates, detours
from chargeloop.recommendation.explain import reason
from chargeloop.recommendation.features import FEATURES, Seen, features
from chargeloop.recommendation.given import Given
from chargeloop.recommendation.held import Pools
from chargeloop.recommendation.later import ENOUGH_SOC, NEEDLESS_SOC, best_slot, has_enough, not_now, worth_saying
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
from chargeloop.recommendation.queue import (
    Bay,
    BayState,
    Queue,
    QueueEvent,
    answer_offer,
    applied,
    bay_needed_until,
    is_near,
    is_resting,
    join,
    line,
    next_in_line,
    pool_of,
    tend,
)
from chargeloop.recommendation.recommend import certified, recommend
from chargeloop.recommendation.reweigh import reweighed, weights_in
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
from chargeloop.recommendation.strategies import STRATEGIES, TierWeights
from chargeloop.recommendation.v2g import earned
from chargeloop.recommendation.waiting import Z90, left_by, likely_waits_s, over_by, overtakers
from chargeloop.recommendation.weights import DEFAULT, Weights

__all__ = [
    "DEFAULT",
    "ENOUGH_SOC",
    "FEATURES",
    "NEEDLESS_SOC",
    "NO_PRICES",
    "SOLVERS",
    "STRATEGIES",
    "TERMS",
    "Z90",
    "Assignment",
    "Bay",
    "BayState",
    "Candidates",
    "DayAhead",
    "Demand",
    "Drivers",
    "Flow",
    "Given",
    "Options",
    "Pools",
    "Prices",
    "Problem",
    "Queue",
    "QueueEvent",
    "Seen",
    "Solver",
    "Surroundings",
    "TierWeights",
    "Weights",
    "alone",
    "alternatives",
    "answer_offer",
    "applied",
    "ascend",
    "assign_places",
    "bay_needed_until",
    "best_slot",
    "bid_for_places",
    "build",
    "busy_cost",
    "busy_curve",
    "busy_price",
    "certified",
    "detours",
    "earned",
    "evaluate",
    "features",
    "has_enough",
    "is_near",
    "is_resting",
    "join",
    "left_by",
    "likely_waits_s",
    "line",
    "line_wait_s",
    "next_in_line",
    "not_now",
    "others_delayed_min",
    "over_by",
    "overtakers",
    "pool_of",
    "price_over",
    "reason",
    "recommend",
    "respond",
    "reweighed",
    "scores",
    "solve",
    "solver_named",
    "summed",
    "tend",
    "turns",
    "wait_quantiles_s",
    "weights_in",
    "worth_saying",
]
