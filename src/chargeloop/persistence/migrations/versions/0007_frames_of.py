"""A charger's messages are found by a table of their own, which is filled many rows at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "ocpp_frame_of",
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("frame_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("charger_id", "frame_id"),
        sqlite_with_rowid=False,
    )
    op.drop_index("ocpp_frame_charger", "ocpp_frame")
    op.drop_index("event_kind", "event")  # nothing is looked for by it any more
    op.execute("INSERT INTO ocpp_frame_of SELECT charger_id, frame_id FROM ocpp_frame ORDER BY charger_id, frame_id")
    op.execute("INSERT INTO meta SELECT 'frames_indexed', CAST(COALESCE(MAX(frame_id), 0) AS VARCHAR) FROM ocpp_frame")
