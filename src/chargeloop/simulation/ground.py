"""What plans stand on: days of the twin as a forecast expects them, on the city as it is or with something built."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats
from chargeloop.physics import utc_offset_s
from chargeloop.prediction import Forecast
from chargeloop.recommendation import Prices
from chargeloop.simulation.drivers import Drivers, draw_drivers
from chargeloop.simulation.nightly import as_forecast, shadow_prices
from chargeloop.simulation.scenario import QUIET, Scenario
from chargeloop.simulation.twin import Twin

HOURS, AFTER_H = 24, 4  # of drivers; and until the last of them has plugged in or given up
STEP_S = 300
TOP = 10  # sites that the twin is asked about, against as many random ones
JUDGED = 100  # days of the check are numbered from here on: prices are made from others


@dataclass(frozen=True, slots=True)
class Check:
    """Minutes of all drivers of one day: as it is, with the best built, and with as much built at random."""

    as_it_is: float
    with_best: float
    with_random: float


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A city ready to be run: as it is, or with something built."""

    city: City
    layout: Layout
    guide: Guide
    prices: Prices


class Ground:
    """`level`, `scenario`: as for `draw_drivers`; `seed`: of all days."""

    def __init__(
        self,
        city: City,
        forecast: Forecast,
        start: datetime,
        hours: int = HOURS,
        *,
        level: float | None = None,
        scenario: Scenario = QUIET,
        seed: int = 0,
    ) -> None:
        self.city, self.layout = city, Layout.of(city)
        self.guide = Guide.of(city, self.layout)
        self.forecast, self.start, self.hours = forecast, start, hours
        self.level, self.scenario, self.seed = level, scenario, seed

    def built(self, city: City) -> Built:
        """With shadow prices of its own."""
        layout = Layout.of(city)
        guide = Guide.of(city, layout)
        rng = np.random.default_rng(self.seed)
        more = {"level": self.level, "scenario": self.scenario}
        prices = shadow_prices(city, layout, guide, self.forecast, self.start, self.hours, rng, **more)  # type: ignore[arg-type]
        return Built(city, layout, guide, prices)

    def run(self, on: Built, day: int, watch: Callable[[Twin], None] = lambda _: None) -> Twin:
        """One day under policy `priced`, until all are served or have given up. `watch` is shown the twin after each step."""
        twin = Twin(
            on.city,
            on.layout,
            on.guide,
            self.draw(day),
            self.start,
            STEP_S,
            "priced",
            np.random.default_rng(day),
            faults_per_day=0.0,
            scenario=self.scenario,
            prices=on.prices,
            listen=False,
        )
        for _ in range((self.hours + AFTER_H) * 3600 // STEP_S):
            twin.step()
            watch(twin)
        return twin

    def draw(self, day: int) -> Drivers:
        rng = np.random.default_rng([self.seed, day])
        expected = as_forecast(self.city, self.forecast)
        return draw_drivers(expected, self.layout, self.start, self.hours, self.level, rng, scenario=self.scenario)

    def slow(self, drivers: Drivers) -> Floats:
        return self.scenario.slow(drivers.appear_s, utc_offset_s(self.start, self.city.time_zone))
