"""Bad messages, each over a real socket: the error of the standard under its version's name, and nothing changed."""

import asyncio
import json
from typing import Any

import pytest

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.persistence import Store
from tests.gateway.conftest import Dial, Wire, stored

V16, V201, V21 = "ocpp1.6", "ocpp2.0.1", "ocpp2.1"
AT = "2025-06-10T09:25:00Z"
DEEP = "[" * 5000 + "]" * 5000
FORM, OCCURS, TYPE, VALUE = (
    "FormationViolation",
    "OccurenceConstraintViolation",
    "TypeConstraintViolation",
    "PropertyConstraintViolation",
)
FORM_2, OCCURS_2, RPC = "FormatViolation", "OccurrenceConstraintViolation", "RpcFrameworkError"
STATION = {"vendorName": "V", "model": "M"}
TOKEN = {"idToken": "T", "type": "ISO14443"}


def call(action: Any, payload: Any, message_id: Any = "1") -> str:
    return json.dumps([2, message_id, action, payload])


def status_16(**changed: Any) -> dict[str, Any]:
    return {"connectorId": 1, "errorCode": "NoError", "status": "Available"} | changed


def status_2(**changed: Any) -> dict[str, Any]:
    return {"timestamp": AT, "connectorStatus": "Available", "evseId": 1, "connectorId": 1} | changed


NOT_ACTED_UPON = [
    # --- frames ------------------------------------------------------------------------------------------------------
    (V16, "", "-1", FORM),
    (V16, "nonsense", "-1", FORM),
    (V16, "{}", "-1", FORM),
    (V16, "[]", "-1", FORM),
    (V16, "null", "-1", FORM),
    (V16, '[2,"1","Heartbeat",{}', "-1", FORM),
    (V16, '[2,"1","Heartbeat",{}] x', "-1", FORM),
    (V16, DEEP, "-1", FORM),
    (V16, '[2,"1","Heartbeat"]', "1", FORM),
    (V16, '[2,"1","Heartbeat",{},{}]', "1", FORM),
    (V16, '[2,"1","Heartbeat",[]]', "1", FORM),
    (V16, '[2,"1","Heartbeat",null]', "1", FORM),
    (V16, '[2,"1",7,{}]', "1", FORM),
    (V16, '[2,1,"Heartbeat",{}]', "-1", FORM),
    (V16, '[2,"","Heartbeat",{}]', "-1", FORM),
    (V16, call("Heartbeat", {}, "x" * 37), "-1", FORM),
    (V16, '["2","1","Heartbeat",{}]', "-1", FORM),
    (V201, "", "-1", RPC),
    (V201, "nonsense", "-1", RPC),
    (V201, "{}", "-1", RPC),
    (V201, DEEP, "-1", RPC),
    (V201, '[2,1,"Heartbeat",{}]', "-1", RPC),
    (V201, call("Heartbeat", {}, "x" * 37), "-1", RPC),
    (V201, '[2,"1","Heartbeat"]', "1", FORM_2),
    (V201, '[2,"1","Heartbeat",[]]', "1", FORM_2),
    (V21, '[2,"1",7,{}]', "1", FORM_2),
    (V21, "[2]", "-1", RPC),
    # --- actions -----------------------------------------------------------------------------------------------------
    (V16, call("NoSuchAction", {}), "1", "NotImplemented"),
    (V16, call("heartbeat", {}), "1", "NotImplemented"),
    (V16, call("", {}), "1", "NotImplemented"),
    (V16, call("x" * 500, {}), "1", "NotImplemented"),
    (V16, call("TransactionEvent", {}), "1", "NotImplemented"),
    (V16, call("RemoteStartTransaction", {"idTag": "T"}), "1", "NotSupported"),
    (V16, call("Reset", {"type": "Hard"}), "1", "NotSupported"),
    (V201, call("StartTransaction", {}), "1", "NotImplemented"),
    (V201, call("NotifyDERAlarm", {}), "1", "NotImplemented"),
    (V201, call("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1}), "1", "NotSupported"),
    (V21, call("StopTransaction", {}), "1", "NotImplemented"),
    (V21, call("SetChargingProfile", {}), "1", "NotSupported"),
    # --- content of 1.6 ----------------------------------------------------------------------------------------------
    (V16, call("BootNotification", {}), "1", OCCURS),
    (V16, call("BootNotification", {"chargePointVendor": "V"}), "1", OCCURS),
    (V16, call("BootNotification", {"chargePointVendor": 1, "chargePointModel": "M"}), "1", TYPE),
    (V16, call("BootNotification", {"chargePointVendor": "V" * 21, "chargePointModel": "M"}), "1", VALUE),
    (V16, call("BootNotification", {"chargePointVendor": None, "chargePointModel": "M"}), "1", TYPE),
    (V16, call("BootNotification", {"chargePointVendor": {}, "chargePointModel": "M"}), "1", TYPE),
    (V16, call("Authorize", {}), "1", OCCURS),
    (V16, call("Authorize", {"idTag": 5}), "1", TYPE),
    (V16, call("Authorize", {"idTag": "x" * 21}), "1", VALUE),
    (V16, call("Authorize", {"idTag": ["T"]}), "1", TYPE),
    (V16, call("StatusNotification", status_16(connectorId="1")), "1", TYPE),
    (V16, call("StatusNotification", status_16(connectorId=1.5)), "1", TYPE),
    (V16, call("StatusNotification", status_16(status="Sleeping")), "1", VALUE),
    (V16, call("StatusNotification", status_16(errorCode=["NoError"])), "1", TYPE),
    (V16, call("StatusNotification", status_16(info="x" * 51)), "1", VALUE),
    (V16, call("StatusNotification", {"connectorId": 1}), "1", OCCURS),
    (V16, call("DataTransfer", {}), "1", OCCURS),
    (V16, call("DataTransfer", {"vendorId": "x" * 256}), "1", VALUE),
    (V16, call("FirmwareStatusNotification", {"status": "Baking"}), "1", VALUE),
    (V16, call("DiagnosticsStatusNotification", {"status": 1}), "1", TYPE),
    (V16, call("MeterValues", {"connectorId": 1}), "1", OCCURS),
    (V16, call("MeterValues", {"connectorId": 1, "meterValue": {}}), "1", TYPE),
    (V16, call("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": AT}]}), "1", OCCURS),
    # --- content of 2.x ----------------------------------------------------------------------------------------------
    (V201, call("BootNotification", {"reason": "PowerUp"}), "1", OCCURS_2),
    (V201, call("BootNotification", {"reason": "Bored", "chargingStation": STATION}), "1", VALUE),
    (V201, call("BootNotification", {"reason": "PowerUp", "chargingStation": {"model": "M"}}), "1", OCCURS_2),
    (V201, call("BootNotification", {"reason": "PowerUp", "chargingStation": "M"}), "1", TYPE),
    (V201, call("Authorize", {"idToken": "T"}), "1", TYPE),
    (V201, call("Authorize", {"idToken": {"idToken": "T"}}), "1", OCCURS_2),
    (V201, call("Authorize", {"idToken": {"idToken": "x" * 37, "type": "Central"}}), "1", VALUE),
    (V201, call("StatusNotification", status_2(evseId="1")), "1", TYPE),
    (V201, call("StatusNotification", status_2(connectorStatus="Sleeping")), "1", VALUE),
    (V201, call("NotifyEvent", {"generatedAt": AT, "seqNo": 0, "eventData": []}), "1", OCCURS_2),
    (V201, call("SecurityEventNotification", {"type": "x" * 51, "timestamp": AT}), "1", VALUE),
    (V201, call("NotifyReport", {"requestId": "1", "generatedAt": AT, "seqNo": 0}), "1", TYPE),
    (V21, call("Authorize", {"idToken": {"idToken": 5, "type": "Central"}}), "1", TYPE),
    (V21, call("StatusNotification", {"timestamp": AT}), "1", OCCURS_2),
    (V21, call("NotifyDERAlarm", {"controlType": 1, "timestamp": AT}), "1", TYPE),
    (V21, call("NotifySettlement", {"pspRef": "p"}), "1", OCCURS_2),
]


