"""Scores on paper, and when errors have grown."""

from datetime import UTC, datetime

import numpy as np
import pytest

from chargeloop.model import City, Layout
from chargeloop.prediction import BEFORE_D, RECENT_D, Correlation, Drift, Forecast, Levels, Score, drift, pinball, scored

ORIGIN = datetime(2025, 6, 10, 9, tzinfo=UTC)


def test_scores_by_hand(small_city: City, small_layout: Layout) -> None:
    levels = Levels.of(small_city, small_layout)
    middle = np.array([[10.0, 20.0, 30.0]])
    forecast = Forecast(ORIGIN, levels.zone_ids, middle - 5, middle, middle + 5)
    history = np.concatenate([np.full((200, 3), 20.0), [[12.0, 40.0, 30.0]]])
    stopped = np.array([False, False, True])
    scores: list[Score] = scored(forecast, 0, levels, Correlation(), history, stopped)
    zone, district, city = scores
    assert (zone.level, zone.horizon_h, zone.units, zone.stopped, zone.covered) == ("zone", 1, 2, 1, 1)
    assert (zone.actual_kwh, zone.abs_kwh) == (52.0, 22.0)
    assert zone.relative == pytest.approx(2 / history[:, 0].mean() + 20 / history[:, 1].mean())
    assert zone.naive == pytest.approx(8 / history[:, 0].mean() + 20 / history[:, 1].mean())
    expected = [0.1 * 7 + 0.5 * 2 + 0.1 * 3, 0.1 * 25 + 0.5 * 20 + 0.9 * 15]
    assert zone.pinball_kwh == pytest.approx(sum(expected) / 3)
    assert district.units == len(set(levels.district_of[:2]))
    assert (city.units, city.actual_kwh, city.abs_kwh) == (1, 52.0, 22.0)


def test_the_quantile_itself_loses_least() -> None:
    came = np.random.default_rng(1).normal(size=20_000)
    losses = [pinball(came, np.full_like(came, at), 0.9).mean() for at in (0.8, 1.2816, 1.7)]
    assert losses[1] == min(losses)


def test_errors_that_have_grown_are_drift_and_one_bad_day_is_not() -> None:
    rng = np.random.default_rng(2)
    usual = list(rng.normal(0.2, 0.02, BEFORE_D))
    assert drift([*usual, *rng.normal(0.3, 0.02, RECENT_D)]).is_there
    assert drift([*usual, *rng.normal(0.2, 0.02, RECENT_D - 1), 2.0]).is_there is False
    assert drift(usual[:5]) == Drift(float(np.mean(usual[:5])), None, None)
    assert drift([]).is_there is None
