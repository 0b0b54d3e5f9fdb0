"""Power plans under nested limits, and the checkers that trust none of them."""

from chargeloop.execution.charging import Account, ChargingPlan, ChargingProblem, Circuits, Sessions
from chargeloop.execution.check import violations
from chargeloop.execution.check_day import charging_violations
from chargeloop.execution.exact import plan_exactly
from chargeloop.execution.plan import plan_by_prices
from chargeloop.execution.problem import PowerPlan, PowerProblem
from chargeloop.execution.replan import replan
from chargeloop.execution.schedule import schedule
from chargeloop.execution.shortfall import Shortfall, shortfalls

__all__ = [
    "Account",
    "ChargingPlan",
    "ChargingProblem",
    "Circuits",
    "PowerPlan",
    "PowerProblem",
    "Sessions",
    "Shortfall",
    "charging_violations",
    "plan_by_prices",
    "plan_exactly",
    "replan",
    "schedule",
    "shortfalls",
    "violations",
]
