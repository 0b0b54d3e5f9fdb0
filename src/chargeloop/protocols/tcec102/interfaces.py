"""The sixteen interfaces: which side calls, what goes out and what comes back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import ValidationError

from chargeloop.protocols.tcec102 import messages as m
from chargeloop.protocols.tcec102.codes import Refused, Ret

M = TypeVar("M", bound=m.Message)


class Side(StrEnum):
    """Who is called."""

    OPERATOR = "operator"
    PLATFORM = "platform"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Interface:
    name: str
    at: Side
    request: type[m.Message]
    response: type[m.Message]


INTERFACES = {
    each.name: each
    for each in (
        Interface("query_token", Side.BOTH, m.TokenRequest, m.TokenResponse),
        Interface("query_stations_info", Side.OPERATOR, m.StationsRequest, m.StationsResponse),
        Interface("notification_stationInfo", Side.PLATFORM, m.StationChanged, m.Acknowledged),
        Interface("notification_stationStatus", Side.PLATFORM, m.StatusChanged, m.Acknowledged),
        Interface("query_station_status", Side.OPERATOR, m.StatusRequest, m.StatusResponse),
        Interface("query_station_stats", Side.OPERATOR, m.StatsRequest, m.StatsResponse),
        Interface("query_equip_auth", Side.OPERATOR, m.AuthRequest, m.AuthResponse),
        Interface("query_equip_business_policy", Side.OPERATOR, m.PolicyRequest, m.PolicyResponse),
        Interface("query_start_charge", Side.OPERATOR, m.StartRequest, m.StartResponse),
        Interface("notification_start_charge_result", Side.PLATFORM, m.StartResult, m.Taken),
        Interface("query_equip_charge_status", Side.OPERATOR, m.ChargeRequest, m.ChargeStatus),
        Interface("notification_equip_charge_status", Side.PLATFORM, m.ChargeStatus, m.Taken),
        Interface("query_stop_charge", Side.OPERATOR, m.StopRequest, m.StopResponse),
        Interface("notification_stop_charge_result", Side.PLATFORM, m.StopResult, m.Taken),
        Interface("notification_charge_order_info", Side.PLATFORM, m.ChargeOrder, m.OrderConfirmed),
        Interface("check_charge_orders", Side.PLATFORM, m.OrdersCheck, m.OrdersChecked),
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
