"""Libraries that nobody here wrote play a charging station through a whole session, and find nothing to object to."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.model import MeterSampled, RemoteStop, ReserveEvse, SessionEnded, SessionStarted, SetChargingProfile
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import Version
from tests.gateway.conftest import NOW, stored
from tests.gateway.peers.peers import HERE, PEERS, Peer, node

AT = NOW.isoformat().replace("+00:00", "Z")


@dataclass
class Led:
    """A station that is let in, and what it speaks."""

    peer: Peer
    version: Version


@pytest.fixture(params=PEERS)
async def led(request: pytest.FixtureRequest, gateway: OcppGateway) -> AsyncIterator[Led]:
    connect, version = PEERS[request.param]
    if "rpc" in request.param and "REQUIRE_PEERS" not in os.environ and not (node() and (HERE / "node_modules").is_dir()):
        pytest.skip("`make setup` installs the peers of npm")
    await gateway.retire("E1")
    await gateway.retire("E2")
    _, password = await gateway.adopt("PEER-1", ["E1", "E2"], 1)
    async with connect(f"ws://127.0.0.1:{gateway.port}/ocpp", "PEER-1", password, version) as peer:
        yield Led(peer, version)


def of_16(meter: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """The calls of a session, by what they are for; `{}` stands for the transaction's id."""
    sample = {"timestamp": AT, "sampledValue": [{"value": str(meter), "measurand": "Energy.Active.Import.Register"}]}
    return {
        "boot": ("BootNotification", {"chargePointVendor": "Peer", "chargePointModel": "P1"}),
        "status": ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}),
        "authorise": ("Authorize", {"idTag": "T1"}),
        "start": ("StartTransaction", {"connectorId": 1, "idTag": "T1", "meterStart": 1000, "timestamp": AT}),
        "meter": ("MeterValues", {"connectorId": 1, "meterValue": [sample]}),
        "stop": ("StopTransaction", {"meterStop": 6000, "timestamp": AT}),
    }


def of_2(meter: int) -> dict[str, tuple[str, dict[str, Any]]]:
    def event(kind: str, seq_no: int, trigger: str, meter_wh: int, **more: Any) -> tuple[str, dict[str, Any]]:
        sample = {"timestamp": AT, "sampledValue": [{"value": meter_wh, "measurand": "Energy.Active.Import.Register"}]}
        transaction = {"transactionId": "tx-1", **({"stoppedReason": "Remote"} if kind == "Ended" else {})}
        payload = {"eventType": kind, "timestamp": AT, "triggerReason": trigger, "seqNo": seq_no}
        return "TransactionEvent", {**payload, "transactionInfo": transaction, "meterValue": [sample], **more}

    token = {"idToken": "T1", "type": "ISO14443"}
    status = {"timestamp": AT, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
    return {
        "boot": ("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "Peer", "model": "P1"}}),
        "status": ("StatusNotification", status),
        "authorise": ("Authorize", {"idToken": token}),
        "start": event("Started", 0, "Authorized", 1000, idToken=token, evse={"id": 1, "connectorId": 1}),
        "meter": event("Updated", 1, "MeterValuePeriodic", meter),
        "stop": event("Ended", 2, "RemoteStop", 6000),
    }


async def test_a_full_session(led: Led, gateway: OcppGateway, store: Store) -> None:
    calls, is_16 = (of_16, True) if led.version is Version.V16 else (of_2, False)
    said = calls(4500)
    wire: dict[str, Any] = {}

    async def ask(what: str) -> dict[str, Any]:
        action, payload = said[what]
        return await led.peer.ask(action, {**payload, **wire.get(what, {})})

    assert (await ask("boot"))["status"] == "Accepted"
    assert await ask("status") == {}
    assert (await ask("authorise"))["idTagInfo" if is_16 else "idTokenInfo"]["status"] == "Accepted"
    started = await ask("start")
    assert (started["idTagInfo"] if is_16 else started["idTokenInfo"])["status"] == "Accepted"
    if is_16:
        wire = {each: {"transactionId": started["transactionId"]} for each in ("meter", "stop")}
    assert await ask("meter") == {}

    (session,) = [each for each in await stored(store) if isinstance(each, SessionStarted)]
    limits = (7.0, 3.5)
    assert await gateway.send(
        SetChargingProfile(at=NOW, evse_id="E1", session_id=session.session_id, start=NOW, step_s=900, limits_kw=limits)
    )
    of_evse = {"connectorId": 1} if is_16 else {"evseId": 1}
    composite = await gateway.call("PEER-1", "GetCompositeSchedule", {**of_evse, "duration": 1800, "chargingRateUnit": "W"})
    assert composite.payload["status"] == "Accepted"
    schedule = composite.payload["chargingSchedule" if is_16 else "schedule"]
    assert [(each["startPeriod"], each["limit"]) for each in schedule["chargingSchedulePeriod"]] == [(0, 7000), (900, 3500)]
    until = NOW + timedelta(minutes=15)
    assert await gateway.send(ReserveEvse(at=NOW, evse_id="E2", reservation_id=7, id_token="T2", expires_at=until))
    assert await gateway.send(RemoteStop(at=NOW, evse_id="E1", session_id=session.session_id))
    await ask("stop")

    called = dict(led.peer.called)
    assert called["ReserveNow"]["reservationId" if is_16 else "id"] == 7
    assert called["RemoteStopTransaction" if is_16 else "RequestStopTransaction"]["transactionId"] in (
        started.get("transactionId"),
        "tx-1",
    )
    events = await stored(store)
    assert [each.meter_wh for each in events if isinstance(each, MeterSampled)][-1] in (4500, 6000)
    (ended,) = [each for each in events if isinstance(each, SessionEnded)]
    assert (ended.session_id, ended.meter_wh, ended.notes) == (session.session_id, 6000, ())
    assert led.peer.violations == []
    flags = [frame.flag for _, frame in await store.frames("PEER-1") if frame.flag]
    assert flags == []
