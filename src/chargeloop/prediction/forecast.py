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


def aggregate(forecast: Forecast, name: str = "city", correlation: float = ZONE_CORRELATION) -> Forecast:
    """The sum over all zones. Medians add; the widths of the bands add as errors with one common correlation between zones.

    width^2 = (1 - r) sum(width_z^2) + r (sum width_z)^2: exact for normal errors, in between for r in 0 (independent) .. 1.
    """
    if not 0 <= correlation <= 1:
        raise BadInput("correlation", f"must lie in 0..1, got {correlation}")
    middle = forecast.q50.sum(axis=1, keepdims=True)

    def width(of_zone: Floats) -> Floats:
        together = of_zone.sum(axis=1, keepdims=True)
        return np.asarray(np.sqrt((1 - correlation) * (of_zone**2).sum(axis=1, keepdims=True) + correlation * together**2))

    low = np.maximum(middle - width(forecast.q50 - forecast.q10), 0)
    return Forecast(forecast.origin, (name,), low, middle, middle + width(forecast.q90 - forecast.q50))


def named(zone_ids: Sequence[str], zones: int) -> tuple[str, ...]:
    """The zones' names; their numbers where none are given."""
    if zone_ids and len(zone_ids) != zones:
        raise BadInput("zone_ids", f"want {zones} names, got {len(zone_ids)}")
    return tuple(zone_ids) or tuple(str(z) for z in range(zones))
