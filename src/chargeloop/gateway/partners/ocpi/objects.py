"""What partners have sent: kept as it came, changed only by who owns it, given out in the order in which it came."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from chargeloop.persistence import Store, tables
from chargeloop.protocols.ocpi import Page, Party, Window, decode, encode, read_time, write_time

Data = dict[str, Any]
_table = tables.ocpi_object
_c = _table.c


class Id(NamedTuple):
    """Of an object: `key` is its id, and of a token its type too."""

    module: str
    owner: Party
    key: str

    def where(self) -> sa.ColumnElement[bool]:
        return sa.and_(_c.module == self.module, _c.owner == str(self.owner.key), _c.key == self.key.casefold())


class Change(NamedTuple):
    """`before` None: it was not there."""

    before: Data | None
    after: Data

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def is_change(self) -> bool:
        return self.before != self.after


class Objects:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, which: Id) -> Data | None:
        rows = await self._store.rows(sa.select(_c.body).where(which.where()))
        return decode(rows[0].body) if rows else None

    async def change(self, which: Id, peer_id: str, change: Callable[[Data | None], Data]) -> Change:
        """Store what `change` makes of what is stored. It is called in a transaction, perhaps twice, and may raise Refused."""

        def work(connection: Connection) -> Change:
            row = connection.execute(sa.select(_c.number, _c.body).where(which.where())).one_or_none()
            before = None if row is None else decode(row.body)
            after = change(before)
            values = {"body": encode(after).decode(), "updated_s": read_time(after["last_updated"]).timestamp()}
            if row is not None and before != after:
                connection.execute(sa.update(_table).where(_c.number == row.number).values(**values))
            elif row is None:
                key = {"module": which.module, "owner": str(which.owner.key), "key": which.key.casefold()}
                connection.execute(sa.insert(_table).values(**key, **values, peer_id=peer_id))
            return Change(before, after)

        return await self._store.write(work)

    async def remove(self, which: Id) -> bool:
        """Whether it was there."""
        gone = sa.delete(_table).where(which.where())
        return bool(await self._store.write(lambda connection: connection.execute(gone).rowcount))

    async def all(self, module: str, peer_id: str | None = None) -> list[Data]:
        query = sa.select(_c.body).where(_c.module == module).order_by(_c.number)
        if peer_id is not None:
            query = query.where(_c.peer_id == peer_id)
        return [decode(row.body) for row in await self._store.rows(query)]

    async def page(self, module: str, window: Window) -> Page[Data]:
        """`window.limit` is set."""
        matching = [_c.module == module]
        matching += [_c.updated_s >= window.date_from.timestamp()] if window.date_from else []
        matching += [_c.updated_s < window.date_to.timestamp()] if window.date_to else []
        query = sa.select(_c.body).where(*matching).order_by(_c.number).offset(window.offset).limit(window.limit)
        count = sa.select(sa.func.count()).select_from(_table).where(*matching)

        def work(connection: Connection) -> Page[Data]:
            rows = connection.execute(query).all()
            return Page([decode(row.body) for row in rows], connection.scalar(count) or 0)

        return await self._store.read(work)

    async def keys(self, module: str, peer_id: str) -> list[Id]:
        query = sa.select(_c.owner, _c.key).where(_c.module == module, _c.peer_id == peer_id)
        return [Id(module, Party(*row.owner.split("*", 1)), row.key) for row in await self._store.rows(query)]

    async def owners(self, module: str, key: str) -> list[Party]:
        """Whose objects have that key."""
        query = sa.select(_c.owner).where(_c.module == module, _c.key == key.casefold()).order_by(_c.number)
        return [Party(*row.owner.split("*", 1)) for row in await self._store.rows(query)]

    # --- how far we have pulled -------------------------------------------------------------------------------------

    async def seen(self, peer_id: str, module: str) -> datetime | None:
        """The newest `last_updated` of what was pulled; None before the first pull."""
        mark = tables.ocpi_mark.c
        rows = await self._store.rows(sa.select(mark.seen).where(mark.peer_id == peer_id, mark.module == module))
        return read_time(rows[0].seen) if rows else None

    async def set_seen(self, peer_id: str, module: str, at: datetime) -> None:
        row = {"peer_id": peer_id, "module": module, "seen": write_time(at.astimezone(UTC))}
        await self._store.put(tables.ocpi_mark, row)
