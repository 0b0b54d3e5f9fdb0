"""The model behind the loop's forecast: a regression until one is fitted elsewhere, weekly, and again where errors grow."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.loop import CityLoop, Clock, Fitting, Forecasts, stages_of
from chargeloop.model import City, Command, Demand, Layout, Weather, World
from chargeloop.perception import Perception
from chargeloop.persistence import Store, find_drift, find_forecast
from chargeloop.prediction import Forecast, HourOfWeek, Saved, Score
from tests.small_city import START

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)


class Elsewhere(Fitting):
    """Fits the plain profile when it is asked, and hands it over when it is asked for."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.asked: list[Demand] = []
        self.ready: Saved | None = None
        self.breaks = breaks

    def ask(self, record: Demand, weather: Weather, time_zone: str, zone_ids: tuple[str, ...]) -> None:
        self.asked.append(record)
        model = (Broken if self.breaks else HourOfWeek).fit(record, time_zone, zone_ids)
        until = record.start + timedelta(hours=len(record.energy_kwh))
        self.ready = Saved("hour_of_week", model, time_zone, until)

    def take(self) -> Saved | None:
        found, self.ready = self.ready, None
        return found


class Broken(HourOfWeek):
    def forecast(self, history: Demand, weather: Weather, origin: datetime, hours: int) -> Forecast:
        raise ZeroDivisionError


def world_at(city: City, layout: Layout, now: datetime) -> World:
    return Perception(city, layout).snapshot(now)


def methods(forecasts: Forecasts, city: City, layout: Layout, now: datetime) -> set[str]:
    return set(forecasts(world_at(city, layout, now)).methods)


def test_the_regression_stands_in_until_a_model_is_there(small_city: City, small_layout: Layout) -> None:
    elsewhere = Elsewhere()
    forecasts = Forecasts(small_city, elsewhere)
    assert methods(forecasts, small_city, small_layout, START) == {"regression"}
    (record,) = elsewhere.asked
    assert record.start + len(record.energy_kwh) * HOUR == START.replace(minute=0)
    assert methods(forecasts, small_city, small_layout, START + HOUR) == {"hour_of_week"}
    for hours in (2, 24, 167):
        methods(forecasts, small_city, small_layout, START + hours * HOUR)
    assert len(elsewhere.asked) == 1
    methods(forecasts, small_city, small_layout, START + WEEK)
    assert len(elsewhere.asked) == 2
    assert len(elsewhere.asked[1].energy_kwh) == len(record.energy_kwh) + 168
    methods(forecasts, small_city, small_layout, START + WEEK + HOUR)
    forecasts.renew()
    methods(forecasts, small_city, small_layout, START + WEEK + 2 * HOUR)
    assert len(elsewhere.asked) == 3


def test_a_model_of_other_zones_is_not_taken_and_one_that_fails_is_stood_in_for(small_city: City, small_layout: Layout) -> None:
    elsewhere = Elsewhere(breaks=True)
    forecasts = Forecasts(small_city, elsewhere)
    methods(forecasts, small_city, small_layout, START)
    assert methods(forecasts, small_city, small_layout, START + HOUR) == {"regression"}
    energy = small_city.demand.energy_kwh[:, :2]
    model = HourOfWeek.fit(Demand(START, energy), small_city.time_zone, ("Z0", "Z1"))
    elsewhere.ready = Saved("hour_of_week", model, small_city.time_zone, START)
    assert methods(forecasts, small_city, small_layout, START + 2 * HOUR) == {"regression"}


def test_without_fitting_elsewhere_a_run_is_the_same_again_and_learns_weekly(small_city: City, small_layout: Layout) -> None:
    def run() -> tuple[list[float], object, object]:
        forecasts = Forecasts(small_city)
        made = [forecasts(world_at(small_city, small_layout, START + d * timedelta(days=1))).q50.sum() for d in (0, 3)]
        first = forecasts.plain
        made.append(forecasts(world_at(small_city, small_layout, START + WEEK)).q50.sum())
        return [float(each) for each in made], first, forecasts.plain

    made, first, later = run()
    assert run()[0] == made
    assert first is not later


def test_what_nobody_knows_is_not_taken_as_nothing(small_city: City, small_layout: Layout) -> None:
    energy = small_city.demand.energy_kwh.copy()
    energy[-30:-20, 1] = np.nan
    energy = energy[:-5]  # and five hours before the start are missing
    city = replace(small_city, demand=Demand(small_city.demand.start, energy))
    elsewhere = Elsewhere()
    Forecasts(city, elsewhere)(world_at(city, small_layout, START))
    record = elsewhere.asked[0].energy_kwh
    assert np.isnan(record[len(energy) - 25 : len(energy) - 15, 1]).all()
    assert np.isfinite(record[:, 0]).all()
    np.testing.assert_array_equal(record[: len(energy), 2], energy[:, 2])


async def test_errors_that_grow_are_seen_once_a_day_and_models_renewed(
    small_city: City, small_layout: Layout, tmp_path: Path
) -> None:
    async def send(_: Sequence[Command]) -> None:
        """Nobody is connected."""

    store, elsewhere = await Store.open(tmp_path / "loop.db"), Elsewhere()
    for day in range(36):
        error = 2.0 if day < 29 else 5.0 + day / 100
        score = Score("zone", 1, 3, 0, 60.0, 3 * error, error, 2, 3 * error / 20, 1.0)
        await store.add_scores((START - timedelta(days=36 - day)).timestamp(), [score])
    assert (await store.forecast_drift(START)).is_there
    assert (await store.read(lambda connection: find_drift(connection, 0.0))).is_there is None
    assert await store.read(lambda connection: find_forecast(connection, 5.0)) is None
    clock = Clock(0.0, START.timestamp(), 0.0)
    stages = stages_of(small_city, small_layout, Guide.of(small_city, small_layout), fitting=elsewhere)
    loop = CityLoop(small_city, small_layout, stages, store, clock, send)
    await loop.rebuild()
    for hours in (0, 1, 2):
        loop.clock = Clock(0.0, (START + hours * HOUR).timestamp(), 0.0)
        await loop.turn()
    assert len(elsewhere.asked) == 2  # at the start, and because of the errors
    await store.close()
