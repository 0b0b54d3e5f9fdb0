"""Times, lengths and ways to stations."""

from dataclasses import replace

import numpy as np
import pytest

from chargeloop.guidance import Dijkstra, Engine, Guide, Hierarchy, Route, best_engine, metres_along
from chargeloop.model import BadInput, City, Layout, Roads
from chargeloop.physics import distance_m
from tests.small_city import BLOCK_M, place

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def guide(small_city: City, small_layout: Layout) -> Guide:
    return Guide.of(small_city, small_layout)


def uneven(roads: Roads) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng(5).integers(20_000, 90_000, roads.edge_s.size)


def test_the_hierarchy_equals_dijkstra(small_city: City) -> None:
    roads = small_city.roads
    fast: Engine = Hierarchy(roads)
    plain: Engine = Dijkstra(roads)
    for engine in (fast, plain):
        engine.set_times(uneven(roads))
    sources, targets = RNG.integers(0, roads.node_lon.size, (2, 40))
    assert np.array_equal(fast.times_ms(sources, targets), plain.times_ms(sources, targets))


def test_the_way_takes_as_long_as_the_table_says(small_city: City) -> None:
    roads, edge_ms = small_city.roads, uneven(small_city.roads)
    for engine in (Hierarchy(roads), Dijkstra(roads)):
        engine.set_times(edge_ms)
        for source, target in RNG.integers(0, roads.node_lon.size, (20, 2)):
            edges = engine.path(int(source), int(target))
            assert edge_ms[edges].sum() == engine.times_ms(np.array([source]), np.array([target]))[0, 0]
            assert np.array_equal(roads.edge_to[edges[:-1]], roads.edge_from[edges[1:]])


def test_lengths_are_those_of_the_fastest_way(small_city: City) -> None:
    roads, edge_ms = small_city.roads, uneven(small_city.roads)
    engine = best_engine(roads)
    engine.set_times(edge_ms)
    target = np.array([0, 200])
    times = np.ascontiguousarray(engine.times_ms(np.arange(roads.node_lon.size), target).T)
    by_tail = np.argsort(roads.edge_from, kind="stable")
    first = np.searchsorted(roads.edge_from[by_tail], np.arange(roads.node_lon.size + 1))
    metres = metres_along(times, first, by_tail, roads.edge_to, edge_ms, roads.edge_m, target)
    for source in RNG.integers(0, roads.node_lon.size, 20):
        assert metres[1, source] == pytest.approx(roads.edge_m[engine.path(int(source), 200)].sum())


def test_a_drive_on_the_grid_is_its_blocks(guide: Guide) -> None:
    here = place(0, 0)
    seconds, metres = guide.drive(np.array([here.lon]), np.array([here.lat]), np.array([[0, 2]]))
    assert metres[0] == pytest.approx([2000, 10_000], rel=1e-3)
    assert seconds[0] == pytest.approx([200, 1000], rel=1e-3)


def test_outside_the_network_it_is_the_straight_line_times_a_detour(guide: Guide, small_layout: Layout) -> None:
    far = place(-4000, -4000)
    seconds, metres = guide.drive(np.array([far.lon]), np.array([far.lat]), np.array([0]))
    straight = distance_m(far.lon, far.lat, small_layout.station_lon[0], small_layout.station_lat[0])
    assert metres[0] == pytest.approx(1.4 * straight)
    assert seconds[0] == pytest.approx(metres[0] / (30 / 3.6))


def test_a_city_without_roads_still_has_times(small_city: City) -> None:
    none = np.zeros(0)
    empty = Roads(none, none, none.astype(np.int64), none.astype(np.int64), none, none)
    bare = replace(small_city, roads=empty)
    guide = Guide.of(bare, Layout.of(bare))
    seconds, metres = guide.drive(np.array([114.0]), np.array([22.5]), np.array([[0, 1]]))
    assert np.all(np.isfinite(seconds) & (metres > 0))
    assert not guide.route(114.0, 22.5, 0).on_roads


def test_an_island_is_reached_by_the_straight_line(small_city: City) -> None:
    roads = small_city.roads
    off = (roads.edge_from != 0) & (roads.edge_to != 0)
    cut = replace(
        roads, edge_from=roads.edge_from[off], edge_to=roads.edge_to[off], edge_m=roads.edge_m[off], edge_s=roads.edge_s[off]
    )
    island = replace(small_city, roads=cut)
    guide = Guide.of(island, Layout.of(island))
    here = place(0, 0)
    seconds, _ = guide.drive(np.array([here.lon]), np.array([here.lat]), np.array([0]))
    assert np.isfinite(seconds[0])


def test_the_nearest_pools_have_the_wanted_current(guide: Guide, small_layout: Layout) -> None:
    here = place(1000, 1000)
    pools = guide.nearest_pools(np.array([here.lon] * 2), np.array([here.lat] * 2), np.array([True, False]), 30)
    for row, dc in zip(pools, (True, False), strict=True):
        listed = row[row >= 0]
        assert set(listed) == set(np.flatnonzero(small_layout.pool_is_dc == dc))
        station = small_layout.pool_station[listed]
        away = distance_m(here.lon, here.lat, small_layout.station_lon[station], small_layout.station_lat[station])
        assert np.all(np.diff(away) >= 0)
        assert np.all(row[len(listed) :] == -1)


def test_traffic_slows_the_drive_and_only_then(guide: Guide, small_city: City) -> None:
    here, edges = place(0, 0), small_city.roads.edge_s.size
    ask = (np.array([here.lon]), np.array([here.lat]), np.array([2]))
    free, _ = guide.drive(*ask)
    guide.set_traffic(np.full(edges, 2.0))
    slow, _ = guide.drive(*ask)
    guide.set_traffic(np.ones(edges))
    again, _ = guide.drive(*ask)
    assert slow[0] == pytest.approx(2 * free[0], rel=1e-3)
    assert again[0] == free[0]
    with pytest.raises(BadInput, match="traffic"):
        guide.set_traffic(np.zeros(edges))


def test_a_route_is_geojson_with_time_and_energy(guide: Guide) -> None:
    here = place(0, 0)
    route = guide.route(here.lon, here.lat, 2, kwh_per_km=0.2, temperature_c=21.5)
    feature = route.geojson()
    assert feature["geometry"]["type"] == "LineString"
    assert feature["geometry"]["coordinates"][0] == [here.lon, here.lat]
    assert feature["properties"]["metres"] == pytest.approx(10_000, rel=1e-3)
    assert feature["properties"]["energy_kwh"] == pytest.approx(2.0, rel=1e-2)
    lon, lat = np.array(route.points).T
    assert distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).max() <= BLOCK_M * 1.01
    assert isinstance(route, Route)
    assert route.on_roads


@pytest.mark.parametrize(("lon", "lat"), [(181.0, 0.0), (0.0, -91.0), (float("nan"), 0.0)])
def test_a_place_that_is_none_is_refused(guide: Guide, lon: float, lat: float) -> None:
    with pytest.raises(BadInput, match="no place on earth"):
        guide.route(lon, lat, 0)
