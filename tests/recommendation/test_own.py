"""A solver and weights of one's own."""

from types import MappingProxyType

import numpy as np
import pytest

from chargeloop.model import BadInput, Tier
from chargeloop.recommendation import (
    DEFAULT,
    Assignment,
    Problem,
    Solver,
    TierWeights,
    Weights,
    evaluate,
    solve,
    solver_named,
)
from tests.recommendation.conftest import Ask, Scene, random_scene

TIER = Tier.TAXI


def first_come(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    """Everybody takes the first option that is open to them."""
    choice = np.array([np.flatnonzero(row >= 0)[0] if np.any(row >= 0) else -1 for row in problem.pool])
    return Assignment(choice, float(evaluate(problem, choice)[-1].sum()))


def nowhere(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    return Assignment(np.full(len(problem.pool), -1), 0.0)


def beyond(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    return Assignment(np.full(len(problem.pool), problem.pool.shape[1]), 0.0)


def halves(problem: Problem, rng: np.random.Generator, budget_s: float) -> Assignment:
    return Assignment(np.full(len(problem.pool), 0.5), 0.0)


def test_a_solver_of_ones_own_fits_in_and_the_shipped_ones_are_better(scene: Scene, ask: Ask) -> None:
    busy, requests = random_scene(scene, ask, np.random.default_rng(3), 12)
    by_me = busy.recommend(requests, solver=f"{__name__}:first_come")
    mine: Solver = solver_named(f"{__name__}:first_come")
    assert mine is first_come
    assert {decision.solver for decision in by_me} == {f"{__name__}:first_come"}
    exact = busy.recommend(requests, solver="exact")
    assert sum(d.chosen.score for d in exact if d.chosen) <= sum(d.chosen.score for d in by_me if d.chosen)


@pytest.mark.parametrize(("name", "what"), [("nowhere", "left out"), ("beyond", "cannot have option"), ("halves", "whole")])
def test_a_plan_that_is_none_is_not_taken(scene: Scene, ask: Ask, name: str, what: str) -> None:
    problem = scene.options([ask(), ask()]).problem
    with pytest.raises(BadInput, match=what):
        solve(f"{__name__}:{name}", problem, np.random.default_rng(0), 0.0)


@pytest.mark.parametrize("name", ["fastest", "no_such_module:solve", f"{__name__}:no_such", f"{__name__}:TIER"])
def test_a_name_that_is_no_solver(name: str) -> None:
    with pytest.raises(BadInput, match="solver"):
        solver_named(name)


def test_a_tiers_weights_can_be_changed() -> None:
    taxi = TierWeights(value_of_time_per_h=90.0, wait=2.0)
    changed = Weights(tiers=MappingProxyType({**DEFAULT.tiers, Tier.TAXI: taxi}))
    assert changed.minute(Tier.TAXI, None) == 1.5
    assert changed.minute(Tier.TAXI, 30.0) == 0.5
    assert changed.minute(Tier.PRIVATE, None) == DEFAULT.minute(Tier.PRIVATE, None)
