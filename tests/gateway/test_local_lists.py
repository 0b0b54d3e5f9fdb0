"""Tokens in chargers that decide alone: sent after the boot, when tokens change, and anew where versions do not fit."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.gateway.ocpp.local_lists import LocalLists, Sent
from chargeloop.identity import Token, Tokens
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import Listed
from tests.gateway.conftest import NOW, Wire

ON = [
    {"key": "LocalAuthListEnabled", "readonly": False, "value": "true"},
    {"key": "SendLocalListMaxLength", "readonly": True, "value": "2"},
]


class Station:
    """A 1.6 charger that keeps a list, and does what it is told about it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.version, self.held = 0, dict[str, str]()
        self.calls: list[tuple[str, int]] = []
        self.refuse: list[str] = []
        self.task = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        async for text in self.wire.socket:
            _, message_id, action, said = Wire.decode(text)
            await self.wire.socket.send(Wire.encode([3, message_id, getattr(self, f"_{action}")(said)]))

    def _GetConfiguration(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"configurationKey": ON}

    def _GetLocalListVersion(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"listVersion": self.version}

    def _SendLocalList(self, said: dict[str, Any]) -> dict[str, Any]:
        kind, version = said["updateType"], said["listVersion"]
        self.calls.append((kind, version))
        if self.refuse:
            return {"status": self.refuse.pop(0)}
        self.held = {} if kind == "Full" else self.held
        for each in said.get("localAuthorizationList", []):
            self.held.pop(each["idTag"], None)
            self.held |= {each["idTag"]: each["idTagInfo"]["status"]} if "idTagInfo" in each else {}
        self.version = version
        return {"status": "Accepted"}

    async def until(self, held: dict[str, str]) -> None:
        async with asyncio.timeout(5):
            while self.held != held:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # its answer is heard


@pytest.fixture
async def tokens(store: Store) -> Tokens:
    tokens = await Tokens.load(store)
    for name in ("A", "B", "C"):
        await tokens.put(Token(id_token=name))
    return tokens


@pytest.fixture
async def listing(store: Store, tokens: Tokens) -> AsyncIterator[OcppGateway]:
    gateway = OcppGateway(store, lambda: NOW, lambda _: "S1", call_timeout_s=0.5, settle_s=0.0, entries=lambda: listed(tokens))
    tokens.on_change = gateway.lists.changed
    await gateway.enrol(["E1"])
    await gateway.start("127.0.0.1", 0)
    yield gateway
    await gateway.stop()


def listed(tokens: Tokens) -> tuple[Listed, ...]:
    return tuple(Listed(each.id_token, each.status) for each in tokens.all)


@pytest.fixture
async def station(listing: OcppGateway) -> Station:
    wire = Wire(await connect(f"ws://127.0.0.1:{listing.port}/ocpp/E1", subprotocols=[Subprotocol("ocpp1.6")], proxy=None))
    said = {"chargePointVendor": "V", "chargePointModel": "M"}
    assert (await wire.ask("BootNotification", said))[2]["status"] == "Accepted"
    station = Station(wire)
    await station.until(dict.fromkeys("ABC", "Accepted"))
    return station


async def test_all_at_first_then_what_changes(station: Station, listing: OcppGateway, tokens: Tokens) -> None:
    assert station.calls == [("Full", 1), ("Differential", 2)]
    station.calls.clear()
    await tokens.remove("A")
    await tokens.put(Token(id_token="B", status="Blocked"))
    await station.until({"B": "Blocked", "C": "Accepted"})
    assert station.calls in ([("Differential", 3)], [("Differential", 3), ("Differential", 4)])
    charger = listing.chargers["E1"]
    assert (await listing.lists.send(charger)).status == "up to date"
    assert await listing.lists.send(charger, is_full=True) == Sent("sent", station.version, 2)


@pytest.mark.parametrize("status", ["VersionMismatch", "Failed"])
async def test_what_does_not_fit_is_sent_whole(station: Station, listing: OcppGateway, tokens: Tokens, status: str) -> None:
    station.calls.clear()
    station.refuse = [status]
    await tokens.put(Token(id_token="D"))
    await station.until(dict.fromkeys("ABCD", "Accepted"))
    assert [kind for kind, _ in station.calls] == ["Differential", "Full", "Differential"]
    assert [number for _, number in station.calls] == [3, 4, 5]


async def test_a_charger_that_lost_its_list_gets_it_whole(station: Station, listing: OcppGateway) -> None:
    station.version, station.held = 0, {}
    station.calls.clear()
    assert (await listing.lists.send(listing.chargers["E1"])).status == "sent"
    assert station.calls == [("Full", 3), ("Differential", 4)]
    assert station.held == dict.fromkeys("ABC", "Accepted")


async def test_one_that_will_not_and_one_that_is_away(station: Station, listing: OcppGateway, store: Store) -> None:
    station.refuse = ["Failed"] * 9
    charger = listing.chargers["E1"]
    assert (await listing.lists.send(charger, is_full=True)).status == "refused"
    station.version = -1
    assert (await listing.lists.send(charger)).status == "not supported"
    again = LocalLists(store, listing.inventory, listing.call, listing.work, lambda: (), 0.0)  # after a restart
    await again.load()
    station.task.cancel()
    await station.wire.socket.close()
    await asyncio.sleep(0.05)
    assert (await again.send(charger)).status == "offline"
