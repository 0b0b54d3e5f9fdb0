"""The objective F = sum over requests i of (w_i T_i + c_i U_i), as named terms. Every term is in CNY; smaller is better.

    drive             minutes to the station                        x value of time x weight of the tier
    wait              expected minutes until a bay is free          x value of time x weight of the tier
    charge            minutes on this vehicle's curve               x value of time x weight of the tier and the current
    amount            what the driver pays                          x weight of the tier
    utilisation       phi(U), convex: see `busy_cost`
    regional_load     kWh x CNY/kWh x (load / limit)^2 of the most loaded circuit above the station
    energy_price      kWh x what a kWh costs to buy in those hours  x share
    distance          km to the station                             x CNY/km
    priority          minutes past the deadline                     x value of time x urgency of the tier
    demand_intensity  minutes that the stay takes from drivers who are forecast: see `others_delayed_min`
    preference        the driver's own order of the offers: what it is about, counted again

U_i is the expected busy share of the assigned station's usable bay-time over i's stay, i and the rest of the plan included.
"""

import numpy as np

from chargeloop.model.city import Floats
from chargeloop.physics import kernel
from chargeloop.recommendation.weights import Weights

TERMS = (
    "drive",
    "wait",
    "charge",
    "amount",
    "utilisation",
    "regional_load",
    "energy_price",
    "distance",
    "priority",
    "demand_intensity",
    "preference",
)


def busy_curve(weights: Weights) -> Floats:
    """The four figures of phi as one array: target, bonus at empty, penalty at full, constant c (NaN: signed)."""
    constant = np.nan if weights.constant_c is None else weights.constant_c
    return np.array([weights.target_utilisation, weights.empty_bonus, weights.full_penalty, constant])


@kernel
def busy_cost(curve: Floats, busy: float) -> float:
    """phi(U), CNY: convex, phi(0) = 0, and c = phi'(U) runs from -bonus (empty) through 0 (target) to +penalty (full).

    So the next driver is drawn to a station below its target utilisation, and kept from one above it. c * U where c is constant.
    """
    target, bonus, penalty, constant = curve
    if not np.isnan(constant):
        return float(constant * busy)
    below = min(busy, target)
    above = max(busy - target, 0.0)
    cost = -bonus * (below - below * below / (2 * target)) if target > 0 else 0.0
    return float(cost + (penalty * above * above / (2 * (1 - target)) if target < 1 else 0.0))


@kernel
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
