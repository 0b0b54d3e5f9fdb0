"""What a charger told last of its firmware, logs, alarms and events, and the dynamic limits that it was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "charger_memory",
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("notices", sa.Text(), nullable=False),
        sa.Column("dynamic", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("charger_id"),
    )
