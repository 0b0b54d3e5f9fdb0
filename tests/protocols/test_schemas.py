"""Message checks against the `ocpp` package's schemas, by an independent validator."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.exceptions import OCPPError
from ocpp.messages import Call, validate_payload

from chargeloop.protocols import ocpp as wire
from chargeloop.protocols.ocpp import ErrorCode, Version, WireError

V16, V201, V21 = Version
STATION_ACTIONS = [(version, action) for version in Version for action in sorted(wire.from_station(version))]
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": "2025-06-10T09:30:00Z", "info": "x"}
RESERVE = {"id": 1, "expiryDateTime": "2025-06-10T09:30:00Z", "idToken": {"idToken": "T", "type": "Central"}, "evseId": 1}
JUNK: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=60) | st.lists(st.integers(), max_size=2)
)


def as_bytes(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def ours_refuses(version: Version, action: str, payload: dict[str, Any]) -> bool:
    try:
        wire.request(version, action, as_bytes(payload))
    except WireError:
        return True
    return False


def theirs_refuses(version: Version, action: str, payload: dict[str, Any]) -> bool:
    try:
        asyncio.run(validate_payload(Call("1", action, payload), version.removeprefix("ocpp")))
    except OCPPError:
        return True
    return False


@pytest.mark.parametrize(("version", "action"), STATION_ACTIONS)
def test_every_call_and_answer_of_stations_compiles(version: Version, action: str) -> None:
    assert wire.is_from_station(version, action)
    for check in (wire.request, wire.response):
        with pytest.raises(WireError):
            check(version, action, b"[]")


@pytest.mark.parametrize("version", Version)
def test_every_call_to_stations_compiles(version: Version) -> None:
    for action in wire.actions_to_station(version):
        assert wire.schema(version, action)["type"] == "object"
        with pytest.raises(WireError):
            wire.request(version, action, b"[]")


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [(V16, "StatusNotification", STATUS), (V201, "ReserveNow", RESERVE), (V21, "ReserveNow", RESERVE)],
)
@given(data=st.data())
def test_a_damaged_member_is_refused_as_the_other_validator_refuses_it(
    version: Version, action: str, payload: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(payload.keys() - {"errorCode", "timestamp", "expiryDateTime"})))
    damaged = payload | {name: data.draw(JUNK)}
    assert ours_refuses(version, action, damaged) is theirs_refuses(version, action, damaged)


@pytest.mark.parametrize("name", ["connectorId", "errorCode", "status"])
def test_a_missing_member_is_named_by_its_code(name: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.request(V16, "StatusNotification", as_bytes({key: value for key, value in STATUS.items() if key != name}))
    assert caught.value.code is ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (STATUS | {"connectorId": "1"}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        (STATUS | {"info": "x" * 51}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        (STATUS | {"status": "Tired"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        (STATUS | {"timestamp": "yesterday"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
    ],
)
def test_codes(payload: dict[str, Any], code: ErrorCode) -> None:
    with pytest.raises(WireError) as caught:
        wire.request(V16, "StatusNotification", as_bytes(payload))
    assert caught.value.code is code


def test_what_makers_add_is_dropped_and_what_they_rename_is_read() -> None:
    read = wire.request(V16, "StatusNotification", as_bytes(STATUS | {"errorCode": "Error", "myOwn": 7}))
    assert (read["errorCode"], "myOwn" in read) == ("Error", False)


def test_what_is_sent_may_have_nothing_unknown() -> None:
    wire.check(V16, "Reset", {"type": "Hard"})
    with pytest.raises(WireError):
        wire.check(V16, "Reset", {"type": "Hard", "evse": 1})
    with pytest.raises(WireError) as caught:
        wire.check(V16, "SetVariables", {})
    assert caught.value.code is ErrorCode.NOT_IMPLEMENTED


class TestSalvage:
    def test_sound_members_are_kept_and_the_others_named(self) -> None:
        said = {"connectorId": 1, "idTag": "x" * 300, "meterStart": "7", "timestamp": "soon", "reservationId": 4}
        checked = wire.salvage(V16, "StartTransaction", as_bytes(said))
        assert checked.payload == {"connectorId": 1, "idTag": "x" * 255, "reservationId": 4}
        assert [problem.split(":")[0] for problem in checked.problems] == ["idTag", "meterStart", "timestamp"]

    def test_of_a_list_its_sound_elements(self) -> None:
        value = {"timestamp": "2025-06-10T09:30:00Z", "sampledValue": [{"value": "1"}]}
        checked = wire.salvage(V16, "MeterValues", as_bytes({"connectorId": 1, "meterValue": [value, {"timestamp": 3}]}))
        assert len(checked.payload["meterValue"]) == 1

    @pytest.mark.parametrize("payload", [b"[]", b"{", b"\xff", b"null"])
    def test_nothing_can_be_nothing(self, payload: bytes) -> None:
        checked = wire.salvage(V16, "StopTransaction", payload)
        assert checked == wire.Checked({}, checked.problems)
        assert len(checked.problems) == 1

    @given(st.sampled_from([(V16, "StopTransaction"), (V201, "TransactionEvent")]), st.dictionaries(st.text(), JUNK))
    def test_nothing_escapes(self, which: tuple[Version, str], payload: dict[str, Any]) -> None:
        assert isinstance(wire.salvage(*which, msgspec.json.encode(payload)).payload, dict)
