"""Prices of the day ahead: from the forecast, dear where and when bays are short."""

from datetime import timedelta

import numpy as np
import pytest

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats
from chargeloop.prediction import Forecast, HourOfWeek
from chargeloop.simulation import BUSY_ROADS, QUIET, Scenario, as_forecast, demand_of, draw_drivers, shadow_prices
from chargeloop.simulation.reach import options
from tests.small_city import START


def prices(city: City, layout: Layout, guide: Guide, level: float, scenario: Scenario = QUIET) -> Floats:
    forecast = HourOfWeek.fit(city.demand, city.time_zone).forecast(city.demand, city.weather, START, 6)
    rng = np.random.default_rng(3)
    return shadow_prices(city, layout, guide, forecast, START, 6, rng, level=level, scenario=scenario).rate


def test_bays_are_dear_where_they_are_short(small_city: City, small_layout: Layout, guide: Guide) -> None:
    plenty, short = (prices(small_city, small_layout, guide, level) for level in (0.2, 2.5))
    assert plenty.shape == (len(small_layout.pool_station), 24)
    assert (plenty >= 0).all()
    assert plenty.mean() < 0.02 < short.mean()


def test_the_same_seed_gives_the_same_prices(small_city: City, small_layout: Layout, guide: Guide) -> None:
    one, other = (prices(small_city, small_layout, guide, 1.5) for _ in range(2))
    assert (one == other).all()


def test_bays_are_asked_for_as_the_forecast_says(small_city: City) -> None:
    forecast = HourOfWeek.fit(small_city.demand, small_city.time_zone).forecast(
        small_city.demand, small_city.weather, START, 24
    )
    twice = Forecast(forecast.origin, forecast.zone_ids, forecast.q10, 2 * forecast.q50, 2 * forecast.q90)
    once = as_forecast(small_city, forecast).behaviour.busy_share
    doubled = as_forecast(small_city, twice).behaviour.busy_share
    moved = ~np.isclose(once, doubled).all(axis=1)
    assert moved.sum() == 24
    assert doubled[moved] == pytest.approx(2 * once[moved])


def test_those_who_never_ask_go_to_the_nearest(small_city: City, small_layout: Layout, guide: Guide) -> None:
    scenario = Scenario(walk_ins=0.5, hour_drive=BUSY_ROADS)
    drivers = draw_drivers(small_city, small_layout, START, 2, 1.0, np.random.default_rng(1), scenario=scenario)
    reach = options(drivers, small_layout, guide)
    bound, free = (demand_of(drivers, small_layout, reach, START, 8, free=free) for free in (False, True))
    assert (free.pool == reach[0]).all()
    assert (bound.pool[~drivers.follows, 1:] == -1).all()
    assert (bound.pool[drivers.follows] == reach[0][drivers.follows]).all()
    assert bound.ask_s.max() < timedelta(hours=2).total_seconds()
