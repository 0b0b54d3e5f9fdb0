"""One charger's WebSocket: its calls in order, one open call each way."""

import asyncio
from collections import deque
from datetime import datetime
from itertools import count
from time import monotonic
from typing import Any, Protocol
from uuid import uuid4

import msgspec
import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from chargeloop.protocols.ocpp import Call, CallError, CallResult, Frame, Send, Version, WireError, encode, parse

MESSAGE_BYTES = 1 << 20
BACKLOG = 256  # calls of one charger that wait to be handled
RATE_PER_S, BURST = 500.0, 2000.0  # above this a charger's answers wait: it may send the next call only then
log = structlog.get_logger()


class Handler(Protocol):
    """What a connection needs of its charger."""

    def receive(self, connection: "Connection", call: Call | Send, text: bytes) -> None: ...
    def damaged(self, text: bytes, error: WireError) -> None: ...
    def opened(self, connection: "Connection") -> None: ...
    def closed(self, connection: "Connection") -> None: ...


class Connection(WSListener):
    """Calls go to `handler.receive` one at a time; the next one after `answer` or `answered`."""

    def __init__(self, charger_id: str, version: Version, address: str, handler: Handler, call_timeout_s: float) -> None:
        self.charger_id, self.version, self.address = charger_id, version, address
        self.certificate_expires: datetime | None = None
        self._handler, self._call_timeout_s = handler, call_timeout_s
        self._transport: WSTransport | None = None
        self._parts = b""
        self._backlog: deque[tuple[Call | Send, bytes]] | None = None
        self._is_busy = True  # until the charger's memory is loaded
        self._allowance, self._allowed_at = BURST, 0.0
        self._lane: asyncio.Lock | None = None
        self._waiting: tuple[str, asyncio.Future[Frame | None]] | None = None
        # Ids must not repeat over a station's connections.
        self._ids, self._prefix = count(1), uuid4().hex[:16]

    # --- what picows calls --------------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._handler.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.TEXT and frame.fin and not self._parts:
            self._received(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._parts += frame.get_payload_as_bytes()
            if len(self._parts) > MESSAGE_BYTES:
                self.close(WSCloseCode.MESSAGE_TOO_BIG, "message too big")
            elif frame.fin:
                text, self._parts = self._parts, b""
                self._received(text)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 (picows calls it so)
        # What was not answered the charger sends again: dropping it keeps the order over its sockets.
        self._is_busy, self._backlog = True, None
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_result(None)
        self._handler.closed(self)

    # --- what the charger calls ---------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_disconnected

    def answer(self, text: bytes) -> None:
        """Answer the call being handled, and go on with the next."""
        self.send(text)
        self.answered()

    def send(self, text: bytes) -> None:
        """Nothing where the socket is closed: the charger will ask again."""
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send(WSMsgType.TEXT, text)

    def answered(self) -> None:
        """Go on with the next call."""
        if self._backlog:
            self._take(*self._backlog.popleft())
        else:
            self._is_busy = False

    async def call(
        self, action: str, payload: msgspec.Raw | dict[str, Any], message_id: str | None = None
    ) -> tuple[bytes, Frame | None]:
        """Call the other side; the call's text, and its answer or None where none came in time. `message_id`: to call again."""
        call = Call(message_id or f"{self._prefix}-{next(self._ids)}", action, payload)
        text = encode(call, self.version)
        if self._lane is None:
            self._lane = asyncio.Lock()
        try:
            async with asyncio.timeout(self._call_timeout_s), self._lane:
                return text, await self._answer_to(call.message_id, text)
        except TimeoutError:
            log.warning("charger did not answer", charger_id=self.charger_id, action=action)
            return text, None

    def close(self, code: WSCloseCode, why: str) -> None:
        self._is_busy, self._backlog = True, None
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send_close(code, why.encode())
            self._transport.disconnect()

    # --- how ----------------------------------------------------------------------------------------------------------

    async def _answer_to(self, message_id: str, text: bytes) -> Frame | None:
        if not self.is_open:
            return None
        future: asyncio.Future[Frame | None] = asyncio.get_running_loop().create_future()
        self._waiting = (message_id, future)
        try:
            self.send(text)
            return await future
        finally:
            self._waiting = None

    def _received(self, text: bytes) -> None:
        try:
            frame = parse(text)
        except WireError as error:
            self._handler.damaged(text, error)
            answer = error.answer()
            if answer is not None:
                self.send(encode(answer, self.version))
            return
        if isinstance(frame, Call | Send):
            if not self._is_busy:
                self._take(frame, text)
            else:
                self._wait_in_line(frame, text)
        elif isinstance(frame, CallResult | CallError) and self._waiting is not None and self._waiting[0] == frame.message_id:
            if not self._waiting[1].done():
                self._waiting[1].set_result(frame)
        else:
            log.info("OCPP frame that nobody waits for", charger_id=self.charger_id, text=text[:200])

    def _wait_in_line(self, frame: Call | Send, text: bytes) -> None:
        if self._backlog is None:
            self._backlog = deque()
        self._backlog.append((frame, text))
        if len(self._backlog) > BACKLOG:
            log.error("charger floods", charger_id=self.charger_id, action=frame.action[:50])
            self.close(WSCloseCode.POLICY_VIOLATION, "too many calls at once")

    def _take(self, frame: Call | Send, text: bytes) -> None:
        self._is_busy = True
        self._allowance -= 1.0
        if self._allowance < 0:
            pause_s = self._replenish()
            if pause_s > 0:
                asyncio.get_running_loop().call_later(pause_s, self._handler.receive, self, frame, text)
                return
        self._handler.receive(self, frame, text)

    def _replenish(self) -> float:
        """Refill the bucket for the time that passed; seconds to wait where it is empty all the same."""
        now = monotonic()
        elapsed_s = now - self._allowed_at if self._allowed_at else BURST / RATE_PER_S
        self._allowed_at = now
        self._allowance = min(self._allowance + elapsed_s * RATE_PER_S, BURST)
        return max(-self._allowance / RATE_PER_S, 0.0)


def payload_bytes(payload: msgspec.Raw | dict[str, Any]) -> bytes | msgspec.Raw:
    """A received payload's text."""
    return msgspec.json.encode(payload) if isinstance(payload, dict) else payload


class Stranger(WSListener):
    """Whom we don't talk to: closed as soon as the handshake is done, with the reason."""

    def __init__(self, why: str, code: WSCloseCode = WSCloseCode.PROTOCOL_ERROR) -> None:
        self._why, self._code = why, code

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send_close(self._code, self._why.encode())
        transport.disconnect()
