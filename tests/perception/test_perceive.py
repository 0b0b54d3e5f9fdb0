"""Events in, one World out."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from chargeloop.model import (
    BadInput,
    BayLost,
    ChargeEnded,
    ChargeRequest,
    ChargeRequested,
    ChargingNeedsTold,
    City,
    Current,
    Decision,
    DecisionMade,
    DriverArrived,
    Event,
    EvseStatus,
    EvseStatusChanged,
    Layout,
    Loss,
    MeterSampled,
    Offer,
    Place,
    RequestWithdrawn,
    Reservation,
    ReservationClosed,
    ReservationMade,
    ReservationState,
    SessionEnded,
    SessionStarted,
    StopReason,
    Tier,
    WeatherObserved,
)
from chargeloop.perception import Ended, OpenRequest, OpenSession, Perception, Stage, State, stay_s
from tests.small_city import START


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def started(
    session: str = "s1", evse: str = "S0-01", at: float = 0, token: str = "T1", meter_wh: float = 500
) -> SessionStarted:
    return SessionStarted(at=after(at), session_id=session, evse_id=evse, id_token=token, meter_wh=meter_wh)


def meter(kwh: float, at: float, session: str = "s1", evse: str = "S0-01", kw: float = 50.0) -> MeterSampled:
    return MeterSampled(at=after(at), session_id=session, evse_id=evse, meter_wh=500 + kwh * 1000, power_kw=kw)


def ended(kwh: float, at: float, session: str = "s1", evse: str = "S0-01") -> SessionEnded:
    return SessionEnded(at=after(at), session_id=session, evse_id=evse, meter_wh=500 + kwh * 1000, reason=StopReason.DEPARTED)


def request(key: str = "r1", token: str = "T1", current: Current = Current.DC, at: float = 0) -> ChargeRequest:
    return ChargeRequest(
        key, after(at), Place(114.01, 22.51), token, "small", Tier.PRIVATE, current, 0.2, 0.8, 40.0, after(at + 120)
    )


def decided(key: str = "r1", station: str = "S0", current: Current = Current.DC, at: float = 0) -> DecisionMade:
    offer = Offer(station, current, 6.0, 3.0, 0.0, 0.0, 25.0, 24.0, 0.19, Decimal("20.00"), 1.0, {})
    return DecisionMade(at=after(at), decision=Decision(f"D-{key}", key, after(at), "exact", offer, (offer,), ""))


@pytest.fixture
def perception(small_city: City, small_layout: Layout) -> Perception:
    return Perception(small_city, small_layout)


def test_a_session_is_metered_from_start_to_end(perception: Perception) -> None:
    assert perception.apply(started()) == ()
    perception.apply(meter(4.0, at=5))
    world = perception.snapshot(after(6))
    e = world.layout.evse_index["S0-01"]
    assert world.has_session[e]
    assert world.session_energy_kwh[e] == 4.0
    assert world.evse_power_kw[e] == 50.0
    assert world.evse_status[e] == EvseStatus.CHARGING

    (done,) = perception.apply(ended(10.0, at=20))

    assert isinstance(done, Ended)
    assert done.session.energy_kwh == 10.0
    assert done.session.ended_at == after(20)
    assert done.session.station_id == "S0"
    assert done.points[0].energy_kwh == 0.0
    assert done.points[-1].energy_kwh == 10.0
    assert not perception.snapshot(after(21)).has_session.any()


def test_the_bill_has_a_point_in_every_half_hour(perception: Perception) -> None:
    perception.apply(started())
    for at in range(5, 100, 5):
        perception.apply(meter(at / 10, at=at))
    (done,) = perception.apply(ended(10.0, at=100))
    assert [point.at for point in done.points] == [after(m) for m in (0, 30, 60, 90, 100)]


def test_a_register_that_runs_back_is_not_believed(perception: Perception) -> None:
    perception.apply(started())
    perception.apply(meter(5.0, at=5))
    perception.apply(meter(1.0, at=10))
    (done,) = perception.apply(ended(0.0, at=20))
    assert done.session.energy_kwh == 5.0


def test_idle_time_begins_when_charging_ends(perception: Perception) -> None:
    perception.apply(started())
    perception.apply(ChargeEnded(at=after(15), session_id="s1", evse_id="S0-01", meter_wh=8500))
    world = perception.snapshot(after(16))
    assert world.evse_status[world.layout.evse_index["S0-01"]] == EvseStatus.SUSPENDED_EV
    (done,) = perception.apply(ended(8.0, at=40))
    assert done.session.charge_ended_at == after(15)


def needs(at: float, kwh: float | None = None, leaves: float | None = None, evse: str = "S0-01") -> ChargingNeedsTold:
    depart_by = None if leaves is None else after(leaves)
    return ChargingNeedsTold(at=after(at), evse_id=evse, energy_kwh=kwh, depart_by=depart_by)


def told(perception: Perception) -> tuple[float, float]:
    """Energy and departure of the session at S0-01, as the plan sees them."""
    world = perception.snapshot(after(60))
    e = world.layout.evse_index["S0-01"]
    return float(world.session_needed_kwh[e]), float(world.session_depart_s[e])


def test_what_the_vehicle_needs_counts_from_when_it_says_so(perception: Perception) -> None:
    perception.apply(started())
    perception.apply(meter(5.0, at=5))
    perception.apply(needs(6, kwh=20.0, leaves=240))
    assert told(perception) == (25.0, after(240).timestamp())
    perception.apply(needs(7, leaves=300))
    assert told(perception) == (25.0, after(300).timestamp())


def test_a_driver_who_asked_leaves_when_he_said(perception: Perception) -> None:
    asked = request()
    perception.apply(ChargeRequested(at=after(0), request=asked))
    perception.apply(started())
    perception.apply(needs(1, kwh=20.0, leaves=999))
    assert told(perception) == (20.0, asked.depart_by.timestamp())


@pytest.mark.parametrize(("start", "kwh"), [(10, 20.0), (20, np.nan)])
def test_needs_may_be_told_shortly_before_the_session(perception: Perception, start: float, kwh: float) -> None:
    perception.apply(needs(0, kwh=20.0, leaves=240))
    perception.apply(needs(0, evse="nowhere"))
    perception.apply(started(at=start))
    assert told(perception)[0] == pytest.approx(kwh, nan_ok=True)
    assert perception.passed_over == 1
    assert not perception.state.needs


def test_what_would_have_ended_is_what_ends(perception: Perception) -> None:
    perception.apply(started())
    perception.apply(meter(3.0, at=29))
    coming: list[Event] = [
        meter(6.0, at=61),
        ChargeEnded(at=after(62), session_id="s1", evse_id="S0-01", meter_wh=7000),
        ended(7.0, at=95),
    ]
    before = perception.dump()
    foreseen = perception.ended_by("s1", coming)
    assert perception.dump() == before
    assert [done for event in coming for done in perception.apply(event)] == [foreseen]
    assert perception.ended_by("s1", coming) is None


def test_what_does_not_end_has_not_ended(perception: Perception) -> None:
    perception.apply(started())
    assert perception.ended_by("s1", [meter(3.0, at=29)]) is None


def test_one_bay_holds_one_session(perception: Perception) -> None:
    perception.apply(started("s1"))
    perception.apply(meter(3.0, at=10))
    (stale,) = perception.apply(started("s2", at=30, token="T2"))
    assert stale.session.session_id == "s1"
    assert stale.session.stop_reason is StopReason.OTHER
    assert [each.session_id for each in perception.open_sessions()] == ["s2"]
    assert perception.session("s1") is None


def test_what_is_unknown_or_told_twice_changes_nothing_and_is_counted(perception: Perception) -> None:
    perception.apply(started())
    before = replace(perception.state, passed_over=0)
    perception.apply(started(evse="no-such-bay", session="s9"))
    perception.apply(started())
    perception.apply(meter(1.0, at=1, session="s9"))
    perception.apply(ended(1.0, at=1, session="s9"))
    perception.apply(EvseStatusChanged(at=after(1), evse_id="no-such-bay", status=EvseStatus.FAULTED))
    assert perception.passed_over == 5
    assert replace(perception.state, passed_over=0) == before


def test_a_request_goes_from_asked_to_charging(perception: Perception) -> None:
    perception.apply(ChargeRequested(at=after(0), request=request()))
    assert [each.request_id for each in perception.snapshot(after(0)).undecided] == ["r1"]

    perception.apply(decided())
    world = perception.snapshot(after(1))
    assert world.undecided == ()
    assert world.pool_inbound[0] == 1

    perception.apply(DriverArrived(at=after(6), request_id="r1", station_id="S0"))
    assert perception.snapshot(after(6)).pool_queue[0] == 1

    perception.apply(started(at=9))
    world = perception.snapshot(after(9))
    e = world.layout.evse_index["S0-01"]
    assert world.pool_queue.sum() == world.pool_inbound.sum() == 0
    assert world.session_needed_kwh[e] == pytest.approx((0.8 - 0.19) * 40)
    assert world.session_depart_s[e] == after(120).timestamp()
    found = perception.request("r1")
    assert found is not None
    assert found.stage is Stage.CHARGING

    (done,) = perception.apply(ended(24.0, at=40))
    assert done.waited_min == pytest.approx(3.0)
    assert done.decision_id == "D-r1"
    assert perception.request("r1") is None


def test_a_request_that_nothing_can_serve_or_that_is_withdrawn_is_gone(perception: Perception) -> None:
    perception.apply(ChargeRequested(at=after(0), request=request("r1", "T1")))
    perception.apply(ChargeRequested(at=after(0), request=request("r2", "T2")))
    nothing = Decision("D-r1", "r1", after(0), "exact", None, (), "no station in reach")
    perception.apply(DecisionMade(at=after(0), decision=nothing))
    perception.apply(RequestWithdrawn(at=after(0), request_id="r2"))
    assert perception.snapshot(after(1)).undecided == ()


def test_expected_wait_counts_running_sessions_the_queue_and_those_on_their_way(perception: Perception) -> None:
    pool = 0  # S0's two fast bays
    perception.apply(started("s1", "S0-01", token="X"))
    assert perception.snapshot(after(1)).pool_wait_min[pool] == 0  # one bay is free
    perception.apply(started("s2", "S0-02", token="Y"))
    both_busy = perception.snapshot(after(1)).pool_wait_min[pool]
    assert both_busy > 0
    perception.apply(ChargeRequested(at=after(1), request=request()))
    perception.apply(decided(at=1))
    with_one_coming = perception.snapshot(after(1))
    assert with_one_coming.pool_wait_min[pool] >= both_busy
    assert with_one_coming.coming_pool.tolist() == [pool]
    assert with_one_coming.coming_start_s[0] >= with_one_coming.coming_arrive_s[0] == after(7).timestamp()
    start = with_one_coming.layout.pool_start
    assert all(np.all(np.diff(with_one_coming.bay_free_s[a:b]) >= 0) for a, b in itertools.pairwise(start))


def test_a_bay_out_of_order_is_never_free(perception: Perception) -> None:
    for evse in ("S0-01", "S0-02"):
        perception.apply(EvseStatusChanged(at=after(0), evse_id=evse, status=EvseStatus.FAULTED))
    world = perception.snapshot(after(1))
    assert world.pool_free[0] == 0
    assert np.isinf(world.pool_wait_min[0])


def test_a_reservation_holds_its_bay_until_it_is_closed_or_used(perception: Perception) -> None:
    held = Reservation(7, "S0-01", "S0", "T1", after(0), after(30), "r1")
    perception.apply(ChargeRequested(at=after(0), request=request()))
    perception.apply(decided())
    perception.apply(ReservationMade(at=after(0), reservation=held))
    world = perception.snapshot(after(1))
    assert world.pool_free[0] == 1
    assert world.evse_status[world.layout.evse_index["S0-01"]] == EvseStatus.RESERVED
    perception.apply(ReservationClosed(at=after(5), reservation_id=7, state=ReservationState.CANCELLED))
    assert perception.snapshot(after(5)).reservations == ()
    assert perception.request("r1") is None

    perception.apply(ReservationMade(at=after(6), reservation=replace(held, request_id=None)))
    perception.apply(started(at=8))
    assert perception.snapshot(after(8)).reservations == ()


def test_a_place_in_the_virtual_queue_counts_as_inbound(perception: Perception) -> None:
    perception.apply(ChargeRequested(at=after(0), request=request()))
    perception.apply(decided())
    perception.apply(ReservationMade(at=after(0), reservation=Reservation(7, None, "S0", "T1", after(0), after(30), "r1")))
    world = perception.snapshot(after(1))
    assert world.pool_free[0] == 2
    assert world.pool_inbound[0] == 1


def test_energy_is_counted_in_its_zone_and_hour(perception: Perception) -> None:
    perception.apply(started())
    perception.apply(meter(4.0, at=20))
    perception.apply(meter(9.0, at=40))  # 10:10 UTC: the next hour
    world = perception.snapshot(after(40))
    assert world.zone_energy_kwh[-2, 0] == pytest.approx(4.0)
    assert world.zone_energy_kwh[-1].tolist() == pytest.approx([5.0, 0.0, 0.0])
    assert len(perception.snapshot(after(400)).zone_energy_kwh) == len(world.zone_energy_kwh) + 6


def test_a_clock_in_the_far_future_does_not_fill_the_memory(perception: Perception) -> None:
    perception.apply(started())
    perception.apply(meter(4.0, at=60 * 24 * 365 * 50))
    assert perception.passed_over == 1
    assert perception.snapshot(after(1)).session_energy_kwh.sum() == 4.0


def test_weather_is_seen(perception: Perception) -> None:
    perception.apply(WeatherObserved(at=after(0), temperature_c=31.5, rain=2))
    world = perception.snapshot(after(1))
    assert (world.temperature_c, world.rain) == (31.5, 2.0)


def test_a_snapshot_does_not_change_afterwards(perception: Perception) -> None:
    world = perception.snapshot(after(0))
    perception.apply(started())
    assert not world.has_session.any()
    assert world.evse_status.sum() == 0


def test_it_can_be_written_down_and_read_back(perception: Perception, small_city: City, small_layout: Layout) -> None:
    perception.apply(ChargeRequested(at=after(0), request=request()))
    perception.apply(decided())
    perception.apply(DriverArrived(at=after(6), request_id="r1", station_id="S0"))
    perception.apply(started(at=9))
    perception.apply(meter(3.0, at=14))
    again = Perception.load(small_city, small_layout, perception.dump())
    assert again.state == perception.state
    assert all(isinstance(each, OpenSession) for each in again.state.sessions.values())
    assert all(isinstance(each, OpenRequest) for each in again.state.requests.values())
    assert again.apply(ended(5.0, at=20)) == perception.apply(ended(5.0, at=20))


def test_a_damaged_or_foreign_state_is_refused(small_city: City, small_layout: Layout, perception: Perception) -> None:
    with pytest.raises(BadInput, match="saved perception"):
        Perception.load(small_city, small_layout, perception.dump()[:-30])
    foreign = State(hourly_start=START, hourly_kwh=[], evse_status=[0])
    with pytest.raises(ValueError, match="another city"):
        Perception(small_city, small_layout, foreign)


def test_a_stay_is_until_charged_at_dc_and_until_departure_at_ac() -> None:
    asked = request()
    assert stay_s(asked, START.timestamp(), 30.0, is_dc=True) == 34 * 60
    assert stay_s(asked, START.timestamp(), 30.0, is_dc=False) == 120 * 60


def test_a_charger_speaks_of_reservations_of_its_own_bays_only(perception: Perception) -> None:
    held = Reservation(7, "S0-01", "S0", "T1", after(0), after(30), "r1", held_at=after(0))
    perception.apply(ReservationMade(at=after(0), reservation=held))
    perception.apply(BayLost(at=after(1), reservation_id=7, why=Loss.CHARGER, evse_ids=("S0-02",)))
    assert perception.state.reservations[7].evse_id == "S0-01"
    perception.apply(BayLost(at=after(1), reservation_id=7, why=Loss.CHARGER, evse_ids=("S0-01", "S0-02")))
    assert perception.state.reservations[7].evse_id is None
