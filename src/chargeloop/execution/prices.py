"""The price iteration: prices of circuits and steps, moved until every session's answer to them fits under the limits.

A primal-dual interior point method (Mehrotra 1992) whose linear algebra is the tree's (`newton`). All variables have bounds, so
any prices prove a lower bound on every plan: L(y) = right . y + sum of min(0, cost - A'y) x most. It stops when plan
and bound are
as near as asked for.
"""

import numpy as np

from chargeloop.execution.linear import Programme, Shape, times, transposed_times
from chargeloop.execution.newton import Factor, factor, solve
from chargeloop.model.city import Floats
from chargeloop.physics import kernel

ROUNDS = 80
START = 3.0  # of the mean price: how far from the bounds the iteration begins
HOLDS = 1e-6  # rows hold to this share of the largest load; the rest is put right afterwards
CORRECTIONS = 5
ENOUGH = 0.9  # a step that need not be made longer
LONGER = 0.3
NOT_QUITE = 0.9995  # of the way to the nearest bound
WALL = 1e-13  # no variable comes nearer to its bounds than this share of the room between them


class Prices:
    """Where the iteration stands: `v` and the prices of rows (`own`, `balance`, `peak`) and of bounds (`low`, `high`)."""

    def __init__(self, shape: Shape, programme: Programme) -> None:
        self.shape, self.programme = shape, programme
        self.v = np.empty(shape.size)
        self.own = np.zeros(shape.own_rows)
        self.balance = np.zeros((shape.parent.size, shape.steps))
        self.peak = np.zeros_like(self.balance)
        _begin(
            shape, programme.cost, programme.most, programme.right_own, programme.right_balance, self.v, self.own, self.balance
        )
        pulled = np.empty(shape.size)
        transposed_times(shape, self.own, self.balance, self.peak, pulled)
        free = programme.most > 0
        scale = float(np.abs(programme.cost[shape.i : shape.o]).mean()) + 1e-9
        mu = START * scale * np.maximum(programme.most, 0.0)
        self.low = np.where(free, mu / np.where(free, self.v, 1.0), 0.0)
        self.high = np.where(free, mu / np.where(free, programme.most - self.v, 1.0), 0.0)
        lean = np.where(free, programme.cost - pulled - self.low + self.high, 0.0)
        self.low += np.maximum(lean, 0.0)
        self.high += np.maximum(-lean, 0.0)
        self.bound = -np.inf


