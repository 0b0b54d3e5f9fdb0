"""What 2.x chargers tell of their vehicles and of the grid, and what they are told of costs and dynamic limits."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chargeloop.gateway.ocpp import Notice, OcppGateway
from chargeloop.model import ChargingNeedsTold, PriceBand, Tariff
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import Version, check, tariff_of_21
from tests.gateway.conftest import NOW, Dial, Wire, gateway_on, stored

OCPP_21 = Subprotocol("ocpp2.1")
SOON, PAST = "2025-06-10T17:30:00Z", "2025-06-10T09:00:00Z"
CURRENT = {"evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 230}
BATTERY = {"evMaxCurrent": 300, "evMaxVoltage": 400}


@pytest.mark.parametrize(
    ("needs", "kwh", "hours"),
    [
        ({"acChargingParameters": {"energyAmount": 20000, **CURRENT}, "departureTime": SOON}, 20.0, 8),
        ({"dcChargingParameters": {"energyAmount": 30000, **BATTERY}, "departureTime": PAST}, 30.0, None),
        ({"dcChargingParameters": {"stateOfCharge": 20, "fullSoC": 80, "evEnergyCapacity": 50000, **BATTERY}}, 30.0, None),
        ({"dcChargingParameters": {"stateOfCharge": 20, **BATTERY}}, None, None),
        ({"v2xChargingParameters": {"evTargetEnergyRequest": 9000}}, 9.0, None),
        ({"acChargingParameters": {"energyAmount": 2e9, **CURRENT}}, None, None),
    ],
)
async def test_what_a_vehicle_needs(dial: Dial, store: Store, needs: Any, kwh: float | None, hours: int | None) -> None:
    wire = await dial(version="ocpp2.1")
    said = {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "DC", **needs}}
    assert (await wire.ask("NotifyEVChargingNeeds", said))[2] == {"status": "Accepted"}
    depart_by = None if hours is None else NOW + timedelta(hours=hours)
    assert await stored(store) == [ChargingNeedsTold(at=NOW, evse_id="E1", energy_kwh=kwh, depart_by=depart_by)]


def event(kind: str, seq_no: int) -> dict[str, Any]:
    info = {"transactionId": "x1"}
    at = f"2025-06-10T09:2{seq_no}:00Z"
    return {"eventType": kind, "timestamp": at, "triggerReason": "Authorized", "seqNo": seq_no, "transactionInfo": info}


@pytest.mark.parametrize(
    ("cost", "answer"), [(Decimal("4.20"), {"totalCost": 4.2}), (Decimal(0), {"totalCost": 0}), (None, {})]
)
async def test_the_cost_of_what_ends(dial: Dial, gateway: OcppGateway, cost: Decimal | None, answer: dict[str, Any]) -> None:
    gateway.cost_of = lambda session_id, events: cost
    wire = await dial(version="ocpp2.0.1")
    assert (await wire.ask("TransactionEvent", event("Started", 0)))[2] == {}
    assert (await wire.ask("TransactionEvent", event("Ended", 2)))[2] == answer


async def test_what_a_session_costs_so_far_is_told_once_a_minute_and_after_a_silence(store: Store) -> None:
    now, cost = NOW, Decimal("1.50")
    gateway = OcppGateway(store, lambda: now, lambda _: "S1", cost_of=lambda _session_id, _events: cost)
    await gateway.start("127.0.0.1", 0)
    await gateway.adopt("CP", ["E1"])
    async with connect(f"ws://127.0.0.1:{gateway.port}/ocpp/CP", subprotocols=[OCPP_21], proxy=None) as socket:
        wire = Wire(socket)
        assert (await wire.ask("TransactionEvent", event("Started", 0)))[2] == {}
        assert (await wire.ask("TransactionEvent", event("Updated", 1)))[2] == {"totalCost": 1.5}
        cost, now = Decimal("1.75"), now + timedelta(seconds=59)
        assert (await wire.ask("TransactionEvent", event("Updated", 2)))[2] == {}
        now += timedelta(seconds=1)
        assert (await wire.ask("TransactionEvent", event("Updated", 3)))[2] == {"totalCost": 1.75}
        cost, now = Decimal("2.00"), now + timedelta(minutes=2)
        gateway.chargers["CP"].tend(now)
        assert (await wire.heard())[2:] == ["CostUpdated", {"totalCost": 2.0, "transactionId": "x1"}]
    await gateway.stop()


async def test_chargers_of_21_get_the_tariff_of_their_evses(store: Store) -> None:
    night = PriceBand(0, 8, Decimal("0.30"), Decimal("0.10"))
    day = PriceBand(8, 24, Decimal("0.90"), Decimal("0.10"))
    tariff = Tariff("T-1", "CNY", "Asia/Shanghai", (night, day), Decimal("0.5"), 15, Decimal(50))
    gateway = OcppGateway(store, lambda: NOW, lambda _: "S1", tariff_of=lambda _evse_id: tariff)
    await gateway.start("127.0.0.1", 0)
    await gateway.adopt("CP", ["E1"])
    async with connect(f"ws://127.0.0.1:{gateway.port}/ocpp/CP", subprotocols=[OCPP_21], proxy=None) as socket:
        wire = Wire(socket)
        boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
        assert (await wire.ask("BootNotification", boot))[2]["status"] == "Accepted"
        _, _, action, said = await wire.heard()
    await gateway.stop()
    assert (action, said["evseId"]) == ("SetDefaultTariff", 1)
    told = said["tariff"]
    assert told == tariff_of_21(tariff)
    assert told["energy"]["prices"] == [
        {"priceKwh": 0.4, "conditions": {"startTimeOfDay": "00:00", "endTimeOfDay": "08:00"}},
        {"priceKwh": 1.0, "conditions": {"startTimeOfDay": "08:00", "endTimeOfDay": "00:00"}},
    ]
    assert told["idleTime"]["prices"] == [{"priceMinute": 0.5, "conditions": {"minIdleTime": 900, "maxIdleTime": 6900}}]
    check(Version.V21, "SetDefaultTariff", said)
    assert tariff_of_21(replace(tariff, idle_per_min=Decimal("0.6")))["tariffId"] != told["tariffId"]


async def test_what_was_told_of_firmware_is_known_after_a_restart(dial: Dial, gateway: OcppGateway, store: Store) -> None:
    wire = await dial(version="ocpp2.0.1")
    await wire.ask("FirmwareStatusNotification", {"status": "Installing", "requestId": 1})
    await wire.socket.close()
    await gateway.stop()
    again = gateway_on(store)
    await again.start("127.0.0.1", 0)
    wire = await dial(port=again.port, version="ocpp2.0.1")
    await wire.ask("Heartbeat", {})
    assert again.chargers["E1"].notices.firmware == Notice("FirmwareStatusNotification", "Installing", NOW)
    await again.stop()


async def accept(wire: Wire, calling: "asyncio.Task[Any]") -> None:
    _, message_id, _, _ = await wire.heard()
    await wire.socket.send(Wire.encode([3, message_id, {"status": "Accepted"}]))
    assert (await calling).status == "answered"


async def test_dynamic_limits_are_told_again(dial: Dial, gateway: OcppGateway) -> None:
    wire = await dial(version="ocpp2.1")

    async def sent(action: str, payload: dict[str, Any]) -> None:
        await accept(wire, asyncio.create_task(gateway.call("E1", action, payload)))

    async def pulled(profile_id: int = 7) -> dict[str, Any]:
        return dict((await wire.ask("PullDynamicScheduleUpdate", {"chargingProfileId": profile_id}))[2])

    period = {"startPeriod": 0, "setpoint": 3000.0, "operationMode": "CentralSetpoint"}
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]}
    kind = {"chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Dynamic"}
    profile = {"id": 7, "stackLevel": 0, **kind, "chargingSchedule": [schedule]}
    await sent("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
    assert await pulled() == {"status": "Accepted", "scheduleUpdate": {"setpoint": 3000.0}}
    assert await pulled(8) == {"status": "Rejected"}
    await sent("UpdateDynamicSchedule", {"chargingProfileId": 7, "scheduleUpdate": {"limit": 5000.0}})
    assert (await pulled())["scheduleUpdate"] == {"setpoint": 3000.0, "limit": 5000.0}
    await sent("ClearChargingProfile", {"chargingProfileId": 7})
    assert await pulled() == {"status": "Rejected"}


async def test_alarms_of_the_grid_and_payments_are_shown(dial: Dial, gateway: OcppGateway) -> None:
    wire = await dial(version="ocpp2.1")
    alarm = {"controlType": "VoltWatt", "gridEventFault": "OverVoltage", "timestamp": PAST}
    await wire.ask("NotifyDERAlarm", alarm)
    await wire.ask("NotifyDERAlarm", alarm | {"alarmEnded": True})
    await wire.ask("NotifyDERStartStop", {"controlId": "c", "started": True, "timestamp": PAST})
    payment = {"pspRef": "P1", "status": "Failed", "settlementAmount": 4.2, "settlementTime": PAST}
    await wire.ask("NotifySettlement", payment)
    charger = gateway.chargers["E1"]
    assert charger.problems == ["NotifyDERAlarm: alarm of VoltWatt: OverVoltage", "NotifySettlement: payment P1 failed"]
    newest = charger.notices.all[0]
    assert isinstance(newest, Notice)
    assert [each.action for each in charger.notices.all] == ["NotifySettlement", "NotifyDERStartStop", "NotifyDERAlarm"]
