"""Guidance on the streets of the built-in city, which are less regular than a chessboard."""

import sys

import numpy as np
import pytest

from chargeloop.guidance import Dijkstra, Guide, Hierarchy, best_engine
from chargeloop.guidance.guide import DETOUR, OUTSIDE_M_S, SNAP_M
from chargeloop.model import City, Layout
from chargeloop.physics import distance_m


@pytest.fixture(scope="module")
def guide(city: City, layout: Layout) -> Guide:
    return Guide.of(city, layout)


def test_the_hierarchy_equals_dijkstra_in_any_traffic(city: City) -> None:
    roads, rng = city.roads, np.random.default_rng(11)
    fast, plain = Hierarchy(roads), Dijkstra(roads)
    for _ in range(2):
        edge_ms = np.maximum(roads.edge_s * 1000 * rng.uniform(1, 4, roads.edge_s.size), 1).astype(np.int64)
        for engine in (fast, plain):
            engine.set_times(edge_ms)
        sources, targets = rng.integers(0, roads.node_lon.size, (2, 30))
        assert np.array_equal(fast.times_ms(sources, targets), plain.times_ms(sources, targets))


def test_without_the_wheel_dijkstra_takes_over(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(best_engine(city.roads), Hierarchy)
    monkeypatch.setitem(sys.modules, "pyroutingkit", None)
    assert isinstance(best_engine(city.roads), Dijkstra)


def test_dijkstra_gives_the_same_guide(city: City, layout: Layout, guide: Guide, monkeypatch: pytest.MonkeyPatch) -> None:
    few = np.arange(12)
    monkeypatch.setitem(sys.modules, "pyroutingkit", None)
    pools = np.zeros(few.size, dtype=np.bool_)
    plain = Guide(city.roads, layout.station_lon[few], layout.station_lat[few], few, pools)
    lon, lat = city.roads.node_lon[::50], city.roads.node_lat[::50]
    ask = np.broadcast_to(few, (lon.size, few.size))
    for one, other in zip(plain.drive(lon, lat, ask), guide.drive(lon, lat, ask), strict=True):
        assert one == pytest.approx(other, rel=1e-5, abs=0.01)


def test_no_step_aside_makes_a_drive_shorter(city: City, guide: Guide) -> None:
    """From u it is never longer than by way of v: time(u) <= edge(u, v) + time(v)."""
    roads, rng = city.roads, np.random.default_rng(12)
    edge = rng.integers(0, roads.edge_s.size, 200)
    station = rng.integers(0, len(city.stations), (200, 3))
    near, far = (
        guide.drive(roads.node_lon[end], roads.node_lat[end], station)[0]
        for end in (roads.edge_from[edge], roads.edge_to[edge])
    )
    assert np.all(near <= roads.edge_s[edge][:, None] + far + 0.01)


def test_roads_are_longer_than_the_crow_flies(city: City, layout: Layout, guide: Guide) -> None:
    roads, rng = city.roads, np.random.default_rng(13)
    node, station = rng.integers(0, roads.node_lon.size, 300), rng.integers(0, len(city.stations), 300)
    _, metres = guide.drive(roads.node_lon[node], roads.node_lat[node], station)
    crow = distance_m(roads.node_lon[node], roads.node_lat[node], layout.station_lon[station], layout.station_lat[station])
    assert np.all(metres >= crow * 0.995)
    assert np.median(metres / np.maximum(crow, 1)) < 1.6


def test_a_route_adds_up_to_its_length_and_time(city: City, guide: Guide) -> None:
    roads, rng = city.roads, np.random.default_rng(14)
    nodes = rng.integers(0, roads.node_lon.size, (25, 1))
    for node, station in np.hstack([nodes, rng.integers(0, len(city.stations), (25, 1))]).tolist():
        route = guide.route(float(roads.node_lon[node]) + 2e-4, float(roads.node_lat[node]), station)
        lon, lat = np.array(route.points).T
        steps = distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
        assert route.on_roads
        assert route.metres == pytest.approx(steps[1:-1].sum() + DETOUR * (steps[0] + steps[-1]), rel=0.01, abs=5)
        assert route.metres / (45 / 3.6) * 0.99 <= route.seconds <= route.metres / (25 / 3.6) * 1.01


def test_the_network_ends_where_roads_are_too_far(city: City, layout: Layout, guide: Guide) -> None:
    west = int(np.argmin(city.roads.node_lon))
    lon, lat = float(city.roads.node_lon[west]), float(city.roads.node_lat[west])
    degree_m = float(distance_m(lon, lat, lon - 0.01, lat)) / 0.01
    inside, outside = lon - 0.9 * SNAP_M / degree_m, lon - 1.1 * SNAP_M / degree_m
    assert guide.route(inside, lat, 0).on_roads
    route = guide.route(outside, lat, 0)
    assert not route.on_roads
    assert len(route.points) == 2
    crow = float(distance_m(outside, lat, layout.station_lon[0], layout.station_lat[0]))
    assert (route.metres, route.seconds) == pytest.approx((DETOUR * crow, DETOUR * crow / OUTSIDE_M_S))


def test_a_station_away_from_all_roads_is_reached_by_the_straight_line(city: City, layout: Layout) -> None:
    lon, lat = layout.station_lon[:3].copy(), layout.station_lat[:3].copy()
    lat[1] -= 0.2
    guide = Guide(city.roads, lon, lat, np.arange(3), np.array([False, True, False]))
    node = city.roads.node_lon.size // 2
    here = float(city.roads.node_lon[node]), float(city.roads.node_lat[node])
    seconds, metres = guide.drive(np.array(here[:1]), np.array(here[1:]), np.array([[0, 1, 2]]))
    assert metres[0, 1] == pytest.approx(DETOUR * float(distance_m(*here, lon[1], lat[1])))
    assert seconds[0, 1] == pytest.approx(metres[0, 1] / OUTSIDE_M_S)
    assert guide.route(*here, 0).on_roads
    assert not guide.route(*here, 1).on_roads


def test_a_closed_road_is_driven_round(city: City, guide: Guide) -> None:
    route = guide.route(float(city.roads.node_lon[10]), float(city.roads.node_lat[10]), len(city.stations) - 1)
    assert len(route.points) > 6
    lon, lat = np.array(route.points[2:4]).T
    roads = city.roads
    at = [int(np.argmin(distance_m(x, y, roads.node_lon, roads.node_lat))) for x, y in zip(lon, lat, strict=True)]
    factor = np.where((roads.edge_from == at[0]) & (roads.edge_to == at[1]), 1000.0, 1.0)
    assert factor.max() == 1000
    jammed = Guide.of(city, Layout.of(city))
    jammed.set_traffic(factor)
    other = jammed.route(*route.points[0], len(city.stations) - 1)
    assert route.seconds <= other.seconds < route.seconds + 600
    assert other.points != route.points
