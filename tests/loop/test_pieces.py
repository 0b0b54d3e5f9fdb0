"""The small parts that the loop is put together from."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from chargeloop.execution import schedule
from chargeloop.guidance import Guide
from chargeloop.loop import (
    STEP_S,
    Advice,
    Clock,
    Forecasts,
    Sent,
    Tick,
    answer,
    arrivals_per_h,
    candidates_of,
    charging_evses,
    circuit_load_kw,
    known_until,
    power_problem,
    profiles_to_send,
    stages_of,
    station_load_share,
    tick,
)
from chargeloop.model import (
    BadInput,
    ChargeRequest,
    ChargeRequested,
    City,
    Current,
    Layout,
    MeterSampled,
    SessionStarted,
    Sort,
    Tier,
)
from chargeloop.perception import Perception
from tests.small_city import START, place

LATER = START + timedelta(hours=2)


def request(soc: float = 0.3, sort: Sort | None = None) -> ChargeRequest:
    return ChargeRequest(
        "r1",
        START,
        place(1200, 900),
        "T1",
        "small",
        Tier.PRIVATE,
        Current.DC,
        soc,
        0.9,
        40.0,
        START + timedelta(hours=2),
        sort=sort,
    )


def busy(small_city: City, small_layout: Layout, evses: int) -> Perception:
    """The first EVSEs of the city charging at full power."""
    perception = Perception(small_city, small_layout)
    for e, evse_id in enumerate(small_layout.evse_ids[:evses]):
        perception.apply(SessionStarted(at=START, session_id=f"s{e}", evse_id=evse_id, id_token=f"T{e}"))
        kw = float(small_layout.evse_kw[e])
        perception.apply(MeterSampled(at=START, session_id=f"s{e}", evse_id=evse_id, meter_wh=0, power_kw=kw))
    return perception


def test_a_clock_runs_at_its_speed_and_can_be_handed_on() -> None:
    clock = Clock.starting(START, 60.0)
    assert Clock.parse(str(clock)) == clock
    assert timedelta(0) <= clock.now() - START < timedelta(minutes=5)
    assert abs(Clock.real().now() - datetime.now(UTC)) < timedelta(seconds=1)
    with pytest.raises(BadInput, match="clock"):
        Clock.parse("yesterday")


def test_load_adds_up_the_tree(small_city: City, small_layout: Layout) -> None:
    world = busy(small_city, small_layout, 6).snapshot(START)  # all bays of S0
    load = dict(zip(small_layout.circuit_ids, circuit_load_kw(world), strict=True))
    assert load["site-0"] == pytest.approx(2 * 60 + 4 * 7 + 2)
    assert load["feeder-0"] == pytest.approx(load["site-0"] + 2)
    assert load["region"] == pytest.approx(load["site-0"] + 5 * 2)
    share = station_load_share(world)
    assert share[0] == pytest.approx(load["site-0"] / (0.7 * 148 + 5))
    assert share[1] == pytest.approx(load["feeder-0"] / 350)


def test_a_forecast_is_made_once_an_hour_from_what_was_known(small_city: City, small_layout: Layout) -> None:
    forecasts = Forecasts(small_city)
    perception = Perception(small_city, small_layout)
    first = forecasts(perception.snapshot(START))
    assert forecasts(perception.snapshot(START + timedelta(minutes=20))) is first
    assert forecasts(perception.snapshot(START + timedelta(minutes=40))).origin == first.origin + timedelta(hours=1)
    per_pool = arrivals_per_h(first, small_layout)
    assert per_pool.shape == small_layout.pool_kw.shape
    assert per_pool.sum() == pytest.approx(first.q50[0].sum() / 18)


def test_a_replayed_city_does_not_know_its_future(small_city: City) -> None:
    cut = known_until(small_city, START - timedelta(days=3))
    assert len(cut.demand.energy_kwh) == len(small_city.demand.energy_kwh) - 72
    assert len(known_until(small_city, START - timedelta(days=999)).demand.energy_kwh) == 0


def test_candidates_are_near_pools_with_road_times(small_city: City, small_layout: Layout) -> None:
    guide = Guide.of(small_city, small_layout)
    candidates = candidates_of(guide, small_layout, [request()])
    listed = candidates.pool[0][candidates.pool[0] >= 0]
    assert set(listed) == set(np.flatnonzero(small_layout.pool_is_dc))
    assert candidates.drive_s.shape == candidates.drive_m.shape == candidates.pool.shape


USUAL_S = 3600 * np.array([1.0, 2.0, 3.0, 4.0, 5.0])
NOBODY_KNOWS = np.full(2, np.nan)


def test_profiles_go_out_once_and_again_only_when_they_change(small_city: City, small_layout: Layout) -> None:
    perception, sent = busy(small_city, small_layout, 6), Sent(len(small_layout.evse_ids))
    world = perception.snapshot(START)
    assert charging_evses(world).tolist() == list(range(6))
    plan = schedule(power_problem(world, sent, NOBODY_KNOWS))
    first = profiles_to_send(world, plan, sent)
    assert [each.evse_id for each in first] == list(small_layout.evse_ids[:6])
    assert sum(each.limits_kw[0] for each in first) == pytest.approx(0.7 * 148 + 5 - 2, abs=0.1)
    assert {each.step_s for each in first} == {STEP_S}
    assert profiles_to_send(world, plan, sent) == []
    sent.forget(2)
    assert [each.evse_id for each in profiles_to_send(world, plan, sent)] == [small_layout.evse_ids[2]]
    lower = replace(plan, limit_kw=plan.limit_kw / 2)
    assert len(profiles_to_send(world, lower, sent)) == 6


def test_a_vehicle_that_takes_less_than_offered_frees_the_rest(small_city: City, small_layout: Layout) -> None:
    perception, sent = busy(small_city, small_layout, 2), Sent(len(small_layout.evse_ids))
    world = perception.snapshot(START)
    profiles_to_send(world, schedule(power_problem(world, sent, NOBODY_KNOWS)), sent)
    perception.apply(MeterSampled(at=START, session_id="s0", evse_id=small_layout.evse_ids[0], meter_wh=0, power_kw=10.0))
    most = power_problem(perception.snapshot(START), sent, NOBODY_KNOWS).max_kw
    assert most[0] == pytest.approx(13.5)
    assert most[1] == 60


def test_who_did_not_say_when_he_leaves_is_planned_for_as_others_stay(small_city: City, small_layout: Layout) -> None:
    perception, sent = busy(small_city, small_layout, 6), Sent(len(small_layout.evse_ids))
    likely = power_problem(perception.snapshot(START), sent, USUAL_S).depart_s - START.timestamp()
    later = power_problem(perception.snapshot(START + timedelta(hours=9)), sent, USUAL_S).depart_s - START.timestamp()
    is_dc = small_layout.pool_is_dc[small_layout.evse_pool[:6]]
    assert np.isnan(perception.snapshot(START).session_depart_s[:6]).all()
    assert np.isnan(likely[is_dc]).all()
    assert likely[~is_dc] == pytest.approx(np.full(4, 3 * 3600))
    assert later[~is_dc] == pytest.approx(np.full(4, 9 * 3600 + 300))


def test_one_driver_is_answered_and_a_full_battery_is_told_when_it_is_cheaper(small_city: City, small_layout: Layout) -> None:
    guide = Guide.of(small_city, small_layout)
    stages = stages_of(small_city, small_layout, guide)
    world = Perception(small_city, small_layout).snapshot(START)
    forecast = stages.predict(world)
    low = answer(world, request(0.3), forecast, stages)
    assert low.chosen is not None
    assert Advice.of(low) == Advice(False)
    high = answer(world, request(0.6), forecast, stages)
    advice = Advice.of(high)  # 17:30, the dearest hours of both tariffs
    assert advice.advised
    assert advice.saves > 0
    assert advice.cheaper_from is not None
    nearest = answer(world, request(0.3, Sort.NEAREST), forecast, stages)
    assert nearest.offers[0].drive_km == min(offer.drive_km for offer in nearest.offers)


def test_a_turn_answers_all_who_ask_with_a_way(small_city: City, small_layout: Layout) -> None:
    guide = Guide.of(small_city, small_layout)
    stages = stages_of(small_city, small_layout, guide)
    perception = Perception(small_city, small_layout)
    perception.apply(ChargeRequested(at=START, request=request()))
    turn = tick(perception.snapshot(START), [], Sent(len(small_layout.evse_ids)), stages)
    assert isinstance(turn, Tick)
    (command,) = turn.commands
    assert command.kind == "guide_driver"
    assert len(command.route) > 2
    legs = list(itertools.pairwise(command.route))
    assert max(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in legs) < 0.01
