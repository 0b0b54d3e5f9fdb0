"""When each kind of vehicle comes, who comes without need, and where buses stand: assumptions, no data set here says them."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import City, Current, Layout, Tier
from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation import STRATEGIES

TIERS = tuple(Tier)
ALWAYS = (1.0,) * 24
# How many times as often as on the mean of the day a vehicle of the tier is among those who ask, by local hour.
TIER_HOURS: Mapping[Tier, tuple[float, ...]] = MappingProxyType(
    {
        Tier.PRIVATE: ALWAYS,
        # the shift changes before dawn and in the afternoon, and the meal at noon
        Tier.TAXI: (*(0.8, 0.8, 1.2, 2.0, 2.5, 2.0), *(0.6, 0.3, 0.3, 0.5, 0.9, 1.5), *(1.8, 1.4, 1.0, 1.4, 2.0, 1.2))
        + (0.4,) * 6,
        # between the two peaks, and after the second
        Tier.RIDE_HAILING: (1.5, 1.5, 1.5, 1.2, 1.0, 0.8, 0.6, 0.3, 0.3, 0.6)
        + (1.3,) * 6
        + (0.8, 0.4, 0.4, 0.6, 0.9, 1.2, 1.4, 1.5),
        # the tour's break at noon, and its end in the evening
        Tier.LOGISTICS: (0.6,) * 6
        + (0.3, 0.3, 0.4, 0.6, 1.0, 1.8, 2.2, 1.8, 1.0, 0.7, 0.8, 1.2)
        + (1.8, 1.8, 1.4, 1.0, 0.8, 0.6),
        # at night, at the depot
        Tier.BUS: (3.0, 3.0, 2.5, 2.0, 1.5, 0.5) + (0.1,) * 4 + (0.4,) * 4 + (0.2,) * 6 + (0.8, 1.8, 2.5, 3.0),
        Tier.EMERGENCY: ALWAYS,
    }
)
ANXIOUS_SOC = (0.6, 0.85)  # with which private drivers ask who have no need to, uniform
DEPOT_FROM_BAYS = 4  # fast bays of a station that can be a depot


def mix(city: City, kind: Current, own_hours: bool) -> Floats:
    """24 local hours x rows of the fleet table: the share of each among those who ask for this current.

    Each hour's shares sum to 1, so that as many ask as the demand says, whatever they drive.
    """
    of_model = {m.model_id: m.dc_kw if kind is Current.DC else m.ac_kw for m in city.models}
    share = np.array([s.share if of_model[s.model_id] > 0 else 0.0 for s in city.fleet])
    often = np.array([TIER_HOURS[s.tier] if own_hours else ALWAYS for s in city.fleet]).T
    by_hour = share * often
    total = by_hour.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(by_hour, total, out=np.zeros_like(by_hour), where=total > 0))


def drawn(share: Floats, hour: Ints, u: Floats) -> Ints:
    """Of each driver the row of the fleet table at quantile `u` of the shares (24 x rows) of his hour."""
    upto = np.cumsum(share, axis=1)
    upto /= np.maximum(upto[:, -1:], 1e-300)
    return np.asarray(np.minimum((u[:, None] >= upto[hour]).sum(axis=1), share.shape[1] - 1))


def earns(tier: Ints, hour: Ints) -> Floats:
    """What a driver's hour earns over what his tier's does on the whole; 1 for those who earn nothing on the road."""
    table = np.array([_earns(each) for each in TIERS])
    return np.asarray(table[tier, hour])


def _earns(tier: Tier) -> tuple[float, ...]:
    strategy = STRATEGIES[tier]
    return tuple(each / strategy.value_of_time_per_h for each in strategy.earns_per_h) or ALWAYS


def depots(layout: Layout) -> Ints:
    """By zone: the station with most fast bays, if it has enough to be a depot; else -1."""
    dc = layout.pool_is_dc[layout.evse_pool]
    bays = np.bincount(layout.evse_station[dc], minlength=len(layout.station_ids))
    found = np.full(len(layout.zone_ids), -1)
    for station in np.argsort(bays, kind="stable"):  # so the largest comes last and stays
        if bays[station] >= DEPOT_FROM_BAYS:
            found[layout.station_zone[station]] = station
    return found


def is_tier(tier: Ints, which: Tier) -> NDArray[np.bool_]:
    return np.asarray(tier == TIERS.index(which))
