"""The twin and the outside: events, commands, bays driven from outside, warm start."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from chargeloop.model import (
    BadInput,
    CancelReservation,
    ChargeEnded,
    ChargeRequest,
    ChargeRequested,
    City,
    Command,
    DriverArrived,
    Event,
    EvseStatus,
    EvseStatusChanged,
    GuideDriver,
    Layout,
    MeterSampled,
    RemoteStart,
    RemoteStop,
    RequestWithdrawn,
    ReserveEvse,
    SessionEnded,
    SessionStarted,
    SetChargingProfile,
    StopReason,
)
from chargeloop.model.validated import from_json, to_json
from chargeloop.perception import Perception
from chargeloop.simulation import Drivers, PlugIn, Twin, Unplug, draw_drivers, run
from chargeloop.simulation.state import LOG_ROWS, Stage
from tests.simulation.conftest import MakeTwin


class Greedy:
    """Sends everybody to the first station, in the order of the city, with a bay of his kind free of vehicles and promises."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.free = layout.pool_bays.astype(int)
        self.events: list[Event] = []

    def step(self, events: Iterable[Event], now: datetime) -> list[Command]:
        commands: list[Command] = []
        for event in events:
            self.events.append(event)
            if isinstance(event, SessionEnded):
                self.free[self.layout.evse_pool[self.layout.evse_index[event.evse_id]]] += 1
            elif isinstance(event, ChargeRequested):
                commands.append(self._guide(event.request, now))
        return commands

    def _guide(self, request: ChargeRequest, now: datetime) -> GuideDriver:
        kind = np.flatnonzero(self.layout.pool_is_dc == (request.current == "DC"))
        pool = max(kind, key=lambda p: (self.free[p] > 0, -p))
        self.free[pool] -= 1
        station = self.layout.station_ids[self.layout.pool_station[pool]]
        return GuideDriver(at=now, request_id=request.request_id, station_id=station, why="first with a free bay")


def collect(twin: Twin, steps: int) -> list[Event]:
    return [event for _ in range(steps) for event in twin.step()]


@pytest.mark.parametrize("step_s", [60, 300])
def test_events_tell_what_the_figures_say(make_twin: MakeTwin, small_layout: Layout, step_s: int) -> None:
    twin = make_twin("external", step_s=step_s, faults_per_day=2.0)
    greedy = Greedy(small_layout)
    run(twin, greedy)
    kpis, events = twin.kpis(), greedy.events
    count = Counter(type(event) for event in events)
    assert count[ChargeRequested] == kpis.requests
    assert count[SessionStarted] == kpis.served
    assert count[RequestWithdrawn] == kpis.gave_up
    started = {event.session_id: event for event in events if isinstance(event, SessionStarted)}
    assert len(started) == kpis.served
    register = {session_id: event.meter_wh for session_id, event in started.items()}
    for event in events:
        if isinstance(event, MeterSampled | ChargeEnded | SessionEnded):
            assert event.meter_wh >= register[event.session_id] - 1e-6
            register[event.session_id] = event.meter_wh
    told = sum(register[s] - started[s].meter_wh for s in started) / 1000
    late = 1e-6 if step_s == 300 else 150 * 7 * 5 / 60  # what has flowed since the last reading of those still charging
    assert kpis.energy_kwh - late <= told <= kpis.energy_kwh + 1e-6
    ended = {event.session_id for event in events if isinstance(event, SessionEnded)}
    assert len(ended) == (twin.state.cars["stage"] == Stage.SERVED).sum()
    reasons = Counter(event.reason for event in events if isinstance(event, SessionEnded))
    assert set(reasons) == {StopReason.FULL, StopReason.DEPARTED, StopReason.FAULT}
    assert kpis.answer_min == pytest.approx(step_s / 120, rel=0.2)  # asked within a step, answered at its end


def test_each_driver_s_events_come_in_order(make_twin: MakeTwin, small_layout: Layout) -> None:
    twin = make_twin("external")
    greedy = Greedy(small_layout)
    run(twin, greedy)
    course: dict[str, list[str]] = {}
    for event in greedy.events:
        match event:
            case ChargeRequested(request=request):
                course[request.request_id[1:]] = ["requested"]
            case DriverArrived() | RequestWithdrawn():
                course[event.request_id[1:]].append(event.kind)
            case SessionStarted() | ChargeEnded() | SessionEnded():
                course[event.session_id[5:]].append(event.kind)
    whole = ["requested", "driver_arrived", "session_started", "charge_ended", "session_ended"]
    for steps in course.values():
        stayed = [step for step in steps if step != "request_withdrawn"]
        assert stayed == [step for step in whole if step in steps]
    assert whole in course.values()


