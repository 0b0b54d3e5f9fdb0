"""The pools that requests are weighed against: those near the driver, those near where the driver is heading, and the depot."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.model import ChargeRequest, Layout, Place
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import distance_m
from chargeloop.recommendation import Candidates, detours

CANDIDATES = 30  # pools that a request is weighed against
ROADS_OVER_STRAIGHT, DIRECT_M_S = 1.4, 30 / 3.6  # of the way to a destination, to which no drive time is known


def candidates_of(guide: Guide, layout: Layout, requests: Sequence[ChargeRequest], count: int = CANDIDATES) -> Candidates:
    """The nearest pools of the wanted current for each request, with road times; half of them near its destination, if any.

    The way on from a station is taken to be as long as the way back: road times are known to stations only.
    """
    lon, lat = _columns([request.place for request in requests])
    is_dc = np.array([request.current == "DC" for request in requests], dtype=np.bool_)
    pool = guide.nearest_pools(lon, lat, is_dc, count)
    heading = [_destination(request, layout) for request in requests]
    going = np.array([i for i, place in enumerate(heading) if place is not None], dtype=np.int64)
    if going.size:
        end_lon, end_lat = _columns([place for place in heading if place is not None])
        near_end = guide.nearest_pools(end_lon, end_lat, is_dc[going], count)
        pool[going] = _half_and_half(pool[going], near_end)
        _put_depots(pool, layout, requests, is_dc)
    drive_s, drive_m = guide.drive(lon, lat, layout.pool_station[np.maximum(pool, 0)])
    found = Candidates(pool, drive_s, drive_m)
    if not going.size:
        return found
    onward_s, onward_m = guide.drive(end_lon, end_lat, layout.pool_station[np.maximum(pool[going], 0)])
    direct_m = ROADS_OVER_STRAIGHT * distance_m(lon[going], lat[going], end_lon, end_lat)
    detour_s, detour_m = np.full(pool.shape, np.nan), np.full(pool.shape, np.nan)
    detour_s[going] = detours(drive_s[going], onward_s, direct_m / DIRECT_M_S)
    detour_m[going] = detours(drive_m[going], onward_m, direct_m)
    return replace(found, detour_s=detour_s, detour_m=detour_m)


def _destination(request: ChargeRequest, layout: Layout) -> Place | None:
    """Where the driver says, else the depot."""
    station = layout.station_index.get(request.depot_station_id or "", -1)
    if request.destination is None and station >= 0:
        return Place(float(layout.station_lon[station]), float(layout.station_lat[station]))
    return request.destination


def _columns(places: Sequence[Place]) -> tuple[Floats, Floats]:
    return np.array([place.lon for place in places]), np.array([place.lat for place in places])


def _half_and_half(near: Ints, near_end: Ints) -> Ints:
    """The nearest to either end in turns, each pool once (-1 where it stands already), as many as there were."""
    both = np.stack([near, near_end], axis=2).reshape(len(near), -1)[:, : near.shape[1]]
    again = np.array([[p in row[:k] for k, p in enumerate(row)] for row in both.tolist()])
    return np.where(again, -1, both)


def _put_depots(pool: Ints, layout: Layout, requests: Sequence[ChargeRequest], is_dc: np.ndarray) -> None:
    """The depot's pool stands in the last place of the row of its vehicle, unless it is there already."""
    for i, request in enumerate(requests):
        station = layout.station_index.get(request.depot_station_id or "", -1)
        own = np.flatnonzero((layout.pool_station == station) & (layout.pool_is_dc == is_dc[i]))
        if own.size and own[0] not in pool[i]:
            pool[i, -1] = own[0]
