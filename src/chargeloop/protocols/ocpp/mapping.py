"""Between OCPP 1.6 messages and the model's events and commands."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chargeloop import model
from chargeloop.model import BadInput, EvseStatus, EvseStatusChanged, SessionEnded, SessionStarted, StopReason
from chargeloop.protocols.ocpp import messages
from chargeloop.protocols.ocpp.messages import (
    ChargingProfile,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ConnectorStatus,
    MeterValue,
    SampledValue,
    StartTransaction,
    StatusNotification,
    StopTransaction,
    ToStation,
)

CONNECTOR = 1  # an EVSE of ours is a charge point with one connector
PROFILE_ID, STACK_LEVEL = 1, 0  # one profile a session, each replacing the last; some stations know only level 0
AHEAD, BEHIND = timedelta(minutes=5), timedelta(days=30)  # what a station's clock is believed to be off, or it was offline
PREFIX = "ocpp-"
NAMELESS = "unknown"  # stands for an empty token

STATUS: dict[ConnectorStatus, EvseStatus] = {
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
STATUS_NAME: dict[EvseStatus, ConnectorStatus] = {status: name for name, status in STATUS.items()}
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
STOP_NAME = {
    StopReason.FULL: "EVDisconnected",
    StopReason.DEPARTED: "EVDisconnected",
    StopReason.REMOTE: "Remote",
    StopReason.FAULT: "EmergencyStop",
    StopReason.OTHER: "Other",
}
PER_UNIT = {"Wh": 1.0, "kWh": 1000.0, "W": 0.001, "kW": 1.0, "Percent": 0.01}
ENERGY, POWER, SOC = "Energy.Active.Import.Register", "Power.Active.Import", "SoC"
UNITS = {ENERGY: ("Wh", "kWh"), POWER: ("W", "kW"), SOC: ("Percent",)}
CREDIBLE_KW = 10_000.0  # of one EVSE; megawatt charging (MCS) ends at 3 750
CREDIBLE = {ENERGY: 1e12, POWER: CREDIBLE_KW, SOC: 1.0}  # Wh, kW, share: what is above is nonsense


def session_id(transaction_id: int) -> str:
    return f"{PREFIX}{transaction_id}"


def transaction_id(session: str) -> int:
    """The inverse of `session_id`.

    Raises:
        BadInput: where the session is not one of OCPP.
    """
    number = session.removeprefix(PREFIX)
    if number == session or not number.isdecimal():
        raise BadInput("session_id", f"{session!r} is no session of an OCPP charge point")
    return int(number)


def as_utc(at: datetime) -> datetime:
    """A station's timestamp in UTC; it is taken for UTC already where it names no zone, or one beyond the calendar's ends."""
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def believed(at: datetime | None, received: datetime) -> datetime:
    """A station's timestamp in UTC, or the time of receipt where there is none or its clock cannot be right."""
    said = received if at is None else as_utc(at)
    return said if received - BEHIND <= said <= received + AHEAD else received


# --- from the station -------------------------------------------------------------------------------------------------


def status_changed(evse_id: str, said: StatusNotification, received: datetime) -> EvseStatusChanged | None:
    """None where it says nothing about the EVSE: other connectors, or a charge point (0) that is well."""
    status = STATUS[said.status]
    if said.connector_id > CONNECTOR or (said.connector_id == 0 and status not in (EvseStatus.FAULTED, EvseStatus.UNAVAILABLE)):
        return None
    parts = (said.error_code if said.error_code != "NoError" else None, said.vendor_error_code, said.info)
    info = "; ".join(part for part in parts if part and part != "null")
    return EvseStatusChanged(at=believed(said.timestamp, received), evse_id=evse_id, status=status, info=info)


def id_token(id_tag: str) -> str:
    return id_tag.strip() or NAMELESS


def session_started(evse_id: str, number: int, said: StartTransaction, received: datetime) -> SessionStarted:
    return SessionStarted(
        at=believed(said.timestamp, received),
        session_id=session_id(number),
        evse_id=evse_id,
        id_token=id_token(said.id_tag),
        meter_wh=max(float(said.meter_start), 0.0),
    )


