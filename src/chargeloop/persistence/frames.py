"""Raw messages, found again: by charger, action and text, the newest first; and forgotten when they are old."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from chargeloop.persistence.tables import FRAMES_INDEXED, meta, ocpp_frame, ocpp_frame_of

FORGET_PAGE = 50_000  # rows deleted in one commit
# The newest frame that `ocpp_frame_of` knows.
indexed_to = sa.select(sa.cast(meta.c.value, sa.BigInteger)).where(meta.c.key == FRAMES_INDEXED).scalar_subquery()


def find_frames(
    connection: Connection, charger_id: str | None, limit: int, before: int | None, action: str, text: str
) -> Sequence[sa.Row[Any]]:
    """Rows of `ocpp_frame`; `text` is looked for in calls, answers and flags."""
    frame, of = ocpp_frame.c, ocpp_frame_of.c
    query = sa.select(ocpp_frame).order_by(frame.frame_id.desc())
    if before is not None:
        query = query.where(frame.frame_id < before)
    if action:
        query = query.where(frame.action == action)
    if text:
        query = query.where(sa.or_(*(each.contains(text, autoescape=True) for each in (frame.body, frame.answer, frame.flag))))
    if charger_id is None:
        return connection.execute(query.limit(limit)).all()
    indexed = connection.scalar(sa.select(indexed_to)) or 0
    newest = query.where(frame.charger_id == charger_id, frame.frame_id > indexed).limit(limit)
    found = list(connection.execute(newest))
    if len(found) < limit:
        older = query.join(ocpp_frame_of, of.frame_id == frame.frame_id)
        older = older.where(of.charger_id == charger_id, of.frame_id <= indexed)
        found += connection.execute(older.limit(limit - len(found)))
    return found


def index_frames(connection: Connection, newest: int) -> None:
    """Have frames found by charger up to that one. What a failed commit leaves out comes with the next."""
    frame = ocpp_frame.c
    missing = sa.select(frame.charger_id, frame.frame_id).where(frame.frame_id > indexed_to, frame.frame_id <= newest)
    ordered = missing.order_by(frame.charger_id, frame.frame_id)
    connection.execute(sa.insert(ocpp_frame_of).from_select(["charger_id", "frame_id"], ordered))
    connection.execute(sa.update(meta).where(meta.c.key == FRAMES_INDEXED).values(value=str(newest)))


def forget_frames(connection: Connection, older_than_s: float) -> int:
    """Delete a page of those that are older; returns how many."""
    frame, of = ocpp_frame.c, ocpp_frame_of.c
    oldest = sa.select(frame.frame_id, frame.at_s).order_by(frame.frame_id).limit(FORGET_PAGE)
    gone = [row.frame_id for row in connection.execute(oldest) if row.at_s < older_than_s]
    if gone:
        is_old = (frame.frame_id <= gone[-1]) & (frame.at_s < older_than_s)
        known = sa.select(frame.charger_id, frame.frame_id).where(is_old)
        connection.execute(sa.delete(ocpp_frame_of).where(sa.tuple_(of.charger_id, of.frame_id).in_(known)))
        connection.execute(sa.delete(ocpp_frame).where(is_old))
    return len(gone)
