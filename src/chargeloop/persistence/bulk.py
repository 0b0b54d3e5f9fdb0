"""Many rows at once, past the parts of SQLAlchemy that look at each of them."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

ROWS = 100  # in one statement: SQLite gives up Python's lock with each, and must win it back from a busy event loop


class Bulk:
    """Insert of whole rows: tuples in the order of the table's columns."""

    def __init__(self, table: sa.Table, dialect: sa.Dialect) -> None:
        self._sql = str(sa.insert(table).compile(dialect=dialect))
        self._names = None if dialect.positional else [column.name for column in table.columns]
        self._head, _, self._row = self._sql.partition(" VALUES ")

    def __call__(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        if self._names is not None:
            if rows:
                connection.exec_driver_sql(self._sql, [dict(zip(self._names, row, strict=True)) for row in rows])
            return
        for first in range(0, len(rows), ROWS):
            some = rows[first : first + ROWS]
            sql = f"{self._head} VALUES {', '.join([self._row] * len(some))}"
            connection.exec_driver_sql(sql, tuple(chain.from_iterable(some)))
