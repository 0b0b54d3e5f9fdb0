"""A charging session, a reservation, and the bill's raw material: the charge detail record (CDR)."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from chargeloop.model.quantities import Id, IdToken, NonNegative, Utc
from chargeloop.model.queue import Loss
from chargeloop.model.vehicle import Current, Tier


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
    """HELD, or how it ended."""

    HELD = "held"
    USED = "used"
    CANCELLED = "cancelled"  # given back
    EXPIRED = "expired"  # a place in the queue that came to nothing
    DECLINED = "declined"
    UNANSWERED = "unanswered"  # once too often
    NO_SHOW = "no_show"  # nobody plugged in at the held bay in time
    MOVED = "moved"  # to another station


@dataclass(frozen=True, slots=True)
class Reservation:
    """A bay, or a place in the virtual queue of the bays of one current at a station: `evse_id` None, until one is offered.

    `answer_by`: the bay is offered, not held yet. `expires_at`: by when to plug in, or when the place in the queue ends;
    `keep_until`: the end of that place, should the bay get lost. `arrive_at`: expected, then told. `rests_until`: after a
    snooze. `held_at`: since when a bay is held. `lost`, `lost_evse_id`: the bay it had last, and why not any more.
    `session_id`, `waited_min`: what came of it.
    """

    reservation_id: int
    evse_id: Id | None
    station_id: Id
    id_token: IdToken
    made_at: Utc
    expires_at: Utc
    request_id: Id | None = None
    state: ReservationState = ReservationState.HELD
    current: Current | None = None
    tier: Tier = Tier.PRIVATE
    user_id: Id | None = None
    decision_id: str | None = None
    arrive_at: Utc | None = None
    keep_until: Utc | None = None
    answer_by: Utc | None = None
    snoozes: int = 0
    rests_until: Utc | None = None
    held_at: Utc | None = None
    lost: Loss | None = None
    lost_evse_id: Id | None = None
    session_id: Id | None = None
    waited_min: float | None = None

    @property
    def is_offered(self) -> bool:
        return self.evse_id is not None and self.answer_by is not None

    @property
    def is_held(self) -> bool:
        return self.evse_id is not None and self.answer_by is None

    def without_bay(self) -> "Reservation":
        """Back in the queue, at the place it had."""
        kept = max(self.expires_at, self.keep_until or self.expires_at)
        return replace(self, evse_id=None, answer_by=None, held_at=None, expires_at=kept)

    def bay_lost(self, why: Loss) -> "Reservation":
        return replace(self.without_bay(), lost=why, lost_evse_id=self.evse_id)

    def waited_until(self, at: datetime) -> float | None:
        """Minutes without a bay from joining or arriving, whichever was later, until `at`; None where no arrival is known."""
        if self.arrive_at is None:
            return None
        return max((min(self.held_at or at, at) - max(self.made_at, self.arrive_at)).total_seconds(), 0.0) / 60


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