def iterate(state: Prices, nearness: float) -> None:
    """Until plan and bound are within `nearness` (a share of the cost without shortfalls) and rows hold."""
    shape, programme = state.shape, state.programme
    cost, most, v, low, high = programme.cost, programme.most, state.v, state.low, state.high
    lack = (np.empty_like(state.own), np.empty_like(state.balance), np.empty_like(state.peak))
    right = (np.empty_like(state.own), np.empty_like(state.balance), np.empty_like(state.peak))
    pulled, d, h, pull, to_low, to_high = (np.empty(shape.size) for _ in range(6))
    moves, other = (tuple(np.zeros(shape.size) for _ in range(3)) for _ in range(2))
    size = max(float(np.abs(programme.right_balance).max(initial=0.0)), 1.0)
    for _ in range(ROUNDS):
        times(shape, v, *lack)
        for each, want in zip(lack, (programme.right_own, programme.right_balance, programme.right_peak), strict=True):
            np.subtract(want, each, out=each)
        transposed_times(shape, state.own, state.balance, state.peak, pulled)
        objective, boxed, mu, paid = _standing(cost, most, pulled, v, low, high, shape.m, shape.z)
        bound = boxed + float(programme.right_own @ state.own)
        bound += float((programme.right_balance * state.balance).sum() + (programme.right_peak * state.peak).sum())
        state.bound = max(state.bound, bound)  # any prices prove one
        missing = max(float(np.abs(each).max(initial=0.0)) for each in lack) / size
        if objective - state.bound <= nearness * abs(paid) and missing < HOLDS:
            break
        _diagonal(most, v, low, high, d)
        system = factor(shape, d)

        def direction(into: tuple[Floats, ...], system: Factor = system) -> tuple[tuple[Floats, Floats, Floats], float, float]:
            _pull(cost, most, pulled, v, low, high, to_low, to_high, d, h, pull)
            times(shape, pull, *right)
            dy = solve(shape, system, *(a + b for a, b in zip(lack, right, strict=True)))
            transposed_times(shape, *dy, pull)
            return dy, *_move(most, v, low, high, d, h, pull, to_low, to_high, *into)

        _aim(most, v, low, high, 0.0, 0.0, to_low, to_high, *moves)
        _, far_v, far_y = direction(moves)
        aim = mu * min(max((_after(most, v, low, high, far_v, far_y, *moves) / mu) ** 3, 0.05), 0.6)
        _aim(most, v, low, high, aim, min(1.0, 10.0 * far_v * far_y), to_low, to_high, *moves)
        dy, far_v, far_y = direction(moves)
        for _ in range(CORRECTIONS):
            if min(far_v, far_y) > ENOUGH:
                break
            _towards_centre(most, v, low, high, aim, far_v, far_y, to_low, to_high, *moves)
            next_dy, next_v, next_y = direction(other)
            if next_v + next_y < far_v + far_y + 0.02:
                break
            dy, far_v, far_y, moves, other = next_dy, next_v, next_y, other, moves
        _advance(most, v, low, high, far_v, far_y, *moves)
        for price, change in zip((state.own, state.balance, state.peak), dy, strict=True):
            np.add(price, far_y * change, out=price)


def bound_at(shape: Shape, programme: Programme, own: Floats, balance: Floats, peak: Floats) -> float:
    """What no plan's cost can be below, by these prices of the rows, whatever they are."""
    pulled = np.empty(shape.size)
    transposed_times(shape, own, balance, peak, pulled)
    boxed = float((np.minimum(programme.cost - pulled, 0.0) * np.maximum(programme.most, 0.0)).sum())
    rows = zip((programme.right_own, programme.right_balance, programme.right_peak), (own, balance, peak), strict=True)
    return boxed + sum(float((right * price).sum()) for right, price in rows)


