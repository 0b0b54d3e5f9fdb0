"""What decisions were made from: stored with them, found again by them, and for a look at a database while a server runs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from chargeloop.loop import Packed
from chargeloop.model import BadInput, Decision, Unreachable
from chargeloop.model.validated import from_json
from chargeloop.persistence.engine import engine_for, is_sqlite
from chargeloop.persistence.tables import decision, given, outcome, shadow_price

T = TypeVar("T")


class Kept(NamedTuple):
    """A decision as it is stored, the bytes of what it was made from (see `loop.unpacked`), and what came of it."""

    decision: Decision
    given: bytes | None
    prices: bytes | None
    realised_wait_min: float | None
    realised_amount: str | None


def add_given(connection: Connection, packed: Sequence[Packed], insert_new: Callable[[sa.Table], Any]) -> dict[str, int]:
    """Store inputs; returns under which number those of each request are. `insert_new`: leaves alone what is there."""
    number_of: dict[str, int] = {}
    for each in packed:
        digest = None
        if each.prices is not None:
            digest, body = each.prices
            known = connection.scalar(sa.select(shadow_price.c.digest).where(shadow_price.c.digest == digest))
            if known is None:
                row = {"digest": digest, "at_s": each.at.timestamp(), "body": body}
                connection.execute(insert_new(shadow_price).values(row))
        row = {"at_s": each.at.timestamp(), "prices": digest, "body": each.body}
        number = connection.scalars(sa.insert(given).values(row).returning(given.c.given_id)).one()
        number_of.update(dict.fromkeys(each.request_ids, number))
    return number_of


def forget_given(connection: Connection, older_than_s: float) -> int:
    """Delete inputs, and the prices that only they name; returns how many. Their decisions stay, and can't be made again."""
    gone = connection.execute(sa.delete(given).where(given.c.at_s < older_than_s)).rowcount
    if gone:
        named = sa.select(given.c.prices).where(given.c.prices.is_not(None))
        old = shadow_price.c.at_s < older_than_s
        connection.execute(sa.delete(shadow_price).where(old, shadow_price.c.digest.not_in(named)))
    return gone


def find_kept_decision(connection: Connection, decision_id: str) -> Kept | None:
    joined = (
        decision.outerjoin(given, given.c.given_id == decision.c.given_id)
        .outerjoin(shadow_price, shadow_price.c.digest == given.c.prices)
        .outerjoin(outcome, outcome.c.decision_id == decision.c.decision_id)
    )
    query = sa.select(
        decision.c.body,
        given.c.body.label("given"),
        shadow_price.c.body.label("prices"),
        outcome.c.realised_wait_min,
        outcome.c.realised_amount,
    )
    row = connection.execute(query.select_from(joined).where(decision.c.decision_id == decision_id)).one_or_none()
    if row is None:
        return None
    return Kept(from_json(Decision, row[0], "stored decision"), *row[1:])


def find_newest(connection: Connection, limit: int) -> list[tuple[Decision, bool]]:
    """The newest decisions, and whether what they were made from is kept."""
    query = sa.select(decision.c.body, decision.c.given_id).order_by(decision.c.at_s.desc()).limit(limit)
    return [(from_json(Decision, body, "stored decision"), number is not None) for body, number in connection.execute(query)]


def look(where: str | Path, work: Callable[[Connection], T]) -> T:
    """Read from a database, also while a server uses it; nothing is written.

    Raises:
        BadInput: there is none, it is damaged, or of an older layout.
        Unreachable: it cannot be opened.
    """
    url = str(where) if "://" in str(where) else f"sqlite:///{where}"
    if is_sqlite(url) and not Path(url.removeprefix("sqlite:///")).is_file():
        raise BadInput(f"database {url.removeprefix('sqlite:///')}", "there is no such file")
    engine = engine_for(url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table(given.name):
                raise BadInput(
                    f"database {shown}", "is of an older version, or none of ours: `chargeloop serve` brings it up to date"
                )
            return work(connection)
    except (OperationalError, ProgrammingError) as error:
        raise Unreachable(f"database {shown}: {error.orig}") from None
    except DatabaseError as error:
        raise BadInput(f"database {shown}", f"is damaged or no database: {error.orig}") from None
    finally:
        engine.dispose()
