"""From quantiles of demand to bays that will be short, and to the peak."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from chargeloop.model import City, Layout
from chargeloop.prediction import Forecast, bays_needed, kwh_per_bay_hour, peaks, quantile_of, short_of, shortages

ORIGIN = datetime(2025, 6, 10, 9, tzinfo=UTC)


def of(middle: list[float], width: float = 0.0) -> Forecast:
    """One zone, hour by hour."""
    point = np.array(middle)[:, None]
    return Forecast(ORIGIN, ("Z1",), np.maximum(point - width, 0), point, point + width)


def test_nine_of_ten_find_a_bay_among_those_needed() -> None:
    rng = np.random.default_rng(3)
    for busy in (20.0, 100.0, 400.0):
        others = rng.poisson(busy, 200_000)
        assert (others < bays_needed(np.array(busy))).mean() == pytest.approx(0.9, abs=0.02)


def test_quantiles_come_back_at_their_scores() -> None:
    forecast = of([100.0, 3.0], width=10.0)
    assert quantile_of(forecast, np.full((1, 1), 1.2815515)) == pytest.approx(forecast.q90)
    assert quantile_of(forecast, np.full((1, 1), -1.2815515)) == pytest.approx(forecast.q10, abs=1e-5)
    assert quantile_of(forecast, np.zeros((1, 1))) == pytest.approx(forecast.q50)


def test_the_probability_is_that_of_demand_above_what_the_bays_serve() -> None:
    forecast = of([700.0] * 2, width=70.0)
    enough = float(bays_needed(np.array(100.0)))
    at_median, at_q90, missing = (
        short_of(forecast, np.array([7.0]), np.array([bays]))[0][0, 0]
        for bays in (enough, float(bays_needed(np.array(110.0))), 10 * enough)
    )
    assert at_median == pytest.approx(0.5, abs=0.01)
    assert at_q90 == pytest.approx(0.1, abs=0.01)
    assert missing == 0


def test_a_shortage_is_told_with_its_hours_and_bays() -> None:
    forecast = of([300, 300, 900, 950, 300, 300], width=20)
    (found,) = shortages(forecast, np.array([7.0]), np.array([100.0]))
    assert (found.zone_id, found.begin, found.end) == ("Z1", ORIGIN + timedelta(hours=2), ORIGIN + timedelta(hours=4))
    assert found.probability == 1
    assert found.bays == 100
    assert found.more_bays == pytest.approx(float(bays_needed(np.array(950 / 7.0))) - 100, abs=0.5)
    assert found.needed == pytest.approx(found.bays + found.more_bays, abs=0.5)
    assert shortages(forecast, np.array([7.0]), np.array([900.0])) == ()


def test_what_a_busy_bay_draws_is_measured(small_city: City, small_layout: Layout) -> None:
    per_bay = kwh_per_bay_hour(small_city.demand, small_city.behaviour, small_layout, small_city.time_zone)
    bays = np.bincount(small_layout.station_zone[small_layout.evse_station])
    usual = np.array([40.0, 30.0, 50.0]) / (np.array([0.5, 0.4, 0.6]) * bays)  # demand and busy share have one shape
    assert per_bay == pytest.approx(usual, rel=0.02)


def test_a_peak_is_as_high_as_the_highest_of_uncertain_hours() -> None:
    rng = np.random.default_rng(1)
    (flat,) = peaks(of([100.0] * 24, width=10.0), 0.0, rng)
    assert flat.q50_kwh > 112  # the highest of 24 independent hours
    (lasting,) = peaks(of([100.0] * 24, width=10.0), 0.99, rng)
    assert 100 < lasting.q50_kwh < 108
    (sure,) = peaks(of([1.0, 5.0, 2.0]), 0.5, rng)
    assert (sure.at, sure.chance, sure.q10_kwh, sure.q90_kwh) == (ORIGIN + timedelta(hours=1), 1.0, 5.0, 5.0)
