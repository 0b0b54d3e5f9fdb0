"""Power plans under nested limits, and the checkers that trust none of them."""

from chargeloop.execution.charging import Account, ChargingPlan, ChargingProblem, Circuits, Sessions
from chargeloop.execution.check import violations
from chargeloop.execution.problem import PowerPlan, PowerProblem
from chargeloop.execution.schedule import schedule

__all__ = ["Account", "ChargingPlan", "ChargingProblem", "Circuits", "PowerPlan", "PowerProblem", "Sessions", "schedule", "violations"]
