"""How policy `priced` weighs a driver's options, by tier and local hour. The defaults are what is shipped."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from chargeloop.model import City, Layout, Tier
from chargeloop.model.city import Floats
from chargeloop.pricing import RateTable
from chargeloop.simulation.drivers import Drivers
from chargeloop.simulation.fleets import TIERS
from chargeloop.simulation.state import Records

RISK = 2.0  # the wait is reckoned with that so many standard deviations of bays coming free would not exceed
PARTS = {"night": (23, 7), "morning": (7, 12), "afternoon": (12, 17), "evening": (17, 23)}  # of the day, local hours


@dataclass(frozen=True, slots=True)
class Manner:
    """Minutes are always weighed; what else is, and how.

    `times_price` and `risk`, each times the factors of the driver's tier and of the part of the day he asks in (1 where none is
    named): on the shadow price of the stay, and on the standard deviations that the wait is reckoned with. `amount`: how often
    a CNY counts what it is worth to the driver; `busy_min`: minutes that a pool without a free bay is shunned by; `load_min`:
    those of a circuit loaded to its limit, growing with the square of the load.
    """

    times_price: float = 1.0
    risk: float = RISK
    price_factors: Mapping[str, float] = field(default_factory=dict)
    risk_factors: Mapping[str, float] = field(default_factory=dict)
    amount: float = 0.0
    busy_min: float = 0.0
    load_min: float = 0.0

    def tell(self, cars: Records, drivers: Drivers, utc_offset_s: float) -> None:
        """Write what each driver is to go by into the twin's record of him."""
        hour = ((drivers.appear_s + utc_offset_s) // 3600 % 24).astype(np.int64)
        cars["times_price"] = self.times_price * _by_tier_and_hour(self.price_factors)[drivers.tier, hour]
        cars["risk"] = self.risk * _by_tier_and_hour(self.risk_factors)[drivers.tier, hour]
        cars["cny_s"] = self.amount * 3600 / drivers.value_of_time_per_h


SHIPPED = Manner()


def _by_tier_and_hour(factors: Mapping[str, float]) -> Floats:
    """Tier x 24 local hours."""
    tier = np.array([factors.get(str(each), 1.0) for each in TIERS])
    hours = np.ones(24)
    for name, (begin, end) in PARTS.items():
        hours[np.arange(begin, end if end > begin else end + 24) % 24] = factors.get(name, 1.0)
    return np.outer(tier, hours)


def tiers_of(city: City) -> tuple[Tier, ...]:
    """Those that its fleet has."""
    there = {share.tier for share in city.fleet}
    return tuple(tier for tier in TIERS if tier in there)


def summed_tariffs(city: City, layout: Layout, start_h: int) -> Floats:
    """P x 25: CNY for a kW from local hour `start_h` on for 0 to 24 hours."""
    rates = RateTable.of(city.tariffs, [station.tariff_id for station in city.stations])
    per_kwh = np.roll(rates.energy + rates.service, -start_h, axis=1)[rates.of_station[layout.pool_station]]
    return np.concatenate([np.zeros((len(per_kwh), 1)), np.cumsum(per_kwh, axis=1)], axis=1)