def test_events_can_be_written_down_and_read_back(make_twin: MakeTwin, small_layout: Layout) -> None:
    twin = make_twin("external")
    for event in collect(twin, 60):
        assert from_json(Event, to_json(event, Event), "event") == event


def test_meters_are_read_every_five_minutes_and_at_the_turn_of_the_hour(make_twin: MakeTwin) -> None:
    events = collect(make_twin("nearest", listen=True), 120)
    readings: dict[str, list[datetime]] = {}
    for event in events:
        if isinstance(event, MeterSampled):
            readings.setdefault(event.session_id, []).append(event.at)
    gaps = [(b - a).total_seconds() for at in readings.values() for a, b in pairwise(at)]
    assert max(gaps) == 300
    ends = {event.session_id: event.at for event in events if isinstance(event, ChargeEnded | SessionEnded)}
    hour = datetime.fromisoformat("2025-06-10T10:00Z")
    across = [s for s, at in readings.items() if at[0] < hour < min(at[-1], ends.get(s, at[-1]))]
    assert across
    assert all(hour in readings[s] for s in across)


def test_listening_changes_nothing(make_twin: MakeTwin) -> None:
    silent, listening = make_twin("nearest"), make_twin("nearest", listen=True)
    assert collect(silent, 360) == []
    assert collect(listening, 360)
    assert silent.kpis() == listening.kpis()


def test_drivers_without_an_answer_go_to_the_nearest(make_twin: MakeTwin) -> None:
    asked, nearest = make_twin("external", answer_s=120.0), make_twin("nearest")
    collect(asked, 120)
    collect(nearest, 120)
    cars = asked.state.cars
    gone = cars["stage"] >= Stage.DRIVING
    np.testing.assert_allclose((cars["set_out_s"] - cars["appear_s"])[gone], 120)
    np.testing.assert_array_equal(cars["pool"][gone], asked.state.option[gone, 0])


def test_guidance_is_followed_once(make_twin: MakeTwin, small_layout: Layout) -> None:
    twin = make_twin("external", answer_s=3600.0)
    requests = [event.request for event in collect(twin, 20) if isinstance(event, ChargeRequested)]
    first, second = [request for request in requests if request.current == "AC"][:2]
    far = GuideDriver(at=twin.now, request_id=first.request_id, station_id="S5", why="quiet")
    assert twin.apply(far)
    assert not twin.apply(far)  # already on the way
    d = int(first.request_id[1:])
    assert small_layout.station_ids[small_layout.pool_station[twin.state.cars["pool"][d]]] == "S5"
    dc_only = GuideDriver(at=twin.now, request_id=second.request_id, station_id="S4", why="no AC there")
    unknown = GuideDriver(at=twin.now, request_id="R99999999", station_id="S5", why="not one of ours")
    assert not twin.apply(dc_only)
    assert not twin.apply(unknown)
    assert twin.apply(GuideDriver(at=twin.now, request_id=second.request_id, station_id=None, why="all full"))
    assert second.request_id in [event.request_id for event in twin.step() if isinstance(event, RequestWithdrawn)]


def test_a_charging_profile_is_obeyed(make_twin: MakeTwin, draw: Callable[..., Drivers], small_layout: Layout) -> None:
    drivers = draw(level=2.0)
    drivers = drivers[~drivers.is_dc]
    twin = make_twin("nearest", drivers, listen=True)
    events = collect(twin, 60)
    roomy = (twin.power_kw > 0) & (small_layout.evse_station == 0)  # its circuit is made for fast charging too
    e = int(np.nanargmax(np.where(roomy, twin.state.bays["leave_s"], np.nan)))
    evse_id = small_layout.evse_ids[e]
    session = next(x for x in reversed(events) if isinstance(x, SessionStarted) and x.evse_id == evse_id).session_id
    limits = tuple(float(x) for x in (0, 2, 3, *([1] * 12)))  # longer than any plan before it
    profile = SetChargingProfile(at=twin.now, evse_id=evse_id, session_id=session, start=twin.now, step_s=120, limits_kw=limits)
    assert twin.apply(profile)
    power = []
    for _ in range(8):
        twin.step()
        power.append(twin.power_kw[e])
    assert power == [0, 0, 2, 2, 3, 3, 1, 1]
    for _ in range(40):
        twin.step()
    assert twin.power_kw[e] in (0, 1)  # the last limit stays; 0 where the driver has left
    other = SetChargingProfile(at=twin.now, evse_id=evse_id, session_id="twin-1", start=twin.now, step_s=60, limits_kw=(1.0,))
    assert not twin.apply(other)


