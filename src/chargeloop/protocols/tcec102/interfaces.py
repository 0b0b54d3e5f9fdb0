"""The sixteen interfaces: `query_*` are asked of an operator, the others of a platform, `query_token` of both."""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from chargeloop.protocols.tcec102 import messages as m
from chargeloop.protocols.tcec102.codes import Refused, Ret

M = TypeVar("M", bound=m.Message)


@dataclass(frozen=True, slots=True)
class Interface:
    name: str
    request: type[m.Message]
    response: type[m.Message]


INTERFACES = {
    each.name: each
    for each in (
        Interface("query_token", m.TokenRequest, m.TokenResponse),
        Interface("query_stations_info", m.StationsRequest, m.StationsResponse),
        Interface("notification_stationInfo", m.StationChanged, m.Acknowledged),
        Interface("notification_stationStatus", m.StatusChanged, m.Acknowledged),
        Interface("query_station_status", m.StatusRequest, m.StatusResponse),
        Interface("query_station_stats", m.StatsRequest, m.StatsResponse),
        Interface("query_equip_auth", m.AuthRequest, m.AuthResponse),
        Interface("query_equip_business_policy", m.PolicyRequest, m.PolicyResponse),
        Interface("query_start_charge", m.StartRequest, m.StartResponse),
        Interface("notification_start_charge_result", m.StartResult, m.Taken),
        Interface("query_equip_charge_status", m.ChargeRequest, m.ChargeStatus),
        Interface("notification_equip_charge_status", m.ChargeStatus, m.Taken),
        Interface("query_stop_charge", m.StopRequest, m.StopResponse),
        Interface("notification_stop_charge_result", m.StopResult, m.Taken),
        Interface("notification_charge_order_info", m.ChargeOrder, m.OrderConfirmed),
        Interface("check_charge_orders", m.OrdersCheck, m.OrdersChecked),
    )
}


def read(kind: type[M], data: dict[str, Any]) -> M:
    """Data of an envelope as a message.

    Raises:
        Refused: 4004, naming the field.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Refused(Ret.BAD_BUSINESS_PARAMETERS, f"{field}: {first['msg']}" if field else first["msg"]) from None
