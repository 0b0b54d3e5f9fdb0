"""What is asked and answered later, what was answered already, and reservations of others: kept over a restart."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection

from chargeloop.model.validated import from_json, to_json
from chargeloop.persistence import Store, tables
from chargeloop.protocols.ocpi import Party, decode, encode

KEPT = timedelta(days=7)  # calls and answers


class Call(NamedTuple):
    """Asked of a partner. `kind`: a command, or what is done with a charging profile.

    `relay_to`, `relay_url`: a hub asked for somebody else, who wants to hear the answer there. `sender`, `to`: for whom and of
    whom it was asked. `result`: JSON of the answer.
    """

    call_id: str
    kind: str
    peer_id: str
    relay_to: str | None = None
    relay_url: str | None = None
    sender: Party | None = None
    to: Party | None = None
    result: str | None = None


class Reservation(NamedTuple):
    """Of a partner's party; `number` is unlike that of any other."""

    number: int
    owner: str
    reservation_id: str
    location_id: str
    peer_id: str
    response_url: str


class Calls:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._answering: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._waiting: dict[str, asyncio.Future[Any]] = {}

    # --- what we ask ------------------------------------------------------------------------------------------------

    async def begin(self, kind: str, peer_id: str, at: datetime, **more: Any) -> Call:
        call = Call(call_id=str(uuid4()), kind=kind, peer_id=peer_id, **more)
        await self._put(call, at)
        return call

    async def find(self, call_id: str) -> Call | None:
        table = tables.ocpi_call
        rows = await self._store.rows(sa.select(table.c.body).where(table.c.call_id == call_id))
        return from_json(Call, rows[0].body, "stored call") if rows else None

    async def finish(self, call: Call, result: Any, at: datetime) -> None:
        """Keep the newest answer: after a reservation another one may come, that it is cancelled."""
        await self._put(call._replace(result=encode(result).decode()), at)
        waiting = self._waiting.pop(call.call_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(result)

    async def result(self, call: Call, timeout_s: float) -> Any:
        """The answer, once it is there.

        Raises:
            TimeoutError: it does not come in time; it may be taken as never delivered.
        """
        waiting = self._waiting.setdefault(call.call_id, asyncio.get_running_loop().create_future())
        found = await self.find(call.call_id)
        if found is not None and found.result is not None:
            self._waiting.pop(call.call_id, None)
            return decode(found.result)
        return await asyncio.wait_for(asyncio.shield(waiting), timeout_s)

    async def _put(self, call: Call, at: datetime) -> None:
        row = {"call_id": call.call_id, "at_s": at.timestamp(), "body": to_json(call)}
        await self._store.put(tables.ocpi_call, row)

    # --- what we answer ---------------------------------------------------------------------------------------------

    async def once(
        self, of: tuple[str, ...], body: bytes, at: datetime, work: Callable[[], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Do something once, however often it is asked for with the same request; later ones get the first one's answer."""
        digest = hashlib.sha256("\n".join(of).encode() + b"\n" + body).hexdigest()
        if digest in self._answering:
            return await asyncio.shield(self._answering[digest])
        done = self._answering[digest] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda future: future.cancelled() or future.exception())  # nobody has to wait for it
        try:
            table = tables.ocpi_answer
            rows = await self._store.rows(sa.select(table.c.body).where(table.c.digest == digest))
            if rows:
                answer: dict[str, Any] = decode(rows[0].body)
            else:
                answer = await work()
                row = {"digest": digest, "at_s": at.timestamp(), "body": encode(answer).decode()}
                await self._store.put(table, row)
            done.set_result(answer)
            return answer
        except BaseException as error:
            done.set_exception(error if isinstance(error, Exception) else RuntimeError("cut off"))
            raise
        finally:
            del self._answering[digest]

    async def forget(self, now: datetime) -> None:
        """Calls and answers that nobody will ask for any more."""
        limit = (now - KEPT).timestamp()

        def work(connection: Connection) -> None:
            for table in (tables.ocpi_answer, tables.ocpi_call):
                connection.execute(sa.delete(table).where(table.c.at_s < limit))

        await self._store.write(work)

    # --- reservations -----------------------------------------------------------------------------------------------

    async def reserve(
        self, owner: Party, reservation_id: str, location_id: str, peer_id: str, response_url: str
    ) -> Reservation:
        """The same id at the same location replaces the reservation, and has its number."""
        table = tables.ocpi_reservation
        key = {"owner": str(owner.key), "reservation_id": reservation_id.casefold(), "location_id": location_id.casefold()}
        values = {"peer_id": peer_id, "response_url": response_url}
        matches = sa.and_(*(table.c[name] == value for name, value in key.items()))

        def work(connection: Connection) -> Reservation:
            if not connection.execute(sa.update(table).where(matches).values(**values)).rowcount:
                connection.execute(sa.insert(table).values(**key, **values))
            return _reservation(connection.execute(sa.select(table).where(matches)).one())

        return await self._store.write(work)

    async def reservations(self, owner: Party, reservation_id: str) -> list[Reservation]:
        """Those of a party with an id; there may be one at each location."""
        c = tables.ocpi_reservation.c
        query = sa.select(tables.ocpi_reservation)
        query = query.where(c.owner == str(owner.key), c.reservation_id == reservation_id.casefold())
        return [_reservation(row) for row in await self._store.rows(query)]

    async def reservation(self, number: int) -> Reservation | None:
        query = sa.select(tables.ocpi_reservation).where(tables.ocpi_reservation.c.number == number)
        rows = await self._store.rows(query)
        return _reservation(rows[0]) if rows else None


def _reservation(row: sa.Row[Any]) -> Reservation:
    return Reservation(**row._mapping)
