"""City folders in the published layouts become cities, and whatever is wrong in a file is one clear error."""

import gzip
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from chargeloop.city import load_city, read_roads, read_stevcdp, read_urbanev
from chargeloop.model import BadInput, City, Current, Layout
from chargeloop.model.validated import from_data
from chargeloop.physics import distance_m, wgs84_to_gcj02
from tests.city import folders


@pytest.fixture
def urbanev(tmp_path: Path) -> Path:
    return folders.urbanev(tmp_path)


def by_station(city: City) -> dict[str, tuple[float, float]]:
    places = {site.site_id: site.place for site in city.sites}
    return {s.station_id: (places[s.site_id].lon, places[s.site_id].lat) for s in city.stations}


def test_stations_are_placed_in_wgs84(urbanev: Path) -> None:
    found = by_station(load_city(urbanev))
    for key, lon, lat, _, _ in folders.STATIONS:
        there = wgs84_to_gcj02(*found[key])
        assert distance_m(lon, lat, *there) < 0.1
        assert 300 < distance_m(lon, lat, *found[key]) < 900  # the datum really differs


def test_a_city_has_every_charger_and_a_circuit_for_each_site(urbanev: Path) -> None:
    city = load_city(urbanev)
    layout = Layout.of(city)
    assert {s.station_id: len(s.evses) for s in city.stations} == {key: count for key, _, _, count, _ in folders.STATIONS}
    assert len(set(layout.evse_ids)) == 27
    assert layout.evse_ids[0] == "501-01"
    assert layout.circuit_parent[layout.station_circuit].min() >= 0
    assert [zone.zone_id for zone in city.zones] == ["11", "12", "14"]
    assert city.zones[0].radius_m == pytest.approx(np.sqrt(1e6 / np.pi))


def test_all_records_pass_the_edge(urbanev: Path) -> None:
    city = load_city(urbanev)
    for records in (city.zones, city.sites, city.stations, city.circuits, city.tariffs, city.models, city.fleet):
        for record in records:
            assert from_data(type(record), asdict(record), "city") == record


def test_demand_is_the_files_and_its_week_is_the_busy_share(urbanev: Path) -> None:
    city = load_city(urbanev)
    assert city.demand.start == datetime(2023, 3, 5, 16, tzinfo=UTC)  # local midnight
    assert city.demand.energy_kwh[:, 0].tolist() == [folders.evening(h, 0) for h in range(folders.HOURS)]
    assert city.behaviour.busy_share[19, 0] == pytest.approx(4 / 15)  # 28 kWh at 7 kW are four of zone 11's 15 chargers
    assert city.behaviour.busy_share[0, 1] == pytest.approx(1 / 8)


def test_an_unmeasured_zone_follows_those_around_it(urbanev: Path) -> None:
    city = load_city(urbanev)
    measured = city.behaviour.busy_share[:, :2]
    assert city.behaviour.busy_share[:, 2] == pytest.approx(np.median(measured, axis=1))
    assert np.all(np.isfinite(city.demand.energy_kwh))


def test_hours_in_use_are_taken_where_they_are_known(urbanev: Path) -> None:
    folders.wide(urbanev / "duration.csv", lambda h, z: 3.0)
    assert load_city(urbanev).behaviour.busy_share[:, 0] == pytest.approx(3 / 15)


def test_prices_become_tariffs_and_unpriced_zones_get_an_operators(urbanev: Path) -> None:
    city = load_city(urbanev)
    tariffs = {tariff.tariff_id: tariff for tariff in city.tariffs}
    of = {station.station_id: tariffs[station.tariff_id] for station in city.stations}
    assert [band.energy_per_kwh for band in of["503"].bands] == [Decimal("0.5000")] * 8 + [Decimal("1.0000")] * 16
    assert of["503"].bands[0].service_per_kwh == Decimal("0.5")
    assert of["504"].tariff_id == city.stations[-1].operator_id


def test_weather_is_the_files_or_said_to_be_assumed(urbanev: Path) -> None:
    city = load_city(urbanev)
    assert city.weather.start == city.demand.start
    assert city.weather.temperature_c[20] == 25.0
    assert city.weather.rain.sum() == len(range(0, folders.HOURS + 48, 50))
    (urbanev / "weather_central.csv").unlink()
    bare = load_city(urbanev)
    assert "weather" in bare.note
    assert len(bare.weather.rain) == folders.HOURS + 14 * 24


