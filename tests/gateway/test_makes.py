"""Makes and models with ways of their own, as the files about them say."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.gateway.ocpp.makes import Quirks, known_makes, quirks_of, read_makes
from chargeloop.model import BadInput, MeterSampled, SessionEnded, SessionStarted, SetChargingProfile
from chargeloop.persistence import Store
from tests.gateway.conftest import NOW, Dial, Wire, stored


async def booted(dial: Dial, vendor: str, model: str, firmware: str) -> Wire:
    wire: Wire = await dial()
    boot = {"chargePointVendor": vendor, "chargePointModel": model, "firmwareVersion": firmware}
    assert (await wire.ask("BootNotification", boot))[0] == 3
    return wire


def test_every_file_is_about_something_and_says_who_found_out() -> None:
    assert len(known_makes()) >= 6
    for make in known_makes():
        assert make.quirks != Quirks()
        assert "issue" in make.source


@pytest.mark.parametrize(
    ("said", "quirks"),
    [
        (("openevse", "x", "4.2.2"), Quirks(register_in_kwh=True)),
        (("OpenEVSE", "x", "5.0"), Quirks()),
        (("go-e", "V4", ""), Quirks(rate_unit="A")),
        (("", "", ""), Quirks()),
    ],
)
def test_whom_a_file_is_about(said: tuple[str, str, str], quirks: Quirks) -> None:
    assert quirks_of(*said) == quirks


HEAD = 'source = "a thread somewhere"\nvendor = "V"\nmodel = "M"\nfirmware = "*"\n'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x", "odd.toml"),
        (HEAD, "quirks"),
        (HEAD + "[quirks]\nclever = true", "clever"),
        (HEAD + "[quirks]\nrate_unit = 'kW'", "kW"),
        (HEAD + "[quirks]\nstart_answer_delay_s = 60", "<= 5"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "odd.toml").write_text(text)
    with pytest.raises(BadInput, match=r"odd\.toml") as caught:
        read_makes(tmp_path)
    assert what in str(caught.value)


async def test_kwh_that_are_called_wh(dial: Dial, store: Store) -> None:
    wire = await booted(dial, "OpenEVSE", "ESP32", "4.2.2")
    number = await wire.start(meter=361)
    samples = [{"value": "362", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}, {"value": "9451", **POWER}]
    values = [{"timestamp": "2025-06-10T09:27:00Z", "sampledValue": samples}]
    await wire.ask("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})
    await wire.stop(number, meter=363)
    started, sampled, ended = await stored(store)
    assert isinstance(started, SessionStarted)
    assert isinstance(sampled, MeterSampled)
    assert isinstance(ended, SessionEnded)
    assert (started.meter_wh, sampled.meter_wh, sampled.power_kw, ended.meter_wh) == (361e3, 362e3, 9.451, 363e3)


POWER = {"measurand": "Power.Active.Import", "unit": "W"}


async def test_a_second_start_that_is_a_stop(dial: Dial, store: Store) -> None:
    wire = await booted(dial, "Schneider Electric", "EVB1A22P4KI", "3.1")
    number = await wire.start(at="2025-06-10T09:20:00Z")
    for _ in range(2):  # told again it is known
        assert await wire.start(at="2025-06-10T09:28:00Z", meter=0) == number
    assert await wire.start(at="2025-06-10T09:29:00Z") != number
    first, ended, second = await stored(store)
    assert isinstance(ended, SessionEnded)
    assert (ended.at, ended.notes) == (NOW - timedelta(minutes=2), ("ended by a second start, as chargers of this model do",))
    assert isinstance(first, SessionStarted)
    assert isinstance(second, SessionStarted)


async def test_the_places_own_time(dial: Dial, gateway: OcppGateway, store: Store) -> None:
    gateway.zone = "Asia/Shanghai"
    wire = await booted(dial, "Growatt", "THOR 11AS", "1")
    await wire.start(at="2025-06-10T17:25:00")
    (started,) = await stored(store)
    assert started.at == datetime(2025, 6, 10, 9, 25, tzinfo=UTC)


async def test_an_answer_that_waits(dial: Dial) -> None:
    wire, begun = await booted(dial, "Free2move", "F2ME.EPROSE01TXX", "2.9.3"), monotonic()
    await wire.start()
    assert monotonic() - begun > 0.9
    assert (await wire.ask("Heartbeat", {}))[0] == 3


@pytest.mark.parametrize(("vendor", "unit"), [("go-e", "A"), ("other", "W")])
async def test_limits_in_the_unit_it_takes(dial: Dial, gateway: OcppGateway, vendor: str, unit: str) -> None:
    wire = await booted(dial, vendor, "V4", "")
    number = await wire.start()
    known: dict[str, Any] = {"at": NOW, "evse_id": "E1", "session_id": f"ocpp-{number}", "start": NOW}
    sending = asyncio.create_task(gateway.send(SetChargingProfile(**known, step_s=900, limits_kw=(11.04,))))
    _, message_id, _, payload = await wire.heard()
    assert payload["csChargingProfiles"]["chargingSchedule"]["chargingRateUnit"] == unit
    await wire.socket.send(f'[3,"{message_id}",{{"status":"Accepted"}}]')
    assert await sending
