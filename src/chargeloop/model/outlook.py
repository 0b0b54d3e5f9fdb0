"""What is coming: shortages of bays and peaks of demand, told before they are there."""

from dataclasses import dataclass

from chargeloop.model.quantities import Id, NonNegative, Positive, Share, Utc


@dataclass(frozen=True, slots=True)
class Shortage:
    """Bays of a zone that will be short from `begin` to `end`, as seen in its worst hour.

    `bays`: there, in order; `needed`: by the median forecast; `more_bays`: that are missing on average where any are;
    `probability`: that any are.
    """

    shortage_id: Id
    zone_id: Id
    begin: Utc
    end: Utc
    bays: NonNegative
    needed: NonNegative
    more_bays: NonNegative
    probability: Share


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest of the hours forecast. `at`: the likeliest hour, `chance` of that; kWh in the hour, with its band."""

    unit_id: Id
    at: Utc
    chance: Share
    q10_kwh: NonNegative
    q50_kwh: NonNegative
    q90_kwh: NonNegative
    hours: Positive
