"""Chargers below, the platform above: what is handed on, answered here, kept, translated, and told again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from chargeloop.edge import ChargerOf, Circuit, Control
from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.model import SessionEnded, SessionStarted
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import wire_time
from tests.edge.conftest import OpenEdge
from tests.edge.world import FaultProxy, World


class Hand:
    """A charger by hand: its calls, and the platform's and the edge's to it, which it accepts."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._number = socket, 0
        self.called: list[tuple[str, dict[str, Any]]] = []
        self._answers: asyncio.Queue[list[Any]] = asyncio.Queue()
        self._listening = asyncio.create_task(self._listen())

    async def ask(self, action: str, payload: dict[str, Any]) -> Any:
        self._number += 1
        await self._socket.send(json.dumps([2, f"m{self._number}", action, payload]))
        answer = await asyncio.wait_for(self._answers.get(), 20)
        assert answer[0] == 3, answer
        return answer[2]

    async def until(self, fits: Callable[[str, dict[str, Any]], bool]) -> dict[str, Any]:
        """The newest call that fits, once there is one."""
        async with asyncio.timeout(20):
            while True:
                found = [payload for action, payload in self.called if fits(action, payload)]
                if found:
                    return found[-1]
                await asyncio.sleep(0.01)

    def stop(self) -> None:
        self._listening.cancel()

    async def _listen(self) -> None:
        async for text in self._socket:
            frame = json.loads(text)
            if frame[0] == 2:
                self.called.append((frame[2], frame[3]))
                await self._socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
            else:
                await self._answers.put(frame)


@asynccontextmanager
async def by_hand(world: World, charger_id: str = "C1", version: str = "ocpp1.6") -> AsyncIterator[Hand]:
    url = f"ws://127.0.0.1:{world.edge.port}/ocpp/{charger_id}"
    async with connect(url, subprotocols=[Subprotocol(version)], proxy=None) as socket:
        hand = Hand(socket)
        yield hand
        hand.stop()


async def link_up(world: World, *, is_up: bool = True) -> None:
    async with asyncio.timeout(20):
        while any(each.uplink.is_up is not is_up for each in world.edge.stations if each.connection is not None):
            await asyncio.sleep(0.01)


async def delivered(world: World) -> None:
    async with asyncio.timeout(30):
        while await world.edge.shared.buffer.backlog():
            await asyncio.sleep(0.02)


async def told(store: Store) -> list[Any]:
    return [event async for _, event in store.events_after(0) if isinstance(event, SessionStarted | SessionEnded)]


BOOT_16 = {"chargePointVendor": "V", "chargePointModel": "M"}
BOOT_2 = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}


def start_16(world: World, token: str = "T1", meter: int = 1000) -> dict[str, Any]:
    return {"connectorId": 1, "idTag": token, "meterStart": meter, "timestamp": wire_time(world.now())}


def event_2(world: World, kind: str, seq_no: int, meter: int) -> dict[str, Any]:
    at = wire_time(world.now())
    return {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": "Authorized",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "tx-1"},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": at, "sampledValue": [{"value": meter}]}],
        **({"idToken": {"idToken": "T1", "type": "ISO14443"}} if kind == "Started" else {}),
    }


async def test_with_the_link_up_the_platform_answers(open_edge: OpenEdge, gateway: OcppGateway, store: Store) -> None:
    world = await open_edge()
    async with by_hand(world) as hand:
        await link_up(world)
        assert (await hand.ask("BootNotification", BOOT_16))["status"] == "Accepted"
        assert (await hand.ask("Authorize", {"idTag": "T1"}))["idTagInfo"]["status"] == "Accepted"
        assert (await hand.ask("Authorize", {"idTag": "X1"}))["idTagInfo"]["status"] == "Invalid"
        started = await hand.ask("StartTransaction", start_16(world))
        assert started["transactionId"] == 1  # the platform's own number
        answer = await gateway.call("C1", "RemoteStopTransaction", {"transactionId": 1})
        assert answer.payload == {"status": "Accepted"}
        assert ("RemoteStopTransaction", {"transactionId": 1}) in hand.called
        await hand.ask("StopTransaction", {"transactionId": 1, "meterStop": 3000, "timestamp": wire_time(world.now())})
    assert [type(each) for each in await told(store)] == [SessionStarted, SessionEnded]


