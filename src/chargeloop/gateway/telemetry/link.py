"""A feed's end: what the twin, or a gateway of other protocols, uses to bring events and take commands."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import quote

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from chargeloop.gateway.telemetry.frames import FromServer, Refusal, batch_text, read_server
from chargeloop.model import BadInput, Command, Event

BATCH = 500  # events; keeps a text well below what servers take
BACK_OFF_S = (0.05, 2.0)  # first and longest pause between attempts, doubled each time
MESSAGE_BYTES = 16 << 20
log = structlog.get_logger()


@dataclass(slots=True)
class _Pending:
    """Events not acknowledged yet. They get a number when they are first sent, for only the server knows the last one."""

    events: tuple[Event, ...]
    seq: int | None = None


class TelemetryLink:
    """Keeps a connection to the server at `url` (http or ws, without path); use it as an async context manager.

    Events are sent in the order submitted and kept until acknowledged; over a new connection what is not is sent again.
    """

    def __init__(self, url: str, source: str, token: str) -> None:
        base = url.rstrip("/").replace("http", "ws", 1) if url.startswith("http") else url.rstrip("/")
        self._url = f"{base}/telemetry?source={quote(source, safe='')}"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._pending: deque[_Pending] = deque()
        self._last_seq = 0
        self._news = asyncio.Event()
        self._all_acked = asyncio.Event()
        self._all_acked.set()
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "TelemetryLink":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def submit(self, events: Sequence[Event]) -> None:
        """Have events sent; never waits."""
        for i in range(0, len(events), BATCH):
            self._pending.append(_Pending(tuple(events[i : i + BATCH])))
        if events:
            self._all_acked.clear()
            self._news.set()

    async def flushed(self) -> None:
        """Wait until everything submitted is acknowledged."""
        await self._all_acked.wait()

    async def commands(self) -> AsyncIterator[Command]:
        """What the server wants done, as it comes."""
        while True:
            yield await self._commands.get()

    async def _run(self) -> None:
        pause_s, longest_s = BACK_OFF_S
        while True:
            try:
                async with connect(self._url, additional_headers=self._headers, max_size=MESSAGE_BYTES, proxy=None) as socket:
                    await self._greeted(socket)
                    pause_s = BACK_OFF_S[0]
                    await self._exchange(socket)
            except InvalidHandshake as error:
                log.error("server refuses this feed", url=self._url, why=str(error))
            except (OSError, TimeoutError, WebSocketException, BadInput) as error:
                if pause_s == BACK_OFF_S[0]:  # once each time it goes away
                    log.warning("link to the server is away", url=self._url, why=str(error))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    async def _greeted(self, socket: ClientConnection) -> None:
        """Learn what the server has, and forget that."""
        hello = read_server(await socket.recv())
        if hello.last_seq is None:
            raise BadInput("server", "did not greet with its last_seq")
        self._settle(hello.last_seq)
        self._last_seq = max([hello.last_seq, *(each.seq for each in self._pending if each.seq is not None)])

    async def _exchange(self, socket: ClientConnection) -> None:
        sending = asyncio.create_task(self._send(socket))
        try:
            async for text in socket:
                self._heard(read_server(text))
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def _send(self, socket: ClientConnection) -> None:
        """Send all that is pending, and what is added, until the connection ends."""
        sent = 0  # highest number sent over this connection
        while True:
            self._news.clear()
            for each in list(self._pending):
                if each.seq is None:
                    self._last_seq += 1
                    each.seq = self._last_seq
                if each.seq > sent:
                    sent = each.seq
                    await socket.send(batch_text(each.seq, each.events))
            await self._news.wait()

    def _heard(self, said: FromServer) -> None:
        if said.ack is not None:
            self._settle(said.ack)
        if said.error is not None:
            self._refused(said.error)
        for command in said.commands:
            self._commands.put_nowait(command)

    def _settle(self, seq: int) -> None:
        """Forget the batches up to a number."""
        while self._pending and self._pending[0].seq is not None and self._pending[0].seq <= seq:
            self._pending.popleft()
        if not self._pending:
            self._all_acked.set()

    def _refused(self, refusal: Refusal) -> None:
        log.error("server refuses a batch, which is dropped", seq=refusal.seq, where=refusal.where, what=refusal.what)
        for each in self._pending:
            if each.seq is not None and each.seq == refusal.seq:
                self._pending.remove(each)
                break
        self._settle(0)
