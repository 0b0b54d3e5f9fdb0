"""The twin from choice to choice, the Gymnasium environment over it, and the shipped policy in cities of several kinds."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from benchmarks.recommendation_instances import requests_of
from chargeloop.city import builtin_city, generated_city
from chargeloop.guidance import Guide
from chargeloop.loop import candidates_of
from chargeloop.model import City, Layout
from chargeloop.perception import Perception
from chargeloop.pricing import RateTable
from chargeloop.recommendation import FEATURES, Prices, Surroundings, TierWeights, Weights, build, features
from chargeloop.recommendation.solvers.learned import best, policy
from chargeloop.simulation import Choice, Choices, Drivers, Twin, default_day, draw_drivers, minutes_lost
from chargeloop.simulation.environment import DAY, StationChoice
from tests.simulation.conftest import MakeTwin
from tests.small_city import START

Choose = Callable[[Choice], int]
ABOVE_BEST = FEATURES.index("above_best")


def least_f(choice: Choice) -> int:
    return int(np.argmin(np.where(choice.seen[:, 0] > 0, choice.seen[:, ABOVE_BEST], np.inf)))


def decided(twin: Twin, end_s: float, choose: Choose, **more: Any) -> list[Choice]:
    """Every choice until then, each made by `choose`."""
    choices, made = Choices(twin, end_s, **more), []
    while (each := choices.next()) is not None:
        choices.take(each, choose(each))
        made.append(each)
    return made


def test_it_passes_the_checker(small_city: City) -> None:
    check_env(StationChoice(small_city, hours=1), skip_render_check=True)


def test_a_seed_makes_a_run(small_city: City) -> None:
    def run(seed: int) -> list[tuple[bytes, float]]:
        env = StationChoice(small_city, level=1.0, hours=1)
        env.reset(seed=seed)
        rows: list[tuple[bytes, float]] = []
        over = False
        while not over:
            seen, reward, over, _, _ = env.step(np.int64(len(rows) % 30))
            assert env.observation_space.contains(seen)
            rows.append((seen.tobytes(), reward))
        return rows

    assert run(4) == run(4)
    assert run(4) != run(5)


def test_the_option_of_least_f_is_what_policy_commit_takes(make_twin: MakeTwin, draw: Callable[..., Drivers]) -> None:
    drivers = draw(level=2.0, hours=3)
    here, there = (
        make_twin("external", drivers, step_s=300, faults_per_day=0.0),
        make_twin("commit", drivers, step_s=300, faults_per_day=0.0),
    )
    end_s = here.now_s + 3 * 3600
    made = decided(here, end_s, least_f, risk=0.0)
    assert len(made) == len(drivers) > 50
    while there.now_s < end_s:
        there.step()
    for name in ("stage", "pool", "arrive_s", "start_s"):
        assert np.array_equal(here.state.cars[name], there.state.cars[name], equal_nan=name.endswith("_s"))


def test_prices_and_tolls_are_minutes_of_the_choice(make_twin: MakeTwin, draw: Callable[..., Drivers]) -> None:
    drivers = draw(level=0.3, hours=1)
    pools = 9
    dear = np.zeros((pools, 48))
    dear[::2] = 0.5
    toll_min = np.arange(pools, dtype=np.float64)
    twin = make_twin("external", drivers, faults_per_day=0.0, prices=Prices(dear, 900.0))
    each = Choices(twin, twin.now_s + 3600, toll_min=toll_min, hindsight=Prices(dear, 900.0), risk=0.0).next()
    assert each is not None
    car, option = twin.state.cars[each.driver], twin.state.option[each.driver]
    is_open = option >= 0
    drive_min = twin.state.option_s[each.driver][is_open] / 60
    free = option[is_open] % 2 == 1
    expected = drive_min + option[is_open] + np.where(free, 0, 0.5 * car["said_stay_s"] / 60)
    assert each.problem.fixed[0, is_open] == pytest.approx(expected)  # nobody is there yet
    assert each.lost_min.min() == 0


def test_hindsight_knows_when_others_will_really_leave(make_twin: MakeTwin, draw: Callable[..., Drivers]) -> None:
    """Without shadow prices: what was lost by an option is what it would have taken, within what came between."""
    drivers = draw(level=1.5, hours=4)
    twin = make_twin("external", drivers, step_s=300, faults_per_day=0.0)
    made = decided(twin, twin.now_s + 3 * 3600, lambda each: int(np.argmin(each.lost_min)))
    other = make_twin("external", drivers, step_s=300, faults_per_day=0.0)
    decided(other, other.now_s + 3 * 3600, least_f, risk=0.0)
    asked = np.array([each.driver for each in made])
    assert minutes_lost(twin.state.cars)[0][asked].mean() < minutes_lost(other.state.cars)[0][asked].mean()


def test_loop_and_twin_show_a_policy_the_same(
    small_city: City, small_layout: Layout, guide: Guide, make_twin: MakeTwin, draw: Callable[..., Drivers]
) -> None:
    """In an idle city: what the twin says of a driver, and what the shipped path makes of his request."""
    drivers = draw(level=0.5, hours=1)
    twin = make_twin("external", drivers, faults_per_day=0.0)
    each = Choices(twin, twin.now_s + 3600, risk=0.0).next()
    assert each is not None
    request = requests_of(small_city, drivers, np.array([each.driver]), START)
    minute = TierWeights(60.0, amount=0.0, charge_dc=0.0, charge_ac=0.0, late=0.0)
    weights = Weights(
        tiers=dict.fromkeys(Weights().tiers, minute), empty_bonus=0.0, full_penalty=0.0, distance_per_km=0.0,
        regional_load_per_kwh=0.0, energy_price=0.0, wait_risk=0.0,
    )  # fmt: skip
    around = Surroundings(
        np.zeros(len(small_layout.pool_station)), np.zeros(len(small_layout.station_ids)), np.zeros(24), small_city.time_zone
    )
    rates = RateTable.of(small_city.tariffs, [station.tariff_id for station in small_city.stations])
    world = Perception(small_city, small_layout).snapshot(START)
    found = candidates_of(guide, small_layout, request)
    problem = build(world, request, found, rates, small_city.models, around, weights, [None]).problem
    seen = features(problem, problem.bay_free_s, 0)
    rows = min(len(seen), len(each.seen))
    compared = [
        n for n, name in enumerate(FEATURES) if name not in ("stay", "late", "next_wait")
    ]  # the twin's say is a zone's mean
    assert np.sort(seen[:rows, compared], axis=0) == pytest.approx(np.sort(each.seen[:rows, compared], axis=0), abs=0.02)


def evening(city: City, policy_name: str, choose: Choose | None = None) -> float:
    """Minutes of drive and wait per driver who asked between two and three hours after 16 h, level 1.2."""
    layout = Layout.of(city)
    guide, start = Guide.of(city, layout), default_day(city) + timedelta(hours=16)
    drivers = draw_drivers(city, layout, start, 4, 1.2, np.random.default_rng(3), scenario=DAY)
    rng = np.random.default_rng(4)
    twin = Twin(city, layout, guide, drivers, start, 300, policy_name, rng, faults_per_day=0.0, scenario=DAY, listen=False)
    twin.run_until(start + timedelta(hours=2), "commit")
    end = start + timedelta(hours=4)
    if choose is None:
        while twin.now < end:
            twin.step()
    else:
        decided(twin, end.timestamp(), choose)
    hour = (drivers.appear_s - start.timestamp()) / 3600
    return float(minutes_lost(twin.state.cars)[0][(hour >= 2) & (hour < 3)].mean())


@pytest.mark.parametrize(
    "make", [builtin_city, partial(generated_city, 7, zones=20, spread=1.4, bays=0.7)], ids=["built-in", "generated"]
)
def test_one_policy_serves_any_city(make: Callable[[], City]) -> None:
    city, session, rng = make(), policy(), np.random.default_rng(5)
    mine = evening(city, "external", lambda each: best(session, each.seen))
    by_chance = evening(city, "external", lambda each: int(rng.choice(np.flatnonzero(each.seen[:, 0]))))
    assert mine < 0.5 * by_chance
    assert mine < 0.9 * evening(city, "nearest")
    assert mine < evening(city, "commit")
