"""The server's end of the feeds."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from chargeloop.gateway.telemetry.frames import (
    Refusal,
    ack_text,
    commands_text,
    hello_text,
    read_batch,
    refusal_text,
    seq_of,
)
from chargeloop.model import BadInput, Command
from chargeloop.persistence import Store

SOURCE_LENGTH = 64
BACKLOG = 1000  # texts that wait for a feed that does not read
POLICY_VIOLATION = 1008
log = structlog.get_logger()


class TelemetryHub:
    """Feeds connect at /telemetry with a bearer token and a name; without a token here, none may.

    A feed's events are acknowledged once they are durable. A batch with anything wrong in it is refused as a whole. The
    newest connection of a name replaces an older one.
    """

    def __init__(self, store: Store, token: str | None) -> None:
        self._store, self._token = store, token
        self._feeds: dict[str, Feed] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.router = APIRouter()
        self.router.add_api_websocket_route("/telemetry", self._connected)

    @property
    def connected(self) -> frozenset[str]:
        """Names of the feeds that are connected."""
        return frozenset(self._feeds)

    async def send(self, commands: Sequence[Command]) -> None:
        """Tell every feed. What none is there for is lost: the loop says it again where it still holds."""
        if commands:
            text = commands_text(commands)
            for feed in list(self._feeds.values()):
                feed.tell(text)

    async def _connected(self, websocket: WebSocket) -> None:
        source = websocket.headers.get("x-source") or websocket.query_params.get("source", "")
        if not self._is_allowed(websocket) or not 0 < len(source) <= SOURCE_LENGTH:
            log.warning("feed refused", source=source[:SOURCE_LENGTH])
            await websocket.close(POLICY_VIOLATION)  # before it is accepted: the handshake is answered with 403
            return
        await websocket.accept()
        feed = Feed(websocket)
        older, self._feeds[source] = self._feeds.get(source), feed
        if older is not None:
            older.end()
        log.info("feed connected", source=source)
        writing = asyncio.create_task(feed.write())
        try:
            await self._serve(source, feed)
        finally:
            writing.cancel()
            if self._feeds.get(source) is feed:
                del self._feeds[source]
            log.info("feed gone", source=source)

    def _is_allowed(self, websocket: WebSocket) -> bool:
        scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
        if self._token is None or scheme.lower() != "bearer":
            return False
        return secrets.compare_digest(token.strip().encode(), self._token.encode())

    async def _serve(self, source: str, feed: "Feed") -> None:
        lock = self._locks.setdefault(source, asyncio.Lock())
        async with lock:  # nothing of an older connection is under way when its numbers are told
            feed.tell(hello_text(await self._store.last_seq(f"feed:{source}")))
        while (text := await feed.read()) is not None:
            async with lock:
                if self._feeds.get(source) is not feed:
                    return
                feed.tell(await self._take(source, text))

    async def _take(self, source: str, text: str) -> str:
        """Store a batch; returns what to answer."""
        try:
            batch = read_batch(text)
        except BadInput as error:
            log.warning("batch refused", source=source, where=error.where, what=error.what)
            return refusal_text(Refusal(seq_of(text), error.where, error.what))
        await self._store.append(f"feed:{source}", batch.events, seq=batch.seq)
        return ack_text(batch.seq)


class Feed:
    """One connection of a feed. What is told to it is written by a task of its own, so that a slow one holds up nobody."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._outgoing: asyncio.Queue[str | None] = asyncio.Queue()

    def tell(self, text: str) -> None:
        if self._outgoing.qsize() < BACKLOG:
            self._outgoing.put_nowait(text)
        else:
            self.end()

    def end(self) -> None:
        """Close it, once what was told before is written."""
        self._outgoing.put_nowait(None)

    async def read(self) -> str | None:
        """The next text; None once the connection is over, or speaks anything but texts."""
        try:
            return await self._websocket.receive_text()
        except (WebSocketDisconnect, KeyError, RuntimeError):
            return None

    async def write(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # gone while we wrote: `read` ends it
            while (text := await self._outgoing.get()) is not None:
                await self._websocket.send_text(text)
            await self._websocket.close(POLICY_VIOLATION)
