"""Many rows at once, past the parts of SQLAlchemy that look at each of them."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection


class Bulk:
    """Insert of whole rows: tuples in the order of the table's columns."""

    def __init__(self, table: sa.Table, dialect: sa.Dialect) -> None:
        self._sql = str(sa.insert(table).compile(dialect=dialect))
        self._names = None if dialect.positional else [column.name for column in table.columns]

    def __call__(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        if self._names is None:
            connection.exec_driver_sql(self._sql, list(rows))
        else:
            connection.exec_driver_sql(self._sql, [dict(zip(self._names, row, strict=True)) for row in rows])
