"""A day's plan: two solvers against each other and against the checker, on small problems of every kind."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.power_instances import both_ways, day
from chargeloop.execution import (
    Account,
    ChargingPlan,
    ChargingProblem,
    Circuits,
    Sessions,
    charging_violations,
    plan_by_prices,
    plan_exactly,
)
from chargeloop.model import BadInput
from chargeloop.model.city import Floats

STEPS = 12


@st.composite
def problems(draw: st.DrawFn) -> ChargingProblem:
    """Three levels of circuits; cars of one and of two ways, storage, PV, base load over some limits, a demand charge."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    many, cars = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    parent = np.array([-1, *(rng.integers(0, c) for c in range(1, many))])
    buy = np.zeros((many, STEPS))
    buy[0] = rng.uniform(0.2, 1.2, STEPS)
    come = rng.uniform(0, 2, cars)
    both = rng.random(cars) < draw(st.sampled_from([0.0, 0.5]))
    soc, asked = rng.uniform(0, 20, cars), rng.uniform(0, 20, cars)
    circuits = Circuits(
        parent,
        rng.uniform(5, 40, (many, 1)) * np.ones((1, STEPS)),
        base_kw=rng.uniform(0, 8, (many, STEPS)) * (rng.random((many, 1)) < 0.5),
        pv_kw=rng.uniform(0, 8, (many, STEPS)) * (rng.random((many, 1)) < 0.3),
        buy_per_kwh=buy,
        sell_per_kwh=draw(st.sampled_from([0.0, 0.6])) * buy,
        feed_in_limit_kw=rng.uniform(0, 10, (many, 1)),
        demand_charge_per_kw=np.r_[draw(st.sampled_from([0.0, 0.8])), np.zeros(many - 1)],
    )
    sessions = Sessions(
        rng.integers(0, many, cars),
        come,
        come + rng.uniform(0, 2, cars),
        asked,
        rng.choice([7.0, 11.0, 22.0], cars),
        least_kwh=asked * rng.random(cars) / 2,
        discharge_kw=np.where(both, 10.0, 0.0),
        capacity_kwh=soc + asked + 5,
        soc_kwh=soc,
        floor_kwh=rng.uniform(0, 10, cars),
        efficiency=np.where(both, 0.94, 1.0),
        wear_per_kwh=np.full(cars, 0.05),
    )
    return ChargingProblem(circuits, sessions, fairness=draw(st.sampled_from([0.0, 1.0])))


@settings(deadline=None, max_examples=60)
@given(problems())
def test_two_solvers_agree_within_the_certificate_and_keep_every_limit(problem: ChargingProblem) -> None:
    ours, exact = plan_by_prices(problem, 1e-4), plan_exactly(problem)
    assert charging_violations(problem, ours) == ()
    assert charging_violations(problem, exact) == ()
    size = 1 + abs(exact.account.objective)
    assert ours.bound <= exact.account.objective + 1e-5 * size
    assert exact.account.objective - 1e-5 * size <= ours.account.objective <= exact.account.objective + 0.05 * size


def test_a_city_is_planned_close_to_its_bound_and_no_energy_is_left_out_that_could_flow() -> None:
    problem = day(300, 1)
    ours, exact = plan_by_prices(problem), plan_exactly(problem)
    assert charging_violations(problem, ours) == ()
    assert 0 <= ours.gap <= 0.005
    assert ours.bound <= exact.account.objective * (1 + 1e-7)
    assert ours.shortfall_kwh.sum() == pytest.approx(exact.shortfall_kwh.sum(), rel=1e-8, abs=1e-5)


def one_site(sessions: Sessions, limit_kw: float = 11.0, **more: object) -> ChargingProblem:
    buy = np.array([[1.0] * 4 + [0.2] * 8])
    return ChargingProblem(Circuits(np.array([-1]), np.full((1, STEPS), limit_kw), buy_per_kwh=buy, **more), sessions)  # type: ignore[arg-type]


