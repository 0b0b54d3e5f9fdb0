"""The OCPP codec: against the `ocpp` package's 1.6 schemas, and by itself."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.messages import Call, CallResult, validate_payload

from chargeloop import model
from chargeloop.model import EvseStatus
from chargeloop.protocols import ocpp as wire
from chargeloop.protocols.ocpp import ErrorCode, Installed, Version, WireError

AT = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)
INSTANTS = st.integers(946_684_800, 4_102_444_800).map(lambda s: datetime.fromtimestamp(s, UTC))
OK = wire.IdTagInfo(status="Accepted")


def validate(message: wire.Message, name: str, is_answer: bool = False) -> None:
    """Against the official schema."""
    payload = json.loads(json.dumps(wire.to_payload(message)))
    asyncio.run(validate_payload(CallResult("1", payload, name) if is_answer else Call("1", name, payload), "1.6"))


def plain(frame: wire.Frame | None) -> wire.Frame | None:
    """With its payload read."""
    if isinstance(frame, wire.Call) and not isinstance(frame.payload, dict):
        return wire.Call(frame.message_id, frame.action, json.loads(bytes(frame.payload)))
    return frame


def profile(**changes: Any) -> wire.ChargingProfile:
    periods = changes.pop("periods", ((0, 7000.0),))
    unit = changes.pop("unit", "W")
    schedule = wire.ChargingSchedule(
        charging_rate_unit=unit,
        start_schedule=changes.pop("start", AT),
        duration=changes.pop("duration", None),
        charging_schedule_period=tuple(wire.ChargingSchedulePeriod(start_period=s, limit=w) for s, w in periods),
    )
    fields: dict[str, Any] = {
        "charging_profile_id": 1,
        "stack_level": 0,
        "charging_profile_purpose": "TxProfile",
        "charging_profile_kind": "Absolute",
        "charging_schedule": schedule,
    }
    return wire.ChargingProfile(**{**fields, **changes})


def set_profile(limits_kw: tuple[float, ...] = (7.0, 3.5, 3.5)) -> model.SetChargingProfile:
    return model.SetChargingProfile(at=AT, evse_id="E1", session_id="ocpp-42", start=AT, step_s=300, limits_kw=limits_kw)


MESSAGES: list[wire.Message] = [
    wire.BootNotification(charge_point_vendor="V", charge_point_model="M", firmware_version="1"),
    wire.Heartbeat(),
    wire.StatusNotification(connector_id=1, error_code="NoError", status="SuspendedEV", timestamp=AT, info="x"),
    wire.Authorize(id_tag="T"),
    wire.StartTransaction(connector_id=1, id_tag="T", meter_start=5, timestamp=AT, reservation_id=7),
    wire.StopTransaction(transaction_id=4, meter_stop=9, timestamp=AT, reason="Remote", id_tag="T"),
    wire.MeterValues(connector_id=1, transaction_id=4, meter_value=(wire.meter_value(AT, 12.5, 7.0, 0.5),)),
    wire.DataTransfer(vendor_id="V", message_id="m", data="d"),
    wire.SetChargingProfile(connector_id=1, cs_charging_profiles=profile(transaction_id=3, duration=60)),
    wire.ClearChargingProfile(id=1, charging_profile_purpose="TxProfile", stack_level=0, connector_id=1),
    wire.RemoteStartTransaction(id_tag="T", connector_id=1, charging_profile=profile()),
    wire.RemoteStopTransaction(transaction_id=3),
    wire.ReserveNow(connector_id=1, expiry_date=AT, id_tag="T", reservation_id=3),
    wire.CancelReservation(reservation_id=3),
    wire.TriggerMessage(requested_message="StatusNotification", connector_id=1),
]
ANSWERS: list[tuple[str, wire.Message]] = [
    ("BootNotification", wire.BootNotificationResponse(status="Accepted", current_time=AT, interval=300)),
    ("Heartbeat", wire.HeartbeatResponse(current_time=AT)),
    ("StatusNotification", wire.EmptyResponse()),
    ("MeterValues", wire.EmptyResponse()),
    ("Authorize", wire.AuthorizeResponse(id_tag_info=OK)),
    ("StartTransaction", wire.StartTransactionResponse(id_tag_info=OK, transaction_id=5)),
    ("StopTransaction", wire.StopTransactionResponse()),
    ("StopTransaction", wire.StopTransactionResponse(id_tag_info=OK)),
    ("DataTransfer", wire.StatusResponse(status="UnknownVendorId")),
    *((name, wire.StatusResponse(status="Accepted")) for name in wire.TO_STATION),
]


class TestOfficialSchemas:
    @pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
    def test_calls_validate_and_read_back(self, message: wire.Message) -> None:
        name = type(message).__name__
        validate(message, name)
        assert wire.read_call({**wire.FROM_STATION, **wire.TO_STATION}, name, wire.to_payload(message)) == message

    @pytest.mark.parametrize(("name", "message"), ANSWERS)
    def test_answers_validate(self, name: str, message: wire.Message) -> None:
        validate(message, name, is_answer=True)

    @given(st.lists(st.floats(0, 1000), min_size=1, max_size=24), st.integers(1, 3600), INSTANTS)
    def test_every_profile_we_send_validates(self, limits: list[float], step_s: int, start: datetime) -> None:
        command = model.SetChargingProfile(
            at=start, evse_id="E", session_id="ocpp-1", start=start, step_s=step_s, limits_kw=tuple(limits)
        )
        for version in Version:
            action, payload = wire.call_of(version, command, 1, "1")
            wire.check(version, action, payload)

    @pytest.mark.parametrize("reason", wire.STOP_NAME.values())
    def test_stop_reasons_validate(self, reason: str) -> None:
        validate(wire.StopTransaction(transaction_id=1, meter_stop=1, timestamp=AT, reason=reason), "StopTransaction")

    def test_all_calls_are_tried(self) -> None:
        assert {type(message).__name__ for message in MESSAGES} == {*wire.FROM_STATION, *wire.TO_STATION}


class TestFrames:
    @given(
        st.text(min_size=1, max_size=36),
        st.text(),
        st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()),
    )
    def test_frames_read_back(self, message_id: str, text: str, payload: dict[str, Any]) -> None:
        error = wire.CallError(message_id, ErrorCode.GENERIC_ERROR, text[:255], payload)
        for frame in (wire.Call(message_id, text, payload), wire.CallResult(message_id, payload), error):
            assert plain(wire.parse(wire.encode(frame))) == frame
        for told in (wire.Send(message_id, text, payload), wire.CallResultError(message_id, ErrorCode.GENERIC_ERROR)):
            assert plain(wire.parse(wire.encode(told, Version.V21))) == told

    @pytest.mark.parametrize("code", ErrorCode)
    def test_codes_have_the_names_of_their_version(self, code: ErrorCode) -> None:
        assert wire.parse(wire.encode(wire.CallError("1", code), Version.V201)) == wire.CallError("1", code)

    def test_16_keeps_its_odd_names(self) -> None:
        assert b"FormationViolation" in wire.encode(wire.CallError("1", ErrorCode.FORMAT_VIOLATION))
        assert b"OccurenceConstraintViolation" in wire.encode(wire.CallError("1", ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION))

    @pytest.mark.parametrize(
        ("spelt", "code"),
        [
            ("FormationViolation", ErrorCode.FORMAT_VIOLATION),
            ("OccurenceConstraintViolation", ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
            ("SomethingNew", ErrorCode.GENERIC_ERROR),
        ],
    )
    def test_other_spellings_are_understood(self, spelt: str, code: ErrorCode) -> None:
        assert wire.parse(json.dumps([4, "1", spelt, ""])) == wire.CallError("1", code)

    @pytest.mark.parametrize("text", ['[7,"1","x","y",{}]', "[99]"])
    def test_unknown_types_are_ignored(self, text: str) -> None:
        assert wire.parse(text) is None

    @pytest.mark.parametrize(
        ("text", "answer_id"),
        [
            ("{", "-1"),
            ("", "-1"),
            ("{}", "-1"),
            ("[]", "-1"),
            ("[true]", "-1"),
            ('[2,7,"Heartbeat",{}]', "-1"),
            ('[2,"7","Heartbeat"]', "7"),
            ('[2,"7","Heartbeat",[]]', "7"),
            ('[2,"7",8,{}]', "7"),
            (f'[2,"{"7" * 37}","Heartbeat",{{}}]', "-1"),
            ("[3]", None),
            ('[4,"1"]', None),
            (b"\xff\xfe", "-1"),
            ("[" * 100_000, "-1"),
        ],
    )
    def test_damage_is_named(self, text: str | bytes, answer_id: str | None) -> None:
        with pytest.raises(WireError) as caught:
            wire.parse(text)
        answer = caught.value.answer()
        assert (answer.message_id if answer else None) == answer_id
        assert caught.value.code in (ErrorCode.FORMAT_VIOLATION, ErrorCode.RPC_FRAMEWORK_ERROR)

    @given(st.text() | st.binary())
    def test_nothing_else_escapes(self, text: str | bytes) -> None:
        with suppress(WireError):
            wire.parse(text)


class TestChecking:
    @pytest.mark.parametrize(
        ("action", "payload", "code"),
        [
            ("Authorize", {}, ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
            ("Authorize", {"idTag": 5}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
            ("Authorize", {"idTag": "x" * 21}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
            ("Fly", {}, ErrorCode.NOT_IMPLEMENTED),
            ("FirmwareStatusNotification", {"status": "Idle"}, ErrorCode.NOT_SUPPORTED),
            (
                "StatusNotification",
                {"connectorId": 1, "errorCode": "NoError", "status": "Tired"},
                ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
            ),
            (
                "StartTransaction",
                {"connectorId": 1, "idTag": "T", "meterStart": 10**400, "timestamp": "2025-01-01T00:00:00Z"},
                ErrorCode.TYPE_CONSTRAINT_VIOLATION,
            ),
            (
                "StartTransaction",
                {"connectorId": 1, "idTag": "T", "meterStart": 1, "timestamp": "yesterday"},
                ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
            ),
        ],
    )
    def test_codes(self, action: str, payload: dict[str, Any], code: ErrorCode) -> None:
        with pytest.raises(WireError) as caught:
            wire.read_call(wire.FROM_STATION, action, payload)
        if code is ErrorCode.TYPE_CONSTRAINT_VIOLATION:
            assert caught.value.code in (code, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION)
        else:
            assert caught.value.code is code


class TestMapping:
    @given(st.lists(st.floats(0, 500), min_size=1, max_size=12), st.floats(0, 5000))
    def test_the_limit_in_force_is_the_step_in_force(self, limits: list[float], after_s: float) -> None:
        _, payload = wire.call_of(Version.V16, set_profile(tuple(limits)), 1, "42")
        call = wire.read_payload(wire.SetChargingProfile, payload)
        limit = wire.limit_w([Installed(1, call.cs_charging_profiles)], AT + timedelta(seconds=after_s), 42)
        wanted = limits[min(int(after_s // 300), len(limits) - 1)] * 1000
        assert limit is not None
        assert wanted - 1 <= limit <= wanted + 1e-5

    @pytest.mark.parametrize(
        "command",
        [
            model.RemoteStart(at=AT, evse_id="E", id_token="T"),
            model.RemoteStop(at=AT, evse_id="E", session_id="ocpp-3"),
            model.ReserveEvse(at=AT, evse_id="E", reservation_id=4, id_token="T", expires_at=AT),
            model.CancelReservation(at=AT, evse_id="E", reservation_id=4),
        ],
    )
    def test_commands_come_back(self, command: model.Command) -> None:
        action, payload = wire.call_of(Version.V16, command, 1, "3")
        call = wire.read_call(wire.TO_STATION, action, payload)
        assert not isinstance(call, wire.SetChargingProfile | wire.ClearChargingProfile | wire.TriggerMessage)
        assert wire.command_of("E", call, AT) == command


class TestProfiles:
    def test_nothing_installed_limits_nothing(self) -> None:
        assert wire.limit_w([], AT) is None

    def test_a_session_profile_replaces_the_default_and_the_maximum_caps_it(self) -> None:
        default = Installed(0, profile(charging_profile_purpose="TxDefaultProfile", periods=((0, 3000.0),)))
        own = Installed(1, profile(charging_profile_id=2, transaction_id=5, periods=((0, 6000.0),)))
        cap = Installed(
            0, profile(charging_profile_id=3, charging_profile_purpose="ChargePointMaxProfile", periods=((0, 5000.0),))
        )
        assert wire.limit_w([default, own], AT, 5) == 6000
        assert wire.limit_w([default, own], AT, 6) == 3000  # the profile of another transaction
        assert wire.limit_w([default, own, cap], AT, 5) == 5000

    def test_a_higher_level_leads_while_it_has_something_to_say(self) -> None:
        low = Installed(1, profile(periods=((0, 3000.0),)))
        high = Installed(1, profile(charging_profile_id=2, stack_level=1, duration=60, periods=((0, 9000.0),)))
        assert wire.limit_w([low, high], AT + timedelta(seconds=59), 1) == 9000
        assert wire.limit_w([low, high], AT + timedelta(seconds=60), 1) == 3000
        assert wire.limit_w([low, high], AT - timedelta(seconds=1), 1) is None

    def test_kinds_and_units(self) -> None:
        later = AT + timedelta(days=2, hours=1)
        daily = profile(charging_profile_kind="Recurring", recurrency_kind="Daily", periods=((0, 10.0), (3600, 16.0)), unit="A")
        assert wire.limit_w([Installed(1, daily)], later, 1) == 16 * 230 * 3
        relative = profile(charging_profile_kind="Relative", start=None, periods=((0, 1000.0), (600, 2000.0)))
        assert wire.limit_w([Installed(1, relative)], AT, 1, AT - timedelta(minutes=11)) == 2000
        assert wire.limit_w([Installed(1, relative)], AT, 1) == 1000
        valid = profile(valid_from=AT + timedelta(hours=1), valid_to=AT + timedelta(hours=2))
        assert [wire.limit_w([Installed(1, valid)], AT + timedelta(hours=h), 1) for h in (0, 1, 2)] == [None, 7000, None]

    def test_installing_replaces_and_clearing_takes_an_id_or_criteria(self) -> None:
        one = wire.install((), Installed(1, profile()))
        same_slot = wire.install(one, Installed(1, profile(charging_profile_id=9)))
        assert [each.profile.charging_profile_id for each in same_slot] == [9]
        two = wire.install(one, Installed(1, profile(charging_profile_id=2, stack_level=3)))
        assert len(two) == 2
        assert wire.clear(two, wire.ClearChargingProfile(stack_level=3)) == one
        assert wire.clear(two, wire.ClearChargingProfile(id=1, stack_level=3)) == two[1:]  # an id is enough
        assert wire.clear(two, wire.ClearChargingProfile()) == ()


def test_names_are_those_of_the_wire() -> None:
    assert [str(version) for version in Version] == ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]
    assert wire.CONNECTOR == 1
    with pytest.raises(WireError) as caught:
        wire.parse("{}")
    answer = caught.value.answer()
    assert answer is not None
    assert answer.message_id == wire.NO_ID
    assert set(wire.STATUS_NAME) == set(EvseStatus)


def test_a_call_is_read_by_its_action() -> None:
    message: wire.FromStation = wire.read_call(wire.FROM_STATION, "Authorize", {"idTag": "T"})
    assert message == wire.Authorize(id_tag="T")
    command: wire.ToStation = wire.read_call(wire.TO_STATION, "CancelReservation", {"reservationId": 1})
    assert command == wire.CancelReservation(reservation_id=1)


def test_a_meter_value_holds_its_samples() -> None:
    value = wire.meter_value(AT, 12.5, 7.0, None)
    energy = wire.SampledValue(value="12.5")
    power = wire.SampledValue(value="7000.0", measurand="Power.Active.Import", unit="W")
    assert value == wire.MeterValue(timestamp=AT, sampled_value=(energy, power))
