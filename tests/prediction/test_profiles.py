"""Vehicles as seen, PV and base load: what is true is found, and what is believed before gives way."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput, ChargingCurve
from chargeloop.physics import drive_kwh
from chargeloop.prediction import BaseLoad, ChargingSeen, Consumption, Panel, Solar

CURVE = ChargingCurve((0.0, 0.1, 0.5, 0.8, 1.0), (60.0, 110.0, 90.0, 50.0, 8.0))


def trips(count: int, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    km, kmh, air = rng.uniform(2, 30, count), rng.uniform(15, 90, count), rng.uniform(-5, 38, count)
    by_air = np.array([drive_kwh(1.0, 0.16, float(each)) for each in air])
    v = (kmh - 40) / 40
    return km, km * (by_air + 0.16 * (0.05 * v + 0.1 * v**2)) * rng.lognormal(0, 0.08, count), kmh, air


def test_consumption_gives_way_to_trips() -> None:
    believed = Consumption.of_type(0.22)
    few, many = (believed.after(*trips(count)) for count in (15, 400))
    cold, error = many.kwh(10.0, 40.0, -5.0)
    assert cold[0] == pytest.approx(float(drive_kwh(10.0, 0.16, -5.0)), rel=0.04)
    assert error[0] < few.kwh(10.0, 40.0, -5.0)[1][0] < believed.kwh(10.0, 40.0, -5.0)[1][0]
    assert few.kwh(10.0, 40.0, 20.0)[0][0] == pytest.approx(1.6, rel=0.08)
    fast, usual = (many.kwh(10.0, kmh, 20.0)[0][0] for kmh in (90.0, 40.0))
    assert fast / usual == pytest.approx(1 + 0.05 * 1.25 + 0.1 * 1.25**2, rel=0.05)


def test_a_wrong_reading_moves_little_and_an_empty_one_nothing() -> None:
    known = Consumption.of_type(0.16).after(*trips(100))
    wrong = known.after(np.array([10.0]), np.array([60.0]), np.array([40.0]), np.array([20.0]))
    assert wrong.kwh(10.0, 40.0, 20.0)[0][0] == pytest.approx(known.kwh(10.0, 40.0, 20.0)[0][0], rel=0.03)
    empty = known.after(np.array([0.0, 5.0]), np.array([0.0, np.nan]), np.array([np.nan, 40.0]), np.array([20.0, 20.0]))
    np.testing.assert_array_equal(empty.weight, known.weight)
    with pytest.raises(BadInput):
        Consumption.of_type(0.0)


def test_a_charging_curve_is_found_where_the_vehicle_is_what_limits() -> None:
    rng = np.random.default_rng(1)
    soc, offered = rng.uniform(0.05, 0.98, 1500), rng.choice([60.0, 120.0], 1500)
    true = np.interp(soc, CURVE.soc, CURVE.power_kw)
    power = np.minimum(true * rng.lognormal(0, 0.02, 1500), offered)
    seen = ChargingSeen.of_type(ChargingCurve((0.0, 1.0), (80.0, 30.0))).after(soc, power, offered)
    at = np.linspace(0.1, 0.95, 50)
    assert np.abs(seen.power_kw(at) / np.interp(at, CURVE.soc, CURVE.power_kw) - 1).mean() < 0.04


@given(st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(0, 500), st.floats(1, 500)), max_size=30))
def test_whatever_is_read_a_curve_stays_one(readings: list[tuple[float, float, float]]) -> None:
    soc, power, offered = np.array(readings).reshape(-1, 3).T
    seen = ChargingSeen.of_type(CURVE).after(soc, power, offered)
    assert np.isfinite(seen.kw).all()
    assert (seen.kw >= 0).all()
    assert (seen.weight >= ChargingSeen.of_type(CURVE).weight).all()


def test_a_charger_that_holds_back_says_nothing_of_the_vehicle() -> None:
    believed = ChargingSeen.of_type(CURVE)
    held = believed.after(np.full(20, 0.3), np.full(20, 30.0), np.full(20, 30.0))
    np.testing.assert_array_equal(held.kw, believed.kw)


START = datetime(2025, 4, 1, tzinfo=UTC)
PANEL = Panel(114.0, 22.5, 20.0)


def sunny(days: int) -> tuple[np.ndarray, np.ndarray]:
    """Output under clouds that stay for a day or so, and a measure of them that is an hour's own."""
    rng = np.random.default_rng(4)
    clear = PANEL.clear(START.timestamp(), 24 * days)
    clouds = np.repeat(rng.uniform(0, 1, days), 24)
    return np.clip(clear * (1 - 0.8 * clouds) * rng.lognormal(0, 0.05, clear.size), 0, None), clouds[:, None]


