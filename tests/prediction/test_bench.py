"""The benchmark's own arithmetic: what it compares, and which hours and zones it leaves out."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from benchmarks.prediction_lightgbm import PlainLightGbm
from benchmarks.prediction_run import Span
from benchmarks.prediction_scores import Fold, Judged
from chargeloop.model import Demand, Weather
from chargeloop.model.city import Floats
from chargeloop.prediction import HORIZONS_H

SPAN = Span("november", 2)
FIRST, LAST = SPAN.rows


def record() -> Floats:
    """Three zones, of which the last is frozen."""
    energy = np.random.default_rng(1).gamma(4, 10, (LAST, 3))
    energy[:, 2] = 50.0
    return energy


def off_by(energy: Floats, kwh: float) -> Floats:
    """3 x horizons x hours x zones: too high by so much, in a band 1 kWh to both sides."""
    told = np.array([-1.0, 0.0, 1.0])[:, None, None] + energy[FIRST:LAST] + kwh
    return np.repeat(told[:, None], len(HORIZONS_H), axis=1)


def test_skill_is_of_live_zones_against_the_naive() -> None:
    energy = record()
    fold = Fold.of(SPAN, energy, off_by(energy, 10.0))
    assert fold.live.tolist() == [True, True, False]
    ours = off_by(energy, 6.0)
    ours[:, :, :, 2] += 100
    judged = Judged([fold.judged(ours)])
    assert judged.skill(0) == pytest.approx(0.4)
    assert judged.skill_mean == pytest.approx(0.4)
    assert judged.skill(0, live=False) == pytest.approx(1 - (0.6 + 0.6 + 10.6) / 3)
    assert judged.median("mae", 4) == pytest.approx(6.0)


def test_the_worst_coverage_names_zone_and_horizon_and_leaves_frozen_zones_out() -> None:
    energy = record()
    ours = off_by(energy, 0.0)
    ours[:, 3, : (LAST - FIRST) // 4, 1] += 100
    ours[:, :, :, 2] += 100
    fold = Fold.of(SPAN, energy, off_by(energy, 10.0))
    share, where = Judged([fold.judged(ours)]).worst_coverage()
    assert share == pytest.approx(0.75)
    assert where == "column 1, 12 h"


def test_by_day_each_horizon_is_so_many_hours_after_midnight() -> None:
    energy = record()
    day = Fold.of(SPAN, energy, off_by(energy, 10.0)).by_day()
    assert day.rows[:, 0].tolist() == [FIRST + lead - 1 for lead in HORIZONS_H]
    assert day.naive.shape == (3, len(HORIZONS_H), 2, 3)
    assert np.allclose(day.naive[1], energy[day.rows] + 10)


def test_plain_lightgbm_sees_nothing_after_the_origin() -> None:
    start, hours = datetime(2022, 8, 31, 16, tzinfo=UTC), 24 * 16
    energy = np.random.default_rng(2).gamma(4, 10, (hours, 3))
    weather = Weather(start, np.zeros(0), np.zeros(0))
    model = PlainLightGbm.fit(Demand(start, energy[: hours - 48]), weather, "Asia/Shanghai", ("a", "b", "c"))
    poisoned = energy.copy()
    poisoned[hours - 30 :] = 1e6
    whole, wrong = (
        model.forecast(Demand(start, each), weather, start + timedelta(hours=hours - 30), 24).q50 for each in (energy, poisoned)
    )
    assert np.array_equal(whole, wrong, equal_nan=True)
    assert np.isfinite(whole[np.array(HORIZONS_H) - 1]).all()