def test_files_may_be_gzipped_and_lie_a_folder_deeper(tmp_path: Path) -> None:
    inner = tmp_path / "urbanev_shenzhen"
    inner.mkdir()
    folders.urbanev(inner)
    for path in inner.glob("*.csv"):
        (inner / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert len(load_city(tmp_path).stations) == 4


def test_the_long_layout_says_the_same_as_the_wide_one(urbanev: Path) -> None:
    import pandas as pd  # noqa: PLC0415

    wide = load_city(urbanev)
    names = {"volume.csv": "volume_kwh", "e_price.csv": "e_price_cny_kwh", "s_price.csv": "s_price_cny_kwh"}
    columns = []
    for file, name in names.items():
        table = pd.read_csv(urbanev / file).melt("time", var_name="TAZID", value_name=name).astype({"TAZID": int})
        columns.append(table.set_index(["time", "TAZID"]))
        (urbanev / file).unlink()
    pd.concat(columns, axis=1).reset_index().sample(frac=1, random_state=1).to_parquet(urbanev / "hourly_3zones.parquet")
    long = load_city(urbanev)
    assert np.array_equal(long.demand.energy_kwh, wide.demand.energy_kwh)
    assert long.tariffs == wide.tariffs


def test_a_zone_without_a_position_lies_amid_its_stations(urbanev: Path) -> None:
    rows = [["11", 0, 0, 15, 1e6, 4e3], ["12", 114.09, 22.56, 8, 1e6, 4e3], ["14", 114.12, 22.56, 4, 0, 0]]
    folders.write(urbanev / "zones.csv", ["TAZID", "longitude", "latitude", "charge_count", "area", "perimeter"], rows)
    city = load_city(urbanev)
    mine = [place for key, place in by_station(city).items() if key in ("501", "502")]
    assert (city.zones[0].centre.lon, city.zones[0].centre.lat) == pytest.approx(np.mean(mine, axis=0))
    assert wgs84_to_gcj02(city.zones[1].centre.lon, city.zones[1].centre.lat)[0] == pytest.approx(114.09)


def enriched(folder: Path, rows: list[list[object]]) -> Path:
    header = ["station_id", "longitude", "latitude", "charge_count", "TAZID", "fast", "slow", "in_filtered_1362"]
    (folder / "inf.csv").unlink()
    return folders.write(folder / "stations_enriched.csv", header, rows)


def test_fast_chargers_are_direct_current_and_the_rest_slow(urbanev: Path) -> None:
    rows: list[list[object]] = [
        [7, 114.06, 22.54, 10, 11, 4, 6],
        [8, 114.06, 22.54, 3, 11, 5, 0],
        [9, 114.08, 22.55, 6, 12, "", ""],
    ]
    left_out: list[object] = [10, 114.06, 22.54, 9, 11, 0, 9, "False"]
    enriched(urbanev, [[*row, "True"] for row in rows] + [left_out])
    city = load_city(urbanev)
    counts = {s.station_id: [e.current for e in s.evses].count(Current.DC) for s in city.stations}
    assert counts == {"7": 4, "8": 3, "9": 0}  # never more than there are chargers; the station that is filtered out is gone
    assert [len(s.evses) for s in city.stations] == [10, 3, 6]


def test_volume_of_fast_chargers_is_not_taken_for_many_busy_bays(urbanev: Path) -> None:
    rows = [[7, 114.06, 22.54, 10, 11, 2, 8], [9, 114.08, 22.55, 8, 12, 0, 8]]
    enriched(urbanev, [[*row, "True"] for row in rows])
    folders.wide(urbanev / "volume.csv", lambda h, z: (1 * 7 + 1.5 * 60, 7.0, 0.0)[z])
    share = load_city(urbanev).behaviour.busy_share
    assert share[:, 1] == pytest.approx(1 / 8)
    assert share[:, 0] == pytest.approx((1 + 1.5) / 10)  # slow ones as busy as in the slow-only zone, the rest is fast


def test_st_evcdp_measured(tmp_path: Path) -> None:
    city = load_city(folders.stevcdp(tmp_path))
    assert {s.station_id: len(s.evses) for s in city.stations} == {"1": 8, "2": 4, "3": 3}  # one without chargers is left out
    assert city.behaviour.busy_share[19] == pytest.approx([6 / 12, 1 / 3])
    assert city.behaviour.busy_share[3, 0] == pytest.approx(2.5 / 12)  # mean over the hour
    assert city.demand.energy_kwh[3] == pytest.approx([2.5 * (2 * 60 + 10 * 7) / 12, 60.0])
    assert len(city.demand.energy_kwh) == folders.HOURS
    price = {tariff.tariff_id: tariff.bands[0].energy_per_kwh for tariff in city.tariffs}
    assert price["zone-105"] == Decimal("1.5")


def test_st_evcdp_static(tmp_path: Path) -> None:
    city = read_stevcdp(folders.stevcdp(tmp_path, static=True))
    assert "assumed" in city.note
    assert np.all(city.behaviour.busy_share == city.behaviour.busy_share[0, 0])


def test_roads_of_an_extract(tmp_path: Path) -> None:
    roads = read_roads(folders.extract(tmp_path / "streets.osm.pbf"))
    ends = zip(roads.edge_from.tolist(), roads.edge_to.tolist(), strict=True)
    corner = [(round(x, 2), round(y, 2)) for x, y in zip(roads.node_lon.tolist(), roads.node_lat.tolist(), strict=True)]
    a, b, c, d = (114.06, 22.54), (114.07, 22.54), (114.07, 22.55), (114.06, 22.55)
    assert sorted((corner[i], corner[j]) for i, j in ends) == sorted([(a, b), (b, c), (c, d), (d, a), (a, d)])
    straight = distance_m(
        roads.node_lon[roads.edge_from],
        roads.node_lat[roads.edge_from],
        roads.node_lon[roads.edge_to],
        roads.node_lat[roads.edge_to],
    )
    assert roads.edge_m == pytest.approx(straight)
    kmh = dict(
        zip(
            ((corner[i], corner[j]) for i, j in zip(roads.edge_from, roads.edge_to, strict=True)),
            3.6 * roads.edge_m / roads.edge_s,
            strict=True,
        )
    )
    assert kmh[a, b] > kmh[a, d] == pytest.approx(40 * 0.85) == kmh[d, a]


def test_an_extract_in_or_beside_the_folder_is_read(tmp_path: Path) -> None:
    inner = tmp_path / "urbanev_shenzhen"
    inner.mkdir()
    folders.urbanev(inner)
    assert load_city(tmp_path).roads.node_lon.size == 0
    (tmp_path / "osm").mkdir()
    folders.extract(tmp_path / "osm" / "streets.osm.pbf")
    assert load_city(tmp_path).roads.node_lon.size == 4


def replaced(name: str, old: str, new: str, count: int = 1) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, count), encoding="utf-8")

    return damage


