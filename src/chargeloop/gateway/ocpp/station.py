"""What one charge point's messages mean: events, stored before the answer exists."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from chargeloop.model import ChargeEnded, Event, EvseStatus, EvseStatusChanged, MeterSampled
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import (
    CREDIBLE_KW,
    Authorize,
    AuthorizeResponse,
    BootNotification,
    BootNotificationResponse,
    DataTransfer,
    EmptyResponse,
    FromStation,
    Heartbeat,
    HeartbeatResponse,
    IdTagInfo,
    Message,
    MeterValues,
    Reading,
    StartTransaction,
    StartTransactionResponse,
    StatusNotification,
    StatusResponse,
    StopTransaction,
    StopTransactionResponse,
    as_utc,
    believed,
    id_token,
    readings,
    session_ended,
    session_id,
    session_started,
    status_changed,
)

HEARTBEAT_S = 300
BEGUN, ENDED = 1, 2  # each session is stored as a feed of two batches, so it begins and ends once, in whatever order it is told
ACCEPTED = IdTagInfo(status="Accepted")  # there is no list of tokens yet: whoever holds one may charge
log = structlog.get_logger()


@dataclass(slots=True)
class Running:
    """A transaction as far as it is known. `at`: of the last reading; `charged`: the vehicle takes no more."""

    transaction_id: int
    start_wh: float
    meter_wh: float
    at: datetime
    power_kw: float = 0.0
    charged: bool = False


class Station:
    """One charge point, over all its connections. Call `handle` for one message at a time."""

    def __init__(self, evse_id: str, store: Store, clock: Callable[[], datetime]) -> None:
        self.evse_id, self._store, self._clock = evse_id, store, clock
        self._running: Running | None = None  # the newest transaction, unless it has ended
        self._is_restored = False
        self._newest = f"ocpp:{evse_id}:newest"  # where the store keeps the number of that transaction
        self._status_at: datetime | None = None
        self._status = EvseStatus.AVAILABLE  # of the connector
        self._is_down = False  # the charge point as a whole

    async def handle(self, message: FromStation) -> Message:
        """The answer to a message; what it told is durable by then."""
        now = self._clock()
        answer: Message = EmptyResponse()
        if not self._is_restored and isinstance(message, MeterValues | StatusNotification | StartTransaction | StopTransaction):
            await self._restore(now)
        match message:
            case MeterValues():
                await self._meter_values(message, now)
            case StatusNotification():
                await self._status_notification(message, now)
            case StartTransaction():
                answer = await self._start(message, now)
            case StopTransaction():
                answer = await self._stop(message, now)
            case Authorize():
                answer = AuthorizeResponse(id_tag_info=ACCEPTED)
            case Heartbeat():
                answer = HeartbeatResponse(current_time=now)
            case BootNotification():
                log.info("charge point booted", evse_id=self.evse_id, model=message.charge_point_model)
                answer = BootNotificationResponse(status="Accepted", current_time=now, interval=HEARTBEAT_S)
            case DataTransfer():
                answer = StatusResponse(status="UnknownVendorId")
        return answer

    async def _start(self, said: StartTransaction, now: datetime) -> StartTransactionResponse:
        started_at, token, meter_wh = as_utc(said.timestamp), id_token(said.id_tag), float(said.meter_start)
        number, is_new = await self._store.start_transaction(self.evse_id, token, started_at, meter_wh)
        event = session_started(self.evse_id, number, said, now)
        # Also where we died between these lines, and are told again.
        await self._store.append(session_id(number), [event], seq=BEGUN)
        await self._store.append(self._newest, [], seq=number)
        if not is_new:
            log.info("transaction told again", evse_id=self.evse_id, transaction_id=number)
        is_newest = self._running is None or self._running.transaction_id < number
        if is_newest and (is_new or not await self._has_ended(number)):
            self._running = Running(number, event.meter_wh, event.meter_wh, event.at)
        return StartTransactionResponse(id_tag_info=ACCEPTED, transaction_id=number)

    async def _stop(self, said: StopTransaction, now: datetime) -> StopTransactionResponse:
        running = await self._transaction(said.transaction_id, now)
        if running is None:
            log.warning("stop of an unknown transaction", evse_id=self.evse_id, transaction_id=said.transaction_id)
        else:
            event = session_ended(self.evse_id, said, now, running.charged)
            stored = await self._store.append(session_id(running.transaction_id), [event], seq=ENDED)
            if not stored:
                log.info("stop told again", evse_id=self.evse_id, transaction_id=said.transaction_id)
            if self._running is not None and self._running.transaction_id == running.transaction_id:
                self._running = None
        return StopTransactionResponse(id_tag_info=ACCEPTED if said.id_tag else None)

    async def _meter_values(self, said: MeterValues, now: datetime) -> None:
        running = self._running if said.transaction_id is None else await self._transaction(said.transaction_id, now)
        if running is None or (running is not self._running and await self._has_ended(running.transaction_id)):
            log.info("meter values of no running transaction", evse_id=self.evse_id, transaction_id=said.transaction_id)
            return
        events = [self._sampled(running, reading) for reading in readings(said.meter_value, now)]
        await self._append([event for event in events if event is not None])

    def _sampled(self, running: Running, reading: Reading) -> MeterSampled | None:
        """Fills in what a station does not measure: the register stands, power is the energy since the last reading.

        None for a reading older than the last: of a register that only rises it tells nothing new, and its power is over.
        """
        if reading.at < running.at:
            log.info("reading older than the last one", evse_id=self.evse_id, transaction_id=running.transaction_id)
            return None
        meter_wh, power_kw = reading.meter_wh, reading.power_kw
        if meter_wh is None:
            meter_wh = running.meter_wh
        elif meter_wh < running.start_wh:
            meter_wh += running.start_wh  # a register that begins at 0 in each session
        elapsed_h = (reading.at - running.at).total_seconds() / 3600
        if power_kw is None and reading.meter_wh is not None and elapsed_h > 0:
            power_kw = min(max(meter_wh - running.meter_wh, 0) / 1000 / elapsed_h, CREDIBLE_KW)
        running.power_kw = running.power_kw if power_kw is None else power_kw
        running.at, running.meter_wh = reading.at, max(meter_wh, running.meter_wh)
        return MeterSampled(
            at=reading.at,
            session_id=session_id(running.transaction_id),
            evse_id=self.evse_id,
            meter_wh=running.meter_wh,
            power_kw=running.power_kw,
            soc=reading.soc,
        )

    async def _status_notification(self, said: StatusNotification, now: datetime) -> None:
        changed = status_changed(self.evse_id, said, now)
        if said.connector_id == 0:
            was_down, self._is_down = self._is_down, changed is not None
            if was_down and not self._is_down:  # well again: as its connector said last
                changed = EvseStatusChanged(at=now, evse_id=self.evse_id, status=self._status)
        if changed is None:
            return
        if self._status_at is not None and changed.at < self._status_at:
            log.info("status older than the last one", evse_id=self.evse_id, status=said.status)
            return
        self._status_at = changed.at
        if said.connector_id > 0:
            self._status = changed.status
        events: list[Event] = [changed]
        running = self._running
        if running is not None and said.connector_id > 0:
            has_ended = changed.status in (EvseStatus.SUSPENDED_EV, EvseStatus.FINISHING)
            if has_ended and not running.charged:
                session = session_id(running.transaction_id)
                ended = ChargeEnded(at=changed.at, session_id=session, evse_id=self.evse_id, meter_wh=running.meter_wh)
                events = [ended, changed]
            running.charged = has_ended
        await self._append(events)

    async def _restore(self, now: datetime) -> None:
        """What runs here was told to a process that is gone."""
        running = await self._transaction(await self._store.last_seq(self._newest), now)
        if running is not None and not await self._has_ended(running.transaction_id):
            self._running = running
        self._is_restored = True

    async def _has_ended(self, transaction_id: int) -> bool:
        return await self._store.last_seq(session_id(transaction_id)) >= ENDED

    async def _transaction(self, transaction_id: int, now: datetime) -> Running | None:
        """A transaction of this station, running or not; None where it has none of that id."""
        if self._running is not None and self._running.transaction_id == transaction_id:
            return self._running
        if not 0 < transaction_id < 2**63:
            return None
        known = await self._store.transaction(transaction_id)
        if known is None or known.evse_id != self.evse_id:
            return None
        start_wh = max(known.meter_wh, 0.0)
        return Running(transaction_id, start_wh, start_wh, believed(known.started_at, now))

    async def _append(self, events: list[Event] | list[MeterSampled]) -> None:
        if events:
            await self._store.append(f"ocpp:{self.evse_id}", events)
