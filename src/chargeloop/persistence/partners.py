"""Between us and other platforms: charges that one started at the other, messages that wait, and what was told.

A message that has a key takes the place of an older one with the same key that waits still: of a status only the newest counts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from chargeloop.persistence.store import Store
from chargeloop.persistence.tables import partner_charge, partner_object, partner_outbox


@dataclass(frozen=True, slots=True)
class PartnerCharge:
    """A charge that a partner asked for. `seq`: the partner's name of it. `state`: of `StartChargeSeqStat`."""

    seq: str
    partner_id: str
    evse_id: str
    id_token: str
    state: int
    asked_at: datetime
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the outbox. `tried`: how often it went out and was not taken."""

    number: int
    partner_id: str
    interface: str
    body: dict[str, Any]
    tried: int


class PartnerBook:
    """Charges, outbox and objects of partners, in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def open_charge(self, charge: PartnerCharge) -> PartnerCharge:
        """Write it down, or return the one that has its number already: a request that comes twice starts nothing twice."""

        def work(connection: Connection) -> PartnerCharge:
            row = connection.execute(sa.select(partner_charge).where(partner_charge.c.seq == charge.seq)).one_or_none()
            if row is None:
                connection.execute(sa.insert(partner_charge).values(_row(charge)))
            return charge if row is None else _charge(row)

        return await self._store.write(work)

    async def move(self, charge: PartnerCharge, messages: Sequence[tuple[str, dict[str, Any]]] = ()) -> None:
        """A charge in its new state and what its partner is to be told of it, in one commit."""

        def work(connection: Connection) -> None:
            connection.execute(sa.update(partner_charge).where(partner_charge.c.seq == charge.seq).values(_row(charge)))
            for interface, body in messages:
                _post(connection, charge.partner_id, interface, body, None)

        await self._store.write(work)

    async def charge(self, seq: str) -> PartnerCharge | None:
        rows = await self._store.rows(sa.select(partner_charge).where(partner_charge.c.seq == seq))
        return _charge(rows[0]) if rows else None

    async def charges(self, partner_id: str, states: Sequence[int]) -> tuple[PartnerCharge, ...]:
        """A partner's charges in one of the states, the oldest first."""
        of = partner_charge.c
        query = sa.select(partner_charge).where(of.partner_id == partner_id, of.state.in_(states)).order_by(of.asked_s)
        return tuple(_charge(row) for row in await self._store.rows(query))

    async def post(self, partner_id: str, interface: str, body: dict[str, Any], key: str | None = None) -> None:
        await self._store.write(lambda connection: _post(connection, partner_id, interface, body, key))

    async def waiting(self, partner_id: str, limit: int = 50) -> tuple[Waiting, ...]:
        """What a partner is still to be told, the oldest first."""
        box = partner_outbox.c
        query = sa.select(partner_outbox).where(box.partner_id == partner_id, box.refused.is_(None))
        rows = await self._store.rows(query.order_by(box.number).limit(limit))
        return tuple(Waiting(row.number, row.partner_id, row.interface, json.loads(row.body), row.tried) for row in rows)

    async def told(self, number: int) -> None:
        await self._store.write(lambda c: c.execute(sa.delete(partner_outbox).where(partner_outbox.c.number == number)))

    async def not_told(self, number: int, refused: str | None = None) -> None:
        """It did not arrive; or it was refused for good, and is kept with the reason for someone to look at."""
        box = partner_outbox.c
        values = {"tried": box.tried + 1, "refused": refused}
        await self._store.write(lambda c: c.execute(sa.update(partner_outbox).where(box.number == number).values(values)))

    async def refused(self, partner_id: str) -> tuple[tuple[str, str], ...]:
        """Interface and reason of messages that a partner refused."""
        box = partner_outbox.c
        query = sa.select(box.interface, box.refused).where(box.partner_id == partner_id, box.refused.is_not(None))
        return tuple((row.interface, row.refused) for row in await self._store.rows(query.order_by(box.number)))

    async def keep(self, partner_id: str, kind: str, bodies: Mapping[str, dict[str, Any]]) -> None:
        """Store what a partner told, by key, in the place of what stood there."""
        rows = [
            {
                "partner_id": partner_id,
                "kind": kind,
                "object_id": key,
                "body": json.dumps(body, ensure_ascii=False, default=str),
            }
            for key, body in bodies.items()
        ]
        await self._store.put_all(partner_object, rows)

    async def kept_one(self, partner_id: str, kind: str, key: str) -> dict[str, Any] | None:
        there = partner_object.c
        query = sa.select(there.body).where(there.partner_id == partner_id, there.kind == kind, there.object_id == key)
        rows = await self._store.rows(query)
        return json.loads(rows[0].body) if rows else None

    async def kept(self, partner_id: str, kind: str) -> dict[str, dict[str, Any]]:
        """By key."""
        there = partner_object.c
        query = sa.select(there.object_id, there.body).where(there.partner_id == partner_id, there.kind == kind)
        return {row.object_id: json.loads(row.body) for row in await self._store.rows(query.order_by(there.object_id))}


def _post(connection: Connection, partner_id: str, interface: str, body: dict[str, Any], key: str | None) -> None:
    box = partner_outbox.c
    if key is not None:
        same = sa.and_(box.partner_id == partner_id, box.message_key == key, box.refused.is_(None))
        connection.execute(sa.delete(partner_outbox).where(same))
    text = json.dumps(body, ensure_ascii=False, default=str)
    row = {"partner_id": partner_id, "interface": interface, "message_key": key, "body": text, "tried": 0}
    connection.execute(sa.insert(partner_outbox).values(row))


def _row(charge: PartnerCharge) -> dict[str, Any]:
    return {
        "seq": charge.seq,
        "partner_id": charge.partner_id,
        "evse_id": charge.evse_id,
        "id_token": charge.id_token,
        "state": charge.state,
        "asked_s": charge.asked_at.timestamp(),
        "session_id": charge.session_id,
    }


def _charge(row: Any) -> PartnerCharge:
    asked_at = datetime.fromtimestamp(row.asked_s, UTC)
    return PartnerCharge(row.seq, row.partner_id, row.evse_id, row.id_token, row.state, asked_at, row.session_id)