def test_sunshine_is_told_from_that_of_late_and_from_the_weather() -> None:
    output, clouds = sunny(70)
    first = 60 * 24
    plain = Solar.fit(PANEL, START.timestamp(), output[:first])
    weather = Solar.fit(PANEL, START.timestamp(), output[:first], clouds[:first])
    error = {"plain": 0.0, "weather": 0.0, "yesterday": 0.0}
    for origin in range(first, first + 9 * 24, 7):
        true = output[origin : origin + 6]
        ours = plain.forecast(START.timestamp(), output[:origin], 6)
        told = weather.forecast(START.timestamp(), output[:origin], 6, clouds[:origin])
        assert ours.shape == (3, 6)
        assert (np.diff(ours, axis=0) >= 0).all()
        guesses = {"plain": ours[1], "weather": told[1], "yesterday": output[origin - 24 : origin - 18]}
        error = {name: error[name] + float(np.abs(guess - true).sum()) for name, guess in guesses.items()}
    assert error["plain"] < 0.8 * error["yesterday"]
    assert error["weather"] < 1.05 * error["plain"]


def test_a_sun_forecast_sees_nothing_later_and_gives_nothing_at_night() -> None:
    output, _ = sunny(40)
    model = Solar.fit(PANEL, START.timestamp(), output[: 35 * 24])
    origin = 36 * 24
    back = model.forecast(START.timestamp() + 3600 * (origin - 48), output[origin - 48 : origin])
    np.testing.assert_allclose(model.forecast(START.timestamp(), output[:origin]), back)
    night = PANEL.clear(START.timestamp() + 3600 * origin, 24) == 0
    assert (back[:, night] == 0).all()
    with pytest.raises(BadInput, match="hours"):
        model.forecast(START.timestamp(), output, 25)
    with pytest.raises(BadInput, match="learn"):
        Solar.fit(PANEL, START.timestamp(), output[:100])


def test_base_load_by_hour_of_week_and_heat() -> None:
    rng = np.random.default_rng(2)
    hours = np.arange(24 * 120)
    air = 25 + 8 * np.sin(2 * np.pi * (hours / 24 - 0.3)) + np.repeat(rng.normal(0, 4, 120), 24)
    local_h = (hours + 8) % 24  # START is midnight UTC
    load = 30 + 20 * ((local_h >= 8) & (local_h < 20)) + 1.5 * np.maximum(air - 24, 0) + rng.normal(0, 2, hours.size)
    model = BaseLoad.fit(START, load, air, "Asia/Shanghai")
    assert model.cooling_kw_per_k == pytest.approx(1.5, rel=0.1)
    found = model.predict(START + timedelta(days=120), np.full(24, 30.0))
    expected = 30 + 20 * ((local_h[:24] >= 8) & (local_h[:24] < 20)) + 9
    assert np.abs(found[1] - expected).mean() < 1.5
    assert ((found[0] < found[1]) & (found[1] < found[2])).all()
    with pytest.raises(BadInput):
        BaseLoad.fit(START, load, air[:5], "Asia/Shanghai")
