"""Other platforms: charges they started, messages that wait for them, what they told."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "partner_charge",
        sa.Column("seq", sa.String(length=64), nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("evse_id", sa.String(length=64), nullable=False),
        sa.Column("id_token", sa.String(length=255), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("asked_s", sa.Float(), nullable=False),
        sa.Column("session_id", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("partner_charge_state", "partner_charge", ["state", "asked_s"])
    op.create_table(
        "partner_outbox",
        sa.Column("number", key, autoincrement=True, nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("interface", sa.String(length=64), nullable=False),
        sa.Column("message_key", sa.String(length=128), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("partner_outbox_next", "partner_outbox", ["partner_id", "number"])
    op.create_table(
        "partner_object",
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "kind", "object_id"),
    )
