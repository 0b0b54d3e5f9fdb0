"""`python -m chargeloop.warm`: run every numerical kernel once, as shipped, so that its machine code lies on disk."""

import sys
from datetime import timedelta

import numpy as np

from chargeloop.city import builtin_city
from chargeloop.doctor import PACKAGE, cold_kernels
from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.prediction import Regression, forecast_city
from chargeloop.simulation import Choices, Twin, default_day, draw_drivers, offline_loop, run, shadow_prices

COMPILED = ("exact", "auction", "greedy", "learned")  # the other solvers have no kernels of their own


def warm(city: City) -> None:
    """An evening hour of the twin, drivers choosing for themselves or at shadow prices; the loop with each of its solvers, the
    first choice of a run of choices."""
    layout = Layout.of(city)
    guide = Guide.of(city, layout)
    evening = default_day(city) + timedelta(hours=18)
    drivers = draw_drivers(city, layout, evening, 1, None, np.random.default_rng(1))
    run(Twin(city, layout, guide, drivers, evening, 300, "nearest", np.random.default_rng(2)), None)
    forecast = forecast_city(city, evening, 1)
    prices = shadow_prices(city, layout, guide, forecast, evening, 1, np.random.default_rng(3), days=1)
    run(Twin(city, layout, guide, drivers, evening, 300, "not-now", np.random.default_rng(2), prices=prices), None)
    for solver in COMPILED:
        twin = Twin(city, layout, guide, drivers, evening, 300, "external", np.random.default_rng(2))
        run(twin, offline_loop(city, layout, guide, evening, None, solver=solver))
    twin = Twin(city, layout, guide, drivers, evening, 300, "external", np.random.default_rng(2))
    Choices(twin, twin.now_s + 600).next()
    Regression.fit(city.demand, city.weather, city.time_zone)


def main() -> None:
    warm(builtin_city())
    if cold := cold_kernels(PACKAGE):
        sys.exit(f"chargeloop.warm does not reach: {', '.join(cold)}")


if __name__ == "__main__":
    main()
