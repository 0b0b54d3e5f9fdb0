"""Power plans: feasible by an independent checker, nothing wasted, the most urgent first."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeloop.execution import PowerPlan, PowerProblem, schedule, violations
from chargeloop.model import BadInput
from chargeloop.model.city import Floats

NOW = 1_750_000_000.0


def problem(
    max_kw: list[float], energy_kwh: list[float], depart_h: list[float], limit_kw: float = 100.0, base_kw: float = 0.0
) -> PowerProblem:
    """Sessions on one site below one feeder; the site has the limit."""
    return PowerProblem(
        circuit_parent=np.array([-1, 0]),
        circuit_limit_kw=np.array([1000.0, limit_kw]),
        circuit_base_kw=np.array([0.0, base_kw]),
        circuit=np.ones(len(max_kw), dtype=np.int64),
        max_kw=np.array(max_kw),
        energy_kwh=np.array(energy_kwh),
        depart_s=NOW + 3600 * np.array(depart_h),
        now_s=NOW,
    )


@st.composite
def problems(draw: st.DrawFn) -> PowerProblem:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    circuits, sessions = draw(st.integers(1, 8)), draw(st.integers(0, 25))
    parent = np.array([-1, *(rng.integers(-1, c) for c in range(1, circuits))])
    energy = rng.uniform(0, 60, sessions)
    energy[rng.random(sessions) < 0.2] = np.inf
    depart = NOW + rng.uniform(-1800, 12 * 3600, sessions)
    depart[rng.random(sessions) < 0.2] = np.nan
    return PowerProblem(
        parent,
        rng.uniform(1, 200, circuits),
        rng.uniform(0, 40, circuits) * (rng.random(circuits) < 0.5),
        rng.integers(0, circuits, sessions),
        rng.choice([0.0, 3.5, 7.0, 60.0, 120.0], sessions),
        energy,
        depart,
        NOW,
        steps=draw(st.integers(1, 6)),
    )


def room_kw(asked: PowerProblem, plan: PowerPlan, t: int) -> Floats:
    """C: what is left under each circuit's own limit in a step."""
    room = asked.circuit_limit_kw - asked.circuit_base_kw_total()
    for s in range(asked.circuit.size):
        c = int(asked.circuit[s])
        while c >= 0:
            room[c] -= plan.limit_kw[s, t]
            c = int(asked.circuit_parent[c])
    return room


@settings(deadline=None, max_examples=200)
@given(problems())
def test_a_plan_keeps_every_limit_and_wastes_nothing(asked: PowerProblem) -> None:
    plan = schedule(asked)
    assert violations(asked, plan) == ()
    left = asked.energy_kwh.copy()
    for t in range(asked.steps):
        room = room_kw(asked, plan, t)
        for s in range(asked.circuit.size):
            wants = asked.max_kw[s] * (left[s] > 1e-9) - plan.limit_kw[s, t]
            above, c = [], int(asked.circuit[s])
            while c >= 0:
                above.append(room[c])
                c = int(asked.circuit_parent[c])
            assert wants <= 1e-6 or min(above) <= 1e-6
        left = np.maximum(left - plan.power_kw[:, t] * asked.step_s / 3600, 0)


def test_with_room_for_all_everybody_gets_what_was_asked() -> None:
    plan = schedule(problem([7.0, 60.0], [3.0, 20.0], [4, 2]))
    assert (plan.power_kw.sum(axis=1) / 12).tolist() == pytest.approx([3.0, 20.0])
    assert plan.shortfall_kwh.tolist() == pytest.approx([0, 0])
    assert plan.shadow_price.max() == 0


def test_the_one_with_least_time_to_spare_goes_first() -> None:
    plan = schedule(problem([60.0, 60.0], [30.0, 30.0], [0.6, 10], limit_kw=60))
    assert plan.power_kw[0, 0] == pytest.approx(60)
    assert plan.power_kw[1, 0] == pytest.approx(0)
    assert plan.power_kw[1, -1] > 0


def test_equals_share_equally_and_a_small_cable_does_not_starve() -> None:
    plan = schedule(problem([60.0, 60.0, 7.0], [40.0, 40.0, 4.7], [3, 3, 3], limit_kw=60))
    assert plan.power_kw[:, 0].tolist() == pytest.approx([26.5, 26.5, 7.0])


def test_what_cannot_be_met_is_a_named_shortfall() -> None:
    plan = schedule(problem([60.0, 60.0], [60.0, 60.0], [1, 1], limit_kw=60))
    assert plan.shortfall_kwh.sum() == pytest.approx(60)


def test_base_load_over_the_limit_leaves_nothing_but_a_plan() -> None:
    asked = problem([7.0], [5.0], [2], limit_kw=50, base_kw=80)
    plan = schedule(asked)
    assert plan.power_kw.max() == 0
    assert plan.circuit_load_kw[1, 0] == 80
    assert violations(asked, plan) == ()


def test_a_full_circuit_has_a_shadow_price_that_rises_with_urgency() -> None:
    calm = schedule(problem([60.0, 60.0], [60.0, 60.0], [8, 8], limit_kw=60)).shadow_price[:, 0]
    pressed = schedule(problem([60.0, 60.0], [60.0, 60.0], [1.1, 1.1], limit_kw=60)).shadow_price[:, 0]
    assert calm[0] == pressed[0] == 0
    assert 0 < calm[1] < pressed[1] <= 1


def test_nobody_is_an_empty_plan() -> None:
    plan = schedule(problem([], [], []))
    assert plan.power_kw.shape == (0, 12)


def test_the_checker_finds_each_kind_of_wrong() -> None:
    asked = problem([7.0, 60.0], [3.0, 20.0], [4, 2], limit_kw=60)
    good = schedule(asked)

    def said(power_kw: Floats) -> str:
        return " / ".join(violations(asked, replace(good, power_kw=power_kw, limit_kw=power_kw)))

    assert violations(asked, good) == ()
    assert "shape" in said(good.power_kw[:1])
    assert "no number" in said(good.power_kw * np.nan)
    assert "negative" in said(good.power_kw - 1)
    assert "over its maximum" in said(good.power_kw + np.array([[5.0], [0.0]]))
    assert "asked for" in said(np.full((2, 12), 7.0))
    assert "more power than it allows" in " ".join(violations(asked, replace(good, limit_kw=good.power_kw / 2)))
    assert "circuit 1, step 0" in said(np.array([[7.0] + [0.0] * 11, [58.0] + [0.0] * 11]))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"max_kw": np.zeros(3)}, "max_kw"),
        ({"circuit_base_kw": np.zeros(3)}, "circuit_base_kw"),
        ({"circuit_parent": np.array([1, -1])}, "circuit_parent"),
        ({"circuit": np.array([0, 2])}, "circuit"),
        ({"energy_kwh": np.array([1.0, -1.0])}, "energy_kwh"),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(change: dict[str, Floats], where: str) -> None:
    with pytest.raises(BadInput, match=where):
        replace(problem([7.0, 7.0], [1.0, 1.0], [1, 1]), **change)  # type: ignore[arg-type]
