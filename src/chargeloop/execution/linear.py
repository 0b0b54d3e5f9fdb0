"""The charging problem as a linear programme of boxed variables, laid out flat for the kernels of the price iteration.

Minimise cost . v, where matrix v = right and 0 <= v <= most. Variables, in this order, in kWh of a step:
x (N: what each session takes in each step of its stay), m (S x J: pieces of shortfall), z (V: given back), e (V: state
of charge
above the floor after each step), and for each circuit and step (C x T): i (import from above), o (export), k (PV curtailed),
w (how far import stays below the peak); then p (C: the peak, kW, above what was charged already).
Rows: sessions' own (one each, or one a step where energy goes both ways), balance (C x T), peak (C x T).
"""

from typing import NamedTuple

import numpy as np

from chargeloop.execution.charging import ChargingProblem, limits_kw
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel

SLACK = 1e-7  # limits are widened by this share, so that there is an inside; what comes out is put right afterwards


class Shape(NamedTuple):
    """Where things lie. Sessions are sorted by circuit: `row` is their place in the problem."""

    row: Ints
    circuit: Ints
    first: Ints  # S: first step of the stay
    stay: Ints  # S: steps of the stay
    at: Ints  # S: where its x begin
    both: Ints  # S: where its z and e begin, -1 where energy goes one way
    own: Ints  # S: where its own rows begin
    now: Floats  # S: state of charge above the floor at the begin, where energy goes both ways
    efficiency: Floats
    parent: Ints
    begin: Ints  # C + 1: sessions of each circuit
    peak: Ints  # C: 1 where there is a demand charge
    steps: int
    step_h: float
    pieces: int
    m: int  # where each group of variables begins
    z: int
    e: int
    i: int
    o: int
    k: int
    w: int
    p: int
    size: int
    own_rows: int


class Programme(NamedTuple):
    cost: Floats
    most: Floats
    right_own: Floats
    right_balance: Floats
    right_peak: Floats


def linear(problem: ChargingProblem) -> tuple[Shape, Programme]:
    circuits, steps, step_h = problem.circuits, problem.steps, problem.step_h
    shape, sessions = _shape(problem), problem.sessions
    cost, most = np.zeros(shape.size), np.zeros(shape.size)
    owner, step = owner_and_step(shape)
    rows = shape.row[owner]
    edge = step_h * step
    hours = np.minimum(sessions.depart_h[rows], edge + step_h) - np.maximum(sessions.arrive_h[rows], edge)
    hours = np.clip(hours, 0.0, step_h)
    most[: shape.m] = sessions.max_kw[rows] * hours
    asked, wanted = sessions.energy_kwh[shape.row], shape.now + sessions.energy_kwh[shape.row]
    kwh, value = problem.shortfall_pieces()
    kwh, value = kwh[shape.row].copy(), value[shape.row].copy()
    both = shape.both >= 0
    kwh[both, -1] += np.maximum(wanted - asked, 0.0)[both]  # it may even end lower than it came, at the dearest rate
    kwh[~both] /= shape.efficiency[~both, None]  # one way: rows count at the plug
    value[~both] *= shape.efficiency[~both, None]
    most[shape.m : shape.z], cost[shape.m : shape.z] = kwh.ravel(), value.ravel()
    v2g = shape.both[owner] >= 0
    most[shape.z : shape.e] = (sessions.discharge_kw[rows] * hours)[v2g]
    cost[shape.z : shape.e] = sessions.wear_per_kwh[rows[v2g]]
    last = step == (shape.first + shape.stay - 1)[owner]
    room = np.maximum(sessions.capacity_kwh - np.minimum(sessions.floor_kwh, sessions.soc_kwh), 0.0)
    most[shape.e : shape.i] = np.where(last, 0.0, room[rows])[v2g]
    own = circuits.base_kw - circuits.pv_kw
    reach = _reach(problem)
    limit = limits_kw(problem)
    cells = np.s_[: circuits.limit_kw.size]
    for start, bound, price in (
        (shape.i, np.minimum(limit, reach[0]), problem.buy_per_kwh),
        (shape.o, np.minimum(circuits.feed_in_limit_kw, reach[1]), -circuits.sell_per_kwh),
    ):
        most[start:][cells] = (step_h * np.maximum(bound, 0.0) * (1 + SLACK) + SLACK * (bound > 0)).ravel()
        cost[start:][cells] = price.ravel()
    most[shape.k :][cells] = step_h * circuits.pv_kw.ravel()
    charged = np.repeat(shape.peak > 0, steps)
    peak_room = step_h * np.maximum(reach[0].max(axis=1, initial=0.0), circuits.peak_kw)
    most[shape.w :][cells] = np.where(charged, np.repeat(peak_room, steps) * (1 + SLACK) + SLACK, 0.0)
    most[shape.p :] = np.where(
        shape.peak > 0, np.maximum(reach[0].max(axis=1, initial=0.0) - circuits.peak_kw, 0.0) + SLACK, 0.0
    )
    cost[shape.p :] = np.where(shape.peak > 0, circuits.demand_charge_per_kw, 0.0)
    right_own = np.zeros(shape.own_rows)
    right_own[shape.own[~both]] = (asked / shape.efficiency)[~both]
    right_own[shape.own[both]] -= shape.now[both]
    right_own[(shape.own + np.maximum(shape.stay, 1) - 1)[both]] += wanted[both]
    right_peak = np.where(charged, -step_h * np.repeat(circuits.peak_kw, steps), 0.0).reshape(own.shape)
    return shape, Programme(cost, most, right_own, -step_h * own, right_peak)


