"""What holds for all forecasters: they see nothing after the origin, and say which method stood in for which zone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from chargeloop.model import BadInput, Demand, Weather
from chargeloop.model.city import Floats
from chargeloop.prediction import (
    FORECASTERS,
    Backtest,
    Blend,
    Forecaster,
    Naive,
    Scores,
    backtest,
    boosted,
    fit_forecaster,
    live_zones,
    skill,
)

ZONE = "Asia/Shanghai"
START = datetime(2025, 2, 28, 16, tzinfo=UTC)
HOURS = 24 * 50
COLD = Weather(START, np.linspace(5, 30, HOURS), np.zeros(HOURS))


def drawn(zones: int = 4) -> Floats:
    """Days that are alike, with deviations that last for hours."""
    rng = np.random.default_rng(5)
    noise = np.zeros((HOURS, zones))
    for t in range(1, HOURS):
        noise[t] = 0.8 * noise[t - 1] + rng.normal(0, 2, zones)
    return np.maximum(30 + 10 * np.sin(np.arange(HOURS) / 24 * 2 * np.pi)[:, None] + noise, 0)


@pytest.fixture(scope="module")
def few_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosted, "TREES", 20)
        yield


@pytest.fixture(scope="module")
def blend(few_trees: None) -> Blend:
    return Blend.fit(Demand(START, drawn()), COLD, ZONE)


@pytest.mark.parametrize("name", FORECASTERS)
def test_nothing_after_the_origin_changes_a_forecast(few_trees: None, name: str) -> None:
    energy, ended = drawn(), HOURS - 60
    model: Forecaster = fit_forecaster(name, Demand(START, energy[:ended]), COLD, ZONE)
    origin = START + timedelta(hours=ended, minutes=30)
    poisoned, hot = energy.copy(), COLD.temperature_c.copy()
    poisoned[ended:], hot[ended:] = 1e6, 90.0
    cut = Weather(START, COLD.temperature_c[:ended], COLD.rain[:ended])
    whole, short, wrong = (
        model.forecast(Demand(START, history), weather, origin, 30)
        for history, weather in ((energy, COLD), (energy[:ended], cut), (poisoned, Weather(START, hot, COLD.rain)))
    )
    for q in ("q10", "q50", "q90"):
        assert np.array_equal(getattr(whole, q), getattr(short, q))
        assert np.array_equal(getattr(whole, q), getattr(wrong, q))


def test_each_zone_says_which_method_made_it(blend: Blend) -> None:
    energy = drawn()
    energy[-30:, 1] = 7.0
    energy[-2:, 2] = np.nan
    energy[-24 * 10 :, 3] = np.nan
    forecast = blend.forecast(Demand(START, energy), COLD, START + timedelta(hours=HOURS), 24)
    assert forecast.methods == ("blend", "held", "mean7", "hour_of_week")
    assert (forecast.q50[:, 1] == 7.0).all()
    assert np.isfinite(forecast.q50).all()


def test_a_zone_without_history_is_like_the_others(few_trees: None) -> None:
    energy = drawn()
    energy[:, 0] = np.nan
    model = Blend.fit(Demand(START, energy), COLD, ZONE)
    forecast = model.forecast(Demand(START, energy), COLD, START + timedelta(hours=HOURS), 3)
    assert forecast.methods[0] == "other_zones"
    assert forecast.q50[:, 0] == pytest.approx(np.median(forecast.q50[:, 1:], axis=1))


def test_dev7_is_what_its_formula_says() -> None:
    energy = drawn()
    model = Naive.fit("dev7", Demand(START, energy), ZONE)
    made = model.forecast(Demand(START, energy), COLD, START + timedelta(hours=HOURS - 24), 24).q50
    o = HOURS - 25

    def mean(t: int) -> Floats:
        return np.asarray(np.mean([energy[t - 24 * k] for k in range(1, 8)], axis=0))

    for h in (1, 5, 24):
        assert made[h - 1] == pytest.approx(np.maximum(mean(o + h) + 0.97**h * (energy[o] - mean(o)), 0))


def test_a_backtest_scores_each_hour_as_it_was_forecast() -> None:
    energy = drawn()
    found: Backtest = backtest(
        FORECASTERS["day"], Demand(START, energy), COLD, ZONE, (), first=HOURS - 48, last=HOURS, leads=(1, 24)
    )
    scores: Scores = found.scores(24)
    assert scores.mae == pytest.approx(np.abs(energy[-48:] - energy[-72:-24]).mean(axis=0))
    assert skill(scores.mae, 2 * scores.mae) == pytest.approx(0.5)
    with pytest.raises(BadInput, match="some before"):
        backtest(FORECASTERS["day"], Demand(START, energy), COLD, ZONE, (), first=10, last=20, leads=(24,))


def test_a_zone_that_stands_still_is_not_live() -> None:
    energy = drawn()
    energy[200:300, 1] = 3.0
    assert live_zones(energy, 190, 300).tolist() == [True, False, True, True]


def test_a_short_record_gets_the_regression_and_an_unknown_name_is_refused() -> None:
    short = Demand(START, drawn()[: 24 * 10])
    assert type(fit_forecaster("best", short, COLD, ZONE)).__name__ == "Regression"
    with pytest.raises(BadInput, match="days of history"):
        fit_forecaster("blend", short, COLD, ZONE)
    with pytest.raises(BadInput, match="there is no"):
        fit_forecaster("oracle", short, COLD, ZONE)
