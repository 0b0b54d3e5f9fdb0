"""The OCPP gateway, over real sockets and with the real store."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.model import (
    CancelReservation,
    ChargeEnded,
    Command,
    EvseStatus,
    EvseStatusChanged,
    GuideDriver,
    MeterSampled,
    RemoteStart,
    RemoteStop,
    ReserveEvse,
    SessionEnded,
    SessionStarted,
    SetChargingProfile,
    StopReason,
    Unreachable,
)
from chargeloop.persistence import Store
from tests.gateway.conftest import NOW, Wire, gateway_on, stored

Dial = Callable[..., Any]
OK = {"idTagInfo": {"status": "Accepted"}}


def values(wh: float | None = None, kw: float | None = None, soc: float | None = None, at: str = "2025-06-10T09:25:00Z") -> Any:
    samples = []
    if wh is not None:
        samples.append({"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"})
    if kw is not None:
        samples.append({"value": str(kw), "measurand": "Power.Active.Import", "unit": "kW"})
    if soc is not None:
        samples.append({"value": str(soc), "measurand": "SoC", "unit": "Percent"})
    return {"connectorId": 1, "meterValue": [{"timestamp": at, "sampledValue": samples}]}


def status(name: str, connector: int = 1, at: str = "2025-06-10T09:26:00Z", error: str = "NoError") -> Any:
    return {"connectorId": connector, "errorCode": error, "status": name, "timestamp": at}


def minute(m: int) -> datetime:
    return datetime(2025, 6, 10, 9, m, tzinfo=UTC)


class TestConnecting:
    async def test_boot_heartbeat_and_the_rest(self, dial: Dial, gateway: OcppGateway) -> None:
        wire = await dial()
        kind, message_id, answer = await wire.ask("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert (kind, message_id) == (3, "1")
        assert answer == {"status": "Accepted", "currentTime": "2025-06-10T09:30:00Z", "interval": 300}
        assert (await wire.ask("Heartbeat", {}))[2] == {"currentTime": "2025-06-10T09:30:00Z"}
        assert (await wire.ask("Authorize", {"idTag": "T"}))[2] == OK
        assert (await wire.ask("DataTransfer", {"vendorId": "V"}))[2] == {"status": "UnknownVendorId"}
        assert gateway.connected == {"E1"}
        await wire.socket.close()
        async with asyncio.timeout(5):
            while gateway.connected:
                await asyncio.sleep(0.01)

    async def test_identities_may_be_percent_encoded(self, dial: Dial, gateway: OcppGateway) -> None:
        await dial("E%203")
        assert gateway.connected == {"E 3"}

    @pytest.mark.parametrize("path", ["/ocpp/" + "x" * 49, "/ocpp/a:b", "/ocpp/", "/", "/other/E1"])
    async def test_what_is_no_identity_is_not_found(self, gateway: OcppGateway, path: str) -> None:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://127.0.0.1:{gateway.port}{path}", subprotocols=[Subprotocol("ocpp1.6")], proxy=None)
        assert caught.value.response.status_code == 404

    @pytest.mark.parametrize("offered", [["ocpp1.5"], None])
    async def test_without_a_common_subprotocol_it_closes(self, gateway: OcppGateway, offered: Any) -> None:
        socket = await connect(f"ws://127.0.0.1:{gateway.port}/ocpp/E1", subprotocols=offered, proxy=None)
        assert socket.subprotocol is None
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
        assert not gateway.connected
        (problem,) = gateway.chargers["E1"].problems
        assert "ocpp1.6, ocpp2.0.1, ocpp2.1" in problem

    async def test_a_newer_socket_replaces_the_older(self, dial: Dial, gateway: OcppGateway) -> None:
        older, newer = await dial(), await dial()
        with pytest.raises(ConnectionClosed):
            await older.heard()
        await asyncio.sleep(0.05)
        assert gateway.connected == {"E1"}
        assert (await newer.ask("Heartbeat", {}))[0] == 3

    async def test_a_busy_port_is_named(self, gateway: OcppGateway, store: Store) -> None:
        second = gateway_on(store)
        with pytest.raises(Unreachable, match=f"port {gateway.port} .*--ocpp-port"):
            await second.start("127.0.0.1", gateway.port)
        await second.stop()


class TestSessions:
    async def test_one_from_start_to_end(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        await wire.ask("StatusNotification", status("Preparing", at="2025-06-10T09:19:00Z"))
        number = await wire.start()
        await wire.ask("MeterValues", values(2500, 7.0, 55) | {"transactionId": number})
        await wire.ask("StatusNotification", status("SuspendedEV"))
        assert (await wire.stop(number, reason="EVDisconnected"))[2] == {}
        of: dict[str, Any] = {"session_id": f"ocpp-{number}", "evse_id": "E1"}
        assert await stored(store) == [
            EvseStatusChanged(at=minute(19), evse_id="E1", status=EvseStatus.PREPARING),
            SessionStarted(at=minute(20), id_token="T1", meter_wh=1000, **of),
            MeterSampled(at=minute(25), meter_wh=2500, power_kw=7.0, soc=0.55, **of),
            ChargeEnded(at=minute(26), meter_wh=2500, **of),
            EvseStatusChanged(at=minute(26), evse_id="E1", status=EvseStatus.SUSPENDED_EV),
            SessionEnded(at=minute(29), meter_wh=6000, reason=StopReason.FULL, **of),
        ]

    async def test_what_was_answered_is_stored(self, dial: Dial, store: Store) -> None:
        told: list[Any] = []
        store.on_commit = told.extend
        wire = await dial()
        await wire.start()
        assert [type(event) for _, event in told] == [SessionStarted]

    async def test_a_start_told_twice_is_one_session(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        number = await wire.start()
        assert await wire.start() == number
        await wire.stop(number)
        assert await wire.start() == number
        assert [type(event) for event in await stored(store)] == [SessionStarted, SessionEnded]
        assert await wire.start(at="2025-06-10T09:21:00Z") > number

    async def test_a_stop_told_twice_is_one_end(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        number = await wire.start()
        assert await wire.stop(number, idTag="T1") != await wire.stop(number)
        assert [type(event) for event in await stored(store)] == [SessionStarted, SessionEnded]

    @pytest.mark.parametrize("number", [0, -1, 77, 2**31 - 1, 2**63 - 1])
    async def test_a_stop_of_nothing_is_answered(self, dial: Dial, store: Store, number: int) -> None:
        wire = await dial()
        assert (await wire.stop(number))[0] == 3
        assert await stored(store) == []

    async def test_nobody_ends_anothers_session(self, dial: Dial, store: Store) -> None:
        one, other = await dial("E1"), await dial("E2")
        number = await one.start()
        assert (await other.stop(number))[0] == 3
        await other.ask("MeterValues", values(2000, 1) | {"transactionId": number})
        assert [type(event) for event in await stored(store)] == [SessionStarted]

    async def test_meters_that_leave_things_out(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        assert (await wire.ask("MeterValues", values(5)))[0] == 3  # no transaction at all
        await wire.start(at="2025-06-10T09:00:00Z")
        await wire.ask("MeterValues", values(wh=2000, at="2025-06-10T09:12:00Z"))
        await wire.ask("MeterValues", values(kw=4, at="2025-06-10T09:13:00Z"))
        await wire.ask("MeterValues", values(wh=50, kw=3, at="2025-06-10T09:14:00Z"))
        await wire.ask("MeterValues", {"connectorId": 1, "meterValue": []})
        await wire.ask("MeterValues", values())
        sampled = [event for event in await stored(store) if isinstance(event, MeterSampled)]
        assert [(each.meter_wh, round(each.power_kw, 6)) for each in sampled] == [(2000, 5.0), (2000, 4.0), (2000, 3.0)]

    async def test_faults_of_the_whole_charge_point(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        for said in (
            status("Charging"),
            status("Faulted", 0, at="2025-06-10T09:27:00Z", error="GroundFailure"),
            status("Available", 0, at="2025-06-10T09:28:00Z"),
            status("Available", at="2025-06-10T08:00:00Z"),  # older than what is known
            status("Faulted", 2, at="2025-06-10T09:29:00Z"),  # not a connector of ours
        ):
            assert (await wire.ask("StatusNotification", said))[0] == 3
        events = [event for event in await stored(store) if isinstance(event, EvseStatusChanged)]
        assert [(each.status, each.info) for each in events] == [
            (EvseStatus.CHARGING, ""),
            (EvseStatus.FAULTED, "GroundFailure"),
            (EvseStatus.CHARGING, ""),
        ]


class TestFaults:
    async def test_a_link_cut_in_mid_transaction(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        number = await wire.start()
        wire.socket.transport.abort()
        again = await dial()
        await again.ask("MeterValues", values(3000, 5) | {"transactionId": number})
        await again.stop(number)
        assert [type(event) for event in await stored(store)] == [SessionStarted, MeterSampled, SessionEnded]

    async def test_stopped_and_started_again(self, dial: Dial, gateway: OcppGateway, store: Store) -> None:
        wire, port = await dial(), gateway.port
        number = await wire.start()
        await gateway.stop()
        with pytest.raises(ConnectionClosed):
            await wire.heard()
        second = gateway_on(store)
        await second.start("127.0.0.1", port)
        try:
            again = await dial(port=port)
            assert await again.start() == number
            await again.ask("MeterValues", values(3000, 5) | {"transactionId": number})
            await again.ask("StatusNotification", status("Finishing"))
            await again.stop(number)
            kinds = [type(event) for event in await stored(store)]
            assert kinds == [SessionStarted, MeterSampled, ChargeEnded, EvseStatusChanged, SessionEnded]
            await again.socket.close()
        finally:
            await second.stop()

    @pytest.mark.parametrize(
        ("text", "code", "message_id"),
        [
            ("{", "FormationViolation", "-1"),
            ('[2,"9","Authorize","x"]', "FormationViolation", "9"),
            ('[2,"9","Fly",{}]', "NotImplemented", "9"),
            ('[2,"9","Reset",{"type":"Hard"}]', "NotSupported", "9"),
            ('[2,"9","Authorize",{}]', "OccurenceConstraintViolation", "9"),
            ('[2,"9","Authorize",{"idTag":7}]', "TypeConstraintViolation", "9"),
            (f'[2,"9","Authorize",{{"idTag":"{"x" * 21}"}}]', "PropertyConstraintViolation", "9"),
        ],
    )
    async def test_bad_messages_get_their_error(self, dial: Dial, store: Store, text: str, code: str, message_id: str) -> None:
        wire, other = await dial("E1"), await dial("E2")
        answer = await wire.say(text)
        assert answer[:3] == [4, message_id, code]
        assert len(answer) == 5
        assert (await wire.ask("Heartbeat", {}))[0] == 3  # the connection and the others live on
        assert (await other.ask("Heartbeat", {}))[0] == 3
        assert await stored(store) == []

    async def test_answers_and_types_that_nobody_asked_for_are_passed_over(self, dial: Dial) -> None:
        wire = await dial()
        for text in ('[5,"1","x","y",{}]', '[6,"1","Stream",{}]', '[3,"1",{}]', '[4,"1","X","",{}]', "[3]"):
            await wire.socket.send(text)
        assert (await wire.ask("Heartbeat", {}, "last"))[1] == "last"

    async def test_fragments_are_put_together(self, dial: Dial) -> None:
        wire = await dial()
        await wire.socket.send(["[2,", '"1","Heart', 'beat",{}]'])
        assert (await wire.heard())[0] == 3

    @pytest.mark.parametrize("fragments", [1, 10])
    async def test_endless_messages_end_the_connection(self, dial: Dial, fragments: int) -> None:
        wire, other = await dial("E1"), await dial("E2")
        with suppress(ConnectionClosed):
            await wire.socket.send(["x" * (2_000_000 // fragments)] * fragments)
        with pytest.raises(ConnectionClosed):
            await wire.heard()
        assert (await other.ask("Heartbeat", {}))[0] == 3

    async def test_a_flood_ends_only_its_own_connection(self, dial: Dial) -> None:
        wire, other = await dial("E1"), await dial("E2")
        with suppress(ConnectionClosed):
            for i in range(5000):
                await wire.socket.send(json.dumps([2, str(i), "StatusNotification", status("Available")]))
        async with asyncio.timeout(5):
            await wire.socket.wait_closed()
        assert (await other.ask("Heartbeat", {}))[0] == 3

    async def test_a_mute_charger_harms_nobody(self, dial: Dial, gateway: OcppGateway) -> None:
        await dial("E1")  # never answers
        other = await dial("E2")
        mute = asyncio.create_task(gateway.send(RemoteStart(at=NOW, evse_id="E1", id_token="T")))
        assert await served(gateway, other, RemoteStart(at=NOW, evse_id="E2", id_token="T"), "Accepted")
        assert not mute.done()
        assert await mute is False


async def served(gateway: OcppGateway, wire: Wire, command: Command, status: str) -> bool:
    """Send a command and have the station answer with a status."""
    sending = asyncio.create_task(gateway.send(command))
    _, message_id, _, _ = await wire.heard()
    await wire.socket.send(json.dumps([3, message_id, {"status": status}]))
    return await sending


class TestCommands:
    @pytest.mark.parametrize(
        ("command", "action", "payload"),
        [
            (
                RemoteStart(at=NOW, evse_id="E1", id_token="T"),
                "RemoteStartTransaction",
                {"idTag": "T", "connectorId": 1},
            ),
            (RemoteStop(at=NOW, evse_id="E1", session_id="ocpp-1"), "RemoteStopTransaction", {"transactionId": 1}),
            (
                ReserveEvse(at=NOW, evse_id="E1", reservation_id=3, id_token="T", expires_at=NOW + timedelta(hours=1)),
                "ReserveNow",
                {"connectorId": 1, "expiryDate": "2025-06-10T10:30:00Z", "idTag": "T", "reservationId": 3},
            ),
            (CancelReservation(at=NOW, evse_id="E1", reservation_id=3), "CancelReservation", {"reservationId": 3}),
            (
                SetChargingProfile(at=NOW, evse_id="E1", session_id="ocpp-1", start=NOW, step_s=60, limits_kw=(1.0, 2.0)),
                "SetChargingProfile",
                {
                    "connectorId": 1,
                    "csChargingProfiles": {
                        "chargingProfileId": 1,
                        "stackLevel": 0,
                        "chargingProfilePurpose": "TxProfile",
                        "chargingProfileKind": "Absolute",
                        "transactionId": 1,
                        "chargingSchedule": {
                            "chargingRateUnit": "W",
                            "startSchedule": "2025-06-10T09:30:00Z",
                            "chargingSchedulePeriod": [
                                {"startPeriod": 0, "limit": 1000.0},
                                {"startPeriod": 60, "limit": 2000.0},
                            ],
                        },
                    },
                },
            ),
        ],
    )
    async def test_they_become_calls(
        self, dial: Dial, gateway: OcppGateway, command: Command, action: str, payload: dict[str, Any]
    ) -> None:
        wire = await dial()
        assert await wire.start() == 1
        for answer, is_done in (({"status": "Accepted"}, True), ({"status": "Rejected"}, False), ({"x": 1}, False)):
            sending = asyncio.create_task(gateway.send(command))
            kind, message_id, *said = await wire.heard()
            assert (kind, said) == (2, [action, payload])
            await wire.socket.send(json.dumps([3, message_id, answer]))
            assert await sending is is_done

    async def test_they_are_called_one_after_the_other_with_ids_of_their_own(self, dial: Dial, gateway: OcppGateway) -> None:
        wire = await dial()
        await wire.start()
        command = RemoteStop(at=NOW, evse_id="E1", session_id="ocpp-1")
        sending = [asyncio.create_task(gateway.send(command)) for _ in range(3)]
        ids = []
        for _ in sending:
            ids.append((await wire.heard())[1])
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(wire.socket.recv(), 0.03)
            assert (await wire.ask("Heartbeat", {}))[0] == 3  # our open call does not stop theirs
            await wire.socket.send(json.dumps([3, ids[-1], {"status": "Accepted"}]))
        assert all(await asyncio.gather(*sending))
        assert len(set(ids)) == 3

    async def test_what_cannot_be_delivered(self, dial: Dial, gateway: OcppGateway) -> None:
        stop = RemoteStop(at=NOW, evse_id="E1", session_id="ocpp-1")
        assert not await gateway.send(stop)  # not connected
        assert not await gateway.send(GuideDriver(at=NOW, request_id="R", station_id=None, why=""))
        wire = await dial()
        await wire.start()
        assert not await gateway.send(RemoteStop(at=NOW, evse_id="E1", session_id="twin-00000005"))
        sending = asyncio.create_task(gateway.send(stop))
        _, message_id, *_ = await wire.heard()
        await wire.socket.send(json.dumps([4, message_id, "NotSupported", "", {}]))
        assert not await sending
        sending = asyncio.create_task(gateway.send(stop))
        await wire.heard()
        wire.socket.transport.abort()
        assert not await asyncio.wait_for(sending, 0.4)  # cut in mid-call: not kept waiting until the timeout
