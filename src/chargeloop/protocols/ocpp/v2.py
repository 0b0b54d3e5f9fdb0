"""Between OCPP 2.0.1 and 2.1 payloads and facts and commands. Payloads are checked or salvaged: any member may be missing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chargeloop import model
from chargeloop.model import BadInput, EvseStatus, StopReason
from chargeloop.protocols.ocpp.abilities import Abilities, schedule
from chargeloop.protocols.ocpp.facts import (
    Ended,
    Fact,
    Started,
    StatusTold,
    Updated,
    as_utc,
    believed,
    id_token,
    token_of,
    wire_time,
)
from chargeloop.protocols.ocpp.meter import readings
from chargeloop.protocols.ocpp.v16 import PROFILE_ID, STACK_LEVEL

STATUS = {
    "Available": EvseStatus.AVAILABLE,
    "Occupied": EvseStatus.PREPARING,  # how far it is, its transaction says
    "Reserved": EvseStatus.RESERVED,
    "Unavailable": EvseStatus.UNAVAILABLE,
    "Faulted": EvseStatus.FAULTED,
}
STAY, MOST_WH = timedelta(days=7), 2e6  # of one vehicle; a lorry's battery holds 1 MWh at most
FAULTS = frozenset(
    {"EmergencyStop", "GroundFault", "OvercurrentFault", "PowerLoss", "PowerQuality", "ImmediateReset", "Reboot"}
)
FULL = frozenset({"EnergyLimitReached", "SOCLimitReached", "StoppedByEV"})
LEFT = frozenset({"EVDisconnected", "Local", "Timeout"})


def fact_of(action: str, said: Mapping[str, Any], received: datetime) -> Fact | None:
    """What a message tells of transactions and connectors; None for all others."""
    match action:
        case "TransactionEvent":
            return _transaction(said, received)
        case "StatusNotification":
            status = STATUS[said["connectorStatus"]]
            return StatusTold(connector=said["evseId"], status=status, at=believed(said.get("timestamp"), received))
        case "NotifyEvent":
            return _availability(said, received)
        case "MeterValues":  # only outside transactions (J01.FR.14)
            values = readings(said.get("meterValue", ()), received)
            return Updated(wire_id=None, connector=said.get("evseId"), at=received, readings=values)
    return None


def _transaction(said: Mapping[str, Any], received: datetime) -> Fact:
    info = said.get("transactionInfo", {})
    wire_id, seq_no, at = str(info.get("transactionId", "")), said.get("seqNo"), believed(said.get("timestamp"), received)
    connector = said["evse"].get("id") if isinstance(said.get("evse"), dict) else None
    token, values = token_of(said.get("idToken")), readings(said.get("meterValue", ()), received)
    state = info.get("chargingState")
    is_charged = None if state is None else state == "SuspendedEV"
    match said.get("eventType"):
        case "Started":
            return Started(
                connector=connector,
                at=at,
                id_token=token or id_token(""),
                wire_id=wire_id,
                seq_no=seq_no,
                readings=values,
                reservation_id=said.get("reservationId"),
                is_charged=is_charged,
            )
        case "Ended":
            reason = _reason(info.get("stoppedReason", "Local"))
            return Ended(
                wire_id=wire_id, connector=connector, at=at, reason=reason, id_token=token, seq_no=seq_no, readings=values
            )
    return Updated(
        wire_id=wire_id, connector=connector, at=at, readings=values, id_token=token, seq_no=seq_no, is_charged=is_charged
    )


def charging_needs(said: Mapping[str, Any], evse_id: str, received: datetime) -> model.ChargingNeedsTold:
    """What a NotifyEVChargingNeeds tells: energy in Wh, or the battery's charge in percent; a departure soon to come."""
    needs = said["chargingNeeds"]
    ac, dc, v2x = (needs.get(f"{name}ChargingParameters", {}) for name in ("ac", "dc", "v2x"))
    wh = v2x.get("evTargetEnergyRequest", ac.get("energyAmount", dc.get("energyAmount")))
    if wh is None and "stateOfCharge" in dc and "evEnergyCapacity" in dc:
        wh = max(dc.get("fullSoC", 100) - dc["stateOfCharge"], 0) / 100 * dc["evEnergyCapacity"]
    depart = as_utc(needs["departureTime"]) if "departureTime" in needs else None
    is_near = depart is not None and received < depart < received + STAY
    return model.ChargingNeedsTold(
        at=received,
        evse_id=evse_id,
        energy_kwh=wh / 1000 if wh is not None and 0 <= wh <= MOST_WH else None,
        depart_by=depart if is_near else None,
    )


def _reason(stopped: str) -> StopReason:
    if stopped in LEFT:
        return StopReason.DEPARTED
    if stopped in FULL:
        return StopReason.FULL
    if stopped in FAULTS:
        return StopReason.FAULT
    return StopReason.REMOTE if stopped == "Remote" else StopReason.OTHER


def _availability(said: Mapping[str, Any], received: datetime) -> StatusTold | None:
    """2.1 tells a connector's state as a variable."""
    for data in said.get("eventData", ()):
        component, variable = data.get("component", {}), data.get("variable", {})
        connector = component.get("evse", {}).get("id")
        if variable.get("name") == "AvailabilityState" and connector and data.get("actualValue") in STATUS:
            status = STATUS[data["actualValue"]]
            return StatusTold(connector=connector, status=status, at=believed(data.get("timestamp"), received))
    return None


def call_of(command: model.Command, connector: int, wire_id: str | None, abilities: Abilities) -> tuple[str, dict[str, Any]]:
    """Action and payload that carry a command to an EVSE. `wire_id`: of the transaction it is about.

    Raises:
        BadInput: a command that OCPP does not carry, or for a transaction that does not run.
    """
    match command:
        case model.SetChargingProfile():
            profile = _profile(command, _running(wire_id), abilities)
            return "SetChargingProfile", {"evseId": connector, "chargingProfile": profile}
        case model.RemoteStart():
            # Any number that is new at this station: the second of the call.
            start_id = int(command.at.timestamp()) % 2**31
            return "RequestStartTransaction", {
                "remoteStartId": start_id,
                "idToken": _token(command.id_token),
                "evseId": connector,
            }
        case model.RemoteStop():
            return "RequestStopTransaction", {"transactionId": _running(wire_id)}
        case model.ReserveEvse():
            payload = {
                "id": command.reservation_id,
                "expiryDateTime": wire_time(command.expires_at),
                "idToken": _token(command.id_token),
                "evseId": connector,
            }
            return "ReserveNow", payload
        case model.CancelReservation():
            return "CancelReservation", {"reservationId": command.reservation_id}
        case model.GuideDriver():
            raise BadInput("command", "drivers are not guided by OCPP")


def _token(token: str) -> dict[str, str]:
    return {"idToken": token, "type": "Central"}


def _profile(command: model.SetChargingProfile, transaction_id: str, abilities: Abilities) -> dict[str, Any]:
    return {
        "id": PROFILE_ID,
        "transactionId": transaction_id,
        "stackLevel": STACK_LEVEL,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {"id": PROFILE_ID, "startSchedule": wire_time(command.start), **schedule(command, abilities)},
        ],
    }


def _running(wire_id: str | None) -> str:
    if wire_id is None:
        raise BadInput("session_id", "is no session that runs at that EVSE")
    return wire_id
