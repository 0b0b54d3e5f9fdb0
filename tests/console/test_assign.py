"""`chargeloop assign`: the tutorial as it stands, and files in which things are wrong."""

import csv
import re
import shlex
from pathlib import Path

import pytest

from chargeloop.city import OwnCity, read_own
from chargeloop.cli import main
from chargeloop.recommendation import TERMS
from tests.city.folders import extract
from tests.small_city import START

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial-assign-your-own-files.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


REQUESTS, STATIONS = blocks("csv")
ASSIGN, _, WITH_OWN_SOLVER = (shlex.split(block)[1:] for block in blocks("sh"))
SAID, REASON, WRONG = blocks("text")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tutorial's files, to which the command is typed."""
    (tmp_path / "requests.csv").write_text(REQUESTS)
    (tmp_path / "stations.csv").write_text(STATIONS)
    (tmp_path / "my_solver.py").write_text(blocks("python")[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tutorial_does_what_it_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ASSIGN) == 0
    assert capsys.readouterr().out == SAID
    ada, bo, cy, di = rows(folder / "assigned.csv")
    assert [row["station_id"] for row in (ada, bo, cy, di)] == ["south", "south", "south", ""]
    assert [cy["current"], ada["alternative_1_station_id"]] == ["AC", "north"]
    assert ada["reason"] + "\n" == REASON
    assert "out of reach" in di["reason"]
    for row in (ada, bo, cy):
        assert sum(float(row[f"term_{name}"]) for name in TERMS) == pytest.approx(float(row["f"]), abs=0.02)


def test_a_solver_of_ones_own_beside_the_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ASSIGN) == 0
    assert main(WITH_OWN_SOLVER) == 0
    ours, nearest = (float(line.rsplit(" ", 1)[1]) for line in capsys.readouterr().out.splitlines())
    assert ours < nearest


def test_every_wrong_cell_of_both_files_is_named_and_nothing_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "requests.csv").write_text(REQUESTS.replace("0.18", "lots"))
    (folder / "stations.csv").write_text(STATIONS.replace("north,114.050,22.545,2", "north,114.050,22.545,-1"))
    assert main(ASSIGN) == 2
    assert capsys.readouterr().err == WRONG
    assert not list(folder.glob("assigned*"))


HEAD_R, HEAD_S = "request_id,lon,lat,soc,", "station_id,lon,lat,bays,kw,"


