"""A day's plan made again from the last one's prices."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.power_instances import changed, day
from chargeloop.execution import (
    ChargingProblem,
    Circuits,
    Sessions,
    charging_violations,
    plan_by_prices,
    plan_exactly,
    replan,
)
from chargeloop.execution.linear import linear
from chargeloop.execution.replan import _bound
from chargeloop.model import BadInput
from tests.execution.test_day import problems


@settings(deadline=None, max_examples=30)
@given(problems(), st.integers(0, 2**32))
def test_whatever_changes_limits_hold_and_the_bound_is_one(problem: ChargingProblem, seed: int) -> None:
    last = plan_by_prices(problem)
    sessions = problem.sessions
    stays = np.random.default_rng(seed).random(sessions.circuit.size) < 0.7
    other = replace(
        sessions, max_kw=np.where(stays, sessions.max_kw, 3.0), energy_kwh=np.where(stays, sessions.energy_kwh, 1.0)
    )
    now = replace(problem, sessions=other)
    plan, best = replan(now, last, np.where(stays, np.arange(stays.size), -1)), plan_exactly(now)
    assert charging_violations(now, plan) == ()
    size = 1 + abs(best.account.objective)
    assert plan.bound <= best.account.objective + 1e-5 * size
    assert plan.account.objective >= best.account.objective - 1e-5 * size


@settings(deadline=None, max_examples=30)
@given(problems(), st.integers(0, 2**32))
def test_any_prices_prove_a_bound(problem: ChargingProblem, seed: int) -> None:
    price = np.random.default_rng(seed).uniform(0, 2, problem.circuits.limit_kw.shape)
    best = plan_exactly(problem).account.objective
    assert _bound(problem, *linear(problem), price) <= best + 1e-5 * (1 + abs(best))


def test_a_city_of_which_a_part_has_changed_is_planned_as_well_as_anew() -> None:
    before = day(1000, 1)
    last = plan_by_prices(before)
    now, same = changed(before, 2)
    warm, cold = replan(now, last, same), plan_by_prices(now)
    assert np.count_nonzero(same < 0) == 50
    assert charging_violations(now, warm) == ()
    assert warm.gap < 5e-3
    assert warm.account.objective < cold.account.objective * 1.002
    assert warm.shortfall_kwh.sum() == pytest.approx(cold.shortfall_kwh.sum(), abs=1e-6)
    moved = np.abs(warm.charge_kw - last.charge_kw)[same >= 0].sum()
    assert moved < 0.1 * last.charge_kw.sum()


def test_some_steps_later_the_rest_of_the_day_is_as_it_was() -> None:
    before = day(300, 1)
    last, passed = plan_by_prices(before), 30
    sessions, circuits = before.sessions, before.circuits
    left = sessions.energy_kwh - before.step_h * last.charge_kw[:, :passed].sum(axis=1)
    there = np.flatnonzero((sessions.depart_h > passed * before.step_h) & (left > 1e-6))
    some = Sessions(**{each.name: getattr(sessions, each.name)[there] for each in fields(sessions)})
    shifted = replace(
        some,
        arrive_h=some.arrive_h - passed * before.step_h,
        depart_h=some.depart_h - passed * before.step_h,
        energy_kwh=left[there],
    )
    rest = Circuits(circuits.parent, circuits.limit_kw[:, passed:], buy_per_kwh=circuits.buy_per_kwh[:, passed:])
    plan = replan(ChargingProblem(rest, shifted), last, there, passed)
    assert plan.gap < 5e-3
    assert np.abs(plan.charge_kw - last.charge_kw[there, passed:]).sum() < 0.1 * plan.charge_kw.sum()


def test_what_does_not_fit_is_refused() -> None:
    problem = day(50, 1)
    last = plan_by_prices(problem)
    for same in (np.arange(49), np.arange(50) + 1, np.full(50, -2)):
        with pytest.raises(BadInput, match="number in the last plan"):
            replan(problem, last, same)
    with pytest.raises(BadInput, match="circuits"):
        replan(day(200, 1), last, np.full(200, -1))
    least = replace(problem.sessions, min_kw=np.full(50, 1.0))
    with pytest.raises(BadInput, match="use plan_exactly"):
        replan(replace(problem, sessions=least), last, np.arange(50))
