"""One writer for all: whatever is pending is written in one transaction, and everybody is told once it is on disk."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import uuid4

import structlog
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import DBAPIError

from chargeloop.model import Unreachable
from chargeloop.persistence.engine import MARK, Claim
from chargeloop.persistence.tables import meta

T = TypeVar("T")
RECONNECT_S = 10.0  # how long writes wait for a database that is gone before they fail
PAUSE_S = 0.2
log = structlog.get_logger()


@dataclass(slots=True)
class Job(Generic[T]):
    """`work` runs inside the transaction; `after`, in the event loop and in the order of commits, before the waiter wakes."""

    work: Callable[[Connection], T]
    after: Callable[[T], None] | None
    done: asyncio.Future[T]


class Writer:
    """Group commit. All methods run in one event loop, the writing itself in a thread of its own.

    Where the database cuts the connection, what was not committed is written again on the next one: `work` may run twice.
    """

    def __init__(self, claim: Claim, on_lost: Callable[[Unreachable], None]) -> None:
        self._claim, self._on_lost = claim, on_lost
        self._pending: asyncio.Queue[Job[object] | None] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, "chargeloop-writer")
        self._task = asyncio.create_task(self._run())

    async def write(self, work: Callable[[Connection], T], after: Callable[[T], None] | None = None) -> T:
        """Returns what `work` returned, once that is durable. A caller who is cancelled is written all the same.

        Raises:
            Unreachable: the database is gone, or another server has it; nothing was written.
        """
        job: Job[T] = Job(work, after, asyncio.get_running_loop().create_future())
        self._pending.put_nowait(job)  # type: ignore[arg-type]
        return await asyncio.shield(job.done)

    async def close(self) -> None:
        """Write what is pending, then stop."""
        self._pending.put_nowait(None)
        await self._task
        self._thread.shutdown()

    async def _run(self) -> None:
        loop, is_lost = asyncio.get_running_loop(), False
        while True:
            jobs: list[Job[object]] = []
            job = await self._pending.get()
            while job is not None:
                jobs.append(job)
                if self._pending.empty():
                    break
                job = self._pending.get_nowait()
            if jobs:
                for each, outcome in zip(jobs, await loop.run_in_executor(self._thread, self._commit, jobs), strict=True):
                    _tell(each, outcome)
                if self._claim.lost is not None and not is_lost:
                    is_lost = True
                    self._on_lost(self._claim.lost)
            if job is None:
                return

    def _commit(self, jobs: Sequence[Job[object]]) -> list[object]:
        """The outcome of each job: what it returned, or the exception that it raised."""
        try:
            return self._through_cuts(jobs)
        except Unreachable as error:
            return [error] * len(jobs)
        except Exception as error:
            if len(jobs) == 1:
                return [error]
            return [outcome for job in jobs for outcome in self._commit([job])]  # one bad job must not spoil the others

    def _through_cuts(self, jobs: Sequence[Job[object]]) -> list[object]:
        give_up = time.monotonic() + RECONNECT_S
        while True:
            try:
                return self._once(jobs)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                log.warning("the database has cut the connection", why=str(error.orig))
                failure = Unreachable(f"database: {error.orig}")
            except Unreachable as error:
                failure = error
            if self._claim.lost is not None or time.monotonic() > give_up:
                raise failure
            time.sleep(PAUSE_S)

    def _once(self, jobs: Sequence[Job[object]]) -> list[object]:
        connection = self._claim.connection()
        mark, outcomes = "", list[object]()
        try:
            with connection.begin():
                outcomes = [job.work(connection) for job in jobs]
                if connection.dialect.name != "sqlite":  # which has no connection to cut
                    mark = uuid4().hex
                    connection.execute(_MARK, {"mark": mark})
        except DBAPIError as error:
            if error.connection_invalidated and mark and self._was_committed(mark):
                return outcomes  # cut after the commit, before we were told of it
            raise
        return outcomes

    def _was_committed(self, mark: str) -> bool:
        """Whether the transaction that was to leave a mark did.

        Raises:
            Unreachable: the database cannot be asked in time.
        """
        give_up = time.monotonic() + RECONNECT_S
        while True:
            try:
                connection = self._claim.connection()  # has the lock, so what was cut is over
                with connection.begin():
                    return bool(connection.scalar(_MARKED) == mark)
            except (DBAPIError, Unreachable) as error:
                if self._claim.lost is not None or time.monotonic() > give_up:
                    raise Unreachable(f"database: gone in the middle of a commit: {error}") from None
            time.sleep(PAUSE_S)


# PostgreSQL's own numbers of transactions would do, were they not given anew after a crash.
_MARK = update(meta).where(meta.c.key == MARK).values(value=bindparam("mark"))
_MARKED = select(meta.c.value).where(meta.c.key == MARK)


def _tell(job: Job[object], outcome: object) -> None:
    if isinstance(outcome, Exception):
        if not job.done.cancelled():
            job.done.set_exception(outcome)
        return
    if job.after is not None:
        job.after(outcome)
    if not job.done.cancelled():
        job.done.set_result(outcome)
