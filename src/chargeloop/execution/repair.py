"""From what the price iteration ends with, which holds to some digits, to a plan that holds.

First states of charge are kept, then limits, then what energy is lacking is added.

All energies are kWh of a step and lie as `linear` lays them out. Nothing here needs the prices to be right: whatever
they are, the
plan keeps every limit, and by `flow` no energy is left out that one-way sessions could have had.
"""

import numpy as np

from chargeloop.execution.linear import Programme, Shape
from chargeloop.model.city import Floats
from chargeloop.physics import kernel

PASSES = 40
HAIR = 1e-12


def put_right(shape: Shape, programme: Programme, v: Floats, limit: Floats, back: Floats) -> Floats:
    """C x T: net loads, after `v` was made to keep bounds, states, `limit` (import) and `back` (export; C x T, kWh)."""
    np.clip(v, 0.0, programme.most, out=v)
    _one_way_at_a_time(shape, v)
    _not_more_than_asked(shape, programme.right_own, v)
    load = np.empty_like(limit)
    for _ in range(PASSES):
        _keep_states(shape, programme.most, programme.right_own, v)
        loads(shape, v, programme.right_balance, load)
        if not _keep_limits(shape, programme.most, v, limit, back, load):
            return load
    v[: shape.m][np.repeat(shape.both >= 0, shape.stay)] = 0.0  # the last resort but one: batteries stand still
    v[shape.z : shape.e] = 0.0
    for _ in range(PASSES):
        loads(shape, v, programme.right_balance, load)
        if not _keep_limits(shape, programme.most, v, limit, back, load):
            return load
    v[: shape.m] = 0.0  # the last: nobody charges
    loads(shape, v, programme.right_balance, load)
    _keep_limits(shape, programme.most, v, limit, back, load)
    loads(shape, v, programme.right_balance, load)
    return load


@kernel
def loads(shape: Shape, v: Floats, right_balance: Floats, load: Floats) -> None:
    """C x T: net load of each circuit, kWh of a step, everything below it included."""
    load[:] = -right_balance
    for s in range(shape.stay.size):
        c, t0, a, b = shape.circuit[s], shape.first[s], shape.at[s], shape.both[s]
        for k in range(shape.stay[s]):
            load[c, t0 + k] += v[a + k]
            if b >= 0:
                load[c, t0 + k] -= v[shape.z + b + k]
    for c in range(shape.parent.size - 1, -1, -1):
        for t in range(shape.steps):
            load[c, t] += v[shape.k + c * shape.steps + t]
        if shape.parent[c] >= 0:
            load[shape.parent[c]] += load[c]


@kernel
def _one_way_at_a_time(shape: Shape, v: Floats) -> None:
    """Charging and giving back in one step become the one of them that changes the battery alike."""
    for s in range(shape.stay.size):
        a, b, eta = shape.at[s], shape.both[s], shape.efficiency[s]
        if b >= 0:
            for k in range(shape.stay[s]):
                gain = eta * v[a + k] - v[shape.z + b + k] / eta
                v[a + k], v[shape.z + b + k] = max(gain, 0.0) / eta, max(-gain, 0.0) * eta


@kernel
def _not_more_than_asked(shape: Shape, right_own: Floats, v: Floats) -> None:
    for s in range(shape.stay.size):
        a, n = shape.at[s], shape.stay[s]
        if shape.both[s] < 0:
            total = 0.0
            for k in range(n):
                total += v[a + k]
            if total > right_own[shape.own[s]]:
                share = right_own[shape.own[s]] / total * (1.0 - HAIR)
                for k in range(n):
                    v[a + k] *= share


@kernel
def _keep_states(shape: Shape, most: Floats, right_own: Floats, v: Floats) -> None:
    """States of charge between floor and capacity, and at departure not above what was wanted."""
    left = np.empty(shape.steps)
    for s in range(shape.stay.size):
        a, b, n, r, eta = shape.at[s], shape.both[s], shape.stay[s], shape.own[s], shape.efficiency[s]
        if b < 0:
            continue
        state = shape.now[s]
        wanted = max(right_own[r + n - 1] + (state if n == 1 else 0.0), 0.0)
        for k in range(n):
            x, z = a + k, shape.z + b + k
            room = most[shape.e + b + k] if k < n - 1 else wanted
            v[x] = max(min(v[x], (room - state + v[z] / eta) / eta), 0.0)
            v[z] = max(min(v[z], (state + eta * v[x]) * eta), 0.0)
            state += eta * v[x] - v[z] / eta
            left[k] = state
        over, lowest = state - wanted, np.inf
        for k in range(n - 1, -1, -1):
            lowest = min(lowest, left[k])
            if over <= 0.0:
                break
            less = min(over, eta * v[a + k], max(lowest, 0.0))
            v[a + k] -= less / eta
            over -= less
            lowest -= less


