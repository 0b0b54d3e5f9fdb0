"""The city as arrays. A *pool* is the EVSEs of one station with the same current: drivers queue for a pool, not for a bay."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import City, Floats, Ints
from chargeloop.model.errors import BadInput
from chargeloop.model.grid import Circuit
from chargeloop.model.vehicle import Current

HELD_FROM_DC_BAYS = 20  # a station with so many fast bays holds one of them for emergency vehicles: an assumption


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Index arrays of a city. N stations, P pools, E EVSEs (ordered by pool), C circuits (parents before children), Z zones.

    The EVSEs of pool p are `pool_start[p]:pool_start[p + 1]`. `circuit_parent` is -1 at a root. `pool_held`: bays of each pool
    that are held for emergency vehicles; `pool_v2g`: whether a vehicle can give energy back there.
    """

    zone_ids: tuple[str, ...]
    station_ids: tuple[str, ...]
    evse_ids: tuple[str, ...]
    circuit_ids: tuple[str, ...]
    station_index: dict[str, int]
    evse_index: dict[str, int]
    station_lon: Floats
    station_lat: Floats
    station_zone: Ints
    station_circuit: Ints
    station_names: tuple[str, ...]
    station_operators: tuple[str, ...]
    station_opens_h: Floats
    station_closes_h: Floats
    pool_station: Ints
    pool_is_dc: NDArray[np.bool_]
    pool_start: Ints
    pool_kw: Floats
    pool_held: Ints
    pool_v2g: NDArray[np.bool_]
    evse_pool: Ints
    evse_station: Ints
    evse_kw: Floats
    circuit_parent: Ints
    circuit_limit_kw: Floats
    circuit_base_kw: Floats

    @classmethod
    def of(cls, city: City, held_from: int = HELD_FROM_DC_BAYS) -> "Layout":
        zone_index = {zone.zone_id: i for i, zone in enumerate(city.zones)}
        site = {site.site_id: site for site in city.sites}
        circuits = _parents_first(city)
        circuit_index = {circuit.circuit_id: i for i, circuit in enumerate(circuits)}
        base_kw = np.zeros(len(circuits))
        for each in city.sites:
            base_kw[circuit_index[each.circuit_id]] += each.base_load_kw
        evse_ids: list[str] = []
        evse_kw: list[float] = []
        evse_pool: list[int] = []
        pool_station: list[int] = []
        pool_is_dc: list[bool] = []
        pool_v2g: list[bool] = []
        for n, station in enumerate(city.stations):
            for current in (Current.DC, Current.AC):
                bays = [evse for evse in station.evses if evse.current is current]
                if not bays:
                    continue
                pool_station.append(n)
                pool_is_dc.append(current is Current.DC)
                pool_v2g.append(any(evse.v2g for evse in bays))
                evse_ids.extend(evse.evse_id for evse in bays)
                evse_kw.extend(evse.power_kw for evse in bays)
                evse_pool.extend([len(pool_station) - 1] * len(bays))
        pools = np.array(evse_pool, dtype=np.int64)
        start = np.searchsorted(pools, np.arange(len(pool_station) + 1))
        kw = np.array(evse_kw)
        return cls(
            zone_ids=tuple(zone_index),
            station_ids=tuple(station.station_id for station in city.stations),
            evse_ids=tuple(evse_ids),
            circuit_ids=tuple(circuit_index),
            station_index={station.station_id: n for n, station in enumerate(city.stations)},
            evse_index={evse_id: e for e, evse_id in enumerate(evse_ids)},
            station_lon=np.array([site[s.site_id].place.lon for s in city.stations]),
            station_lat=np.array([site[s.site_id].place.lat for s in city.stations]),
            station_zone=np.array([zone_index[site[s.site_id].zone_id] for s in city.stations], dtype=np.int64),
            station_circuit=np.array([circuit_index[site[s.site_id].circuit_id] for s in city.stations], dtype=np.int64),
            station_names=tuple(station.name for station in city.stations),
            station_operators=tuple(station.operator_id for station in city.stations),
            station_opens_h=np.array([station.opens_h for station in city.stations]),
            station_closes_h=np.array([station.closes_h for station in city.stations]),
            pool_station=np.array(pool_station, dtype=np.int64),
            pool_is_dc=np.array(pool_is_dc, dtype=np.bool_),
            pool_start=start.astype(np.int64),
            pool_kw=np.add.reduceat(kw, start[:-1]) / np.diff(start),
            pool_held=(np.array(pool_is_dc, dtype=np.bool_) & (np.diff(start) >= held_from)).astype(np.int64),
            pool_v2g=np.array(pool_v2g, dtype=np.bool_),
            evse_pool=pools,
            evse_station=np.array(pool_station, dtype=np.int64)[pools],
            evse_kw=kw,
            circuit_parent=np.array(
                [circuit_index[c.parent_id] if c.parent_id is not None else -1 for c in circuits], dtype=np.int64
            ),
            circuit_limit_kw=np.array([c.limit_kw for c in circuits]),
            circuit_base_kw=base_kw,
        )

    @property
    def pool_bays(self) -> Ints:
        return np.diff(self.pool_start)


def _parents_first(city: City) -> list[Circuit]:
    below: dict[str | None, list[Circuit]] = {}
    for circuit in city.circuits:
        below.setdefault(circuit.parent_id, []).append(circuit)
    ordered = list(below.get(None, []))
    for circuit in ordered:  # grows while it is walked: breadth first
        ordered.extend(below.get(circuit.circuit_id, []))
    if len(ordered) < len(city.circuits):
        lost = next(c for c in city.circuits if c not in ordered)
        raise BadInput(f"circuit {lost.circuit_id}", f"its parent {lost.parent_id!r} does not exist or the tree has a ring")
    return ordered
