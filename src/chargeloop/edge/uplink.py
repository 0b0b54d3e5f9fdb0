"""One charger's link to the platform, under its identity: what it told goes up in order, each message until it is answered."""

import asyncio
import base64
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

import structlog
from picows import WSAutoPingStrategy, WSCloseCode, WSError, WSListener, ws_connect

from chargeloop.edge.buffer import Buffer, Message
from chargeloop.edge.config import Upstream
from chargeloop.edge.wire import payload_of
from chargeloop.gateway.ocpp.connection import Connection, Stranger
from chargeloop.protocols.ocpp import (
    Call,
    CallError,
    CallResult,
    ErrorCode,
    Frame,
    Send,
    Version,
    WireError,
    encode,
)

FIRST_RETRY_S = 1.0  # wall time, as all here
PING_AFTER_S, PONG_WITHIN_S = 20.0, 10.0
LINGER_S = 2.0  # a link whose charger is gone
AGAIN_S, ATTEMPTS = 5.0, 5  # of a message that the platform could not process
NOT_YET_S = 30.0  # until a platform that does not know the charger yet is asked again
# The message is at fault: it would be refused for ever.
FOR_EVER = frozenset(
    {
        ErrorCode.NOT_IMPLEMENTED,
        ErrorCode.NOT_SUPPORTED,
        ErrorCode.PROTOCOL_ERROR,
        ErrorCode.FORMAT_VIOLATION,
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
        ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    }
)
log = structlog.get_logger()


