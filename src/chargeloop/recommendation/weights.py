"""What a kilometre, a busy bay and the rest of the objective are worth, all in CNY; by kind of vehicle, see `strategies`.

The figures are assumptions, set by hand for a large Chinese city; a request's own `value_of_time_per_h` goes before its tier's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chargeloop.model import Current, Tier
from chargeloop.recommendation.strategies import STRATEGIES, TierWeights


@dataclass(frozen=True, slots=True)
class Weights:
    """All weights of F. The utilisation weights are CNY for a full busy share; see `objective.busy_cost`."""

    tiers: Mapping[Tier, TierWeights] = field(default_factory=lambda: STRATEGIES)
    target_utilisation: float = 0.7
    empty_bonus: float = 2.0  # -c at an empty station
    full_penalty: float = 6.0  # +c at a full one
    constant_c: float | None = None  # the literal constant c of F = sum(w T + c U), instead of the signed one
    distance_per_km: float = 0.3  # wear and energy of the drive
    regional_load_per_kwh: float = 0.4  # at a circuit loaded to its limit; grows with the square of the load
    energy_price: float = 0.3  # share of what the energy costs to buy that counts for the city, beside the amount
    others_per_h: float = 40.0  # value of time of the drivers the forecast expects
    driven_on_min: float = 15.0  # a driver kept from a bay for longer than this goes elsewhere
    preference: float = 1.0  # how often more a driver's own order counts what it is about
    nearest_per_km: float = 2.0  # what "nearest first" takes a kilometre for
    wait_risk: float = 2.0  # standard deviations above the middle of the wait that is reckoned with
    reserve_soc: float = 0.05  # share of the battery to arrive with, at least
    overstay_min: float = 4.0  # from the end of charging until the bay is free
    v2g_driver_share: float = 0.7  # of what energy given back earns
    v2g_battery_share: float = 0.2  # of the battery that is given back and taken again, at most
    v2g_efficiency: float = 0.85  # there and back
    v2g_wear_per_kwh: float = 0.1

    def minute(self, tier: Tier, value_of_time_per_h: float | None, hour: int | None = None) -> float:
        """CNY that a minute of this driver is worth, at a local hour if one is named."""
        return self.tiers[tier].minute(value_of_time_per_h, hour)

    def charge(self, tier: Tier, current: Current) -> float:
        return self.tiers[tier].charge(current)


DEFAULT = Weights()
