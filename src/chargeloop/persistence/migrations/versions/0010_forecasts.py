"""Forecasts as they were made, and how good they were."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "forecast",
        sa.Column("origin_s", sa.Float(), nullable=False),
        sa.Column("made_s", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin_s"),
    )
    op.create_table(
        "forecast_score",
        sa.Column("hour_s", sa.Float(), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("horizon_h", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.Integer(), nullable=False),
        sa.Column("actual_kwh", sa.Float(), nullable=False),
        sa.Column("abs_kwh", sa.Float(), nullable=False),
        sa.Column("pinball_kwh", sa.Float(), nullable=False),
        sa.Column("covered", sa.Integer(), nullable=False),
        sa.Column("relative", sa.Float(), nullable=False),
        sa.Column("naive", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("hour_s", "level", "horizon_h"),
    )