@pytest.mark.parametrize(
    ("requests", "stations", "said"),
    [
        ("request_id,lon,lat\na,1,2\n", STATIONS, "has no column soc"),
        ("", STATIONS, "has no column request_id"),
        (HEAD_R + "\n", STATIONS, "has no rows"),
        (REQUESTS, HEAD_S + "\n", "stations.csv: has no rows"),
        (HEAD_R + "destination_lon\na,1,2,0.5,114\n", STATIONS, "column destination_lon: and destination_lat go together"),
        (HEAD_R + "depot_station_id\na,1,2,0.5,x\n", STATIONS, "column depot_station_id: there is no station 'x'"),
        (HEAD_R + "current\na,1,2,0.5,tri\n", STATIONS, "row 2, column current: expected one of AC, DC, got 'tri'"),
        (HEAD_R + "target_soc\na,1,2,0.5,0.4\n", STATIONS, "row 2, column target_soc: lies below soc"),
        (HEAD_R + "depart_by\na,1,2,0.5,18:00\n", STATIONS, "row 2, column depart_by: expected an ISO time"),
        (HEAD_R + "depart_by\na,1,2,0.5,2026-05-04T20:00\n", STATIONS, "column depart_by: say the offset"),
        (HEAD_R + "depart_by\na,1,2,0.5,2020-05-04T20:00Z\n", STATIONS, "column depart_by: is not after"),
        (HEAD_R + "\na,1,2,0.5\n\na,1,2,0.5\n", STATIONS, "row 4, column request_id: 'a' stands in row 2 already"),
        (HEAD_R + "\n,1,2,0.5\n", STATIONS, "row 2, column request_id: is empty"),
        (HEAD_R + "\na,1,2,0.5,6,7\n", STATIONS, "row 2: more cells than columns"),
        (HEAD_R + "\na,1,2,\n", STATIONS, "row 2, column soc: is empty"),
        (REQUESTS, HEAD_S + "\ns,1,2,1.5,50\n", "row 2, column bays: expected a whole number, got 1.5"),
        (REQUESTS, HEAD_S + "free_bays\ns,1,2,2,50,3\n", "row 2, column free_bays: expected a number from 0 to 2, got '3'"),
        (REQUESTS, HEAD_S + "\ns,1,2,2,50\ns,1,2,2,50\n", "row 3, column station_id: 's, DC' stands in row 2 already"),
        (REQUESTS, HEAD_S + "\ns,1,2,2,50\ns,1,3,2,7\n", "row 3, column station_id: 's' has another place"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(
    folder: Path, requests: str, stations: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "requests.csv").write_text(requests)
    (folder / "stations.csv").write_text(stations)
    assert main(ASSIGN) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "assigned.csv").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--solver", "magic"], "no solver 'magic'"),
        (["--now", "noon"], "--now"),
        (["--now", "2026-05-04T18:00"], "offset"),
        (["--time-zone", "Mars/Base"], "Mars/Base"),
        (["--candidates", "0"], "--candidates"),
        (["-o", "no-such-folder/out.csv"], "no-such-folder"),
        (["--roads", "no.osm.pbf"], "no.osm.pbf"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_said(
    folder: Path, flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ASSIGN, *flags]) == 2
    assert said in capsys.readouterr().err


def test_columns_that_are_not_there_have_defaults(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "requests.csv").write_text("\ufeffrequest_id, lon, lat, soc, colour\na, 114.05, 22.54, 0.2, red\n")
    (folder / "stations.csv").write_text("station_id,lon,lat,bays,kw\ns,114.05,22.55,2,50\nt,114.05,22.55,1,7\n")
    own: OwnCity = read_own(folder / "requests.csv", folder / "stations.csv", START, "Asia/Shanghai")
    assert own.passed_over == ("colour",)
    assert own.requests[0].current == "DC"
    assert own.requests[0].battery_kwh == 60
    assert own.layout.pool_is_dc.tolist() == [True, False]
    assert (own.bay_free_s == START.timestamp()).all()
    assert main(ASSIGN) == 0
    assert "not used: colour" in capsys.readouterr().err


def test_where_to_and_a_depot_are_columns(folder: Path) -> None:
    (folder / "requests.csv").write_text(
        "request_id,lon,lat,soc,tier,destination_lon,destination_lat,depot_station_id\n"
        "to,114.05,22.54,0.4,private,114.20,22.54,\nbus,114.05,22.54,0.4,bus,,,far\nhome,114.05,22.54,0.4,private,,,\n"
    )
    (folder / "stations.csv").write_text("station_id,lon,lat,bays,kw\nnear,114.03,22.54,2,60\nfar,114.20,22.54,2,60\n")
    own = read_own(folder / "requests.csv", folder / "stations.csv", START, "Asia/Shanghai")
    assert [request.destination and request.destination.lon for request in own.requests] == [114.2, None, None]
    assert [request.depot_station_id for request in own.requests] == [None, "far", None]
    assert main(ASSIGN) == 0
    to, bus, home = rows(folder / "assigned.csv")
    assert [row["station_id"] for row in (to, bus, home)] == ["far", "far", "near"]
    assert [float(row["term_drive"]) for row in (to, bus)] == [0, 0]


def test_roads_of_an_extract_are_driven_on(folder: Path) -> None:
    """A one-way ring: the station is one corner back, so three sides of a kilometre each away."""
    extract(folder / "ring.osm.pbf")
    (folder / "requests.csv").write_text("request_id,lon,lat,soc\na,114.07,22.55,0.3\n")
    (folder / "stations.csv").write_text("station_id,lon,lat,bays,kw\ns,114.07,22.54,2,50\n")
    assert main([*ASSIGN, "--roads", "ring.osm.pbf"]) == 0
    assert float(rows(folder / "assigned.csv")[0]["drive_km"]) == pytest.approx(3.17, abs=0.1)
