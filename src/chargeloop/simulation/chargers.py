"""Charge points that speak OCPP 1.6J over real sockets, driven by the twin."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from math import inf
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import numpy as np
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from chargeloop import model
from chargeloop.model import ChargeloopError, Command, EvseStatus, Layout, StopReason
from chargeloop.protocols.ocpp import (
    CONNECTOR,
    STATUS_NAME,
    STOP_NAME,
    TO_STATION,
    Authorize,
    AuthorizeResponse,
    BootNotification,
    BootNotificationResponse,
    Call,
    CallError,
    CallResult,
    CancelReservation,
    ClearChargingProfile,
    ErrorCode,
    Frame,
    Heartbeat,
    Installed,
    Message,
    MeterValue,
    MeterValues,
    RemoteStartTransaction,
    RemoteStopTransaction,
    ReserveNow,
    SetChargingProfile,
    StartTransaction,
    StartTransactionResponse,
    StatusNotification,
    StatusResponse,
    StopTransaction,
    ToStation,
    TriggerMessage,
    Version,
    WireError,
    clear,
    command_of,
    encode,
    install,
    limit_w,
    meter_value,
    parse,
    read_call,
    read_payload,
    to_payload,
)

CALL_TIMEOUT_S = 30.0  # wall time, as are the pauses
BACK_OFF_S = (0.1, 5.0)
VENDOR, MODEL = "Chargeloop", "City twin"
log = structlog.get_logger()


def ocpp_evses(layout: Layout, count: int) -> tuple[str, ...]:
    """Pick `count` EVSEs (or all there are), spread evenly over the city's pools and so over AC and DC, in a fixed order."""
    size = len(layout.evse_ids)
    these = np.unique(np.linspace(0, size - 1, min(max(count, 0), size)).round().astype(np.int64))
    return tuple(layout.evse_ids[e] for e in these)


