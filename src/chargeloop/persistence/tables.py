"""The tables. Events are the truth; the others are what is asked for often, written so that writing twice changes nothing."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()
Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only INTEGER keys by itself

event = Table(
    "event",
    metadata,
    Column("event_id", Key, primary_key=True, autoincrement=False),  # counted by the writer, never used again
    Column("at_s", Float, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("body", Text, nullable=False),
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
charger = Table(
    "charger",
    metadata,
    Column("charger_id", String(48), primary_key=True),
    Column("body", Text, nullable=False),
)
# One row holds a call and its answer; numbers rise with time, so old rows are found without an index on time.
ocpp_frame = Table(
    "ocpp_frame",
    metadata,
    Column("frame_id", Key, primary_key=True, autoincrement=False),
    Column("at_s", Float, nullable=False),
    Column("charger_id", String(48), nullable=False),
    Column("is_outgoing", Boolean, nullable=False),
    Column("action", String(64), nullable=False),
    Column("message_id", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("answer", Text),
    Column("flag", Text),
)
# Finds a charger's frames, up to the one that `meta` names. An index would be written to with each commit, at as many places as
# there are chargers with each commit; here thousands of rows are added at a time, in order.
FRAMES_INDEXED = "frames_indexed"
ocpp_frame_of = Table(
    "ocpp_frame_of",
    metadata,
    Column("charger_id", String(48), primary_key=True),
    Column("frame_id", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
ocpp_transaction = Table(
    "ocpp_transaction",
    metadata,
    Column("number", Key, primary_key=True, autoincrement=False),  # never used again
    Column("charger_id", String(48), nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Index("ocpp_transaction_charger", "charger_id", "number"),
)
# What a charger says of its settings. `of`: the version and firmware that said it; `traits`: what is used of it.
charger_report = Table(
    "charger_report",
    metadata,
    Column("charger_id", String(48), primary_key=True),
    Column("of", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("traits", Text, nullable=False),
    Column("body", Text, nullable=False),
)
# What a charger told last of each kind that changes nothing here, and its dynamic limits; JSON.
charger_memory = Table(
    "charger_memory",
    metadata,
    Column("charger_id", String(48), primary_key=True),
    Column("notices", Text, nullable=False),
    Column("dynamic", Text, nullable=False),
)
# Which list of tokens a charger has: its version there, and a digest of what is in it.
local_list = Table(
    "local_list",
    metadata,
    Column("charger_id", String(48), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
)
# What meters have signed, by transaction; kept for ever, for bills are proven by it. `digest`: SHA-256 of `raw`.
signed_value = Table(
    "signed_value",
    metadata,
    Column("number", Key, primary_key=True, autoincrement=False),
    Column("digest", String(64), primary_key=True),
    Column("charger_id", String(48), nullable=False),
    Column("evse_id", String(64), nullable=False),
    Column("at_s", Float, nullable=False),
    Column("context", Text, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("why", Text, nullable=False),
    Index("signed_value_charger", "charger_id", "verdict"),
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
    Column("given_id", BigInteger),
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
# What a call of recommendation was given (`loop.packing`), many decisions each; the shadow prices that many calls share.
given = Table(
    "given",
    metadata,
    Column("given_id", Key, primary_key=True, autoincrement=True),
    Column("at_s", Float, nullable=False),
    Column("prices", String(64)),
    Column("body", LargeBinary, nullable=False),
    Index("given_at", "at_s"),
)
shadow_price = Table(
    "shadow_price",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
# What a driver was promised who was sent somewhere, or took an offer. `came`: kept, elsewhere, gave_up; null: not over yet.
promise = Table(
    "promise",
    metadata,
    Column("decision_id", String(80), primary_key=True),
    Column("made_s", Float, nullable=False),
    Column("station_id", String(64), nullable=False),
    Column("wait_min", Float, nullable=False),
    Column("wait_p90_min", Float, nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    Column("came", String(12)),
    Index("promise_made", "made_s", "station_id"),
)
# Forecasts as they were made (`loop.pack_forecast`), by the hour they begin with; what came of them, see `prediction.Score`.
forecast = Table(
    "forecast",
    metadata,
    Column("origin_s", Float, primary_key=True),
    Column("made_s", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
forecast_score = Table(
    "forecast_score",
    metadata,
    Column("hour_s", Float, primary_key=True),
    Column("level", String(12), primary_key=True),
    Column("horizon_h", Integer, primary_key=True),
    Column("units", Integer, nullable=False),
    Column("stopped", Integer, nullable=False),
    Column("actual_kwh", Float, nullable=False),
    Column("abs_kwh", Float, nullable=False),
    Column("pinball_kwh", Float, nullable=False),
    Column("covered", Integer, nullable=False),
    Column("relative", Float, nullable=False),
    Column("naive", Float),
)
reservation = Table(
    "reservation",
    metadata,
    Column("reservation_id", Integer, primary_key=True, autoincrement=True),
    Column("state", String(20), nullable=False),
    Column("body", Text),
    sqlite_autoincrement=True,
)
# Charges that another platform started here, by its number; what others are still to be told; what they told.
partner_charge = Table(
    "partner_charge",
    metadata,
    Column("seq", String(64), primary_key=True),
    Column("partner_id", String(64), nullable=False),
    Column("evse_id", String(64), nullable=False),
    Column("id_token", String(255), nullable=False),
    Column("state", Integer, nullable=False),
    Column("asked_s", Float, nullable=False),
    Column("session_id", String(80)),
    Index("partner_charge_state", "state", "asked_s"),
)
partner_outbox = Table(
    "partner_outbox",
    metadata,
    Column("number", Key, primary_key=True, autoincrement=True),
    Column("partner_id", String(64), nullable=False),
    Column("interface", String(64), nullable=False),
    Column("message_key", String(128)),
    Column("body", Text, nullable=False),
    Column("tried", Integer, nullable=False),
    Column("refused", Text),
    Index("partner_outbox_next", "partner_id", "number"),
    sqlite_autoincrement=True,
)
partner_object = Table(
    "partner_object",
    metadata,
    Column("partner_id", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("object_id", String(64), primary_key=True),
    Column("body", Text, nullable=False),
)
meta = Table("meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))
# --- people -----------------------------------------------------------------------------------------------------------------
account = Table("account", metadata, Column("name", String(64), primary_key=True), Column("body", Text, nullable=False))
login = Table("login", metadata, Column("token_hash", String(64), primary_key=True), Column("body", Text, nullable=False))
token = Table("token", metadata, Column("id_token", String(255), primary_key=True), Column("body", Text, nullable=False))
audit = Table(
    "audit",
    metadata,
    Column("audit_id", Integer, primary_key=True, autoincrement=True),
    Column("at_s", Float, nullable=False),
    Column("account", String(64), nullable=False),
    Column("charger_id", String(48)),
    Column("action", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Index("audit_charger", "charger_id", "audit_id"),
    sqlite_autoincrement=True,
)
# --- partners by OCPI -------------------------------------------------------------------------------------------------------
ocpi_peer = Table("ocpi_peer", metadata, Column("peer_id", String(64), primary_key=True), Column("body", Text, nullable=False))
# What partners have sent, as they sent it; `number` rises in the order in which objects came first. `owner`: `CC*PPP`.
ocpi_object = Table(
    "ocpi_object",
    metadata,
    Column("number", Key, primary_key=True, autoincrement=True),
    Column("module", String(32), nullable=False),
    Column("owner", String(8), nullable=False),
    Column("key", String(128), nullable=False),
    Column("peer_id", String(64), nullable=False),
    Column("updated_s", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("ocpi_object_key", "module", "owner", "key", unique=True),
)
# `seen`: the newest `last_updated` of what was pulled.
ocpi_mark = Table(
    "ocpi_mark",
    metadata,
    Column("peer_id", String(64), primary_key=True),
    Column("module", String(32), primary_key=True),
    Column("seen", String(32), nullable=False),
)
# What we asked of others that is answered later, by the id in `response_url`.
ocpi_call = Table(
    "ocpi_call",
    metadata,
    Column("call_id", String(36), primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("body", Text, nullable=False),
)
# What we answered, by a digest of the request: the same one again gets the same answer, and nothing happens.
ocpi_answer = Table(
    "ocpi_answer",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("body", Text, nullable=False),
)
# Numbers for reservations of others, whose ids may be the same.
ocpi_reservation = Table(
    "ocpi_reservation",
    metadata,
    Column("number", Key, primary_key=True, autoincrement=True),
    Column("owner", String(8), nullable=False),
    Column("reservation_id", String(36), nullable=False),
    Column("location_id", String(36), nullable=False),
    Column("peer_id", String(64), nullable=False),
    Column("response_url", Text, nullable=False),
    Index("ocpi_reservation_key", "owner", "reservation_id", "location_id", unique=True),
)
