"""A charging session, a reservation, and the bill's raw material: the charge detail record (CDR)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from chargeloop.model.quantities import Id, IdToken, NonNegative, Utc


class StopReason(StrEnum):
    FULL = "full"  # the target is reached
    DEPARTED = "departed"  # the driver left before
    REMOTE = "remote"
    FAULT = "fault"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Session:
    """Plugged in from `started_at` to `ended_at`; energy flowed until `charge_ended_at`. `energy_kwh` is metered.

    `notes`: what was odd about it, or had to be repaired.
    """

    session_id: Id
    evse_id: Id
    station_id: Id
    id_token: IdToken
    started_at: Utc
    energy_kwh: NonNegative
    charge_ended_at: Utc | None = None
    ended_at: Utc | None = None
    request_id: Id | None = None
    stop_reason: StopReason | None = None
    notes: tuple[str, ...] = ()


class ReservationState(StrEnum):
    HELD = "held"
    USED = "used"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Reservation:
    """A held bay; `evse_id` None: a place in the station's virtual queue, its bay is named once one is free."""

    reservation_id: int
    evse_id: Id | None
    station_id: Id
    id_token: IdToken
    made_at: Utc
    expires_at: Utc
    request_id: Id | None = None
    state: ReservationState = ReservationState.HELD


@dataclass(frozen=True, slots=True)
class MeterPoint:
    """Cumulative energy of the session at an instant."""

    at: Utc
    energy_kwh: NonNegative


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of a bill. `dimension`: energy, service or idle; quantity in kWh or minutes."""

    dimension: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Cdr:
    """Charge detail record: the facts of an ended session and what they cost, to the cent."""

    cdr_id: Id
    session: Session
    tariff_id: Id
    currency: str
    lines: tuple[CostLine, ...]
    amount: Decimal
    kg_co2: float
