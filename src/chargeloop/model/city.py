"""A city: everything that stands still while the loop runs, as records and hourly arrays."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.grid import Circuit, EnergyPrice
from chargeloop.model.site import Site, Zone
from chargeloop.model.station import Station
from chargeloop.model.tariff import Tariff
from chargeloop.model.vehicle import FleetShare, VehicleModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Hourly charging demand of each zone: the history that forecasts start from.

    `start`: UTC, a full hour. `energy_kwh`: hours x zones, NaN where nothing is known; zones as in `City.zones`.
    """

    start: datetime
    energy_kwh: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """Hourly weather. `rain`: 0 none, 1 light, 2 moderate, 3 heavy."""

    start: datetime
    temperature_c: Floats
    rain: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Roads:
    """A drive network. Directed edges; `edge_s` is the free-flow driving time in seconds."""

    node_lon: Floats
    node_lat: Floats
    edge_from: Ints
    edge_to: Ints
    edge_m: Floats
    edge_s: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """How drivers come and stay, as figures the twin draws from.

    `busy_share`: 168 local hours of the week (Monday 0 h first) x zones: share of a zone's bays asked for, by measured demand.
    `ac_stay_min`, `dc_overstay_min`, `arrival_soc`: values at evenly spaced quantiles 0..1.
    """

    busy_share: Floats
    ac_stay_min: Floats
    dc_overstay_min: Floats
    arrival_soc: Floats


@dataclass(frozen=True, slots=True, eq=False)
class City:
    """`note` says where the data comes from and what in it is assumed or generated; the pages show it."""

    name: str
    time_zone: str
    note: str
    zones: tuple[Zone, ...]
    sites: tuple[Site, ...]
    stations: tuple[Station, ...]
    circuits: tuple[Circuit, ...]
    tariffs: tuple[Tariff, ...]
    models: tuple[VehicleModel, ...]
    fleet: tuple[FleetShare, ...]
    energy_price: EnergyPrice
    demand: Demand
    weather: Weather
    behaviour: Behaviour
    roads: Roads

    def tariffs_of_stations(self) -> dict[str, Tariff]:
        """By station id."""
        tariffs = {each.tariff_id: each for each in self.tariffs}
        return {each.station_id: tariffs[each.tariff_id] for each in self.stations}
