"""Frozen assignment problems on which solvers are compared: drawn from the built-in city, the same bits for the same name.

A snapshot is one instant at which thousands ask at once. Who asks, where and with what battery is drawn as the twin draws
the drivers of an evening at level 1.0; each bay is taken with some chance, and free again after an exponential time. Road
times, constraints and terms are those of the shipped path: `candidates_of` and `build`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from chargeloop.city import builtin_city
from chargeloop.guidance import Guide
from chargeloop.loop import arrivals_per_h, candidates_of, history_start, known_until, station_load_share, trusted_kwh
from chargeloop.model import ChargeRequest, Circuit, City, Current, Demand, Layout, Place, Site, Station, Tier, World
from chargeloop.model.city import Ints
from chargeloop.perception import Perception
from chargeloop.prediction import Forecast, HourOfWeek
from chargeloop.pricing import RateTable
from chargeloop.recommendation import DEFAULT, Problem, Surroundings, Weights, build
from chargeloop.simulation import Drivers, default_day, draw_drivers

EVENING_H = 6  # hours of drivers that the snapshot is picked from
NO_BAY_HELD = 1 << 30  # bays, from which on a station would hold one for emergency vehicles
SHARE_TAKEN, MEAN_LEFT_S = 0.3, 40 * 60.0  # of the bays; until such a bay is free


# As they were when the instances were drawn: all tiers mind an uncertain wait alike.
WEIGHTS = Weights(tiers={tier: replace(each, uncertainty=1.0) for tier, each in DEFAULT.tiers.items()})


class Named(NamedTuple):
    """What makes an instance: how many ask, on how many layers of the built-in city's stations, and the seed."""

    requests: int
    layers: int
    seed: int


INSTANCES = {
    "burst-500": Named(500, 1, 1),
    "burst-5000": Named(5_000, 2, 1),
    "crush-5000": Named(5_000, 1, 1),
    "burst-20000": Named(20_000, 8, 1),
}


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    name: str
    problem: Problem

    @property
    def digest(self) -> str:
        """sha256 over the arrays of the problem, in order, as little-endian bytes."""
        found = sha256()
        for array in self.problem:
            found.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
        return found.hexdigest()


def instance(name: str) -> Instance:
    """The frozen problem of a name in `INSTANCES`."""
    return Instance(name, snapshot(*INSTANCES[name]))


class Evening(NamedTuple):
    """A city at 18 h: what the loop knows, and who asks."""

    layout: Layout
    guide: Guide
    world: World
    asked: list[ChargeRequest]
    forecast: Forecast


def evening(city: City, requests: int, seed: int) -> Evening:
    """`requests` of an evening's drivers, all asking at once, with some bays taken."""
    layout = Layout.of(city, NO_BAY_HELD)
    guide = Guide.of(city, layout)
    now = default_day(city) + timedelta(hours=18)
    rng = np.random.default_rng(seed)
    drivers = draw_drivers(city, layout, now, EVENING_H, 1.0, rng)
    asked = requests_of(city, drivers, np.sort(rng.choice(len(drivers), requests, replace=False)), now)
    known = known_until(city, now)
    world = taken(Perception(known, layout).snapshot(now), rng)
    # By the model that the loop had when the instances were drawn.
    model = HourOfWeek.fit(known.demand, city.time_zone, layout.zone_ids)
    history = Demand(history_start(world), trusted_kwh(world))
    return Evening(layout, guide, world, asked, model.forecast(history, known.weather, now, 24))


def snapshot(requests: int, layers: int, seed: int) -> Problem:
    """An evening's burst of `requests` in a city of `layers` times the built-in one's stations."""
    city = layered_city(layers)
    layout, guide, world, asked, forecast = evening(city, requests, seed)
    surroundings = Surroundings(
        arrivals_per_h(forecast, layout), station_load_share(world), np.array(city.energy_price.cny_per_kwh), city.time_zone
    )
    rates = RateTable.of(city.tariffs, [station.tariff_id for station in city.stations])
    candidates = candidates_of(guide, layout, asked)
    options = build(world, asked, candidates, rates, city.models, surroundings, WEIGHTS, [None] * requests)
    return rounded(options.problem)


def layered_city(layers: int) -> City:
    """The built-in city with the stations of `layers` draws of it, on the streets of the first."""
    city = builtin_city()
    sites, stations, circuits = list(city.sites), list(city.stations), {each.circuit_id: each for each in city.circuits}
    for layer in range(1, layers):
        other = builtin_city(2025 + layer)
        sites += [_site(site, layer) for site in other.sites]
        stations += [_station(station, layer) for station in other.stations]
        for circuit in other.circuits:
            named = _circuit(circuit, layer)
            circuits.setdefault(named.circuit_id, named)
    return replace(city, sites=tuple(sites), stations=tuple(stations), circuits=tuple(circuits.values()))


def _site(site: Site, layer: int) -> Site:
    name = f"{site.site_id}.{layer}"
    return replace(site, site_id=name, circuit_id=name)


def _station(station: Station, layer: int) -> Station:
    bays = tuple(replace(evse, evse_id=f"{evse.evse_id}.{layer}") for evse in station.evses)
    return replace(station, station_id=f"{station.station_id}.{layer}", site_id=f"{station.site_id}.{layer}", evses=bays)


def _circuit(circuit: Circuit, layer: int) -> Circuit:
    """Sites of another layer are new; feeders and what is above them are those of the first."""
    is_site = circuit.circuit_id.startswith("site-")
    return replace(circuit, circuit_id=f"{circuit.circuit_id}.{layer}") if is_site else circuit


def requests_of(city: City, drivers: Drivers, picked: Ints, now: datetime) -> list[ChargeRequest]:
    """The picked drivers, all asking now, with as much time as they had when they appeared."""
    return [
        ChargeRequest(
            request_id=f"R{d}",
            at=now,
            place=Place(float(drivers.lon[d]), float(drivers.lat[d])),
            id_token=f"T{d}",
            model_id=city.models[drivers.model[d]].model_id,
            tier=tuple(Tier)[drivers.tier[d]],
            current=Current.DC if drivers.is_dc[d] else Current.AC,
            soc=float(drivers.soc[d]),
            target_soc=float(drivers.target[d]),
            battery_kwh=float(drivers.battery_kwh[d]),
            depart_by=now + timedelta(seconds=float(drivers.depart_by_s[d] - drivers.appear_s[d])),
            value_of_time_per_h=float(drivers.value_of_time_per_h[d]),
        )
        for d in picked
    ]


def taken(world: World, rng: np.random.Generator) -> World:
    """The same with some of the bays taken."""
    busy = rng.random(world.bay_free_s.size) < SHARE_TAKEN
    free = world.now_s + rng.exponential(MEAN_LEFT_S, busy.size) * busy
    start = world.layout.pool_start
    for p in range(len(start) - 1):
        free[start[p] : start[p + 1]].sort()
    return replace(world, bay_free_s=free)


def rounded(problem: Problem) -> Problem:
    """In whole milliseconds and thousandths of CNY, so that another processor's last bits don't change the digest."""
    return problem._replace(
        **{name: np.round(getattr(problem, name), 3) for name in ("arrive_s", "stay_s", "over_s", "fixed", "bay_free_s")},
        **{name: np.round(getattr(problem, name), 6) for name in ("wait_rate", "late_rate")},
    )
