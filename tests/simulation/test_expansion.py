"""More bays: at the places where they are short, and worth it in the twin."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from chargeloop.city import builtin_city
from chargeloop.cli import main
from chargeloop.model import BadInput, City, Layout
from chargeloop.prediction import forecast_city
from chargeloop.simulation import Check, Expansion, Site, default_day, minutes_lost, with_more_bays
from tests.simulation.conftest import MakeTwin


@pytest.fixture(scope="module")
def crowded() -> Expansion:
    city = builtin_city()
    start = default_day(city) + timedelta(hours=9)
    return Expansion(city, forecast_city(city, start, 4), start, 4, level=1.6, seed=1)


def test_bays_go_where_they_save_and_save_there(crowded: Expansion) -> None:
    sites = crowded.best(30)
    assert sum(site.bays for site in sites) == 30
    assert [site.saves_min for site in sites] == sorted((site.saves_min for site in sites), reverse=True)
    check = crowded.check(sites, 0)
    assert isinstance(check, Check)
    saved, at_random = check.as_it_is - check.with_best, check.as_it_is - check.with_random
    assert saved > 0.03 * check.as_it_is
    assert saved > 3 * at_random


def test_a_bay_is_built_like_its_neighbours_with_power_of_its_own(small_city: City) -> None:
    station = small_city.stations[0]
    last = station.evses[-1]
    grown = with_more_bays(small_city, [Site(station.station_id, last.current == "DC", 3, 0.0)])
    there = grown.stations[0].evses
    assert there[: len(station.evses)] == station.evses
    assert [each.power_kw for each in there[len(station.evses) :]] == [last.power_kw] * 3
    assert len(set(Layout.of(grown).evse_ids)) == len(Layout.of(small_city).evse_ids) + 3
    before, after = (sum(each.limit_kw for each in city.circuits) for city in (small_city, grown))
    assert after - before == pytest.approx(3 * last.power_kw)


def test_minutes_lost_are_those_of_the_figures(make_twin: MakeTwin) -> None:
    twin = make_twin("commit", faults_per_day=0.0)
    for _ in range(10 * 60):
        twin.step()
    lost, wait = minutes_lost(twin.state.cars)
    kpis = twin.kpis()
    assert kpis.open == 0
    assert wait.mean() == pytest.approx(kpis.wait_min)
    assert lost.mean() == pytest.approx(kpis.drive_min + kpis.wait_min + 60 * (1 - kpis.served_share))


def test_the_command_prints_sites_and_writes_a_map_layer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layer = tmp_path / "plan.geojson"
    assert main(["plan", "--bays", "10", "--level", "1.2", "--days", "0", "-o", str(layer)]) == 0
    assert "10 more bays" in capsys.readouterr().out
    features = json.loads(layer.read_text(encoding="utf-8"))["features"]
    assert sum(each["properties"]["bays"] for each in features) == 10
    assert [each["properties"]["rank"] for each in features] == list(range(1, len(features) + 1))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bays", "0"], "at least one"),
        (["--bays", "5", "--days", "-1"], "must not be negative"),
        (["--bays", "5", "-o", "plan.png"], "geojson"),
    ],
)
def test_the_command_names_bad_input(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *arguments]) != 0
    assert said in capsys.readouterr().err


def test_no_bays_are_no_plan(crowded: Expansion) -> None:
    with pytest.raises(BadInput, match="bays"):
        crowded.best(0)
