"""`python -m chargeloop.warm`: run every numerical kernel once, as shipped, so that its machine code lies on disk."""

import sys
from datetime import timedelta

import numpy as np

from chargeloop.city import builtin_city
from chargeloop.doctor import PACKAGE, cold_kernels
from chargeloop.execution import ChargingProblem, Circuits, Sessions, plan_by_prices, replan
from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.prediction import Regression, forecast_city
from chargeloop.prediction.linear import absolute
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
    absolute(np.eye(3), np.ones(3))


def warm_power() -> None:
    """A crowded day below two stations: cars of one and of two ways, a peak that is charged for, and too little for all."""
    many, rng = 24, np.random.default_rng(1)
    both = np.arange(many) % 4 == 0
    circuits = Circuits(
        np.array([-1, 0, 0]),
        np.array([[70.0], [40.0], [40.0]]) * np.ones(24),
        buy_per_kwh=np.vstack([rng.uniform(0.2, 1.0, 24), np.zeros((2, 24))]),
        demand_charge_per_kw=np.array([0.1, 0.0, 0.0]),
    )
    come = rng.uniform(0, 4, many)
    sessions = Sessions(
        rng.integers(1, 3, many),
        come,
        come + rng.uniform(0.2, 3, many),
        rng.uniform(5, 20, many),
        np.full(many, 11.0),
        discharge_kw=np.where(both, 11.0, 0.0),
        capacity_kwh=np.full(many, 60.0),
        soc_kwh=np.full(many, 20.0),
    )
    problem = ChargingProblem(circuits, sessions)
    replan(problem, plan_by_prices(problem), np.arange(many))


def main() -> None:
    warm(builtin_city())
    warm_power()
    if cold := cold_kernels(PACKAGE):
        sys.exit(f"chargeloop.warm does not reach: {', '.join(cold)}")


if __name__ == "__main__":
    main()
