"""Chargers with their raw messages; transactions of any OCPP version."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "charger",
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("charger_id"),
    )
    op.create_table(
        "ocpp_frame",
        sa.Column("frame_id", KEY, autoincrement=False, nullable=False),
        sa.Column("at_s", sa.Float(), nullable=False),
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("is_outgoing", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("flag", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("frame_id"),
    )
    op.create_index("ocpp_frame_charger", "ocpp_frame", ["charger_id", "frame_id"], unique=False)
    _transactions()


def _transactions() -> None:
    """Numbers were keys before, and stay used; of what ran, the new ledger asks the charger again."""
    old = (
        op.get_bind()
        .execute(sa.text("SELECT transaction_id, evse_id, id_token, started_at, meter_wh FROM ocpp_transaction"))
        .all()
    )
    op.drop_table("ocpp_transaction")
    new = op.create_table(
        "ocpp_transaction",
        sa.Column("number", KEY, autoincrement=False, nullable=False),
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ocpp_transaction_charger", "ocpp_transaction", ["charger_id", "number"], unique=False)
    rows = [
        {
            "number": row.transaction_id,
            "charger_id": row.evse_id[:48],
            "is_open": False,
            "body": json.dumps(
                {
                    "number": row.transaction_id,
                    "wire_id": str(row.transaction_id),
                    "evse_id": row.evse_id,
                    "id_token": row.id_token,
                    "started_at": row.started_at,
                    "start_wh": row.meter_wh,
                    "meter_wh": row.meter_wh,
                    "at": row.started_at,
                    "heard_at": row.started_at,
                    "ended_at": row.started_at,
                }
            ),
        }
        for row in old
    ]
    if rows:
        op.bulk_insert(new, rows)
