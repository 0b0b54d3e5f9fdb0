"""Back to a moment of a simulated day: the same until then, and what is changed makes the difference."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chargeloop.cli import main
from chargeloop.guidance import Guide
from chargeloop.model import BadInput, City, Layout
from chargeloop.simulation import (
    Branch,
    Difference,
    Drivers,
    Ending,
    Figures,
    Outage,
    Replay,
    Scenario,
    Surge,
    default_day,
    draw_drivers,
    figures,
    simulate,
    with_surges,
)


@pytest.fixture(scope="module")
def replay(small_city: City, small_layout: Layout) -> Replay:
    """A saturated day of the small city, from 17:00."""
    guide = Guide.of(small_city, small_layout)
    return Replay(small_city, small_layout, guide, default_day(small_city), 1.5, 1, 17.0, 21.0, "nearest")


def lived(ending: Ending) -> tuple[list[float], list[float]]:
    cars = ending.twin.state.cars[ending.usual]
    return cars["start_s"].tolist(), cars["end_s"].tolist()


def test_the_same_policy_is_the_same_day_whatever_the_moment(replay: Replay, small_city: City) -> None:
    plain = Branch("plain", "nearest", {})
    early, late = replay, replace(replay, from_h=20.0)
    (one,), (other,) = early.run([plain]), late.run([plain])
    assert repr(lived(one)) == repr(lived(other))
    uninterrupted = simulate(small_city, ["nearest"], 1, 1.5, 1, start=replay.start)["nearest"]
    in_day = one.twin.state.cars["start_s"] < replay.start.timestamp() + 24 * 3600
    assert int(in_day.sum()) == uninterrupted.served


def test_until_the_moment_every_branch_is_the_same_and_then_they_part(replay: Replay) -> None:
    branches = [Branch(name, name, {}) for name in ("nearest", "commit", "priced", "cheapest", "loop")]
    endings = replay.run(branches)
    moment_s = replay.start.timestamp() + replay.from_h * 3600
    before = {repr([s for s in lived(ending)[0] if s < moment_s]) for ending in endings}
    assert len(before) == 1
    assert len({repr(lived(ending)) for ending in endings}) == len(branches)
    found = {each.name: each for each in figures(replay, endings)}
    assert found["nearest"].against is None
    gained = found["commit"].against
    assert isinstance(gained, Difference)
    assert gained.mean_min == pytest.approx(found["commit"].minutes - found["nearest"].minutes)
    assert gained.half_min > 0
    assert found["commit"].minutes < found["nearest"].minutes
    assert [each.name for each in figures(replay, replay.run(branches[:2]))] == ["nearest", "commit"]
    assert figures(replay, replay.run(branches[3:])) == [
        replace(found["cheapest"], against=None),
        figures(replay, endings[3:])[1],
    ]


def test_other_weights_of_the_loop_make_another_evening(replay: Replay) -> None:
    day = replace(replay, before="commit", until_h=18.5)
    one, same, other = day.run(
        [Branch("loop", "loop", {}), Branch("again", "loop", {}), Branch("money", "loop", {"amount": "x20"})]
    )
    assert repr(lived(one)) == repr(lived(same))
    first, _, money = figures(day, [one, same, other])
    assert isinstance(first, Figures)
    assert money.drive_min > first.drive_min  # for a cheaper charge


def test_an_outage_and_an_event_come_on_top_of_the_same_drivers(replay: Replay) -> None:
    trouble = Scenario(outages=(Outage("S2", 18, 20),), surges=(Surge("Z1", 18, 19, 4.0),))
    day = replace(replay, scenario=trouble)
    calm, hit = day.run([Branch("as it was", "nearest", {}, as_planned=True), Branch("hit", "nearest", {})])
    cars = hit.twin.state.cars
    begin_s, end_s = (day.start.timestamp() + hour * 3600 for hour in (18, 20))
    at_station = day.layout.evse_station[np.maximum(cars["evse"], 0)] == day.layout.station_index["S2"]
    began = (cars["evse"] >= 0) & at_station & (cars["start_s"] > begin_s) & (cars["start_s"] < end_s)
    assert not began.any()
    names = ("appear_s", "soc", "target", "battery_kwh")
    assert all((hit.twin.drivers[hit.usual].__getattribute__(n) == getattr(calm.twin.drivers, n)).all() for n in names)
    first, second = figures(day, [calm, hit])
    assert (first.crowd, first.crowd_minutes) == (0, None)
    assert second.crowd > 3
    assert second.drivers == first.drivers
    assert second.minutes > first.minutes


def test_an_event_brings_as_many_more_as_it_says(small_city: City, small_layout: Layout, replay: Replay) -> None:
    usual = draw_drivers(small_city, small_layout, replay.start, 24, 2.0, np.random.default_rng(1))
    surge = Surge("Z1", 10, 20, 3.0)

    def crowd(seed: int) -> int:
        drivers, rows = with_surges(small_city, small_layout, usual, 2.0, [surge], seed)
        assert isinstance(drivers, Drivers)
        assert (np.diff(drivers.appear_s) >= 0).all()
        assert (drivers.appear_s[rows] == usual.appear_s).all()
        return len(drivers) - len(usual)

    def expected(seed: int, times: float) -> int:
        event = Scenario(surges=(replace(surge, extra=times),))
        return len(draw_drivers(small_city, small_layout, replay.start, 24, 2.0, np.random.default_rng(seed), scenario=event))

    more = np.mean([expected(seed, 3.0) - expected(seed + 100, 0.0) for seed in range(20)])
    assert np.mean([crowd(seed) for seed in range(20)]) == pytest.approx(more, rel=0.2)


def test_what_makes_no_sense_is_named(replay: Replay) -> None:
    with pytest.raises(BadInput, match="hours of one day"):
        replace(replay, from_h=22.0)
    with pytest.raises(BadInput, match="begin at --from or later"):
        replace(replay, scenario=Scenario(outages=(Outage("S1", 16, 18),)))
    with pytest.raises(BadInput, match="no zone 'Z9'"):
        replace(replay, scenario=Scenario(surges=(Surge("Z9", 18, 19, 1.0),))).run([Branch("x", "nearest", {})])


DAY = ["replay", "--from", "17:30", "--until", "18:30", "--step-s", "300", "--policy", "nearest,commit"]


def test_the_command_compares_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "report.html"
    assert main([*DAY, "--outage", "S1001:18-19", "--surge", "Z01:18-18x2", "--json"]) == 2
    assert "end after it begins" in capsys.readouterr().err
    assert main([*DAY, "--outage", "S1001:18-19", "--html", str(page), "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in said["branches"]] == ["as it was", "nearest", "commit"]
    assert said["before"] == "nearest"
    assert said["branches"][2]["against"]["half_min"] > 0
    html = page.read_text(encoding="utf-8")
    assert html.count("<polyline") == 3
    assert "http" not in html.replace("http-equiv", "")
    assert main(DAY) == 0
    table = capsys.readouterr().out
    assert "min against nearest" in table


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what to go back to"),
        (["--from", "17:00", "--list"], "say what to go back to"),
        (["--from", "25:00"], "--from: want a time of day"),
        (["--from", "17:00", "--policy", "farthest"], "no policy 'farthest'"),
        (["--from", "17:00", "--policy", ""], "no policy ''"),
        (["--from", "17:00", "--outage", "S1001"], "--outage: want STATION:FROM-TO"),
        (["--from", "17:00", "--outage", "S9:18-19"], "no station 'S9'"),
        (["--from", "17:00", "--surge", "Z1:18-20"], "--surge: want ZONE:FROM-TOxTIMES"),
        (["--from", "17:00", "--surge", "Z999:18-20x2"], "no zone 'Z999'"),
        (["--from", "17:00", "--solver", "greedy"], "--solver: goes with --decision"),
        (["--from", "17:00", "--weights", "beauty=1"], "no such weight"),
        (["--from", "17:00", "--weights-file", "none.toml"], "none.toml"),
        (["--from", "17:00", "--html", "/no/such/folder/x.html"], "no folder"),
        (["--from", "17:00", "--step-s", "7"], "must divide the hour"),
    ],
)
def test_the_command_names_bad_input(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
