"""What may differ from one run of the twin to the next: who comes, who listens, how full the roads are, what goes wrong."""

from dataclasses import dataclass

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats

# Times of free roads by local hour. An assumption for a large Chinese city: no data set here has speeds.
BUSY_ROADS = (
    *(1.0, 1.0, 1.0, 1.0, 1.0, 1.05),
    *(1.15, 1.4, 1.6, 1.5, 1.3, 1.3),
    *(1.3, 1.3, 1.3, 1.35, 1.4, 1.6),
    *(1.7, 1.5, 1.3, 1.2, 1.1, 1.05),
)
FREE_ROADS = (1.0,) * 24


@dataclass(frozen=True, slots=True)
class Surge:
    """An event: `extra` times as many drivers ask in one zone from `begin_h` to `end_h` (hours from the start of the run)."""

    zone_id: str
    begin_h: float
    end_h: float
    extra: float


@dataclass(frozen=True, slots=True)
class Outage:
    """All bays of a station are out of order from `begin_h` to `end_h` (hours from the start of the run)."""

    station_id: str
    begin_h: float
    end_h: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Assumptions of a run; the defaults are a quiet day on which all do as they are told.

    `compliance`: share of those who ask that go where they are sent; the others decline and go to the nearest. `walk_ins`:
    share who never ask. `zone_spread`: sigma of the logarithm of each zone's weight, drawn anew for each day. `scatter`:
    how far from their zone's centre drivers are when they ask, in radii of the zone. `patience_min`: longest wait in a queue,
    uniform between the two. `hour_drive`: drive times by local hour, times those of free roads.

    Raises:
        BadInput: a share outside 0..1, or something else that cannot be.
    """

    compliance: float = 1.0
    walk_ins: float = 0.0
    zone_spread: float = 0.0
    scatter: float = 1.0
    patience_min: tuple[float, float] = (30.0, 90.0)
    hour_drive: tuple[float, ...] = FREE_ROADS
    surges: tuple[Surge, ...] = ()
    outages: tuple[Outage, ...] = ()

    def __post_init__(self) -> None:
        for name, share in (("compliance", self.compliance), ("walk_ins", self.walk_ins)):
            if not 0 <= share <= 1:
                raise BadInput(name, f"a share between 0 and 1, got {share}")
        if self.zone_spread < 0 or self.scatter <= 0:
            raise BadInput("scenario", "zone_spread must not be negative, scatter must be positive")
        if not 0 <= self.patience_min[0] <= self.patience_min[1]:
            raise BadInput("patience_min", f"want least and longest, got {self.patience_min}")
        if len(self.hour_drive) != 24 or min(self.hour_drive) <= 0:
            raise BadInput("hour_drive", "want 24 positive factors, one a local hour")

    def slow(self, at_s: Floats, utc_offset_s: float) -> Floats:
        """How much longer than on free roads a drive takes that begins then."""
        return np.array(self.hour_drive)[((at_s + utc_offset_s) / 3600 % 24).astype(np.int64)]


QUIET = Scenario()
