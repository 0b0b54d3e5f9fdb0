"""The objective F = sum over requests i of (w_i T_i + c_i U_i), as named terms. Every term is in CNY; smaller is better.

    drive             minutes to the station                        x value of time x weight of the tier
    detour            what the way to the driver's destination or depot gets longer, minutes and km; then not drive and distance
    wait              expected minutes until a bay is free          x value of time x weight of the tier
    charge            minutes on this vehicle's curve               x value of time x weight of the tier and the current
    amount            what the driver pays                          x weight of the tier
    utilisation       phi(U), convex: see `busy_cost`
    regional_load     kWh x CNY/kWh x (load / limit)^2 of the most loaded circuit above the station
    energy_price      kWh x what a kWh costs to buy in those hours  x share
    distance          km to the station                             x CNY/km
    priority          minutes past the deadline                     x value of time x urgency of the tier
    demand_intensity  minutes that the stay takes from drivers who are forecast: shadow prices, or `others_delayed_min`
    uncertainty       minutes that the wait may turn out longer      x value of time x weight of the tier
    preference        the driver's own order of the offers: what it is about, counted again
    v2g               less what a willing driver earns by giving energy back while parked

U_i is the expected busy share of the assigned station's usable bay-time over i's stay, i and the rest of the plan included.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import ChargeRequest, Sort
from chargeloop.model.city import Floats
from chargeloop.physics import kernel
from chargeloop.recommendation.weights import Weights

TERMS = (
    "drive",
    "detour",
    "wait",
    "charge",
    "amount",
    "utilisation",
    "regional_load",
    "energy_price",
    "distance",
    "priority",
    "demand_intensity",
    "uncertainty",
    "preference",
    "v2g",
)


@dataclass(frozen=True, slots=True, eq=False)
class Drivers:
    """What each of R drivers weighs, as columns (R x 1). Rates in CNY a minute; the others multiply their term."""

    drive: Floats
    detour: Floats
    wait: Floats
    uncertainty: Floats
    charge: Floats
    unattended: Floats  # charging where nobody waits for the vehicle
    late: Floats
    amount: Floats
    v2g: Floats
    soonest: Floats  # CNY a minute that the minutes count again
    cheapest: Floats
    nearest: Floats  # CNY a km

    @classmethod
    def of(
        cls, requests: Sequence[ChargeRequest], sorts: Sequence[Sort | None], weights: Weights, hour: int | None = None
    ) -> "Drivers":
        """`hour`: the local hour in which they ask."""
        rows = []
        for request, sort in zip(requests, sorts, strict=True):
            tier, minute = weights.tiers[request.tier], weights.minute(request.tier, request.value_of_time_per_h, hour)
            rows.append(
                (
                    minute * tier.drive,
                    minute * tier.detour,
                    minute * tier.wait,
                    minute * tier.wait * tier.uncertainty,
                    minute * tier.charge(request.current),
                    minute * tier.charge_ac,
                    minute * tier.late,
                    tier.amount,
                    tier.v2g,
                    weights.preference * minute * (sort is Sort.SOONEST),
                    weights.preference * (sort is Sort.CHEAPEST),
                    weights.preference * weights.nearest_per_km * (sort is Sort.NEAREST),
                )
            )
        return cls(*(np.array(column)[:, None] for column in zip(*rows, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What each option means, R x K: what the fixed terms are made from. `at_depot`: nobody waits for the vehicle there.

    `detour_*`: NaN for drivers who are heading nowhere else; theirs is the drive.
    """

    drive_min: Floats
    drive_km: Floats
    detour_min: Floats
    detour_km: Floats
    charge_min: Floats
    energy_kwh: Floats
    amount: Floats  # CNY
    load_share: Floats
    energy_price: Floats  # CNY per kWh to buy, mean over the charge
    others_min: Floats  # see `others_delayed_min`
    longer_min: Floats  # what a likely wait is longer than the expected one
    v2g_cny: Floats  # see `v2g.earned`
    at_depot: NDArray[np.bool_]


