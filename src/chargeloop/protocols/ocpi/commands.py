"""Modules commands and chargingprofiles: what is asked at once and answered later, on a `response_url`."""

from typing import Annotated, Self

from pydantic import model_validator

from chargeloop.protocols.ocpi.kinds import Ci36, Count, DateTime, DisplayText, NotNegative, Object, Url, one_of
from chargeloop.protocols.ocpi.tokens import Token

CommandReply = Annotated[str, one_of("ACCEPTED REJECTED NOT_SUPPORTED UNKNOWN_SESSION")]
CommandOutcome = Annotated[
    str,
    one_of(
        "ACCEPTED CANCELED_RESERVATION EVSE_OCCUPIED EVSE_INOPERATIVE FAILED NOT_SUPPORTED REJECTED TIMEOUT UNKNOWN_RESERVATION"
    ),
]
ProfileReply = Annotated[str, one_of("ACCEPTED NOT_SUPPORTED REJECTED TOO_OFTEN UNKNOWN_SESSION")]
ProfileOutcome = Annotated[str, one_of("ACCEPTED REJECTED UNKNOWN")]


class Asked(Object):
    """Something that is answered on `response_url`."""

    response_url: Url


class _AtEvse(Asked):
    location_id: Ci36
    evse_uid: Ci36 | None = None


class StartSession(_AtEvse):
    token: Token
    connector_id: Ci36 | None = None
    authorization_reference: Ci36 | None = None

    @model_validator(mode="after")
    def _whose_connector(self) -> Self:
        if self.connector_id is not None and self.evse_uid is None:
            raise ValueError("connector_id needs evse_uid")
        return self


class StopSession(Asked):
    session_id: Ci36


class ReserveNow(_AtEvse):
    """The same id at the same location replaces the reservation."""

    token: Token
    expiry_date: DateTime
    reservation_id: Ci36
    authorization_reference: Ci36 | None = None


class CancelReservation(Asked):
    reservation_id: Ci36


class UnlockConnector(Asked):
    """For the help desk, never straight from a driver."""

    location_id: Ci36
    evse_uid: Ci36
    connector_id: Ci36


COMMANDS: dict[str, type[Asked]] = {
    "START_SESSION": StartSession,
    "STOP_SESSION": StopSession,
    "RESERVE_NOW": ReserveNow,
    "CANCEL_RESERVATION": CancelReservation,
    "UNLOCK_CONNECTOR": UnlockConnector,
}


class CommandResponse(Object):
    """The direct answer. `timeout`: seconds within which the result comes; after that it may be taken as not delivered."""

    result: CommandReply
    timeout: Count
    message: tuple[DisplayText, ...] = ()


class CommandResult(Object):
    result: CommandOutcome
    message: tuple[DisplayText, ...] = ()


class ProfilePeriod(Object):
    """From `start_period` seconds on no more than `limit`."""

    start_period: Count
    limit: NotNegative


class ChargingProfile(Object):
    """In W, or in A per phase. No `start_date_time`: from the start of charging on; no `duration`: the last limit stays."""

    charging_rate_unit: Annotated[str, one_of("W A")]
    start_date_time: DateTime | None = None
    duration: Count | None = None
    min_charging_rate: NotNegative | None = None
    charging_profile_period: tuple[ProfilePeriod, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        starts = [each.start_period for each in self.charging_profile_period]
        if starts and (starts[0] != 0 or sorted(set(starts)) != starts):
            raise ValueError("the periods of a profile begin at 0 and rise")
        return self


class SetChargingProfile(Asked):
    charging_profile: ChargingProfile


class ActiveChargingProfile(Object):
    start_date_time: DateTime
    charging_profile: ChargingProfile


class ChargingProfileResponse(Object):
    result: ProfileReply
    timeout: Count


class ActiveChargingProfileResult(Object):
    result: ProfileOutcome
    profile: ActiveChargingProfile | None = None

    @model_validator(mode="after")
    def _given_if_accepted(self) -> Self:
        if (self.result == "ACCEPTED") != (self.profile is not None):
            raise ValueError("profile is given exactly where the result is ACCEPTED")
        return self


class ChargingProfileResult(Object):
    result: ProfileOutcome


class ClearProfileResult(Object):
    result: ProfileOutcome


LONGEST_HORIZON_S = 3600  # suggested, of an ActiveChargingProfile that is sent unasked