def _shape(problem: ChargingProblem) -> Shape:
    sessions, steps, many = problem.sessions, problem.steps, problem.circuits.parent.size
    order = np.argsort(sessions.circuit, kind="stable")
    arrive, depart = (np.clip(each[order] / problem.step_h, 0, steps) for each in (sessions.arrive_h, sessions.depart_h))
    first = np.floor(arrive + 1e-9).astype(np.int64)
    count = np.maximum(np.ceil(depart - 1e-9).astype(np.int64) - first, 0)
    at = np.cumsum(count) - count
    is_both = sessions.both_ways[order] & (count > 0)
    two = np.where(is_both, count, 0)
    rows = np.where(is_both, count, 1)
    pieces = problem.shortfall_pieces()[0].shape[1]
    cells = many * steps
    starts = np.cumsum([count.sum(), order.size * pieces, two.sum(), two.sum(), cells, cells, cells, cells, many])
    return Shape(
        order,
        np.ascontiguousarray(sessions.circuit[order]),
        first,
        count,
        at,
        np.where(is_both, np.cumsum(two) - two, -1),
        np.cumsum(rows) - rows,
        np.where(is_both, np.maximum(sessions.soc_kwh - sessions.floor_kwh, 0.0)[order], 0.0),
        np.ascontiguousarray(sessions.efficiency[order]),
        np.ascontiguousarray(problem.circuits.parent),
        np.searchsorted(sessions.circuit[order], np.arange(many + 1)),
        (problem.circuits.demand_charge_per_kw > 0).astype(np.int64),
        steps,
        problem.step_h,
        pieces,
        *(int(each) for each in starts),  # type: ignore[call-arg]
        int(rows.sum()),
    )


def owner_and_step(shape: Shape) -> tuple[Ints, Ints]:
    """N each: the session of each x, and its step."""
    owner = np.repeat(np.arange(shape.stay.size), shape.stay)
    return owner, np.arange(owner.size) - np.repeat(shape.at - shape.first, shape.stay)


