"""A solver and weights of one's own."""

from importlib import import_module
from types import MappingProxyType

import numpy as np
import pytest

from chargeloop.model import Tier
from chargeloop.recommendation import DEFAULT, SOLVERS, Assignment, Problem, Solver, TierWeights, Weights, evaluate
from tests.recommendation.conftest import Ask, Scene, random_scene


def first_come(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    """Everybody takes the first option that is open to them."""
    choice = np.array([np.flatnonzero(row >= 0)[0] if np.any(row >= 0) else -1 for row in problem.pool])
    return Assignment(choice, float(evaluate(problem, choice)[-1].sum()))


def test_a_solver_of_ones_own_fits_in_and_the_shipped_ones_are_better(
    scene: Scene, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine: Solver = first_come
    monkeypatch.setattr(import_module("chargeloop.recommendation.recommend"), "SOLVERS", {**SOLVERS, "mine": mine})
    busy, requests = random_scene(scene, ask, np.random.default_rng(3), 12)
    by_me = busy.recommend(requests, solver="mine")
    assert {decision.solver for decision in by_me} == {"mine"}
    exact = busy.recommend(requests, solver="exact")
    assert sum(d.chosen.score for d in exact if d.chosen) <= sum(d.chosen.score for d in by_me if d.chosen)


def test_a_tiers_weights_can_be_changed() -> None:
    taxi = TierWeights(value_of_time_per_h=90.0, wait=2.0)
    changed = Weights(tiers=MappingProxyType({**DEFAULT.tiers, Tier.TAXI: taxi}))
    assert changed.minute(Tier.TAXI, None) == 1.5
    assert changed.minute(Tier.TAXI, 30.0) == 0.5
    assert changed.minute(Tier.PRIVATE, None) == DEFAULT.minute(Tier.PRIVATE, None)