class Uplink:
    """`called` answers a call from above. `ready` makes a message as the platform knows it. `heard`: what came of one.

    `password` is asked at each connecting. The link is up while the charger is there or something waits.
    """

    def __init__(
        self,
        charger_id: str,
        upstream: Upstream,
        buffer: Buffer,
        *,
        tls: ssl.SSLContext | None,
        password: Callable[[], str | None],
        called: Callable[[Call], Awaitable[Frame]],
        ready: Callable[[Message], dict[str, Any]],
        heard: Callable[[Message, dict[str, Any]], Awaitable[None]],
    ) -> None:
        self._id, self._upstream, self._buffer, self._tls = charger_id, upstream, buffer, tls
        self._password, self._called, self._ready, self._heard = password, called, ready, heard
        self.version: Version | None = None
        self.is_wanted = False
        self._behind: set[int] = set()  # numbers of messages that wait
        self.why = "not tried yet"
        self._connection: Connection | None = None
        self._news = asyncio.Event()
        self._waiters: dict[int, asyncio.Future[Frame | None]] = {}
        self._attempts: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_up(self) -> bool:
        return self._connection is not None and self._connection.is_open

    # --- what the station asks ------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something to deliver, or the charger has come or gone."""
        self._news.set()

    async def answer_to(self, message: Message, *, is_patient: bool = False) -> dict[str, Any] | None:
        """What the platform answers to a kept message; None where it cannot be had now. It is delivered all the same.

        `is_patient`: a link that is just coming up is waited for, and so are the messages before.
        """
        self._behind.add(message.number)
        if not is_patient and (not self.is_up or len(self._behind) > 1):
            self.wake()
            return None
        future = self._waiters[message.number] = asyncio.get_running_loop().create_future()
        self.wake()
        try:
            async with asyncio.timeout(self._upstream.answer_s):
                frame = await future
        except TimeoutError:
            return None
        finally:
            self._waiters.pop(message.number, None)
        return payload_of(frame) if isinstance(frame, CallResult) else None

    async def ask(self, call: Call) -> Frame | None:
        """Hand on a call that is of use only with the platform's own answer; None where there is none."""
        if self._connection is None or not self._connection.is_open:
            return None
        _, frame = await self._connection.call(call.action, call.payload, call.message_id)
        return frame

    def send(self, text: bytes) -> None:
        """Hand on what needs no answer (2.1)."""
        if self._connection is not None:
            self._connection.send(text)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close(WSCloseCode.GOING_AWAY, "the charger has gone")

    # --- the link -------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect when there is reason to, deliver, and again; until cancelled."""
        longest_s = self._upstream.retry_s
        pause_s = min(FIRST_RETRY_S, longest_s)
        while True:
            try:
                waiting = await self._waiting()
                if self.version is None or not (self.is_wanted or waiting):
                    self._news.clear()
                    await self._news.wait()
                    continue
                await self._connect(self.version)
                pause_s = min(FIRST_RETRY_S, longest_s)
                await self._serve()
            except (OSError, TimeoutError, WSError) as error:
                self.why = str(error) or type(error).__name__
            except Exception as error:  # an odd answer, a full disk: what waits has to go up all the same
                self.why = str(error) or type(error).__name__
                log.exception("the link failed", charger_id=self._id)
            finally:
                self.close()
                self._connection = None
                for future in self._waiters.values():
                    if not future.done():
                        future.set_result(None)
            await asyncio.sleep(pause_s * (0.5 + random.random()))  # noqa: S311 (so that not all come back at once)
            pause_s = min(2 * pause_s, longest_s)

    async def _connect(self, version: Version) -> None:
        connection = Connection(self._id, version, self._upstream.url, self, self._upstream.answer_s)

        def listener(_request: Any, response: Any) -> WSListener:
            chosen = response.headers.get("Sec-WebSocket-Protocol")
            return connection if chosen == str(version) else Stranger("no subprotocol in common")

        headers = [("Sec-WebSocket-Protocol", str(version))]
        if (password := self._password()) is not None:
            login = base64.b64encode(f"{self._id}:{password}".encode()).decode()
            headers.append(("Authorization", f"Basic {login}"))
        await ws_connect(
            listener,
            f"{self._upstream.url.rstrip('/')}/{quote(self._id, safe='')}",
            ssl_context=self._tls,
            extra_headers=headers,
            enable_auto_ping=True,
            auto_ping_idle_timeout=PING_AFTER_S,
            auto_ping_reply_timeout=PONG_WITHIN_S,
            auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
        )
        if self._connection is not connection:
            raise OSError(f"the platform does not speak {version}")
        self.why = ""
        log.info("link is up", charger_id=self._id)

    async def _serve(self) -> None:
        """Deliver what waits, one message at a time, as long as the link holds."""
        while self.is_up:
            self._news.clear()
            waiting = await self._waiting()
            for message in waiting:
                if not await self._deliver(message):
                    break
            if waiting:
                continue
            try:
                await asyncio.wait_for(self._news.wait(), None if self.is_wanted else LINGER_S)
            except TimeoutError:
                return

    async def _waiting(self) -> Sequence[Message]:
        waiting = await self._buffer.waiting(self._id)
        self._behind = {message.number for message in waiting}
        return waiting

    async def _deliver(self, message: Message) -> bool:
        """Whether the next one may go."""
        connection = self._connection
        if connection is None or not connection.is_open:
            return False
        _, frame = await connection.call(message.action, self._ready(message), message.message_id)
        if frame is None:
            self.why = f"no answer to {message.action}"
            self.close()
            return False
        if isinstance(frame, CallResult):
            payload = payload_of(frame)
            await self._buffer.delivered(message, payload)
            await self._heard(message, payload)
        elif not await self._refused(message, frame):
            return False
        self._behind.discard(message.number)
        self._attempts.pop(message.number, None)
        future = self._waiters.get(message.number)
        if future is not None and not future.done():
            future.set_result(frame)
        return True

    async def _refused(self, message: Message, frame: Frame) -> bool:
        """An error for an answer: whether to go on without that message. It is kept, with the reason, and never sent again."""
        code, why = (frame.code, frame.description) if isinstance(frame, CallError) else (ErrorCode.GENERIC_ERROR, "no answer")
        tries = self._attempts[message.number] = self._attempts.get(message.number, 0) + 1
        if code in FOR_EVER or (code is not ErrorCode.SECURITY_ERROR and tries >= ATTEMPTS):
            log.error("the platform refuses a message", charger_id=self._id, action=message.action, code=str(code), why=why)
            await self._buffer.delivered(message, None, f"{code}: {why}")
            return True
        self.why = f"{message.action} is refused: {code}: {why}"
        future = self._waiters.get(message.number)
        if future is not None and not future.done():
            future.set_result(None)
        await asyncio.sleep(NOT_YET_S if code is ErrorCode.SECURITY_ERROR else AGAIN_S * tries)
        return False

    # --- what the connection calls --------------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        self._connection = connection
        connection.answered()

    def closed(self, connection: Connection) -> None:
        if self._connection is connection:
            log.info("link is down", charger_id=self._id)
            self.why = self.why or "closed by the platform or on the way"
            self.wake()

    def damaged(self, text: bytes, error: WireError) -> None:
        log.warning("malformed frame of the platform", charger_id=self._id, what=error.what, text=text[:200])

    def receive(self, connection: Connection, call: Call | Send, text: bytes) -> None:  # noqa: ARG002 (as the connection has it)
        task = asyncio.create_task(self._answer(connection, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: Connection, call: Call | Send) -> None:
        if isinstance(call, Send):
            connection.answered()
            return
        try:
            frame = await self._called(call)
        except Exception as error:
            log.error("failed on a call of the platform", charger_id=self._id, action=call.action[:50], exc_info=error)
            frame = CallError(call.message_id, ErrorCode.INTERNAL_ERROR, "the site controller failed on it")
        connection.answer(encode(frame, connection.version))