async def test_a_charger_is_let_in_as_soon_as_its_link_is_up(open_edge: OpenEdge, line: FaultProxy) -> None:
    line.delay_s = 0.5
    world = await open_edge()
    async with asyncio.timeout(20):  # it would be told to come again in a minute
        await world.connect("C1")
    assert world.edge.stations[0].is_accepted


async def test_a_transaction_begun_without_the_platform_goes_on_with_it(
    open_edge: OpenEdge, gateway: OcppGateway, store: Store, line: FaultProxy
) -> None:
    world = await open_edge()
    async with by_hand(world) as hand:
        await link_up(world)
        await hand.ask("BootNotification", BOOT_16)
        await hand.ask("Authorize", {"idTag": "T1"})
        line.cut()
        await link_up(world, is_up=False)
        assert (await hand.ask("Authorize", {"idTag": "T1"}))["idTagInfo"]["status"] == "Accepted"  # as it was answered before
        assert (await hand.ask("Authorize", {"idTag": "T2"}))["idTagInfo"]["status"] == "Invalid"  # unknown: the site's rule
        begun_at = world.now()
        number = (await hand.ask("StartTransaction", start_16(world)))["transactionId"]
        assert number >= 2**30
        await world.second()
        line.mend()
        await delivered(world)
        # From above it is the platform's number, below the edge's.
        await gateway.call("C1", "RemoteStopTransaction", {"transactionId": 1})
        assert ("RemoteStopTransaction", {"transactionId": number}) in hand.called
        await hand.ask("StopTransaction", {"transactionId": number, "meterStop": 3000, "timestamp": wire_time(world.now())})
    await delivered(world)
    started, ended = await told(store)
    assert (started.at, started.id_token, started.session_id) == (begun_at, "T1", "ocpp-1")
    assert (ended.session_id, ended.meter_wh) == ("ocpp-1", 3000)


async def test_whom_the_platform_does_not_accept_afterwards_is_stopped(open_edge: OpenEdge, line: FaultProxy) -> None:
    world = await open_edge(unknown_tokens="accept")
    async with by_hand(world) as hand:
        await link_up(world)
        await hand.ask("BootNotification", BOOT_16)
        line.cut()
        await link_up(world, is_up=False)
        started = await hand.ask("StartTransaction", start_16(world, "X1"))
        assert started["idTagInfo"]["status"] == "Accepted"
        line.mend()
        assert await hand.until(lambda action, _: action == "RemoteStopTransaction") == {
            "transactionId": started["transactionId"]
        }


async def test_the_local_list_decides_without_the_platform(open_edge: OpenEdge, gateway: OcppGateway, line: FaultProxy) -> None:
    world = await open_edge()
    entries = [{"idTag": "T7", "idTagInfo": {"status": "Accepted"}}, {"idTag": "T8", "idTagInfo": {"status": "Blocked"}}]
    async with by_hand(world) as hand:
        await link_up(world)
        await hand.ask("BootNotification", BOOT_16)
        sent = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": entries}
        await gateway.call("C1", "SendLocalList", sent)
        await gateway.call("C1", "SendLocalList", {"listVersion": 2, "updateType": "Differential", "localAuthorizationList": [
            {"idTag": "T9", "idTagInfo": {"status": "Accepted"}}, {"idTag": "T7"}]})  # fmt: skip
        line.cut()
        await link_up(world, is_up=False)
        said = [(await hand.ask("Authorize", {"idTag": each}))["idTagInfo"]["status"] for each in ("T7", "T8", "t9")]
    assert said == ["Invalid", "Blocked", "Accepted"]


