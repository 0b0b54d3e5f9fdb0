"""Shadow prices: the inner search against a fine grid, the bound against HiGHS, both on small random cases."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from chargeloop.model.city import Floats
from chargeloop.recommendation import NO_PRICES, Demand, Prices, ascend, respond, summed

BIN_S, BINS, PENALTY_S = 600.0, 12, 2400.0


def demand(seed: int, requests: int = 14, pools: int = 3) -> Demand:
    rng = np.random.default_rng(seed)
    pool = np.stack([rng.permutation(pools) for _ in range(requests)])
    return Demand(
        pool=pool,
        drive_s=np.sort(rng.uniform(60, 900, (requests, pools)), axis=1),
        ask_s=np.sort(rng.uniform(0, 3600, requests)),
        stay_s=rng.uniform(900, 2700, requests),
        capacity_s=np.repeat(rng.integers(0, 3, (pools, 1)) * BIN_S, BINS, axis=1),
        bin_s=BIN_S,
        penalty_s=PENALTY_S,
    )


def starts(each: Demand, i: int, k: int) -> Iterator[float]:
    """Every instant at which an optimal session of request i at its k-th option may begin: arrival, and edges of bins."""
    arrive = each.ask_s[i] + each.drive_s[i, k]
    yield arrive
    edges = np.arange(2 * BINS) * BIN_S
    yield from (edge for edge in (*edges, *(edges - each.stay_s[i])) if arrive < edge <= arrive + PENALTY_S)


def overlap(begin: float, end: float) -> Floats:
    edges = np.arange(BINS) * BIN_S
    return np.asarray(np.clip(np.minimum(end, edges + BIN_S) - np.maximum(begin, edges), 0, None))


def highs(each: Demand) -> tuple[float, Floats]:
    """Optimum of the relaxation over all columns (request, pool, start), and the prices of bay-time, P x B."""
    cost, request, use = [], [], []
    for i in range(each.ask_s.size):
        for k in range(each.pool.shape[1]):
            for begin in starts(each, i, k):
                row = np.zeros(each.capacity_s.shape)
                row[each.pool[i, k]] = overlap(begin, begin + each.stay_s[i])
                cost.append(begin - each.ask_s[i])
                request.append(i)
                use.append(row.ravel())
    cost += [PENALTY_S] * each.ask_s.size
    request += list(range(each.ask_s.size))
    use += [np.zeros(each.capacity_s.size)] * each.ask_s.size
    once = (np.array(request) == np.arange(each.ask_s.size)[:, None]).astype(float)
    best = linprog(cost, A_ub=np.array(use).T, b_ub=each.capacity_s.ravel(), A_eq=once, b_eq=np.ones(len(once)), method="highs")
    return float(best.fun or 0), -np.reshape(best.ineqlin.marginals, each.capacity_s.shape)


def dual(each: Demand, rate: Floats) -> float:
    edges = Prices(rate, each.bin_s).summed_s(len(rate))
    use = np.zeros_like(rate)
    cost = respond(each.pool, each.drive_s, each.ask_s, each.stay_s, edges, each.bin_s, each.penalty_s, use)
    return float(cost - (rate * each.capacity_s).sum())


@pytest.mark.parametrize("seed", range(4))
def test_at_the_prices_of_highs_the_bound_is_the_optimum_of_the_relaxation(seed: int) -> None:
    each = demand(seed)
    optimum, rate = highs(each)
    assert dual(each, np.maximum(rate, 0)) == pytest.approx(optimum, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_ascent_comes_near_to_the_optimum_and_never_over_it(seed: int) -> None:
    each = demand(seed)
    optimum, _ = highs(each)
    prices, bound = ascend(each, np.zeros_like(each.capacity_s), 400, 0.1)
    assert bound <= optimum * (1 + 1e-9)
    assert bound >= 0.97 * optimum
    assert dual(each, prices.rate) == pytest.approx(bound)


@given(st.integers(0, 10_000))
def test_any_prices_give_a_bound(seed: int) -> None:
    each = demand(seed % 4)
    rate = np.random.default_rng(seed).exponential(0.3, each.capacity_s.shape)
    assert dual(each, rate) <= highs(each)[0] * (1 + 1e-9)


@given(st.integers(0, 10_000))
def test_no_start_on_a_fine_grid_is_cheaper_than_the_one_found(seed: int) -> None:
    each = demand(seed, requests=1)
    rng = np.random.default_rng(seed)
    rate = rng.exponential(0.5, each.capacity_s.shape) * (rng.random(each.capacity_s.shape) < 0.7)
    use = np.zeros_like(rate)
    edges = Prices(rate, BIN_S).summed_s(len(rate))
    found = respond(each.pool, each.drive_s, each.ask_s, each.stay_s, edges, BIN_S, PENALTY_S, use)
    tried = [
        each.drive_s[0, k] + shift + rate[each.pool[0, k]] @ overlap(begin, begin + each.stay_s[0])
        for k in range(3)
        for shift in np.linspace(0, PENALTY_S, 200)
        for begin in [each.ask_s[0] + each.drive_s[0, k] + shift]
    ]
    assert found <= min(*tried, PENALTY_S) + 1e-6


def test_a_stay_costs_the_price_of_each_moment_of_it() -> None:
    edges = Prices(np.array([[0.5, 0.0, 2.0]]), 100.0).summed_s(1)[0]
    assert summed(edges, 50.0, 250.0, 100.0) == pytest.approx(25 + 0 + 100)
    assert summed(edges, -50.0, 0.0, 100.0) == 0
    assert summed(edges, 300.0, 900.0, 100.0) == 0  # nothing is known of what follows


def test_without_prices_everything_is_free_at_every_pool() -> None:
    assert NO_PRICES.summed_s(3).shape == (3, 2)
    assert not NO_PRICES.summed_s(3).any()
    assert Prices(np.ones((2, 4)), 60.0).scaled(0.9).rate.tolist() == [[0.9] * 4] * 2
