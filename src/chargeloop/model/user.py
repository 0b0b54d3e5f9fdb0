"""Dimension 3: the user: what a driver's minute is worth, what is preferred, and how it is paid."""

from dataclasses import dataclass
from enum import StrEnum

from chargeloop.model.quantities import Id, IdToken, NonNegative, Positive, Share, Utc
from chargeloop.model.site import Place
from chargeloop.model.vehicle import Current, Tier


class Payment(StrEnum):
    CONTRACT = "contract"
    AD_HOC = "ad_hoc"


class Sort(StrEnum):
    """A driver's own order of the offers."""

    SOONEST = "soonest"
    CHEAPEST = "cheapest"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class User:
    """`value_of_time_per_h`: CNY that an hour is worth, None for the tier's default."""

    user_id: Id
    id_token: IdToken
    value_of_time_per_h: NonNegative | None = None
    sort: Sort = Sort.SOONEST
    payment: Payment = Payment.CONTRACT
    excluded_operators: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """One driver who wants to charge: where, with what battery, how much, and by when.

    `id_token` is what the driver shows the charger, so a session finds its request; `model_id` names a VehicleModel;
    `soc` is now, `target_soc` wanted; `depart_by` is the deadline; `sort` the driver's
    own order of the offers, if one was chosen. `destination`: where the driver is heading, so that only the detour counts;
    `depot_station_id`: the vehicle's own depot, to which it is heading if no destination is named; `v2g`: willing to give
    energy back while parked; `planned_kwh`: what the vehicle needs before it can next charge, None where nobody says.
    """

    request_id: Id
    at: Utc
    place: Place
    id_token: IdToken
    model_id: Id
    tier: Tier
    current: Current
    soc: Share
    target_soc: Share
    battery_kwh: Positive
    depart_by: Utc
    user_id: Id | None = None
    value_of_time_per_h: NonNegative | None = None
    excluded_operators: tuple[Id, ...] = ()
    sort: Sort | None = None
    destination: Place | None = None
    depot_station_id: Id | None = None
    v2g: bool = False
    planned_kwh: NonNegative | None = None

    def __post_init__(self) -> None:
        if self.depart_by <= self.at:
            raise ValueError("depart_by must lie after at")
        if self.target_soc < self.soc:
            raise ValueError("target_soc must not lie below soc")

    @property
    def energy_kwh(self) -> float:
        return (self.target_soc - self.soc) * self.battery_kwh
