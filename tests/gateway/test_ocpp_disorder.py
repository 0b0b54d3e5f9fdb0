"""Stations that tell things late, twice, in another order, or to a server that has forgotten them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.model import ChargeEnded, EvseStatusChanged, MeterSampled, RemoteStop, SessionEnded, SessionStarted
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import CREDIBLE_KW
from tests.gateway.conftest import NOW, gateway_on, stored

Dial = Callable[..., Any]


def at(minute: int) -> str:
    return f"2025-06-10T09:{minute:02}:00Z"


def register(transaction: int, wh: object, minute: int, second: str = "00") -> Any:
    value = {"timestamp": f"2025-06-10T09:{minute:02}:{second}Z", "sampledValue": [{"value": str(wh)}]}
    return {"connectorId": 1, "transactionId": transaction, "meterValue": [value]}


def status(name: str, minute: int) -> Any:
    return {"connectorId": 1, "errorCode": "NoError", "status": name, "timestamp": at(minute)}


@asynccontextmanager
async def started_again(gateway: OcppGateway, store: Store) -> AsyncIterator[OcppGateway]:
    """Another process's gateway on the same port and database."""
    port = gateway.port
    await gateway.stop()
    second = gateway_on(store)
    await second.start("127.0.0.1", port)
    yield second
    await second.stop()


class TestTransactions:
    async def test_a_session_ends_when_the_next_one_begins(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        first, second = await wire.start(at=at(0)), await wire.start(at=at(10))
        await wire.stop(second, at=at(20))
        await wire.stop(first, at=at(9))
        ended = [event.session_id for event in await stored(store) if isinstance(event, SessionEnded)]
        assert ended == [f"ocpp-{first}", f"ocpp-{second}"]

    async def test_a_session_told_after_a_newer_one_is_told_to_the_loop_whole(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        newer = await wire.start(at=at(10))
        older = await wire.start(at=at(0), token="T0")
        await wire.stop(older, at=at(9))
        said = [
            (type(event), event.session_id) for event in await stored(store) if isinstance(event, SessionStarted | SessionEnded)
        ]
        assert said == [(SessionStarted, f"ocpp-{newer}"), (SessionStarted, f"ocpp-{older}"), (SessionEnded, f"ocpp-{older}")]

    async def test_what_comes_after_the_end_does_not_open_it_again(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        number = await wire.start()
        await wire.stop(number)
        assert (await wire.ask("MeterValues", register(number, 9000, 29)))[0] == 3
        assert await wire.start() == number
        assert (await wire.ask("StatusNotification", status("Finishing", 30)))[0] == 3
        assert [type(event) for event in await stored(store)] == [SessionStarted, SessionEnded, EvseStatusChanged]

    async def test_signed_readings_do_not_keep_a_session_from_ending(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        number = await wire.start()
        signed = {"timestamp": at(29), "sampledValue": [{"value": "x" * 5000, "format": "SignedData"}]}
        assert (await wire.stop(number, transactionData=[signed]))[0] == 3
        assert [type(event) for event in await stored(store)] == [SessionStarted, SessionEnded]


class TestReadings:
    async def test_an_older_one_does_not_become_the_live_picture(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        number = await wire.start(meter=0, at=at(0))
        for wh, minute in ((900, 10), (300, 5), (1500, 20)):
            assert (await wire.ask("MeterValues", register(number, wh, minute)))[0] == 3
        sampled = [event for event in await stored(store) if isinstance(event, MeterSampled)]
        assert [(event.at.minute, event.meter_wh) for event in sampled] == [(10, 900), (20, 1500)]

    async def test_nonsense_is_passed_over_and_power_stays_credible(self, dial: Dial, store: Store) -> None:
        wire = await dial()
        number = await wire.start(meter=0, at=at(0))
        for wh in ("1e307", "1e999", "nan", "-5", ""):
            assert (await wire.ask("MeterValues", register(number, wh, 10)))[0] == 3
        assert (await wire.ask("MeterValues", register(number, 500, 0, "00.001")))[0] == 3  # half a kilowatt-hour in a blink
        (sampled,) = [event for event in await stored(store) if isinstance(event, MeterSampled)]
        assert (sampled.meter_wh, sampled.power_kw) == (500, CREDIBLE_KW)


class TestRestart:
    async def test_the_end_of_charging_is_seen_though_nothing_else_was_told(
        self, dial: Dial, gateway: OcppGateway, store: Store
    ) -> None:
        """Idle time begins: that must not wait for a meter reading."""
        number = await (await dial()).start()
        async with started_again(gateway, store) as second:
            again = await dial(port=second.port)
            await again.ask("StatusNotification", status("SuspendedEV", 20))
            await again.socket.close()
        (ended,) = [event for event in await stored(store) if isinstance(event, ChargeEnded)]
        assert (ended.session_id, ended.at.minute) == (f"ocpp-{number}", 20)

    async def test_readings_without_a_number_find_their_session(self, dial: Dial, gateway: OcppGateway, store: Store) -> None:
        number = await (await dial()).start()
        async with started_again(gateway, store) as second:
            again = await dial(port=second.port)
            nameless = {key: value for key, value in register(number, 2000, 25).items() if key != "transactionId"}
            await again.ask("MeterValues", nameless)
            await again.socket.close()
        (sampled,) = [event for event in await stored(store) if isinstance(event, MeterSampled)]
        assert (sampled.session_id, sampled.meter_wh) == (f"ocpp-{number}", 2000)

    async def test_a_session_that_has_ended_stays_so(self, dial: Dial, gateway: OcppGateway, store: Store) -> None:
        wire = await dial()
        number = await wire.start()
        await wire.stop(number)
        async with started_again(gateway, store) as second:
            again = await dial(port=second.port)
            await again.ask("StatusNotification", status("SuspendedEV", 30))
            await again.ask("MeterValues", register(number, 9000, 30))
            assert (await again.stop(number))[0] == 3
            await again.socket.close()
        assert [type(event) for event in await stored(store)] == [SessionStarted, SessionEnded, EvseStatusChanged]


class TestConnection:
    async def test_calls_behind_one_that_was_cut_do_not_wait_for_their_timeout(self, dial: Dial, gateway: OcppGateway) -> None:
        wire = await dial()
        await wire.start()
        stop = RemoteStop(at=NOW, evse_id="E1", session_id="ocpp-1")
        sending = [asyncio.create_task(gateway.send(stop)) for _ in range(3)]
        await wire.heard()
        wire.socket.transport.abort()
        assert not any(await asyncio.wait_for(asyncio.gather(*sending), 0.4))
