from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from chargeloop.model import BadInput, City, Demand, Weather
from chargeloop.model.city import Floats
from chargeloop.prediction import (
    Forecast,
    HourOfWeek,
    Regression,
    forecast_city,
    hours_of,
    least_squares,
    usage_index,
    weather_index,
)

ZONE = "Asia/Shanghai"
START = datetime(2025, 2, 28, 16, tzinfo=UTC)  # a Saturday, 0 h in Shanghai, with no holiday until April
HOURS = 24 * 7 * 8
TRUE = np.array([1.0, 3.0, -2.0])


def made_weather(rng: np.random.Generator, hours: int = HOURS) -> Weather:
    return Weather(START, rng.normal(26, 6, hours), rng.integers(0, 4, hours).astype(float))


def made_demand(rng: np.random.Generator, weather: Weather, hours: int = HOURS) -> Demand:
    """Three zones that follow D = alpha P + beta W + gamma S + eps to the letter, P from their own past."""
    energy = np.zeros((hours, 3))
    warm_up = 24 * 28
    shape = 30 + 10 * np.sin(np.arange(warm_up) / 24 * 2 * np.pi)
    w = weather_index(weather.temperature_c, weather.rain)
    rest = hours_of(START, hours, ZONE).rest
    w, rest = w - w.mean(), rest - rest.mean()
    outside = TRUE[1] * w + TRUE[2] * rest
    energy[:warm_up] = shape[:, None] * [1.0, 1.5, 0.8] + outside[:warm_up, None] + rng.normal(0, 2, (warm_up, 3))
    for t in range(warm_up, hours):
        energy[t] = np.maximum(TRUE[0] * usage_index(energy[:t], t, 1)[0] + outside[t] + rng.normal(0, 2, 3), 0)
    return Demand(START, energy)


