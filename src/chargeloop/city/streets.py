"""Streets for a city that has none on file: arterials along the graph of its zones, a local grid inside each zone."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chargeloop.model import Roads
from chargeloop.model.city import Floats

METRES_PER_DEGREE = 111_195.0
ARTERIAL_M_S, LOCAL_M_S = 45 / 3.6, 25 / 3.6
LOCAL_SPACING_M = 280.0
ZONE_REACH_M = 1300.0  # local streets end this far from a zone's centre
LONGEST_ARTERIAL_M = 5000.0


@dataclass(frozen=True, slots=True)
class Flat:
    """Metres east and north of a corner; good for one city."""

    lon: float
    lat: float

    @property
    def _east_m(self) -> float:
        return METRES_PER_DEGREE * float(np.cos(np.radians(self.lat)))

    def to_metres(self, lon: Floats, lat: Floats) -> Floats:
        return np.stack([(lon - self.lon) * self._east_m, (lat - self.lat) * METRES_PER_DEGREE], axis=-1)

    def to_degrees(self, xy: Floats) -> tuple[Floats, Floats]:
        return self.lon + xy[..., 0] / self._east_m, self.lat + xy[..., 1] / METRES_PER_DEGREE


def make_streets(centres: Floats, flat: Flat, rng: np.random.Generator) -> tuple[Roads, list[Any]]:
    """Roads around zone centres (Z x 2, metres), and the area of each zone as a shapely polygon.

    Every crossing is a junction; all streets are two-way; what does not hang together with the rest is left out.
    """
    import shapely  # noqa: PLC0415 (only when a city is drawn)
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    cells = _cells(centres)
    arterials = _arterials(centres)
    local = [line for cell, centre in zip(cells, centres, strict=True) for line in _grid(cell, centre, rng)]
    pieces = shapely.get_parts(shapely.node(shapely.union_all([*arterials, *local], grid_size=1.0)))
    ends = np.array([[piece.coords[0], piece.coords[-1]] for piece in pieces]).round(1)
    nodes, index = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    pairs = index.reshape(-1, 2)
    whole = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(nodes), len(nodes)))
    _, part = connected_components(whole, directed=False)
    kept = part[pairs[:, 0]] == np.bincount(part).argmax()
    used, pairs = np.unique(pairs[kept], return_inverse=True)
    pairs = pairs.reshape(-1, 2)
    metres = shapely.length(pieces)[kept]
    middle = shapely.line_interpolate_point(pieces[kept], 0.5, normalized=True)
    near_arterial = shapely.distance(shapely.union_all(arterials), middle) < 2.0
    seconds = metres / np.where(near_arterial, ARTERIAL_M_S, LOCAL_M_S)
    lon, lat = flat.to_degrees(nodes[used])
    both = np.concatenate([pairs, pairs[:, ::-1]])
    roads = Roads(lon, lat, both[:, 0], both[:, 1], np.tile(metres, 2), np.tile(seconds, 2))
    return roads, cells


def _cells(centres: Floats) -> list[Any]:
    """The ground nearer to a zone's centre than to any other, and not too far from it."""
    import shapely  # noqa: PLC0415

    points = shapely.points(centres)
    hull = shapely.MultiPoint(centres).buffer(3 * ZONE_REACH_M)
    areas = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(centres), extend_to=hull))
    tree = shapely.STRtree(areas)
    mine = [areas[tree.query(point, predicate="within")[0]] for point in points]
    return [cell.intersection(point.buffer(ZONE_REACH_M)) for cell, point in zip(mine, points, strict=True)]


def _arterials(centres: Floats) -> list[Any]:
    """Lines between neighbouring zone centres (Delaunay), the long ones left out."""
    import shapely  # noqa: PLC0415
    from scipy.spatial import Delaunay  # noqa: PLC0415

    corners = Delaunay(centres).simplices
    pairs = {tuple(sorted(pair)) for a, b, c in corners.tolist() for pair in ((a, b), (b, c), (c, a))}
    lines = [shapely.LineString(centres[list(pair)]) for pair in sorted(pairs)]
    return [line for line in lines if line.length <= LONGEST_ARTERIAL_M]


def _grid(cell: Any, centre: Floats, rng: np.random.Generator) -> list[Any]:
    """Parallel streets in two directions, turned by an angle of the zone's own, cut to its cell."""
    import shapely  # noqa: PLC0415

    angle = rng.uniform(-0.35, 0.35)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    lines = []
    for forward, sideways in ((along, across), (across, along)):
        offset = -ZONE_REACH_M + rng.uniform(0, LOCAL_SPACING_M)
        while offset < ZONE_REACH_M:
            middle = centre + offset * sideways
            ends = np.stack([middle - 2 * ZONE_REACH_M * forward, middle + 2 * ZONE_REACH_M * forward])
            lines.append(shapely.LineString(ends).intersection(cell))
            offset += LOCAL_SPACING_M * rng.uniform(0.75, 1.35)
    return [line for line in lines if line.length > LOCAL_SPACING_M / 2]
