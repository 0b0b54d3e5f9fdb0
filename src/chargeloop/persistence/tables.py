"""The tables. Events are the truth; the others are what is asked for often, written so that writing twice changes nothing."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()
Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only INTEGER keys by itself

event = Table(
    "event",
    metadata,
    Column("event_id", Key, primary_key=True, autoincrement=False),  # counted by the writer, never used again
    Column("at_s", Float, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Index("event_kind", "kind", "event_id"),
)
feed = Table(
    "feed",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
)
snapshot = Table(
    "snapshot",
    metadata,
    Column("event_id", Key, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)
ocpp_transaction = Table(
    "ocpp_transaction",
    metadata,
    Column("transaction_id", Integer, primary_key=True, autoincrement=True),
    Column("evse_id", String(64), nullable=False),
    Column("id_token", String(20), nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("meter_wh", Float, nullable=False),
    UniqueConstraint("evse_id", "id_token", "started_at", "meter_wh"),
    sqlite_autoincrement=True,
)
session = Table(
    "session",
    metadata,
    Column("session_id", String(64), primary_key=True),
    Column("station_id", String(64), nullable=False),
    Column("started_s", Float, nullable=False),
    Column("ended_s", Float),
    Column("body", Text, nullable=False),
    Index("session_station", "station_id", "started_s"),
    Index("session_open", "ended_s", "started_s"),
)
cdr = Table(
    "cdr",
    metadata,
    Column("session_id", String(64), primary_key=True),
    Column("ended_s", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("cdr_ended", "ended_s"),
)
decision = Table(
    "decision",
    metadata,
    Column("decision_id", String(80), primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("station_id", String(64)),
    Column("body", Text, nullable=False),
    Index("decision_at", "at_s"),
    Index("decision_station", "station_id", "at_s"),
)
outcome = Table(
    "outcome",
    metadata,
    Column("decision_id", ForeignKey("decision.decision_id"), primary_key=True),
    Column("realised_wait_min", Float),
    Column("realised_amount", String(40)),
)
reservation = Table(
    "reservation",
    metadata,
    Column("reservation_id", Integer, primary_key=True, autoincrement=True),
    Column("state", String(20), nullable=False),
    Column("body", Text),
    sqlite_autoincrement=True,
)
meta = Table("meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))
