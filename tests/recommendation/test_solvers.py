from itertools import permutations, product
from time import monotonic

import numpy as np
import pytest

from chargeloop.model import Current, Tier
from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation import SOLVERS, Flow, Problem, alternatives, assign_places, bid_for_places, evaluate, scores
from chargeloop.recommendation.solvers import genetic, swarm
from chargeloop.recommendation.solvers.greedy import take_turns
from chargeloop.recommendation.solvers.places import open_places
from tests.recommendation.conftest import Ask, Scene, random_scene

DC = Current.DC


def plans(problem: Problem) -> list[Ints]:
    """Every plan that gives each request an option, if it has one."""
    own = [np.flatnonzero(row >= 0).tolist() or [-1] for row in problem.pool]
    return [np.array(choice) for choice in product(*own)]


def surrogate(problem: Problem, choice: Ints) -> float:
    """The cheapest way to give the places of each pool to those sent there, by trying every order."""
    spots = open_places(problem, np.full(len(problem.pool_station), 99))

    def price(i: int, k: int) -> float:
        return float(spots.cost[spots.row[i, choice[i]] + k - spots.first[spots.pool[k]]]) / 1000

    total = 0.0
    going = np.flatnonzero(choice >= 0)
    for pool in np.unique(problem.pool[going, choice[going]]):
        here = [int(i) for i in going if problem.pool[i, choice[i]] == pool]
        seats = [int(k) for k in np.flatnonzero(spots.pool == pool) for _ in range(min(spots.capacity[k], len(here)))]
        total += min(sum(price(i, k) for i, k in zip(here, order, strict=True)) for order in permutations(seats, len(here)))
    return total


@pytest.mark.parametrize("seed", range(6))
def test_the_flow_finds_the_optimum_of_its_surrogate_and_a_bound_on_f(scene: Scene, ask: Ask, seed: int) -> None:
    busy, requests = random_scene(scene, ask, np.random.default_rng(seed), 4)
    problem = busy.options(requests).problem
    flow = assign_places(problem)
    every = plans(problem)
    assert flow.cost == pytest.approx(min(surrogate(problem, choice) for choice in every), abs=0.01)
    assert flow.dual_cost == pytest.approx(flow.cost, abs=1e-6)  # the prices alone prove it
    bids = bid_for_places(problem, monotonic())
    assert bids.dual_cost <= flow.cost + 1e-6
    assert flow.cost - 1e-6 <= bids.cost <= flow.cost + (bids.cost - bids.dual_cost) + 1e-6
    best = min(float(evaluate(problem, choice)[2].sum()) for choice in every)
    for solver in SOLVERS.values():
        found = solver(problem, np.random.default_rng(0), 0.2)
        assert found.bound is None or found.bound <= best + 1e-9
        assert found.shadow_price is None or (found.shadow_price >= 0).all()
        assert found.objective >= best - 1e-9
        assert found.objective <= best + 0.02 * abs(best)


@pytest.mark.parametrize("seed", range(3))
def test_two_solvers_on_the_same_problem(scene: Scene, ask: Ask, seed: int) -> None:
    busy, requests = random_scene(scene, ask, np.random.default_rng(100 + seed), 40)
    problem = busy.options(requests).problem
    exact, greedy = (SOLVERS[name](problem, np.random.default_rng(1), 1.0) for name in ("exact", "greedy"))
    servable = (problem.pool >= 0).any(axis=1)
    assert exact.bound is not None
    assert exact.shadow_price is not None
    for found in (exact, greedy):
        assert ((found.choice >= 0) == servable).all()  # always an answer
        assert (problem.pool[servable, found.choice[servable]] >= 0).all()  # and an allowed one
        assert found.objective == pytest.approx(evaluate(problem, found.choice)[2].sum())
        assert found.objective >= exact.bound
    assert exact.objective <= greedy.objective * 1.05
    assert exact.objective <= float(evaluate(problem, assign_places(problem).choice)[2].sum()) + 1e-9


def test_waits_follow_the_queue(scene: Scene, ask: Ask) -> None:
    """Three drivers at one place and two bays: the third waits until the first of them has done."""
    scene = scene.taken({(4, DC): [0, 0, np.inf, np.inf]})
    problem = scene.options([ask(8600, 2000) for _ in range(3)]).problem
    choice = np.array([int(np.flatnonzero(row == scene.pool(4, DC))[0]) for row in problem.pool])
    wait_s, busy, cost = evaluate(problem, choice)
    stay_s = problem.stay_s[0, choice[0]]
    assert sorted(wait_s) == pytest.approx([0, 0, stay_s])
    assert max(busy) == pytest.approx(1)
    there_wait, there_busy = alternatives(problem, choice)
    rows = np.arange(3)
    assert there_wait[rows, choice] == pytest.approx(wait_s)
    assert there_busy[rows, choice] == pytest.approx(busy)
    assert scores(problem, there_wait, there_busy)[rows, choice] == pytest.approx(cost)