@dataclass(slots=True, eq=False)
class Transaction:
    """One vehicle at a charger. `transaction_id` is known once the server has answered the start."""

    id_token: str
    started_at: datetime
    transaction_id: int | None = None
    is_refused: bool = False  # the server does not know the token


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits for the link. `make`: the message, once the transaction it belongs to has its id."""

    transaction: Transaction | None
    make: Callable[[int], Message]


class Refused(ChargeloopError):
    """The server answered a call with an error."""


class Charger:
    """A charge point with one connector. What happens at it is told by methods that never wait, in order of time.

    Everything told is queued and delivered in that order, also what happened while the link was away: transactions with the
    ids they get then. `obey` carries out a command at the bay (id tokens stand for session ids) and says whether it could.
    """

    def __init__(self, evse_id: str, url: str, clock: Callable[[], datetime], obey: Callable[[Command], bool]) -> None:
        self.evse_id, self._clock, self._obey = evse_id, clock, obey
        self._url = f"{url.rstrip('/')}/{quote(evse_id, safe='')}"
        self._queue: deque[Queued] = deque()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._current: Transaction | None = None
        self._profiles: tuple[Installed, ...] = ()
        self._reservation_id: int | None = None
        self._status = EvseStatus.AVAILABLE
        self._reading: MeterValue | None = None
        self._has_booted, self._heartbeat_s = False, 300
        self._waiting: tuple[str, asyncio.Future[Frame]] | None = None
        self._lane = asyncio.Lock()
        self._ids, self._prefix = count(1), uuid4().hex[:16]
        self._notify(EvseStatus.AVAILABLE, clock())

    @property
    def is_busy(self) -> bool:
        """Whether a vehicle is plugged in."""
        return self._current is not None

    # --- what happens at the bay --------------------------------------------------------------------------------------

    def plug_in(self, at: datetime, id_token: str, meter_wh: float) -> None:
        self._current = transaction = Transaction(id_token, at)
        self._profiles = tuple(each for each in self._profiles if each.profile.charging_profile_purpose != "TxProfile")
        self.set_status(EvseStatus.PREPARING, at)
        reservation_id, self._reservation_id = self._reservation_id, None
        self._add(transaction, lambda _: Authorize(id_tag=id_token))
        self._add(
            transaction,
            lambda _: StartTransaction(
                connector_id=CONNECTOR,
                id_tag=id_token,
                meter_start=round(meter_wh),
                timestamp=at,
                reservation_id=reservation_id,
            ),
        )
        self.set_status(EvseStatus.CHARGING, at)

    def sample(self, at: datetime, meter_wh: float, power_kw: float, soc: float | None = None) -> None:
        """A meter reading of the running transaction; without one, nothing."""
        if self._current is not None:
            self._reading = reading = meter_value(at, meter_wh, power_kw, soc)
            self._add(
                self._current,
                lambda number: MeterValues(connector_id=CONNECTOR, transaction_id=number, meter_value=(reading,)),
            )

    def charge_ended(self, at: datetime, meter_wh: float) -> None:
        """The vehicle takes no more, and stays."""
        self.sample(at, meter_wh, 0.0)
        self.set_status(EvseStatus.SUSPENDED_EV, at)

    def unplug(self, at: datetime, meter_wh: float, reason: StopReason) -> None:
        transaction, self._current = self._current, None
        if transaction is not None:
            self._add(
                transaction,
                lambda number: StopTransaction(
                    transaction_id=number,
                    meter_stop=round(meter_wh),
                    timestamp=at,
                    reason=STOP_NAME[reason],
                    id_tag=transaction.id_token,
                ),
            )
            self.set_status(EvseStatus.FINISHING, at)
        self.set_status(EvseStatus.AVAILABLE, at)

    def set_status(self, status: EvseStatus, at: datetime) -> None:
        if status is EvseStatus.AVAILABLE:
            self._reservation_id = None
        if status != self._status:
            self._notify(status, at)

    def limit_kw(self, at: datetime) -> float:
        """What the server allows at an instant; infinite where it says nothing."""
        transaction = self._current
        if transaction is None:
            return inf
        if transaction.is_refused:
            return 0.0
        limit = limit_w(self._profiles, at, transaction.transaction_id, transaction.started_at)
        return inf if limit is None else limit / 1000

    # --- the link -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stay connected, until cancelled."""
        pause_s, longest_s = BACK_OFF_S
        while True:
            try:
                async with connect(self._url, subprotocols=[Subprotocol(Version.V16)], proxy=None) as socket:
                    if socket.subprotocol == str(Version.V16):
                        pause_s = BACK_OFF_S[0]
                        await self._serve(socket)
            except (OSError, TimeoutError, WebSocketException) as error:
                log.debug("charger is offline", evse_id=self.evse_id, why=str(error))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    async def delivered(self) -> None:
        """Wait until nothing is queued."""
        await self._idle.wait()

    async def _serve(self, socket: ClientConnection) -> None:
        """Read and send until the connection ends."""
        sending = asyncio.create_task(self._send_all(socket))
        try:
            async for text in socket:
                await self._heard(socket, text)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, OSError, TimeoutError, WebSocketException, WireError):
                await sending

    async def _send_all(self, socket: ClientConnection) -> None:
        """Boot once, then deliver the queue from its head, one call at a time; a heartbeat where there is nothing to say."""
        try:
            await self._boot(socket)
            while True:
                self._news.clear()
                while self._queue:
                    await self._deliver(socket, self._queue[0])
                    self._queue.popleft()
                self._idle.set()
                try:
                    await asyncio.wait_for(self._news.wait(), self._heartbeat_s)
                except TimeoutError:
                    await self._ask(socket, Heartbeat())
        except Refused as error:
            log.error("server refuses the charger", evse_id=self.evse_id, why=str(error))
        finally:
            await socket.close()

    async def _boot(self, socket: ClientConnection) -> None:
        """Register, unless that is done: a link that was away is no reason to boot."""
        while not self._has_booted:
            boot = BootNotification(charge_point_vendor=VENDOR, charge_point_model=MODEL)
            answer = read_payload(BootNotificationResponse, await self._ask(socket, boot))
            self._has_booted, self._heartbeat_s = answer.status == "Accepted", max(answer.interval, 1)
            if not self._has_booted:
                await asyncio.sleep(self._heartbeat_s)

    async def _deliver(self, socket: ClientConnection, queued: Queued) -> None:
        """Deliver one message; one that the server answers with an error is dropped, or nothing behind it would ever go."""
        transaction = queued.transaction
        if transaction is not None and transaction.is_refused:
            return
        number = transaction.transaction_id if transaction is not None else None
        message = queued.make(-1 if number is None else number)
        try:
            payload = await self._ask(socket, message)
            if transaction is not None:
                self._note_answer(transaction, message, payload)
        except (Refused, WireError) as error:
            log.error("server refuses a message", evse_id=self.evse_id, action=type(message).__name__, why=str(error))

    def _note_answer(self, transaction: Transaction, message: Message, payload: dict[str, Any]) -> None:
        if isinstance(message, StartTransaction):
            transaction.transaction_id = read_payload(StartTransactionResponse, payload).transaction_id
        elif isinstance(message, Authorize):
            transaction.is_refused = read_payload(AuthorizeResponse, payload).id_tag_info.status != "Accepted"

    async def _ask(self, socket: ClientConnection, message: Message) -> dict[str, Any]:
        """Call the server and wait for its answer.

        Raises:
            Refused: it answered an error.
            TimeoutError: it did not answer; the connection is of no use then.
        """
        async with self._lane:
            call = Call(f"{self._prefix}-{next(self._ids)}", type(message).__name__, to_payload(message))
            future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
            self._waiting = (call.message_id, future)
            try:
                await socket.send(encode(call).decode())
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    answer = await future
            finally:
                self._waiting = None
        if isinstance(answer, CallError):
            raise Refused(f"{answer.code}: {answer.description}")
        if not isinstance(answer, CallResult) or not isinstance(answer.payload, dict):
            raise Refused("an answer that is none")
        return answer.payload

    # --- what the server wants ----------------------------------------------------------------------------------------

    async def _heard(self, socket: ClientConnection, text: str | bytes) -> None:
        try:
            frame = parse(text)
        except WireError as error:
            log.warning("malformed frame of the server", evse_id=self.evse_id, what=error.what)
            return
        if isinstance(frame, Call):
            await socket.send(encode(self._answer(frame)).decode())
        elif frame is not None and self._waiting is not None:
            message_id, future = self._waiting
            if message_id == frame.message_id and not future.done():
                future.set_result(frame)

    def _answer(self, call: Call) -> CallResult | CallError:
        try:
            status = self._do(read_call(TO_STATION, call.action, call.payload))
        except WireError as error:
            return CallError(call.message_id, error.code, error.what)
        except Exception:
            log.exception("charger failed on a call", evse_id=self.evse_id, action=call.action)
            return CallError(call.message_id, ErrorCode.INTERNAL_ERROR)
        return CallResult(call.message_id, to_payload(StatusResponse(status=status)))

    def _do(self, call: ToStation) -> str:
        """Carry out a call; returns its status."""
        is_done = True
        match call:
            case SetChargingProfile():
                is_done = self._set_profile(call)
            case ClearChargingProfile():
                before, self._profiles = self._profiles, clear(self._profiles, call)
                return "Accepted" if len(self._profiles) < len(before) else "Unknown"
            case RemoteStartTransaction():
                is_done = self._obey(command_of(self.evse_id, call, self._clock()))
            case RemoteStopTransaction():
                is_done = self._remote_stop(call)
            case ReserveNow():
                return self._reserve(call)
            case CancelReservation():
                is_done = self._obey(command_of(self.evse_id, call, self._clock()))
                if is_done:
                    self._reservation_id = None
            case TriggerMessage():
                return self._trigger(call)
        return "Accepted" if is_done else "Rejected"

    def _set_profile(self, call: SetChargingProfile) -> bool:
        profile = call.cs_charging_profiles
        if profile.charging_profile_purpose == "TxProfile":
            number = self._current.transaction_id if self._current is not None else None
            if number is None or profile.transaction_id not in (None, number):
                return False
        self._profiles = install(self._profiles, Installed(call.connector_id, profile))
        return True

    def _remote_stop(self, call: RemoteStopTransaction) -> bool:
        transaction = self._current
        if transaction is None or transaction.transaction_id != call.transaction_id:
            return False
        return self._obey(model.RemoteStop(at=self._clock(), evse_id=self.evse_id, session_id=transaction.id_token))

    def _reserve(self, call: ReserveNow) -> str:
        if not self._obey(command_of(self.evse_id, call, self._clock())):
            return {EvseStatus.FAULTED: "Faulted", EvseStatus.UNAVAILABLE: "Unavailable"}.get(self._status, "Occupied")
        self._reservation_id = call.reservation_id
        return "Accepted"

    def _trigger(self, call: TriggerMessage) -> str:
        reading, transaction = self._reading, self._current
        if call.requested_message == "StatusNotification":
            self._notify(self._status, self._clock())
        elif call.requested_message == "Heartbeat":
            self._add(None, lambda _: Heartbeat())
        elif call.requested_message == "MeterValues" and reading is not None and transaction is not None:
            self._add(
                transaction, lambda number: MeterValues(connector_id=CONNECTOR, transaction_id=number, meter_value=(reading,))
            )
        else:
            return "NotImplemented"
        return "Accepted"

    # --- how ----------------------------------------------------------------------------------------------------------

    def _notify(self, status: EvseStatus, at: datetime) -> None:
        self._status = status
        error = "OtherError" if status is EvseStatus.FAULTED else "NoError"
        said = StatusNotification(connector_id=CONNECTOR, error_code=error, status=STATUS_NAME[status], timestamp=at)
        self._add(None, lambda _: said)

    def _add(self, transaction: Transaction | None, make: Callable[[int], Message]) -> None:
        self._queue.append(Queued(transaction, make))
        self._idle.clear()
        self._news.set()
