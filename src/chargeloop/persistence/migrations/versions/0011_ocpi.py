"""Partners by OCPI: who they are, what they have sent, how far we have pulled, and what was asked both ways."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "ocpi_peer",
        sa.Column("peer_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("peer_id"),
    )
    op.create_table(
        "ocpi_object",
        sa.Column("number", key, autoincrement=True, nullable=False),
        sa.Column("module", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("peer_id", sa.String(length=64), nullable=False),
        sa.Column("updated_s", sa.Float(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ocpi_object_key", "ocpi_object", ["module", "owner", "key"], unique=True)
    op.create_table(
        "ocpi_mark",
        sa.Column("peer_id", sa.String(length=64), nullable=False),
        sa.Column("module", sa.String(length=32), nullable=False),
        sa.Column("seen", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("peer_id", "module"),
    )
    op.create_table(
        "ocpi_call",
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("at_s", sa.Float(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_table(
        "ocpi_answer",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at_s", sa.Float(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "ocpi_reservation",
        sa.Column("number", key, autoincrement=True, nullable=False),
        sa.Column("owner", sa.String(length=8), nullable=False),
        sa.Column("reservation_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("peer_id", sa.String(length=64), nullable=False),
        sa.Column("response_url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ocpi_reservation_key", "ocpi_reservation", ["owner", "reservation_id", "location_id"], unique=True)
