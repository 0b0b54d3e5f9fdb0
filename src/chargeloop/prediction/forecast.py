"""A forecast, and how forecasts of zones add up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats

QUANTILES = (0.1, 0.5, 0.9)
ZONE_CORRELATION = 0.1  # of day-ahead errors, mean over pairs of 45 Shenzhen zones: 0.07 to 0.13 by month


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Demand of each zone, hours x zones, kWh in the hour; row 0 is the hour that starts at the full hour of `origin`.

    Never negative, and q10 <= q50 <= q90. `methods`: which method made it, by zone; () where there is only one.
    """

    origin: datetime
    zone_ids: tuple[str, ...]
    q10: Floats
    q50: Floats
    q90: Floats
    methods: tuple[str, ...] = ()

    @classmethod
    def of(cls, origin: datetime, zone_ids: Sequence[str], point: Floats, spread: Floats) -> "Forecast":
        """`spread`: 3 x hours x zones, what to add to `point` for each of `QUANTILES`."""
        low, middle, high = np.maximum(np.sort(point + spread, axis=0), 0)
        return cls(origin, tuple(zone_ids), low, middle, high)


def named(zone_ids: Sequence[str], zones: int) -> tuple[str, ...]:
    """The zones' names; their numbers where none are given."""
    if zone_ids and len(zone_ids) != zones:
        raise BadInput("zone_ids", f"want {zones} names, got {len(zone_ids)}")
    return tuple(zone_ids) or tuple(str(z) for z in range(zones))
