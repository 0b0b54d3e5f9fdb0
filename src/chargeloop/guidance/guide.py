"""How to get there: drive times and distances to stations, the nearest pools, and the way on the map."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from chargeloop.guidance.graph import MS, UNREACHABLE_MS, Engine, best_engine, metres_along
from chargeloop.model import BadInput, City, Layout, Roads
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import distance_m, drive_kwh

SNAP_M = 300.0  # a place further than this from any road lies outside the network
DETOUR = 1.4  # roads over straight line, outside the network
OUTSIDE_M_S = 30 / 3.6
USUAL_KWH_PER_KM = 0.15


@dataclass(frozen=True, slots=True)
class Route:
    """A way with its time, length and energy; `points` are (lon, lat). `on_roads` is False for a straight-line estimate."""

    seconds: float
    metres: float
    energy_kwh: float
    points: tuple[tuple[float, float], ...]
    on_roads: bool

    def geojson(self) -> dict[str, Any]:
        """A GeoJSON feature."""
        return {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": [list(point) for point in self.points]},
            "properties": {
                "seconds": round(self.seconds, 1),
                "metres": round(self.metres, 1),
                "energy_kwh": round(self.energy_kwh, 3),
                "on_roads": self.on_roads,
            },
        }


class Guide:
    """Drive times to the stations of one city: by road where both ends lie on the network, straight line x 1.4 elsewhere."""

    def __init__(
        self, roads: Roads, station_lon: Floats, station_lat: Floats, pool_station: Ints, pool_is_dc: NDArray[np.bool_]
    ) -> None:
        self._roads, self._lon, self._lat = roads, station_lon, station_lat
        self._squeeze = float(np.cos(np.radians(station_lat.mean())))  # a degree of longitude, in degrees of latitude
        self._pools = {dc: np.flatnonzero(pool_is_dc == dc) for dc in (False, True)}
        self._pool_tree = {
            dc: cKDTree(self._flat(station_lon[pool_station[pools]], station_lat[pool_station[pools]]))
            for dc, pools in self._pools.items()
            if pools.size
        }
        self._node_tree = cKDTree(self._flat(roads.node_lon, roads.node_lat)) if roads.node_lon.size else None
        self._station_node, self._station_access_m = self._snap(station_lon, station_lat)
        self._engine: Engine | None = best_engine(roads) if np.any(self._station_node >= 0) else None
        self._by_tail = np.argsort(roads.edge_from, kind="stable")
        self._first_edge = np.searchsorted(roads.edge_from[self._by_tail], np.arange(roads.node_lon.size + 1))
        self.set_traffic(np.ones(roads.edge_s.size))

    @classmethod
    def of(cls, city: City, layout: Layout) -> "Guide":
        return cls(city.roads, layout.station_lon, layout.station_lat, layout.pool_station, layout.pool_is_dc)

    def set_traffic(self, factor: Floats) -> None:
        """Let each edge take `factor` times its free-flow time from now on.

        Raises:
            BadInput: not one positive factor for each edge.
        """
        if factor.shape != self._roads.edge_s.shape or not np.all(factor > 0):
            raise BadInput("traffic", f"want a positive factor for each of the {self._roads.edge_s.size} edges")
        edge_ms = np.maximum(np.round(self._roads.edge_s * factor * MS), 1).astype(np.int64)
        on_road = np.flatnonzero(self._station_node >= 0)
        self._column = np.full(self._station_node.size, -1)
        self._column[on_road] = np.arange(on_road.size)
        if self._engine is None:  # no station on any road: straight lines only
            return
        target = self._station_node[on_road]
        self._engine.set_times(edge_ms)
        times_ms = np.ascontiguousarray(self._engine.times_ms(np.arange(self._roads.node_lon.size), target).T)
        self._table_m = metres_along(
            times_ms, self._first_edge, self._by_tail, self._roads.edge_to, edge_ms, self._roads.edge_m, target
        )
        self._table_s = np.where(times_ms < UNREACHABLE_MS, times_ms / MS, np.inf).astype(np.float32)  # as _table_m

    def drive(self, lon: Floats, lat: Floats, station: Ints) -> tuple[Floats, Floats]:
        """Seconds and metres from places (R) to stations (R or R x K indices); the same shape as `station`."""
        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        by_row = (slice(None), *(None,) * (station.ndim - 1))
        node, access_m = (each[by_row] for each in self._snap(lon, lat))
        straight_m = DETOUR * distance_m(lon[by_row], lat[by_row], self._lon[station], self._lat[station])
        if self._engine is None:
            return straight_m / OUTSIDE_M_S, straight_m
        column = self._column[station]
        legs_m = DETOUR * (access_m + self._station_access_m[station])
        road_s, road_m = self._table_s[column, node], self._table_m[column, node]
        by_road = (node >= 0) & (column >= 0) & np.isfinite(road_s) & np.isfinite(road_m)
        seconds = np.where(by_road, road_s + legs_m / OUTSIDE_M_S, straight_m / OUTSIDE_M_S)
        return seconds, np.where(by_road, road_m + legs_m, straight_m)

    def nearest_pools(self, lon: Floats, lat: Floats, is_dc: NDArray[np.bool_], k: int) -> Ints:
        """R x k: the pools of the wanted current nearest by straight line, nearest first; -1 where there are fewer."""
        found = np.full((len(lon), k), -1, dtype=np.int64)
        places = self._flat(np.asarray(lon), np.asarray(lat))
        for dc, tree in self._pool_tree.items():
            rows = np.flatnonzero(is_dc == dc)
            if rows.size:
                _, nearest = tree.query(places[rows], k=np.arange(1, min(k, tree.n) + 1))
                found[rows[:, None], np.arange(nearest.shape[1])] = self._pools[dc][nearest]
        return found

    def route(
        self,
        lon: float,
        lat: float,
        station: int,
        kwh_per_km: float = USUAL_KWH_PER_KM,
        temperature_c: float = 20.0,
    ) -> Route:
        """The fastest way from a place to a station.

        Raises:
            BadInput: on coordinates that are none.
        """
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise BadInput("place", f"longitude {lon}, latitude {lat} is no place on earth (WGS-84 degrees)")
        seconds, metres = self.drive(np.array([lon]), np.array([lat]), np.array([station]))
        ways = self._way(lon, lat, station)
        points = [(lon, lat), *ways, (float(self._lon[station]), float(self._lat[station]))]
        return Route(
            seconds=float(seconds[0]),
            metres=float(metres[0]),
            energy_kwh=float(drive_kwh(metres[0] / 1000, kwh_per_km, temperature_c)),
            points=tuple(points),
            on_roads=bool(ways),
        )

    def _way(self, lon: float, lat: float, station: int) -> list[tuple[float, float]]:
        node, target = int(self._snap(np.array([lon]), np.array([lat]))[0][0]), int(self._station_node[station])
        if node < 0 or target < 0 or self._engine is None:
            return []
        edges = self._engine.path(node, target)
        if not edges.size and node != target:
            return []
        nodes = [node, *self._roads.edge_to[edges]]
        return [(float(self._roads.node_lon[n]), float(self._roads.node_lat[n])) for n in nodes]

    def _snap(self, lon: Floats, lat: Floats) -> tuple[Ints, Floats]:
        """The nearest road node of each place and the metres to it; -1 where it is further than `SNAP_M`."""
        if self._node_tree is None:
            return np.full(len(lon), -1), np.zeros(len(lon))
        _, node = self._node_tree.query(self._flat(lon, lat))
        metres = distance_m(lon, lat, self._roads.node_lon[node], self._roads.node_lat[node])
        return np.where(metres <= SNAP_M, node, -1), metres

    def _flat(self, lon: Floats, lat: Floats) -> Floats:
        """Degrees in which both axes are equally long here."""
        return np.stack([lon * self._squeeze, lat], axis=-1)
