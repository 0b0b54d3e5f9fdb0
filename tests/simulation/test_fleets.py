"""Kinds of vehicles at their hours, special days, weather, those who come without need, and "not now" in the twin."""

from collections.abc import Callable

import numpy as np
import pytest

from chargeloop.model import City, Current, FleetShare, Layout, Tier
from chargeloop.physics import cold_share
from chargeloop.recommendation import NEEDLESS_SOC, Prices
from chargeloop.simulation import (
    HOLIDAY,
    QUIET,
    TIER_HOURS,
    Drivers,
    Scenario,
    Twin,
    draw_drivers,
    in_weather,
    minutes_lost,
    needless,
)
from chargeloop.simulation.fleets import ANXIOUS_SOC, TIERS, drawn, mix
from chargeloop.simulation.state import Stage
from tests.simulation.conftest import MakeTwin
from tests.small_city import START

Draw = Callable[..., Drivers]
MIDNIGHT = START.replace(hour=16, minute=0)  # in Shanghai


def hour_of(drivers: Drivers) -> np.ndarray:
    return ((drivers.appear_s // 3600).astype(int) + 8) % 24


def test_the_shares_of_an_hour_sum_to_one_and_shift_with_it(small_city: City) -> None:
    assert set(TIER_HOURS) == set(Tier)
    assert {len(hours) for hours in TIER_HOURS.values()} == {24}
    share = mix(small_city, Current.DC, own_hours=True)
    np.testing.assert_allclose(share.sum(axis=1), 1)
    taxi = [s.tier is Tier.TAXI for s in small_city.fleet]
    assert share[4, taxi].sum() > 1.8 * share[8, taxi].sum()
    usual = mix(small_city, Current.DC, own_hours=False)
    np.testing.assert_allclose(usual, np.tile([s.share for s in small_city.fleet], (24, 1)))
    for hours in TIER_HOURS.values():
        assert np.mean(hours) == pytest.approx(1, abs=0.15)


def test_rows_are_drawn_by_the_share_of_their_hour() -> None:
    share = np.array([[0.5, 0.5, 0.0]] + [[0.0, 0.0, 1.0]] * 23)
    assert drawn(share, np.array([0, 0, 5]), np.array([0.49, 0.51, 0.0])).tolist() == [0, 1, 2]


def test_own_hours_keep_the_demand(small_city: City, small_layout: Layout) -> None:
    def asked_h(scenario: Scenario) -> np.ndarray:
        draws = [
            draw_drivers(small_city, small_layout, MIDNIGHT, 24, 1.0, np.random.default_rng(seed), scenario=scenario)
            for seed in range(150)
        ]
        return sum(np.bincount(hour_of(each), each.asked_s, 24) for each in draws) / 3600  # type: ignore[return-value]

    usual = asked_h(QUIET)
    for scenario in (Scenario(own_hours=True), Scenario(anxious=0.3), Scenario(temperature_c=-10.0)):
        other = asked_h(scenario)
        assert other.sum() == pytest.approx(usual.sum(), rel=0.04)
        np.testing.assert_allclose(other, usual, rtol=0.25)


def test_buses_stand_at_their_depots_and_say_so(small_city: City, small_layout: Layout) -> None:
    fleet = (*small_city.fleet, FleetShare("large", Tier.BUS, 0.3))
    city = City(**{name: getattr(small_city, name) for name in small_city.__dataclass_fields__} | {"fleet": fleet})
    drivers = draw_drivers(city, small_layout, MIDNIGHT, 72, 1.5, np.random.default_rng(1), scenario=Scenario(own_hours=True))
    assert set(np.unique(drivers.depot)) == {-1, 4}  # the one station with four fast bays
    at_home = drivers.depot == 4
    assert (drivers.tier[at_home] == TIERS.index(Tier.BUS)).all()
    assert (drivers.lon[at_home] == small_layout.station_lon[4]).all()
    assert np.isin(hour_of(drivers)[at_home], [21, 22, 23, 0, 1, 2, 3, 4]).mean() > 0.6


def test_anxious_drivers_stand_in_the_place_of_others(draw: Draw) -> None:
    drivers = draw(hours=24 * 7, scenario=Scenario(anxious=0.25))
    private = drivers.tier == TIERS.index(Tier.PRIVATE)
    assert drivers.anxious[private].mean() == pytest.approx(0.25, abs=0.03)
    assert not drivers.anxious[~private].any()
    soc = drivers.soc[drivers.anxious]
    assert ANXIOUS_SOC[0] <= soc.min() <= soc.max() <= ANXIOUS_SOC[1]
    assert (drivers.target > drivers.soc).all()
    assert not (drivers.heeds & ~drivers.follows).any()


def test_a_holiday_has_a_sundays_hours_and_more_demand(small_city: City, small_layout: Layout) -> None:
    busy = small_city.behaviour.busy_share.copy()
    busy[6 * 24 : 6 * 24 + 12] *= 3  # Sunday mornings
    behaviour = type(small_city.behaviour)(
        busy, *(getattr(small_city.behaviour, n) for n in ("ac_stay_min", "dc_overstay_min", "arrival_soc"))
    )
    city = City(**{name: getattr(small_city, name) for name in small_city.__dataclass_fields__} | {"behaviour": behaviour})
    usual, special = (
        draw_drivers(city, small_layout, MIDNIGHT, 24, 2.0, np.random.default_rng(1), scenario=scenario)
        for scenario in (QUIET, HOLIDAY)
    )
    morning = [(hour_of(each) < 12).sum() for each in (usual, special)]
    evening = [(hour_of(each) >= 12).sum() for each in (usual, special)]
    assert morning[1] > 2.5 * morning[0]
    assert evening[1] == pytest.approx(1.25 * evening[0], rel=0.2)


def test_rain_slows_roads_and_brings_more_drivers(draw: Draw) -> None:
    dry, wet = Scenario(), Scenario(rain=3.0)
    assert wet.slow(np.array([0.0]), 0.0) == pytest.approx(1.24 * dry.slow(np.array([0.0]), 0.0))
    assert len(draw(level=9, scenario=wet)) > 1.05 * len(draw(level=9, scenario=dry))


def test_batteries_are_slow_in_the_cold(small_city: City, make_twin: MakeTwin, draw: Draw) -> None:
    assert cold_share(22.0) == 1.0
    assert cold_share(-5.0) == pytest.approx(0.7)
    assert cold_share(-80.0) == pytest.approx(0.4)
    assert in_weather(small_city, START, QUIET) is small_city  # 26 °C
    cold = in_weather(small_city, START, Scenario(temperature_c=-5.0))
    assert cold.models[0].curve.power_kw[0] == pytest.approx(0.7 * 60)
    mild, frost = (
        done(make_twin("nearest", draw(level=0.3), scenario=scenario)).kpis()
        for scenario in (QUIET, Scenario(temperature_c=-20.0))
    )
    assert frost.charge_min > mild.charge_min


def done(twin: Twin, hours: int = 6) -> Twin:
    for _ in range(hours * 3600 // twin.step_s):
        twin.step()
    return twin


@pytest.fixture
def dear_now(small_layout: Layout) -> Prices:
    """Bays are dear for two hours, then free of price."""
    return Prices(np.tile([2.0] * 2 + [0.0] * 10, (len(small_layout.pool_station), 1)), 3600.0)


def test_not_now_moves_those_who_can_wait_and_spares_those_without_need(
    make_twin: MakeTwin, draw: Draw, dear_now: Prices
) -> None:
    scenario = Scenario(anxious=0.4, heeds=0.8)
    drivers = draw(level=2.0, scenario=scenario)
    told = done(make_twin("not-now", drivers, prices=dear_now, scenario=scenario, faults_per_day=0.0))
    plain = done(make_twin("priced", drivers, prices=dear_now, scenario=scenario, faults_per_day=0.0))
    with_it, without = told.kpis(), plain.kpis()
    assert with_it.spared > 0
    assert with_it.put_off > with_it.spared
    assert (without.put_off, without.spared) == (0, 0)
    assert with_it.needless_share < without.needless_share
    assert with_it.wait_min < without.wait_min
    cars = told.state.cars
    waits = cars["put_off_s"] > 0
    assert (drivers.soc[waits] >= 0.5).all()
    assert drivers.heeds[waits].all()
    back = waits & (cars["stage"] != Stage.SPARED) & np.isfinite(cars["set_out_s"])
    np.testing.assert_allclose(cars["set_out_s"][back], drivers.appear_s[back] + cars["put_off_s"][back])
    spared = cars["stage"] == Stage.SPARED
    assert drivers.anxious[spared].all()
    assert (minutes_lost(cars)[0][spared] == 0).all()
    assert with_it.requests == with_it.served + with_it.gave_up + with_it.open + with_it.spared
    begun_with_much = needless(cars) & (cars["stage"] == Stage.SERVED)
    assert (drivers.soc[begun_with_much] >= NEEDLESS_SOC).all()


def test_nobody_is_put_off_where_nothing_is_dear(make_twin: MakeTwin, draw: Draw, small_layout: Layout) -> None:
    free = Prices(np.zeros((len(small_layout.pool_station), 12)), 3600.0)
    scenario = Scenario(anxious=0.4, heeds=1.0)
    drivers = draw(level=0.2, scenario=scenario)
    twin = make_twin("not-now", drivers, prices=free, scenario=scenario)
    twin.state.tariff[:] = 1.0
    assert done(twin).kpis().put_off == 0
