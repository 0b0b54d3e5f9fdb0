"""`chargeloop forecast` and `backtest`: the how-to as it stands, and files as users have them."""

import csv
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from chargeloop.cli import main

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to-forecast.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


AHEAD, WEEK, SAVE_AND_LOAD, BACKTEST = blocks("sh")


def words(line: str) -> list[str]:
    return shlex.split(line)[1:]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the how-to's file, to which the command is typed."""
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("py")[0], str(HOW_TO), "exec"), {})
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_how_to_forecasts_and_says_what_it_mended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(AHEAD)) == 0
    said = capsys.readouterr()
    assert said.err == blocks("text")[0]
    assert said.out == "ahead.csv: zones 3, hours 24, origins 1; by method: the model 3\n"
    assert (folder / "ahead.csv").read_text().splitlines()[0] + "\n" == blocks("csv")[0]
    made = rows(folder / "ahead.csv")
    assert [made[0]["origin"], made[0]["time"], made[-1]["time"]] == [
        "2025-04-03 18:00:00",
        "2025-04-03 19:00:00",
        "2025-04-04 18:00:00",
    ]
    assert [row["zone"] for row in made[:3]] == ["centre", "harbour", "new"]
    for row in made:
        assert 0 <= float(row["q0.1"]) <= float(row["q0.5"]) <= float(row["q0.9"])
    assert sorted(path.name for path in folder.iterdir()) == ["ahead.csv", "volume.csv"]


def test_many_origins_see_nothing_that_comes_later(folder: Path) -> None:
    assert main(words(WEEK)) == 0
    made = rows(folder / "week.csv")
    assert len(made) == 7 * 24 * 3
    lines = (folder / "volume.csv").read_text().splitlines()
    poisoned = [line if line < "2025-04-01 01" else re.sub(r",[\d.]+,", ",9999,", line) for line in lines[1:]]
    (folder / "volume.csv").write_text("\n".join([lines[0], *poisoned]))
    assert main(words(WEEK)) == 0
    until = [row for row in made if row["origin"] <= "2025-04-01 00:00:00"]
    assert len(until) == 5 * 24 * 3
    assert rows(folder / "week.csv")[: len(until)] == until


def test_a_model_is_saved_loaded_and_refused_where_it_does_not_fit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save, load = SAVE_AND_LOAD.splitlines()
    assert main(words(save)) == 0
    assert main(words(load)) == 0
    assert main([*words(load), "--origin", "2025-04-01 00:00"]) == 0
    assert rows(folder / "next.csv") == rows(folder / "first.csv")
    capsys.readouterr()
    assert main([*words(load), "--origin", "2025-03-20 00:00"]) == 0
    assert "city.model: has learned from hours up to 2025-04-01 00:00:00, after the origin" in capsys.readouterr().err
    for change, why in (
        (["--time-zone", "UTC"], "--time-zone: the model was fitted in Asia/Shanghai"),
        (["--load", "volume.csv"], "volume.csv: is no saved forecaster"),
        (["--load", "none.model"], "none.model: cannot be read"),
        (["--model", "dev7"], "--load: a loaded model"),
    ):
        assert main([*words(load), *change]) == 2
        assert why in capsys.readouterr().err
    (folder / "volume.csv").write_text((folder / "volume.csv").read_text().replace("harbour", "quay"))
    assert main(words(load)) == 2
    assert "city.model: the model does not know zone 'quay': fit it anew" in capsys.readouterr().err


def test_zones_may_stand_in_another_order_than_the_model_has_them(folder: Path) -> None:
    save, load = SAVE_AND_LOAD.splitlines()
    assert main(words(save)) == 0
    assert main([*words(load), "--origin", "2025-04-01 00:00"]) == 0
    as_it_was = rows(folder / "next.csv")
    table = [line.split(",") for line in (folder / "volume.csv").read_text().splitlines()]
    (folder / "volume.csv").write_text("\n".join(",".join([a, d, c, b]) for a, b, c, d in table))
    assert main([*words(load), "--origin", "2025-04-01 00:00"]) == 0
    assert rows(folder / "next.csv") == as_it_was


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--origin", "soon"], "--origin: expected a time such as"),
        (["--origin", "2025-02-01"], "--origin: the record begins at 2025-03-01 00:00:00"),
        (["--origin", "9999-01-01"], "--origin: the record ends at 2025-04-05 00:00:00"),
        (["--origins", "2025-04-01"], "--origins: expected FROM..TO"),
        (["--origins", "2025-04-02..2025-04-01"], "comes before"),
        (["--origins", "2025-04-01..2025-04-02", "--every", "0h"], "--every: expected hours or days"),
        (["--origins", "2025-04-01..2025-04-02", "--origin", "2025-04-01"], "--origin: give either"),
        (["--horizon", "0"], "--horizon: want 1 to 336 hours, got 0"),
        (["--model", "oracle"], "there is no 'oracle'; there are best, blend"),
        (["--time-zone", "Mars"], "--time-zone: there is no time zone 'Mars'"),
        (["--weather", "none.csv"], "none.csv: cannot be read"),
        (["-o", "nowhere/ahead.csv"], "there is no folder nowhere"),
        (["--save", "nowhere/model"], "there is no folder nowhere"),
    ],
)
def test_wrong_arguments_are_one_line_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], flags: list[str], why: str
) -> None:
    assert main(["forecast", "volume.csv", "-o", "out.csv", *flags]) == 2
    assert why in capsys.readouterr().err.splitlines()[-1]
    assert [path.name for path in folder.iterdir()] == ["volume.csv"]


