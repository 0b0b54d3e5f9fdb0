"""The live loop on a real database: decides, reserves, settles, and is the same after a restart."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from chargeloop.guidance import Guide
from chargeloop.loop import CityLoop, Clock, Conflict, Records, Saved, Tick, Told, counted, stages_of, still_open
from chargeloop.model import (
    BadInput,
    CancelReservation,
    ChargeRequest,
    ChargeRequested,
    City,
    Command,
    Current,
    DriverArrived,
    GuideDriver,
    Layout,
    MeterSampled,
    ReservationState,
    ReserveEvse,
    SessionEnded,
    SessionStarted,
    SetChargingProfile,
    Tier,
)
from chargeloop.persistence import Store
from tests.small_city import START, place

C = TypeVar("C")


@dataclass
class House:
    """A loop with its database; `commands` collects what it sent."""

    city: City
    layout: Layout
    guide: Guide
    path: Path
    clock: Clock
    commands: list[Command] = field(default_factory=list)
    store: Store = field(init=False)
    loop: CityLoop = field(init=False)

    async def open(self) -> None:
        self.store = await Store.open(self.path)
        records: Records = self.store
        stages = stages_of(self.city, self.layout, self.guide)
        self.loop = CityLoop(self.city, self.layout, stages, records, self.clock, self._send)
        await self.loop.rebuild()
        self.store.on_commit = self.loop.publish

    async def _send(self, commands: Sequence[Command]) -> None:
        self.commands.extend(commands)

    def sent(self, kind: type[C]) -> list[C]:
        return [command for command in self.commands if isinstance(command, kind)]


@pytest.fixture
async def house(small_city: City, small_layout: Layout, tmp_path: Path) -> AsyncIterator[House]:
    guide = Guide.of(small_city, small_layout)
    made = House(small_city, small_layout, guide, tmp_path / "loop.db", Clock.starting(START, 1.0))
    await made.open()
    yield made
    await made.store.close()


def request(key: str = "r1", token: str = "T1", soc: float = 0.3) -> ChargeRequest:
    return ChargeRequest(
        key, START, place(1200, 900), token, "small", Tier.PRIVATE, Current.DC, soc, 0.9, 40.0, START + timedelta(hours=2)
    )


async def charge(house: House, session: str, evse: str, token: str, minutes: int = 30) -> None:
    end = START + timedelta(minutes=minutes)
    await house.store.append("test", [SessionStarted(at=START, session_id=session, evse_id=evse, id_token=token)])
    await house.store.append(
        "test",
        [
            MeterSampled(at=end, session_id=session, evse_id=evse, meter_wh=9000, power_kw=20.0),
            SessionEnded(at=end, session_id=session, evse_id=evse, meter_wh=10_000),
        ],
    )


async def test_a_turn_decides_guides_and_stores_why(house: House) -> None:
    await house.store.append("test", [ChargeRequested(at=START, request=request())])
    heard: list[Tick] = []
    house.loop.listeners.append(heard.append)
    turn = await house.loop.turn()
    (guide,) = house.sent(GuideDriver)
    stored = await house.store.decision("D-r1")
    assert stored == turn.decisions[0]
    assert stored is not None
    assert stored.request == request()
    assert guide.station_id == stored.chosen.station_id  # type: ignore[union-attr]
    assert heard == [turn]
    assert (await house.loop.turn()).decisions == ()


async def test_a_session_is_planned_settled_and_its_promise_kept_in_the_books(house: House) -> None:
    await house.store.append("test", [ChargeRequested(at=START, request=request())])
    decision = (await house.loop.turn()).decisions[0]
    assert decision.chosen is not None
    station = decision.chosen.station_id
    evse = f"{station}-01"
    await house.store.append("test", [DriverArrived(at=START, request_id="r1", station_id=station)])
    later = START + timedelta(minutes=5)
    await house.store.append("test", [SessionStarted(at=later, session_id="s1", evse_id=evse, id_token="T1")])
    await house.loop.turn()
    (profile,) = house.sent(SetChargingProfile)
    assert profile.session_id == "s1"
    house.loop.undelivered(profile)
    await house.loop.turn()
    assert len(house.sent(SetChargingProfile)) == 2
    end = later + timedelta(minutes=30)
    await house.store.append("test", [SessionEnded(at=end, session_id="s1", evse_id=evse, meter_wh=12_000)])
    await house.loop.turn()
    cdr = await house.store.cdr("s1")
    assert cdr is not None
    assert cdr.session.energy_kwh == 12
    outcome = await house.store.outcome("D-r1")
    assert outcome is not None
    assert outcome.realised_wait_min == pytest.approx(5)
    assert outcome.realised_amount == cdr.amount
    session = await house.store.session("s1")
    assert session is not None
    assert session.ended_at == end
    assert house.loop.tally.sessions == 1


async def test_a_driver_reserves_a_bay_and_gives_it_back(house: House) -> None:
    decision, _ = await house.loop.recommend(request())
    reservation = await house.loop.reserve(decision, decision.offers[0].station_id)
    assert reservation.evse_id is not None
    (command,) = house.sent(ReserveEvse)
    assert command.evse_id == reservation.evse_id
    world = house.loop.perception.snapshot(house.clock.now())
    assert world.reservations == (reservation,)
    with pytest.raises(Conflict, match="already"):
        await house.loop.reserve(decision, decision.offers[0].station_id)
    cancelled = await house.loop.cancel(reservation.reservation_id)
    assert cancelled.state is ReservationState.CANCELLED
    assert len(house.sent(CancelReservation)) == 1
    assert await house.store.reservation(reservation.reservation_id) == cancelled
    with pytest.raises(Conflict, match="not held"):
        await house.loop.cancel(reservation.reservation_id)


async def test_only_what_was_offered_can_be_reserved(house: House) -> None:
    decision, _ = await house.loop.recommend(request())
    with pytest.raises(BadInput, match="not among the offers"):
        await house.loop.reserve(decision, "S9")


async def test_where_no_bay_is_free_a_driver_gets_a_place_in_the_queue_then_a_bay(house: House) -> None:
    for evse in ("S0-01", "S0-02"):
        await house.store.append("test", [SessionStarted(at=START, session_id=evse, evse_id=evse, id_token=evse)])
    decision, _ = await house.loop.recommend(request())
    reservation = await house.loop.reserve(decision, "S0")
    assert reservation.evse_id is None
    assert house.sent(ReserveEvse) == []
    soon = START + timedelta(minutes=1)
    await house.store.append("test", [SessionEnded(at=soon, session_id="S0-02", evse_id="S0-02", meter_wh=1000)])
    await house.loop.turn()
    (command,) = house.sent(ReserveEvse)
    assert command.evse_id == "S0-02"


async def test_the_last_bay_of_some_stations_is_for_emergency_vehicles(house: House) -> None:
    (pool,) = np.flatnonzero((house.layout.pool_station == 0) & house.layout.pool_is_dc)
    held = np.zeros_like(house.layout.pool_held)
    held[pool] = 1
    house.loop.queue.layout = replace(house.layout, pool_held=held)
    await house.store.append("test", [SessionStarted(at=START, session_id="s", evse_id="S0-01", id_token="other")])
    decision, _ = await house.loop.recommend(request())
    assert (await house.loop.reserve(decision, "S0")).evse_id is None
    ambulance, _ = await house.loop.recommend(replace(request("r2", "T2"), tier=Tier.EMERGENCY))
    assert (await house.loop.reserve(ambulance, "S0")).evse_id == "S0-02"


async def test_a_bay_that_nobody_comes_to_is_given_back_and_counted(house: House) -> None:
    decision, _ = await house.loop.recommend(request())
    reservation = await house.loop.reserve(decision, decision.offers[0].station_id)
    house.loop.clock = Clock.starting(START + timedelta(hours=3), 1.0)
    await house.loop.turn()
    closed = await house.store.reservation(reservation.reservation_id)
    assert closed is not None
    assert closed.state is ReservationState.NO_SHOW
    assert len(house.sent(CancelReservation)) == 1
    assert house.loop.queue.books.no_shows_of == {"T1": 1}


@pytest.mark.parametrize("with_snapshot", [True, False])
async def test_after_a_restart_it_is_the_same_city(house: House, with_snapshot: bool) -> None:
    await charge(house, "done", "S0-01", "A")
    await house.loop.turn()
    await house.store.append("test", [SessionStarted(at=START, session_id="open", evse_id="S1-01", id_token="B")])
    decision, _ = await house.loop.recommend(request())
    reservation = await house.loop.reserve(decision, decision.offers[0].station_id)
    if with_snapshot:
        await house.loop.save()
        body = (await house.store.latest_snapshot() or (0, ""))[1]
        assert Saved.__slots__[0] in body
    await charge(house, "unsettled", "S2-01", "C")  # ended, but no turn has settled it
    before, tally = house.loop.perception.state, house.loop.tally
    await house.store.close()
    await house.open()
    assert house.loop.perception.state == before
    assert house.loop.tally.requests == tally.requests
    await house.loop.turn()
    assert {cdr.session.session_id for cdr in await house.store.cdrs()} == {"done", "unsettled"}
    assert house.loop.tally.sessions == 2
    assert [each.session_id for each in await house.store.sessions(open_only=True)] == ["open"]
    assert await house.store.reservation(reservation.reservation_id) == reservation


async def test_a_turn_that_fails_does_not_stop_the_city(house: House) -> None:
    turns: list[int] = []

    async def turn() -> None:
        turns.append(len(turns))
        if len(turns) == 1:
            raise RuntimeError("one bad turn")

    house.loop.turn = turn  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(house.loop.run(0.01, snapshot_every=2))
    while len(turns) < 4:
        await asyncio.sleep(0.01)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert await house.store.latest_snapshot() is not None


async def test_many_who_ask_within_a_minute_are_not_all_told_the_same(house: House) -> None:
    """None of them reserves; each later answer counts those before it, and a minute later none is counted any more."""
    answers = [(await house.loop.recommend(request(f"r{i}", f"T{i}")))[0].chosen for i in range(12)]
    assert len({offer.station_id for offer in answers if offer is not None}) > 1
    waits = [offer.wait_p90_min for offer in answers if offer is not None]
    assert waits[-1] > waits[0]
    assert still_open([Told("D1", 0.0, 0, 60.0, 600.0)], 61.0) == []


async def test_an_answer_that_was_taken_is_not_counted_twice(house: House) -> None:
    decision, _ = await house.loop.recommend(request())
    assert decision.chosen is not None
    told = Told.of(house.layout, decision)
    assert told is not None
    world = house.loop.perception.snapshot(house.clock.now())
    assert (counted(world, [told]).bay_free_s > world.bay_free_s).sum() == 1
    await house.loop.reserve(decision, decision.chosen.station_id)
    again = (await house.loop.recommend(request("r2", "T2")))[0].chosen
    assert again is not None
    assert again.wait_min == 0  # the pool's second bay
