"""The six stages as plain functions of records and arrays, wired for one city. Any of them can be replaced, one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

import numpy as np

from chargeloop.execution import PowerPlan, schedule
from chargeloop.guidance import Guide
from chargeloop.loop.candidates import candidates_of
from chargeloop.loop.forecasting import Fitting, Forecasts
from chargeloop.loop.power import Sent, power_problem
from chargeloop.loop.recommending import Recommender, seed_of
from chargeloop.model import Cdr, ChargeRequest, City, Decision, GuideDriver, Layout, World
from chargeloop.model.city import Floats
from chargeloop.perception import Ended, Perception
from chargeloop.physics import hours_between
from chargeloop.prediction import Forecast
from chargeloop.recommendation import DEFAULT, DayAhead, Given, Weights
from chargeloop.settlement import settle

KWH_PER_SESSION = 18.0  # turns forecast energy into forecast arrivals


@dataclass(frozen=True, slots=True)
class Stages:
    """perceive -> predict -> recommend -> guide -> execute -> settle.

    `taken`: what `recommend` was given for these requests, to be stored with its decisions; asked once. `forecasts`: what is
    behind the shipped `predict`.
    """

    perceive: Callable[[Perception, datetime], World]
    predict: Callable[[World], Forecast]
    recommend: Callable[[World, Sequence[ChargeRequest], Forecast], tuple[Decision, ...]]
    guide: Callable[[World, ChargeRequest, Decision], GuideDriver]
    execute: Callable[[World, Sent], PowerPlan]
    settle: Callable[[Ended], Cdr]
    forecasts: Forecasts
    taken: Callable[[Sequence[ChargeRequest]], Given | None] = lambda _requests: None


Ahead: TypeAlias = Callable[[World, Forecast], DayAhead | None]  # the shadow prices that hold now, where there are any


def stages_of(
    city: City,
    layout: Layout,
    guide: Guide,
    *,
    seed: int = 0,
    solver: str = "exact",
    routes: bool = True,
    ahead: Ahead = lambda _world, _forecast: None,
    weights: Weights = DEFAULT,
    budget_s: float = 1.0,
    keep: bool = False,
    fitting: Fitting | None = None,
) -> Stages:
    """The shipped stages of a city. `routes`: give drivers the way itself, not only its time. `ahead`: shadow prices.

    `budget_s`: of the solver, in each turn. `keep`: what recommendation is given, for `Stages.taken`. `fitting`: of better
    forecasters than the regression.
    """
    recommender, forecasts = Recommender(city, layout), Forecasts(city, fitting)
    kept: dict[tuple[str, ...], Given] = {}
    tariff_of = city.tariffs_of_stations()
    consumption = {model.model_id: model.consumption_kwh_per_km for model in city.models}

    def recommend_stations(world: World, requests: Sequence[ChargeRequest], forecast: Forecast) -> tuple[Decision, ...]:
        given = Given(
            at=world.at,
            requests=tuple(requests),
            candidates=candidates_of(guide, layout, requests),
            bay_free_s=world.bay_free_s,
            coming_pool=world.coming_pool,
            coming_arrive_s=world.coming_arrive_s,
            temperature_c=world.temperature_c,
            inflow_per_h=arrivals_per_h(forecast, layout),
            load_share=station_load_share(world),
            ahead=ahead(world, forecast),
            solver=solver,
            weights=weights,
            budget_s=budget_s,
            seed=seed_of(seed, world.at, requests),
        )
        if keep:
            kept[_names(requests)] = given
        return recommender(given, world)

    def guide_driver(world: World, request: ChargeRequest, decision: Decision) -> GuideDriver:
        if decision.chosen is None:
            return GuideDriver(at=world.at, request_id=request.request_id, station_id=None, why=decision.why)
        way: tuple[tuple[float, float], ...] = ()
        if routes:
            way = guide.route(
                request.place.lon,
                request.place.lat,
                layout.station_index[decision.chosen.station_id],
                consumption[request.model_id],
                world.temperature_c,
            ).points
        return GuideDriver(
            at=world.at,
            request_id=request.request_id,
            station_id=decision.chosen.station_id,
            why=decision.why,
            drive_s=decision.chosen.drive_min * 60,
            route=way,
            not_before=None if decision.not_now is None else decision.not_now.at,
        )

    return Stages(
        perceive=lambda perception, now: perception.snapshot(now),
        predict=forecasts,
        recommend=recommend_stations,
        guide=guide_driver,
        execute=lambda world, sent: schedule(power_problem(world, sent, 60 * city.behaviour.ac_stay_min)),
        settle=lambda ended: settle(
            ended.session, tariff_of[ended.session.station_id], ended.points, city.energy_price.kg_co2_per_kwh
        ),
        taken=lambda requests: kept.pop(_names(requests), None),
        forecasts=forecasts,
    )


def _names(requests: Sequence[ChargeRequest]) -> tuple[str, ...]:
    return tuple(request.request_id for request in requests)


def known_until(city: City, now: datetime) -> City:
    """The city with its demand history cut at `now`: a replayed city must not know its future."""
    hours = max(hours_between(city.demand.start, now), 0)
    return replace(city, demand=replace(city.demand, energy_kwh=city.demand.energy_kwh[:hours]))


def arrivals_per_h(forecast: Forecast, layout: Layout) -> Floats:
    """P: drivers expected at each pool within the coming hour: its share of its zone's forecast by rated power."""
    kw = layout.pool_kw * layout.pool_bays
    zone = layout.station_zone[layout.pool_station]
    zone_kw = np.bincount(zone, kw, len(layout.zone_ids))
    return np.asarray(forecast.q50[0][zone] * kw / zone_kw[zone] / KWH_PER_SESSION)


def circuit_load_kw(world: World) -> Floats:
    """C: measured charging plus base load on each circuit, everything below it included."""
    layout = world.layout
    load = layout.circuit_base_kw + np.bincount(
        layout.station_circuit[layout.evse_station], world.evse_power_kw, len(layout.circuit_ids)
    )
    for circuit in range(len(load) - 1, 0, -1):  # children come after their parents
        if layout.circuit_parent[circuit] >= 0:
            load[layout.circuit_parent[circuit]] += load[circuit]
    return load


def station_load_share(world: World) -> Floats:
    """N: how much of its limit the most loaded circuit above each station carries, 0..1 and over."""
    layout = world.layout
    share = circuit_load_kw(world) / layout.circuit_limit_kw
    for circuit in range(len(share)):
        if layout.circuit_parent[circuit] >= 0:
            share[circuit] = max(share[circuit], share[layout.circuit_parent[circuit]])
    return np.asarray(share[layout.station_circuit])
