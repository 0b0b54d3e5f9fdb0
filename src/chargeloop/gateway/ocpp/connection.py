"""One charge point's WebSocket: frames in order, one open call each way."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from uuid import uuid4

import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from chargeloop.protocols.ocpp import (
    FROM_STATION,
    Call,
    CallError,
    CallResult,
    ErrorCode,
    Frame,
    FromStation,
    Message,
    StatusResponse,
    ToStation,
    WireError,
    encode,
    parse,
    read_call,
    read_payload,
    to_payload,
)

MESSAGE_BYTES = 1 << 20
BACKLOG = 256  # messages of one station that wait to be handled
log = structlog.get_logger()


class Connection(WSListener):
    """Calls of the station are handled by `handle` strictly in order; `opened` and `closed` are told of the socket's life."""

    def __init__(
        self,
        identity: str,
        handle: Callable[[FromStation], Awaitable[Message]],
        opened: Callable[["Connection"], None],
        closed: Callable[["Connection"], None],
        call_timeout_s: float,
    ) -> None:
        self.identity = identity
        self._handle, self._opened, self._closed, self._call_timeout_s = handle, opened, closed, call_timeout_s
        self._transport: WSTransport | None = None
        self._parts = bytearray()
        self._calls: asyncio.Queue[Call] = asyncio.Queue(BACKLOG)
        self._worker: asyncio.Task[None] | None = None
        self._lane = asyncio.Lock()
        self._waiting: tuple[str, asyncio.Future[Frame]] | None = None
        # Ids must not repeat over a station's connections.
        self._ids, self._prefix = count(1), uuid4().hex[:16]

    # --- what picows calls --------------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._worker = asyncio.create_task(self._work())
        self._opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._parts += frame.get_payload_as_bytes()
            if len(self._parts) > MESSAGE_BYTES:
                self.close(WSCloseCode.MESSAGE_TOO_BIG, "message too big")
            elif frame.fin:
                text, self._parts = bytes(self._parts), bytearray()
                self._received(text)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 (picows calls it so)
        self._stop_working()
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].cancel()
        self._closed(self)

    # --- what the gateway calls ---------------------------------------------------------------------------------------

    async def call(self, message: ToStation) -> str | None:
        """Call the station and wait for its status; None where it refused to answer, or not in time."""
        action = type(message).__name__
        try:
            async with asyncio.timeout(self._call_timeout_s), self._lane:
                answer = await self._answer_to(Call(f"{self._prefix}-{next(self._ids)}", action, to_payload(message)))
        except TimeoutError:
            log.warning("charge point did not answer", evse_id=self.identity, action=action)
            return None
        if isinstance(answer, CallResult):
            try:
                return read_payload(StatusResponse, answer.payload).status
            except WireError as error:
                log.warning("charge point answered nonsense", evse_id=self.identity, action=action, what=error.what)
        elif isinstance(answer, CallError):
            log.warning("charge point answered an error", evse_id=self.identity, action=action, code=str(answer.code))
        return None

    def close(self, code: WSCloseCode, why: str) -> None:
        self._stop_working()
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send_close(code, why.encode())
            self._transport.disconnect()

    async def ended(self) -> None:
        """Wait until nothing of this connection runs any more."""
        if self._worker is not None:
            await asyncio.wait([self._worker])

    # --- how ----------------------------------------------------------------------------------------------------------

    async def _answer_to(self, call: Call) -> Frame | None:
        """None where the socket is closed, or closes first."""
        if self._transport is None or self._transport.is_disconnected:
            return None
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting = (call.message_id, future)
        try:
            self._send(call)
            await asyncio.wait([future])
            return None if future.cancelled() else future.result()
        finally:
            self._waiting = None

    def _received(self, text: bytes) -> None:
        try:
            frame = parse(text)
        except WireError as error:
            log.warning("malformed OCPP frame", evse_id=self.identity, what=error.what, text=text[:200])
            answer = error.answer()
            if answer is not None:
                self._send(answer)
            return
        if isinstance(frame, Call):
            try:
                self._calls.put_nowait(frame)
            except asyncio.QueueFull:
                log.error("charge point floods", evse_id=self.identity, action=frame.action)
                self.close(WSCloseCode.POLICY_VIOLATION, "too many calls at once")
        elif frame is not None and self._waiting is not None and self._waiting[0] == frame.message_id:
            if not self._waiting[1].done():
                self._waiting[1].set_result(frame)
        else:
            log.info("OCPP frame that nobody waits for", evse_id=self.identity, text=text[:200])

    def _stop_working(self) -> None:
        """What was not answered the station sends again: dropping it keeps the order over its sockets."""
        if self._worker is not None:
            self._worker.cancel()

    async def _work(self) -> None:
        try:
            while True:
                call = await self._calls.get()
                self._send(await self._answer(call))
        finally:  # whatever ended it: a station must not go on talking to nobody, it connects again and repeats itself
            self.close(WSCloseCode.INTERNAL_ERROR, "the server cannot go on")

    async def _answer(self, call: Call) -> Frame:
        try:
            message = read_call(FROM_STATION, call.action, call.payload)
            return CallResult(call.message_id, to_payload(await self._handle(message)))
        except WireError as error:
            log.warning(
                "refused OCPP message", evse_id=self.identity, action=call.action[:50], code=str(error.code), what=error.what
            )
            return CallError(call.message_id, error.code, error.what)
        except Exception:  # one station's message must not end its connection, nor anybody else's
            log.exception("failed on an OCPP message", evse_id=self.identity, action=call.action)
            return CallError(call.message_id, ErrorCode.INTERNAL_ERROR, "the message could not be processed")

    def _send(self, frame: Frame) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send(WSMsgType.TEXT, encode(frame).encode())


class Stranger(WSListener):
    """Speaks no protocol of ours: closed as soon as the handshake is done."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send_close(WSCloseCode.PROTOCOL_ERROR, b"no subprotocol in common")
        transport.disconnect()
