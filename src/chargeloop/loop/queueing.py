"""The virtual queue, live: each step is an event that is stored before chargers and drivers hear of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from chargeloop.loop.books import ENDS, QueueBooks
from chargeloop.model import (
    Answer,
    BadInput,
    CancelReservation,
    Command,
    Current,
    Event,
    EvseStatus,
    Layout,
    QueuePolicy,
    QueuePolicySet,
    Reservation,
    ReservationClosed,
    ReservationState,
    ReserveEvse,
)
from chargeloop.perception import Ended, Perception
from chargeloop.recommendation import Bay, BayState, answer_offer, bay_needed_until, join, tend

GRACE = timedelta(minutes=2)  # a charger's clock may be behind: our end of a hold comes first
STATES = {EvseStatus.AVAILABLE: BayState.FREE, EvseStatus.UNAVAILABLE: BayState.OUT, EvseStatus.FAULTED: BayState.OUT}


class Conflict(BadInput):
    """What is asked for was possible before, and is not any more."""


class QueueRecords(Protocol):
    """What the queue needs of the database."""

    async def append(self, source: str, events: Sequence[Event], seq: int | None = None) -> tuple[tuple[int, Event], ...]: ...
    async def next_reservation_id(self) -> int: ...
    async def put_reservation(self, reservation: Reservation) -> None: ...


class Queueing:
    """Reservations and the queues for bays. `perception` holds them; here is what is decided about them, one step at a time."""

    def __init__(self, layout: Layout, store: QueueRecords, send: Callable[[Sequence[Command]], Awaitable[None]]) -> None:
        self.layout = layout
        self.books = QueueBooks()
        self._store, self._send = store, send
        self._lock = asyncio.Lock()
        self._told: dict[int, Reservation] = {}  # reservations that a charger keeps a bay for, as it was told
        self._pools = {
            (layout.station_ids[station], Current.DC if is_dc else Current.AC): range(
                layout.pool_start[p], layout.pool_start[p + 1]
            )
            for p, (station, is_dc) in enumerate(zip(layout.pool_station, layout.pool_is_dc, strict=True))
        }

    def apply(self, perception: Perception, event: Event) -> tuple[Ended, ...]:
        """Have perception take in an event, and keep books of the reservations that it ends."""
        before = dict(perception.state.reservations) if isinstance(event, ENDS) else {}
        ended = perception.apply(event)
        self.books.count(event, [each for key, each in before.items() if key not in perception.state.reservations])
        return ended

    # --- what drivers do --------------------------------------------------------------------------------------------

    async def reserve(
        self,
        perception: Perception,
        wanted: Reservation,
        asked: Sequence[Event],
        now: datetime,
        instead_of: Reservation | None = None,
    ) -> Reservation:
        """A bay, or a place in the line for one. `asked`: the events before, stored with it; `instead_of`: given back for it.

        Raises:
            Conflict: the driver has a reservation already, or none any more to move from.
        """
        async with self._lock:
            held = perception.state.reservations
            first: list[Event] = []
            if instead_of is not None:
                self._standing(perception, instead_of.reservation_id)
                first = [ReservationClosed(at=now, reservation_id=instead_of.reservation_id, state=ReservationState.MOVED)]
            left = {key: each for key, each in held.items() if instead_of is None or key != instead_of.reservation_id}
            if any(each.id_token == wanted.id_token for each in left.values()):
                raise Conflict("reservation", "this driver holds one already; cancel it first")
            wanted = replace(wanted, reservation_id=await self._store.next_reservation_id())
            events = join(left, wanted, self._bays(perception, [wanted, *left.values()]), self.books.policy, now)
            await self._commit(perception, [*first, *asked, *events])
            await self._send(self._commands(perception, now))
            return self._standing(perception, wanted.reservation_id)

    async def answer(self, perception: Perception, reservation_id: int, said: Answer, now: datetime) -> None:
        """The driver's word on an offered bay; one that is let go is offered to the next at once.

        Raises:
            Conflict: nothing is offered to him now, or he may not snooze any more.
        """
        async with self._lock:
            try:
                events = answer_offer(perception.state.reservations, reservation_id, said, self.books.policy, now)
            except BadInput as error:
                raise Conflict(error.where, error.what) from None
            await self._commit(perception, events)
            await self._send(await self._tend(perception, now))

    async def close(self, perception: Perception, reservation_id: int, state: ReservationState, now: datetime) -> Reservation:
        """End a reservation.

        Raises:
            Conflict: it is not held any more.
        """
        async with self._lock:
            standing = self._standing(perception, reservation_id)
            await self._commit(perception, [ReservationClosed(at=now, reservation_id=reservation_id, state=state)])
            await self._send(await self._tend(perception, now))
            return replace(standing, state=state, answer_by=None)

    async def set_policy(self, policy: QueuePolicy, now: datetime) -> None:
        async with self._lock:
            await self._store.append("loop", [QueuePolicySet(at=now, policy=policy)])

    # --- what the turn does -----------------------------------------------------------------------------------------

    async def turn(self, perception: Perception, now: datetime) -> list[Command]:
        """All that is due: offers, times that are over, bays that got lost. Returns what chargers are to be told."""
        async with self._lock:
            return await self._tend(perception, now)

    async def _tend(self, perception: Perception, now: datetime) -> list[Command]:
        held = perception.state.reservations
        events: list[Event] = [
            ReservationClosed(at=now, reservation_id=key, state=ReservationState.CANCELLED)
            for key, each in held.items()
            if each.request_id is not None and perception.request(each.request_id) is None  # the driver gave up
        ]
        gone = {each.reservation_id for each in events if isinstance(each, ReservationClosed)}
        left = {key: self._named(perception, each) for key, each in held.items() if key not in gone}
        events += tend(left, self._bays(perception, list(left.values())), self.books.policy, now)
        await self._commit(perception, events)
        return self._commands(perception, now)

    async def _commit(self, perception: Perception, events: Sequence[Event]) -> None:
        before = dict(perception.state.reservations)
        if events:
            await self._store.append("loop", events)
        after = perception.state.reservations
        for each in [each for key, each in after.items() if before.get(key) != each]:
            await self._store.put_reservation(each)
        await self.write_down()

    async def write_down(self) -> None:
        """Write down the reservations that have ended."""
        closed = tuple(self.books.closed)
        for each in closed:
            await self._store.put_reservation(each)
        del self.books.closed[: len(closed)]

    def _standing(self, perception: Perception, reservation_id: int) -> Reservation:
        found = perception.state.reservations.get(reservation_id)
        if found is None:
            raise Conflict(f"reservation {reservation_id}", "it is not held any more")
        return found

    def _commands(self, perception: Perception, now: datetime) -> list[Command]:
        """What chargers are to be told since the last time: bays to give back first, then bays to keep."""
        held = {key: each for key, each in perception.state.reservations.items() if each.evse_id is not None}
        charging = {each.evse_id: each.id_token for each in perception.state.sessions.values()}
        commands: list[Command] = []
        for key, each in self._told.items():
            moved = key not in held or held[key].evse_id != each.evse_id
            if each.evse_id is not None and moved and charging.get(each.evse_id) != each.id_token:
                commands.append(CancelReservation(at=now, evse_id=each.evse_id, reservation_id=key))
        for key, each in held.items():
            is_told = key in self._told and self._told[key].evse_id == each.evse_id
            if each.evse_id is not None and not is_told:
                until = bay_needed_until(each, self.books.policy) + GRACE
                commands.append(
                    ReserveEvse(at=now, evse_id=each.evse_id, reservation_id=key, id_token=each.id_token, expires_at=until)
                )
        self._told = held
        return commands

    def _bays(self, perception: Perception, reservations: Sequence[Reservation]) -> list[Bay]:
        """The bays of all pools that somebody waits for or has one of, in the order of the layout."""
        charging = {each.evse_id: each.id_token for each in perception.state.sessions.values()}
        bays = []
        pools = dict.fromkeys((each.station_id, each.current) for each in reservations if each.current is not None)
        for station_id, current in pools:
            in_pool = self._pools.get((station_id, current), range(0))
            kept = int(self.layout.pool_held[self.layout.evse_pool[in_pool.start]]) if in_pool else 0
            for e in in_pool:
                evse_id = self.layout.evse_ids[e]
                status = STATES.get(EvseStatus(perception.state.evse_status[e]), BayState.BUSY)
                state = BayState.OCCUPIED if evse_id in charging else status
                bays.append(Bay(evse_id, station_id, current, state, charging.get(evse_id), kept))
        return bays

    def _named(self, perception: Perception, reservation: Reservation) -> Reservation:
        """With its current, which reservations of earlier versions did not name."""
        if reservation.current is not None:
            return reservation
        request = perception.request(reservation.request_id or "")
        if request is not None:
            return replace(reservation, current=request.request.current, tier=request.request.tier)
        e = self.layout.evse_index.get(reservation.evse_id or "")
        is_slow = e is not None and not self.layout.pool_is_dc[self.layout.evse_pool[e]]
        return replace(reservation, current=Current.AC if is_slow else Current.DC)
