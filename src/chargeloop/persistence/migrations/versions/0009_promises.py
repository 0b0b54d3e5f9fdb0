"""What a decision was made from, so that it can be made again; what was promised, in columns, so that it can be counted."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
PAGE = 2000


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "shadow_price",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at_s", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "given",
        sa.Column("given_id", key, autoincrement=True, nullable=False),
        sa.Column("at_s", sa.Float(), nullable=False),
        sa.Column("prices", sa.String(length=64), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("given_id"),
    )
    op.create_index("given_at", "given", ["at_s"])
    op.add_column("decision", sa.Column("given_id", sa.BigInteger(), nullable=True))
    promise = op.create_table(
        "promise",
        sa.Column("decision_id", sa.String(length=80), nullable=False),
        sa.Column("made_s", sa.Float(), nullable=False),
        sa.Column("station_id", sa.String(length=64), nullable=False),
        sa.Column("wait_min", sa.Float(), nullable=False),
        sa.Column("wait_p90_min", sa.Float(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("came", sa.String(length=12), nullable=True),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index("promise_made", "promise", ["made_s", "station_id"])
    _promises_before(promise)


def _promises_before(promise: sa.Table) -> None:
    """Of the decisions there are. Those asked for by an app were promises only where a session came of them."""
    connection, after = op.get_bind(), ""
    query = sa.text(
        "SELECT d.decision_id AS decision_id, d.body AS body, o.decision_id AS ended FROM decision d"
        " LEFT JOIN outcome o ON o.decision_id = d.decision_id"
        " WHERE d.station_id IS NOT NULL AND d.decision_id > :after ORDER BY d.decision_id LIMIT :page"
    )
    while rows := connection.execute(query, {"after": after, "page": PAGE}).all():
        after = rows[-1].decision_id
        found = [_row(row.decision_id, json.loads(row.body), row.ended is not None) for row in rows]
        if made := [each for each in found if each["came"] is not None or not each["decision_id"].startswith("D-app-")]:
            op.bulk_insert(promise, made)


def _row(decision_id: str, decision: dict[str, Any], is_over: bool) -> dict[str, Any]:
    chosen = decision["chosen"]
    return {
        "decision_id": decision_id,
        "made_s": _epoch_s(decision["at"]),
        "station_id": chosen["station_id"],
        "wait_min": chosen["wait_min"],
        "wait_p90_min": chosen["wait_p90_min"],
        "amount_cents": round(float(chosen["amount"]) * 100),
        "came": "kept" if is_over else None,
    }


def _epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
