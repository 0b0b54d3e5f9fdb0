"""Habits from visits, and from what the twin's events tell of its regulars."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.guidance import Guide
from chargeloop.model import BadInput, City, Layout
from chargeloop.prediction import Habit, Visit, habits_of, visits_of
from chargeloop.simulation import Regulars, Scenario, Twin, draw_drivers
from tests.small_city import START

MIDNIGHT = START.replace(hour=16, minute=0) - timedelta(days=2)  # Monday 0 h in Shanghai


def weeks(hour: float, days: tuple[int, ...], count: int = 8) -> list[Visit]:
    return [
        Visit("anna", (MIDNIGHT + timedelta(weeks=week, days=day, hours=hour)).timestamp(), "Z1", 20.0)
        for week in range(count)
        for day in days
    ]


def test_a_clockwork_driver_is_found_out() -> None:
    odd = [Visit("anna", (MIDNIGHT + timedelta(days=1, hours=3)).timestamp(), "Z2", 45.0)]
    habit: Habit = habits_of([*weeks(18.5, (0, 3)), *odd], MIDNIGHT, MIDNIGHT + timedelta(weeks=8), "Asia/Shanghai")["anna"]
    assert (habit.visits, habit.place) == (17, "Z1")
    assert habit.place_share == pytest.approx(16 / 17)
    assert habit.hour == pytest.approx(18.5)  # the night is no part of it
    assert habit.every_d == pytest.approx(56 / 17)
    assert habit.energy_kwh[1] == 20
    assert min(habit.day_chance[0], habit.day_chance[3]) > 0.9
    assert max(habit.day_chance[d] for d in (2, 4, 5, 6)) < 0.05


@given(st.floats(0, 23.99))
def test_the_usual_hour_goes_around_the_clock(hour: float) -> None:
    visits = [*weeks(hour - 0.25, (1,)), *weeks(hour + 0.25, (2,))]
    habit = habits_of(visits, MIDNIGHT - timedelta(days=1), MIDNIGHT + timedelta(weeks=9), "Asia/Shanghai")["anna"]
    assert abs((habit.hour - hour + 12) % 24 - 12) < 0.01
    assert 0 <= habit.hour < 24


def test_less_than_a_day_shows_no_habit() -> None:
    with pytest.raises(BadInput, match="day"):
        habits_of([], MIDNIGHT, MIDNIGHT + timedelta(hours=20), "Asia/Shanghai")


def test_the_twins_regulars_are_found_out_by_their_sessions(small_city: City, small_layout: Layout) -> None:
    days, people, scenario = 28, 12, Scenario(regulars=12, patience_min=(600, 600))
    guide = Guide.of(small_city, small_layout)
    drivers = draw_drivers(small_city, small_layout, MIDNIGHT, 24 * days, 0.6, np.random.default_rng(1), scenario=scenario)
    rng = np.random.default_rng(2)
    twin = Twin(
        small_city,
        small_layout,
        guide,
        drivers,
        MIDNIGHT,
        300,
        "nearest",
        rng,
        scenario=scenario,
        listen=True,
        faults_per_day=0,
    )
    zones = small_layout.station_zone[small_layout.evse_station]
    place = {evse: small_layout.zone_ids[zone] for evse, zone in zip(small_layout.evse_ids, zones, strict=True)}
    visits = visits_of((event for _ in range(24 * days * 12) for event in twin.step()), place)
    true = Regulars.of(small_city, small_layout, people)
    expected = true.day_chance.sum() * days / 7
    assert len(visits) == pytest.approx(expected, rel=0.15)
    found = habits_of(visits, MIDNIGHT, MIDNIGHT + timedelta(days=days), "Asia/Shanghai")
    known = [habit for habit in found.values() if habit.visits >= 8]
    rows = np.array([int(habit.user_id[-6:]) for habit in known])
    assert len(known) >= people / 2
    off_h = np.abs(np.array([habit.hour for habit in known]) - true.hour[rows])
    energy = np.array([habit.energy_kwh[1] for habit in known]) / true.kwh[rows]
    assert np.mean(off_h) < 0.5
    assert np.mean(np.abs(energy - 1)) < 0.1
    assert (
        np.mean([habit.place == small_layout.zone_ids[zone] for habit, zone in zip(known, true.zone[rows], strict=True)]) > 0.7
    )


def test_regulars_take_the_place_of_others(small_city: City, small_layout: Layout) -> None:
    of_day = (small_city, small_layout, START, 24, 1.0)
    usual = draw_drivers(*of_day, np.random.default_rng(1))
    drawn = draw_drivers(*of_day, np.random.default_rng(1), scenario=Scenario(regulars=20))
    assert len(drawn) == len(usual)
    assert (usual.user == -1).all()
    assert 0 < (drawn.user >= 0).sum() <= 40
    assert drawn.is_dc.sum() == usual.is_dc.sum()
    assert (np.diff(drawn.appear_s) >= 0).all()
    assert set(drawn.appear_s[drawn.user < 0]) < set(usual.appear_s)  # those who are left come as before
    energy = (drawn.target - drawn.soc) * drawn.battery_kwh
    assert (energy > 0).all()
    with pytest.raises(BadInput, match="regulars"):
        Scenario(regulars=-1)
