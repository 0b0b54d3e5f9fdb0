"""The most energy that one-way sessions can have within the limits: augmenting paths on the tree (Dinic 1970).

Energy flows from a session through a step of its stay to its circuit in that step, and up the tree. Where a circuit is full,
others are moved to other steps, at this circuit or anywhere else. What remains lacking is a minimum cut: no plan could
serve it.
"""

import numpy as np

from chargeloop.execution.linear import Shape
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel

TINY = 1e-10  # kWh: less is not moved


def serve_all(shape: Shape, most: Floats, right_own: Floats, v: Floats, limit: Floats, back: Floats, load: Floats) -> None:
    """Adds to the x of `v` (and to `load`, C x T) until nobody who lacks energy can be given any."""
    lack = np.where(shape.both < 0, right_own[shape.own], 0.0)
    lack -= np.where(shape.both < 0, np.add.reduceat(np.append(v[: shape.m], 0.0), shape.at) * (shape.stay > 0), 0.0)
    if not np.any(lack > 1e-9):
        return
    children = np.argsort(shape.parent, kind="stable")
    first_child = np.searchsorted(shape.parent[children], np.arange(shape.parent.size + 1))
    while _phase(shape, most, v, limit, back, load, lack, children, first_child):
        pass


@kernel
def _phase(  # noqa: PLR0912
    shape: Shape,
    most: Floats,
    v: Floats,
    limit: Floats,
    back: Floats,
    load: Floats,
    lack: Floats,
    children: Ints,
    first_child: Ints,
) -> bool:
    """One layered search and as many shortest paths as it holds. False when there is none."""
    many, steps, sessions = shape.parent.size, shape.steps, shape.stay.size
    flow = np.zeros((many, steps))
    for s in range(sessions):
        if shape.both[s] < 0:
            for k in range(shape.stay[s]):
                flow[shape.circuit[s], shape.first[s] + k] += v[shape.at[s] + k]
    for c in range(many - 1, -1, -1):
        if shape.parent[c] >= 0:
            flow[shape.parent[c]] += flow[c]
    flow = np.minimum(flow, np.maximum(load + back, 0.0))  # what may leave a circuit, without more being fed in than it carries
    level, found = _layers(shape, most, v, limit, load, lack, flow, children, first_child)
    if found < 0:
        return False
    at_arc = np.zeros(level.size, dtype=np.int64)
    path, arcs = np.empty(found + 3, dtype=np.int64), np.empty(found + 3, dtype=np.int64)
    moved = False
    for source in range(sessions):
        if level[source] != 0:
            continue
        depth = 0
        path[0] = source
        while depth >= 0 and lack[source] > TINY:
            node = path[depth]
            to, room = _arc(shape, most, v, limit, load, flow, children, first_child, node, at_arc[node])
            if to == -3:
                level[node] = -2
                depth -= 1
                if depth >= 0:
                    at_arc[path[depth]] += 1
                continue
            arcs[depth] = at_arc[node]
            if room > TINY and to == -1 and level[node] == found:
                more = lack[source]
                for d in range(depth + 1):
                    more = min(more, _arc(shape, most, v, limit, load, flow, children, first_child, path[d], arcs[d])[1])
                if more > TINY:
                    for d in range(depth + 1):
                        _push(shape, v, load, flow, children, first_child, path[d], arcs[d], more)
                    lack[source] -= more
                    moved = True
                    depth = 0
                    continue
            elif room > TINY and to >= 0 and level[to] == level[node] + 1:
                depth += 1
                path[depth] = to
                continue
            at_arc[node] += 1
    return moved