def test_intervals_hold_the_true_coefficients_in_95_percent_of_runs_though_errors_last_for_hours() -> None:
    rng = np.random.default_rng(3)
    runs, hours, kept = 500, 24 * 90, 0.9
    index = rng.gamma(4, 10, (hours // 24, runs)).repeat(24, axis=0)
    weather = rng.normal(size=hours // 12).repeat(12)
    season = (np.arange(hours) // 24 % 7 >= 5).astype(np.float64) - 2 / 7
    error = rng.normal(0, 5, (hours, runs))
    for t in range(1, hours):
        error[t] = kept * error[t - 1] + np.sqrt(1 - kept**2) * error[t]
    energy = TRUE[0] * index + TRUE[1] * weather[:, None] + TRUE[2] * season[:, None] + error
    found = least_squares(energy, index, weather, season)
    inside = ((found.low <= TRUE[:, None]) & (TRUE[:, None] <= found.high)).mean(axis=1)
    assert np.all((inside > 0.92) & (inside < 0.98))  # 500 runs tell a share of 0.95 to within 0.02
    assert np.allclose(found.estimate.mean(axis=1), TRUE, atol=0.05)


def test_regression_recovers_coefficients_of_a_series_with_its_own_memory() -> None:
    rng = np.random.default_rng(1)
    weather = made_weather(rng)
    demand = made_demand(rng, weather)
    found = Regression.fit(demand, weather, ZONE).coefficients
    assert found.estimate[0] == pytest.approx(np.full(3, TRUE[0]), abs=0.05)
    assert found.estimate[1] == pytest.approx(np.full(3, TRUE[1]), abs=0.5)
    assert found.estimate[2] == pytest.approx(np.full(3, TRUE[2]), abs=0.6)
    assert np.all(found.low < found.estimate)
    assert np.all(found.estimate < found.high)


@pytest.mark.parametrize("kind", ["regression", "profile"])
def test_forecast_sees_nothing_later_than_the_origin(kind: str) -> None:
    rng = np.random.default_rng(2)
    weather = made_weather(rng)
    demand = made_demand(rng, weather)
    origin = START + timedelta(hours=HOURS - 100, minutes=20)
    model: Regression | HourOfWeek
    model = Regression.fit(demand, weather, ZONE) if kind == "regression" else HourOfWeek.fit(demand, ZONE)
    whole = model.forecast(demand, weather, origin, 48)
    ended = HOURS - 100
    garbage = demand.energy_kwh.copy()
    garbage[ended:] = 1e6
    hot = Weather(START, np.where(np.arange(HOURS) < ended, weather.temperature_c, 90.0), weather.rain)
    for history, seen in (
        (Demand(START, demand.energy_kwh[:ended]), Weather(START, weather.temperature_c[:ended], weather.rain[:ended])),
        (Demand(START, garbage), hot),
    ):
        cut = model.forecast(history, seen, origin, 48)
        for q in ("q10", "q50", "q90"):
            assert np.array_equal(getattr(cut, q), getattr(whole, q))


def test_what_the_forecast_says_follows_what_was_seen() -> None:
    rng = np.random.default_rng(4)
    weather = made_weather(rng)
    demand = made_demand(rng, weather)
    model = Regression.fit(demand, weather, ZONE)
    origin = START + timedelta(hours=HOURS)
    usual = model.forecast(demand, weather, origin, 24)
    busier = model.forecast(Demand(START, demand.energy_kwh * 1.5), weather, origin, 24)
    assert np.all(busier.q50 > usual.q50)


def test_a_season_known_in_advance_moves_the_forecast_by_gamma() -> None:
    rng = np.random.default_rng(5)
    weather = made_weather(rng)
    demand = made_demand(rng, weather)
    model = Regression.fit(demand, weather, ZONE)
    flat = Demand(START, np.full((HOURS, 3), 40.0) + np.arange(HOURS)[:, None] % 2)  # P is the same every day
    friday = START + timedelta(days=48)  # a Friday: hours 0..23 are worked, 24..47 are not
    forecast = model.forecast(Demand(START, flat.energy_kwh[: 48 * 24]), weather, friday, 48)
    change = (forecast.q50[24:] - forecast.q50[:24]).mean(axis=0)
    alpha, _, gamma = model.coefficients.estimate
    assert np.all(np.abs(change - gamma) < 0.25 * np.abs(gamma) + np.abs(alpha - 1) * 45)


def well_formed(forecast: Forecast, hours: int, zones: int) -> None:
    for q in (forecast.q10, forecast.q50, forecast.q90):
        assert q.shape == (hours, zones)
        assert np.isfinite(q).all()
        assert (q >= 0).all()
    assert (forecast.q10 <= forecast.q50).all()
    assert (forecast.q50 <= forecast.q90).all()


def damaged(energy: Floats, how: str) -> Floats:
    energy = energy.copy()
    match how:
        case "a zone without data":
            energy[:, 1] = np.nan
        case "gaps":
            energy[np.random.default_rng(0).random(energy.shape) < 0.4] = np.nan
        case "feeds stopped two days ago":
            energy[-48:] = np.nan
        case "frozen":
            energy[-72:, 0] = energy[-73, 0]
        case "idle":
            energy[:, 2] = 0.0
        case "impossible values":
            energy[::7, 0], energy[::11, 1] = -5.0, np.inf
        case "one hour":
            energy = energy[:1]
        case "nothing":
            energy = energy[:0]
    return energy


@pytest.mark.parametrize(
    "how",
    [
        "a zone without data",
        "gaps",
        "feeds stopped two days ago",
        "frozen",
        "idle",
        "impossible values",
        "one hour",
        "nothing",
    ],
)
@pytest.mark.parametrize("hours", [1, 24, 60])
def test_damaged_history_degrades_and_never_crashes(how: str, hours: int) -> None:
    rng = np.random.default_rng(6)
    weather = made_weather(rng)
    energy = made_demand(rng, weather).energy_kwh
    history = Demand(START, damaged(energy, how))
    origin = START + timedelta(hours=HOURS)
    well_formed(Regression.fit(history, weather, ZONE).forecast(history, weather, origin, hours), hours, 3)
    fitted_before = Regression.fit(Demand(START, energy), weather, ZONE)
    well_formed(fitted_before.forecast(history, weather, origin, hours), hours, 3)
    well_formed(HourOfWeek.fit(history, ZONE).forecast(history, weather, origin, hours), hours, 3)


def test_a_frozen_feed_is_forecast_from_before_it_froze() -> None:
    rng = np.random.default_rng(7)
    weather = made_weather(rng)
    energy = made_demand(rng, weather).energy_kwh
    frozen = energy.copy()
    frozen[-48:, 0] = 500.0
    model = Regression.fit(Demand(START, energy), weather, ZONE)
    forecast = model.forecast(Demand(START, frozen), weather, START + timedelta(hours=HOURS), 24)
    assert np.all(np.abs(forecast.q50[:, 0] - energy[-24:, 0]) < 20)


def test_weather_that_is_missing_or_constant_is_left_out() -> None:
    rng = np.random.default_rng(8)
    weather = made_weather(rng)
    demand = made_demand(rng, weather)
    origin = START + timedelta(hours=HOURS)
    for bad in (
        Weather(START, np.full(HOURS, np.nan), np.full(HOURS, np.nan)),
        Weather(START, np.full(HOURS, 26.0), np.zeros(HOURS)),
        Weather(START, np.zeros(0), np.zeros(0)),
        Weather(START + timedelta(days=900), np.full(10, 20.0), np.zeros(10)),
    ):
        model = Regression.fit(demand, bad, ZONE)
        assert np.all(np.abs(model.coefficients.estimate[1]) < 1e-9)
        well_formed(model.forecast(demand, bad, origin, 24), 24, 3)


def test_bad_input_is_named() -> None:
    rng = np.random.default_rng(9)
    weather = made_weather(rng)
    demand = made_demand(rng, weather)
    with pytest.raises(BadInput, match="hours x zones"):
        HourOfWeek.fit(demand, ZONE).forecast(Demand(START, demand.energy_kwh[:, 0]), weather, START, 3)
    with pytest.raises(BadInput, match="hours x zones"):
        Regression.fit(Demand(START, demand.energy_kwh[:, 0]), weather, ZONE)
    with pytest.raises(BadInput, match="zone"):
        HourOfWeek.fit(demand, ZONE).forecast(demand, weather, datetime(2025, 5, 1), 3)  # noqa: DTZ001
    with pytest.raises(BadInput, match="want 3 names"):
        HourOfWeek.fit(demand, ZONE, ["A"])


def test_a_city_is_forecast_by_its_zones(small_city: City) -> None:
    origin = small_city.demand.start + timedelta(hours=len(small_city.demand.energy_kwh))
    forecast = forecast_city(small_city, origin, 24)
    assert forecast.zone_ids == ("Z0", "Z1", "Z2")
    well_formed(forecast, 24, 3)
    assert np.allclose(forecast.q50, small_city.demand.energy_kwh[-24:], rtol=0.25)
