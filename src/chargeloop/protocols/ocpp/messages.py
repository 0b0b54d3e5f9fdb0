"""OCPP 1.6J messages as records, for a station of our own: what the twin's chargers send and understand."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar, get_args

import msgspec
from msgspec import Meta

from chargeloop.protocols.ocpp.frames import ErrorCode, WireError

IdTag: TypeAlias = Annotated[str, Meta(max_length=20)]
Text: TypeAlias = Annotated[str, Meta(max_length=500)]
Integer: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # 1.6 says 32 bit, some stations use 64
Decimal1: TypeAlias = float  # towards a station: a multiple of 0.1

ConnectorStatus: TypeAlias = Literal[
    "Available", "Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing", "Reserved", "Unavailable", "Faulted"
]
Purpose: TypeAlias = Literal["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]
RateUnit: TypeAlias = Literal["A", "W"]


class Message(msgspec.Struct, kw_only=True, frozen=True, rename="camel", omit_defaults=True):
    """Base of all; members of which a message has none are left out on the wire."""


class IdTagInfo(Message, frozen=True, kw_only=True):
    status: Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]
    expiry_date: datetime | None = None
    parent_id_tag: IdTag | None = None


class SampledValue(Message, frozen=True, kw_only=True):
    value: str  # signed ones are long
    context: Text = "Sample.Periodic"
    format: Text = "Raw"
    measurand: Text = "Energy.Active.Import.Register"
    phase: Text | None = None
    location: Text = "Outlet"
    unit: Text = "Wh"


class MeterValue(Message, frozen=True, kw_only=True):
    timestamp: datetime
    sampled_value: tuple[SampledValue, ...]


class ChargingSchedulePeriod(Message, frozen=True, kw_only=True):
    start_period: int
    limit: Decimal1
    number_phases: int | None = None


class ChargingSchedule(Message, frozen=True, kw_only=True):
    charging_rate_unit: RateUnit
    charging_schedule_period: Annotated[tuple[ChargingSchedulePeriod, ...], Meta(min_length=1, max_length=1024)]
    start_schedule: datetime | None = None
    duration: int | None = None
    min_charging_rate: Decimal1 | None = None


class ChargingProfile(Message, frozen=True, kw_only=True):
    charging_profile_id: int
    stack_level: Annotated[int, Meta(ge=0)]
    charging_profile_purpose: Purpose
    charging_profile_kind: Literal["Absolute", "Recurring", "Relative"]
    charging_schedule: ChargingSchedule
    transaction_id: int | None = None
    recurrency_kind: Literal["Daily", "Weekly"] | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


# --- answers ----------------------------------------------------------------------------------------------------------


class BootNotificationResponse(Message, frozen=True, kw_only=True):
    status: Literal["Accepted", "Pending", "Rejected"]
    current_time: datetime
    interval: int


class HeartbeatResponse(Message, frozen=True, kw_only=True):
    current_time: datetime


class AuthorizeResponse(Message, frozen=True, kw_only=True):
    id_tag_info: IdTagInfo


class StartTransactionResponse(Message, frozen=True, kw_only=True):
    id_tag_info: IdTagInfo
    transaction_id: Integer


class StopTransactionResponse(Message, frozen=True, kw_only=True):
    id_tag_info: IdTagInfo | None = None


class EmptyResponse(Message, frozen=True, kw_only=True):
    pass


class StatusResponse(Message, frozen=True, kw_only=True):
    """Answer of everything that answers with one word: Accepted where it was done."""

    status: Text


# --- calls from the station -------------------------------------------------------------------------------------------


class BootNotification(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = BootNotificationResponse
    charge_point_vendor: Text
    charge_point_model: Text
    charge_point_serial_number: Text | None = None
    charge_box_serial_number: Text | None = None
    firmware_version: Text | None = None
    iccid: Text | None = None
    imsi: Text | None = None
    meter_type: Text | None = None
    meter_serial_number: Text | None = None


class Heartbeat(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = HeartbeatResponse


class StatusNotification(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = EmptyResponse
    connector_id: Annotated[int, Meta(ge=0)]
    error_code: Text
    status: ConnectorStatus
    timestamp: datetime | None = None
    info: Text | None = None
    vendor_id: Text | None = None
    vendor_error_code: Text | None = None


class Authorize(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = AuthorizeResponse
    id_tag: IdTag


class StartTransaction(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StartTransactionResponse
    connector_id: Annotated[int, Meta(gt=0)]
    id_tag: IdTag
    meter_start: Integer
    timestamp: datetime
    reservation_id: Integer | None = None


class StopTransaction(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StopTransactionResponse
    transaction_id: Integer
    meter_stop: Integer
    timestamp: datetime
    reason: Text = "Local"
    id_tag: IdTag | None = None
    transaction_data: tuple[MeterValue, ...] | None = None


class MeterValues(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = EmptyResponse
    connector_id: Annotated[int, Meta(ge=0)]
    meter_value: tuple[MeterValue, ...]
    transaction_id: Integer | None = None


class DataTransfer(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StatusResponse
    vendor_id: Text
    message_id: Text | None = None
    data: str | None = None


# --- calls to the station ---------------------------------------------------------------------------------------------


class SetChargingProfile(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StatusResponse
    connector_id: int
    cs_charging_profiles: ChargingProfile


class ClearChargingProfile(Message, frozen=True, kw_only=True):
    """Clears the profiles that fit all that is given; `id` alone names one."""

    response: ClassVar[type[Message]] = StatusResponse
    id: int | None = None
    connector_id: int | None = None
    charging_profile_purpose: Purpose | None = None
    stack_level: int | None = None


class RemoteStartTransaction(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StatusResponse
    id_tag: IdTag
    connector_id: int | None = None
    charging_profile: ChargingProfile | None = None


class RemoteStopTransaction(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StatusResponse
    transaction_id: int


class ReserveNow(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StatusResponse
    connector_id: int
    expiry_date: datetime
    id_tag: IdTag
    reservation_id: int
    parent_id_tag: IdTag | None = None


class CancelReservation(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StatusResponse
    reservation_id: int


class TriggerMessage(Message, frozen=True, kw_only=True):
    response: ClassVar[type[Message]] = StatusResponse
    requested_message: Literal[
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
    ]
    connector_id: int | None = None


FromStation: TypeAlias = (
    BootNotification
    | Heartbeat
    | StatusNotification
    | Authorize
    | StartTransaction
    | StopTransaction
    | MeterValues
    | DataTransfer
)
ToStation: TypeAlias = (
    SetChargingProfile
    | ClearChargingProfile
    | RemoteStartTransaction
    | RemoteStopTransaction
    | ReserveNow
    | CancelReservation
    | TriggerMessage
)
FROM_STATION: dict[str, type[FromStation]] = {kind.__name__: kind for kind in get_args(FromStation)}
TO_STATION: dict[str, type[ToStation]] = {kind.__name__: kind for kind in get_args(ToStation)}
# Actions that a 1.6 station may send and that this platform makes nothing of.
UNSUPPORTED = frozenset({"DiagnosticsStatusNotification", "FirmwareStatusNotification"})

M = TypeVar("M", bound=Message)
K = TypeVar("K", bound=Message)


def read_payload(kind: type[M], payload: msgspec.Raw | dict[str, Any]) -> M:
    """The checked message of a payload.

    Raises:
        WireError: with the code that 1.6 has for what is wrong.
    """
    try:
        return msgspec.convert(payload, kind) if isinstance(payload, dict) else msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError as error:
        raise WireError(_code(str(error)), str(error)) from None


def read_call(known: dict[str, type[K]], action: str, payload: msgspec.Raw | dict[str, Any]) -> K:
    """The checked message of a call, by its action.

    Raises:
        WireError: also where the action is not among the `known` ones.
    """
    if action in UNSUPPORTED:
        raise WireError(ErrorCode.NOT_SUPPORTED, f"{action} is not supported here")
    if action not in known:
        raise WireError(ErrorCode.NOT_IMPLEMENTED, f"there is no action {action[:50]!r}")
    return read_payload(known[action], payload)


def to_payload(message: Message) -> dict[str, Any]:
    """Plain data for the wire; instants must be UTC, and end in Z."""
    payload: dict[str, Any] = msgspec.to_builtins(message)
    return payload


def _code(what: str) -> ErrorCode:
    if "missing required field" in what:
        return ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION
    if ", got `" in what:
        return ErrorCode.TYPE_CONSTRAINT_VIOLATION
    return ErrorCode.PROPERTY_CONSTRAINT_VIOLATION