def test_a_burst_is_spread_over_the_stations(scene: Scene, ask: Ask) -> None:
    requests = [ask(1200, 1200) for _ in range(9)]
    for solver in SOLVERS:
        stations = [d.chosen.station_id for d in scene.recommend(requests, solver=solver, budget_s=0.2) if d.chosen]
        assert len(stations) == 9
        assert len(set(stations)) > 1


def test_emergency_chooses_before_those_who_asked_earlier(scene: Scene, ask: Ask) -> None:
    scene = scene.taken({(0, DC): [0, 90], (2, DC): [90, 90], (3, DC): [90], (4, DC): [90, 90, 90, 90]})
    requests = [*(ask() for _ in range(3)), ask(tier=Tier.EMERGENCY)]
    problem = scene.options(requests).problem
    order = np.lexsort((np.arange(4), problem.turn))
    assert order[0] == 3
    assert problem.pool[3, take_turns(problem, order, np.zeros(len(problem.pool_station)))[3]] == scene.pool(0, DC)
    for solver in SOLVERS:
        urgent = scene.recommend(requests, solver=solver, budget_s=0.2)[3].chosen
        assert urgent is not None
        assert urgent.station_id == "S0"
        assert urgent.wait_min < 10


def test_a_solver_without_time_still_answers(scene: Scene, ask: Ask) -> None:
    busy, requests = random_scene(scene, ask, np.random.default_rng(7), 20)
    problem = busy.options(requests).problem
    for solver in SOLVERS.values():
        found = solver(problem, np.random.default_rng(0), 0.0)
        assert ((found.choice >= 0) == (problem.pool >= 0).any(axis=1)).all()


def test_time_is_kept_and_a_cold_start_is_an_option(scene: Scene, ask: Ask) -> None:
    busy, requests = random_scene(scene, ask, np.random.default_rng(8), 60)
    problem = busy.options(requests).problem
    for search in (genetic, swarm):
        cold, short, long = (
            search(problem, np.random.default_rng(0), budget_s, warm=warm)
            for budget_s, warm in ((0.0, False), (0.0, True), (0.3, True))
        )
        begun = monotonic()
        search(problem, np.random.default_rng(0), 0.3)
        assert monotonic() - begun < 1.0
        assert long.objective <= short.objective
        assert np.isfinite(cold.objective)


@pytest.mark.parametrize("seed", range(4))
def test_an_auction_is_within_its_certificate_of_the_optimum(scene: Scene, ask: Ask, seed: int) -> None:
    busy, requests = random_scene(scene, ask, np.random.default_rng(200 + seed), 150)
    problem = busy.options(requests).problem
    flow, bids, coarse = assign_places(problem), bid_for_places(problem, monotonic() + 9), bid_for_places(problem, 0.0)
    assert flow.dual_cost == pytest.approx(flow.cost, abs=1e-6)
    for each in (bids, coarse):
        assert each.dual_cost - 1e-6 <= flow.cost <= each.cost + 1e-6
        assert (np.bincount(each.place[each.place >= 0], minlength=len(each.spots.pool)) <= each.spots.capacity).all()
    assert bids.cost - bids.dual_cost <= 1e-4 * bids.dual_cost + 0.01
    assert isinstance(flow, Flow)


def test_nobody_asks(scene: Scene, ask: Ask) -> None:
    problem = scene.options([ask()]).problem
    by_request = {name: value[:0] for name, value in problem._asdict().items() if len(value) == 1}
    for solver in SOLVERS.values():
        found = solver(problem._replace(**by_request), np.random.default_rng(0), 0.2)
        assert found.choice.shape == (0,)
        assert found.objective == 0


def test_nobody_to_serve(scene: Scene, ask: Ask) -> None:
    problem = scene.options([ask(excluded_operators=("North", "South"))]).problem
    for solver in SOLVERS.values():
        found = solver(problem, np.random.default_rng(0), 1.0)
        assert found.choice.tolist() == [-1]
        assert found.objective == 0


def test_a_place_is_priced_when_it_is_wanted_by_two(scene: Scene, ask: Ask) -> None:
    scene = scene.taken({(0, DC): [0, np.inf], (2, DC): [200, 200], (3, DC): [200], (4, DC): [200, 200, 200, 200]})
    one, two = (
        SOLVERS["exact"](scene.options([ask() for _ in range(count)]).problem, np.random.default_rng(0), 1.0).shadow_price
        for count in (1, 2)
    )
    assert one is not None
    assert two is not None
    pool = scene.pool(0, DC)
    assert one[pool] == 0
    assert two[pool] > 5  # a second bay would save one of them most of an hour
    shadow: Floats = np.delete(two, pool)
    assert (shadow <= two[pool]).all()
