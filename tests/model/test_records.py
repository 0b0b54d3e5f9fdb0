"""Records: checked once at the edge, with errors that say where and what; the seam can be written down and read back."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chargeloop.model import (
    Answer,
    BadInput,
    BayLost,
    BayOffered,
    CancelReservation,
    Cdr,
    ChargeEnded,
    ChargeloopError,
    ChargeRequest,
    ChargeRequested,
    ChargingCurve,
    ChargingNeedsTold,
    Circuit,
    CircuitKind,
    City,
    Command,
    CostLine,
    Current,
    Decision,
    DecisionMade,
    DriverArrived,
    EnergyPrice,
    Event,
    EvseStatus,
    EvseStatusChanged,
    GuideDriver,
    Layout,
    Loss,
    MeterSampled,
    Offer,
    OfferAnswered,
    Payment,
    Place,
    PriceBand,
    QueuePolicy,
    QueuePolicySet,
    RemoteStart,
    RemoteStop,
    RequestWithdrawn,
    Reservation,
    ReservationClosed,
    ReservationMade,
    ReservationState,
    ReserveEvse,
    Session,
    SessionEnded,
    SessionStarted,
    SetChargingProfile,
    Sort,
    StopReason,
    Tariff,
    Tier,
    Unreachable,
    User,
    VehicleModel,
    WeatherObserved,
    Zone,
)
from chargeloop.model.validated import from_data, from_json, to_json

NOW = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)
REQUEST = ChargeRequest(
    "r1",
    NOW,
    Place(114.0, 22.5),
    "T1",
    "m",
    Tier.TAXI,
    Current.DC,
    0.2,
    0.8,
    60.0,
    NOW + timedelta(hours=1),
    sort=Sort.CHEAPEST,
)
OFFER = Offer("S1", Current.DC, 6.0, 3.0, 0.0, 1.0, 25.0, 24.0, 0.19, Decimal("20.10"), 1.5, {"drive": 1.5})
DECISION = Decision("D-r1", "r1", NOW, "exact", OFFER, (OFFER,), "near", REQUEST)
HELD = Reservation(1, None, "S1", "T1", NOW, NOW, "r1")
OFFERED = replace(HELD, evse_id="E1", answer_by=NOW, current=Current.DC, tier=Tier.EMERGENCY, lost=Loss.FAULT, snoozes=1)
EVENTS = [
    EvseStatusChanged(at=NOW, evse_id="E1", status=EvseStatus.FAULTED, info="relay"),
    SessionStarted(at=NOW, session_id="s1", evse_id="E1", id_token="T1"),
    MeterSampled(at=NOW, session_id="s1", evse_id="E1", meter_wh=1.5, power_kw=-3.0, soc=0.5),
    ChargeEnded(at=NOW, session_id="s1", evse_id="E1", meter_wh=2.0),
    ChargingNeedsTold(at=NOW, evse_id="E1", energy_kwh=20.0, depart_by=NOW),
    SessionEnded(at=NOW, session_id="s1", evse_id="E1", meter_wh=2.0, reason=StopReason.FULL),
    ChargeRequested(at=NOW, request=REQUEST),
    DecisionMade(at=NOW, decision=DECISION),
    DriverArrived(at=NOW, request_id="r1", station_id="S1"),
    RequestWithdrawn(at=NOW, request_id="r1", reason="tired of waiting"),
    ReservationMade(at=NOW, reservation=HELD),
    ReservationClosed(at=NOW, reservation_id=1, state=ReservationState.EXPIRED),
    BayOffered(at=NOW, reservation=OFFERED),
    OfferAnswered(at=NOW, answer=Answer.ACCEPT, reservation=OFFERED),
    BayLost(at=NOW, reservation_id=1, why=Loss.TAKEN),
    QueuePolicySet(at=NOW, policy=QueuePolicy(answer_s=120.0, snoozes=1)),
    WeatherObserved(at=NOW, temperature_c=-3.0, rain=1),
]
COMMANDS = [
    SetChargingProfile(at=NOW, evse_id="E1", session_id="s1", start=NOW, step_s=300, limits_kw=(7.0, 3.5)),
    GuideDriver(at=NOW, request_id="r1", station_id=None, why="none", route=((114.0, 22.5),)),
    ReserveEvse(at=NOW, evse_id="E1", reservation_id=1, id_token="T1", expires_at=NOW),
    CancelReservation(at=NOW, evse_id="E1", reservation_id=1),
    RemoteStart(at=NOW, evse_id="E1", id_token="T1"),
    RemoteStop(at=NOW, evse_id="E1", session_id="s1"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda each: each.kind)
def test_an_event_is_the_same_after_writing_and_reading(event: Any) -> None:
    assert from_json(Event, to_json(event, Event), "here") == event


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.kind)
def test_a_command_is_the_same_after_writing_and_reading(command: Any) -> None:
    assert from_json(Command, to_json(command, Command), "here") == command


def test_what_earlier_versions_have_written_is_still_read() -> None:
    old = (
        '{"kind":"reservation_made","at":"2025-06-10T09:30:00Z","reservation":{"reservation_id":1,"evse_id":null,'
        '"station_id":"S1","id_token":"T1","made_at":"2025-06-10T09:30:00Z","expires_at":"2025-06-10T09:30:00Z",'
        '"request_id":"r1","state":"held"}}'
    )
    assert from_json(Event, old, "here") == ReservationMade(at=NOW, reservation=HELD)
    without = {name: value for name, value in json.loads(to_json(OFFER)).items() if name not in ("why_not", "against")}
    assert from_json(Offer, json.dumps(without), "here") == OFFER


def test_a_cdr_keeps_its_cents() -> None:
    line = CostLine("energy", Decimal("1.000000"), Decimal("1.10"), Decimal("1.1000"))
    cdr = Cdr("CDR-1", Session("s1", "E1", "S1", "T1", NOW, 1.0), "day", "CNY", (line,), Decimal("1.10"), 0.5)
    assert from_json(Cdr, to_json(cdr), "here") == cdr


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (Place, {"lon": 181.0, "lat": 0.0}, "lon"),
        (Place, {"lon": 0.0, "lat": -90.5}, "lat"),
        (Place, {"lon": 0.0}, "lat"),
        (Zone, {"zone_id": "", "centre": {"lon": 0, "lat": 0}, "radius_m": 1, "land_use": "office"}, "zone_id"),
        (Circuit, {"circuit_id": "c", "kind": "site", "limit_kw": 0.0}, "limit_kw"),
        (User, {"user_id": "u", "id_token": "longer than twenty characters"}, "id_token"),
        (User, {"user_id": "u", "id_token": "t", "value_of_time_per_h": -1}, "value_of_time_per_h"),
        (VehicleModel, {"model_id": "m", "name": "m", "battery_kwh": -60.0}, "battery_kwh"),
        (ChargingCurve, {"soc": [0.5, 0.2], "power_kw": [1.0, 2.0]}, "must rise"),
        (ChargingCurve, {"soc": [0.5], "power_kw": [1.0]}, "two or more points"),
        (EnergyPrice, {"cny_per_kwh": [1.0], "kg_co2_per_kwh": [1.0]}, "24 hourly values"),
        (PriceBand, {"start_h": 8, "end_h": 8, "energy_per_kwh": "1", "service_per_kwh": "1"}, "must end after"),
        (PriceBand, {"start_h": 0, "end_h": 25, "energy_per_kwh": "1", "service_per_kwh": "1"}, "end_h"),
        (PriceBand, {"start_h": 0, "end_h": 5, "energy_per_kwh": "-1", "service_per_kwh": "1"}, "energy_per_kwh"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(kind: Any, data: object, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        from_data(kind, data, "stations.csv: row 7")
    assert str(caught.value).startswith("stations.csv: row 7")
    assert isinstance(caught.value, ChargeloopError)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"kind": "session_begun"}', "session_begun"),
        ('{"kind": "weather_observed", "at": "2025-06-10T09:30:00Z", "temperature_c": "warm", "rain": 0}', "temperature_c"),
        ('{"kind": "weather_observed", "at": "2025-06-10T09:30:00", "temperature_c": 1, "rain": 0}', "at"),
        ('{"kind": "weather_observed"', "JSON"),
        ("[]", "here"),
    ],
)
def test_a_line_of_a_feed_that_is_wrong_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        from_json(Event, text, "here")


def test_a_request_must_make_sense() -> None:
    assert REQUEST.energy_kwh == pytest.approx(36)
    with pytest.raises(ValueError, match="depart_by"):
        replace(REQUEST, depart_by=NOW)
    with pytest.raises(ValueError, match="target_soc"):
        replace(REQUEST, target_soc=0.1)


def test_a_tariff_covers_the_day_without_gap_or_overlap() -> None:
    band = PriceBand(0, 24, Decimal(1), Decimal(1))
    Tariff("t", "CNY", "Asia/Shanghai", (band,))
    for bands in ((), (replace(band, end_h=23),), (band, band), (replace(band, start_h=1),)):
        with pytest.raises(ValueError, match="cover 0 to 24"):
            Tariff("t", "CNY", "Asia/Shanghai", bands)


def test_offers_and_users_know_their_sums_and_defaults() -> None:
    assert OFFER.total_min == 31
    assert User("u", "t").payment is Payment.CONTRACT


def test_the_layout_orders_pools_and_circuits(small_city: City) -> None:
    layout = Layout.of(small_city)
    assert layout.pool_bays.sum() == len(layout.evse_ids)
    assert all(layout.evse_pool[e] == p for p in range(len(layout.pool_bays)) for e in range(*layout.pool_start[p : p + 2]))
    assert all(parent < c for c, parent in enumerate(layout.circuit_parent))
    assert layout.circuit_base_kw.sum() == 2.0 * len(small_city.sites)


def test_a_circuit_without_a_parent_or_in_a_ring_is_refused(small_city: City) -> None:
    lost = Circuit("lost", CircuitKind.SITE, 1.0, "nowhere")
    ring = (Circuit("a", CircuitKind.SITE, 1.0, "b"), Circuit("b", CircuitKind.SITE, 1.0, "a"))
    for more in ((lost,), ring):
        with pytest.raises(BadInput, match="circuit"):
            Layout.of(replace(small_city, circuits=(*small_city.circuits, *more)))


def test_every_error_is_one_line() -> None:
    assert str(BadInput("file.csv: row 3", "is empty")) == "file.csv: row 3: is empty"
    assert issubclass(Unreachable, ChargeloopError)
