"""Shadow prices of bays by pool and time: what a stay takes from those who come later, and a bound for every policy.

The relaxation. Requests i with a list of pools p, drive time, arrival a_ip and stay y_i; a session that begins at s >= a_ip
uses the bay-time of [s, s + y_i). Every pool has bays x width of bay-time in each time bin. Minimise the sum over i of
drive + wait, or a penalty for being left out. Every schedule that can be carried out keeps to it, whoever decides and
whatever is known beforehand. With a price mu(p, bin) >= 0 on bay-time its Lagrangian dual is

    L(mu) = sum_i min(penalty, min over p, s of drive_ip + (s - a_ip) + integral of mu_p over the stay) - sum mu x capacity

which is below the optimum for any prices, and falls apart into one small search a request. The inner minimum over s is
exact: prices are constant within a bin, so the cost is linear between the instants at which begin or end of the stay meets
a bin's edge.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """`rate`: P x B, seconds of everybody's time for a second of a bay. Bins of `bin_s` from the start of the run."""

    rate: Floats
    bin_s: float

    def summed_s(self, pools: int) -> Floats:
        """P x (B + 1): the price of a bay from the start until each edge, s."""
        if len(self.rate) != pools:
            return np.zeros((pools, 2))
        return np.concatenate([np.zeros((pools, 1)), np.cumsum(self.rate * self.bin_s, axis=1)], axis=1)

    def scaled(self, factor: float) -> "Prices":
        return Prices(self.rate * factor, self.bin_s)


NO_PRICES = Prices(np.zeros((0, 1)), 900.0)


@dataclass(frozen=True, slots=True, eq=False)
class DayAhead:
    """Prices of the bays of a whole city, from the instant `from_s` (epoch seconds) on."""

    prices: Prices
    from_s: float

    def covers(self, at_s: float) -> bool:
        return bool(0 <= at_s - self.from_s < self.prices.rate.shape[1] * self.prices.bin_s)

    def others_min(self, pool: Ints, begin_s: Floats, stay_s: Floats) -> Floats:
        """Minutes that stays from `begin_s` on take from everybody else; all of one shape, 0 where `pool` is -1."""
        edges = self.prices.summed_s(len(self.prices.rate))
        return _taken_s(edges, self.prices.bin_s, pool, begin_s - self.from_s, stay_s) / 60


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """R requests with K options each. Instants in seconds from the start of the run.

    `pool`: R x K, -1 padded; `drive_s`: R x K, rising; `ask_s`, `stay_s`: R; `capacity_s`: P x B, bay-seconds in each bin.
    """

    pool: Ints
    drive_s: Floats
    ask_s: Floats
    stay_s: Floats
    capacity_s: Floats
    bin_s: float
    penalty_s: float


@kernel
def summed(edges: Floats, begin_s: float, end_s: float, bin_s: float) -> float:
    """What [begin, end) costs, given the price summed up to each bin's edge; nothing outside of the bins."""
    return float(_until(edges, end_s, bin_s) - _until(edges, begin_s, bin_s))


@kernel
def _taken_s(edges: Floats, bin_s: float, pool: Ints, begin_s: Floats, stay_s: Floats) -> Floats:
    taken = np.zeros(pool.shape)
    for i in range(pool.shape[0]):
        for k in range(pool.shape[1]):
            if pool[i, k] >= 0:
                taken[i, k] = summed(edges[pool[i, k]], begin_s[i, k], begin_s[i, k] + stay_s[i, k], bin_s)
    return taken


@kernel
def _until(edges: Floats, at_s: float, bin_s: float) -> float:
    x = at_s / bin_s
    if x <= 0:
        return float(edges[0])
    k = int(x)
    if k >= edges.size - 1:
        return float(edges[edges.size - 1])
    return float(edges[k] + (x - k) * (edges[k + 1] - edges[k]))


@kernel
def respond(
    pool: Ints, drive_s: Floats, ask_s: Floats, stay_s: Floats, edges: Floats, bin_s: float, penalty_s: float, use: Floats
) -> float:
    """Each request's cheapest way at these prices: returns the sum of their costs, and adds the bay-time to `use` (P x B)."""
    total = 0.0
    for i in range(ask_s.size):
        best, best_pool, best_begin = penalty_s, -1, 0.0
        stay = stay_s[i]
        for k in range(pool.shape[1]):
            p, drive = pool[i, k], drive_s[i, k]
            if p < 0 or drive >= best:
                break
            arrive = ask_s[i] + drive
            price = edges[p]
            cost = drive + summed(price, arrive, arrive + stay, bin_s)
            if cost < best:
                best, best_pool, best_begin = cost, p, arrive
            if cost == drive:  # nothing to gain by waiting
                continue
            for shift in (0.0, stay):
                edge = np.floor((arrive + shift) / bin_s) + 1
                begin = edge * bin_s - shift
                while drive + begin - arrive < best:
                    cost = drive + begin - arrive + summed(price, begin, begin + stay, bin_s)
                    if cost < best:
                        best, best_pool, best_begin = cost, p, begin
                    begin += bin_s
        total += best
        if best_pool >= 0:
            _use(use[best_pool], best_begin, best_begin + stay, bin_s)
    return total


@kernel
def _use(row: Floats, begin_s: float, end_s: float, bin_s: float) -> None:
    k = max(int(begin_s / bin_s), 0)
    while k < row.size and k * bin_s < end_s:
        row[k] += min(end_s, (k + 1) * bin_s) - max(begin_s, k * bin_s)
        k += 1


def ascend(demand: Demand, start: Floats, rounds: int, step: float) -> tuple[Prices, float]:
    """Prices by projected subgradient ascent from `start` (P x B), and the best dual value found, s.

    A bin's price moves with the share of its bay-time that is asked for too much or too little, in falling steps.
    """
    rate, best, best_rate = start.copy(), -np.inf, start
    usable = demand.capacity_s > 0
    scale = np.where(usable, demand.capacity_s, 1.0)
    for n in range(rounds):
        use = np.zeros_like(rate)
        edges = np.concatenate([np.zeros((len(rate), 1)), np.cumsum(rate * demand.bin_s, axis=1)], axis=1)
        cost = respond(demand.pool, demand.drive_s, demand.ask_s, demand.stay_s, edges, demand.bin_s, demand.penalty_s, use)
        value = cost - float((rate * demand.capacity_s).sum())
        if value > best:
            best, best_rate = value, rate.copy()
        excess = np.clip((use - demand.capacity_s) / scale, -1.0, 2.0)
        rate = np.maximum(rate + step / np.sqrt(n + 1.0) * excess, 0.0)
    return Prices(best_rate, demand.bin_s), best
