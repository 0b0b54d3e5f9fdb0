"""Prices of the day ahead: from the forecast, dear where and when bays are short."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import monotonic, sleep

import numpy as np
import pytest
from structlog.testing import capture_logs

from chargeloop.city import builtin_city
from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats
from chargeloop.perception import Perception
from chargeloop.prediction import Forecast, HourOfWeek, forecast_city
from chargeloop.recommendation import DayAhead
from chargeloop.simulation import (
    BUSY_ROADS,
    QUIET,
    Nightly,
    Scenario,
    Twin,
    as_forecast,
    default_day,
    demand_of,
    draw_drivers,
    run,
    shadow_prices,
)
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


def test_the_loop_gets_new_prices_every_few_hours(small_city: City, small_layout: Layout, guide: Guide) -> None:
    perception = Perception(small_city, small_layout)
    model = HourOfWeek.fit(small_city.demand, small_city.time_zone)

    def asked(nightly: Nightly, after_h: float) -> DayAhead | None:
        at = START + timedelta(hours=after_h)
        return nightly(perception.snapshot(at), model.forecast(small_city.demand, small_city.weather, at, 24))

    nightly = Nightly(small_city, small_layout, guide, level=1.5)
    first, soon, later = (asked(nightly, hours) for hours in (0, 1, 7))
    assert first is not None
    assert first is soon
    assert later is not None
    assert later.from_s - first.from_s == 7 * 3600
    assert first.covers(START.timestamp())
    assert not first.covers(START.timestamp() + 30 * 3600)


def test_a_server_goes_on_while_prices_are_made(small_city: City, small_layout: Layout, guide: Guide) -> None:
    world = Perception(small_city, small_layout).snapshot(START)
    forecast = HourOfWeek.fit(small_city.demand, small_city.time_zone).forecast(
        small_city.demand, small_city.weather, START, 24
    )
    nightly = Nightly(small_city, small_layout, guide, level=1.5, background=True)
    assert nightly(world, forecast) is None
    deadline = monotonic() + 30
    while (made := nightly(world, forecast)) is None and monotonic() < deadline:
        sleep(0.05)
    assert made is not None
    pool = np.zeros((1, 1), dtype=np.int64)
    assert made.others_min(pool, np.array([[made.from_s]]), np.array([[3600.0]])).shape == (1, 1)


def test_prices_that_cannot_be_made_leave_those_before(small_city: City, small_layout: Layout, guide: Guide) -> None:
    forecast = HourOfWeek.fit(small_city.demand, small_city.time_zone).forecast(
        small_city.demand, small_city.weather, START, 24
    )
    nightly = Nightly(small_city, small_layout, guide, level=1.5, background=True)

    def asked(after_h: float, given: Forecast) -> DayAhead | None:
        return nightly(Perception(small_city, small_layout).snapshot(START + timedelta(hours=after_h)), given)

    def until(is_so: Callable[[], bool]) -> None:
        deadline = monotonic() + 30
        while not is_so():
            assert monotonic() < deadline
            sleep(0.05)

    until(lambda: asked(0, forecast) is not None)
    first = asked(0, forecast)
    of_another_city = replace(forecast, q50=forecast.q50[:, :0])
    with capture_logs() as logs:
        until(lambda: asked(7, of_another_city) is first and bool(logs))
    until(lambda: asked(14, forecast) is not first)
    assert asked(14, forecast) is not None


def test_prices_and_likely_waits_save_minutes() -> None:
    city = builtin_city()
    layout = Layout.of(city)
    guide, start = Guide.of(city, layout), default_day(city) + timedelta(hours=9)
    ahead = shadow_prices(city, layout, guide, forecast_city(city, start, 6), start, 6, np.random.default_rng(3), level=1.5)

    def minutes(policy: str, seed: int) -> float:
        drivers = draw_drivers(city, layout, start, 6, 1.5, np.random.default_rng(seed))
        twin = Twin(city, layout, guide, drivers, start, 300, policy, np.random.default_rng(seed), prices=ahead, listen=False)
        run(twin, None)
        kpis = twin.kpis()
        return kpis.drive_min + kpis.wait_min + 60 * (1 - kpis.served_share)

    assert minutes("priced", 1) < 0.95 * minutes("commit", 1)
    assert minutes("priced", 2) < 0.95 * minutes("commit", 2)