@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp2.1"])
async def test_versions_2_keep_their_own_ids(open_edge: OpenEdge, store: Store, line: FaultProxy, version: str) -> None:
    world = await open_edge()
    async with by_hand(world, version=version) as hand:
        await link_up(world)
        assert (await hand.ask("BootNotification", BOOT_2))["status"] == "Accepted"
        assert (await hand.ask("TransactionEvent", event_2(world, "Started", 0, 1000)))["idTokenInfo"]["status"] == "Accepted"
        line.cut()
        await link_up(world, is_up=False)
        await world.seconds(30)
        cap = await hand.until(
            lambda action, said: action == "SetChargingProfile" and said["chargingProfile"]["stackLevel"] == 1
        )
        assert cap["chargingProfile"]["chargingProfilePurpose"] == "ChargingStationMaxProfile"
        await hand.ask("TransactionEvent", event_2(world, "Updated", 1, 2000))
        await hand.ask("TransactionEvent", event_2(world, "Updated", 1, 2000))  # told again
        await hand.ask("TransactionEvent", event_2(world, "Ended", 2, 4000))
        line.mend()
        await delivered(world)
    started, ended = await told(store)
    assert (started.meter_wh, ended.meter_wh, ended.notes) == (1000, 4000, ())


async def test_a_message_told_again_is_kept_once(open_edge: OpenEdge, store: Store, line: FaultProxy) -> None:
    world = await open_edge(unknown_tokens="accept")
    async with by_hand(world) as hand:
        await link_up(world)
        await hand.ask("BootNotification", BOOT_16)
        line.cut()
        await link_up(world, is_up=False)
        first = await hand.ask("StartTransaction", start_16(world))
        assert await hand.ask("StartTransaction", start_16(world)) == first
        assert (await world.edge.shared.buffer.backlog())["C1"] == 1
        line.mend()
        await delivered(world)
        assert await hand.ask("StartTransaction", start_16(world)) == first
    assert len(await told(store)) == 1


async def test_a_message_that_the_platform_refuses_does_not_stop_the_others(open_edge: OpenEdge, store: Store) -> None:
    world = await open_edge()
    async with by_hand(world) as hand:
        await link_up(world)
        await hand.ask("BootNotification", BOOT_16)
        await hand.ask("StatusNotification", {"connectorId": "one"})
        await hand.ask("StartTransaction", start_16(world))
        await delivered(world)
    assert len(await told(store)) == 1
    (refused,) = await world.edge.shared.buffer.refused()
    assert refused.action == "StatusNotification"
    assert "ConstraintViolation" in str(refused.refused)


async def test_the_platforms_limit_of_the_whole_charger_is_kept_by_the_edge(
    open_edge: OpenEdge, gateway: OcppGateway, line: FaultProxy
) -> None:
    world = await open_edge(control=Control(plan_s=60.0))
    charger = await world.connect("C1")
    await link_up(world)
    world.plug_in("C1", "T1")
    await world.seconds(40)
    assert charger.limit_kw(world.now()) > 10
    profile = {"chargingProfileId": 3, "stackLevel": 0, "chargingProfilePurpose": "ChargePointMaxProfile"}
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5000}]}
    said = {**profile, "chargingProfileKind": "Absolute", "chargingSchedule": schedule}
    answer = await gateway.call("C1", "SetChargingProfile", {"connectorId": 0, "csChargingProfiles": said})
    assert answer.payload == {"status": "Accepted"}
    line.cut()
    await world.seconds(90)
    assert charger.limit_kw(world.now()) == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize("which", [{"id": 3}, {"chargingProfilePurpose": "ChargePointMaxProfile"}])
async def test_a_limit_that_the_edge_keeps_is_cleared_there_and_its_own_stay(
    open_edge: OpenEdge, gateway: OcppGateway, which: dict[str, Any]
) -> None:
    world = await open_edge()
    charger = await world.connect("C1")
    await link_up(world)
    world.plug_in("C1", "T1")
    await world.seconds(40)
    profile = {"chargingProfileId": 3, "stackLevel": 0, "chargingProfilePurpose": "ChargePointMaxProfile"}
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5000}]}
    said = {**profile, "chargingProfileKind": "Absolute", "chargingSchedule": schedule}
    await gateway.call("C1", "SetChargingProfile", {"connectorId": 0, "csChargingProfiles": said})
    await world.seconds(5)
    assert charger.limit_kw(world.now()) == pytest.approx(5.0, abs=0.1)
    told = [await gateway.call("C1", "ClearChargingProfile", which) for _ in range(2)]
    assert [each.payload for each in told] == [{"status": "Accepted"}, {"status": "Unknown"}]
    await world.seconds(60)
    assert 10 < charger.limit_kw(world.now()) < 1000  # still what the edge itself says