@kernel
def _keep_limits(shape: Shape, most: Floats, v: Floats, limit: Floats, back: Floats, load: Floats) -> bool:  # noqa: PLR0912
    """One pass: where too much flows down, charging below is cut in proportion; where too much flows up, PV is curtailed and
    giving back is cut. True if anything was, and states have to be looked at again."""
    many, steps = limit.shape
    cut = False
    charging, giving, sun = np.zeros((many, steps)), np.zeros((many, steps)), np.zeros((many, steps))
    for s in range(shape.stay.size):
        c, t0, a, b = shape.circuit[s], shape.first[s], shape.at[s], shape.both[s]
        for k in range(shape.stay[s]):
            charging[c, t0 + k] += v[a + k]
            if b >= 0:
                giving[c, t0 + k] += v[shape.z + b + k]
    keep, still, more_sun = np.ones((many, steps)), np.ones((many, steps)), np.zeros((many, steps))
    for c in range(many - 1, -1, -1):
        for t in range(steps):
            q = shape.k + c * steps + t
            sun[c, t] += most[q] - v[q]
            over, under = load[c, t] - limit[c, t], -load[c, t] - back[c, t]
            if over > HAIR * (1.0 + limit[c, t]) and charging[c, t] > 0.0:
                keep[c, t] = max(1.0 - over / charging[c, t] - 1e-13, 0.0)
                cut = True
            if under > HAIR * (1.0 + back[c, t]):
                if sun[c, t] > 0.0:
                    more_sun[c, t] = min(under / sun[c, t] + 1e-13, 1.0)
                    cut = True
                rest = under - sun[c, t]
                if rest > 0.0 and giving[c, t] > 0.0:
                    still[c, t] = max(1.0 - rest / giving[c, t] - 1e-13, 0.0)
                    cut = True
            up = shape.parent[c]
            if up >= 0:
                charging[up, t] += charging[c, t]
                giving[up, t] += giving[c, t]
                sun[up, t] += sun[c, t]
    if not cut:
        return False
    for c in range(many):
        up = shape.parent[c]
        for t in range(steps):
            if up >= 0:
                keep[c, t] = min(keep[c, t], keep[up, t])
                still[c, t] = min(still[c, t], still[up, t])
                more_sun[c, t] = max(more_sun[c, t], more_sun[up, t])
            q = shape.k + c * steps + t
            v[q] += more_sun[c, t] * (most[q] - v[q])
    for s in range(shape.stay.size):
        c, t0, a, b = shape.circuit[s], shape.first[s], shape.at[s], shape.both[s]
        for k in range(shape.stay[s]):
            v[a + k] *= keep[c, t0 + k]
            if b >= 0:
                v[shape.z + b + k] *= still[c, t0 + k]
    return True


@kernel
def top_up(shape: Shape, most: Floats, right_own: Floats, v: Floats, price: Floats, limit: Floats, load: Floats) -> None:
    """What one-way sessions still lack goes into their cheapest steps with room; `price`: C x T."""
    for s in range(shape.stay.size):
        c, n, t0, a = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s]
        if shape.both[s] >= 0 or n == 0:
            continue
        lack = right_own[shape.own[s]]
        for k in range(n):
            lack -= v[a + k]
        if lack <= HAIR:
            continue
        for k in np.argsort(price[c, t0 : t0 + n]):
            more = min(lack, most[a + k] - v[a + k], _room(shape, limit, load, c, t0 + k))
            if more > 0.0:
                v[a + k] += more
                lack -= more
                _add(shape, load, c, t0 + k, more)
            if lack <= HAIR:
                break


@kernel
def tidy(shape: Shape, most: Floats, v: Floats, price: Floats, limit: Floats, least: Floats, load: Floats) -> None:
    """Energy of one-way sessions moves from dear to cheap steps where there is room, and load to spare.

    `price`: C x T, what is paid; it holds for loads between `least` and `limit`.
    """
    for s in range(shape.stay.size):
        c, n, t0, a = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s]
        if shape.both[s] >= 0 or n == 0:
            continue
        order = np.argsort(price[c, t0 : t0 + n])
        cheap, dear = 0, n - 1
        while cheap < dear:
            to, out = order[cheap], order[dear]
            spare = min(v[a + out], _room(shape, load, least, c, t0 + out))
            if spare <= 0.0:
                dear -= 1
                continue
            if price[c, t0 + to] >= price[c, t0 + out]:
                break
            more = min(spare, most[a + to] - v[a + to], _room(shape, limit, load, c, t0 + to))
            if more > 0.0:
                v[a + out] -= more
                v[a + to] += more
                _add(shape, load, c, t0 + out, -more)
                _add(shape, load, c, t0 + to, more)
            if more < spare:
                cheap += 1


@kernel
def _room(shape: Shape, limit: Floats, load: Floats, c: int, t: int) -> float:
    """The least of limit - load from a circuit up to its root."""
    room = np.inf
    while c >= 0:
        room = min(room, limit[c, t] - load[c, t])
        c = shape.parent[c]
    return room


@kernel
def _add(shape: Shape, load: Floats, c: int, t: int, more: float) -> None:
    while c >= 0:
        load[c, t] += more
        c = shape.parent[c]
