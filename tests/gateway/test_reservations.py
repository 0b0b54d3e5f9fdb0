"""Reservations as chargers keep them, or don't, on real sockets: taken, refused, lost, used, and of a whole charger."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.model import (
    BayLost,
    EvseStatus,
    EvseStatusChanged,
    Loss,
    ReserveEvse,
    SessionStarted,
)
from chargeloop.persistence import Store
from tests.gateway.conftest import NOW, Dial, Wire, stored

BOTH = pytest.mark.parametrize(("version", "key"), [("ocpp1.6", "reservationId"), ("ocpp2.0.1", "id"), ("ocpp2.1", "id")])
WANTED = ReserveEvse(at=NOW, evse_id="E1", reservation_id=7, id_token="T", expires_at=NOW + timedelta(minutes=30))
LOST = BayLost(at=NOW, reservation_id=7, why=Loss.CHARGER, evse_ids=("E1",))


async def answered(gateway: OcppGateway, wire: Wire, **payload: Any) -> tuple[dict[str, Any], bool]:
    """What the charger was asked, and whether its answer counts as taken."""
    sending = asyncio.create_task(gateway.send(WANTED))
    _, message_id, action, asked = await wire.heard()
    assert action == "ReserveNow"
    await wire.socket.send(json.dumps([3, message_id, payload]))
    return asked, await sending


@BOTH
async def test_a_charger_takes_a_reservation(gateway: OcppGateway, dial: Dial, store: Store, version: str, key: str) -> None:
    asked, taken = await answered(gateway, await dial(version=version), status="Accepted")
    assert taken
    assert asked[key] == 7
    assert await stored(store) == []


@pytest.mark.parametrize(
    ("said", "is_then"),
    [("Occupied", EvseStatus.RESERVED), ("Faulted", EvseStatus.FAULTED), ("Unavailable", EvseStatus.UNAVAILABLE)],
)
@BOTH
async def test_a_bay_that_is_not_free_is_lost_and_the_charger_asked_what_it_is(
    gateway: OcppGateway, dial: Dial, store: Store, version: str, key: str, said: str, is_then: EvseStatus
) -> None:
    wire = await dial(version=version)
    _, taken = await answered(gateway, wire, status=said)
    assert not taken
    _, _, action, asked = await wire.heard()
    assert (action, asked["requestedMessage"]) == ("TriggerMessage", "StatusNotification")
    await wire.ask("Heartbeat", {})  # answered once it is stored, and what came before
    assert await stored(store) == [EvseStatusChanged(at=NOW, evse_id="E1", status=is_then), LOST]


@BOTH
async def test_a_charger_that_keeps_no_reservations_leaves_the_bay_to_us(
    gateway: OcppGateway, dial: Dial, store: Store, version: str, key: str
) -> None:
    wire = await dial(version=version)
    _, taken = await answered(gateway, wire, status="Rejected")
    assert not taken
    assert (await wire.ask("Heartbeat", {}))[0] == 3
    assert await stored(store) == []


@pytest.mark.parametrize("why", ["Expired", "Removed"])
@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp2.1"])
async def test_a_reservation_that_the_charger_gives_up(dial: Dial, store: Store, version: str, why: str) -> None:
    wire = await dial(version=version)
    assert (await wire.ask("ReservationStatusUpdate", {"reservationId": 7, "reservationUpdateStatus": why}))[2] == {}
    assert await stored(store) == [LOST]


async def test_a_reservation_that_nobody_used_in_2_1(dial: Dial, store: Store) -> None:
    wire = await dial(version="ocpp2.1")
    await wire.ask("ReservationStatusUpdate", {"reservationId": 7, "reservationUpdateStatus": "NoTransaction"})
    assert await stored(store) == [LOST]


async def test_connector_0_of_1_6_is_any_connector_and_the_start_says_which(
    gateway: OcppGateway, dial: Dial, store: Store
) -> None:
    wire = await dial()
    expires = "2025-06-10T10:00:00Z"
    any_of_them = {"connectorId": 0, "expiryDate": expires, "idTag": "T", "reservationId": 7}
    calling = asyncio.create_task(gateway.call("E1", "ReserveNow", any_of_them))
    _, message_id, _, asked = await wire.heard()
    assert asked == any_of_them
    await wire.socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))
    assert (await calling).status == "answered"
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2025-06-10T09:20:00Z", "reservationId": 7}
    await wire.ask("StartTransaction", start)
    (started,) = [each for each in await stored(store) if isinstance(each, SessionStarted)]
    assert (started.evse_id, started.id_token) == ("E1", "T")
