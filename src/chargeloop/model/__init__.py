"""Immutable records of the five dimensions (vehicle, station, user, grid, site), and the seam: events in, commands out."""

from chargeloop.model.city import Behaviour, City, Demand, Roads, Weather
from chargeloop.model.commands import (
    CancelReservation,
    Command,
    GuideDriver,
    RemoteStart,
    RemoteStop,
    ReserveEvse,
    SetChargingProfile,
)
from chargeloop.model.decision import Certificate, Decision, Offer, Promise
from chargeloop.model.errors import BadInput, ChargeloopError, Unreachable
from chargeloop.model.events import (
    ChargeEnded,
    ChargeRequested,
    ChargingNeedsTold,
    DecisionMade,
    DriverArrived,
    Event,
    EvseStatusChanged,
    MeterSampled,
    RequestWithdrawn,
    ReservationClosed,
    ReservationMade,
    SessionEnded,
    SessionStarted,
    WeatherObserved,
)
from chargeloop.model.grid import Circuit, CircuitKind, EnergyPrice
from chargeloop.model.layout import Layout
from chargeloop.model.session import Cdr, CostLine, MeterPoint, Reservation, ReservationState, Session, StopReason
from chargeloop.model.site import Place, Site, SiteType, Zone
from chargeloop.model.station import Connector, Evse, EvseStatus, Plug, Station
from chargeloop.model.tariff import PriceBand, Tariff
from chargeloop.model.user import ChargeRequest, Payment, Sort, User
from chargeloop.model.vehicle import ChargingCurve, Current, FleetShare, Tier, VehicleModel
from chargeloop.model.world import World

__all__ = [
    "BadInput",
    "Behaviour",
    "CancelReservation",
    "Cdr",
    "Certificate",
    "ChargeEnded",
    "ChargeRequest",
    "ChargeRequested",
    "ChargeloopError",
    "ChargingCurve",
    "ChargingNeedsTold",
    "Circuit",
    "CircuitKind",
    "City",
    "Command",
    "Connector",
    "CostLine",
    "Current",
    "Decision",
    "DecisionMade",
    "Demand",
    "DriverArrived",
    "EnergyPrice",
    "Event",
    "Evse",
    "EvseStatus",
    "EvseStatusChanged",
    "FleetShare",
    "GuideDriver",
    "Layout",
    "MeterPoint",
    "MeterSampled",
    "Offer",
    "Payment",
    "Place",
    "Plug",
    "PriceBand",
    "Promise",
    "RemoteStart",
    "RemoteStop",
    "RequestWithdrawn",
    "Reservation",
    "ReservationClosed",
    "ReservationMade",
    "ReservationState",
    "ReserveEvse",
    "Roads",
    "Session",
    "SessionEnded",
    "SessionStarted",
    "SetChargingProfile",
    "Site",
    "SiteType",
    "Sort",
    "Station",
    "StopReason",
    "Tariff",
    "Tier",
    "Unreachable",
    "User",
    "VehicleModel",
    "Weather",
    "WeatherObserved",
    "World",
    "Zone",
]