def fixed_terms(drivers: Drivers, facts: Facts, weights: Weights) -> dict[str, Floats]:
    """The terms that don't depend on where the others go, CNY, R x K; see `plan_terms` for the rest."""
    heading = np.isfinite(facts.detour_min)
    way_round = drivers.detour * facts.detour_min + weights.distance_per_km * facts.detour_km
    return {
        "drive": np.where(heading, 0.0, drivers.drive * facts.drive_min),
        "detour": np.where(heading, way_round, 0.0),
        "charge": np.where(facts.at_depot, drivers.unattended, drivers.charge) * facts.charge_min,
        "amount": drivers.amount * facts.amount,
        "regional_load": weights.regional_load_per_kwh * facts.load_share**2 * facts.energy_kwh,
        "energy_price": weights.energy_price * facts.energy_price * facts.energy_kwh,
        "distance": np.where(heading, 0.0, weights.distance_per_km * facts.drive_km),
        "demand_intensity": weights.others_per_h / 60 * facts.others_min,
        "uncertainty": drivers.uncertainty * facts.longer_min,
        "preference": drivers.soonest * (facts.drive_min + facts.charge_min)
        + drivers.cheapest * facts.amount
        + drivers.nearest * facts.drive_km,
        "v2g": -drivers.v2g * facts.v2g_cny,
    }


def plan_terms(drivers: Drivers, wait_min: Floats, late_min: Floats, busy: Floats, curve: Floats) -> dict[str, Floats]:
    """The terms that a plan decides, CNY, R x K; the wait is also part of the preference of who wants it soonest."""
    return {
        "wait": drivers.wait * wait_min,
        "utilisation": busy_costs(curve, busy),
        "priority": drivers.late * late_min,
        "preference": drivers.soonest * wait_min,
    }


def busy_curve(weights: Weights) -> Floats:
    """The four figures of phi as one array: target, bonus at empty, penalty at full, constant c (NaN: signed)."""
    constant = np.nan if weights.constant_c is None else weights.constant_c
    return np.array([weights.target_utilisation, weights.empty_bonus, weights.full_penalty, constant])


@kernel
def busy_cost(curve: Floats, busy: float) -> float:
    """phi(U), CNY: convex, phi(0) = 0, and c = phi'(U) runs from -bonus (empty) through 0 (target) to +penalty (full).

    So the next driver is drawn to a station below its target utilisation and kept from one above it.
    Where c is constant, phi(U) = c U.
    """
    target, bonus, penalty, constant = curve
    if not np.isnan(constant):
        return float(constant * busy)
    below = min(busy, target)
    above = max(busy - target, 0.0)
    cost = -bonus * (below - below * below / (2 * target)) if target > 0 else 0.0
    return float(cost + (penalty * above * above / (2 * (1 - target)) if target < 1 else 0.0))


@kernel
def best_busy(curve: Floats, least: float) -> float:
    """The U in [least, 1] at which phi(U) is smallest: convex, so at the target or at an end."""
    if not np.isnan(curve[3]):
        return 1.0 if curve[3] < 0 else least
    return float(min(max(curve[0], least), 1.0))


@kernel
def busy_costs(curve: Floats, busy: Floats) -> Floats:
    """`busy_cost` of each entry."""
    flat = busy.ravel()
    cost = np.empty(flat.size)
    for k in range(flat.size):
        cost[k] = busy_cost(curve, flat[k])
    return cost.reshape(busy.shape)


def busy_price(curve: Floats, busy: float) -> float:
    """c = phi'(U), CNY for a full busy share."""
    target, bonus, penalty, constant = curve
    if not np.isnan(constant):
        return float(constant)
    if busy < target:
        return float(-bonus * (1 - busy / target))
    return float(penalty * (busy - target) / (1 - target)) if target < 1 else 0.0


def others_delayed_min(inflow_per_h: Floats, bays: Floats, stay_min: Floats, driven_on_min: float) -> Floats:
    """Minutes that holding one of `bays` for `stay_min` is expected to cost drivers who come at `inflow_per_h`; broadcasts.

    First order: at most one driver is displaced, if one comes during the stay, and only when all other bays are taken
    (each with the offered load as probability); the wait is then until the first of `bays` frees, or until driving on.
    """
    during = inflow_per_h * stay_min / 60
    all_others_taken = np.minimum(during / bays, 1) ** (bays - 1)
    return np.asarray(np.minimum(during, 1) * all_others_taken * np.minimum(stay_min / (bays + 1), driven_on_min))


def price_over(cny_per_kwh_by_hour: Floats, start_h: Floats, hours: Floats) -> Floats:
    """Mean hourly price between the local hour `start_h` and `hours` later (any day); broadcasts."""
    paid = np.concatenate([[0.0], np.cumsum(cny_per_kwh_by_hour)])

    def until(hour: Floats) -> Floats:
        day, rest = np.divmod(hour, 24)
        return np.asarray(day * paid[-1] + np.interp(rest, np.arange(25), paid))

    length = np.maximum(hours, 1 / 60)
    return np.asarray((until(start_h + length) - until(start_h)) / length)
