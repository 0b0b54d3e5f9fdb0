"""Between OCPP 1.6 payloads and facts and commands. Payloads are checked or salvaged, so any member may be missing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chargeloop import model
from chargeloop.model import BadInput, EvseStatus, StopReason
from chargeloop.protocols.ocpp.abilities import Abilities, schedule
from chargeloop.protocols.ocpp.facts import Ended, Fact, Started, StatusTold, Updated, believed, id_token, wire_time
from chargeloop.protocols.ocpp.meter import readings

PROFILE_ID, STACK_LEVEL = 1, 0  # one profile a session, each replacing the last; some stations know only level 0
NO_METER = 2**31 - 1  # what some stations say while their meter has not answered
STATUS = {
    "Available": EvseStatus.AVAILABLE,
    "Preparing": EvseStatus.PREPARING,
    "Charging": EvseStatus.CHARGING,
    "SuspendedEV": EvseStatus.SUSPENDED_EV,
    "SuspendedEVSE": EvseStatus.SUSPENDED_EVSE,
    "Finishing": EvseStatus.FINISHING,
    "Reserved": EvseStatus.RESERVED,
    "Unavailable": EvseStatus.UNAVAILABLE,
    "Faulted": EvseStatus.FAULTED,
}
STOPPED = {
    "EVDisconnected": StopReason.DEPARTED,
    "Local": StopReason.DEPARTED,
    "Remote": StopReason.REMOTE,
    "EmergencyStop": StopReason.FAULT,
    "HardReset": StopReason.FAULT,
    "PowerLoss": StopReason.FAULT,
    "Reboot": StopReason.FAULT,
    "SoftReset": StopReason.FAULT,
}


def fact_of(action: str, said: Mapping[str, Any], received: datetime) -> Fact | None:
    """What a message tells of transactions and connectors; None for all others."""
    match action:
        case "MeterValues":
            return _measured(said, received)
        case "StatusNotification":
            return _status(said, received)
        case "StartTransaction":
            return _started(said, received)
        case "StopTransaction":
            return _ended(said, received)
    return None


def _measured(said: Mapping[str, Any], received: datetime) -> Updated:
    wire_id = said.get("transactionId")
    return Updated(
        wire_id=None if wire_id is None else str(wire_id),
        connector=said.get("connectorId"),
        at=received,
        readings=readings(said.get("meterValue", ()), received),
    )


def _status(said: Mapping[str, Any], received: datetime) -> StatusTold:
    parts = (said["errorCode"] if said["errorCode"] != "NoError" else None, said.get("vendorErrorCode"), said.get("info"))
    return StatusTold(
        connector=said["connectorId"],
        status=STATUS[said["status"]],
        at=believed(said.get("timestamp"), received),
        info="; ".join(part for part in parts if part and part != "null"),
    )


def _started(said: Mapping[str, Any], received: datetime) -> Started:
    at, meter, connector, tag = said.get("timestamp"), said.get("meterStart"), said.get("connectorId"), said.get("idTag")
    return Started(
        connector=connector,
        at=believed(at, received),
        id_token=id_token(tag),
        meter_wh=None if meter is None or meter == NO_METER else float(meter),
        told=f"{connector} {at and at.isoformat()} {meter} {tag}",
        reservation_id=said.get("reservationId"),
    )


def _ended(said: Mapping[str, Any], received: datetime) -> Ended:
    meter = said.get("meterStop")
    return Ended(
        wire_id=str(said.get("transactionId", -1)),
        connector=None,
        at=believed(said.get("timestamp"), received),
        reason=STOPPED.get(said.get("reason", "Local"), StopReason.OTHER),
        meter_wh=None if meter is None else float(meter),
        id_token=id_token(said["idTag"]) if "idTag" in said else None,
        readings=readings(said.get("transactionData", ()), received),
    )


def call_of(command: model.Command, connector: int, wire_id: str | None, abilities: Abilities) -> tuple[str, dict[str, Any]]:
    """Action and payload that carry a command to a connector. `wire_id`: of the transaction it is about.

    Raises:
        BadInput: a command that OCPP does not carry, or for a transaction that does not run.
    """
    match command:
        case model.SetChargingProfile():
            profile = _profile(command, _number(wire_id), abilities)
            return "SetChargingProfile", {"connectorId": connector, "csChargingProfiles": profile}
        case model.RemoteStart():
            return "RemoteStartTransaction", {"idTag": command.id_token, "connectorId": connector}
        case model.RemoteStop():
            return "RemoteStopTransaction", {"transactionId": _number(wire_id)}
        case model.ReserveEvse():
            payload = {
                "connectorId": connector,
                "expiryDate": wire_time(command.expires_at),
                "idTag": command.id_token,
                "reservationId": command.reservation_id,
            }
            return "ReserveNow", payload
        case model.CancelReservation():
            return "CancelReservation", {"reservationId": command.reservation_id}
        case model.GuideDriver():
            raise BadInput("command", "drivers are not guided by OCPP")


def _profile(command: model.SetChargingProfile, transaction_id: int, abilities: Abilities) -> dict[str, Any]:
    return {
        "chargingProfileId": PROFILE_ID,
        "transactionId": transaction_id,
        "stackLevel": STACK_LEVEL,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {"startSchedule": wire_time(command.start), **schedule(command, abilities)},
    }


def _number(wire_id: str | None) -> int:
    if wire_id is None:
        raise BadInput("session_id", "is no session that runs at that EVSE")
    return int(wire_id)