async def test_a_limit_that_cannot_be_read_is_not_accepted(open_edge: OpenEdge, gateway: OcppGateway) -> None:
    world = await open_edge()
    await world.connect("C1")
    await link_up(world)
    profile = {"chargingProfileId": 3, "stackLevel": 0, "chargingProfilePurpose": "ChargePointMaxProfile"}
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 60, "limit": 5000}]}
    said = {**profile, "chargingProfileKind": "Absolute", "chargingSchedule": schedule}
    answer = await gateway.call("C1", "SetChargingProfile", {"connectorId": 0, "csChargingProfiles": said})
    assert answer.payload == {"status": "Rejected"}


async def test_a_plan_that_is_over_holds_nobody_while_the_platform_is_gone(
    open_edge: OpenEdge, gateway: OcppGateway, line: FaultProxy
) -> None:
    world = await open_edge(control=Control(plan_s=60.0))
    charger = await world.connect("C1")
    await link_up(world)
    world.plug_in("C1", "T1")
    await world.seconds(2)
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "transactionId": 1}
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 4500}]}
    said = {**profile, "chargingProfileKind": "Absolute", "chargingSchedule": schedule}
    answer = await gateway.call("C1", "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": said})
    assert answer.payload == {"status": "Accepted"}
    await world.seconds(40)
    assert charger.limit_kw(world.now()) == pytest.approx(4.5, abs=0.1)
    line.cut()
    await world.seconds(80)
    assert charger.limit_kw(world.now()) > 10


async def test_when_the_edge_is_gone_chargers_fall_back_to_the_safe_limit(open_edge: OpenEdge) -> None:
    world = await open_edge(control=Control(renew_s=60.0))
    charger = await world.connect("C1")
    world.plug_in("C1", "T1")
    await world.seconds(300)  # renewed in time
    now = world.now()
    assert charger.limit_kw(now) > 10
    after = now.replace(year=now.year + 1)
    assert charger.limit_kw(after) == pytest.approx(5.0, abs=0.1)  # half of what both may take while nobody looks


async def test_at_a_charger_of_two_connectors_each_vehicle_gets_its_share(open_edge: OpenEdge) -> None:
    two = ChargerOf(id="C1", connectors=2)
    world = await open_edge(chargers=(two,), circuits=(Circuit(name="grid", limit_kw=17.0),))
    async with by_hand(world) as hand:
        await link_up(world)
        await hand.ask("BootNotification", BOOT_16)
        for connector in (1, 2):
            await hand.ask("StartTransaction", {**start_16(world, f"T{connector}"), "connectorId": connector})
        await world.seconds(60)
        shares = {
            said["connectorId"]: said["csChargingProfiles"] for action, said in hand.called if action == "SetChargingProfile"
        }
    limits = [shares[n]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] for n in (1, 2)]
    assert shares[1]["chargingProfilePurpose"] == "TxProfile"
    assert limits[0] == limits[1] >= 6.0
    assert shares[0]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == pytest.approx(sum(limits), abs=0.2)


async def test_strangers_and_wrong_passwords_stay_outside(open_edge: OpenEdge) -> None:
    world = await open_edge()
    world.edge.stations[0].password = "right"
    world.edge.stations[0].password_hash = "pbkdf2$1$00$00"
    for charger_id, status in (("C9", 404), ("C1", 401)):
        with pytest.raises(InvalidStatus) as caught:
            async with by_hand(world, charger_id):
                pass
        assert caught.value.response.status_code == status
