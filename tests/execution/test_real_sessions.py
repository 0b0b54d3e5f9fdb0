"""The policies of `bench sessions` on a drawn day and on real ones: what each may do, and that nobody beats hindsight."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sessions import POLICIES, Figures, hindsight, judged, simulated
from benchmarks.sessions_days import STEP_H, STEPS, Day, days

KEEPING = [name for name in POLICIES if name != "uncontrolled"]


def drawn_day() -> Day:
    """A morning of 14 cars at two stations; half of them leave earlier than they said, and most take less than they asked."""
    rng, many = np.random.default_rng(3), 14
    arrive = rng.integers(28, 44, many)
    stay = rng.integers(4, 30, many)
    kw = rng.choice([7.0, 11.0], many)
    true = kw * STEP_H * stay * rng.uniform(0.2, 0.8, many)
    off = rng.normal(0, 4, (many, 30))
    return Day(
        np.array([-1, 0, 0]),
        np.array([30.0, 22.0, 20.0]),
        rng.integers(1, 3, many),
        arrive,
        arrive + stay,
        true * rng.uniform(1, 2, many),
        true,
        kw,
        arrive + stay + rng.normal(0, 4, many),
        off,
        np.full((many, 30), np.nan),
    )


@pytest.fixture(scope="module")
def found() -> dict[str, Figures]:
    day = drawn_day()
    return {name: judged(day, simulated(day, policy)) for name, policy in POLICIES.items()} | {
        "hindsight": judged(day, hindsight(day))
    }


def test_charging_at_once_serves_everybody_and_breaks_the_limit(found: dict[str, Figures]) -> None:
    assert found["uncontrolled"].energy_pct == pytest.approx(100)
    assert found["uncontrolled"].met_pct == 100
    assert found["uncontrolled"].jain == pytest.approx(1)
    assert found["uncontrolled"].cycles == 1
    assert found["uncontrolled"].violations > 0


@pytest.mark.parametrize("name", KEEPING)
def test_the_others_keep_every_limit_and_none_is_better_than_hindsight(found: dict[str, Figures], name: str) -> None:
    assert found[name].violations == 0
    assert found[name].peak_pct <= 100 + 1e-6
    assert 50 < found[name].energy_pct <= 100
    assert found[name].objective >= found["hindsight"].objective - 1e-6
    assert found["hindsight"].violations == 0


@pytest.mark.parametrize("name", KEEPING)
def test_no_policy_sees_the_truth(name: str) -> None:
    """A car that truly stays longer changes nothing before that shows."""
    day = drawn_day()
    late = int(day.leave.argmax())
    other = replace(day, leave=np.where(np.arange(day.leave.size) == late, STEPS, day.leave))
    until = int(day.leave[late])
    assert np.array_equal(simulated(day, POLICIES[name])[:, :until], simulated(other, POLICIES[name])[:, :until])


def test_what_is_known_of_departure_and_need() -> None:
    day = replace(drawn_day(), off=np.full((14, 1), -2.0), others_kwh=np.tile([3.0, 5.0, 40.0], (14, 1)))
    leaves = day.leaves(int(day.arrive.min()), 0.2)
    assert np.array_equal(leaves, np.maximum(np.floor(day.said - 2), day.arrive.min() + 1))
    assert np.array_equal(day.leaves(100, 0.2), np.full(14, 101))
    assert day.needs_kwh(day.asked_kwh).max() <= 40
    assert np.array_equal(day.needs_kwh(np.full(14, 1.0)), np.full(14, 1.0))


@pytest.mark.parametrize(("name", "fewest"), [("acn", 10), ("dundee", 80), ("desl", 4)])
def test_real_days_know_the_past_only(shared_data: Path, name: str, fewest: int) -> None:
    (day,) = days(name, 1, np.random.default_rng(5))
    assert day.arrive.size >= fewest
    assert np.all(day.leave > day.arrive)
    assert np.all(day.true_kwh <= day.max_kw * STEP_H * (day.leave - day.arrive) + 1e-9)
    assert np.all(day.true_kwh <= day.asked_kwh)
    assert np.isfinite(day.off).any(axis=1).mean() > 0.9
    assert np.isfinite(day.others_kwh).any() == (name == "acn")
    best = judged(day, hindsight(day))
    assert best.violations == 0
    assert best.energy_pct > 80
