"""What each kind of vehicle wants. The figures are assumptions, set by hand for a large Chinese city.

private       price and comfort: minds the amount, and more than others a way round and a wait that may turn out long
taxi          lost fares: a minute is worth what the hour earns
ride_hailing  the same, with peaks of its own
bus           a timetable, and a depot that pays the bill: being late is dear
logistics     a timetable that gives way, and a depot
emergency     before all others, whatever it costs; may use the bays that are held for such vehicles
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chargeloop.model import Current, Tier

HOURS = 24
# What an hour on the road earns by local hour, CNY. Few ride at night; the mornings and evenings pay.
TAXI_EARNS = (
    *(35.0, 25.0, 20.0, 20.0, 25.0, 40.0),
    *(60.0, 85.0, 90.0, 75.0, 60.0, 60.0),
    *(55.0, 55.0, 60.0, 60.0, 65.0, 80.0),
    *(90.0, 85.0, 75.0, 75.0, 70.0, 50.0),
)
RIDE_HAILING_EARNS = (
    *(30.0, 20.0, 15.0, 15.0, 20.0, 35.0),
    *(55.0, 85.0, 90.0, 65.0, 50.0, 50.0),
    *(50.0, 50.0, 50.0, 55.0, 60.0, 80.0),
    *(95.0, 80.0, 65.0, 65.0, 60.0, 45.0),
)


@dataclass(frozen=True, slots=True)
class TierWeights:
    """The strategy of one kind of vehicle. Weights without a unit multiply the named term.

    `earns_per_h`: CNY by local hour, in place of `value_of_time_per_h` where the hour is known.
    """

    value_of_time_per_h: float  # CNY an hour
    drive: float = 1.0
    wait: float = 1.0
    charge_dc: float = 1.0
    charge_ac: float = 0.1  # the driver is elsewhere meanwhile
    amount: float = 1.0
    late: float = 1.0  # a minute past the deadline, in minutes of this tier
    turn: int = 2  # who chooses first where a solver goes one by one: 0 before all others
    detour: float = 1.0
    uncertainty: float = 1.0
    v2g: float = 1.0
    earns_per_h: tuple[float, ...] = ()
    uses_held_bays: bool = False

    def minute(self, own_per_h: float | None, hour: int | None = None) -> float:
        """CNY that a minute is worth: what the driver says, else what the hour earns, else the usual."""
        if own_per_h is not None:
            return own_per_h / 60
        if hour is not None and self.earns_per_h:
            return self.earns_per_h[hour % HOURS] / 60
        return self.value_of_time_per_h / 60

    def charge(self, current: Current) -> float:
        return self.charge_dc if current is Current.DC else self.charge_ac


STRATEGIES: Mapping[Tier, TierWeights] = MappingProxyType(
    {
        Tier.PRIVATE: TierWeights(40.0, detour=1.5, uncertainty=1.25),
        Tier.TAXI: TierWeights(60.0, earns_per_h=TAXI_EARNS),
        Tier.RIDE_HAILING: TierWeights(55.0, earns_per_h=RIDE_HAILING_EARNS),
        Tier.BUS: TierWeights(150.0, amount=0.5, late=3.0, turn=1),
        Tier.LOGISTICS: TierWeights(80.0, late=2.0),
        Tier.EMERGENCY: TierWeights(600.0, amount=0.0, late=5.0, turn=0, v2g=0.0, uses_held_bays=True),
    }
)
