"""The shadow prices of a day ahead: days are drawn from the forecast, and bay-time is worth what it was worth in them."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats
from chargeloop.physics import full_hour, hour_of_week, utc_offset_s
from chargeloop.prediction import Forecast, HourOfWeek
from chargeloop.recommendation import Demand, Prices, ascend
from chargeloop.simulation.drivers import Drivers, draw_drivers
from chargeloop.simulation.reach import options
from chargeloop.simulation.scenario import QUIET, Scenario

BIN_S = 900.0
DAYS = 3  # drawn; with more the prices hardly move
ROUNDS, STEP = 60, 0.05  # of the ascent
PENALTY_S = 3600.0  # what it counts for to be left out
TAKEN = 1.2  # times the mean price, which is too even: each day is dear at other places (measured: 1.2 beats 0.9)


def shadow_prices(
    city: City,
    layout: Layout,
    guide: Guide,
    forecast: Forecast,
    start: datetime,
    hours: int,
    rng: np.random.Generator,
    *,
    level: float | None = None,
    scenario: Scenario = QUIET,
    days: int = DAYS,
) -> Prices:
    """Prices of every pool in the `hours` from `start`, from `days` draws of the drivers that the forecast expects.

    `level`, `scenario`: as for `draw_drivers`.
    """
    expected = as_forecast(city, forecast)
    bins = int(hours * 3600 / BIN_S)
    rate = np.zeros((len(layout.pool_station), bins))
    for _ in range(days):
        drivers = draw_drivers(expected, layout, start, hours, level, rng, scenario=scenario)
        slow = scenario.slow(drivers.appear_s, utc_offset_s(start, city.time_zone))
        demand = demand_of(drivers, layout, options(drivers, layout, guide, slow), start, bins)
        rate += ascend(demand, rate / days, ROUNDS, STEP)[0].rate
    return Prices(rate * TAKEN / days, BIN_S)


def as_forecast(city: City, forecast: Forecast) -> City:
    """The city whose bays are asked for as much more or less than usual as the forecast of each zone and hour says."""
    usual = HourOfWeek.fit(city.demand, city.time_zone).profile_kwh
    busy = city.behaviour.busy_share.copy()
    first = hour_of_week(full_hour(forecast.origin), city.time_zone)
    week = (first + np.arange(len(forecast.q50))) % 168
    busy[week] *= np.divide(forecast.q50, usual[week], out=np.ones_like(forecast.q50), where=usual[week] > 0)
    return replace(city, behaviour=replace(city.behaviour, busy_share=busy))


def demand_of(
    drivers: Drivers,
    layout: Layout,
    reach: tuple[np.ndarray, Floats, Floats],
    start: datetime,
    bins: int,
    *,
    free: bool = False,
) -> Demand:
    """The drivers as requests of the relaxation. Those who never ask are fixed to the nearest pool unless `free`."""
    pool, drive_s, _ = reach
    if not free:
        pool = np.where(~drivers.follows[:, None] & (np.arange(pool.shape[1]) > 0), -1, pool)
    capacity_s = np.repeat(layout.pool_bays[:, None] * BIN_S, bins, axis=1)
    return Demand(pool, drive_s, drivers.appear_s - start.timestamp(), drivers.asked_s, capacity_s, BIN_S, PENALTY_S)
