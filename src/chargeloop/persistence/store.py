"""The operational store: what happened, durable before it is acknowledged, and what is asked for often."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from chargeloop.loop import KeptForecast, Packed
from chargeloop.model import Cdr, Decision, Event, MeterSampled, Promise, Reservation, ReservationState, Session, Unreachable
from chargeloop.model.validated import from_json, to_json
from chargeloop.persistence import forecasts, tables
from chargeloop.persistence.bulk import Bulk
from chargeloop.persistence.engine import Opened, open_database
from chargeloop.persistence.frames import find_frames, forget_frames
from chargeloop.persistence.givens import add_given, forget_given
from chargeloop.persistence.journal import Entry, Journal, OcppFrame, Stored
from chargeloop.persistence.promises import ELSEWHERE, GAVE_UP, KEPT
from chargeloop.persistence.roster import Registration
from chargeloop.persistence.writer import Writer
from chargeloop.prediction import Drift, Score
from chargeloop.protocols.ocpp import KEPT as TRANSACTIONS_KEPT
from chargeloop.protocols.ocpp import Transaction

T = TypeVar("T")
PAGE = 1000  # events read at a time
SNAPSHOTS_KEPT = 2
READERS = 4  # queries at a time
log = structlog.get_logger()


class Outcome(NamedTuple):
    """What came of a decision's promise."""

    realised_wait_min: float | None
    realised_amount: Decimal | None


