"""Roads from an OpenStreetMap extract (.osm.pbf): the drive network, its largest part in which every place is reached."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from chargeloop.model import BadInput, Roads
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import distance_m

# km/h where no limit is mapped; ways of other kinds are not driven on
CLASS_KMH = {
    "motorway": 90.0,
    "motorway_link": 50.0,
    "trunk": 65.0,
    "trunk_link": 40.0,
    "primary": 50.0,
    "primary_link": 35.0,
    "secondary": 42.0,
    "secondary_link": 30.0,
    "tertiary": 35.0,
    "tertiary_link": 25.0,
    "unclassified": 28.0,
    "residential": 25.0,
    "living_street": 15.0,
    "service": 15.0,
    "road": 25.0,
}
FLOW = 0.85  # of the limit: lights and turns take their share
BACKWARDS, FORWARDS = ("-1", "reverse"), ("yes", "true", "1")


def read_roads(path: Path) -> Roads:
    """Directed edges between the nodes of drivable ways, with free-flow times.

    Raises:
        BadInput: the file cannot be read, or holds no road.
    """
    ways = _ways(path)
    if not ways:
        raise BadInput(str(path), "holds no road that can be driven on")
    places: dict[int, tuple[float, float]] = {}
    tails: list[int] = []
    heads: list[int] = []
    kmh: list[float] = []
    for nodes, speed, forward, backward in ways:
        places.update({ref: (lon, lat) for ref, lon, lat in nodes})
        refs = [ref for ref, _, _ in nodes]
        for a, b in pairwise(refs):
            for begin, end, there in ((a, b, forward), (b, a, backward)):
                if there:
                    tails.append(begin)
                    heads.append(end)
                    kmh.append(speed)
    used, ends = np.unique(np.array([tails, heads]), return_inverse=True)
    lon, lat = np.array([places[int(ref)] for ref in used]).T
    tail, head = ends.reshape(2, -1)
    return _largest_part(lon, lat, tail, head, np.array(kmh) / 3.6 * FLOW)


def _ways(path: Path) -> list[tuple[list[tuple[int, float, float]], float, bool, bool]]:
    """Of each drivable way: nodes (id, lon, lat), km/h, and whether it is driven forwards and backwards."""
    import osmium  # noqa: PLC0415

    ways = []
    try:
        way: Any
        found = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
        for way in found.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(
            osmium.filter.KeyFilter("highway")
        ):
            if way.tags["highway"] not in CLASS_KMH or way.tags.get("motor_vehicle", way.tags.get("access")) == "no":
                continue
            nodes = [(n.ref, n.lon, n.lat) for n in way.nodes if n.location.valid()]
            implied = way.tags.get("junction") == "roundabout" or way.tags["highway"] in ("motorway", "motorway_link")
            one_way = way.tags.get("oneway", "yes" if implied else "no")
            speed = _limit_kmh(way.tags.get("maxspeed", ""), CLASS_KMH[way.tags["highway"]])
            ways.append((nodes, speed, one_way not in BACKWARDS, one_way not in FORWARDS))
    except (RuntimeError, OSError) as error:
        raise BadInput(str(path), f"is no readable OSM extract: {error}") from None
    return ways


def _limit_kmh(text: str, default: float) -> float:
    number = text.removesuffix("km/h").strip()
    return float(number) if number.isdigit() and 5 <= int(number) <= 130 else default


def _largest_part(lon: Floats, lat: Floats, tail: Ints, head: Ints, m_s: Floats) -> Roads:
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    links = coo_array((np.ones(tail.size), (tail, head)), shape=(lon.size, lon.size))
    _, part = connected_components(links, connection="strong")
    inside = part == np.bincount(part).argmax()
    kept = inside[tail] & inside[head] & (tail != head)
    number = np.cumsum(inside) - 1
    tail, head = tail[kept], head[kept]
    metres = np.maximum(distance_m(lon[tail], lat[tail], lon[head], lat[head]), 0.5)
    return Roads(lon[inside], lat[inside], number[tail], number[head], metres, metres / m_s[kept])


def no_roads() -> Roads:
    """For a city without an extract: guidance then takes the straight line x 1.4 everywhere."""
    floats, ints = np.zeros(0), np.zeros(0, dtype=np.int64)
    return Roads(floats, floats, ints, ints, floats, floats)
