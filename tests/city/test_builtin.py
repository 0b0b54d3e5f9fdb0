"""The built-in city: drawn always the same, whole, and like what its figures say."""

from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from chargeloop.city import builtin_city, load_city
from chargeloop.city.figures import figures
from chargeloop.model import CircuitKind, City, Current, Layout, Tier
from chargeloop.physics import distance_m, hour_of_week, local


def test_a_seed_draws_one_city(city: City) -> None:
    again, other = load_city(None), builtin_city(seed=7)
    assert again.stations == city.stations
    assert np.array_equal(again.roads.edge_s, city.roads.edge_s)
    assert np.array_equal(again.demand.energy_kwh, city.demand.energy_kwh)
    assert again.sites != other.sites


def test_its_size_is_that_of_its_figures(city: City, layout: Layout) -> None:
    zones = figures()["zones"]
    assert len(city.zones) == len(zones) >= 50
    assert len(city.stations) == sum(zone["stations"] for zone in zones)
    by_zone = np.bincount(layout.station_zone[layout.evse_station], minlength=len(zones))
    assert by_zone.tolist() == [zone["fast"] + zone["slow"] for zone in zones]
    assert 4000 <= len(layout.evse_ids) <= 5000
    assert max(map(len, layout.evse_ids)) <= 20
    assert all(e.evse_id.startswith(f"{s.station_id}-") for s in city.stations for e in s.evses)
    assert {e.power_kw for s in city.stations for e in s.evses if e.current is Current.AC} == {7.0}


def test_zone_centres_are_near_the_rounded_ones(city: City) -> None:
    for zone, figure in zip(city.zones, figures()["zones"], strict=True):
        assert distance_m(zone.centre.lon, zone.centre.lat, figure["lon"], figure["lat"]) < 700
        assert (round(figure["lon"], 2), round(figure["lat"], 2)) == (figure["lon"], figure["lat"])


def test_every_street_leads_everywhere(city: City) -> None:
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    roads, size = city.roads, city.roads.node_lon.size
    links = coo_array((np.ones(roads.edge_from.size), (roads.edge_from, roads.edge_to)), shape=(size, size))
    assert connected_components(links, connection="strong")[0] == 1
    assert 3000 <= size <= 6500
    places = [(roads.node_lon[end], roads.node_lat[end]) for end in (roads.edge_from, roads.edge_to)]
    straight = distance_m(*places[0], *places[1])
    assert np.all(roads.edge_m > 0)
    assert roads.edge_m == pytest.approx(straight, rel=0.01, abs=2)
    kmh = 3.6 * roads.edge_m / roads.edge_s
    assert set(kmh.round()) == {25.0, 45.0}
    pairs = Counter(zip(roads.edge_from.tolist(), roads.edge_to.tolist(), strict=True))
    assert max(pairs.values()) == 1


def test_stations_stand_beside_streets_in_their_zone(city: City, layout: Layout) -> None:
    from scipy.spatial import cKDTree  # noqa: PLC0415

    roads = city.roads
    squeeze = np.cos(np.radians(22.5))
    tree = cKDTree(np.stack([roads.node_lon * squeeze, roads.node_lat], axis=1))
    away: Any
    away, _ = tree.query(np.stack([layout.station_lon * squeeze, layout.station_lat], axis=1))
    assert (away * 111_195).max() < 150
    lon, lat = np.array([(zone.centre.lon, zone.centre.lat) for zone in city.zones]).T
    to_centres = distance_m(layout.station_lon[:, None], layout.station_lat[:, None], lon, lat)
    own = to_centres[np.arange(len(city.stations)), layout.station_zone]
    assert np.all(own <= to_centres.min(axis=1) + 250)  # within the ground nearest to the zone's own centre


def test_limits_bind_sometimes_at_every_level(city: City, layout: Layout) -> None:
    installed = np.zeros(layout.circuit_parent.size)
    np.add.at(installed, layout.station_circuit[layout.evse_station], layout.evse_kw)
    below = installed + layout.circuit_base_kw
    for c in range(len(below) - 1, 0, -1):  # parents stand before children
        below[layout.circuit_parent[c]] += below[c]
    share = layout.circuit_limit_kw / below
    kinds = {circuit.circuit_id: circuit.kind for circuit in city.circuits}
    by_kind = {kind: share[[kinds[key] is kind for key in layout.circuit_ids]] for kind in CircuitKind}
    assert all(by_kind[kind].size for kind in CircuitKind)
    assert np.all((by_kind[CircuitKind.SITE] > 0.6) & (by_kind[CircuitKind.SITE] <= 1.0001))
    for kind in (CircuitKind.FEEDER, CircuitKind.TRANSFORMER, CircuitKind.REGION):
        assert by_kind[kind].min() < 0.8
    assert np.all(layout.circuit_limit_kw > layout.circuit_base_kw)  # there is always something left to charge with


def test_prices_operators_and_fleet(city: City) -> None:
    assert len({station.operator_id for station in city.stations}) == len(city.tariffs) == 4
    for tariff in city.tariffs:
        price = {band.start_h: band.energy_per_kwh for band in tariff.bands}
        assert price[0] < price[8] < price[10] == price[14]
    assert {share.tier for share in city.fleet} == set(Tier)
    assert sum(share.share for share in city.fleet) == pytest.approx(1)
    assert {share.model_id for share in city.fleet} == {model.model_id for model in city.models}


def test_history_ends_where_the_demo_begins_and_weather_goes_on(city: City) -> None:
    hours, zones = city.demand.energy_kwh.shape
    end = city.demand.start + timedelta(hours=hours)
    assert (local(end, city.time_zone).hour, local(end, city.time_zone).weekday()) == (17, 1)
    assert hours >= 5 * 168
    assert zones == len(city.zones)
    assert city.weather.start <= city.demand.start
    assert city.weather.start + timedelta(hours=len(city.weather.rain)) >= end + timedelta(days=14)
    assert set(np.unique(city.weather.rain)) == {0, 1, 2, 3}


def test_history_follows_the_busy_share(city: City, layout: Layout) -> None:
    kw = np.bincount(layout.station_zone[layout.evse_station], layout.evse_kw, len(city.zones))
    first = hour_of_week(city.demand.start, city.time_zone)
    week_hour = (first + np.arange(len(city.demand.energy_kwh))) % 168
    expected = city.behaviour.busy_share[week_hour] * kw
    assert np.all((city.behaviour.busy_share >= 0) & (city.behaviour.busy_share <= 1))
    assert city.demand.energy_kwh.sum() == pytest.approx(expected.sum(), rel=0.05)
    assert np.corrcoef(city.demand.energy_kwh.ravel(), expected.ravel())[0, 1] > 0.9


def test_its_note_tells_what_is_made_up(city: City) -> None:
    for word in ("generated", "assumptions", "taxis", "streets", "weather", "UrbanEV"):
        assert word in city.note