@pytest.mark.parametrize("model", ["best", "regression", "hour_of_week", "dev7", "last", "day", "week"])
@pytest.mark.parametrize("hours", [1, 2, 25, 170])
def test_a_record_of_a_few_hours_gets_a_forecast_too(folder: Path, model: str, hours: int) -> None:
    lines = (folder / "volume.csv").read_text().splitlines()
    (folder / "short.csv").write_text("\n".join(lines[: hours + 1]))
    assert main(["forecast", "short.csv", "-o", "out.csv", "--model", model, "--horizon", "30"]) == 0
    values = np.array([[float(row[q]) for q in ("q0.1", "q0.5", "q0.9")] for row in rows(folder / "out.csv")])
    assert values.shape == (90, 3)
    assert np.isfinite(values).all()
    assert (values >= 0).all()


def test_times_are_written_as_the_file_writes_them(folder: Path) -> None:
    lines = [f"2025-10-25 {h:02}:00+02:00,{h}" for h in range(24)]
    (folder / "offsets.csv").write_text("time,a\n" + "\n".join(lines))
    command = ["forecast", "offsets.csv", "-o", "out.csv", "--time-zone", "Europe/Berlin", "--horizon", "5"]
    assert main(command) == 0
    assert [row["time"] for row in rows(folder / "out.csv")][1:4] == [  # clocks go back
        "2025-10-26 01:00:00+02:00",
        "2025-10-26 02:00:00+02:00",
        "2025-10-26 02:00:00+01:00",
    ]


def test_a_late_feed_is_told_and_a_half_hour_zone_keeps_its_hours(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["forecast", "volume.csv", "-o", "out.csv", "--time-zone", "Asia/Kolkata", "--origin", "2025-04-05 05:00"]
    assert main(command) == 0
    assert "the record ends 6 h before the last origin" in capsys.readouterr().err
    assert rows(folder / "out.csv")[0]["time"] == "2025-04-05 06:00:00"
    day = [float(row["q0.5"]) for row in rows(folder / "out.csv") if row["zone"] == "centre"]
    assert 13 <= (5 + int(np.argmax(day))) % 24 <= 17  # most at 15 h, local


def test_the_backtest_of_the_how_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words(BACKTEST), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["hours"], found["zones"], found["from"], found["to"]) == (
        280,
        3,
        "2025-03-24 08:00:00",
        "2025-04-05 00:00:00",
    )
    assert list(found["models"]) == ["best", "dev7", "week"]
    best, dev7, week = (found["models"][name]["24"] for name in ("best", "dev7", "week"))
    assert dev7["mae_skill"] == 0
    assert best["mae_skill"] > 0 > week["mae_skill"]
    assert found["metrics"]["mae_skill_h24"] == best["mae_skill"]
    assert {"mae_skill_mean", "median_rae_h1", "pinball", "coverage_80_h24", "coverage_80_worst_zone"} <= set(found["metrics"])
    assert [zone["zone"] for zone in found["by_zone"]] == ["centre", "harbour", "new"]
    assert found["by_zone"][2]["models"]["best"]["24"]["mae"] is None  # nothing came there, so nothing is judged
    assert [each["what"] for each in found["repairs"]][-1] == "zones without any history"
    page = (folder / "judged.html").read_text()
    assert page.count("<svg") == 3
    assert "What each part of the regression adds, zone centre" in page


def test_the_backtest_as_a_table_of_a_span(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    span = ["--from", "2025-03-20", "--to", "2025-03-21", "--models", "day", "--horizons", "3"]
    assert main(["backtest", "volume.csv", *span]) == 0
    said = capsys.readouterr().out
    assert "24 hours from 2025-03-20 00:00:00, 3 zones, 2 of them live" in " ".join(said.split())
    assert "dev7" in said


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--horizons", "0,1"], "--horizons: expected whole hours"),
        (["--horizons", "x"], "--horizons: expected whole hours"),
        (["--models", "oracle"], "--models: there is no 'oracle'"),
        (["--models", "blend"], "days of history"),
        (["--from", "2025-03-01 05:00"], "--from: the record goes from 2025-03-01 00:00:00 to 2025-04-05 00:00:00"),
        (["--from", "2025-04-02", "--to", "2025-04-01"], "asked were 2025-04-02 00:00:00 to 2025-04-01 00:00:00"),
        (["--to", "2026-01-01"], "asked were"),
        (["--refit", "never"], "--refit: expected hours or days"),
        (["--html", "nowhere/page.html"], "there is no folder nowhere"),
    ],
)
def test_a_backtest_with_wrong_arguments(folder: Path, capsys: pytest.CaptureFixture[str], flags: list[str], why: str) -> None:
    assert main(["backtest", "volume.csv", *flags]) == 2
    assert why in capsys.readouterr().err.splitlines()[-1]
