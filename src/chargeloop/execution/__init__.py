"""Power plans under nested limits, and the checker that trusts none of them."""

from chargeloop.execution.check import violations
from chargeloop.execution.problem import PowerPlan, PowerProblem
from chargeloop.execution.schedule import schedule

__all__ = ["PowerPlan", "PowerProblem", "schedule", "violations"]