def removed(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def filled(name: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def line_dropped(name: str, number: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        lines = (folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / name).write_text("".join(lines[: number - 1] + lines[number:]), encoding="utf-8")

    return damage


def truncated_parquet(folder: Path) -> None:
    import pandas as pd  # noqa: PLC0415

    path = folder / "hourly_x.parquet"
    pd.DataFrame({"time": ["2023-03-06"] * 500, "TAZID": 11, "volume_kwh": 1.0}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])


def hour_twice(folder: Path) -> None:
    import pandas as pd  # noqa: PLC0415

    pd.DataFrame({"time": ["2023-03-06", "2023-03-06"], "TAZID": 11, "volume_kwh": 1.0}).to_parquet(folder / "hourly_x.parquet")


def short(folder: Path) -> None:
    for name in ("volume.csv", "e_price.csv", "s_price.csv"):
        folders.wide(folder / name, folders.evening, hours=100)


def truncated_extract(folder: Path) -> None:
    path = folders.extract(folder / "streets.osm.pbf")
    path.write_bytes(path.read_bytes()[:-60])


BROKEN = [
    (removed("volume.csv"), "", "volume.csv is missing"),
    (replaced("inf.csv", "charge_count", "piles"), "inf.csv", "no column 'charge_count'"),
    (replaced("inf.csv", "114.063", "east"), "inf.csv: row 3, column longitude", "number between -180 and 180, got 'east'"),
    (replaced("inf.csv", "22.55,", "122.55,"), "inf.csv: row 4, column latitude", "between -90 and 90"),
    (replaced("inf.csv", "114.06,22.54", "0,0"), "inf.csv: row 2, column longitude", "no position"),
    (replaced("inf.csv", "502,", "501,"), "inf.csv: row 3, column station_id", "stands there already"),
    (replaced("inf.csv", "502,", "a station,"), "inf.csv: row 3, column station_id", "an id is"),
    (replaced("inf.csv", "22.543,5,", "22.543,-5,"), "inf.csv: row 3, column charge_count", "between 1 and 2000"),
    (filled("inf.csv", b""), "inf.csv", "cannot be read"),
    (filled("inf.csv", b"\xff\xfe\x00binary"), "inf.csv", "cannot be read"),
    (
        filled("stations_enriched.csv.gz", gzip.compress(b"station_id,longitude\n" * 99)[:-20]),
        "enriched.csv.gz",
        "cannot be read",
    ),
    (replaced("volume.csv", "28.0", "many"), "volume.csv: row 20, column 11", "of 0 or more, got 'many'"),
    (replaced("volume.csv", "28.0", "-1"), "volume.csv: row 20, column 11", "of 0 or more, got "),
    (replaced("volume.csv", "2023-03-06 05:00:00", "noon"), "volume.csv: row 7, column time", "no time: 'noon'"),
    (line_dropped("volume.csv", 12), "volume.csv: row 12, column time", "one hour after"),
    (replaced("volume.csv", "11,12,13", "21,22,23"), "e_price.csv", "other zones or hours"),
    (line_dropped("s_price.csv", 12), "s_price.csv", "other zones or hours"),
    (short, "demand", "a week of hours is the least"),
    (replaced("weather_central.csv", ",15\n", ",15\n,,,,,,\n"), "weather_central.csv: row 3, column time", "no time"),
    (replaced("weather_central.csv", "20.25", "frost"), "weather_central.csv: row 3, column T", "got 'frost'"),
    (truncated_parquet, "hourly_x.parquet", "cannot be read"),
    (hour_twice, "hourly_x.parquet: row 3", "a second time"),
    (truncated_extract, "streets.osm.pbf", "no readable OSM extract"),
    (filled("streets.osm.pbf", b"not a map"), "streets.osm.pbf", "no readable OSM extract"),
    (filled("kilowatt_ev_data.json", b'{"data": ['), "kilowatt_ev_data.json", "cannot be read"),
    (
        filled("kilowatt_ev_data.json", b'{"data": [{"vehicle_type": "car", "dc_charger": {}}]}'),
        "kilowatt_ev_data.json",
        "0 cars",
    ),
    (
        filled("kilowatt_ev_data.json", b'{"data": [{"vehicle_type": "car", "dc_charger": {"max_power": 9}}]}'),
        "kilowatt_ev_data.json: data[0]",
        "charging_curve",
    ),
]


@pytest.mark.parametrize(("damage", "where", "what"), BROKEN)
def test_a_broken_file_is_one_clear_error(urbanev: Path, damage: Callable[[Path], None], where: str, what: str) -> None:
    damage(urbanev)
    with pytest.raises(BadInput, match=re.escape(what)) as error:
        load_city(urbanev)
    assert error.value.where.endswith(where) or (not where and str(urbanev) == error.value.where)
    assert "\n" not in str(error.value)


BROKEN_STEVCDP = [
    (removed("information.csv"), "", "no city here"),
    (replaced("stations.csv", "114.062", "214.062"), "stations.csv: row 3, column longitude", "between -180 and 180"),
    (replaced("information.csv", "105", "102"), "information.csv: row 3, column grid", "stands there already"),
    (replaced("information.csv", "fast_count", "quick"), "information.csv", "no column 'fast_count'"),
    (removed("time.csv"), "", "time.csv is missing"),
    (replaced("occupancy.csv", "105", "106"), "occupancy.csv: column 106", "no zone of information.csv"),
    (line_dropped("occupancy.csv", 9), "occupancy.csv", "rows, time.csv has"),
    (replaced("time.csv", "3,6,2023,1,0,0", "13,6,2023,1,0,0"), "time.csv", "a time that is none"),
    (replaced("time.csv", "3,6,2023,1,0,0", "3,7,2023,1,0,0"), "time.csv: row 14", "does not follow on"),
    (replaced("price.csv", "105", "106"), "price.csv", "other zones than occupancy.csv"),
]


@pytest.mark.parametrize(("damage", "where", "what"), BROKEN_STEVCDP)
def test_a_broken_st_evcdp_file_too(tmp_path: Path, damage: Callable[[Path], None], where: str, what: str) -> None:
    damage(folders.stevcdp(tmp_path))
    with pytest.raises(BadInput, match=re.escape(what)) as error:
        load_city(tmp_path)
    assert error.value.where.endswith(where)


def test_rows_are_counted_in_the_file_even_where_some_are_left_out(urbanev: Path) -> None:
    rows: list[list[object]] = [[1, 114.06, 22.54, 10, 11, 4, 6, "False"], [2, 914.06, 22.54, 10, 11, 4, 6, "True"]]
    enriched(urbanev, rows)
    with pytest.raises(BadInput, match="row 3, column longitude"):
        read_urbanev(urbanev)


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_without_a_city(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="no city here" if not name else "no such folder"):
        load_city(tmp_path / name)
