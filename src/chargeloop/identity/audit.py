"""The record of who did what: every command to a charger, every change of accounts, tokens and chargers."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from chargeloop.persistence import Store, tables


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    audit_id: int
    at: datetime
    account: str
    charger_id: str | None
    action: str
    payload: Any
    outcome: str


class Audit:
    """Written before the deed with the outcome open, and once more when it is known: what crashes in between is seen too."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, account: str, action: str, payload: Any, now: datetime, charger_id: str | None = None) -> int:
        """Write down what is about to be done; the entry's number. `payload` must hold no secret."""
        row = {
            "at_s": now.timestamp(),
            "account": account,
            "charger_id": charger_id,
            "action": action,
            "payload": json.dumps(payload, default=str),
            "outcome": "",
        }

        def work(connection: Connection) -> int:
            return int(connection.scalars(sa.insert(tables.audit).returning(tables.audit.c.audit_id), row).one())

        return await self._store.write(work)

    async def end(self, audit_id: int, outcome: str) -> None:
        query = sa.update(tables.audit).where(tables.audit.c.audit_id == audit_id).values(outcome=outcome)
        await self._store.write(lambda connection: connection.execute(query))

    async def entries(
        self, charger_id: str | None = None, account: str | None = None, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """The newest first."""
        table = tables.audit
        query = sa.select(table).order_by(table.c.audit_id.desc()).limit(limit)
        if charger_id is not None:
            query = query.where(table.c.charger_id == charger_id)
        if account is not None:
            query = query.where(table.c.account == account)
        return tuple(
            AuditEntry(
                audit_id=row.audit_id,
                at=datetime.fromtimestamp(row.at_s, UTC),
                account=row.account,
                charger_id=row.charger_id,
                action=row.action,
                payload=json.loads(row.payload),
                outcome=row.outcome,
            )
            for row in await self._store.rows(query)
        )
