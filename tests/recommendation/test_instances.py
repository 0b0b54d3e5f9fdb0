"""The frozen instances are what they were, and the leaderboard takes anybody's solver."""

import numpy as np
import pytest

from benchmarks.recommendation_instances import INSTANCES, Instance, instance
from benchmarks.recommendation_leaderboard import table
from chargeloop.recommendation import evaluate, solve

DIGEST = "1d7d11be1094d6fab53b1b4b1cd553478a0dbf8b60806a1b33907524b1124ca9"


@pytest.fixture(scope="module")
def burst() -> Instance:
    return instance("burst-500")


def test_the_small_instance_is_the_same_everywhere(burst: Instance) -> None:
    assert burst.digest == DIGEST
    assert burst.problem.pool.shape == (INSTANCES["burst-500"].requests, 30)


def test_one_thousandth_of_a_second_makes_another_instance(burst: Instance) -> None:
    arrive_s = burst.problem.arrive_s.copy()
    arrive_s[7, 7] += 0.001
    assert Instance("other", burst.problem._replace(arrive_s=arrive_s)).digest != DIGEST


def test_exact_is_near_its_bound_and_the_others_not_below(burst: Instance) -> None:
    exact, auction, greedy, genetic, swarm = (
        solve(name, burst.problem, np.random.default_rng(1), 0.5) for name in ("exact", "auction", "greedy", "genetic", "swarm")
    )
    assert exact.bound is not None
    assert exact.objective < 1.05 * exact.bound
    for found in (exact, auction, greedy, genetic, swarm):
        assert found.objective == pytest.approx(float(evaluate(burst.problem, found.choice)[2].sum()))
        assert found.objective >= exact.bound
        assert found.objective <= 1.3 * exact.objective


def test_the_leaderboard_has_a_row_for_ones_own(burst: Instance) -> None:
    lines = list(table(burst, ["exact", "tests.recommendation.test_own:first_come"], 0.2, 1))
    assert burst.digest[:16] in lines[1]
    assert lines[4].startswith("| exact |")
    assert lines[5].startswith("| tests.recommendation.test_own:first_come |")
