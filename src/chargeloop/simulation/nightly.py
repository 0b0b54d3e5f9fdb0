"""The shadow prices of a day ahead: days are drawn from the forecast, and bay-time is worth what it was worth in them."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Lock

import numpy as np
import structlog

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout, World
from chargeloop.model.city import Floats
from chargeloop.physics import full_hour, hour_of_week, utc_offset_s
from chargeloop.prediction import Forecast, HourOfWeek
from chargeloop.recommendation import DayAhead, Demand, Prices, ascend
from chargeloop.simulation.drivers import Drivers, draw_drivers
from chargeloop.simulation.reach import options
from chargeloop.simulation.scenario import QUIET, Scenario

EVERY_H = 6
BIN_S = 900.0
DAYS = 3  # drawn; with more the prices hardly move
ROUNDS, STEP = 60, 0.05  # of the ascent
PENALTY_S = 3600.0  # what it counts for to be left out
TAKEN = 1.2  # times the mean price, which is too even: each day is dear at other places (measured: 1.2 beats 0.9)
log = structlog.get_logger()


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


class Nightly:
    """The shadow prices of the coming day for the loop, made anew from the newest forecast every `EVERY_H`.

    `background`: in a thread, while the loop goes on with the prices before, or none. Else it waits for them.
    """

    def __init__(
        self,
        city: City,
        layout: Layout,
        guide: Guide,
        *,
        level: float | None = None,
        scenario: Scenario = QUIET,
        seed: int = 0,
        background: bool = False,
    ) -> None:
        self._city, self._layout, self._guide = city, layout, guide
        self._level, self._scenario = level, replace(scenario, surges=(), outages=())
        self._rng = np.random.default_rng(seed)
        self._thread = ThreadPoolExecutor(1, "nightly") if background else None
        self._made: Future[DayAhead] | None = None
        self._latest: DayAhead | None = None
        self._due_s = -np.inf
        self._lock = Lock()  # turns of the loop and single requests ask from threads of their own

    def __call__(self, world: World, forecast: Forecast) -> DayAhead | None:
        """The prices that hold now, where there are any."""
        with self._lock:
            if world.now_s >= self._due_s and self._made is None:
                self._due_s = world.now_s + EVERY_H * 3600
                if self._thread is None:
                    self._latest = self._make(forecast)
                else:
                    self._made = self._thread.submit(self._make, forecast)
            if self._made is not None and self._made.done():
                made, self._made = self._made, None
                if (error := made.exception()) is not None:
                    log.error("no new shadow prices: those before stay, until they are over", exc_info=error)
                else:
                    self._latest = made.result()
            return self._latest

    def _make(self, forecast: Forecast) -> DayAhead:
        start = full_hour(forecast.origin)
        city, layout, guide = self._city, self._layout, self._guide
        prices = shadow_prices(
            city, layout, guide, forecast, start, len(forecast.q50), self._rng, level=self._level, scenario=self._scenario
        )
        return DayAhead(prices, start.timestamp())


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