def _reach(problem: ChargingProblem) -> tuple[Floats, Floats]:
    """C x T each: what could flow down to and up from a circuit at most, were there no limits."""
    circuits, sessions = problem.circuits, problem.sessions
    down, up = np.maximum(circuits.base_kw, 0.0), np.maximum(circuits.pv_kw - np.minimum(circuits.base_kw, 0.0), 0.0)
    for total, power in ((down, sessions.max_kw), (up, sessions.discharge_kw)):
        edges = np.zeros((circuits.parent.size, problem.steps + 1))
        first = np.clip(np.floor(sessions.arrive_h / problem.step_h + 1e-9), 0, problem.steps).astype(np.int64)
        last = np.clip(np.ceil(sessions.depart_h / problem.step_h - 1e-9), 0, problem.steps).astype(np.int64)
        there = last > first
        np.add.at(edges, (sessions.circuit[there], first[there]), power[there])
        np.subtract.at(edges, (sessions.circuit[there], last[there]), power[there])
        np.add(total, np.maximum(np.cumsum(edges, axis=1)[:, :-1], 0.0), out=total)
    return circuits.below(down), circuits.below(up)


@kernel
def times(shape: Shape, v: Floats, own: Floats, balance: Floats, peak: Floats) -> None:
    """The rows' left sides, into `own`, `balance` (C x T) and `peak` (C x T)."""
    own[:] = 0.0
    balance[:] = 0.0
    peak[:] = 0.0
    steps = shape.steps
    for s in range(shape.stay.size):
        c, n, t0, a, r = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s], shape.own[s]
        b, eta = shape.both[s], shape.efficiency[s]
        short = 0.0
        for j in range(shape.pieces):
            short += v[shape.m + s * shape.pieces + j]
        if b < 0:
            total = short
            for k in range(n):
                x = v[a + k]
                total += x
                balance[c, t0 + k] += x
            own[r] = total
        else:
            before = 0.0
            for k in range(n):
                x, z, e = v[a + k], v[shape.z + b + k], v[shape.e + b + k]
                balance[c, t0 + k] += x - z
                own[r + k] = eta * x - z / eta + before - e
                before = e
            own[r + n - 1] += short
    for c in range(shape.parent.size - 1, -1, -1):
        up = shape.parent[c]
        for t in range(steps):
            cell = c * steps + t
            bought, flow = v[shape.i + cell], v[shape.i + cell] - v[shape.o + cell]
            balance[c, t] += v[shape.k + cell] - flow
            if up >= 0:
                balance[up, t] += flow
            if shape.peak[c] > 0:
                peak[c, t] = shape.step_h * v[shape.p + c] - bought - v[shape.w + cell]


@kernel
def transposed_times(shape: Shape, own: Floats, balance: Floats, peak: Floats, out: Floats) -> None:
    """What the rows' prices say of each variable, into `out`."""
    steps = shape.steps
    for s in range(shape.stay.size):
        c, n, t0, a, r = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s], shape.own[s]
        b, eta = shape.both[s], shape.efficiency[s]
        if b < 0:
            for k in range(n):
                out[a + k] = own[r] + balance[c, t0 + k]
        else:
            for k in range(n):
                y = own[r + k]
                out[a + k] = eta * y + balance[c, t0 + k]
                out[shape.z + b + k] = -y / eta - balance[c, t0 + k]
                out[shape.e + b + k] = -y + (own[r + k + 1] if k < n - 1 else 0.0)
        last = own[r + n - 1] if b >= 0 else own[r]
        for j in range(shape.pieces):
            out[shape.m + s * shape.pieces + j] = last
    for c in range(shape.parent.size):
        up = shape.parent[c]
        total = 0.0
        for t in range(steps):
            cell = c * steps + t
            above = balance[up, t] if up >= 0 else 0.0
            out[shape.i + cell] = above - balance[c, t] - peak[c, t]
            out[shape.o + cell] = balance[c, t] - above
            out[shape.k + cell] = balance[c, t]
            out[shape.w + cell] = -peak[c, t]
            total += peak[c, t]
        out[shape.p + c] = shape.step_h * total
