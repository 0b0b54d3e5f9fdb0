"""Every plan says how far it is from the best at most; where time is up, the certified flow is what is used."""

import numpy as np
import pytest

from chargeloop.model import Certificate
from chargeloop.recommendation import SOLVERS, assign_places, certified, evaluate, solve
from tests.recommendation.conftest import Ask, Scene, random_scene


@pytest.mark.parametrize("solver", SOLVERS)
def test_each_decision_carries_the_certificate_of_its_plan(scene: Scene, ask: Ask, solver: str) -> None:
    busy, requests = random_scene(scene, ask, np.random.default_rng(1), 6)
    decisions = busy.recommend(requests, solver=solver, certify=True)
    (certificate,) = {each.certificate for each in decisions}
    assert isinstance(certificate, Certificate)
    exact = busy.recommend(requests, certify=True)[0].certificate
    assert exact is not None
    assert certificate.requests == 6
    assert certificate.bound == pytest.approx(exact.bound, rel=0.02)  # the auction's own is a little lower
    assert certificate.objective >= max(certificate.bound, exact.bound) - 1e-9
    assert certificate.gap == pytest.approx(certificate.objective - certificate.bound)
    assert {each.certificate for each in busy.recommend(requests, solver=solver)} == {None}


@pytest.mark.parametrize("seed", range(4))
def test_without_time_the_plan_is_the_certified_flow(scene: Scene, ask: Ask, seed: int) -> None:
    """A burst, or a machine that is busy elsewhere: the exact solver's local search has no time, its flow stands."""
    busy, requests = random_scene(scene, ask, np.random.default_rng(seed), 12)
    problem = busy.options(requests).problem
    late = solve("exact", problem, np.random.default_rng(0), 0.0)
    flow = assign_places(problem)
    assert (late.choice == flow.choice).all()
    assert late.objective == pytest.approx(evaluate(problem, flow.choice)[2].sum())
    in_time = certified(problem, solve("exact", problem, np.random.default_rng(0), 1.0))
    assert certified(problem, late).bound == in_time.bound
    assert in_time.gap <= certified(problem, late).gap + 1e-9
