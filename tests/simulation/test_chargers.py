"""Chargers of the twin against the real gateway and store, and the live twin against both and the real feed."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.loop import Clock
from chargeloop.model import (
    CancelReservation,
    ChargeEnded,
    City,
    Command,
    Event,
    EvseStatus,
    EvseStatusChanged,
    Layout,
    MeterSampled,
    RemoteStart,
    RemoteStop,
    ReserveEvse,
    SessionEnded,
    SessionStarted,
    SetChargingProfile,
    StopReason,
    WeatherObserved,
)
from chargeloop.perception import Perception
from chargeloop.persistence import Store
from chargeloop.simulation.chargers import Charger, ocpp_evses
from chargeloop.simulation.live import LiveTwin
from tests.small_city import START


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


async def stored(store: Store) -> list[Event]:
    return [event async for _, event in store.events_after(0)]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "test.db")
    yield store
    await store.close()


@asynccontextmanager
async def listening(store: Store, port: int = 0, known: Sequence[str] = ("E1",)) -> AsyncIterator[OcppGateway]:
    gateway = OcppGateway(store, lambda: after(60), lambda _: "S1")
    await gateway.enrol(known)
    await gateway.start("127.0.0.1", port)
    yield gateway
    await gateway.stop()


@contextmanager
def running(charger: Charger) -> Iterator[None]:
    task = asyncio.create_task(charger.run())
    yield
    task.cancel()


class Bay:
    """What the charger tells to do, and whether it can be done."""

    def __init__(self) -> None:
        self.told: list[Command] = []
        self.can = True

    def obey(self, command: Command) -> bool:
        self.told.append(command)
        return self.can


def charger_at(gateway: OcppGateway, bay: Bay, evse_id: str = "E1") -> Charger:
    return Charger(evse_id, f"ws://127.0.0.1:{gateway.port}/ocpp", lambda: START, bay.obey)


async def connected(gateway: OcppGateway, charger: Charger) -> None:
    async with asyncio.timeout(10):
        while charger.evse_id not in gateway.connected:
            await asyncio.sleep(0.01)
        await charger.delivered()


class TestChoice:
    @pytest.mark.parametrize("count", [0, 1, 5, 31, 1000])
    def test_spread_over_the_city(self, small_layout: Layout, count: int) -> None:
        chosen = ocpp_evses(small_layout, count)
        assert len(set(chosen)) == min(count, len(small_layout.evse_ids))
        assert set(chosen) <= set(small_layout.evse_ids)
        assert chosen == ocpp_evses(small_layout, count)

    def test_both_currents_and_all_zones(self, small_layout: Layout) -> None:
        chosen = [small_layout.evse_index[each] for each in ocpp_evses(small_layout, 16)]
        assert set(small_layout.pool_is_dc[small_layout.evse_pool[chosen]]) == {True, False}
        assert set(small_layout.station_zone[small_layout.evse_station[chosen]]) == {0, 1, 2}


class TestCharger:
    async def test_a_session_as_the_server_sees_it(self, store: Store) -> None:
        async with listening(store) as gateway:
            charger = charger_at(gateway, Bay())
            with running(charger):
                await connected(gateway, charger)
                charger.plug_in(after(1), "U1", 5000.4)
                charger.sample(after(6), 5600.0, 7.0, 0.4)
                charger.charge_ended(after(30), 8000.0)
                charger.unplug(after(40), 8000.0, StopReason.FULL)
                await asyncio.wait_for(charger.delivered(), 5)
        events = await stored(store)
        assert [event for event in events if not isinstance(event, EvseStatusChanged)] == [
            SessionStarted(at=after(1), session_id="ocpp-1", evse_id="E1", id_token="U1", meter_wh=5000),
            MeterSampled(at=after(6), session_id="ocpp-1", evse_id="E1", meter_wh=5600, power_kw=7, soc=0.4),
            MeterSampled(at=after(30), session_id="ocpp-1", evse_id="E1", meter_wh=8000, power_kw=0),
            ChargeEnded(at=after(30), session_id="ocpp-1", evse_id="E1", meter_wh=8000),
            SessionEnded(at=after(40), session_id="ocpp-1", evse_id="E1", meter_wh=8000, reason=StopReason.FULL),
        ]
        assert [event.status for event in events if isinstance(event, EvseStatusChanged)] == [
            EvseStatus.AVAILABLE,
            EvseStatus.PREPARING,
            EvseStatus.CHARGING,
            EvseStatus.SUSPENDED_EV,
            EvseStatus.FINISHING,
            EvseStatus.AVAILABLE,
        ]

    async def test_what_happens_offline_is_delivered_in_order(self, store: Store) -> None:
        async with listening(store) as gateway:
            port, charger = gateway.port, charger_at(gateway, Bay())
            task = asyncio.create_task(charger.run())
            await connected(gateway, charger)
            charger.plug_in(after(1), "U1", 0)
            await asyncio.wait_for(charger.delivered(), 5)
        charger.sample(after(6), 600.0, 7.0)  # the server is away
        charger.unplug(after(10), 1000.0, StopReason.DEPARTED)
        charger.plug_in(after(11), "U2", 1000.0)
        charger.sample(after(16), 1600.0, 7.0)
        charger.unplug(after(20), 2000.0, StopReason.DEPARTED)
        charger.plug_in(after(21), "U3", 2000.0)
        await asyncio.sleep(0.3)
        async with listening(store, port):
            await asyncio.wait_for(charger.delivered(), 10)
            task.cancel()
        told = [event for event in await stored(store) if not isinstance(event, EvseStatusChanged)]
        assert [(type(event).__name__, event.at, getattr(event, "session_id", "")) for event in told] == [
            ("SessionStarted", after(1), "ocpp-1"),
            ("MeterSampled", after(6), "ocpp-1"),
            ("SessionEnded", after(10), "ocpp-1"),
            ("SessionStarted", after(11), "ocpp-2"),
            ("MeterSampled", after(16), "ocpp-2"),
            ("SessionEnded", after(20), "ocpp-2"),
            ("SessionStarted", after(21), "ocpp-3"),
        ]

    async def test_profiles_limit_the_running_session_only(self, store: Store) -> None:
        async with listening(store) as gateway:
            charger = charger_at(gateway, Bay())
            command = SetChargingProfile(
                at=after(2), evse_id="E1", session_id="ocpp-1", start=after(2), step_s=300, limits_kw=(3.0, 5.0)
            )
            with running(charger):
                await connected(gateway, charger)
                assert not await gateway.send(command)  # no session yet
                charger.plug_in(after(1), "U1", 0)
                await charger.delivered()
                assert charger.limit_kw(after(2)) == np.inf
                assert await gateway.send(command)
                assert [charger.limit_kw(after(m)) for m in (1, 2, 6.9, 7, 90)] == [np.inf, 3.0, 3.0, 5.0, 5.0]
                charger.unplug(after(8), 10, StopReason.DEPARTED)
                charger.plug_in(after(9), "U2", 10)
                await charger.delivered()
                assert charger.limit_kw(after(10)) == np.inf
                assert not await gateway.send(command)  # of the session before

    async def test_the_bay_is_told_what_to_do(self, store: Store) -> None:
        bay = Bay()
        async with listening(store) as gateway:
            charger = charger_at(gateway, bay)
            start = RemoteStart(at=START, evse_id="E1", id_token="U1")
            reserve = ReserveEvse(at=START, evse_id="E1", reservation_id=4, id_token="U1", expires_at=after(90))
            cancel = CancelReservation(at=START, evse_id="E1", reservation_id=4)
            stop = RemoteStop(at=START, evse_id="E1", session_id="ocpp-1")
            with running(charger):
                await connected(gateway, charger)
                for command in (reserve, cancel, start):
                    assert await gateway.send(command)
                assert bay.told == [reserve, cancel, start]
                assert not await gateway.send(stop)  # nothing runs
                charger.plug_in(after(61), "U1", 0)
                await charger.delivered()
                assert await gateway.send(stop)
                assert bay.told[-1] == RemoteStop(at=START, evse_id="E1", session_id="U1")
                bay.can = False
                for refused in (reserve, cancel, start, stop):
                    assert not await gateway.send(refused)


class TestLiveTwin:
    async def test_the_city_as_the_server_sees_it(self, small_city: City, small_layout: Layout, store: Store) -> None:
        """Half of the bays speak OCPP, with a break of the link; in the end perception knows what the twin does."""
        clock = Clock(0.0, START.timestamp(), 60.0)
        async with listening(store, known=small_layout.evse_ids) as gateway:
            port = gateway.port
            url = f"ws://127.0.0.1:{port}/ocpp"
            live = LiveTwin(small_city, clock, url, chargers=16, level=1.5, seed=3, start=START)
            await store.append("feed", live.catch_up(START))
            tasks = [asyncio.create_task(charger.run()) for charger in live.chargers.values()]
            await through(live, store, 60)
            await all_delivered(live)
        await through(live, store, 60)  # the gateway is away
        async with listening(store, port, small_layout.evse_ids) as gateway:
            await all_delivered(live)
            await through(live, store, 240)  # beyond the drivers drawn at first
            await all_delivered(live)
            for task in tasks:
                task.cancel()
        perception = Perception(small_city, small_layout)
        events = await stored(store)
        for event in events:
            perception.apply(event)
        busy = {small_layout.evse_ids[e] for e in np.flatnonzero(live.twin.state.bays["driver"] >= 0)}
        assert {session.evse_id for session in perception.open_sessions()} == busy
        by_ocpp = {event.evse_id for event in events if isinstance(event, SessionStarted) and "ocpp" in event.session_id}
        assert by_ocpp
        assert by_ocpp <= set(ocpp_evses(small_layout, 16))
        assert sum(isinstance(event, WeatherObserved) for event in events) == 7
        ended = [event for event in events if isinstance(event, SessionEnded)]
        assert len({event.session_id for event in ended}) == len(ended)

    def test_a_twin_started_later_takes_other_names(self, small_city: City) -> None:
        clock = Clock(0.0, START.timestamp(), 30.0)
        one, other = (
            LiveTwin(small_city, clock, "ws://x", chargers=0, level=1.0, seed=1, start=start).twin.drivers
            for start in (START, after(1))
        )
        assert other.first > one.first + len(one)


async def through(live: LiveTwin, store: Store, minutes: int) -> None:
    end = live.twin.now + timedelta(minutes=minutes)
    while live.twin.now < end:
        live.extend_where_due()
        await store.append("feed", live.step())
        await asyncio.sleep(0)


async def all_delivered(live: LiveTwin) -> None:
    async with asyncio.timeout(30):
        for charger in live.chargers.values():
            await charger.delivered()
