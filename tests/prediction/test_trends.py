"""Habits that change are found, those that do not are mostly left alone."""

from datetime import UTC, datetime

import numpy as np
import pytest

from chargeloop.model import Demand
from chargeloop.prediction import Trait, Trend, kendall_p, sen_slope, significant, trends

DAYS, UNITS = 35, 60
START = datetime(2025, 5, 4, 16, tzinfo=UTC)  # midnight in Shanghai


def demand(seed: int, lasting: float = 0.0, growth: float = 0.0, shift_h: float = 0.0, rest: float = 0.0) -> Demand:
    """Days of one shape, whose level wanders. `growth`: of the level over all days; `rest`: of days of rest alone."""
    rng = np.random.default_rng(seed)
    level = np.zeros((DAYS, UNITS))
    for d in range(DAYS):
        level[d] = lasting * level[d - 1] + np.sqrt(1 - lasting**2) * rng.normal(0, 0.1, UNITS)
    along = np.arange(DAYS)[:, None] / DAYS
    level += growth * along + rest * along * (np.arange(DAYS)[:, None] % 7 >= 5)
    hour = np.arange(24)[None] - shift_h * along
    shape = 1 + 0.8 * np.sin((hour - 12) / 24 * 2 * np.pi)
    energy = 80 * np.exp(level)[:, None] * shape[:, :, None] * rng.lognormal(0, 0.1, (DAYS, 24, UNITS))
    return Demand(START, energy.reshape(-1, UNITS))


def every(of: Demand) -> tuple[Trend, ...]:
    return trends(of, "Asia/Shanghai", [str(u) for u in range(UNITS)])


def found(of: Demand, habit: Trait) -> list[float]:
    """Changes that were called significant."""
    return [each.change for each in every(of) if each.significant and each.habit is habit]


@pytest.mark.parametrize("lasting", [0.0, 0.4, 0.7])
def test_what_only_wanders_is_no_trend(lasting: float) -> None:
    of = demand(1, lasting)
    assert sum(len(found(of, habit)) for habit in Trait) <= 2
    p = np.array([each.p for each in every(of)])
    assert (p < 0.05).mean() < 0.1


def test_each_habit_is_found_by_its_own_name_and_size() -> None:
    grown, later, rested = (
        demand(2, 0.2, **{name: value}) for name, value in (("growth", 0.5), ("shift_h", 2.0), ("rest", 1.2))
    )
    assert np.median(found(grown, Trait.LEVEL)) == pytest.approx(np.expm1(0.5), abs=0.1)
    assert len(found(grown, Trait.LEVEL)) > 0.9 * UNITS
    assert np.median(found(later, Trait.PEAK_HOUR)) == pytest.approx(2.0, abs=0.3)
    assert len(found(later, Trait.LEVEL)) <= 0.1 * UNITS
    assert np.median(found(rested, Trait.REST_SHARE)) == pytest.approx(np.expm1(1.2), abs=0.5)


def test_a_frozen_feed_and_a_short_history_have_no_trend() -> None:
    of = demand(3)
    of.energy_kwh[:, 0] = 5.0
    assert "0" not in {each.unit_id for each in every(of)}
    week = Demand(START, of.energy_kwh[:168])
    assert every(week) == ()


def test_the_slope_does_not_heed_a_wild_day() -> None:
    at = np.arange(20.0)
    values = 0.3 * at
    values[7] = 500.0
    assert sen_slope(at, values) == pytest.approx(0.3)
    assert kendall_p(at, values) < 0.001
    assert kendall_p(at, np.zeros(20)) == 1


def test_of_many_few_are_called_significant() -> None:
    assert significant([0.001, 0.2, 0.04, 0.5]) == [True, False, True, False]
    assert significant([0.04] + [0.5] * 9) == [False] * 10
    assert significant([]) == []