def test_a_reserved_bay_waits_for_its_driver(make_twin: MakeTwin, small_layout: Layout) -> None:
    twin = make_twin("external", faults_per_day=0.0, answer_s=3600.0)
    request = next(event.request for event in collect(twin, 20) if isinstance(event, ChargeRequested))
    station = 2 if request.current == "DC" else 5
    pool = next(
        p
        for p, (s, dc) in enumerate(zip(small_layout.pool_station, small_layout.pool_is_dc, strict=True))
        if s == station and dc == (request.current == "DC")
    )
    bays = range(small_layout.pool_start[pool], small_layout.pool_start[pool + 1])
    mine, others = bays[-1], bays[:-1]
    until = twin.now + timedelta(hours=1)
    for number, e in enumerate(bays):
        token = request.id_token if e == mine else "PHONE"
        reserve = ReserveEvse(
            at=twin.now, evse_id=small_layout.evse_ids[e], reservation_id=number, id_token=token, expires_at=until
        )
        assert twin.apply(reserve)
        assert not twin.apply(reserve)
    station_id = small_layout.station_ids[station]
    assert twin.apply(GuideDriver(at=twin.now, request_id=request.request_id, station_id=station_id, why=""))
    events = collect(twin, 45)
    reserved = [x.evse_id for x in events if isinstance(x, EvseStatusChanged) and x.status is EvseStatus.RESERVED]
    assert reserved == [small_layout.evse_ids[e] for e in bays]
    started = [x for x in events if isinstance(x, SessionStarted) and x.evse_id in reserved]
    assert {x.evse_id for x in started} == {small_layout.evse_ids[mine]}
    assert started[0].id_token == request.id_token
    assert twin.apply(CancelReservation(at=twin.now, evse_id=small_layout.evse_ids[others[0]], reservation_id=0))
    assert not twin.apply(CancelReservation(at=twin.now, evse_id=small_layout.evse_ids[others[0]], reservation_id=0))
    assert twin.state.bays["reserved_for"][others[0]] == -1
    collect(twin, 20)
    assert (twin.state.bays["reserved_for"][list(bays)] == -1).all()  # expired


def test_any_number_of_commands_fits_between_two_steps(make_twin: MakeTwin, small_layout: Layout) -> None:
    twin = make_twin("nearest", listen=True)
    evse_id, until = small_layout.evse_ids[0], twin.now + timedelta(hours=2)
    for number in range(LOG_ROWS):
        reserve = ReserveEvse(at=twin.now, evse_id=evse_id, reservation_id=number, id_token="PHONE", expires_at=until)
        assert twin.apply(reserve)
        assert twin.apply(CancelReservation(at=twin.now, evse_id=evse_id, reservation_id=number))
    told = [event for event in twin.step() if isinstance(event, EvseStatusChanged)]
    assert len(told) == 2 * LOG_ROWS
    collect(twin, 180)
    assert twin.state.bays["reserved_for"][0] == -1


def test_remote_start_and_stop(make_twin: MakeTwin, small_layout: Layout) -> None:
    twin = make_twin("nearest", listen=True)
    collect(twin, 90)
    e = int(np.flatnonzero(twin.state.bays["driver"] >= 0)[0])
    d = int(twin.state.bays["driver"][e])
    stop = RemoteStop(at=twin.now, evse_id=small_layout.evse_ids[e], session_id=f"twin-{d:08d}")
    assert twin.apply(stop)
    assert not twin.apply(stop)
    ended = next(x for x in twin.step() if isinstance(x, SessionEnded))
    assert (ended.session_id, ended.reason) == (stop.session_id, StopReason.REMOTE)
    start = RemoteStart(at=twin.now, evse_id=small_layout.evse_ids[e], id_token="U00000000")
    assert not twin.apply(start)  # that driver is not waiting there


