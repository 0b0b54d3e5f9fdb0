"""`chargeloop schedule`: the how-to as it stands, files in which things are wrong, and sites of several kinds."""

import csv
import re
import shlex
from pathlib import Path

import pytest

from chargeloop.cli import main

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to-schedule.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


SESSIONS, SUN = blocks("csv")
(SITE,) = blocks("toml")
SCHEDULE = shlex.split(blocks("sh")[0])[1:]
SAID, WRONG = blocks("text")
PLAIN = ["schedule", "sessions.csv", "site.toml", "-o", "planned.csv"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the how-to's files, to which the command is typed."""
    (tmp_path / "sessions.csv").write_text(SESSIONS)
    (tmp_path / "site.toml").write_text(SITE)
    (tmp_path / "pv.csv").write_text(SUN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def at(planned: list[dict[str, str]], time: str) -> dict[str, float]:
    """Net kW of everybody who is there in the step that begins then."""
    return {row["session_id"]: float(row["charge_kw"]) - float(row["discharge_kw"]) for row in planned if time in row["from"]}


def test_the_how_to_does_what_it_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SCHEDULE) == 0
    assert capsys.readouterr().out == SAID
    planned = rows(folder / "planned.csv")
    ends = {row["session_id"]: float(row["energy_kwh"]) for row in planned}  # the last row of each
    assert ends == pytest.approx({"ada": 32, "bo": 11, "cy": 15, "di": 48.3, "ed": 30, "battery": 0}, abs=0.06)
    evening = at(planned, "05-04T18:45")
    assert sum(evening.values()) + 25 - 6 == pytest.approx(45, abs=0.01)  # the connection is full: with base load, less PV
    assert evening["cy"] < -7 + 0.01
    assert at(planned, "05-05T00:00")["battery"] > at(planned, "05-04T18:45")["battery"]
    least = 6 * 0.23 * 3
    ada = [float(row["charge_kw"]) for row in planned if row["session_id"] == "ada"]
    assert all(kw == 0 or kw > least - 0.001 for kw in ada)
    page = (folder / "planned.html").read_text(encoding="utf-8")
    for told in (
        "Left short",
        "connection is full",
        "connection: load",
        "garage: load",
        "Price at connection",
        "PV",
        "Storage",
        "ada",
    ):
        assert told in page
    assert page.count("<svg") == 5
    assert "http" not in page  # nothing is loaded from elsewhere


def test_every_wrong_cell_is_named_and_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = re.sub(r"^ada,garage-1,[^,]*", "ada,garage-1,soon", SESSIONS, flags=re.MULTILINE).replace("garage-2", "garage-9")
    (folder / "sessions.csv").write_text(text)
    assert main(SCHEDULE) == 2
    assert capsys.readouterr().err == WRONG
    assert not (folder / "planned.csv").exists()
    assert not (folder / "planned.html").exists()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("x,,2026-05-04T18:00Z,2026-05-04T17:00Z,5,,7,,,,", "column departure: is not after arrival"),
        ("x,,2026-05-04T18:00,2026-05-04T19:00Z,5,,7,,,,", "column arrival: say the offset from UTC too"),
        (
            "x,,2026-05-04T18:00Z,2026-05-04T19:00Z,,,7,,,,",
            "column energy_kwh: is empty; give it, or battery_kwh, soc and target_soc",
        ),
        ("x,,2026-05-04T18:00Z,2026-05-04T19:00Z,5,,,,,,", "column max_kw: is empty"),
        ("x,,2026-05-04T18:00Z,2026-05-04T19:00Z,5,6,7,,,,", "column min_energy_kwh: is more than is asked for, 6 > 5"),
        (
            "x,,2026-05-04T18:00Z,2026-05-04T19:00Z,5,,7,7,,,",
            "column discharge_kw: what gives energy back needs battery_kwh and soc",
        ),
        (
            "x,,2026-05-04T18:00Z,2026-05-04T19:00Z,50,,7,7,60,0.5,",
            "column energy_kwh: 50 kWh do not fit into a battery of 60 kWh",
        ),
        ("ada,,2026-05-04T18:00Z,2026-05-04T19:00Z,5,,7,,,,", "column session_id: 'ada' stands in row 2 already"),
        ("x,,2026-05-04T18:00Z,2026-06-04T19:00Z,5,,7,,,,", "1000 at most; make step_min larger or split the file"),
    ],
)
def test_a_row_that_cannot_be(folder: Path, capsys: pytest.CaptureFixture[str], row: str, told: str) -> None:
    (folder / "sessions.csv").write_text(f"{SESSIONS}{row}\n")
    assert main(PLAIN) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('parent = "connection"', 'parent = "street"', "circuits[1] 'garage': parent must name a circuit above it: connection"),
        ("limit_a = 32", "", "circuits[1] 'garage': needs limit_kw, limit_a or both"),
        ("limit_a = 32", "limit_amps = 32", "limit_amps"),
        ('"Asia/Shanghai"', '"Asia/Atlantis"', "time_zone: there is no time zone 'Asia/Atlantis'"),
        ('"17:00" = 45', '"5 pm" = 45', "'connection': limit_kw: expected times of day such as \"07:30\""),
        ('"pv.csv"', '"roof.csv"', "roof.csv: cannot be read"),
        ("sell_per_kwh = 0.25", "sell_per_kwh = 0.5", "circuits: sell_per_kwh: must not exceed buy_per_kwh"),
        ('name = "battery"', 'name = "yard-1"', "storage: 'yard-1' is there twice"),
        ("phases = 0\n", 'circuit = "roof"\n', "chargers 'yard-1': circuit must be one of connection, garage"),
    ],
)
def test_a_site_that_cannot_be(folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str) -> None:
    assert old in SITE
    (folder / "site.toml").write_text(SITE.replace(old, new))
    assert main(PLAIN) == 2
    assert told in capsys.readouterr().err


