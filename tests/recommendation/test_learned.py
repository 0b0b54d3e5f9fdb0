"""The features that the learned policy sees, the policy that is shipped, and the plans it makes."""

import json
from pathlib import Path

import numpy as np
import pytest

from chargeloop.model import BadInput, Current
from chargeloop.recommendation import FEATURES, SOLVERS, Problem, Seen, evaluate, features, solve
from chargeloop.recommendation.solvers import learned
from chargeloop.recommendation.solvers.learned import POLICY, best, policy
from tests.recommendation.conftest import Ask, Scene, random_scene


def problem_of(scene: Scene, ask: Ask, seed: int, requests: int) -> Problem:
    busy, asked = random_scene(scene, ask, np.random.default_rng(seed), requests)
    return busy.options(asked).problem


def seen_by_all(problem: Problem) -> Seen:
    return np.stack([features(problem, problem.bay_free_s, i) for i in range(len(problem.pool))])


@pytest.mark.parametrize("seed", range(4))
def test_features_lie_between_0_and_1_and_closed_options_have_none(scene: Scene, ask: Ask, seed: int) -> None:
    problem = problem_of(scene, ask, seed, 60)
    seen = seen_by_all(problem)
    assert seen.shape == (*problem.pool.shape, len(FEATURES))
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert ((seen[..., FEATURES.index("open")] == 1) == (problem.pool >= 0)).all()
    assert (seen[problem.pool < 0] == 0).all()
    assert ((problem.pool < 0) | (seen[..., FEATURES.index("rank")] > 0) | (seen[..., FEATURES.index("above_best")] == 0)).all()


def test_features_do_not_know_currency_time_or_the_order_of_options(scene: Scene, ask: Ask) -> None:
    problem = problem_of(scene, ask, 5, 40)
    seen = seen_by_all(problem)
    cents = problem._replace(
        fixed=100 * problem.fixed,
        wait_rate=100 * problem.wait_rate,
        late_rate=100 * problem.late_rate,
        busy_curve=problem.busy_curve * [1, 100, 100, 1],
    )
    assert seen_by_all(cents) == pytest.approx(seen, abs=1e-5)
    later = problem._replace(arrive_s=problem.arrive_s + 86_400, bay_free_s=problem.bay_free_s + 86_400)
    assert seen_by_all(later) == pytest.approx(seen, abs=1e-5)
    by_option = ("pool", "arrive_s", "stay_s", "over_s", "fixed")
    turned = problem._replace(**{name: getattr(problem, name)[:, ::-1].copy() for name in by_option})
    assert seen_by_all(turned)[:, ::-1] == pytest.approx(seen, abs=1e-5)


def test_features_say_what_is_free(scene: Scene, ask: Ask) -> None:
    scene = scene.taken({(4, Current.DC): [0, 10, 30, 600]})
    problem = scene.options([ask(8600, 2000)]).problem
    option = int(np.flatnonzero(problem.pool[0] == scene.pool(4, Current.DC))[0])
    there = dict(zip(FEATURES, features(problem, problem.bay_free_s, 0)[option].tolist(), strict=True))
    assert there["idle_share"] == 0.25
    assert there["idle"] == 0.25  # one, half at three
    assert there["free_soon"] == 0.5
    assert there["free_later"] == 0.75
    assert there["wait"] == 0
    assert there["next_wait"] > 0


def test_the_shipped_policy_is_small_and_of_today_s_features() -> None:
    assert POLICY.stat().st_size < 200_000
    assert json.loads(POLICY.with_suffix(".json").read_text())["features"] == list(FEATURES)
    session = policy()
    seen = np.zeros((7, len(FEATURES)), np.float32)
    seen[3, 0] = 1
    assert best(session, seen) == 3  # only what is open


def test_a_file_that_is_no_policy_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(BadInput, match=r"mine\.onnx"):
        policy(tmp_path / "mine.onnx")


@pytest.mark.parametrize("seed", range(8))
def test_a_plan_for_everybody_polished_or_not(scene: Scene, ask: Ask, seed: int) -> None:
    problem = problem_of(scene, ask, 300 + seed, 5 * seed + 1)
    rng = np.random.default_rng
    found, alone = solve("learned", problem, rng(1), 0.2), learned(problem, rng(1), 0.2, polished=False)
    servable = (problem.pool >= 0).any(axis=1)
    for each in (found, alone):
        assert ((each.choice >= 0) == servable).all()
        assert (problem.pool[servable, each.choice[servable]] >= 0).all()
        assert each.objective == pytest.approx(evaluate(problem, each.choice)[2].sum())
    assert found.objective <= alone.objective + 1e-9
    assert (alone.choice == learned(problem, rng(2), 0.2, polished=False).choice).all()


def test_it_is_better_than_chance_and_than_the_nearest(scene: Scene, ask: Ask) -> None:
    """F of plans for forty at once in a city of nine pools."""
    problem = problem_of(scene, ask, 9, 40)
    mine = learned(problem, np.random.default_rng(0), 0.0, polished=False).objective
    is_open = problem.pool >= 0
    going = is_open.any(axis=1)
    nearest = np.where(going, np.argmin(np.where(is_open, problem.arrive_s, np.inf), axis=1), -1)
    by_chance = np.where(going, np.argmax(is_open * np.random.default_rng(0).random(is_open.shape), axis=1), -1)
    for plan in (nearest, by_chance):
        assert mine < float(evaluate(problem, plan)[2].sum())
    assert "learned" in SOLVERS
