"""The physics and bookkeeping of a run, and the kernels against a slow and obvious reference."""

from collections.abc import Callable

import numpy as np
import pytest

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats
from chargeloop.simulation import Drivers, Twin
from chargeloop.simulation.course import advance
from chargeloop.simulation.power import accrue_all, set_power
from chargeloop.simulation.reach import neighbours, options
from chargeloop.simulation.state import Stage
from chargeloop.simulation.waits import expected_wait_s
from tests.simulation.conftest import MakeTwin
from tests.simulation.reference import Reference

BASELINES = ("nearest", "cheapest", "shortest-wait", "commit")


def finish(twin: Twin, hours: int | None = None) -> Twin:
    for _ in range((hours or twin.drivers.hours) * 3600 // twin.step_s):
        twin.step()
    return twin


@pytest.mark.parametrize("policy", ["nearest", "shortest-wait", "commit"])
@pytest.mark.parametrize("step_s", [60, 300])
def test_kernels_agree_with_the_reference(
    make_twin: MakeTwin, small_city: City, small_layout: Layout, guide: Guide, policy: str, step_s: int
) -> None:
    twin = finish(make_twin(policy, step_s=step_s, faults_per_day=0.0))
    near, reach = neighbours(small_layout, guide), options(twin.drivers, small_layout, guide)
    slow = Reference(small_city, small_layout, twin.drivers, reach, near, policy, twin.rules.dc_overstay_s)
    slow.run(twin.start.timestamp(), twin.now_s, step_s)
    cars = twin.state.cars
    for name, field in (("pool", "pool"), ("evse", "evse")):
        assert cars[name].tolist() == [getattr(car, field) for car in slow.cars]
    for name, field in (("start_s", "start"), ("charged_s", "charged"), ("end_s", "end"), ("kwh", "kwh"), ("soc", "soc")):
        np.testing.assert_allclose(cars[name], [getattr(car, field) for car in slow.cars], rtol=1e-12, atol=1e-6)
    assert (cars["start_s"] > cars["arrive_s"]).any()  # somebody did wait
    assert policy != "nearest" or (cars["hops"] > 0).any()


@pytest.mark.parametrize("policy", BASELINES)
def test_every_driver_is_served_or_gave_up_or_is_still_there_exactly_once(
    make_twin: MakeTwin, draw: Callable[..., Drivers], policy: str
) -> None:
    twin = finish(make_twin(policy, draw(level=2.5), faults_per_day=2.0))
    kpis, state = twin.kpis(), twin.state
    assert kpis.requests == len(twin.drivers) == kpis.served + kpis.gave_up + kpis.open
    assert kpis.gave_up > 0
    assert kpis.open == state.pools["queue"].sum() + state.pools["inbound"].sum()
    plugged_in = np.flatnonzero(state.cars["stage"] == Stage.PLUGGED_IN)
    assert sorted(state.bays["driver"][state.bays["driver"] >= 0]) == plugged_in.tolist()
    bays = state.pools["end"] - state.pools["begin"]
    taken = np.bincount(state.bays["pool"], state.bays["driver"] >= 0)
    assert (state.pools["idle"] == bays - taken).all()


@pytest.mark.parametrize("policy", BASELINES)
def test_a_bay_has_one_vehicle_at_a_time_and_queues_are_first_come_first_served(make_twin: MakeTwin, policy: str) -> None:
    cars = finish(make_twin(policy)).state.cars
    cars = cars[cars["evse"] >= 0]
    end = np.where(np.isnan(cars["end_s"]), np.inf, cars["end_s"])
    for evse in np.unique(cars["evse"]):
        here = np.flatnonzero(cars["evse"] == evse)
        here = here[np.argsort(cars["start_s"][here])]
        assert (cars["start_s"][here[1:]] >= end[here[:-1]]).all()
    for pool in np.unique(cars["pool"]):
        here = cars[cars["pool"] == pool]
        here = here[np.argsort(here["arrive_s"], kind="stable")]
        assert (np.diff(here["start_s"]) >= 0).all()


def test_energy_is_conserved_and_no_circuit_is_overloaded(make_twin: MakeTwin, small_layout: Layout) -> None:
    twin = make_twin("nearest", faults_per_day=2.0)
    state, cars, bays = twin.state, twin.state.cars, twin.state.bays
    flowed = np.zeros(len(twin.drivers))
    capped = False
    for now_s in twin.start.timestamp() + 60.0 * np.arange(6 * 60):
        set_power(state, now_s, 60.0)
        load = _load_kw(small_layout, bays["power_kw"])
        assert (load <= small_layout.circuit_limit_kw + 1e-9).all()
        capped = capped or bool((state.circuits["factor"] < 1).any())
        at_work = np.flatnonzero(bays["power_kw"] > 0)
        driver, power = bays["driver"][at_work].copy(), bays["power_kw"][at_work].copy()
        assert advance(state, twin.rules, now_s + 60)
        accrue_all(state, now_s + 60)
        until = np.fmin(np.fmin(cars["charged_s"][driver], cars["end_s"][driver]), now_s + 60)
        flowed[driver] += power * (until - now_s) / 3600
    assert capped
    np.testing.assert_allclose(cars["kwh"], flowed, atol=1e-9)
    assert bays["meter_kwh"].sum() == pytest.approx(flowed.sum())
    plugged = cars["evse"] >= 0
    soc = twin.drivers.soc - cars["drive_m"] / 1000 * cars["kwh_per_km"] / cars["battery_kwh"]
    soc = np.maximum(soc, np.minimum(0.01, twin.drivers.soc))
    np.testing.assert_allclose(((cars["soc"] - soc) * cars["battery_kwh"])[plugged], cars["kwh"][plugged], atol=1e-9)
    assert (cars["soc"][plugged] <= cars["target"][plugged] + 1e-9).all()  # never more than was asked for


def test_the_expected_wait_knows_only_what_drivers_say(make_twin: MakeTwin, draw: Callable[..., Drivers]) -> None:
    drivers = draw()
    told = make_twin("nearest", drivers, faults_per_day=0.0)
    longer = drivers[:]
    longer.stay_s[:] = longer.stay_s + 7 * 24 * 3600.0
    other = make_twin("nearest", longer, faults_per_day=0.0)
    for _ in range(15):  # too short for anybody to leave
        told.step()
        other.step()
    assert np.isnan(told.state.cars["end_s"]).all()
    waits = [
        [expected_wait_s(twin.state, twin.rules, p, twin.now_s, twin.now_s) for p in range(len(twin.state.pools))]
        for twin in (told, other)
    ]
    assert waits[0] == waits[1]


def test_a_seed_gives_the_same_run_and_another_seed_another(make_twin: MakeTwin, draw: Callable[..., Drivers]) -> None:
    one, same = (finish(make_twin("shortest-wait", draw(seed=3))).kpis() for _ in range(2))
    assert one == same
    assert finish(make_twin("shortest-wait", draw(seed=4))).kpis() != one


def _load_kw(layout: Layout, power_kw: Floats) -> Floats:
    load = layout.circuit_base_kw + np.bincount(layout.station_circuit[layout.evse_station], power_kw, len(layout.circuit_ids))
    for circuit in range(len(load) - 1, -1, -1):
        if layout.circuit_parent[circuit] >= 0:
            load[layout.circuit_parent[circuit]] += load[circuit]
    return load
