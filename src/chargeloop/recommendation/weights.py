"""What a minute, a kilometre and a busy bay are worth: the weights of the objective, by tier of vehicle, all in CNY.

The figures are assumptions, set by hand for a large Chinese city; a request's own `value_of_time_per_h` goes before its tier's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from chargeloop.model import Current, Tier


@dataclass(frozen=True, slots=True)
class TierWeights:
    """The strategy of one kind of vehicle. Weights without a unit multiply the named term."""

    value_of_time_per_h: float  # CNY an hour
    drive: float = 1.0
    wait: float = 1.0
    charge_dc: float = 1.0
    charge_ac: float = 0.1  # the driver is elsewhere meanwhile
    amount: float = 1.0
    late: float = 1.0  # a minute past the deadline, in minutes of this tier
    turn: int = 2  # who chooses first where a solver goes one by one: 0 before all others


@dataclass(frozen=True, slots=True)
class Weights:
    """All weights of F. The utilisation weights are CNY for a full busy share; see `objective.busy_cost`."""

    tiers: Mapping[Tier, TierWeights] = field(
        default_factory=lambda: MappingProxyType(
            {
                Tier.PRIVATE: TierWeights(40.0),
                Tier.TAXI: TierWeights(60.0),  # lost fares
                Tier.RIDE_HAILING: TierWeights(55.0),
                Tier.BUS: TierWeights(150.0, amount=0.5, late=3.0, turn=1),  # a timetable, and a depot that pays the bill
                Tier.LOGISTICS: TierWeights(80.0, late=2.0),
                Tier.EMERGENCY: TierWeights(600.0, amount=0.0, late=5.0, turn=0),
            }
        )
    )
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

    def minute(self, tier: Tier, value_of_time_per_h: float | None) -> float:
        """CNY that a minute of this driver is worth."""
        return (self.tiers[tier].value_of_time_per_h if value_of_time_per_h is None else value_of_time_per_h) / 60

    def charge(self, tier: Tier, current: Current) -> float:
        return self.tiers[tier].charge_dc if current is Current.DC else self.tiers[tier].charge_ac


DEFAULT = Weights()