def test_the_cheap_hours_are_used_and_a_battery_earns_between_them() -> None:
    car = Sessions(np.array([0]), np.zeros(1), np.full(1, 3.0), np.full(1, 5.0), np.full(1, 11.0))
    plan: ChargingPlan = plan_by_prices(one_site(car))
    assert plan.charge_kw[0, :4].sum() == pytest.approx(0, abs=1e-3)
    assert isinstance(plan.account, Account)
    assert plan.account.paid == pytest.approx(1.0, rel=2e-3)
    both = replace(car, discharge_kw=np.full(1, 11.0), capacity_kwh=np.full(1, 40.0), soc_kwh=np.full(1, 20.0))
    buy = np.array([[1.0] * 4 + [0.2] * 8])
    plan = plan_by_prices(one_site(both, sell_per_kwh=buy))
    assert plan.account.paid < -5


def test_phases_are_for_the_exact_solver() -> None:
    three = Sessions(
        np.zeros(3, dtype=np.int64), np.zeros(3), np.full(3, 3.0), np.full(3, 20.0), np.full(3, 7.0), phase=np.array([1, 1, 2])
    )
    problem = one_site(three, 100.0, phase_limit_a=np.full((1, 1), 32.0))
    plan = plan_exactly(problem)
    assert charging_violations(problem, plan) == ()
    assert plan.charge_kw[:2].sum(axis=0).max() == pytest.approx(7.36)  # 32 A at 230 V
    with pytest.raises(BadInput, match="phase"):
        plan_by_prices(problem)


def test_the_checker_finds_each_kind_of_wrong() -> None:
    problem = day(60, 2)
    good = plan_by_prices(problem)
    assert "asked for" in " ".join(charging_violations(problem, replace(good, charge_kw=good.charge_kw * 1.5)))
    assert "over the limit" in " ".join(
        charging_violations(problem, replace(good, charge_kw=np.full_like(good.charge_kw, 7.0)))
    )
    assert "are possible" in " ".join(charging_violations(problem, replace(good, charge_kw=good.charge_kw[::-1])))
    assert "negative" in " ".join(charging_violations(problem, replace(good, charge_kw=good.charge_kw - 1)))
    assert "shape" in charging_violations(problem, replace(good, charge_kw=good.charge_kw[:1]))[0]
    assert "no number" in charging_violations(problem, replace(good, charge_kw=good.charge_kw * np.nan))[0]


def test_a_problem_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(BadInput, match="sell_per_kwh"):
        one_site(day(1, 1).sessions, sell_per_kwh=np.full((1, 1), 2.0))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"discharge_kw": np.full(1, 7.0)}, "capacity_kwh"),
        ({"value_per_kwh": np.full(1, np.inf)}, "value_per_kwh"),
    ],
)
def test_a_session_that_leads_to_no_number_is_refused(change: dict[str, Floats], what: str) -> None:
    car = Sessions(np.array([0]), np.zeros(1), np.full(1, 3.0), np.full(1, 5.0), np.full(1, 11.0))
    with pytest.raises(BadInput, match=what):
        replace(car, **change)  # type: ignore[arg-type]


def test_what_base_load_feeds_in_can_be_held_back_by_nobody() -> None:
    car = Sessions(np.array([0]), np.zeros(1), np.full(1, 3.0), np.full(1, 5.0), np.full(1, 11.0))
    problem = one_site(car, base_kw=np.full((1, STEPS), -6.0), feed_in_limit_kw=np.full((1, 1), 2.0))
    ours, exact = plan_by_prices(problem), plan_exactly(problem)
    assert charging_violations(problem, ours) == charging_violations(problem, exact) == ()
    assert ours.account.objective == pytest.approx(exact.account.objective, abs=0.01)


def test_the_exact_solver_prints_nothing() -> None:
    script = (
        "import numpy as np; from chargeloop.execution import *;"
        "car = Sessions(np.array([0]), np.zeros(1), np.ones(1), np.ones(1), np.ones(1));"
        "plan_exactly(ChargingProblem(Circuits(np.array([-1]), np.ones((1, 4))), car))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_city_that_gives_energy_back_is_planned_close_to_its_bound() -> None:
    problem = both_ways(300, 1)
    ours = plan_by_prices(problem)
    assert charging_violations(problem, ours) == ()
    assert ours.discharge_kw.sum() > 0
    assert ours.account.demand > 0
    assert 0 <= ours.gap < 0.01
