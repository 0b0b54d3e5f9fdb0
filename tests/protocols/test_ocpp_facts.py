"""What stations tell, in each version's words, and what is told to them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop import model
from chargeloop.model import BadInput, EvseStatus, StopReason
from chargeloop.protocols import ocpp as wire
from chargeloop.protocols.ocpp import Ended, Reading, Started, StatusTold, Updated, Version, fact_of

AT = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)
V16, V201 = Version.V16, Version.V201


def status(**said: Any) -> StatusTold:
    fact = fact_of(V16, "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"} | said, AT)
    assert isinstance(fact, StatusTold)
    return fact


def event(kind: str, **said: Any) -> wire.Fact | None:
    payload = {"eventType": kind, "timestamp": AT, "triggerReason": "Authorized", "seqNo": 3} | said
    return fact_of(V201, "TransactionEvent", {"transactionInfo": {"transactionId": "x"}} | payload, AT)


class TestVersion16:
    def test_status(self) -> None:
        assert status(status="SuspendedEV", info="null") == StatusTold(connector=1, status=EvseStatus.SUSPENDED_EV, at=AT)
        assert status(status="Faulted", errorCode="Error", info="hot", vendorErrorCode="7").info == "Error; 7; hot"

    @pytest.mark.parametrize(
        ("reason", "is_"),
        [
            ("Local", StopReason.DEPARTED),
            ("EVDisconnected", StopReason.DEPARTED),
            ("Remote", StopReason.REMOTE),
            ("PowerLoss", StopReason.FAULT),
            ("Error7", StopReason.OTHER),
        ],
    )
    def test_stops(self, reason: str, is_: StopReason) -> None:
        said = {"transactionId": 3, "meterStop": 5, "timestamp": AT, "reason": reason, "idTag": "T"}
        assert fact_of(V16, "StopTransaction", said, AT) == Ended(
            wire_id="3", connector=None, at=AT, reason=is_, meter_wh=5.0, id_token="T"
        )

    def test_starts(self) -> None:
        said = {"connectorId": 2, "idTag": " ", "meterStart": 7, "timestamp": AT, "reservationId": 4}
        fact = fact_of(V16, "StartTransaction", said, AT)
        assert isinstance(fact, Started)
        assert (fact.connector, fact.id_token, fact.meter_wh, fact.reservation_id) == (2, "unknown", 7.0, 4)
        silent = fact_of(V16, "StartTransaction", said | {"meterStart": 2**31 - 1}, AT)
        assert isinstance(silent, Started)
        assert silent.meter_wh is None

    def test_what_was_salvaged_is_read_too(self) -> None:
        for action in ("StartTransaction", "StopTransaction", "MeterValues"):
            assert fact_of(V16, action, {}, AT) is not None
        assert fact_of(V201, "TransactionEvent", {}, AT) is not None

    def test_other_messages_tell_nothing_of_it(self) -> None:
        assert fact_of(V16, "Heartbeat", {}, AT) is None
        assert fact_of(V201, "Heartbeat", {}, AT) is None


class TestVersion2:
    def test_starts(self) -> None:
        fact = event("Started", evse={"id": 2}, idToken={"idToken": "T", "type": "Central"}, reservationId=9)
        assert isinstance(fact, Started)
        assert (fact.connector, fact.id_token, fact.wire_id, fact.seq_no, fact.reservation_id) == (2, "T", "x", 3, 9)

    def test_updates(self) -> None:
        fact = event("Updated", transactionInfo={"transactionId": "x", "chargingState": "SuspendedEV"})
        assert fact == Updated(wire_id="x", connector=None, at=AT, seq_no=3, is_charged=True)

    @pytest.mark.parametrize(
        ("stopped", "is_"),
        [
            ("Local", StopReason.DEPARTED),
            ("SOCLimitReached", StopReason.FULL),
            ("GroundFault", StopReason.FAULT),
            ("Remote", StopReason.REMOTE),
            ("MasterPass", StopReason.OTHER),
        ],
    )
    def test_ends(self, stopped: str, is_: StopReason) -> None:
        fact = event("Ended", transactionInfo={"transactionId": "x", "stoppedReason": stopped})
        assert fact == Ended(wire_id="x", connector=None, at=AT, reason=is_, seq_no=3)

    def test_status_also_as_a_variable(self) -> None:
        said = {"timestamp": AT, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
        told = StatusTold(connector=2, status=EvseStatus.PREPARING, at=AT)
        assert fact_of(V201, "StatusNotification", said, AT) == told
        variable = {
            "component": {"name": "Connector", "evse": {"id": 2}},
            "variable": {"name": "AvailabilityState"},
            "actualValue": "Occupied",
            "timestamp": AT,
        }
        assert fact_of(Version.V21, "NotifyEvent", {"eventData": [variable]}, AT) == told

    def test_meter_values_outside_of_transactions(self) -> None:
        fact = fact_of(V201, "MeterValues", {"evseId": 1, "meterValue": []}, AT)
        assert fact == Updated(wire_id=None, connector=1, at=AT)


class TestInstants:
    @pytest.mark.parametrize(
        ("said", "believed"),
        [
            (None, AT),
            (AT - timedelta(hours=5), AT - timedelta(hours=5)),
            (AT + timedelta(days=1), AT),
            (datetime(1970, 1, 1, tzinfo=UTC), AT),
            (AT.replace(tzinfo=None), AT),
            (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9))), AT),
        ],
    )
    def test_clocks_that_cannot_be_right(self, said: datetime | None, believed: datetime) -> None:
        assert wire.believed(said, AT) == believed

    def test_as_utc_and_on_the_wire(self) -> None:
        assert wire.as_utc(datetime(2025, 6, 10, 9, 30)) == AT  # noqa: DTZ001 (stations do send such)
        assert wire.as_utc(AT.astimezone(timezone(timedelta(hours=8)))) == AT
        assert wire.wire_time(AT.astimezone(timezone(timedelta(hours=8)))) == "2025-06-10T09:30:00Z"
        assert wire.wire_time(AT.replace(microsecond=120_900)) == "2025-06-10T09:30:00.120Z"


class TestReadings:
    @given(st.floats(0, 1e9), st.floats(0, 500), st.none() | st.floats(0, 1))
    def test_what_our_own_stations_send_reads_back(self, wh: float, kw: float, soc: float | None) -> None:
        value = wire.to_payload(wire.meter_value(AT, wh, kw, soc)) | {"timestamp": AT}
        (reading,) = wire.readings([value], AT)
        assert reading.meter_wh == pytest.approx(wh, abs=0.06)
        assert reading.power_kw == pytest.approx(kw, abs=0.0001)
        assert reading.soc == (None if soc is None else pytest.approx(soc, abs=0.001))

    @pytest.mark.parametrize(
        ("samples", "meter_wh", "power_kw"),
        [
            ([{"value": "1.5", "unit": "kWh"}], 1500, None),
            ([{"value": "nan"}, {"value": "2", "measurand": "Power.Active.Import", "unit": "kW"}], None, 2),
            ([{"value": "2500", "measurand": "Power.Active.Import"}], None, 2.5),
            ([{"value": "1", "phase": "L1"}, {"value": "2", "phase": "L2"}], 3, None),
            ([{"value": "9"}, {"value": "1", "context": "Transaction.Begin"}], 9, None),
            ([{"value": "9", "location": "Inlet"}, {"value": "8"}], 8, None),
            ([{"value": 1.5, "unitOfMeasure": {"unit": "kWh"}}], 1500, None),
            ([{"value": 15, "unitOfMeasure": {"unit": "Wh", "multiplier": 2}}], 1500, None),
        ],
    )
    def test_meters_of_many_makes(self, samples: list[dict[str, Any]], meter_wh: float | None, power_kw: float | None) -> None:
        (reading,) = wire.readings([{"timestamp": AT, "sampledValue": samples}], AT)
        assert (reading.meter_wh, reading.power_kw) == (meter_wh, power_kw)

    def test_a_value_without_samples_is_no_reading(self) -> None:
        assert wire.readings([{"timestamp": AT, "sampledValue": []}], AT) == ()
        assert wire.readings([{"timestamp": AT, "sampledValue": [{"value": "1", "context": "Transaction.Begin"}]}], AT) == (
            Reading(AT, 1.0, is_begin=True),
        )

    def test_signed_values_are_kept_as_received(self) -> None:
        of_16 = {"value": "OCMF|{}", "format": "SignedData"}
        of_2 = {"value": 1.0, "signedMeterValue": {"signedMeterData": "T0NNRg=="}}
        found = wire.signed_values([{"sampledValue": [of_16, of_2, {"value": "1"}]}], AT)
        assert [(each.at, each.raw) for each in found] == [(AT, "OCMF|{}"), (AT, "T0NNRg==")]

    @pytest.mark.parametrize(
        ("raw", "start", "last", "true"),
        [
            (5000, 1000, 4000, 5000),
            (3900, 1000, 4000, 4000),  # steps back a little: holds
            (500, 90_000, 90_300, 90_500),  # begins at 0 in each session
            (500, 999_000, 999_900, 1_000_500),  # rolled over
            (2500, 999_000, 1_000_500, 1_002_500),  # and went on
        ],
    )
    def test_registers_that_do_not_rise(self, raw: float, start: float, last: float, true: float) -> None:
        assert wire.unrolled(raw, start, last) == true

    @given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e6))
    def test_a_true_reading_never_falls(self, raw: float, start: float, charged: float) -> None:
        assert wire.unrolled(raw, start, start + charged) >= start + charged


class TestCommands:
    SET = model.SetChargingProfile(
        at=AT, evse_id="E", session_id="ocpp-1", start=AT, step_s=300, limits_kw=(7.0, 3.3333, 3.3333, 0.0)
    )

    @pytest.mark.parametrize("version", Version)
    @pytest.mark.parametrize(
        "command",
        [
            SET,
            model.RemoteStart(at=AT, evse_id="E", id_token="T"),
            model.RemoteStop(at=AT, evse_id="E", session_id="ocpp-3"),
            model.ReserveEvse(at=AT, evse_id="E", reservation_id=4, id_token="T", expires_at=AT),
            model.CancelReservation(at=AT, evse_id="E", reservation_id=4),
        ],
    )
    def test_they_fit_the_schemas(self, version: Version, command: model.Command) -> None:
        action, payload = wire.call_of(version, command, 2, "42")
        wire.check(version, action, payload)

    def test_limits_become_a_schedule(self) -> None:
        _, payload = wire.call_of(V16, self.SET, 1, "42")
        sent = payload["csChargingProfiles"]
        assert [(p["startPeriod"], p["limit"]) for p in sent["chargingSchedule"]["chargingSchedulePeriod"]] == [
            (0, 7000.0),
            (300, 3333.0),
            (900, 0.0),
        ]
        assert (sent["transactionId"], sent["chargingProfilePurpose"]) == (42, "TxProfile")
        assert sent["chargingSchedule"]["startSchedule"] == "2025-06-10T09:30:00Z"

    @pytest.mark.parametrize("version", [V16, V201])
    def test_what_ocpp_cannot_carry(self, version: Version) -> None:
        with pytest.raises(BadInput):
            wire.call_of(version, model.GuideDriver(at=AT, request_id="R", station_id=None, why=""), 1, "1")
        with pytest.raises(BadInput):
            wire.call_of(version, self.SET, 1, None)
        with pytest.raises(BadInput):
            wire.call_of(version, model.RemoteStop(at=AT, evse_id="E", session_id="ocpp-3"), 1, None)


def test_a_departure_that_is_far_or_past_is_not_believed() -> None:
    needs = {"requestedEnergyTransfer": "DC", "departureTime": AT + timedelta(days=30)}
    told = wire.charging_needs({"evseId": 1, "chargingNeeds": needs}, "E1", AT)
    assert told == model.ChargingNeedsTold(at=AT, evse_id="E1")
