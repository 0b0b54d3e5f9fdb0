"""Policies side by side, the figures of a run, and `chargeloop simulate`."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chargeloop.cli import main
from chargeloop.guidance import Guide
from chargeloop.model import BadInput, City, Command, Event, Layout
from chargeloop.pricing import quote
from chargeloop.simulation import Controller, Kpis, default_day, offline_loop, simulate
from tests.simulation.conftest import MakeTwin
from tests.small_city import START

MIDNIGHT = START.replace(hour=16, minute=0)  # in Shanghai


@pytest.fixture(scope="module")
def saturated(small_city: City) -> dict[str, Kpis]:
    return simulate(small_city, ["nearest", "cheapest", "shortest-wait"], 1, 1.5, 1, start=MIDNIGHT)


def test_all_policies_meet_the_same_drivers(saturated: dict[str, Kpis]) -> None:
    assert len({kpis.requests for kpis in saturated.values()}) == 1
    assert len({kpis.level for kpis in saturated.values()}) == 1
    assert saturated["nearest"].drive_min != saturated["shortest-wait"].drive_min


def test_each_policy_is_good_at_what_it_aims_for(small_city: City) -> None:
    runs = [simulate(small_city, ["nearest", "cheapest", "shortest-wait"], 2, 1.3, seed) for seed in range(4)]

    def mean(policy: str, name: str) -> float:
        return float(np.mean([getattr(run[policy], name) for run in runs]))

    minutes = {policy: mean(policy, "drive_min") + mean(policy, "wait_min") for policy in runs[0]}
    assert minutes["shortest-wait"] < minutes["nearest"] < minutes["cheapest"]
    assert mean("cheapest", "cost_cny") / mean("cheapest", "energy_kwh") < mean("nearest", "cost_cny") / mean(
        "nearest", "energy_kwh"
    )


def test_a_seed_fixes_everything_but_the_machine(small_city: City, saturated: dict[str, Kpis]) -> None:
    again = simulate(small_city, ["nearest"], 1, 1.5, 1, start=MIDNIGHT)["nearest"]
    assert replace(again, cpu_s=0.0) == replace(saturated["nearest"], cpu_s=0.0)


def test_a_controller_of_your_own_is_asked_every_step(small_city: City) -> None:
    class Silent:
        def __init__(self, layout: Layout, guide: Guide, start: datetime) -> None:
            self.asked: list[datetime] = []
            made.append(self)

        def step(self, events: Iterable[Event], now: datetime) -> list[Command]:
            self.asked.append(now)
            return []

    made: list[Silent] = []
    own: dict[str, Callable[[Layout, Guide, datetime], Controller]] = {"mine": Silent}
    kpis = simulate(small_city, ["mine"], 1, 1.0, 1, start=MIDNIGHT, controllers=own)["mine"]
    assert len(made[0].asked) == 24 * 60
    assert kpis.answer_min == pytest.approx(3.0)  # nobody was answered


def test_the_shipped_loop_can_be_given_other_stages(small_city: City) -> None:
    def greedy(layout: Layout, guide: Guide, at: datetime) -> Controller:
        return offline_loop(small_city, layout, guide, at, 1.0, solver="greedy")

    runs = simulate(small_city, ["nearest", "loop", "greedy"], 1 / 4, 1.0, 3, start=START, controllers={"greedy": greedy})
    assert runs["greedy"].served_share >= runs["nearest"].served_share
    assert runs["greedy"].requests == runs["loop"].requests


def test_figures_counted_by_hand(make_twin: MakeTwin, small_city: City, small_layout: Layout) -> None:
    twin = make_twin("nearest", faults_per_day=0.0)
    load, slices = [], []
    for _ in range(300):
        before = twin.meter_wh.sum()
        twin.step()
        slices.append((twin.meter_wh.sum() - before) / 1000)
        load.append(twin.power_kw.sum())
    kpis, cars = twin.kpis(), twin.state.cars
    waits, costs, busy = [], [], np.zeros(len(small_layout.evse_ids))
    tariffs = {t.tariff_id: t for t in small_city.tariffs}
    for car in cars:
        if car["evse"] >= 0:
            waits.append((car["start_s"] - car["arrive_s"]) / 60)
            busy[car["evse"]] += (car["end_s"] if car["end_s"] > 0 else twin.now_s) - car["start_s"]
            until = np.fmin(car["charged_s"], car["end_s"])
            if until > 0:
                station = small_city.stations[small_layout.evse_station[car["evse"]]]
                start = datetime.fromtimestamp(car["start_s"], UTC)
                minutes = (until - car["start_s"]) / 60
                costs.append(float(quote(tariffs[station.tariff_id], start, minutes, float(car["kwh"])).amount))
        elif car["end_s"] > 0:
            waits.append((car["end_s"] - car["arrive_s"]) / 60)
    assert kpis.wait_min == pytest.approx(np.mean(waits))
    assert kpis.wait_p95_min == pytest.approx(np.quantile(waits, 0.95))
    assert kpis.cost_cny == pytest.approx(np.mean(costs), abs=0.011)
    assert kpis.utilisation == pytest.approx(np.mean(busy) / (300 * 60))
    assert kpis.utilisation_evening == pytest.approx(kpis.utilisation)  # 17:30 to 22:30 lies in the evening
    stations = np.bincount(small_layout.evse_station, busy) / np.bincount(small_layout.evse_station)
    assert kpis.jain == pytest.approx(np.mean(stations) ** 2 / np.mean(stations**2))
    assert kpis.energy_kwh == pytest.approx(sum(slices))
    assert kpis.kg_co2 == pytest.approx(0.5 * sum(slices))
    assert kpis.peak_load_kw >= max(load)
    assert kpis.evse_steps == 300 * len(small_layout.evse_ids)
    assert set(kpis.tier_wait_p95_min) == {"private", "taxi", "logistics"}


def test_the_default_day_is_a_working_day_in_the_data(small_city: City) -> None:
    day = default_day(small_city)
    assert small_city.demand.start < day < START
    assert day.astimezone(UTC).hour == 16
    assert (day.weekday() + 1) % 7 < 5  # it is the next day in Shanghai


def test_bad_arguments_are_named(small_city: City) -> None:
    with pytest.raises(BadInput, match="no policy 'farthest'; there are: nearest"):
        simulate(small_city, ["farthest"])
    with pytest.raises(BadInput, match="at least an hour"):
        simulate(small_city, ["nearest"], days=0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--city", "no-such-folder"], "no-such-folder: there is no such folder"),
        (["--policy", "nearest,farthest"], "no policy 'farthest'"),
        (["--level", "-1"], "--level: expected a number above 0"),
        (["--start", "yesterday"], "--start: expected an ISO time"),
        (["--start", "2022-11-15"], "say the offset from UTC"),
        (["--days", "0"], "at least an hour"),
        (["--step-s", "7"], "must divide the hour"),
        (["--policy", ","], "name at least one policy"),
    ],
)
def test_the_command_names_bad_input(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_the_command_prints_one_json_object_or_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["simulate", "--policy", "nearest,shortest-wait", "--step-s", "300", "--seed", "2"]
    assert main([*command, "--json"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    result: dict[str, Any] = json.loads(printed)
    assert list(result["policies"]) == ["nearest", "shortest-wait"]
    assert set(asdict(_empty())) <= set(result["policies"]["nearest"])
    assert main([*command, "--level", "measured"]) == 0
    table = capsys.readouterr().out
    assert "wait p95, min" in table
    assert "shortest-wait" in table


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "--help"])
    assert "example: chargeloop simulate" in capsys.readouterr().out


def test_the_real_city(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["simulate", "--city", str(shared_data), "--policy", "nearest,shortest-wait", "--step-s", "300", "--json"]
    assert main([*command, "--level", "1.0"]) == 0
    full = json.loads(capsys.readouterr().out)["policies"]
    nearest, shortest = full["nearest"], full["shortest-wait"]
    assert nearest["level"] == pytest.approx(1.0, abs=0.03)
    assert nearest["wait_min"] > 8  # it begins to saturate
    assert shortest["wait_min"] < 0.8 * nearest["wait_min"]
    assert shortest["served_share"] > nearest["served_share"] + 0.03
    assert main([*command, "--level", "measured"]) == 0
    measured = json.loads(capsys.readouterr().out)["policies"]
    assert 0.3 < measured["nearest"]["level"] < 0.5
    assert measured["shortest-wait"]["wait_min"] < 0.5
    assert measured["nearest"]["wait_min"] < 3


def _empty() -> Kpis:
    return Kpis(**dict.fromkeys(Kpis.__dataclass_fields__, 0))  # type: ignore[arg-type]