@kernel
def _begin(  # noqa: PLR0912, PLR0915
    shape: Shape, cost: Floats, most: Floats, right_own: Floats, right_balance: Floats, v: Floats, own: Floats, balance: Floats
) -> None:
    """Well inside: everybody charges evenly over his stay, and less than he asks for and than circuits carry.
    Prices are the meters'."""
    v[:] = 0.5 * most
    steps, many = shape.steps, shape.parent.size
    wanted = np.zeros((many, steps))
    fits = np.ones((many, steps))
    shares = np.zeros(shape.stay.size)
    for s in range(shape.stay.size):
        c, n, t0, a = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s]
        room = 0.0
        for k in range(n):
            room += most[a + k]
        asked = 0.0
        for j in range(shape.pieces):
            asked += most[shape.m + s * shape.pieces + j]
        shares[s] = min(0.7 * asked / room, 0.7) if room > 0.0 else 0.0
        for k in range(n):
            wanted[c, t0 + k] += shares[s] * most[a + k]
    for c in range(many - 1, -1, -1):
        up = shape.parent[c]
        if up >= 0:
            wanted[up] += np.maximum(wanted[c], 0.0)
    for c in range(many):
        up = shape.parent[c]
        for t in range(steps):
            room = most[shape.i + c * steps + t]
            fits[c, t] = min(1.0, 0.8 * room / wanted[c, t]) if wanted[c, t] > 0.0 else 1.0
            if up >= 0:
                fits[c, t] = min(fits[c, t], fits[up, t])
            balance[c, t] = (balance[up, t] if up >= 0 else 0.0) - cost[shape.i + c * steps + t]
    load = -right_balance
    for s in range(shape.stay.size):
        c, n, t0, a, r = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s], shape.own[s]
        b, eta = shape.both[s], shape.efficiency[s]
        price, gained, asked, state = 0.0, 0.0, 0.0, right_own[r] * -1.0
        for k in range(n):
            x = max(shares[s] * fits[c, t0 + k], 1e-3) * most[a + k]
            v[a + k] = x
            load[c, t0 + k] += x
            gained += x
            price -= balance[c, t0 + k] / n
            if b >= 0:
                z = min(0.5 * most[shape.z + b + k], 0.5 * eta * eta * x)
                v[shape.z + b + k] = z
                load[c, t0 + k] -= z
                state += eta * x - z / eta
                room = most[shape.e + b + k]
                v[shape.e + b + k] = min(max(state, 0.02 * room), 0.98 * room)
        for k in range(n if b >= 0 else 1):
            own[r + k] = price
        for j in range(shape.pieces):
            asked += most[shape.m + s * shape.pieces + j]
        left = min(max(right_own[r] - gained, 0.05 * asked), 0.95 * asked) / asked if b < 0 and asked > 0.0 else 0.5
        for j in range(shape.pieces):
            v[shape.m + s * shape.pieces + j] = left * most[shape.m + s * shape.pieces + j]
    for c in range(many - 1, -1, -1):
        up = shape.parent[c]
        for t in range(steps):
            cell = c * steps + t
            room, back = most[shape.i + cell], most[shape.o + cell]
            v[shape.o + cell] = max(min(0.1 * back, 0.1 * room), 1e-3 * back)
            flow = load[c, t] + v[shape.k + cell] + v[shape.o + cell]
            v[shape.i + cell] = min(max(flow, 0.02 * room), 0.98 * room)
            if up >= 0:
                load[up, t] += v[shape.i + cell] - v[shape.o + cell]
            if shape.peak[c] > 0:
                v[shape.w + cell] = 0.5 * most[shape.w + cell]


@kernel
def _standing(
    cost: Floats, most: Floats, pulled: Floats, v: Floats, low: Floats, high: Floats, short_from: int, short_to: int
) -> tuple[float, float, float, float]:
    """cost . v, the boxes' part of the bound, mean complementarity, and cost . v without shortfalls."""
    objective, boxed, mu, short, room = 0.0, 0.0, 0.0, 0.0, 1e-300
    for q in range(v.size):
        if most[q] > 0.0:
            objective += cost[q] * v[q]
            if short_from <= q < short_to:
                short += cost[q] * v[q]
            boxed += min(0.0, cost[q] - pulled[q]) * most[q]
            mu += low[q] * v[q] + high[q] * (most[q] - v[q])
            room += most[q]
    return objective, boxed, mu / (2.0 * room), objective - short


@kernel
def _diagonal(most: Floats, v: Floats, low: Floats, high: Floats, d: Floats) -> None:
    for q in range(v.size):
        d[q] = 1.0 / (low[q] / v[q] + high[q] / (most[q] - v[q])) if most[q] > 0.0 else 0.0


@kernel
def _aim(
    most: Floats,
    v: Floats,
    low: Floats,
    high: Floats,
    aim: float,
    second: float,
    to_low: Floats,
    to_high: Floats,
    moves: Floats,
    lows: Floats,
    highs: Floats,
) -> None:
    """What is to be added to low x v and high x (most - v), so that both become aim x most; `second`: of the first direction's
    second-order part."""
    for q in range(v.size):
        to_low[q] = aim * most[q] - v[q] * low[q]
        to_high[q] = aim * most[q] - (most[q] - v[q]) * high[q]
        if second > 0.0:
            to_low[q] -= second * moves[q] * lows[q]
            to_high[q] += second * moves[q] * highs[q]


