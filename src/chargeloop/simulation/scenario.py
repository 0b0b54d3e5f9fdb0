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
STAY_ERROR = 0.2  # sigma of the logarithm of (stay a driver names / true stay): an assumption, no data set here says it
# What one degree of rain (0 to 3) does to drive times and to demand: assumptions as well.
RAIN_SLOWS, RAIN_ASKS = 0.08, 0.04


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
class Picks:
    """How drivers pick among offers: each costs its amount and what its minutes are worth to them, to take none `outside_cny`.

    The less something costs, the likelier it is taken: by a logit with `per_cny` of utility lost a CNY.
    """

    per_cny: float
    outside_cny: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Assumptions of a run; the defaults are a quiet day on which all do as they are told.

    `compliance`: share of those who ask that go where they are sent; the others decline and go to the nearest. `walk_ins`:
    share who never ask. `zone_spread`: sigma of the logarithm of each zone's weight, drawn anew for each day. `scatter`:
    how far from their zone's centre drivers are when they ask, in radii of the zone. `patience_min`: longest wait in a queue,
    uniform between the two. `hour_drive`: drive times by local hour, times those of free roads. `stay_error`: sigma of the
    logarithm of (stay a driver names / true stay), AC.

    Special days: `weekday` (Monday 0) whose demand is had instead of the date's own, as on a holiday, `demand` times the
    usual. `rain`: 0 none to 3 heavy, `temperature_c` None: the city's own.

    Who comes: `own_hours`: each kind of vehicle at its hours, buses to their depots; else all alike. `anxious`: share of the
    private drivers who ask with a battery that needs no charge; they stand in the place of others, so that the bay-hours asked
    for stay as measured. `heeds`: share of those who go where they are sent, who also come later when told "not now".
    `regulars`: so many people with habits live in the city, and come in the place of others.
    `picks`: how those who are shown several offers pick (`offer_all`); None: they go where they are sent.

    Raises:
        BadInput: a share outside 0..1, or something else that cannot be.
    """

    compliance: float = 1.0
    walk_ins: float = 0.0
    zone_spread: float = 0.0
    scatter: float = 1.0
    patience_min: tuple[float, float] = (30.0, 90.0)
    hour_drive: tuple[float, ...] = FREE_ROADS
    stay_error: float = STAY_ERROR
    surges: tuple[Surge, ...] = ()
    outages: tuple[Outage, ...] = ()
    weekday: int | None = None
    demand: float = 1.0
    rain: float = 0.0
    temperature_c: float | None = None
    own_hours: bool = False
    anxious: float = 0.0
    heeds: float = 0.5
    picks: Picks | None = None
    regulars: int = 0

    def __post_init__(self) -> None:
        for name in ("compliance", "walk_ins", "anxious", "heeds"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(name, f"a share between 0 and 1, got {getattr(self, name)}")
        if self.weekday is not None and not 0 <= self.weekday <= 6:
            raise BadInput("weekday", f"want 0 (Monday) to 6, got {self.weekday}")
        if self.demand <= 0 or not 0 <= self.rain <= 3:
            raise BadInput("scenario", "demand must be positive, rain between 0 and 3")
        if self.regulars < 0:
            raise BadInput("regulars", f"must not be negative, got {self.regulars}")
        if self.picks is not None and self.picks.per_cny <= 0:
            raise BadInput("picks", f"a CNY must cost some utility, got {self.picks.per_cny}")
        if self.zone_spread < 0 or self.stay_error < 0 or self.scatter <= 0:
            raise BadInput("scenario", "zone_spread and stay_error must not be negative, scatter must be positive")
        if not 0 <= self.patience_min[0] <= self.patience_min[1]:
            raise BadInput("patience_min", f"want least and longest, got {self.patience_min}")
        if len(self.hour_drive) != 24 or min(self.hour_drive) <= 0:
            raise BadInput("hour_drive", "want 24 positive factors, one a local hour")

    def slow(self, at_s: Floats, utc_offset_s: float) -> Floats:
        """How much longer than on free and dry roads a drive takes that begins then."""
        hour = ((at_s + utc_offset_s) / 3600 % 24).astype(np.int64)
        return np.array(self.hour_drive)[hour] * (1 + RAIN_SLOWS * self.rain)


QUIET = Scenario()
HOLIDAY = Scenario(weekday=6, demand=1.25)  # a Sunday's hours, and more on the road than on one
