"""Signed meter values of a charger: checked beside its other messages, kept with their session for ever."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import sqlalchemy as sa

from chargeloop.model import BadInput
from chargeloop.persistence import Registration, SignedRow, Store, tables
from chargeloop.protocols.ocpp import SignatureCheck, SignedValue, Transaction, check_signature, number_of, public_key

Checked = tuple[SignedValue, SignatureCheck]


async def check_all(values: Sequence[SignedValue], known_key: str) -> tuple[Checked, ...]:
    """Each with its verdict; in a thread, for the first one loads what checks them."""
    return await asyncio.to_thread(lambda: tuple((each, check_signature(each, known_key)) for each in values))


def rows_of(charger_id: str, transaction: Transaction, checked: Sequence[Checked]) -> list[SignedRow]:
    """What is stored of values that a transaction's message held; one told twice has the same key."""
    return [
        SignedRow(
            transaction.number,
            hashlib.sha256(value.raw.encode()).hexdigest(),
            charger_id,
            transaction.evse_id,
            value.at.timestamp(),
            value.context,
            value.encoding,
            value.raw.replace("\x00", "�"),
            value.public_key,
            check.verdict,
            check.why,
        )
        for value, check in checked
    ]


def meter_key(registration: Registration, evse_id: str) -> str:
    """The public key that is known of an EVSE's meter; empty where none is."""
    known = dict(zip(registration.evse_ids, registration.meter_keys, strict=False))
    return known.get(evse_id, "")


def checked_keys(registration: Registration, keys: Sequence[str]) -> tuple[str, ...]:
    """Public keys of a charger's meters, connector by connector, as DER in hex; empty where none is known.

    Raises:
        BadInput: there are more than connectors, or one is no public key.
    """
    if len(keys) > len(registration.evse_ids):
        raise BadInput("meter_keys", f"the charger has {len(registration.evse_ids)} connectors, got {len(keys)} keys")
    return tuple(public_key(each) if each else "" for each in keys)


def told_keys(registration: Registration, told: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """The keys that are known, with those that the charger told where none was; what is no key is passed over."""
    keys = [meter_key(registration, evse_id) for evse_id in registration.evse_ids]
    for connector, text in told:
        with suppress(BadInput):
            if 0 < connector <= len(keys) and not keys[connector - 1]:
                keys[connector - 1] = public_key(text)
    return tuple(keys) if any(keys) else registration.meter_keys


async def signed_of(store: Store, session_id: str) -> tuple[SignedRow, ...]:
    """Those of a session, in order of time."""
    number = number_of(session_id)
    if number is None:
        return ()  # of a feed: its meter values are not signed
    table = tables.signed_value
    query = sa.select(table).where(table.c.number == number).order_by(table.c.at_s, table.c.digest)
    return tuple(SignedRow._make(row) for row in await store.rows(query))


async def recheck(store: Store, registration: Registration) -> int:
    """Check again what had no key, or did not fit it, once other keys are known; returns how many got another verdict."""
    table = tables.signed_value
    is_open = table.c.verdict.in_(("no_key", "not_verified"))
    query = sa.select(table).where(table.c.charger_id == registration.charger_id, is_open)
    rows = [SignedRow._make(row) for row in await store.rows(query)]
    changed = []
    for row in rows:
        value = SignedValue(datetime.fromtimestamp(row.at_s, UTC), row.raw, row.encoding, row.public_key, row.context)
        ((_, check),) = await check_all([value], meter_key(registration, row.evse_id))
        if check.verdict != row.verdict:
            key = {"b_number": row.number, "b_digest": row.digest}
            changed.append({"new_verdict": check.verdict, "new_why": check.why, **key})
    if changed:
        update = (
            sa.update(table)
            .where(table.c.number == sa.bindparam("b_number"), table.c.digest == sa.bindparam("b_digest"))
            .values(verdict=sa.bindparam("new_verdict"), why=sa.bindparam("new_why"))
        )
        await store.write(lambda connection: connection.execute(update, changed))
    return len(changed)