def test_a_series_must_cover_the_begin_and_go_forward(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, *lines = SUN.splitlines()
    (folder / "pv.csv").write_text("\n".join([head, *lines[2:]]))
    assert main(PLAIN) == 2
    assert "pv.csv begins at 2026-05-04T10:00:00+00:00, after the plan does" in capsys.readouterr().err
    (folder / "pv.csv").write_text("\n".join([head, lines[1], lines[0]]))
    assert main(PLAIN) == 2
    assert "pv.csv: row 3, column time: is not after the row above" in capsys.readouterr().err


def test_both_solvers_come_to_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "site.toml").write_text(
        SITE.replace("phases = 1\nfirst_phase = 2", "phases = 0").replace("[[chargers]]", "[[chargers]]\nmin_a = 0")
    )
    (folder / "site.toml").write_text(re.sub("min_a = 0\nmax_kw = 60", "max_kw = 60", (folder / "site.toml").read_text()))
    assert main([*PLAIN, "--solver", "exact"]) == 0
    assert main([*PLAIN, "--solver", "prices"]) == 0
    exact, prices = re.findall(r"CNY ([\d.]+), peak", capsys.readouterr().out)
    assert float(prices) == pytest.approx(float(exact), rel=0.01)


def test_the_price_iteration_says_what_it_cannot(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PLAIN, "--solver", "prices"]) == 2
    assert "prices knows no single phases and no least powers" in capsys.readouterr().err


def test_a_full_phase_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sessions.csv").write_text(
        "session_id,arrival,departure,energy_kwh,max_kw,phase,circuit\n"
        "ada,2026-05-04T18:00+08:00,2026-05-04T20:00+08:00,10,7.4,1,garage\n"
        "bo,2026-05-04T18:00+08:00,2026-05-04T20:00+08:00,12,7.4,1,garage\n"
        "cy,2026-05-04T18:00+08:00,2026-05-04T20:00+08:00,10,7.4,2,garage\n"
    )
    assert main(PLAIN) == 0
    said = capsys.readouterr().out
    assert "phase 1 of garage is full, 04 May 18:00 to 20:00" in said
    assert "1 of 3 sessions get all" in said or "2 of 3 sessions get all" in said
    assert "cy:" not in said


def test_the_file_of_a_site_controller_will_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "site.toml").write_text(
        'name = "depot"\nblind_kw = 5\n[upstream]\nurl = "ws://127.0.0.1/"\n'
        '[[circuits]]\nname = "grid"\nlimit_kw = 20\nbase_kw = 25\n[[chargers]]\nid = "yard-1"\nmin_a = 0\n'
    )
    (folder / "sessions.csv").write_text(
        "session_id,charger,arrival,departure,energy_kwh,colour\nada,yard-1,2026-05-04T10:00Z,2026-05-04T12:00Z,10,red\n"
    )
    assert main(PLAIN) == 0
    said = capsys.readouterr()
    assert "columns that are not used: colour" in said.err
    assert "grid: its base load alone is up to 5.0 kW over the limit, 04 May 10:00 to 12:00" in said.out
    assert "ada: 10.0 of 10.0 kWh short: grid is full, 04 May 10:00 to 12:00" in said.out


def test_a_plan_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedule", "sessions.csv", "site.toml", "-o", "nowhere/planned.csv"]) == 2
    assert "there is no folder nowhere" in capsys.readouterr().err
    assert main([*PLAIN, "--budget-s", "0"]) == 2