def session_ended(evse_id: str, said: StopTransaction, received: datetime, charged: bool) -> SessionEnded:
    """`charged`: the vehicle had stopped taking energy; 1.6 has no reason that says so."""
    reason = STOPPED.get(said.reason, StopReason.OTHER)
    return SessionEnded(
        at=believed(said.timestamp, received),
        session_id=session_id(said.transaction_id),
        evse_id=evse_id,
        meter_wh=max(float(said.meter_stop), 0.0),
        reason=StopReason.FULL if charged and reason is StopReason.DEPARTED else reason,
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """What one MeterValue says; None where it is silent or speaks nonsense."""

    at: datetime
    meter_wh: float | None
    power_kw: float | None
    soc: float | None


def readings(values: Iterable[MeterValue], received: datetime) -> tuple[Reading, ...]:
    """One reading for each MeterValue that holds anything we use, in the order given."""
    every = (
        Reading(
            believed(each.timestamp, received),
            _measured(each.sampled_value, ENERGY),
            _measured(each.sampled_value, POWER),
            _measured(each.sampled_value, SOC),
        )
        for each in values
    )
    return tuple(each for each in every if (each.meter_wh, each.power_kw, each.soc) != (None, None, None))


def _measured(samples: Iterable[SampledValue], measurand: str) -> float | None:
    """A measurand in Wh, kW or as a share: the total where it is given, else the sum of the phases against neutral."""
    those = [each for each in samples if each.measurand == measurand and each.format == "Raw"]
    if measurand != SOC:
        those = [each for each in those if each.location == "Outlet"]
    # Some stations repeat the value at the beginning in each message.
    those = [each for each in those if each.context != "Transaction.Begin"] or those
    totals = [value for each in those if each.phase is None and (value := _number(each, measurand)) is not None]
    if totals:
        return totals[-1]
    phases = {each.phase: value for each in those if each.phase and (value := _number(each, measurand)) is not None}
    return sum(phases.values()) if phases else None


def _number(sample: SampledValue, measurand: str) -> float | None:
    allowed = UNITS[measurand]
    unit = sample.unit if sample.unit in allowed else allowed[0]  # a Power sample without a unit is in W, not in Wh
    try:
        value = float(sample.value) * PER_UNIT[unit]
    except ValueError:
        return None
    return value if 0 <= value <= CREDIBLE[measurand] else None  # not a number is neither


# --- to the station ---------------------------------------------------------------------------------------------------


def call_of(command: model.Command) -> ToStation:
    """The call that carries a command.

    Raises:
        BadInput: a command that OCPP does not carry, or for a session of another protocol.
    """
    match command:
        case model.SetChargingProfile():
            return messages.SetChargingProfile(connector_id=CONNECTOR, cs_charging_profiles=_profile(command))
        case model.RemoteStart():
            return messages.RemoteStartTransaction(id_tag=command.id_token, connector_id=CONNECTOR)
        case model.RemoteStop():
            return messages.RemoteStopTransaction(transaction_id=transaction_id(command.session_id))
        case model.ReserveEvse():
            return messages.ReserveNow(
                connector_id=CONNECTOR,
                expiry_date=command.expires_at.astimezone(UTC),
                id_tag=command.id_token,
                reservation_id=command.reservation_id,
            )
        case model.CancelReservation():
            return messages.CancelReservation(reservation_id=command.reservation_id)
        case model.GuideDriver():
            raise BadInput("command", "drivers are not guided by OCPP")


def _profile(command: model.SetChargingProfile) -> ChargingProfile:
    if not command.limits_kw:
        raise BadInput("limits_kw", "a charging profile needs at least one step")
    periods: list[ChargingSchedulePeriod] = []
    for i, kw in enumerate(command.limits_kw):
        limit = float(math.floor(kw * 1000 + 1e-6))  # whole watts, never above what the site may draw
        if not periods or periods[-1].limit != limit:
            periods.append(ChargingSchedulePeriod(start_period=i * command.step_s, limit=limit))
    return ChargingProfile(
        charging_profile_id=PROFILE_ID,
        stack_level=STACK_LEVEL,
        charging_profile_purpose="TxProfile",
        charging_profile_kind="Absolute",
        transaction_id=transaction_id(command.session_id),
        charging_schedule=ChargingSchedule(
            charging_rate_unit="W",
            start_schedule=command.start.astimezone(UTC),
            charging_schedule_period=tuple(periods),
        ),
    )


# --- as the station sees it -------------------------------------------------------------------------------------------


def meter_value(at: datetime, meter_wh: float, power_kw: float, soc: float | None = None) -> MeterValue:
    """A reading as a station sends it."""
    samples = [
        SampledValue(value=f"{meter_wh:.1f}"),
        SampledValue(value=f"{power_kw * 1000:.1f}", measurand=POWER, unit="W"),
    ]
    if soc is not None:
        samples.append(SampledValue(value=f"{soc * 100:.1f}", measurand=SOC, unit="Percent", location="EV"))
    return MeterValue(timestamp=at, sampled_value=tuple(samples))


def command_of(
    evse_id: str,
    said: messages.RemoteStartTransaction | messages.RemoteStopTransaction | messages.ReserveNow | messages.CancelReservation,
    at: datetime,
) -> model.Command:
    """The command that a call carries: inverse of `call_of`, save for charging profiles, which stations keep themselves."""
    match said:
        case messages.RemoteStartTransaction():
            return model.RemoteStart(at=at, evse_id=evse_id, id_token=id_token(said.id_tag))
        case messages.RemoteStopTransaction():
            return model.RemoteStop(at=at, evse_id=evse_id, session_id=session_id(said.transaction_id))
        case messages.ReserveNow():
            return model.ReserveEvse(
                at=at,
                evse_id=evse_id,
                reservation_id=said.reservation_id,
                id_token=id_token(said.id_tag),
                expires_at=as_utc(said.expiry_date),
            )
        case messages.CancelReservation():
            return model.CancelReservation(at=at, evse_id=evse_id, reservation_id=said.reservation_id)
