"""Streets for a city that has none on file: arterials along the graph of its zones, a local grid inside each zone."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chargeloop.model import Roads
from chargeloop.model.city import Floats

METRES_PER_DEGREE = 111_195.0
ARTERIAL_M_S, LOCAL_M_S = 45 / 3.6, 25 / 3.6
LOCAL_SPACING_M = 280.0
ZONE_REACH_M = 1300.0  # streets end this far from the centre of the outermost zones
ROUNDING_M = 700.0  # bays of the city's outline that are narrower than twice this are filled
ZONES_A_DISTRICT = 12
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
    arterials = shapely.union_all(_arterials(centres))
    local = shapely.union_all(_local_streets(cells, centres, rng))
    pieces = shapely.get_parts(shapely.node(shapely.union_all([arterials, local], grid_size=1.0)))
    ends = np.stack([shapely.get_coordinates(shapely.get_point(pieces, end)) for end in (0, -1)], axis=1).round(1)
    nodes, index = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    pairs = index.reshape(-1, 2)
    whole = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(nodes), len(nodes)))
    _, part = connected_components(whole, directed=False)
    kept = part[pairs[:, 0]] == np.bincount(part).argmax()
    used, pairs = np.unique(pairs[kept], return_inverse=True)
    pairs = pairs.reshape(-1, 2)
    metres = shapely.length(pieces)[kept]
    middle = shapely.line_interpolate_point(pieces[kept], 0.5, normalized=True)
    seconds = metres / np.where(shapely.distance(arterials, middle) < 2.0, ARTERIAL_M_S, LOCAL_M_S)
    lon, lat = flat.to_degrees(nodes[used])
    both = np.concatenate([pairs, pairs[:, ::-1]])
    roads = Roads(lon, lat, both[:, 0], both[:, 1], np.tile(metres, 2), np.tile(seconds, 2))
    return roads, cells


def _cells(centres: Floats) -> list[Any]:
    """The ground nearer to a zone's centre than to any other, within the outline of the city."""
    import shapely  # noqa: PLC0415

    points = shapely.points(centres)
    outline = shapely.union_all(shapely.buffer(points, ZONE_REACH_M)).buffer(ROUNDING_M).buffer(-ROUNDING_M)
    areas = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(centres), extend_to=outline.envelope))
    tree = shapely.STRtree(areas)
    mine = [areas[tree.query(point, predicate="within")[0]] for point in points]
    return [cell.intersection(outline) for cell in mine]


def _arterials(centres: Floats) -> list[Any]:
    """Lines between zone centres that have no third centre in the circle between them (the Gabriel graph), up to a length.

    So no two of them run side by side at a sharp angle.
    """
    import shapely  # noqa: PLC0415

    apart = np.linalg.norm(centres[:, None] - centres, axis=2)
    middle = (centres[:, None] + centres) / 2
    to_third = np.linalg.norm(middle[:, :, None] - centres, axis=3)
    alone = to_third.min(axis=2) >= apart / 2 - 1e-6
    pairs = np.argwhere(alone & (apart <= LONGEST_ARTERIAL_M) & np.triu(np.ones_like(alone), 1))
    return [shapely.LineString(centres[pair]) for pair in pairs]


def _local_streets(cells: list[Any], centres: Floats, rng: np.random.Generator) -> list[Any]:
    """For each district, a group of zones, one grid turned by an angle of its own: streets run on from zone to zone."""
    import shapely  # noqa: PLC0415
    from scipy.cluster.vq import kmeans2  # noqa: PLC0415

    districts = max(1, len(cells) // ZONES_A_DISTRICT)
    seeds = centres[rng.choice(len(cells), districts, replace=False)]
    _, district = kmeans2(centres, seeds, minit="matrix", iter=20)
    lines: list[Any] = []
    for d in np.unique(district):
        area = shapely.union_all([cell for cell, of in zip(cells, district, strict=True) if of == d])
        lines.extend(_grid(area, rng.uniform(-0.35, 0.35), rng))
    return lines


def _grid(area: Any, angle: float, rng: np.random.Generator) -> list[Any]:
    """Parallel streets in two directions, cut to an area."""
    import shapely  # noqa: PLC0415

    west, south, east, north = area.bounds
    centre, reach = np.array([west + east, south + north]) / 2, float(np.hypot(east - west, north - south)) / 2
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    lines = []
    for forward, sideways in ((along, across), (across, along)):
        offset = -reach + rng.uniform(0, LOCAL_SPACING_M)
        while offset < reach:
            middle = centre + offset * sideways
            lines.append(shapely.LineString([middle - reach * forward, middle + reach * forward]))
            offset += LOCAL_SPACING_M * rng.uniform(0.75, 1.35)
    inside = shapely.get_parts(shapely.intersection(lines, area))
    return [line for line in inside if line.length > LOCAL_SPACING_M / 2]
