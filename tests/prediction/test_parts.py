from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput, Demand, Weather
from chargeloop.prediction import (
    WEATHER_NEUTRAL_C,
    Forecast,
    HourOfWeek,
    hours_of,
    is_rest_day,
    known_until,
    known_weather,
    summed,
    usage_index,
    weather_index,
    without_frozen,
)

START = datetime(2025, 6, 1, 16, tzinfo=UTC)  # Monday 0 h in Shanghai


def test_hours_are_local_and_survive_daylight_saving() -> None:
    assert hours_of(START, 3, "Asia/Shanghai").of_week.tolist() == [0, 1, 2]
    spring = hours_of(datetime(2025, 3, 30, 0, tzinfo=UTC), 3, "Europe/Berlin")
    assert spring.of_day.tolist() == [1, 3, 4]


def test_rest_days_know_holidays_and_make_up_workdays() -> None:
    assert is_rest_day(date(2023, 1, 24), "Asia/Shanghai")  # Spring Festival, a Tuesday
    assert not is_rest_day(date(2022, 10, 8), "Asia/Shanghai")  # a Saturday that was worked
    assert is_rest_day(date(2022, 10, 8), "Europe/Berlin")
    assert not is_rest_day(date(2023, 1, 24), "Europe/Berlin")


def test_usage_index_weighs_days_and_weeks() -> None:
    energy = np.zeros((24 * 29, 1))
    t = len(energy)
    energy[t - 24] = 4.0  # yesterday: one of seven days, half the weight
    energy[t - 336] = 8.0  # two weeks ago: one of four weeks, half the weight
    assert usage_index(energy, t, 1)[0, 0] == pytest.approx(4 / 14 + 8 / 8)
    steady = np.full((24 * 29, 1), 7.0)
    assert usage_index(steady, t, 24)[:, 0] == pytest.approx(np.full(24, 7.0))


def test_usage_index_gives_the_weight_of_a_gap_to_the_other_lags() -> None:
    energy = np.full((24 * 29, 1), 7.0)
    energy[-24:] = np.nan
    assert usage_index(energy, len(energy), 24)[:, 0] == pytest.approx(np.full(24, 7.0))
    assert np.isnan(usage_index(np.full((24, 1), np.nan), 24, 1)).all()


def test_frozen_and_impossible_values_are_dropped_idle_ones_kept() -> None:
    energy = np.tile(np.arange(60.0)[:, None], (1, 4))
    energy[10:34, 0] = 9.0  # with the 9 before it: 25 h
    energy[10:32, 1] = 9.0  # 23 h
    energy[:, 2] = 0.0
    energy[5, 3] = -1.0
    clean = without_frozen(energy)
    assert np.isnan(clean[9:34, 0]).all()
    assert np.isfinite(clean[:, 1]).all()
    assert (clean[:, 2] == 0).all()
    assert np.isnan(clean[5, 3])
    assert energy[5, 3] == -1.0  # what was handed in is untouched


def test_the_running_hour_is_not_history() -> None:
    history = Demand(START, np.arange(10.0)[:, None])
    assert len(known_until(history, START + timedelta(hours=3, minutes=59))) == 3
    assert len(known_until(history, START - timedelta(days=1))) == 0


def test_weather_ahead_is_that_of_the_last_day_known() -> None:
    weather = Weather(START, 21.5 + np.arange(48.0), np.zeros(48))
    ahead = known_weather(weather, START + timedelta(hours=30), 24, START + timedelta(hours=30))
    assert ahead == pytest.approx(np.r_[np.arange(6, 24), np.arange(24, 30)] / 10)
    assert np.isnan(known_weather(weather, START + timedelta(days=30), 3, START + timedelta(days=30))).all()
    assert weather_index(np.array([WEATHER_NEUTRAL_C]), np.array([3.0])) == pytest.approx([1.0])


def test_profile_carries_the_level_of_the_last_week() -> None:
    hours = 24 * 7 * 6
    shape = 10 + 5 * np.sin(np.arange(hours) / 24 * 2 * np.pi)
    model = HourOfWeek.fit(Demand(START, shape[:, None]), "Asia/Shanghai")
    doubled = np.r_[shape[:-168], 2 * shape[-168:]]
    forecast = model.forecast(
        Demand(START, doubled[:, None]), Weather(START, np.zeros(0), np.zeros(0)), START + timedelta(hours=hours), 24
    )
    assert forecast.q50[:, 0] == pytest.approx(2 * shape[-24:])


def test_total_of_zones_is_between_independent_and_together() -> None:
    ones = np.ones((2, 4))
    forecast = Forecast(START, tuple("abcd"), 9 * ones, 10 * ones, 12 * ones)
    all_of = np.zeros(4, dtype=np.int64)
    apart, half, together = (summed(forecast, all_of, ["city"], r) for r in (0.0, 0.5, 1.0))
    assert apart.q50[0, 0] == 40
    assert apart.q90[0, 0] == pytest.approx(40 + 4)  # 2 * sqrt(4)
    assert together.q90[0, 0] == pytest.approx(48)
    assert apart.q90[0, 0] < half.q90[0, 0] < together.q90[0, 0]
    with pytest.raises(BadInput):
        summed(forecast, all_of, ["city"], 1.5)


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=3), st.floats(0, 40))
def test_quantiles_never_cross_nor_fall_below_zero(spread: list[float], point: float) -> None:
    forecast = Forecast.of(START, ("z",), np.array([[point]]), np.array(spread).reshape(3, 1, 1))
    assert 0 <= forecast.q10[0, 0] <= forecast.q50[0, 0] <= forecast.q90[0, 0]
