"""The real data, where it is there."""

import json
from pathlib import Path

import numpy as np
import pytest

from chargeloop.city import load_city, read_roads, read_stevcdp
from chargeloop.city.figures import figures
from chargeloop.model import City, Layout, Tier
from scripts import make_city

EVENING = [24 * day + hour for day in range(7) for hour in range(17, 23)]


@pytest.fixture(scope="module")
def shenzhen(shared_data: Path) -> City:
    return load_city(shared_data)


def test_all_stations_and_chargers_are_there(shenzhen: City) -> None:
    layout = Layout.of(shenzhen)
    assert (len(layout.station_ids), len(layout.evse_ids), len(layout.zone_ids)) == (1362, 17_532, 275)
    assert len(set(layout.evse_ids)) == 17_532
    assert all(113 < zone.centre.lon < 115 and 22 < zone.centre.lat < 23 for zone in shenzhen.zones)


def test_the_measured_demand_asks_for_a_third_of_full_level(shenzhen: City) -> None:
    layout = Layout.of(shenzhen)
    bays = np.bincount(layout.station_zone[layout.evse_station], minlength=len(layout.zone_ids))
    level = (shenzhen.behaviour.busy_share[EVENING] * bays).sum() / (0.5 * bays.sum() * len(EVENING))
    assert 0.3 <= level <= 0.4


def test_a_station_has_one_tariff_of_the_city(shenzhen: City) -> None:
    tariffs = {tariff.tariff_id for tariff in shenzhen.tariffs}
    assert {station.tariff_id for station in shenzhen.stations} <= tariffs
    assert sum(name.startswith("zone-") for name in tariffs) == 45


def test_history_and_weather_are_whole(shenzhen: City) -> None:
    assert np.isfinite(shenzhen.demand.energy_kwh).all()
    assert shenzhen.weather.start == shenzhen.demand.start
    assert len(shenzhen.weather.rain) >= len(shenzhen.demand.energy_kwh) + 14 * 24


def test_private_cars_are_real_models_and_the_rest_is_said_to_be_assumed(shenzhen: City) -> None:
    private = [share for share in shenzhen.fleet if share.tier is Tier.PRIVATE]
    battery = {model.model_id: model.battery_kwh for model in shenzhen.models}
    sizes = [battery[share.model_id] for share in private]
    assert sizes == sorted(sizes)
    assert (sizes[0] < 45, sizes[-1] > 70) == (True, True)
    assert sum(share.share for share in shenzhen.fleet) == pytest.approx(1)
    assert "Open EV Data" in shenzhen.note
    assert "taxis" in shenzhen.note


def test_roads_of_the_core(shared_data: Path) -> None:
    roads = read_roads(shared_data / "shenzhen_core_osm_roads" / "shenzhen_core_drive.osm.pbf")
    assert 1_300_000 < roads.edge_m.sum() < 2_000_000
    kmh = 3.6 * roads.edge_m / roads.edge_s
    assert 4 <= kmh.min() < kmh.max() < 115  # some service roads have a limit of 5 km/h


def test_st_evcdp(shared_data: Path) -> None:
    city = read_stevcdp(shared_data / "stevcdp_shenzhen")
    assert len(city.zones) == 247
    assert 1600 < len(city.stations) <= 1706


def test_the_figures_of_the_built_in_city_are_what_the_script_makes(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_city, "DATA", shared_data)
    monkeypatch.setattr(make_city, "OUT", tmp_path / "figures.json")
    make_city.main()
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")) == figures()