def test_bays_driven_from_outside_do_the_same_and_tell_it_elsewhere(make_twin: MakeTwin, small_layout: Layout) -> None:
    outside = np.zeros(len(small_layout.evse_ids), dtype=np.bool_)
    outside[::2] = True
    mixed = make_twin("nearest", listen=True, driven_outside=outside, faults_per_day=2.0)
    plain = make_twin("nearest", listen=True, faults_per_day=2.0)
    plugged_in, charged, unplugged, status = [], [], [], []
    told: list[Event] = []
    for _ in range(360):
        told += mixed.step()
        plugged_in += mixed.outside_plug_in
        charged += mixed.outside_charge_ended
        unplugged += mixed.outside_unplug
        status += mixed.outside_status
    everything = collect(plain, 360)
    assert mixed.kpis() == plain.kpis()
    assert not any(outside[small_layout.evse_index[x.evse_id]] for x in told if hasattr(x, "evse_id"))
    for kind, elsewhere in ((SessionStarted, plugged_in), (ChargeEnded, charged), (SessionEnded, unplugged)):
        missing = [x for x in everything if isinstance(x, kind) and outside[small_layout.evse_index[x.evse_id]]]
        assert len(missing) == len(elsewhere) > 0
    assert all(len(x.id_token) <= 20 and x.energy_wanted_kwh > 0 for x in plugged_in)
    assert status
    assert all(isinstance(x, PlugIn) for x in plugged_in)
    assert all(isinstance(x, Unplug) for x in unplugged)
    ends = {x.id_token: x.meter_wh for x in unplugged}
    delivered = {x.id_token: (ends[x.id_token] - x.meter_wh) / 1000 for x in plugged_in if x.id_token in ends}
    assert all(-1e-9 <= delivered[x.id_token] <= x.energy_wanted_kwh + 1e-6 for x in plugged_in if x.id_token in ends)


def test_an_outside_limit_is_obeyed(make_twin: MakeTwin) -> None:
    twin = make_twin("nearest")
    collect(twin, 60)
    e = int(np.argmax(twin.power_kw))
    assert twin.power_kw[e] > 3
    twin.limit_kw[e] = 3.0
    before = twin.meter_wh[e]
    twin.step()
    assert twin.power_kw[e] == 3
    assert twin.meter_wh[e] - before == pytest.approx(50)


def test_a_listener_who_comes_late_learns_how_things_stand(make_twin: MakeTwin, small_city: City, small_layout: Layout) -> None:
    twin = make_twin("external", faults_per_day=2.0)
    twin.run_until(twin.start + timedelta(hours=3))
    perception = Perception(small_city, small_layout)
    for event in twin.current_events():
        perception.apply(event)
    _same_picture(twin, perception)
    greedy = Greedy(small_layout)
    for _ in range(60):
        events = twin.step()
        for event in events:
            perception.apply(event)
        for command in greedy.step(events, twin.now):
            twin.apply(command)
    _same_picture(twin, perception)
    assert perception.passed_over == 0


def _same_picture(twin: Twin, perception: Perception) -> None:
    world, state = perception.snapshot(twin.now), twin.state
    charging = state.bays["driver"] >= 0
    np.testing.assert_array_equal(world.has_session, charging)
    np.testing.assert_array_equal(world.pool_queue, state.pools["queue"])
    np.testing.assert_array_equal(world.evse_status == EvseStatus.FAULTED, state.bays["broken"] > 0)
    starts = state.cars["start_s"][state.bays["driver"][charging]]
    np.testing.assert_allclose(world.session_start_s[charging], starts, atol=1e-3)
    assert np.isfinite(world.session_depart_s[charging]).all()  # every session found its request


def test_the_next_day_s_drivers_can_follow(
    make_twin: MakeTwin, draw: Callable[..., Drivers], small_city: City, small_layout: Layout
) -> None:
    whole = draw(hours=12)
    end = whole.start + timedelta(hours=6)
    cut = int(np.searchsorted(whole.appear_s, end.timestamp()))
    one = _part(whole, slice(0, cut), whole.start, 0)
    later = _part(whole, slice(cut, None), end, cut)
    together, apart = make_twin("shortest-wait", whole, faults_per_day=0.0), make_twin("shortest-wait", one, faults_per_day=0.0)
    collect(together, 12 * 60)
    collect(apart, 5 * 60)
    apart.extend(later)
    collect(apart, 7 * 60)
    assert apart.kpis().wait_min == together.kpis().wait_min
    assert apart.kpis().energy_kwh == pytest.approx(together.kpis().energy_kwh)
    with pytest.raises(BadInput, match="must begin"):
        apart.extend(later)


def _part(drivers: Drivers, these: slice, start: datetime, first: int) -> Drivers:
    return replace(drivers[these], start=start, hours=6, first=first)


def test_bad_arguments_are_named(make_twin: MakeTwin) -> None:
    with pytest.raises(BadInput, match="no policy 'farthest'"):
        make_twin("farthest")
    with pytest.raises(BadInput, match="must divide the hour"):
        make_twin("nearest", step_s=7)


def test_numbers_of_drivers_can_start_anywhere(
    small_city: City, small_layout: Layout, make_twin: MakeTwin, draw: Callable[..., Drivers]
) -> None:
    drivers = draw_drivers(small_city, small_layout, draw().start, 2, 1.0, np.random.default_rng(1), first=123456)
    requests = [x.request for x in collect(make_twin("external", drivers), 60) if isinstance(x, ChargeRequested)]
    assert (requests[0].request_id, requests[0].id_token) == ("R00123456", "U00123456")
