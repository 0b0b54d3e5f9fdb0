""" "Not now": whether a driver needs to charge at all, and when coming would be better, for him and for the others.

The shares are assumptions: no data set here says what drivers have planned.
"""

from datetime import datetime, timedelta

import numpy as np

from chargeloop.model import ChargeRequest, Current, Layout, NotNow, Offer, Tariff, Tier
from chargeloop.model.city import Floats
from chargeloop.physics import full_hour, kernel, utc_offset_s
from chargeloop.pricing import quote
from chargeloop.recommendation.build import is_open
from chargeloop.recommendation.prices import DayAhead
from chargeloop.recommendation.weights import DEFAULT, Weights

RESERVE_SOC = 0.2  # kept beside what is planned
PLANNED_SOC = 0.3  # what is planned until the next charge, where nobody says
AMPLE_SOC = 0.3  # left beside what is planned, from which on charging is needless
ENOUGH_SOC = PLANNED_SOC + RESERVE_SOC
NEEDLESS_SOC = PLANNED_SOC + AMPLE_SOC
LOOK_AHEAD_H = 12
WORTH_SHARE, WORTH_MIN = 0.15, 5.0  # of the amount, and minutes of the driver: what makes waiting worth saying
NEEDLESS_WORTH_MIN = 1.0  # to one who has no need


@kernel
def has_enough(soc: float, planned: float, kept: float) -> bool:
    """Whether `kept` is left of the battery after what is planned (shares)."""
    return soc - planned >= kept - 1e-9


@kernel
def worth_saying(amount: float, minute: float, needless: bool) -> float:
    """CNY that coming later must save. `amount`: of the charge; `minute`: CNY that the driver's is worth."""
    return NEEDLESS_WORTH_MIN * minute if needless else max(WORTH_SHARE * amount, WORTH_MIN * minute)


@kernel
def best_slot(now: float, later: Floats, worth: float) -> int:
    """The slot that costs least; -1 where that is not less than now by `worth`."""
    best = -1
    for slot in range(later.size):
        if later[slot] <= now - worth and (best < 0 or later[slot] < later[best]):
            best = slot
    return best


def not_now(
    request: ChargeRequest,
    offer: Offer,
    at: datetime,
    tariff: Tariff,
    layout: Layout,
    ahead: DayAhead | None,
    weights: Weights = DEFAULT,
) -> NotNow | None:
    """A full hour within the next twelve at which the same charge at the same station is better by what is worth saying.

    Better is measured in CNY: the amount, and at shadow prices the minutes of the driver's wait and those that the stay takes
    from others. Without prices for those hours the amount alone decides. None for who has not enough charge to wait, who would
    gain too little, and for emergency vehicles.
    """
    planned = PLANNED_SOC if request.planned_kwh is None else request.planned_kwh / request.battery_kwh
    if request.tier is Tier.EMERGENCY or not has_enough(request.soc, planned, RESERVE_SOC):
        return None
    slots = _slots(offer, at, tariff.time_zone, layout, ahead)
    if not slots:
        return None
    tier, minute = weights.tiers[request.tier], weights.minute(request.tier, request.value_of_time_per_h)
    amounts = [quote(tariff, slot, offer.charge_min, offer.energy_kwh).amount for slot in slots]
    own_min, others_now_min, others_min = _minutes(offer, at, slots, layout, ahead, weights)
    others = weights.others_per_h / 60
    now_cny = tier.amount * float(offer.amount) + minute * own_min + others * others_now_min
    later_cny = tier.amount * np.array([float(amount) for amount in amounts]) + others * others_min
    needless = bool(has_enough(request.soc, planned, AMPLE_SOC))
    best = best_slot(now_cny, later_cny, worth_saying(float(offer.amount), minute, needless))
    if best < 0:
        return None
    saves, saves_min = offer.amount - amounts[best], own_min + others_now_min - float(others_min[best])
    why = f"there is charge enough to wait: coming later saves CNY {saves:.2f} and {saves_min:.0f} minutes, yours and others'"
    return NotNow(slots[best], saves_min, saves, needless, why)


def _slots(offer: Offer, at: datetime, time_zone: str, layout: Layout, ahead: DayAhead | None) -> list[datetime]:
    """Full hours at which the station is open for the whole charge, and the prices are known if any are."""
    station = layout.station_index[offer.station_id]
    later = [full_hour(at) + timedelta(hours=hours) for hours in range(1, LOOK_AHEAD_H + 1)]
    start_h = np.array([(slot.timestamp() + utc_offset_s(slot, time_zone)) / 3600 % 24 for slot in later])
    hours = np.array(offer.charge_min / 60)
    open_then = is_open(layout.station_opens_h[station], layout.station_closes_h[station], start_h, hours)
    priced = ahead is not None and ahead.covers(at.timestamp())
    return [
        slot
        for slot, is_so in zip(later, open_then.tolist(), strict=True)
        if is_so and (not priced or ahead is None or ahead.covers(slot.timestamp() + offer.charge_min * 60))
    ]


def _minutes(
    offer: Offer, at: datetime, slots: list[datetime], layout: Layout, ahead: DayAhead | None, weights: Weights
) -> tuple[float, float, Floats]:
    """The driver's wait now, and what the stay takes from others now and at each slot. All 0 without prices."""
    if ahead is None or not ahead.covers(at.timestamp()):
        return 0.0, 0.0, np.zeros(len(slots))
    station, is_dc = layout.station_index[offer.station_id], offer.current is Current.DC
    pool = np.flatnonzero((layout.pool_station == station) & (layout.pool_is_dc == is_dc))
    begin_s = np.array([at.timestamp() + 60 * (offer.drive_min + offer.wait_min), *(slot.timestamp() for slot in slots)])
    stay_s = np.full((1, begin_s.size), 60 * (offer.charge_min + weights.overstay_min))
    taken = ahead.others_min(np.repeat(pool[:, None], begin_s.size, axis=1), begin_s[None], stay_s)[0]
    return offer.wait_min, float(taken[0]), taken[1:]
