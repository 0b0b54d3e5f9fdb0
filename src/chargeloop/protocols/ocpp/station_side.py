"""As the station sees it: readings it sends, and commands it gets, in OCPP 1.6."""

from datetime import datetime

from chargeloop import model
from chargeloop.model import EvseStatus, StopReason
from chargeloop.protocols.ocpp import messages
from chargeloop.protocols.ocpp.facts import as_utc, id_token
from chargeloop.protocols.ocpp.messages import MeterValue, SampledValue
from chargeloop.protocols.ocpp.meter import POWER, SOC
from chargeloop.protocols.ocpp.transaction import session_id
from chargeloop.protocols.ocpp.v16 import STATUS

CONNECTOR = 1  # a charger of the twin has one connector
STATUS_NAME: dict[EvseStatus, messages.ConnectorStatus] = {status: name for name, status in STATUS.items()}  # type: ignore[misc]
STOP_NAME = {
    StopReason.FULL: "EVDisconnected",
    StopReason.DEPARTED: "EVDisconnected",
    StopReason.REMOTE: "Remote",
    StopReason.FAULT: "EmergencyStop",
    StopReason.OTHER: "Other",
}


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
