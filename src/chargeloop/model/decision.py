"""What the loop decided for a driver, with every term and alternative, so that it can be shown and checked later."""

from dataclasses import dataclass
from decimal import Decimal

from chargeloop.model.quantities import Id, Share, Utc
from chargeloop.model.user import ChargeRequest
from chargeloop.model.vehicle import Current


@dataclass(frozen=True, slots=True)
class Offer:
    """One station for one driver. Minutes, kWh and CNY; `terms` are the named terms of the objective F, in CNY.

    `why_not`: what it has over the chosen one, if anything, and why it lost; empty for the chosen one. `against`: the term
    that weighs most against it.
    """

    station_id: Id
    current: Current
    drive_min: float
    drive_km: float
    wait_min: float
    wait_p90_min: float
    charge_min: float
    energy_kwh: float
    arrival_soc: Share
    amount: Decimal
    score: float
    terms: dict[str, float]
    kg_co2: float = 0.0
    why_not: str = ""
    against: str = ""

    @property
    def total_min(self) -> float:
        return self.drive_min + self.wait_min + self.charge_min


@dataclass(frozen=True, slots=True)
class NotNow:
    """ "Not now": the driver has enough charge, and does better to come at `at`.

    `saves_min`: minutes of the driver's wait and of other drivers' that this saves, `saves`: CNY of the amount; either may be
    negative where the other is worth more. `needless`: there is charge for all that is planned, and a good deal more.
    """

    at: Utc
    saves_min: float
    saves: Decimal
    needless: bool
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`chosen` is None where no station can serve the request; `why` then says so. `offers` are sorted by score, best first.

    `request` is what was asked, kept so that the decision can be shown and replayed later. `not_now`: a better time, if any.
    """

    decision_id: Id
    request_id: Id
    at: Utc
    solver: str
    chosen: Offer | None
    offers: tuple[Offer, ...]
    why: str
    request: ChargeRequest | None = None
    not_now: NotNow | None = None