def _name(case: Any) -> str | None:
    return case[:40] if isinstance(case, str) else None


async def state_of(gateway: OcppGateway, store: Store) -> tuple[Any, ...]:
    """All that a message could change, but for the raw messages kept and when one was last heard of."""
    charger = gateway.chargers["E1"]
    return await stored(store), charger.registration, charger.connectors, await store.transactions("E1")


@pytest.mark.parametrize(("version", "text", "message_id", "code"), NOT_ACTED_UPON, ids=_name)
async def test_it_gets_the_standards_error_and_changes_nothing(
    dial: Dial, gateway: OcppGateway, store: Store, version: str, text: str, message_id: str, code: str
) -> None:
    wire: Wire = await dial(version=version)
    assert (await wire.ask("Heartbeat", {}, "before"))[0] == 3
    before = await state_of(gateway, store)
    kind, answered, said, description, _ = await wire.say(text)
    assert (kind, answered, said) == (4, message_id, code), description
    assert len(description) <= 255
    assert (await wire.ask("Heartbeat", {}, "after"))[:2] == [3, "after"], "it goes on"
    await store.recorded()
    assert await state_of(gateway, store) == before


async def test_a_page_that_is_closed_while_a_message_is_stored_takes_no_answer_along(
    dial: Dial, gateway: OcppGateway, store: Store
) -> None:
    pages: list[asyncio.Task[None]] = []

    def look(_frame: object) -> None:
        """As an event stream does, whose page is closed at once."""
        pages.append(asyncio.create_task(store.recorded()))
        asyncio.get_running_loop().call_soon(pages[-1].cancel)

    gateway.listeners.append(look)
    wire: Wire = await dial()
    for message_id in ("1", "2", "3"):
        assert (await wire.ask("Heartbeat", {}, message_id))[:2] == [3, message_id]
    await asyncio.gather(*pages, return_exceptions=True)
    assert [page.cancelled() for page in pages] == [True, True, True]


