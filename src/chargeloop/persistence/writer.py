"""One writer for all: whatever is pending is written in one transaction, and everybody is told once it is on disk."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")


@dataclass(slots=True)
class Job(Generic[T]):
    """`work` runs inside the transaction; `after`, in the event loop and in the order of commits, before the waiter wakes."""

    work: Callable[[Connection], T]
    after: Callable[[T], None] | None
    done: asyncio.Future[T]


class Writer:
    """Group commit. All methods run in one event loop, the writing itself in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pending: asyncio.Queue[Job[object] | None] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, "chargeloop-writer")
        self._task = asyncio.create_task(self._run())

    async def write(self, work: Callable[[Connection], T], after: Callable[[T], None] | None = None) -> T:
        """Returns what `work` returned, once that is durable. A caller who is cancelled is written all the same."""
        job: Job[T] = Job(work, after, asyncio.get_running_loop().create_future())
        self._pending.put_nowait(job)  # type: ignore[arg-type]
        return await asyncio.shield(job.done)

    async def close(self) -> None:
        """Write what is pending, then stop."""
        self._pending.put_nowait(None)
        await self._task
        self._thread.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
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
            if job is None:
                return

    def _commit(self, jobs: Sequence[Job[object]]) -> list[object]:
        """The outcome of each job: what it returned, or the exception that it raised."""
        try:
            with self._engine.begin() as connection:
                return [job.work(connection) for job in jobs]
        except Exception as error:
            if len(jobs) == 1:
                return [error]
            return [outcome for job in jobs for outcome in self._commit([job])]  # one bad job must not spoil the others


def _tell(job: Job[object], outcome: object) -> None:
    if isinstance(outcome, Exception):
        if not job.done.cancelled():
            job.done.set_exception(outcome)
        return
    if job.after is not None:
        job.after(outcome)
    if not job.done.cancelled():
        job.done.set_result(outcome)
