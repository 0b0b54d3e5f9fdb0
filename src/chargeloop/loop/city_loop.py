"""The loop, live: events come in as they are stored, a turn every few seconds, commands go out. Rebuilt after a kill."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

import structlog

from chargeloop.loop.books import QueueBooks
from chargeloop.loop.clock import Clock
from chargeloop.loop.elsewhere import Elsewhere
from chargeloop.loop.forecasts_kept import FORECASTS_KEPT, SCORES_KEPT, ForecastRecords, keep, score
from chargeloop.loop.outlook import Foresight, Outlook, Shortages
from chargeloop.loop.packing import Packed, packed
from chargeloop.loop.power import Sent
from chargeloop.loop.queueing import Queueing, QueueRecords
from chargeloop.loop.recommending import Recommender
from chargeloop.loop.request import Advice, Told, answer, counted, still_open
from chargeloop.loop.stages import Stages
from chargeloop.loop.tally import Tally
from chargeloop.loop.tick import Tick, tick
from chargeloop.model import (
    Answer,
    BadInput,
    Cdr,
    ChargeRequest,
    ChargeRequested,
    City,
    Command,
    Decision,
    DecisionMade,
    DriverArrived,
    Event,
    Layout,
    Promise,
    RequestWithdrawn,
    Reservation,
    ReservationClosed,
    ReservationState,
    Session,
    SessionEnded,
    SessionStarted,
    SetChargingProfile,
    Shortage,
    ShortageTold,
    World,
)
from chargeloop.model.validated import from_json, to_json
from chargeloop.perception import Ended, Perception, Stage

GIVEN_KEPT = timedelta(days=30)  # what decisions were made from
log = structlog.get_logger()


class Records(QueueRecords, ForecastRecords, Protocol):
    """What the loop needs of the database."""

    def events_after(self, after: int) -> AsyncIterator[tuple[int, Event]]: ...
    async def latest_snapshot(self) -> tuple[int, str] | None: ...
    async def save_snapshot(self, event_id: int, body: str) -> None: ...
    async def add_decisions(
        self, decisions: Sequence[Decision], given: Sequence[Packed] = (), promises: Sequence[Promise] = ()
    ) -> None: ...
    async def decision(self, decision_id: str) -> Decision | None: ...
    async def add_cdr(self, cdr: Cdr) -> bool: ...
    async def put_sessions(self, sessions: Sequence[Session]) -> None: ...
    async def put_outcome(
        self,
        decision_id: str,
        realised_wait_min: float | None,
        realised_amount: Decimal | None,
        station_id: str | None = None,
    ) -> None: ...
    async def put_given_up(self, decision_ids: Sequence[str]) -> None: ...
    async def forget_given(self, older_than: datetime) -> int: ...


@dataclass(slots=True)
class Saved:
    """What a snapshot holds besides the picture of the city. `given_up`: decisions whose drivers have, not yet written down."""

    perception: str
    tally: Tally
    ended: list[Ended] = field(default_factory=list)
    queue: QueueBooks = field(default_factory=QueueBooks)
    given_up: list[str] = field(default_factory=list)
    shortages: list[Shortage] = field(default_factory=list)


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
        self.recommender = Recommender(city, layout)  # to make decisions again
        self.perception = Perception(city, layout)
        self.queue = Queueing(layout, store, send)
        self.elsewhere = Elsewhere(city)
        self.tally = Tally()
        self.shortages = Shortages()
        self.outlook: Outlook | None = None
        self.last: Tick | None = None
        self.last_event_at: datetime | None = None
        self.listeners: list[Callable[[Tick], None]] = []
        self._foresight = Foresight(city, layout, lambda: stages.forecasts.plain)
        self.levels = self._foresight.levels
        self._send = send
        self._sent = Sent(len(layout.evse_ids))
        self._ended: list[Ended] = []
        self._given_up: list[str] = []
        self._told: list[Told] = []
        self._touched: set[str] = set()
        self._event_id = 0
        self._watched: datetime | None = None

    # --- events ---------------------------------------------------------------------------------------------------

    async def rebuild(self) -> int:
        """Read the last snapshot and every event stored since; returns how many events were replayed."""
        snapshot = await self.store.latest_snapshot()
        if snapshot is not None:
            self._event_id, body = snapshot
            saved: Saved = from_json(Saved, body, "snapshot")
            self.perception = Perception.load(self.city, self.layout, saved.perception)
            self.tally, self._ended, self._given_up = saved.tally, saved.ended, saved.given_up
            self.queue.books, self.shortages = saved.queue, Shortages(saved.shortages)
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
            self.queue.books.roll(event.at, self.city.time_zone)
            self._note_given_up(event)
            self._ended.extend(self.queue.apply(self.perception, event))
            self._count(event)
            self._event_id = event_id
            self.last_event_at = event.at

    def _note_given_up(self, event: Event) -> None:
        """Before perception forgets the request: its promise will not be put to the test."""
        match event:
            case RequestWithdrawn():
                request_id: str | None = event.request_id
            case ReservationClosed() if event.state is not ReservationState.USED:
                held = self.perception.state.reservations.get(event.reservation_id)
                request_id = held.request_id if held else None
            case _:
                return
        asked = self.perception.request(request_id or "")
        if asked is not None and asked.decision_id is not None:
            self._given_up.append(asked.decision_id)

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
            case ShortageTold():
                self.shortages.apply(event)

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
        ended, touched, given_up = tuple(self._ended), tuple(self._touched), tuple(self._given_up)
        turn, given = await asyncio.to_thread(self._tick, world, ended)
        if turn.decisions:
            promises = [Promise.of(each, each.chosen, now) for each in turn.decisions if each.chosen]
            await self.store.add_decisions(turn.decisions, given, promises)
            await self.store.append("loop", [DecisionMade(at=now, decision=_essence(each)) for each in turn.decisions])
            _log_plan(turn)
        await self._settled(ended, turn.cdrs)
        if given_up:
            await self.store.put_given_up(given_up)
            del self._given_up[: len(given_up)]
        del self._ended[: len(ended)]
        running = (self.perception.session(session_id) for session_id in touched)
        await self.store.put_sessions([session for session in running if session])
        self._touched.difference_update(touched)
        await self._send((*turn.commands, *await self.queue.turn(self.perception, self.clock.now())))
        better = await self.elsewhere.look(self.perception, world, turn.forecast, self.stages, now)
        await self.store.add_decisions(better)
        self.last = turn
        try:
            await self._look_ahead(turn, now)
        except Exception:  # it only advises: the pages have to hear of the turn
            log.exception("outlook failed")
        for listener in self.listeners:
            listener(turn)
        return turn

    async def _look_ahead(self, turn: Tick, now: datetime) -> None:
        """What a new forecast says beyond itself; it is kept, shortages are told, and those whose hours are over are scored."""
        if self.outlook is not None and self.outlook.levels.zone is turn.forecast:
            return
        outlook = await asyncio.to_thread(self._foresight, turn.world, turn.forecast)
        news = self.shortages.news(outlook.shortages, now)
        if news:
            await self.store.append("loop", news)
        await keep(self.store, turn.forecast, outlook.correlation, now)
        await score(self.store, turn.world, self.levels)
        self.outlook = outlook
        await self._watch(now)

    async def _watch(self, now: datetime) -> None:
        """Once a day: whether errors have grown, so that models want to be fitted anew."""
        if self._watched is not None and now - self._watched < timedelta(days=1):
            return
        self._watched = now
        found = await self.store.forecast_drift(now)
        if found.is_there:
            log.warning("errors of forecasts have grown", recent=found.recent, before=found.before, p=found.p)
            self.stages.forecasts.renew()

    def _tick(self, world: World, ended: Sequence[Ended]) -> tuple[Tick, list[Packed]]:
        turn = tick(world, ended, self._sent, self.stages)
        return turn, self._given(world.undecided)

    def _given(self, requests: Sequence[ChargeRequest]) -> list[Packed]:
        given = self.stages.taken(requests)
        return [] if given is None else [packed(given, self.layout)]

    async def _settled(self, ended: Sequence[Ended], cdrs: Sequence[Cdr]) -> None:
        for each, cdr in zip(ended, cdrs, strict=True):
            await self.store.add_cdr(cdr)
            if each.decision_id is not None:
                await self.store.put_outcome(each.decision_id, each.waited_min, cdr.amount, each.session.station_id)
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
        told = list(self.shortages.told.values())
        saved = Saved(self.perception.dump(), self.tally, list(self._ended), self.queue.books, list(self._given_up), told)
        await self.store.save_snapshot(self._event_id, to_json(saved))
        now = self.clock.now()
        await self.store.forget_given(now - GIVEN_KEPT)
        await self.store.forget_forecasts(now - FORECASTS_KEPT, now - SCORES_KEPT)

    # --- one driver -----------------------------------------------------------------------------------------------

    async def recommend(self, request: ChargeRequest) -> tuple[Decision, Advice]:
        """Answer one driver from the newest picture; no bay is held before `reserve`.

        Those who were answered within the last minute and have not reserved are counted as if they went, so that many who
        ask at once are not all told the same.
        """
        now = self.clock.now()
        self._told = still_open(self._told, now.timestamp())
        world = counted(self.stages.perceive(self.perception, now), self._told)
        forecast = self.last.forecast if self.last else self.stages.predict(world)
        decision = answer(world, request, forecast, self.stages)
        told = Told.of(self.layout, decision)
        if told is not None:
            self._told.append(told)
        await self.store.add_decisions([decision], self._given([request]))
        return decision, Advice.of(decision)

    async def reserve(self, decision: Decision, station_id: str, instead_of: Reservation | None = None) -> Reservation:
        """Hold a bay, or a place in the queue where none is free, for a driver who chose one of the offers.

        `instead_of`: the reservation that he gives back for it.

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
        now = self.clock.now()
        self._told = [each for each in self._told if each.decision_id != decision.decision_id]
        arrive_at = now + timedelta(minutes=offer.drive_min)
        wanted = Reservation(
            reservation_id=0,  # not known yet
            evse_id=None,
            station_id=station_id,
            id_token=request.id_token,
            made_at=now,
            expires_at=arrive_at + timedelta(minutes=offer.wait_min),
            request_id=request.request_id,
            current=offer.current,
            tier=request.tier,
            user_id=request.user_id,
            decision_id=decision.decision_id,
            arrive_at=arrive_at,
        )
        chosen = replace(_essence(decision), chosen=offer, at=now)
        asked: list[Event] = [ChargeRequested(at=now, request=request), DecisionMade(at=now, decision=chosen)]
        made = await self.queue.reserve(self.perception, wanted, asked, now, instead_of)
        await self.store.add_decisions([], promises=[Promise.of(decision, offer, now)])
        return made

    def reservation(self, reservation_id: int) -> Reservation | None:
        """One that is held, as it stands now."""
        return self.perception.state.reservations.get(reservation_id)

    async def answer_offer(self, reservation_id: int, said: Answer) -> None:
        """A driver's word on the bay that he is offered.

        Raises:
            Conflict: none is offered to him now, or he may not snooze any more.
        """
        await self.queue.answer(self.perception, reservation_id, said, self.clock.now())

    async def arrived(self, reservation: Reservation) -> None:
        """The driver says that he is there; the first time counts."""
        request = self.perception.request(reservation.request_id or "")
        if request is not None and request.stage is Stage.UNDER_WAY:
            said = DriverArrived(at=self.clock.now(), request_id=request.request.request_id, station_id=reservation.station_id)
            await self.store.append("loop", [said])

    async def cancel(self, reservation_id: int) -> Reservation:
        """Give a reservation back.

        Raises:
            Conflict: it is not held any more.
        """
        return await self.queue.close(self.perception, reservation_id, ReservationState.CANCELLED, self.clock.now())


def _log_plan(turn: Tick) -> None:
    """How far the plan of this turn is from the best one, by the prices of the optimal flow."""
    if (plan := turn.certificate) is not None:
        log.info(
            "decided",
            requests=plan.requests,
            solver=turn.decisions[0].solver,
            objective_cny=round(plan.objective, 2),
            bound_cny=round(plan.bound, 2),
            gap_cny=round(plan.gap, 2),
        )


def _essence(decision: Decision) -> Decision:
    """What the event log needs of a decision: the choice, and the nearest station it is measured against."""
    if decision.chosen is None:
        return replace(decision, offers=(), request=None)
    nearest = min(decision.offers, key=lambda offer: offer.drive_min)
    return replace(decision, offers=(nearest,), request=None)
