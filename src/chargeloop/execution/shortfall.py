"""Why a session is left short: by its own stay, by a circuit that is full, or by what energy costs."""

from dataclasses import dataclass

import numpy as np

from chargeloop.execution.charging import PHASES, VOLTS, ChargingPlan, ChargingProblem, limits_kw
from chargeloop.model.city import Floats, Ints

LEAST_KWH = 0.01  # less is not a shortfall that anybody notices
FULL = 1e-3  # a circuit with less room than this share of its limit is full


@dataclass(frozen=True, slots=True, eq=False)
class Shortfall:
    """`session` lacks `kwh`, `own_kwh` of them because its power and stay hold no more. `circuit`: the one that is full in
    most of the `steps` in which it could have taken more, -1 where there was room in some of them; `phase`: 1 to 3 where that
    phase alone is full, else 0."""

    session: int
    kwh: float
    own_kwh: float
    circuit: int
    phase: int
    steps: Ints


def shortfalls(problem: ChargingProblem, plan: ChargingPlan) -> tuple[Shortfall, ...]:
    """Of everybody who lacks something, most first."""
    sessions, circuits = problem.sessions, problem.circuits
    most = sessions.max_kw[:, None] * problem.hours() / problem.step_h
    limit = limits_kw(problem)
    room = limit - plan.load_kw
    phase_room = _phase_room_kw(problem, plan)
    short = np.flatnonzero(plan.shortfall_kwh > LEAST_KWH)
    found = []
    for s in short[np.argsort(-plan.shortfall_kwh[short], kind="stable")]:
        could = most[s] - plan.charge_kw[s] > FULL * sessions.max_kw[s]
        wants = np.maximum(sessions.min_kw[s] - plan.charge_kw[s], 0.0)
        phases = np.arange(PHASES) if sessions.phase[s] == 0 else sessions.phase[s : s + 1] - 1
        share = 1 / PHASES if sessions.phase[s] == 0 else 1.0
        full: dict[tuple[int, int], Ints] = {}
        c = int(sessions.circuit[s])
        while c >= 0:
            tight = np.maximum(FULL * limit[c], np.maximum(wants, LEAST_KWH))
            full[c, 0] = np.flatnonzero(could & (room[c] < tight))
            for phase in phases:
                full[c, int(phase) + 1] = np.flatnonzero(could & (phase_room[phase, c] < share * tight))
            c = int(circuits.parent[c])
        (circuit, phase), steps = max(full.items(), key=lambda each: each[1].size)  # the lowest of those that are full as often
        own = sessions.energy_kwh[s] - problem.step_h * sessions.efficiency[s] * float(most[s].sum())
        blocked = steps.size > 0 and np.unique(np.concatenate(list(full.values()))).size == np.count_nonzero(could)
        found.append(
            Shortfall(
                int(s),
                float(plan.shortfall_kwh[s]),
                min(max(own, 0.0), float(plan.shortfall_kwh[s])),
                circuit if blocked else -1,
                phase if blocked else 0,
                steps if blocked else steps[:0],
            )
        )
    return tuple(found)


def _phase_room_kw(problem: ChargingProblem, plan: ChargingPlan) -> Floats:
    """3 x C x T, infinite where phases have no limit."""
    circuits, sessions = problem.circuits, problem.sessions
    base = circuits.below(circuits.base_kw - circuits.pv_kw) / PHASES
    room = np.maximum(VOLTS / 1000 * circuits.phase_limit_a - base, 0.0) * np.ones((PHASES, 1, 1))
    power = plan.charge_kw - plan.discharge_kw
    for phase in range(PHASES):
        share = np.where(sessions.phase == 0, 1 / PHASES, (sessions.phase == phase + 1) * 1.0)
        own = np.zeros_like(circuits.base_kw)
        np.add.at(own, sessions.circuit, power * share[:, None])
        room[phase] -= circuits.below(own)
    return room
