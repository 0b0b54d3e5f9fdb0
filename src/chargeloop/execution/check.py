"""The independent feasibility checker: the plain definition, session by session and circuit by circuit."""

from collections.abc import Iterator

import numpy as np

from chargeloop.execution.problem import PowerPlan, PowerProblem

HAIR_KW = 1e-6


def violations(problem: PowerProblem, plan: PowerPlan) -> tuple[str, ...]:
    """What a plan does wrong, in words; empty for a plan that can be carried out."""
    return tuple(_find(problem, plan))


def _find(problem: PowerProblem, plan: PowerPlan) -> Iterator[str]:
    sessions, steps = problem.circuit.size, problem.steps
    for power in (plan.power_kw, plan.limit_kw):
        if power.shape != (sessions, steps):
            yield f"the plan has shape {power.shape}, not {sessions} sessions x {steps} steps"
            return
        if not np.all(np.isfinite(power)):
            yield "the plan holds a power that is no number"
            return
    if np.any(plan.power_kw > plan.limit_kw + HAIR_KW):
        yield "the plan counts on more power than it allows"
    for s in range(sessions):
        most, least = plan.limit_kw[s].max(initial=0.0), plan.power_kw[s].min(initial=0.0)
        if least < -HAIR_KW:
            yield f"session {s}: {least:.3f} kW is negative"
        if most > problem.max_kw[s] + HAIR_KW:
            yield f"session {s}: {most:.3f} kW is over its maximum of {problem.max_kw[s]:.3f} kW"
        given = plan.power_kw[s].sum() * problem.step_s / 3600
        if given > problem.energy_kwh[s] + HAIR_KW:
            yield f"session {s}: {given:.3f} kWh is more than the {problem.energy_kwh[s]:.3f} kWh asked for"
    for c in range(problem.circuit_parent.size):
        below = [s for s in range(sessions) if _hangs_on(problem, int(problem.circuit[s]), c)]
        base = sum(
            problem.circuit_base_kw[other] for other in range(problem.circuit_parent.size) if _hangs_on(problem, other, c)
        )
        charging = plan.limit_kw[below].sum(axis=0) if below else np.zeros(steps)
        allowed = max(problem.circuit_limit_kw[c] - base, 0.0)
        t = int(np.argmax(charging))
        if charging[t] > allowed + HAIR_KW * max(len(below), 1):
            yield f"circuit {c}, step {t}: {charging[t]:.3f} kW of charging where {allowed:.3f} kW are left"


def _hangs_on(problem: PowerProblem, circuit: int, above: int) -> bool:
    while circuit >= 0:
        if circuit == above:
            return True
        circuit = int(problem.circuit_parent[circuit])
    return False