UNANSWERED = [
    (V16, '[3,"nobody",{}]'),
    (V16, '[4,"nobody","GenericError","",{}]'),
    (V16, '[3,"nobody"]'),
    (V16, '[9,"1",{}]'),
    (V201, '[3,"nobody",{"status":"Accepted"}]'),
    (V201, '[9,"1","Heartbeat",{}]'),
    (V21, '[5,"nobody","FormatViolation","",{}]'),
    (V21, '[6,"1","NotifyPeriodicEventStream",{}]'),
    (V21, '[6,"1","Heartbeat",{}]'),
]


@pytest.mark.parametrize(("version", "text"), UNANSWERED, ids=_name)
async def test_what_wants_no_answer_gets_none(dial: Dial, gateway: OcppGateway, store: Store, version: str, text: str) -> None:
    wire: Wire = await dial(version=version)
    assert (await wire.ask("Heartbeat", {}, "before"))[0] == 3
    before = await state_of(gateway, store)
    await wire.socket.send(text)
    assert (await wire.ask("Heartbeat", {}, "after"))[:2] == [3, "after"]
    assert await state_of(gateway, store) == before


async def test_other_encodings(dial: Dial) -> None:
    wire: Wire = await dial()
    await wire.socket.send(b'[2,"1","Heartbeat",{}]')
    assert (await wire.heard())[:2] == [3, "1"], "a binary frame with a whole message is taken as it is meant"
    await wire.socket.send(b"\xff\xfe[2")
    assert (await wire.heard())[:3] == [4, "-1", FORM]


def start(**changed: Any) -> dict[str, Any]:
    return {"connectorId": 1, "idTag": "T", "meterStart": 1000, "timestamp": AT} | changed


def event(**changed: Any) -> dict[str, Any]:
    whole = {"eventType": "Started", "timestamp": AT, "triggerReason": "CablePluggedIn", "seqNo": 0, "evse": {"id": 1}}
    return whole | {"transactionInfo": {"transactionId": "X"}} | changed


def without(payload: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != name}


KEPT = [
    (V16, "StartTransaction", start(idTag="x" * 40)),
    (V16, "StartTransaction", start(meterStart="1000")),
    (V16, "StartTransaction", start(meterStart=None)),
    (V16, "StartTransaction", start(timestamp="yesterday")),
    (V16, "StartTransaction", without(start(), "idTag")),
    (V16, "StartTransaction", without(start(), "connectorId")),
    (V16, "StartTransaction", start(connectorId=77)),
    (V16, "StopTransaction", {"transactionId": 99, "meterStop": 1, "timestamp": AT}),
    (V16, "StopTransaction", {"meterStop": 1, "timestamp": AT}),
    (V16, "StopTransaction", {"transactionId": "x", "meterStop": "much", "timestamp": 7, "reason": "Bored"}),
    (V16, "MeterValues", {"connectorId": 1, "transactionId": 5, "meterValue": "none"}),
    (V201, "TransactionEvent", event(eventType="Begun")),
    (V201, "TransactionEvent", event(seqNo="first")),
    (V201, "TransactionEvent", event(timestamp="now")),
    (V201, "TransactionEvent", event(transactionInfo={})),
    (V201, "TransactionEvent", event(transactionInfo={}, eventType="Updated")),
    (V201, "TransactionEvent", event(transactionInfo={}, eventType="Ended")),
    (V201, "TransactionEvent", without(event(), "triggerReason")),
    (V201, "TransactionEvent", event(meterValue=[{"timestamp": AT}])),
    (V21, "TransactionEvent", event(evse={"id": "one"})),
    (V21, "TransactionEvent", {}),
]


@pytest.mark.parametrize(("version", "action", "payload"), KEPT, ids=_name)
async def test_transaction_messages_are_never_refused(
    dial: Dial, gateway: OcppGateway, store: Store, version: str, action: str, payload: dict[str, Any]
) -> None:
    wire: Wire = await dial(version=version)
    kind, answered, *_ = await wire.ask(action, payload, "kept")
    assert (kind, answered) == (3, "kept")
    (_, frame), *_ = await store.frames("E1", 1, None, action)
    assert json.loads(frame.body)[3] == payload
    assert frame.flag
    assert any(action in problem for problem in gateway.chargers["E1"].problems)
