"""The first layout."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "cdr",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("ended_s", sa.Float(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("cdr_ended", "cdr", ["ended_s"], unique=False)
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.String(length=80), nullable=False),
        sa.Column("at_s", sa.Float(), nullable=False),
        sa.Column("station_id", sa.String(length=64), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index("decision_at", "decision", ["at_s"], unique=False)
    op.create_index("decision_station", "decision", ["station_id", "at_s"], unique=False)
    op.create_table(
        "event",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at_s", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index("event_kind", "event", ["kind", "event_id"], unique=False)
    op.create_table(
        "feed",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "ocpp_transaction",
        sa.Column("transaction_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("evse_id", sa.String(length=64), nullable=False),
        sa.Column("id_token", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.String(length=40), nullable=False),
        sa.Column("meter_wh", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id"),
        sa.UniqueConstraint("evse_id", "id_token", "started_at", "meter_wh"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reservation",
        sa.Column("reservation_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("reservation_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "session",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("station_id", sa.String(length=64), nullable=False),
        sa.Column("started_s", sa.Float(), nullable=False),
        sa.Column("ended_s", sa.Float(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("session_open", "session", ["ended_s", "started_s"], unique=False)
    op.create_index("session_station", "session", ["station_id", "started_s"], unique=False)
    op.create_table(
        "snapshot",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "outcome",
        sa.Column("decision_id", sa.String(length=80), nullable=False),
        sa.Column("realised_wait_min", sa.Float(), nullable=True),
        sa.Column("realised_amount", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decision.decision_id"],
        ),
        sa.PrimaryKeyConstraint("decision_id"),
    )
