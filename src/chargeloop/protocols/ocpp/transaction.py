"""A transaction as it is known so far: what its meter counts, and the events it makes."""

from dataclasses import dataclass, field
from datetime import datetime

from chargeloop.model import MeterSampled, SessionStarted
from chargeloop.protocols.ocpp.facts import Reading
from chargeloop.protocols.ocpp.meter import CREDIBLE_KW, unrolled

PREFIX = "ocpp-"


def session_id(number: int) -> str:
    """Session of our transaction number, which no two transactions of any stations share."""
    return f"{PREFIX}{number}"


def number_of(session_id: str) -> int | None:
    """Our transaction number of a session; None for one that no station told by OCPP."""
    number = session_id.removeprefix(PREFIX)
    return int(number) if number != session_id and number.isdecimal() else None


@dataclass(slots=True)
class Transaction:
    """`number`: ours; `wire_id`: the id on the wire. `is_past`: told after later ones, so no event until it is over.

    `over_since`: a sign that it is over was received then, but its stop was not.
    """

    number: int
    wire_id: str
    evse_id: str
    id_token: str
    started_at: datetime
    start_wh: float
    meter_wh: float
    at: datetime
    heard_at: datetime
    told: str = ""
    # What the register showed at the start, where only its first reading tells: the session then counts from 0.
    offset_wh: float | None = 0.0
    power_kw: float = 0.0
    is_charged: bool = False
    is_past: bool = False
    ended_at: datetime | None = None
    over_since: datetime | None = None
    saved_at: datetime | None = None
    seen: list[int] = field(default_factory=list)  # sequence numbers (2.x)
    notes: list[str] = field(default_factory=list)

    @property
    def session_id(self) -> str:
        return session_id(self.number)

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def missing(self) -> tuple[int, ...]:
        """Sequence numbers between the first and the last seen that never came."""
        return tuple(sorted(set(range(min(self.seen), max(self.seen))) - set(self.seen))) if self.seen else ()


def started(transaction: Transaction) -> SessionStarted:
    """Its first event."""
    return SessionStarted(
        at=transaction.started_at,
        session_id=transaction.session_id,
        evse_id=transaction.evse_id,
        id_token=transaction.id_token,
        meter_wh=transaction.start_wh,
    )


def sampled(transaction: Transaction, reading: Reading) -> MeterSampled | None:
    """Fills in what a station does not measure: the register stands, power is the energy since the last reading.

    None for a reading older than the last: of a register that only rises it tells nothing new, and its power is over.
    """
    if reading.at < transaction.at:
        return None
    meter_wh = transaction.meter_wh
    if reading.meter_wh is not None:
        meter_wh = metered(transaction, reading.meter_wh)
    power_kw = reading.power_kw
    if power_kw is None and reading.meter_wh is not None and reading.at > transaction.at:
        elapsed_h = (reading.at - transaction.at).total_seconds() / 3600
        power_kw = min((meter_wh - transaction.meter_wh) / 1000 / elapsed_h, CREDIBLE_KW)
    if power_kw is not None:
        transaction.power_kw = power_kw
    transaction.at, transaction.meter_wh = reading.at, meter_wh
    return MeterSampled(
        at=reading.at,
        session_id=transaction.session_id,
        evse_id=transaction.evse_id,
        meter_wh=meter_wh,
        power_kw=transaction.power_kw,
        soc=reading.soc,
    )


def metered(transaction: Transaction, register_wh: float) -> float:
    """A register's reading as the session counts it."""
    if transaction.offset_wh is None:
        transaction.offset_wh = register_wh
    return unrolled(register_wh - transaction.offset_wh, transaction.start_wh, transaction.meter_wh)
