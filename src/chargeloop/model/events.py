"""What happened: the only way in which the outside speaks to the loop. Each event is one fact at one instant."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator

from chargeloop.model.decision import Decision
from chargeloop.model.outlook import Shortage
from chargeloop.model.quantities import Id, IdToken, NonNegative, Share, Utc
from chargeloop.model.queue import Answer, Loss, QueuePolicy
from chargeloop.model.session import Reservation, ReservationState, StopReason
from chargeloop.model.station import EvseStatus
from chargeloop.model.user import ChargeRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class EvseStatusChanged:
    at: Utc
    evse_id: Id
    status: EvseStatus
    info: str = ""
    kind: Literal["evse_status_changed"] = "evse_status_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """`energy_needed_kwh` and `depart_by` are known where the driver came by a request, found by `id_token`."""

    at: Utc
    session_id: Id
    evse_id: Id
    id_token: IdToken
    meter_wh: NonNegative = 0.0
    kind: Literal["session_started"] = "session_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSampled:
    """`meter_wh` is the EVSE's register, as at SessionStarted; `power_kw` into the vehicle."""

    at: Utc
    session_id: Id
    evse_id: Id
    meter_wh: NonNegative
    power_kw: float
    soc: Share | None = None
    kind: Literal["meter_sampled"] = "meter_sampled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeEnded:
    """Energy stopped flowing while the vehicle stays plugged in: idle time begins."""

    at: Utc
    session_id: Id
    evse_id: Id
    meter_wh: NonNegative
    kind: Literal["charge_ended"] = "charge_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingNeedsTold:
    """What the vehicle at an EVSE says that it needs from now on (ISO 15118); None where it does not say."""

    at: Utc
    evse_id: Id
    energy_kwh: NonNegative | None = None
    depart_by: Utc | None = None
    kind: Literal["charging_needs_told"] = "charging_needs_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    at: Utc
    session_id: Id
    evse_id: Id
    meter_wh: NonNegative
    reason: StopReason = StopReason.OTHER
    notes: tuple[str, ...] = ()  # what was odd about it, or repaired
    kind: Literal["session_ended"] = "session_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequested:
    at: Utc
    request: ChargeRequest
    kind: Literal["charge_requested"] = "charge_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade:
    at: Utc
    decision: Decision
    kind: Literal["decision_made"] = "decision_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverArrived:
    """The driver stands at the station and waits for a bay (or plugs in at once)."""

    at: Utc
    request_id: Id
    station_id: Id
    kind: Literal["driver_arrived"] = "driver_arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn:
    """The driver gave up, or went elsewhere."""

    at: Utc
    request_id: Id
    reason: str = ""
    kind: Literal["request_withdrawn"] = "request_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationMade:
    at: Utc
    reservation: Reservation
    kind: Literal["reservation_made"] = "reservation_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationClosed:
    at: Utc
    reservation_id: int
    state: ReservationState
    kind: Literal["reservation_closed"] = "reservation_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BayOffered:
    """A bay has come free for the driver of a place in the queue. `reservation`: as it stands from now on, here and below."""

    at: Utc
    reservation: Reservation
    kind: Literal["bay_offered"] = "bay_offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAnswered:
    at: Utc
    answer: Answer
    reservation: Reservation
    kind: Literal["offer_answered"] = "offer_answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class BayLost:
    """The bay of a reservation is not there any more; its driver keeps his place in the queue.

    `evse_ids`: those of the charger that says so; it counts for a bay among them only.
    """

    at: Utc
    reservation_id: int
    why: Loss
    evse_ids: tuple[Id, ...] = ()
    kind: Literal["bay_lost"] = "bay_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePolicySet:
    at: Utc
    policy: QueuePolicy
    kind: Literal["queue_policy_set"] = "queue_policy_set"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherObserved:
    """`rain`: 0 none, 1 light, 2 moderate, 3 heavy (the scale of UrbanEV's nRAIN)."""

    at: Utc
    temperature_c: float
    rain: int
    kind: Literal["weather_observed"] = "weather_observed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortageTold:
    """Bays of a zone will be short: said when it is seen first, when it changes, and when it is taken back or over."""

    at: Utc
    shortage: Shortage
    what: Literal["raised", "updated", "withdrawn", "over"]
    kind: Literal["shortage_told"] = "shortage_told"


Event: TypeAlias = Annotated[
    EvseStatusChanged
    | SessionStarted
    | MeterSampled
    | ChargeEnded
    | ChargingNeedsTold
    | SessionEnded
    | ChargeRequested
    | DecisionMade
    | DriverArrived
    | RequestWithdrawn
    | ReservationMade
    | ReservationClosed
    | BayOffered
    | OfferAnswered
    | BayLost
    | QueuePolicySet
    | WeatherObserved
    | ShortageTold,
    Discriminator("kind"),
]
