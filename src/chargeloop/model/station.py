"""Dimension 2: the station, its EVSEs and their connectors."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from chargeloop.model.quantities import Id, Positive
from chargeloop.model.vehicle import Current


class Plug(StrEnum):
    GBT_AC = "GB/T AC"
    GBT_DC = "GB/T DC"
    TYPE2 = "Type 2"
    CCS2 = "CCS 2"


class EvseStatus(IntEnum):
    """State of an EVSE as one small number for arrays; names follow OCPP 1.6."""

    AVAILABLE = 0
    PREPARING = 1
    CHARGING = 2
    SUSPENDED_EV = 3
    SUSPENDED_EVSE = 4
    FINISHING = 5
    RESERVED = 6
    UNAVAILABLE = 7
    FAULTED = 8


OUT_OF_ORDER = (int(EvseStatus.UNAVAILABLE), int(EvseStatus.FAULTED))


@dataclass(frozen=True, slots=True)
class Connector:
    connector_id: int
    plug: Plug
    power_kw: Positive


@dataclass(frozen=True, slots=True)
class Evse:
    """One charging bay: serves one vehicle at a time. `evse_id` is also its OCPP identity where it is a charger of its own.

    `v2g`: it can also take energy back from a vehicle.
    """

    evse_id: Id
    current: Current
    power_kw: Positive
    connectors: tuple[Connector, ...]
    v2g: bool = False


@dataclass(frozen=True, slots=True)
class Station:
    """EVSEs at one site under one operator (CPO) and one tariff.

    `opens_h`, `closes_h`: local hours, 0 and 24 for always open.
    """

    station_id: Id
    name: str
    operator_id: Id
    site_id: Id
    tariff_id: Id
    evses: tuple[Evse, ...]
    opens_h: float = 0.0
    closes_h: float = 24.0
