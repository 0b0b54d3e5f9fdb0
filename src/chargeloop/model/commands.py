"""What shall happen: the only way in which the loop speaks to the outside."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator

from chargeloop.model.quantities import Id, IdToken, NonNegative, Utc


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChargingProfile:
    """Power limits of one session: `limits_kw[i]` holds for `step_s` seconds from `start + i * step_s`; the last one stays."""

    at: Utc
    evse_id: Id
    session_id: Id
    start: Utc
    step_s: int
    limits_kw: tuple[NonNegative, ...]
    kind: Literal["set_charging_profile"] = "set_charging_profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideDriver:
    """Send a driver to a station. `station_id` None: no station can serve the request, `why` says why.

    `not_before`: the driver has charge enough to wait, and is advised to come then instead.
    """

    at: Utc
    request_id: Id
    station_id: Id | None
    why: str
    drive_s: float = 0.0
    route: tuple[tuple[float, float], ...] = ()  # lon, lat
    not_before: Utc | None = None
    kind: Literal["guide_driver"] = "guide_driver"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveEvse:
    at: Utc
    evse_id: Id
    reservation_id: int
    id_token: IdToken
    expires_at: Utc
    kind: Literal["reserve_evse"] = "reserve_evse"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReservation:
    at: Utc
    evse_id: Id
    reservation_id: int
    kind: Literal["cancel_reservation"] = "cancel_reservation"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStart:
    at: Utc
    evse_id: Id
    id_token: IdToken
    kind: Literal["remote_start"] = "remote_start"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStop:
    at: Utc
    evse_id: Id
    session_id: Id
    kind: Literal["remote_stop"] = "remote_stop"


Command: TypeAlias = Annotated[
    SetChargingProfile | GuideDriver | ReserveEvse | CancelReservation | RemoteStart | RemoteStop,
    Discriminator("kind"),
]