@kernel
def _layers(  # noqa: PLR0912
    shape: Shape,
    most: Floats,
    v: Floats,
    limit: Floats,
    load: Floats,
    lack: Floats,
    flow: Floats,
    children: Ints,
    first_child: Ints,
) -> tuple[Ints, int]:
    """How many arcs each node is away from who lacks energy (-1: out of reach), and the layer from which a way leads out (-1:
    none does). The arcs are those of `_arc`."""
    many, steps, sessions = shape.parent.size, shape.steps, shape.stay.size
    level = np.full(sessions + many * steps, -1)
    queue = np.empty(sessions + many * steps, dtype=np.int64)
    head, tail, found = 0, 0, -1
    for s in range(sessions):
        if lack[s] > TINY and shape.both[s] < 0:
            level[s] = 0
            queue[tail] = s
            tail += 1
    while head < tail:
        node = queue[head]
        head += 1
        next_level = level[node] + 1
        if 0 <= found < level[node]:
            break
        if node < sessions:
            cell = sessions + shape.circuit[node] * steps + shape.first[node]
            for k in range(shape.stay[node]):
                if level[cell + k] < 0 and most[shape.at[node] + k] - v[shape.at[node] + k] > TINY:
                    level[cell + k] = next_level
                    queue[tail] = cell + k
                    tail += 1
            continue
        c, t = (node - sessions) // steps, (node - sessions) % steps
        up = shape.parent[c]
        if limit[c, t] - load[c, t] > TINY:
            if up < 0:
                found = level[node]
            elif level[sessions + up * steps + t] < 0:
                level[sessions + up * steps + t] = next_level
                queue[tail] = sessions + up * steps + t
                tail += 1
        for child in children[first_child[c] : first_child[c + 1]]:
            if level[sessions + child * steps + t] < 0 and flow[child, t] > TINY:
                level[sessions + child * steps + t] = next_level
                queue[tail] = sessions + child * steps + t
                tail += 1
        for s in range(shape.begin[c], shape.begin[c + 1]):
            k = t - shape.first[s]
            if level[s] < 0 and 0 <= k < shape.stay[s] and shape.both[s] < 0 and v[shape.at[s] + k] > TINY:
                level[s] = next_level
                queue[tail] = s
                tail += 1
    return level, found


@kernel
def _arc(  # noqa: PLR0911
    shape: Shape,
    most: Floats,
    v: Floats,
    limit: Floats,
    load: Floats,
    flow: Floats,
    children: Ints,
    first_child: Ints,
    node: int,
    arc: int,
) -> tuple[int, float]:
    """Where a node's arc leads (-1: out at the root, -3: there is no such arc) and how much may be moved along it."""
    sessions, steps = shape.stay.size, shape.steps
    if node < sessions:
        if arc >= shape.stay[node]:
            return -3, 0.0
        q = shape.at[node] + arc
        return sessions + shape.circuit[node] * steps + shape.first[node] + arc, most[q] - v[q]
    c, t = (node - sessions) // steps, (node - sessions) % steps
    if arc == 0:
        up = shape.parent[c]
        return (sessions + up * steps + t if up >= 0 else -1), limit[c, t] - load[c, t]
    arc -= 1
    below = first_child[c + 1] - first_child[c]
    if arc < below:
        child = children[first_child[c] + arc]
        return sessions + child * steps + t, flow[child, t]
    arc -= below
    s = shape.begin[c] + arc
    if s >= shape.begin[c + 1]:
        return -3, 0.0
    k = t - shape.first[s]
    if shape.both[s] >= 0 or k < 0 or k >= shape.stay[s]:
        return s, 0.0
    return s, v[shape.at[s] + k]


@kernel
def _push(
    shape: Shape, v: Floats, load: Floats, flow: Floats, children: Ints, first_child: Ints, node: int, arc: int, more: float
) -> None:
    sessions, steps = shape.stay.size, shape.steps
    if node < sessions:
        v[shape.at[node] + arc] += more
        return
    c, t = (node - sessions) // steps, (node - sessions) % steps
    below = first_child[c + 1] - first_child[c]
    if arc == 0:
        load[c, t] += more
        flow[c, t] += more
    elif arc <= below:
        child = children[first_child[c] + arc - 1]
        load[child, t] -= more
        flow[child, t] -= more
    else:
        s = shape.begin[c] + arc - 1 - below
        v[shape.at[s] + t - shape.first[s]] -= more
