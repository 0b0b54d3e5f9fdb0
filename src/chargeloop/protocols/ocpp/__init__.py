"""OCPP 1.6J, 2.0.1 and 2.1 without sockets: frames, message checks, transactions, commands; messages of a 1.6 station."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chargeloop import model
from chargeloop.protocols.ocpp import v2, v16
from chargeloop.protocols.ocpp.abilities import PLAIN, Abilities, rate_unit, schedule
from chargeloop.protocols.ocpp.facts import (
    Ended,
    Fact,
    Reading,
    Started,
    StatusTold,
    Updated,
    as_utc,
    believed,
    id_token,
    wire_time,
)
from chargeloop.protocols.ocpp.frames import (
    NO_ID,
    Call,
    CallError,
    CallResult,
    CallResultError,
    ErrorCode,
    Frame,
    Send,
    Version,
    WireError,
    encode,
    parse,
)
from chargeloop.protocols.ocpp.ledger import KEPT, Ledger, Outcome
from chargeloop.protocols.ocpp.local_list import (
    Listed,
    differential_update,
    digest,
    fitting,
    full_update,
    list_version,
    token_type,
)
from chargeloop.protocols.ocpp.messages import (
    FROM_STATION,
    TO_STATION,
    Authorize,
    AuthorizeResponse,
    BootNotification,
    BootNotificationResponse,
    CancelReservation,
    ChargingProfile,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ClearChargingProfile,
    DataTransfer,
    EmptyResponse,
    FromStation,
    Heartbeat,
    HeartbeatResponse,
    IdTagInfo,
    Message,
    MeterValue,
    MeterValues,
    RemoteStartTransaction,
    RemoteStopTransaction,
    ReserveNow,
    SampledValue,
    SetChargingProfile,
    StartTransaction,
    StartTransactionResponse,
    StatusNotification,
    StatusResponse,
    StopTransaction,
    StopTransactionResponse,
    ToStation,
    TriggerMessage,
    read_call,
    read_payload,
    to_payload,
)
from chargeloop.protocols.ocpp.meter import CREDIBLE_KW, readings, unrolled
from chargeloop.protocols.ocpp.profiles import Installed, clear, install, limit_w
from chargeloop.protocols.ocpp.schemas import (
    Checked,
    actions_to_station,
    check,
    from_station,
    is_from_station,
    request,
    response,
    salvage,
    schema,
)
from chargeloop.protocols.ocpp.signed import SignatureCheck, SignedValue, check_signature, public_key, signed_values
from chargeloop.protocols.ocpp.station_side import CONNECTOR, STATUS_NAME, STOP_NAME, command_of, meter_value
from chargeloop.protocols.ocpp.tariff21 import tariff_of_21
from chargeloop.protocols.ocpp.transaction import Transaction, number_of, session_id
from chargeloop.protocols.ocpp.v2 import charging_needs
from chargeloop.protocols.ocpp.variables import (
    Traits,
    Variable,
    changes_of,
    merged,
    of_configuration,
    of_report,
    traits_of,
)

__all__ = [
    "CONNECTOR",
    "CREDIBLE_KW",
    "FROM_STATION",
    "KEPT",
    "NO_ID",
    "STATUS_NAME",
    "STOP_NAME",
    "TO_STATION",
    "Abilities",
    "Authorize",
    "AuthorizeResponse",
    "BootNotification",
    "BootNotificationResponse",
    "Call",
    "CallError",
    "CallResult",
    "CallResultError",
    "CancelReservation",
    "ChargingProfile",
    "ChargingSchedule",
    "ChargingSchedulePeriod",
    "Checked",
    "ClearChargingProfile",
    "DataTransfer",
    "EmptyResponse",
    "Ended",
    "ErrorCode",
    "Fact",
    "Frame",
    "FromStation",
    "Heartbeat",
    "HeartbeatResponse",
    "IdTagInfo",
    "Installed",
    "Ledger",
    "Listed",
    "Message",
    "MeterValue",
    "MeterValues",
    "Outcome",
    "Reading",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "ReserveNow",
    "SampledValue",
    "Send",
    "SetChargingProfile",
    "SignatureCheck",
    "SignedValue",
    "StartTransaction",
    "StartTransactionResponse",
    "Started",
    "StatusNotification",
    "StatusResponse",
    "StatusTold",
    "StopTransaction",
    "StopTransactionResponse",
    "ToStation",
    "Traits",
    "Transaction",
    "TriggerMessage",
    "Updated",
    "Variable",
    "Version",
    "WireError",
    "actions_to_station",
    "as_utc",
    "believed",
    "call_of",
    "changes_of",
    "charging_needs",
    "check",
    "check_signature",
    "clear",
    "command_of",
    "differential_update",
    "digest",
    "encode",
    "fact_of",
    "fitting",
    "from_station",
    "full_update",
    "id_token",
    "install",
    "is_from_station",
    "limit_w",
    "list_version",
    "merged",
    "meter_value",
    "number_of",
    "of_configuration",
    "of_report",
    "parse",
    "public_key",
    "rate_unit",
    "read_call",
    "read_payload",
    "readings",
    "request",
    "response",
    "salvage",
    "schedule",
    "schema",
    "session_id",
    "signed_values",
    "tariff_of_21",
    "to_payload",
    "token_type",
    "traits_of",
    "unrolled",
    "wire_time",
]


def fact_of(version: Version, action: str, said: Mapping[str, Any], received: datetime) -> Fact | None:
    """What a message tells of transactions and connectors; None for all others."""
    return v16.fact_of(action, said, received) if version is Version.V16 else v2.fact_of(action, said, received)


def call_of(
    version: Version, command: model.Command, connector: int, wire_id: str | None, abilities: Abilities = PLAIN
) -> tuple[str, dict[str, Any]]:
    """Action and payload that carry a command. `wire_id`: of the transaction it is about.

    Raises:
        BadInput: a command that OCPP does not carry, or for a transaction that does not run.
    """
    of = v16.call_of if version is Version.V16 else v2.call_of
    return of(command, connector, wire_id, abilities)
