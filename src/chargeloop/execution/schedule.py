"""Least laxity first: in each step, whoever can least afford to wait gets power first, within every limit up the tree.

Laxity is the time that a session can still stand idle and be charged by its departure: (time left) - (energy left / power).
Sessions of equal laxity (within a quarter hour) share what there is in equal steps, so that one small cable does not starve.
"""

import numpy as np

from chargeloop.execution.problem import PowerPlan, PowerProblem
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel

UNKNOWN_STAY_S = 3600.0  # a driver who did not say is taken to stay this long
LAXITY_CLASS_S = 900.0  # within this, sessions are equally urgent and share
DONE_KWH = 1e-9
LAST_CLASS = 96.0  # a day and more of laxity is all the same


def schedule(problem: PowerProblem) -> PowerPlan:
    """A plan that keeps every limit and gives nobody more than was asked. What cannot be met is a shortfall, never an error."""
    depart_s = np.where(np.isfinite(problem.depart_s), problem.depart_s, problem.now_s + UNKNOWN_STAY_S)
    room_kw = np.maximum(problem.circuit_limit_kw - problem.circuit_base_kw_total(), 0.0)
    left_kwh = problem.energy_kwh.copy()
    power_kw = np.zeros((problem.circuit.size, problem.steps))
    limit_kw = np.zeros((problem.circuit.size, problem.steps))
    shadow = np.zeros((problem.circuit_parent.size, problem.steps))
    hours = problem.step_s / 3600
    for t in range(problem.steps):
        begin_s = problem.now_s + t * problem.step_s
        want_kw = np.where(left_kwh > DONE_KWH, problem.max_kw, 0.0)  # full power until done, also within a step
        laxity_s = _laxity_s(problem, depart_s, begin_s, left_kwh)
        urgency = np.clip(np.floor(laxity_s / LAXITY_CLASS_S), 0.0, LAST_CLASS)
        order = np.argsort(urgency, kind="stable")
        given, held_back = _share_out(problem.circuit_parent, room_kw.copy(), problem.circuit, want_kw, urgency, order)
        limit_kw[:, t] = given
        power_kw[:, t] = np.minimum(given, left_kwh / hours)
        left_kwh = np.maximum(left_kwh - power_kw[:, t] * hours, 0.0)
        shadow[:, t] = _shadow_price(problem, held_back, laxity_s)
    return PowerPlan(
        power_kw=power_kw,
        limit_kw=limit_kw,
        shortfall_kwh=_shortfall_kwh(problem, depart_s, power_kw),
        circuit_load_kw=_load_kw(problem, power_kw),
        shadow_price=shadow,
    )


def _laxity_s(problem: PowerProblem, depart_s: Floats, begin_s: float, left_kwh: Floats) -> Floats:
    """S: seconds to spare; a session that asks without end has none to give away but is not late either."""
    known = np.isfinite(left_kwh)
    need_s = np.where(known, left_kwh, 0.0) / np.maximum(problem.max_kw, 1e-9) * 3600
    return np.where(known, depart_s - begin_s - need_s, np.maximum(depart_s - begin_s, 0.0) / 2)


@kernel
def _share_out(
    parent: Ints, room_kw: Floats, circuit: Ints, want_kw: Floats, urgency: Floats, order: Ints
) -> tuple[Floats, Ints]:
    """Power of each session, and the circuit that holds it back (-1: none). Uses up `room_kw`.

    Class by class of urgency: raise everyone by the same amount until somebody has enough or a circuit is full, then go on
    with the rest (progressive filling, as in max-min fairness).
    """
    given = np.zeros(want_kw.size)
    held = np.full(want_kw.size, -1)
    first = 0
    while first < order.size:
        last = first
        while last < order.size and urgency[order[last]] == urgency[order[first]]:
            last += 1
        _fill(parent, room_kw, circuit, want_kw, order[first:last], given, held)
        first = last
    return given, held


@kernel
def _fill(  # noqa: PLR0912 (one kernel, one loop)
    parent: Ints, room_kw: Floats, circuit: Ints, want_kw: Floats, members: Ints, given: Floats, held: Ints
) -> None:
    """Progressive filling of one class of equally urgent sessions."""
    growing = np.zeros(parent.size, dtype=np.int64)  # sessions below each circuit that still grow
    active = members.copy()
    size = 0
    for s in members:
        if want_kw[s] > 1e-9:
            active[size] = s
            size += 1
            c = circuit[s]
            while c >= 0:
                growing[c] += 1
                c = parent[c]
    while size > 0:
        step = np.inf
        for i in range(size):
            s = active[i]
            step = min(step, want_kw[s] - given[s])
            c = circuit[s]
            while c >= 0:
                step = min(step, room_kw[c] / growing[c])
                c = parent[c]
        for i in range(size):
            given[active[i]] += step
        for c in range(parent.size):
            if growing[c] > 0:
                room_kw[c] = max(room_kw[c] - step * growing[c], 0.0)
        left = 0
        for i in range(size):
            s = active[i]
            full = -1
            c = circuit[s]
            while c >= 0:
                if room_kw[c] <= 1e-9:
                    full = c
                c = parent[c]
            if full >= 0 and want_kw[s] - given[s] > 1e-9:
                held[s] = full
            if full >= 0 or want_kw[s] - given[s] <= 1e-9:
                c = circuit[s]
                while c >= 0:
                    growing[c] -= 1
                    c = parent[c]
            else:
                active[left] = s
                left += 1
        size = left


def _shadow_price(problem: PowerProblem, held_back: Ints, laxity_s: Floats) -> Floats:
    price = np.zeros(problem.circuit_parent.size)
    rows = np.flatnonzero(held_back >= 0)
    np.maximum.at(price, held_back[rows], 1 / (1 + np.maximum(laxity_s[rows], 0.0) / 3600))
    return price


def _shortfall_kwh(problem: PowerProblem, depart_s: Floats, power_kw: Floats) -> Floats:
    """S: what was asked for (or could flow by departure or the end of the horizon, if that is less) minus what is planned."""
    horizon_s = problem.now_s + problem.steps * problem.step_s
    hours = np.clip(np.minimum(depart_s, horizon_s) - problem.now_s, 0.0, None) / 3600
    possible = np.minimum(problem.energy_kwh, problem.max_kw * hours)
    return np.asarray(np.maximum(possible - power_kw.sum(axis=1) * problem.step_s / 3600, 0.0))


def _load_kw(problem: PowerProblem, power_kw: Floats) -> Floats:
    load = np.zeros((problem.circuit_parent.size, problem.steps))
    np.add.at(load, problem.circuit, power_kw)
    for c in range(problem.circuit_parent.size - 1, -1, -1):
        if problem.circuit_parent[c] >= 0:
            load[problem.circuit_parent[c]] += load[c]
    total: Floats = load + problem.circuit_base_kw_total()[:, None]
    return total
