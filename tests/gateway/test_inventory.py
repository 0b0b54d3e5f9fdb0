"""What chargers say of their settings: asked once, kept, and heeded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.gateway.ocpp.inventory import Inventory
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import Abilities, Variable
from tests.gateway.conftest import NOW, Wire
from tests.ocmf import Meter

METER = Meter()
KEYS = [
    {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
    {"key": "MeterValueSampleInterval", "readonly": False, "value": "0"},
    {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": True, "value": "Current"},
    {"key": "ChargingScheduleMaxPeriods", "readonly": True, "value": "3"},
    {"key": "AuthorizationKey", "readonly": False, "value": "secret"},
    {"key": "MeterPublicKey[1]", "readonly": True, "value": METER.oca_key},
    {"key": "MeterPublicKey2", "readonly": True, "value": "of no connector"},
    {"key": "Empty", "readonly": False},
]


@pytest.fixture
async def prompt(store: Store) -> AsyncIterator[OcppGateway]:
    """A gateway that asks at once."""
    gateway = OcppGateway(store, lambda: NOW, lambda _: "S1", call_timeout_s=0.5, settle_s=0.0)
    await gateway.enrol(["E1"])
    await gateway.start("127.0.0.1", 0)
    yield gateway
    await gateway.stop()


async def arrive(gateway: OcppGateway, version: str = "ocpp1.6") -> Wire:
    url = f"ws://127.0.0.1:{gateway.port}/ocpp/E1"
    return Wire(await connect(url, subprotocols=[Subprotocol(version)], proxy=None))


async def boot(wire: Wire, firmware: str = "1") -> None:
    said = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": firmware}
    assert (await wire.ask("BootNotification", said))[2]["status"] == "Accepted"


async def boot2(wire: Wire) -> None:
    station = {"vendorName": "V", "model": "M", "firmwareVersion": "1"}
    assert (await wire.ask("BootNotification", {"reason": "PowerUp", "chargingStation": station}))[2]["status"] == "Accepted"


async def silent(wire: Wire) -> bool:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wire.socket.recv(), 0.1)
    return True


async def answer(wire: Wire, wanted: str, payload: dict[str, Any]) -> dict[str, Any]:
    _, message_id, action, said = await wire.heard()
    assert action == wanted
    await wire.socket.send(Wire.encode([3, message_id, payload]))
    return dict(said)


async def until_known(gateway: OcppGateway, count: int) -> tuple[Variable, ...]:
    async with asyncio.timeout(5):
        while len(found := await gateway.inventory.variables("E1")) != count:
            await asyncio.sleep(0.01)
    return found


async def test_16_is_asked_once_for_each_firmware(prompt: OcppGateway, store: Store) -> None:
    wire = await arrive(prompt)
    await boot(wire)
    assert await answer(wire, "GetConfiguration", {"configurationKey": KEYS}) == {}
    found = {each.variable: each for each in await until_known(prompt, len(KEYS))}
    assert found["NumberOfConnectors"] == Variable("Configuration", "NumberOfConnectors", "2", mutability="ReadOnly")
    assert (found["AuthorizationKey"].value, found["Empty"].value) == (None, None)
    charger = prompt.chargers["E1"]
    assert (charger.abilities(1).rate_unit, charger.abilities(1).max_periods) == ("A", 3)
    assert charger.registration.meter_keys == (METER.key,)
    assert [each.split(":")[0] for each in charger.problems] == ["settings", "settings"]
    await boot(wire)
    assert await silent(wire)
    await boot(wire, "2")
    await answer(wire, "GetConfiguration", {"configurationKey": KEYS[:1]})
    await until_known(prompt, 1)
    again = Inventory(store, lambda: NOW, prompt.call, 0.0)  # after a restart
    await again.load()
    assert not again.is_due(charger.registration)
    assert again.traits("E1").connectors == 2
    assert len(charger.problems) == 1


async def test_what_it_cannot_is_not_asked_again(prompt: OcppGateway) -> None:
    wire = await arrive(prompt)
    await boot(wire)
    _, message_id, _, _ = await wire.heard()
    await wire.socket.send(Wire.encode([4, message_id, "NotSupported", "", {}]))
    await asyncio.sleep(0.05)
    await boot(wire)
    assert await silent(wire)


def variable(name: str, value: str, component: str = "SmartChargingCtrlr", **evse: int) -> dict[str, Any]:
    at = {"evse": evse} if evse else {}
    attribute = {"value": value, "mutability": "ReadOnly"}
    return {"component": {"name": component, **at}, "variable": {"name": name}, "variableAttribute": [attribute]}


def report(request_id: int, seq_no: int, tbc: bool, *data: dict[str, Any]) -> dict[str, Any]:
    return {"requestId": request_id, "generatedAt": NOW.isoformat(), "seqNo": seq_no, "tbc": tbc, "reportData": list(data)}


@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp2.1"])
async def test_2x_tells_in_parts(prompt: OcppGateway, version: str) -> None:
    wire = await arrive(prompt, version)
    await boot2(wire)
    asked = await answer(wire, "GetBaseReport", {"status": "Accepted"})
    assert asked["reportBase"] == "FullInventory"
    number = asked["requestId"]
    first = (variable("RateUnit", "A,W"), variable("PeriodsPerSchedule", "24"), variable("Power", "22", "EVSE", id=1))
    assert (await wire.ask("NotifyReport", report(number, 0, True, *first)))[2] == {}
    assert await prompt.inventory.variables("E1") == ()
    await wire.ask("NotifyReport", report(number, 1, False, variable("PublicKey", METER.key, "FiscalMetering", id=1)))
    found = await until_known(prompt, 4)
    assert [(each.component, each.evse) for each in found if each.variable == "Power"] == [("EVSE", 1)]
    charger = prompt.chargers["E1"]
    assert (charger.abilities(1).rate_unit, charger.abilities(1).max_periods) == ("W", 24)
    assert charger.registration.meter_keys == (METER.key,)
    assert not charger.problems
    # one that a person asked for changes what it names
    await wire.ask("NotifyReport", report(9, 0, False, variable("RateUnit", "A"), variable("Limits", "1")))
    await until_known(prompt, 5)
    assert charger.abilities(1).rate_unit == "A"


async def test_a_report_with_a_part_missing_changes_what_came(prompt: OcppGateway) -> None:
    wire = await arrive(prompt, "ocpp2.0.1")
    await boot2(wire)
    number = (await answer(wire, "GetBaseReport", {"status": "Accepted"}))["requestId"]
    await wire.ask("NotifyReport", report(number, 1, False, variable("RateUnit", "A")))
    assert [each.value for each in await until_known(prompt, 1)] == ["A"]


async def test_a_charger_that_will_not(prompt: OcppGateway) -> None:
    wire = await arrive(prompt, "ocpp2.0.1")
    await boot2(wire)
    await answer(wire, "GetBaseReport", {"status": "NotSupported"})
    await asyncio.sleep(0.05)
    assert not prompt.inventory.is_due(prompt.chargers["E1"].registration)


async def test_what_a_person_sets_is_known_at_once_and_what_waits_for_a_reboot_is_said(prompt: OcppGateway) -> None:
    wire = await arrive(prompt)
    await boot(wire)
    await answer(wire, "GetConfiguration", {"configurationKey": KEYS})
    await until_known(prompt, len(KEYS))
    setting = asyncio.create_task(prompt.call("E1", "ChangeConfiguration", {"key": "NumberOfConnectors", "value": "1"}))
    await answer(wire, "ChangeConfiguration", {"status": "RebootRequired"})
    await setting
    async with asyncio.timeout(5):
        while prompt.inventory.traits("E1").connectors != 1:
            await asyncio.sleep(0.01)
    assert "NumberOfConnectors takes effect after a reboot" in prompt.chargers["E1"].problems
    await boot(wire)
    assert not [each for each in prompt.chargers["E1"].problems if "reboot" in each]


async def test_limits_fit_the_current_that_an_evse_has(prompt: OcppGateway) -> None:
    wire = await arrive(prompt, "ocpp2.0.1")
    await boot2(wire)
    number = (await answer(wire, "GetBaseReport", {"status": "Accepted"}))["requestId"]
    told = [variable("RateUnit", "A"), variable("SupplyPhases", "1", "EVSE", id=1), variable("ACVoltage", "240", "EVSE", id=1)]
    direct = variable("SupplyPhases", "0", "EVSE", id=2)
    await wire.ask("NotifyReport", report(number, 0, False, *told, direct))
    await until_known(prompt, 4)
    charger = prompt.chargers["E1"]
    assert charger.abilities(1) == Abilities("A", None, 1, 240)
    assert charger.abilities(2).unit == "W", "amperes mean nothing where the vehicle sets the voltage"
    assert charger.abilities(3) == Abilities("A", None, 3, 230)
