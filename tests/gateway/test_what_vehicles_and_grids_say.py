"""What 2.x chargers tell of their vehicles and of the grid, and what they are told of costs and dynamic limits."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chargeloop.gateway.ocpp import Notice, OcppGateway
from chargeloop.model import ChargingNeedsTold
from chargeloop.persistence import Store
from tests.gateway.conftest import NOW, Dial, Wire, stored

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
    assert (await wire.ask("TransactionEvent", event("Updated", 1)))[2] == {}
    assert (await wire.ask("TransactionEvent", event("Ended", 2)))[2] == answer


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