@kernel
def _towards_centre(
    most: Floats,
    v: Floats,
    low: Floats,
    high: Floats,
    aim: float,
    far_v: float,
    far_y: float,
    to_low: Floats,
    to_high: Floats,
    moves: Floats,
    lows: Floats,
    highs: Floats,
) -> None:
    """Multiple centrality corrections (Gondzio 1996): products that a longer step would bring far from the aim are
    aimed back."""
    far_v, far_y = min(1.0, far_v + LONGER), min(1.0, far_y + LONGER)
    for q in range(v.size):
        if most[q] > 0.0:
            at, goal = v[q] + far_v * moves[q], aim * most[q]
            product = at * (low[q] + far_y * lows[q])
            to_low[q] += max(min(max(product, 0.1 * goal), 10.0 * goal) - product, -10.0 * goal)
            product = (most[q] - at) * (high[q] + far_y * highs[q])
            to_high[q] += max(min(max(product, 0.1 * goal), 10.0 * goal) - product, -10.0 * goal)


@kernel
def _pull(
    cost: Floats,
    most: Floats,
    pulled: Floats,
    v: Floats,
    low: Floats,
    high: Floats,
    to_low: Floats,
    to_high: Floats,
    d: Floats,
    h: Floats,
    pull: Floats,
) -> None:
    """`h`, what pulls at a variable besides the prices' move, and `pull`, D h."""
    for q in range(v.size):
        h[q] = 0.0
        if most[q] > 0.0:
            h[q] = cost[q] - pulled[q] - low[q] + high[q] - to_low[q] / v[q] + to_high[q] / (most[q] - v[q])
        pull[q] = d[q] * h[q]


@kernel
def _move(
    most: Floats,
    v: Floats,
    low: Floats,
    high: Floats,
    d: Floats,
    h: Floats,
    pull: Floats,
    to_low: Floats,
    to_high: Floats,
    moves: Floats,
    lows: Floats,
    highs: Floats,
) -> tuple[float, float]:
    """Directions that follow from the prices' move (`pull`: A' dy), and how far one may go along them."""
    far_v, far_y = 1.0 / NOT_QUITE, 1.0 / NOT_QUITE
    for q in range(v.size):
        if most[q] <= 0.0:
            moves[q] = lows[q] = highs[q] = 0.0
            continue
        u = most[q] - v[q]
        dv = d[q] * (pull[q] - h[q])
        dl, dh = (to_low[q] - low[q] * dv) / v[q], (to_high[q] + high[q] * dv) / u
        moves[q], lows[q], highs[q] = dv, dl, dh
        if dv < 0.0:
            far_v = min(far_v, -v[q] / dv)
        elif dv > 0.0:
            far_v = min(far_v, u / dv)
        if dl < 0.0:
            far_y = min(far_y, -low[q] / dl)
        if dh < 0.0:
            far_y = min(far_y, -high[q] / dh)
    return NOT_QUITE * far_v, NOT_QUITE * far_y


@kernel
def _after(
    most: Floats,
    v: Floats,
    low: Floats,
    high: Floats,
    far_v: float,
    far_y: float,
    moves: Floats,
    lows: Floats,
    highs: Floats,
) -> float:
    """The mean complementarity after a step."""
    mu, room = 0.0, 1e-300
    for q in range(v.size):
        if most[q] > 0.0:
            at = v[q] + far_v * moves[q]
            mu += (low[q] + far_y * lows[q]) * at + (high[q] + far_y * highs[q]) * (most[q] - at)
            room += most[q]
    return mu / (2.0 * room)


@kernel
def _advance(
    most: Floats,
    v: Floats,
    low: Floats,
    high: Floats,
    far_v: float,
    far_y: float,
    moves: Floats,
    lows: Floats,
    highs: Floats,
) -> None:
    for q in range(v.size):
        v[q] = min(max(v[q] + far_v * moves[q], WALL * most[q]), (1.0 - WALL) * most[q])
        low[q] += far_y * lows[q]
        high[q] += far_y * highs[q]
