"""What chargers said, word for word: stored with what it means in one commit, before it is answered."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from chargeloop.model import Event, Unreachable
from chargeloop.persistence import tables
from chargeloop.persistence.bulk import Bulk
from chargeloop.persistence.frames import index_frames
from chargeloop.persistence.writer import Writer
from chargeloop.protocols.ocpp import Transaction

Stored: TypeAlias = tuple[tuple[int, Event], ...]
_encode = msgspec.json.Encoder().encode
Rows: TypeAlias = list[dict[str, Any]]
log = structlog.get_logger()
INDEXED_AT_ONCE = 10_000  # frames; those not indexed yet are looked through one by one


class OcppFrame(NamedTuple):
    """A call and its answer; `flag` says what was odd about it."""

    at_s: float
    charger_id: str
    is_outgoing: bool
    action: str
    message_id: str
    body: str
    answer: str | None = None
    flag: str | None = None


class SignedRow(NamedTuple):
    """A meter value that a meter has signed, word for word, with what its check gave. `number`: of the transaction."""

    number: int
    digest: str
    charger_id: str
    evse_id: str
    at_s: float
    context: str
    encoding: str
    raw: str
    public_key: str
    verdict: str
    why: str


class Entry(NamedTuple):
    """What is stored together. `then` is called in the event loop once it is on disk, or with what went wrong."""

    frame: OcppFrame
    events: Sequence[Event] = ()
    transactions: Sequence[Transaction] = ()
    then: Callable[[Exception | None], None] | None = None
    signed: Sequence[SignedRow] = ()


class Journal:
    """Group commit of entries: whatever came while the disk was busy goes with the next commit."""

    def __init__(
        self,
        writer: Writer,
        dialect: sa.Dialect,
        add_events: Callable[[Connection, Sequence[Event]], Stored],
        tell: Callable[[Stored], None],
        last_frame_id: int,
    ) -> None:
        self._writer, self._add_events, self._tell = writer, add_events, tell
        self._frame_id = last_frame_id
        self._pending: list[tuple[Entry, Rows]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._insert_frames = Bulk(tables.ocpp_frame, dialect)
        upsert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        insert = upsert(tables.ocpp_transaction)
        changed = {"is_open": insert.excluded.is_open, "body": insert.excluded.body}
        self._put_transaction = insert.on_conflict_do_update(index_elements=["number"], set_=changed)
        self._put_signed = upsert(tables.signed_value).on_conflict_do_nothing()

    def add(self, entry: Entry) -> None:
        """Have an entry stored, as its transactions stand now; returns at once."""
        rows = [
            {
                "number": each.number,
                "charger_id": entry.frame.charger_id,
                "is_open": each.is_open,
                "body": _encode(each).decode(),
            }
            for each in entry.transactions
        ]
        self._pending.append((entry, rows))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())

    async def flushed(self) -> None:
        """Wait until all that was added is stored. Who gives up waiting, as a page that is closed, ends that alone."""
        if self._flushing is not None:
            await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        await asyncio.sleep(0)  # whatever else has just arrived goes with the first commit
        while self._pending:
            batch, self._pending = self._pending, []
            await self._store(batch)
        self._flushing = None

    async def _store(self, batch: Sequence[tuple[Entry, Rows]]) -> None:
        failure: Exception | None = None
        try:
            await self._writer.write(lambda connection: self._write(connection, batch), self._tell)
        except Unreachable as error:  # nothing of the batch is stored, nobody may be answered
            failure = error
        except Exception as error:
            if len(batch) > 1:  # one that the database refuses must not spoil the others
                for each in batch:
                    await self._store([each])
                return
            failure = error
        for entry, _ in batch:
            if entry.then is not None:
                try:
                    entry.then(failure)
                except Exception:  # of one charger: the others must hear, and the next entries be stored
                    log.exception("could not tell that a message is stored", charger_id=entry.frame.charger_id)

    def _write(self, connection: Connection, batch: Sequence[tuple[Entry, Rows]]) -> Stored:
        self._insert_frames(connection, [(i, *entry.frame) for i, (entry, _) in enumerate(batch, start=self._frame_id + 1)])
        stored = self._add_events(connection, [event for entry, _ in batch for event in entry.events])
        newest = {row["number"]: row for _, rows in batch for row in rows}
        if newest:
            connection.execute(self._put_transaction, list(newest.values()))
        signed = [row._asdict() for entry, _ in batch for row in entry.signed]
        if signed:
            connection.execute(self._put_signed, signed)
        self._frame_id += len(batch)
        if self._frame_id % INDEXED_AT_ONCE < len(batch):
            index_frames(connection, self._frame_id)
        return stored
