"""The independent feasibility checker of a day's charging plan: the plain definition, circuit by circuit and session by
session."""

from collections.abc import Iterator

import numpy as np

from chargeloop.execution.charging import ChargingPlan, ChargingProblem

HAIR = 1e-6


def charging_violations(problem: ChargingProblem, plan: ChargingPlan) -> tuple[str, ...]:
    """What a plan does wrong, in words; empty for a plan that can be carried out. What base load alone puts over a limit is
    no fault of the plan, what it adds there is."""
    shape = (problem.sessions.circuit.size, problem.steps)
    for power in (plan.charge_kw, plan.discharge_kw):
        if power.shape != shape:
            return (f"the plan has shape {power.shape}, not {shape[0]} sessions x {shape[1]} steps",)
    if plan.curtailed_kw.shape != problem.circuits.limit_kw.shape:
        return (f"what is curtailed has shape {plan.curtailed_kw.shape}, not {problem.circuits.limit_kw.shape}",)
    if not all(np.all(np.isfinite(power)) for power in (plan.charge_kw, plan.discharge_kw, plan.curtailed_kw)):
        return ("the plan holds a power that is no number",)
    return (*_of_sessions(problem, plan), *_of_circuits(problem, plan))


def _of_sessions(problem: ChargingProblem, plan: ChargingPlan) -> Iterator[str]:
    sessions, step_h = problem.sessions, problem.step_h
    begin = step_h * np.arange(problem.steps)
    for s in range(sessions.circuit.size):
        there = np.minimum(sessions.depart_h[s], begin + step_h) - np.maximum(sessions.arrive_h[s], begin)
        share = np.clip(there / step_h, 0.0, 1.0)
        for name, power, most in (
            ("charge", plan.charge_kw[s], sessions.max_kw[s]),
            ("discharge", plan.discharge_kw[s], sessions.discharge_kw[s]),
        ):
            if power.min(initial=0.0) < -HAIR:
                yield f"session {s}: a negative {name}"
            over = power - most * share
            if over.max(initial=0.0) > HAIR:
                t = int(over.argmax())
                yield f"session {s}, step {t}: {name} of {power[t]:.3f} kW where {most * share[t]:.3f} kW are possible"
        asked = sessions.energy_kwh[s] / sessions.efficiency[s] if sessions.discharge_kw[s] == 0 else np.inf
        least = np.minimum(sessions.min_kw[s] * share, asked / step_h)
        for t in np.flatnonzero((plan.charge_kw[s] > HAIR) & (plan.charge_kw[s] < least - HAIR))[:1]:
            yield f"session {s}, step {t}: {plan.charge_kw[s, t]:.3f} kW, less than its least power"
        change = step_h * (sessions.efficiency[s] * plan.charge_kw[s] - plan.discharge_kw[s] / sessions.efficiency[s])
        gained = np.cumsum(change)
        if gained[-1] > sessions.energy_kwh[s] + HAIR:
            yield f"session {s}: {gained[-1]:.3f} kWh is more than the {sessions.energy_kwh[s]:.3f} kWh asked for"
        if sessions.discharge_kw[s] > 0:
            state = sessions.soc_kwh[s] + gained
            floor = min(sessions.floor_kwh[s], sessions.soc_kwh[s])
            if state.min() < floor - HAIR:
                yield f"session {s}: {state.min():.3f} kWh lies below the floor of {floor:.3f} kWh"
            if state.max() > sessions.capacity_kwh[s] + HAIR:
                yield f"session {s}: {state.max():.3f} kWh is more than the battery holds"


def _of_circuits(problem: ChargingProblem, plan: ChargingPlan) -> Iterator[str]:
    circuits, sessions = problem.circuits, problem.sessions
    if plan.curtailed_kw.min(initial=0.0) < -HAIR or np.any(plan.curtailed_kw > circuits.pv_kw + HAIR):
        yield "more PV is curtailed than there is"
    net = np.array(circuits.base_kw - circuits.pv_kw + plan.curtailed_kw)
    alone = np.array(circuits.base_kw - circuits.pv_kw)
    phases = np.zeros((3, *net.shape))
    for s, c in enumerate(sessions.circuit):
        power = plan.charge_kw[s] - plan.discharge_kw[s]
        net[c] += power
        for phase in range(3):
            phases[phase, c] += power / 3 if sessions.phase[s] == 0 else power * (sessions.phase[s] == phase + 1)
    for c in range(circuits.parent.size - 1, -1, -1):
        hair = HAIR * (1 + np.abs(net[c]))
        alone[c] = np.maximum(alone[c], -circuits.feed_in_limit_kw[c])
        over = net[c] - np.maximum(circuits.limit_kw[c], alone[c]) - hair
        if over.max() > 0:
            yield f"circuit {c}, step {int(over.argmax())}: {net[c, over.argmax()]:.3f} kW over the limit"
        under = -net[c] - circuits.feed_in_limit_kw[c] - hair
        if under.max() > 0:
            yield f"circuit {c}, step {int(under.argmax())}: {-net[c, under.argmax()]:.3f} kW fed in, over the limit"
        parent = circuits.parent[c]
        if parent >= 0:
            net[parent] += net[c]
            alone[parent] += alone[c]
            phases[:, parent] += phases[:, c]
    base = circuits.below(circuits.base_kw - circuits.pv_kw)
    room = np.maximum(0.230 * circuits.phase_limit_a - base / 3, 0.0)
    for phase, c, t in np.argwhere(phases > room + HAIR * (1 + np.abs(phases))):
        yield f"circuit {c}, step {t}: {phases[phase, c, t]:.3f} kW on phase {phase + 1}, over its limit"
