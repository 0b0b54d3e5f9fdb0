"""The loop, live: events come in as they are stored, a turn every few seconds, commands go out. Rebuilt after a kill."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

import structlog

from chargeloop.loop.clock import Clock
from chargeloop.loop.power import Sent
from chargeloop.loop.request import Advice, Given, answer, counted, not_now, still_open
from chargeloop.loop.stages import Stages
from chargeloop.loop.tally import Tally
from chargeloop.loop.tick import Tick, tick
from chargeloop.model import (
    BadInput,
    CancelReservation,
    Cdr,
    ChargeRequest,
    ChargeRequested,
    City,
    Command,
    Decision,
    DecisionMade,
    Event,
    EvseStatus,
    Layout,
    RequestWithdrawn,
    Reservation,
    ReservationClosed,
    ReservationMade,
    ReservationState,
    ReserveEvse,
    Session,
    SessionEnded,
    SessionStarted,
    SetChargingProfile,
)
from chargeloop.model.validated import from_json, to_json
from chargeloop.perception import Ended, Perception

HOLD = timedelta(minutes=30)  # a bay is held this long past the expected arrival
log = structlog.get_logger()


class Conflict(BadInput):
    """What is asked for was possible before, and is not any more."""


class Records(Protocol):
    """What the loop needs of the database."""

    async def append(self, source: str, events: Sequence[Event], seq: int | None = None) -> tuple[tuple[int, Event], ...]: ...
    def events_after(self, after: int) -> AsyncIterator[tuple[int, Event]]: ...
    async def latest_snapshot(self) -> tuple[int, str] | None: ...
    async def save_snapshot(self, event_id: int, body: str) -> None: ...
    async def add_decisions(self, decisions: Sequence[Decision]) -> None: ...
    async def decision(self, decision_id: str) -> Decision | None: ...
    async def add_cdr(self, cdr: Cdr) -> bool: ...
    async def put_sessions(self, sessions: Sequence[Session]) -> None: ...
    async def put_outcome(self, decision_id: str, realised_wait_min: float | None, realised_amount: Decimal | None) -> None: ...
    async def next_reservation_id(self) -> int: ...
    async def put_reservation(self, reservation: Reservation) -> None: ...


@dataclass(slots=True)
class Saved:
    """What a snapshot holds besides the picture of the city."""

    perception: str
    tally: Tally
    ended: list[Ended] = field(default_factory=list)


class CityLoop:
    """The composition of stages, database and the outside. All methods run in one event loop.

    `send` takes the commands of a turn to chargers and drivers, and must not wait for their answers; a profile that did not
    arrive comes back through `undelivered` and is sent again. `listeners` are called after each turn.
    """

    def __init__(
        self,
        city: City,
        layout: Layout,
        stages: Stages,
        store: Records,
        clock: Clock,
        send: Callable[[Sequence[Command]], Awaitable[None]],
    ) -> None:
        self.city, self.layout, self.stages, self.store, self.clock = city, layout, stages, store, clock
        self.perception = Perception(city, layout)
        self.tally = Tally()
        self.last: Tick | None = None
        self.last_event_at: datetime | None = None
        self.listeners: list[Callable[[Tick], None]] = []
        self._send = send
        self._sent = Sent(len(layout.evse_ids))
        self._ended: list[Ended] = []
        self._given: list[Given] = []
        self._touched: set[str] = set()
        self._event_id = 0

    # --- events ---------------------------------------------------------------------------------------------------

    async def rebuild(self) -> int:
        """Read the last snapshot and every event stored since; returns how many events were replayed."""
        snapshot = await self.store.latest_snapshot()
        if snapshot is not None:
            self._event_id, body = snapshot
            saved: Saved = from_json(Saved, body, "snapshot")
            self.perception = Perception.load(self.city, self.layout, saved.perception)
            self.tally, self._ended = saved.tally, saved.ended
        replayed = 0
        async for event_id, event in self.store.events_after(self._event_id):
            self.publish(((event_id, event),))
            replayed += 1
        self._touched.update(self.perception.state.sessions)
        for reservation in self.perception.state.reservations.values():
            await self.store.put_reservation(reservation)
        log.info("rebuilt", from_event=self._event_id - replayed, replayed=replayed)
        return replayed

    def publish(self, events: Sequence[tuple[int, Event]]) -> None:
        """Take in events that the database holds, in its order."""
        for event_id, event in events:
            self.tally.roll(event.at, self.city.time_zone)
            self._ended.extend(self.perception.apply(event))
            self._count(event)
            self._event_id = event_id
            self.last_event_at = event.at

    def _count(self, event: Event) -> None:
        match event:
            case DecisionMade():
                self.tally.decision(event.decision)
            case ChargeRequested():
                self.tally.requests += 1
            case RequestWithdrawn():
                self.tally.withdrawn += 1
            case SessionStarted() | SessionEnded():
                self._touched.add(event.session_id)

    # --- the turn -------------------------------------------------------------------------------------------------

    async def run(self, every_s: float, snapshot_every: int = 20) -> None:
        """Turn for ever, `every_s` wall seconds from start to start. A turn that fails is logged and the next one tried."""
        turns = 0
        while True:
            begun = asyncio.get_running_loop().time()
            try:
                await self.turn()
                turns += 1
                if turns % snapshot_every == 0:
                    await self.save()
            except Exception:  # the city must go on
                log.exception("turn failed")
            await asyncio.sleep(max(0.0, begun + every_s - asyncio.get_running_loop().time()))

    async def turn(self) -> Tick:
        """One turn of the loop: decide, store, then act."""
        now = self.clock.now()
        world = self.stages.perceive(self.perception, now)
        ended, touched = tuple(self._ended), tuple(self._touched)
        turn = await asyncio.to_thread(tick, world, ended, self._sent, self.stages)
        if turn.decisions:
            await self.store.add_decisions(turn.decisions)
            await self.store.append("loop", [DecisionMade(at=now, decision=_essence(each)) for each in turn.decisions])
        await self._settled(ended, turn.cdrs)
        del self._ended[: len(ended)]
        running = (self.perception.session(session_id) for session_id in touched)
        await self.store.put_sessions([session for session in running if session])
        self._touched.difference_update(touched)
        commands = (*turn.commands, *await self._tend_reservations(now))
        await self._send(commands)
        self.last = turn
        for listener in self.listeners:
            listener(turn)
        return turn

    async def _settled(self, ended: Sequence[Ended], cdrs: Sequence[Cdr]) -> None:
        for each, cdr in zip(ended, cdrs, strict=True):
            await self.store.add_cdr(cdr)
            if each.decision_id is not None:
                await self.store.put_outcome(each.decision_id, each.waited_min, cdr.amount)
            self.tally.ended(cdr, each.waited_min)
        await self.store.put_sessions([each.session for each in ended])

    def cost_if_ended(self, session_id: str, events: Sequence[Event]) -> Decimal | None:
        """What an open session costs, once those of its events have come; None where they don't end it, or nobody knows it."""
        ended = self.perception.ended_by(session_id, events)
        return None if ended is None else self.stages.settle(ended).amount

    def has_reserved(self, id_token: str) -> bool:
        """Whether a driver with that token holds a bay, or a place in a queue."""
        return any(each.id_token == id_token for each in self.perception.state.reservations.values())

    def undelivered(self, command: Command) -> None:
        """A command did not reach its charger: forget that its profile stands, so the next turn sends it again."""
        if isinstance(command, SetChargingProfile):
            self._sent.forget(self.layout.evse_index[command.evse_id])

    async def save(self) -> None:
        """Write a snapshot, so that a restart needs to replay little."""
        saved = Saved(self.perception.dump(), self.tally, list(self._ended))
        await self.store.save_snapshot(self._event_id, to_json(saved))

    # --- one driver -----------------------------------------------------------------------------------------------

    async def recommend(self, request: ChargeRequest) -> tuple[Decision, Advice]:
        """Answer one driver from the newest picture; no bay is held before `reserve`.

        Those who were answered within the last minute and have not reserved are counted as if they went, so that many who
        ask at once are not all told the same.
        """
        now = self.clock.now()
        self._given = still_open(self._given, now.timestamp())
        world = counted(self.stages.perceive(self.perception, now), self._given)
        forecast = self.last.forecast if self.last else self.stages.predict(world)
        decision = answer(world, request, forecast, self.stages)
        given = Given.of(self.layout, decision)
        if given is not None:
            self._given.append(given)
        await self.store.add_decisions([decision])
        return decision, not_now(self.city, request, decision)

    async def reserve(self, decision: Decision, station_id: str) -> Reservation:
        """Hold a bay, or a place in the queue where none is free, for a driver who chose one of the offers.

        Raises:
            BadInput: the station was not among the offers.
            Conflict: the driver has a reservation already.
        """
        request = decision.request
        if request is None:
            raise BadInput("decision_id", f"decision {decision.decision_id} does not say for whom it was made")
        offer = next((each for each in decision.offers if each.station_id == station_id), None)
        if offer is None:
            raise BadInput("station_id", f"{station_id!r} is not among the offers of decision {decision.decision_id}")
        if any(each.id_token == request.id_token for each in self.perception.state.reservations.values()):
            raise Conflict("reservation", "this driver holds one already; cancel it first")
        now = self.clock.now()
        self._given = [each for each in self._given if each.decision_id != decision.decision_id]
        chosen = replace(_essence(decision), chosen=offer, at=now)
        reservation_id = await self.store.next_reservation_id()
        reservation = Reservation(
            reservation_id=reservation_id,
            evse_id=self._free_evse(station_id, offer.current == "DC"),
            station_id=station_id,
            id_token=request.id_token,
            made_at=now,
            expires_at=now + timedelta(minutes=offer.drive_min + offer.wait_min) + HOLD,
            request_id=request.request_id,
        )
        await self.store.append(
            "loop",
            [
                ChargeRequested(at=now, request=request),
                DecisionMade(at=now, decision=chosen),
                ReservationMade(at=now, reservation=reservation),
            ],
        )
        await self.store.put_reservation(reservation)
        await self._send(_reserve_commands(reservation, now))
        return reservation

    async def cancel(self, reservation_id: int) -> Reservation:
        """Give a reservation back.

        Raises:
            Conflict: it is not held any more.
        """
        reservation = self.perception.state.reservations.get(reservation_id)
        if reservation is None:
            raise Conflict(f"reservation {reservation_id}", "it is not held any more")
        closed = await self._close(reservation, ReservationState.CANCELLED, self.clock.now())
        await self._send(_cancel_commands(reservation, self.clock.now()))
        return closed

    def _free_evse(self, station_id: str, is_dc: bool) -> str | None:
        layout = self.layout
        held = {each.evse_id for each in self.perception.state.reservations.values()}
        taken = {each.evse_id for each in self.perception.state.sessions.values()}
        for pool in range(len(layout.pool_station)):
            if layout.station_ids[layout.pool_station[pool]] != station_id or bool(layout.pool_is_dc[pool]) != is_dc:
                continue
            for e in range(layout.pool_start[pool], layout.pool_start[pool + 1]):
                free = self.perception.state.evse_status[e] == EvseStatus.AVAILABLE
                if free and layout.evse_ids[e] not in held | taken:
                    return layout.evse_ids[e]
        return None

    async def _tend_reservations(self, now: datetime) -> list[Command]:
        """Close what has expired; name a bay for those who wait for one."""
        commands: list[Command] = []
        for reservation in tuple(self.perception.state.reservations.values()):
            if reservation.expires_at <= now:
                await self._close(reservation, ReservationState.EXPIRED, now)
                commands.extend(_cancel_commands(reservation, now))
            elif reservation.evse_id is None:
                request = self.perception.request(reservation.request_id or "")
                is_dc = request is not None and request.request.current == "DC"
                named = replace(reservation, evse_id=self._free_evse(reservation.station_id, is_dc))
                if named.evse_id is not None:
                    await self.store.append("loop", [ReservationMade(at=now, reservation=named)])
                    await self.store.put_reservation(named)
                    commands.extend(_reserve_commands(named, now))
        return commands

    async def _close(self, reservation: Reservation, state: ReservationState, now: datetime) -> Reservation:
        closed = replace(reservation, state=state)
        event = ReservationClosed(at=now, reservation_id=reservation.reservation_id, state=state)
        await self.store.append("loop", [event])
        await self.store.put_reservation(closed)
        return closed


def _essence(decision: Decision) -> Decision:
    """What the event log needs of a decision: the choice, and the nearest station it is measured against."""
    if decision.chosen is None:
        return replace(decision, offers=(), request=None)
    nearest = min(decision.offers, key=lambda offer: offer.drive_min)
    return replace(decision, offers=(nearest,), request=None)


def _reserve_commands(reservation: Reservation, now: datetime) -> tuple[Command, ...]:
    if reservation.evse_id is None:
        return ()
    return (
        ReserveEvse(
            at=now,
            evse_id=reservation.evse_id,
            reservation_id=reservation.reservation_id,
            id_token=reservation.id_token,
            expires_at=reservation.expires_at,
        ),
    )


def _cancel_commands(reservation: Reservation, now: datetime) -> tuple[Command, ...]:
    if reservation.evse_id is None:
        return ()
    return (CancelReservation(at=now, evse_id=reservation.evse_id, reservation_id=reservation.reservation_id),)