class Store:
    """Records in and out. `on_commit` is told of new events in the order in which they were stored, before `append` returns."""

    def __init__(self, opened: Opened) -> None:
        engine, self._claim, self._event_id, self._transaction_number, frame_id = opened
        self._engine = engine
        self._upsert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
        self._writer = Writer(self._claim, self._lost)
        self._readers = ThreadPoolExecutor(READERS, "chargeloop-reader")
        self.on_commit: Callable[[Stored], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        self._journal = Journal(self._writer, engine.dialect, self._add_events, self._tell, frame_id)
        self._insert_event = Bulk(tables.event, engine.dialect)

    @classmethod
    async def open(cls, where: str | Path) -> "Store":
        """Open and migrate a database: a file's path for SQLite, or an SQLAlchemy URL.

        Raises:
            BadInput: the file is damaged, or not a database of ours.
            Unreachable: it cannot be opened, or another process uses it.
        """
        url = str(where) if "://" in str(where) else f"sqlite:///{where}"
        return cls(await asyncio.to_thread(open_database, url))

    async def close(self) -> None:
        await self._journal.flushed()
        await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        self._claim.give_back()

    @property
    def lost(self) -> Unreachable | None:
        """Why nothing is written any more: another server has taken the database. `on_lost` is told of it."""
        return self._claim.lost

    def _lost(self, why: Unreachable) -> None:
        log.critical(str(why))
        if self.on_lost is not None:
            self.on_lost()

    # --- events ---------------------------------------------------------------------------------------------------

    async def append(self, source: str, events: Sequence[Event], seq: int | None = None) -> Stored:
        """Store events; on return they are on disk. A batch whose `seq` this source sent already stores nothing.

        Batches of a source are numbered from 1. Returns the events with their ids, in the order given.
        """
        last_seq = sa.select(tables.feed.c.last_seq).where(tables.feed.c.source == source)

        def work(connection: Connection) -> Stored:
            if seq is not None and seq <= (connection.scalar(last_seq) or 0):
                return ()
            stored = self._add_events(connection, events)
            if seq is not None:
                connection.execute(self._replace(tables.feed, {"source": source, "last_seq": seq}))
            return stored

        return await self._writer.write(work, self._tell)

    def _add_events(self, connection: Connection, events: Sequence[Event]) -> Stored:
        stored = tuple(enumerate(events, start=self._event_id + 1))
        self._insert_event(connection, [(i, each.at.timestamp(), each.kind, _json(each)) for i, each in stored])
        self._event_id += len(stored)
        return stored

    def _tell(self, stored: Stored) -> None:
        if stored and self.on_commit is not None:
            self.on_commit(stored)

    async def last_seq(self, source: str) -> int:
        """The newest batch number of a feed; 0 before its first."""
        rows = await self._rows(sa.select(tables.feed.c.last_seq).where(tables.feed.c.source == source))
        return rows[0].last_seq if rows else 0

    async def events_after(self, after: int) -> AsyncIterator[tuple[int, Event]]:
        """Events newer than the one with the id `after`, in order."""
        while True:
            query = (
                sa.select(tables.event.c.event_id, tables.event.c.body)
                .where(tables.event.c.event_id > after)
                .order_by(tables.event.c.event_id)
                .limit(PAGE)
            )
            rows = await self._rows(query)
            for row in rows:
                after = row.event_id
                yield after, from_json(Event, row.body, f"stored event {after}")
            if len(rows) < PAGE:
                return

    async def save_snapshot(self, event_id: int, body: str) -> None:
        """Keep a snapshot as of an event; meter samples older than the snapshot before it are dropped: nothing replays them."""

        def work(connection: Connection) -> None:
            connection.execute(self._replace(tables.snapshot, {"event_id": event_id, "body": body}))
            known = connection.scalars(sa.select(tables.snapshot.c.event_id).order_by(tables.snapshot.c.event_id.desc())).all()
            kept, gone = known[:SNAPSHOTS_KEPT], known[SNAPSHOTS_KEPT:]
            connection.execute(sa.delete(tables.snapshot).where(tables.snapshot.c.event_id < kept[-1]))
            if len(kept) == SNAPSHOTS_KEPT:
                event = tables.event.c
                old = event.event_id.between(gone[0] if gone else 0, kept[-1]) & (event.kind == "meter_sampled")
                connection.execute(sa.delete(tables.event).where(old))

        await self._writer.write(work)

    async def latest_snapshot(self) -> tuple[int, str] | None:
        query = sa.select(tables.snapshot).order_by(tables.snapshot.c.event_id.desc()).limit(1)
        rows = await self._rows(query)
        return (rows[0].event_id, rows[0].body) if rows else None

    # --- chargers -------------------------------------------------------------------------------------------------

    def record(self, entry: Entry) -> None:
        """Have a charger's message stored, with what it means; its `then` is called once that is on disk."""
        self._journal.add(entry)

    async def recorded(self) -> None:
        """Wait until all that was recorded is on disk."""
        await self._journal.flushed()

    def next_transaction_number(self) -> int:
        """A number that no other transaction of any charger has or had."""
        self._transaction_number += 1
        return self._transaction_number

    async def transactions(self, charger_id: str, limit: int = TRANSACTIONS_KEPT) -> tuple[Transaction, ...]:
        """The newest of a charger, oldest first."""
        table = tables.ocpp_transaction
        query = sa.select(table.c.body).where(table.c.charger_id == charger_id).order_by(table.c.number.desc()).limit(limit)
        return tuple(msgspec.json.decode(row.body, type=Transaction) for row in reversed(await self._rows(query)))

    async def frames(
        self, charger_id: str | None = None, limit: int = 100, before: int | None = None, action: str = "", text: str = ""
    ) -> tuple[tuple[int, OcppFrame], ...]:
        """The newest first, with their ids; `text` is looked for in calls, answers and flags."""
        found = await self._read(lambda connection: find_frames(connection, charger_id, limit, before, action, text))
        return tuple((row.frame_id, OcppFrame._make(row[1:])) for row in found)

    async def forget_frames(self, older_than: datetime) -> int:
        """Delete raw messages; returns how many. What they meant stays."""
        limit_s = older_than.timestamp()
        total = 0
        while count := await self._writer.write(lambda connection: forget_frames(connection, limit_s)):
            total += count
        return total

    async def put_registration(self, registration: Registration) -> None:
        row = {"charger_id": registration.charger_id, "body": to_json(registration)}
        await self._writer.write(lambda connection: connection.execute(self._replace(tables.charger, row)))

    async def registrations(self) -> tuple[Registration, ...]:
        return await self._bodies(Registration, sa.select(tables.charger.c.body).order_by(tables.charger.c.charger_id))

    # --- sessions and CDRs ----------------------------------------------------------------------------------------

    async def put_sessions(self, sessions: Sequence[Session]) -> None:
        """Write sessions as they stand; one that has ended is not opened again."""
        rows = [
            {
                "session_id": each.session_id,
                "station_id": each.station_id,
                "started_s": each.started_at.timestamp(),
                "ended_s": each.ended_at.timestamp() if each.ended_at else None,
                "body": to_json(each),
            }
            for each in sessions
        ]

        def work(connection: Connection) -> None:
            for row in rows:
                connection.execute(self._replace(tables.session, row, sa.text("session.ended_s IS NULL")))

        if rows:
            await self._writer.write(work)

    async def session(self, session_id: str) -> Session | None:
        return await self._one(Session, tables.session, session_id)

    async def sessions(self, station_id: str | None = None, open_only: bool = False, limit: int = 100) -> tuple[Session, ...]:
        """The newest first."""
        query = sa.select(tables.session.c.body).order_by(tables.session.c.started_s.desc()).limit(limit)
        if station_id is not None:
            query = query.where(tables.session.c.station_id == station_id)
        if open_only:
            query = query.where(tables.session.c.ended_s.is_(None))
        return await self._bodies(Session, query)

    async def sessions_ended(self, station_id: str, since: datetime, until: datetime) -> tuple[Session, ...]:
        """The sessions of a station that ended in a span."""
        row = tables.session.c
        query = sa.select(row.body).where(row.station_id == station_id)
        return await self._bodies(Session, query.where(row.ended_s >= since.timestamp(), row.ended_s < until.timestamp()))

    async def add_cdr(self, cdr: Cdr) -> bool:
        """False where the session has its CDR already: it stays as it is."""
        row = {
            "session_id": cdr.session.session_id,
            "ended_s": (cdr.session.ended_at or cdr.session.started_at).timestamp(),
            "body": to_json(cdr),
        }
        insert = self._upsert(tables.cdr).values(row).on_conflict_do_nothing().returning(tables.cdr.c.session_id)
        return await self._writer.write(lambda connection: connection.scalar(insert) is not None)

    async def cdr(self, session_id: str) -> Cdr | None:
        return await self._one(Cdr, tables.cdr, session_id)

    async def cdrs(self, limit: int = 100) -> tuple[Cdr, ...]:
        """The newest first."""
        return await self._bodies(Cdr, sa.select(tables.cdr.c.body).order_by(tables.cdr.c.ended_s.desc()).limit(limit))

    # --- decisions ------------------------------------------------------------------------------------------------

    async def add_decisions(
        self, decisions: Sequence[Decision], given: Sequence[Packed] = (), promises: Sequence[Promise] = ()
    ) -> None:
        """Keep decisions, what they were made from, and what was promised by them; a decision that is kept stays as it is."""
        rows = [
            {
                "decision_id": each.decision_id,
                "at_s": each.at.timestamp(),
                "station_id": each.chosen.station_id if each.chosen else None,
                "body": to_json(each),
            }
            for each in decisions
        ]

        def work(connection: Connection) -> None:
            number_of = add_given(connection, given, self._insert_new)
            for row, each in zip(rows, decisions, strict=True):
                row["given_id"] = number_of.get(each.request_id)
            if rows:
                connection.execute(self._insert_new(tables.decision), rows)
            for made in promises:
                connection.execute(self._replace(tables.promise, _promise_row(made)))

        if rows or promises:
            await self._writer.write(work)

    async def forget_given(self, older_than: datetime) -> int:
        """Delete what decisions were made from; returns how many."""
        limit_s = older_than.timestamp()
        return await self._writer.write(lambda connection: forget_given(connection, limit_s))

    async def decision(self, decision_id: str) -> Decision | None:
        return await self._one(Decision, tables.decision, decision_id)

    async def decisions(self, limit: int = 100, station_id: str | None = None) -> tuple[Decision, ...]:
        """The newest first; those that chose `station_id` where one is named."""
        query = sa.select(tables.decision.c.body).order_by(tables.decision.c.at_s.desc()).limit(limit)
        if station_id is not None:
            query = query.where(tables.decision.c.station_id == station_id)
        return await self._bodies(Decision, query)

    async def put_outcome(
        self,
        decision_id: str,
        realised_wait_min: float | None,
        realised_amount: Decimal | None,
        station_id: str | None = None,
    ) -> None:
        """`station_id`: where the driver charged in the end; where it was promised unless said otherwise."""
        row = {
            "decision_id": decision_id,
            "realised_wait_min": realised_wait_min,
            "realised_amount": None if realised_amount is None else str(realised_amount),
        }
        made = tables.promise.c
        came = sa.case((made.station_id == (made.station_id if station_id is None else station_id), KEPT), else_=ELSEWHERE)
        over = sa.update(tables.promise).where(made.decision_id == decision_id).values(came=came)

        def work(connection: Connection) -> None:
            connection.execute(self._replace(tables.outcome, row))
            connection.execute(over)

        await self._writer.write(work)

    async def put_given_up(self, decision_ids: Sequence[str]) -> None:
        """Drivers who neither charged where they were sent nor anywhere else."""
        made = tables.promise.c
        over = sa.update(tables.promise).where(made.decision_id.in_(decision_ids), made.came.is_(None)).values(came=GAVE_UP)
        await self._writer.write(lambda connection: connection.execute(over))

    async def outcome(self, decision_id: str) -> Outcome | None:
        rows = await self._rows(sa.select(tables.outcome).where(tables.outcome.c.decision_id == decision_id))
        if not rows:
            return None
        amount = rows[0].realised_amount
        return Outcome(rows[0].realised_wait_min, None if amount is None else Decimal(amount))

    # --- forecasts ------------------------------------------------------------------------------------------------

    async def add_forecast(self, made: KeptForecast) -> None:
        """One that is kept of that origin stays as it is."""
        insert = self._insert_new(tables.forecast).values(made._asdict())
        await self._writer.write(lambda connection: connection.execute(insert))

    async def forecasts_from(self, origins_s: Sequence[float]) -> Mapping[float, bytes]:
        return await self._read(lambda connection: forecasts.find_forecasts(connection, origins_s))

    async def add_scores(self, hour_s: float, scores: Sequence[Score]) -> None:
        """Of an hour, once."""
        if rows := forecasts.score_rows(hour_s, scores):
            insert = self._insert_new(tables.forecast_score)
            await self._writer.write(lambda connection: connection.execute(insert, rows))

    async def forecast_drift(self, until: datetime) -> Drift:
        """Of zones, one hour ahead."""
        return await self._read(lambda connection: forecasts.find_drift(connection, until.timestamp()))

    async def last_scored_s(self) -> float | None:
        rows = await self._rows(sa.select(sa.func.max(tables.forecast_score.c.hour_s)))
        return None if rows[0][0] is None else float(rows[0][0])

    async def forget_forecasts(self, older_than: datetime, scores_older_than: datetime) -> int:
        """Delete forecasts and scores; returns how many."""
        before = older_than.timestamp(), scores_older_than.timestamp()
        return await self._writer.write(lambda connection: forecasts.forget(connection, *before))

    # --- reservations ---------------------------------------------------------------------------------------------

    async def next_reservation_id(self) -> int:
        """An id that no other reservation has or had."""
        insert = sa.insert(tables.reservation).values(state="planned").returning(tables.reservation.c.reservation_id)
        return await self._writer.write(lambda connection: connection.scalars(insert).one())

    async def put_reservation(self, reservation: Reservation) -> None:
        row = {
            "reservation_id": reservation.reservation_id,
            "state": str(reservation.state),
            "body": to_json(reservation),
        }
        await self._writer.write(lambda connection: connection.execute(self._replace(tables.reservation, row)))

    async def reservation(self, reservation_id: int) -> Reservation | None:
        return await self._one(Reservation, tables.reservation, reservation_id)

    async def reservations(self, active_only: bool = True) -> tuple[Reservation, ...]:
        table = tables.reservation
        query = sa.select(table.c.body).where(table.c.body.is_not(None)).order_by(table.c.reservation_id)
        if active_only:
            query = query.where(table.c.state == str(ReservationState.HELD))
        return await self._bodies(Reservation, query)

    # --- for rooms with tables of their own -------------------------------------------------------------------------

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do something in the next commit; what it returned, once that is durable."""
        return await self._writer.write(work)

    async def put(self, table: sa.Table, row: dict[str, Any]) -> None:
        """Insert a row, or overwrite the one with its key."""
        await self.put_all(table, [row])

    async def put_all(self, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        """The same for many, in one commit."""

        def work(connection: Connection) -> None:
            for row in rows:
                connection.execute(self._replace(table, row))

        await self._writer.write(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Look something up in a thread of the readers."""
        return await self._read(work)

    async def rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        return await self._rows(query)

    # --- small facts ----------------------------------------------------------------------------------------------

    async def get_meta(self, key: str) -> str | None:
        rows = await self._rows(sa.select(tables.meta.c.value).where(tables.meta.c.key == key))
        return rows[0][0] if rows else None

    async def set_meta(self, key: str, value: str) -> None:
        row = {"key": key, "value": value}
        await self._writer.write(lambda connection: connection.execute(self._replace(tables.meta, row)))

    # --- how ------------------------------------------------------------------------------------------------------

    def _insert_new(self, table: sa.Table) -> Any:
        """Insert rows, but those whose keys are there."""
        return self._upsert(table).on_conflict_do_nothing()

    def _replace(self, table: sa.Table, row: dict[str, Any], only_where: Any = None) -> Any:
        """Insert a row, or overwrite the one with its key."""
        keys = [column.name for column in table.primary_key]
        insert = self._upsert(table).values(row)
        changed = {name: insert.excluded[name] for name in row if name not in keys}
        return insert.on_conflict_do_update(index_elements=keys, set_=changed, where=only_where)

    async def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        return await self._read(lambda connection: connection.execute(query).all())

    async def _read(self, work: Callable[[Connection], T]) -> T:
        def read() -> T:
            with self._engine.connect() as connection:
                return work(connection)

        def read_through_a_cut() -> T:
            try:
                return read()
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return read()

        return await asyncio.get_running_loop().run_in_executor(self._readers, read_through_a_cut)

    async def _one(self, kind: type[T], table: sa.Table, key: object) -> T | None:
        (column,) = table.primary_key
        found = await self._bodies(kind, sa.select(table.c.body).where(column == key, table.c.body.is_not(None)))
        return found[0] if found else None

    async def _bodies(self, kind: type[T], query: sa.Select[Any]) -> tuple[T, ...]:
        return tuple(from_json(kind, body, f"stored {kind.__name__}") for (body,) in await self._rows(query))


def _json(event: Event) -> str:
    """As `to_json` writes it, but faster for the event that comes by far most often."""
    return msgspec.json.encode(event).decode() if isinstance(event, MeterSampled) else to_json(event, Event)


def _promise_row(promise: Promise) -> dict[str, Any]:
    return {
        "decision_id": promise.decision_id,
        "made_s": promise.made_at.timestamp(),
        "station_id": promise.station_id,
        "wait_min": promise.wait_min,
        "wait_p90_min": promise.wait_p90_min,
        "amount_cents": round(promise.amount * 100),
        "came": None,
    }
