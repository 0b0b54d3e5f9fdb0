"""The loop is a loop: replace any one stage by a constant, and a figure or a command changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from chargeloop.guidance import Guide
from chargeloop.loop import OfflineLoop, Stages, Tally, stages_of
from chargeloop.model import City, Command, GuideDriver, Layout, SetChargingProfile
from chargeloop.perception import Perception
from chargeloop.simulation import Kpis, Nightly, Twin, draw_drivers
from tests.small_city import START

MINUTES = 180


@dataclass(frozen=True)
class Run:
    kpis: Kpis
    tally: Tally
    commands: tuple[Command, ...]

    def guides(self) -> list[tuple[str, str | None, float]]:
        return [(c.request_id, c.station_id, c.drive_s) for c in self.commands if isinstance(c, GuideDriver)]

    def limits(self) -> list[float]:
        return [c.limits_kw[0] for c in self.commands if isinstance(c, SetChargingProfile)]


@pytest.fixture(scope="module")
def run(small_city: City, small_layout: Layout) -> Callable[[Callable[[Stages], Stages]], Run]:
    guide = Guide.of(small_city, small_layout)
    drivers = draw_drivers(small_city, small_layout, START, 4, 1.6, np.random.default_rng(11))

    def play(change: Callable[[Stages], Stages]) -> Run:
        twin = Twin(small_city, small_layout, guide, drivers, START, 60, "external", np.random.default_rng(12))
        stages = change(stages_of(small_city, small_layout, guide, routes=False))
        loop = OfflineLoop(small_city, small_layout, guide, START, stages=stages)
        commands: list[Command] = []
        for _ in range(MINUTES):
            for command in loop.step(twin.step(), twin.now):
                twin.apply(command)
                commands.append(command)
        return Run(twin.kpis(), loop.tally, tuple(commands))

    return play


@pytest.fixture(scope="module")
def usual(run: Callable[[Callable[[Stages], Stages]], Run]) -> Run:
    return run(lambda stages: stages)


Player = Callable[[Callable[[Stages], Stages]], Run]


def test_the_usual_run_is_alive_and_the_same_again(run: Player, usual: Run) -> None:
    assert usual.kpis.served > 30
    assert usual.tally.sessions > 10
    assert usual.tally.amount > 0
    assert usual.tally.saved_min > 0
    assert run(lambda stages: stages).commands == usual.commands


def test_perceive_an_empty_city_for_ever_and_drivers_are_sent_elsewhere(
    run: Player, usual: Run, small_city: City, small_layout: Layout
) -> None:
    def blind(stages: Stages) -> Stages:
        empty = Perception(small_city, small_layout)

        def perceive(perception: Perception, now: object) -> object:
            seen = perception.snapshot(now)  # type: ignore[arg-type]
            nothing = empty.snapshot(now)  # type: ignore[arg-type]
            return replace(nothing, undecided=seen.undecided)

        return replace(stages, perceive=perceive)  # type: ignore[arg-type]

    changed = run(blind)
    assert changed.kpis.wait_min > usual.kpis.wait_min
    assert changed.limits() == []


def test_predict_a_flood_and_choices_change(run: Player, usual: Run) -> None:
    def flood(stages: Stages) -> Stages:
        def predict(world: object) -> object:
            forecast = stages.predict(world)  # type: ignore[arg-type]
            return replace(forecast, q50=np.full_like(forecast.q50, 5000.0))

        return replace(stages, predict=predict)  # type: ignore[arg-type]

    assert run(flood).guides() != usual.guides()


def test_forecast_a_rush_in_one_zone_and_drivers_are_sent_elsewhere(
    run: Player, small_city: City, small_layout: Layout
) -> None:
    """The forecast makes the shadow prices of the day ahead, and these make the choice."""
    guide = Guide.of(small_city, small_layout)

    def expecting(times: tuple[float, float, float]) -> Callable[[Stages], Stages]:
        def changed(_: Stages) -> Stages:
            ahead = Nightly(small_city, small_layout, guide, level=1.6, seed=1)
            stages = stages_of(small_city, small_layout, guide, routes=False, ahead=ahead)

            def predict(world: object) -> object:
                forecast = stages.predict(world)  # type: ignore[arg-type]
                return replace(forecast, q50=forecast.q50 * np.array(times))

            return replace(stages, predict=predict)  # type: ignore[arg-type]

        return changed

    def sent_to_zone_2(played: Run) -> float:
        stations = [station for _, station, _ in played.guides() if station is not None]
        return float(np.mean([station in ("S4", "S5") for station in stations]))

    calm, rush = run(expecting((1.5, 1.5, 0.3))), run(expecting((0.5, 0.5, 2.0)))
    assert calm.guides() != rush.guides()
    assert sent_to_zone_2(rush) < sent_to_zone_2(calm)


def test_recommend_nothing_and_nobody_is_sent(run: Player, usual: Run) -> None:
    def nothing(stages: Stages) -> Stages:
        def recommend(world: object, requests: object, forecast: object) -> object:
            decisions = stages.recommend(world, requests, forecast)  # type: ignore[arg-type]
            return tuple(replace(each, chosen=None, offers=(), why="closed") for each in decisions)

        return replace(stages, recommend=recommend)  # type: ignore[arg-type]

    changed = run(nothing)
    assert {station for _, station, _ in changed.guides()} == {None}
    assert changed.kpis.served_share < usual.kpis.served_share


def test_guide_everybody_to_one_station_and_they_wait(run: Player, usual: Run) -> None:
    def herd(stages: Stages) -> Stages:
        def guide(world: object, request: object, decision: object) -> GuideDriver:
            usual_way = stages.guide(world, request, decision)  # type: ignore[arg-type]
            return replace(usual_way, station_id="S2")

        return replace(stages, guide=guide)

    changed = run(herd)
    assert {station for _, station, _ in changed.guides()} == {"S2"}
    assert changed.kpis.wait_min > usual.kpis.wait_min


def test_execute_a_plan_of_nothing_and_no_energy_flows(run: Player, usual: Run) -> None:
    def dark(stages: Stages) -> Stages:
        def execute(world: object, sent: object) -> object:
            plan = stages.execute(world, sent)  # type: ignore[arg-type]
            none = np.zeros_like(plan.power_kw)
            return replace(plan, power_kw=none, limit_kw=none)

        return replace(stages, execute=execute)  # type: ignore[arg-type]

    changed = run(dark)
    assert set(changed.limits()) == {0.0}
    assert changed.kpis.energy_kwh < usual.kpis.energy_kwh / 4


def test_settle_everything_for_nothing_and_no_money_is_made(run: Player) -> None:
    def free(stages: Stages) -> Stages:
        return replace(stages, settle=lambda ended: replace(stages.settle(ended), amount=Decimal(0)))

    changed = run(free)
    assert changed.tally.sessions > 10
    assert changed.tally.amount == 0


def test_a_day_ends_at_local_midnight(small_city: City) -> None:
    tally = Tally()
    tally.roll(START, small_city.time_zone)
    tally.sessions = 3
    tally.roll(START + timedelta(hours=6), small_city.time_zone)
    assert tally.sessions == 3
    tally.roll(START + timedelta(hours=7), small_city.time_zone)
    assert tally.sessions == 0
    assert tally.mean_wait_min is tally.served_share is None
    assert "served_share" in tally.figures()
