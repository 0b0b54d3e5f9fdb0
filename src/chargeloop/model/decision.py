"""What the loop decided for a driver, with every term and alternative, so that it can be shown and checked later."""

from dataclasses import dataclass
from datetime import datetime
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
class Certificate:
    """How good the plan for all `requests` decided at once is: its `objective` F, and a `bound` that no plan is below; CNY."""

    requests: int
    objective: float
    bound: float

    @property
    def gap(self) -> float:
        """CNY that the plan costs more than the best one, at most."""
        return max(self.objective - self.bound, 0.0)


@dataclass(frozen=True, slots=True)
class Decision:
    """`chosen` is None where no station can serve the request; `why` then says so. `offers` are sorted by score, best first.

    `request` is what was asked, kept so that the decision can be shown and replayed later. `certificate`: of the plan that
    the decision is part of, where one was made. `not_now`: a better time, if any.
    """

    decision_id: Id
    request_id: Id
    at: Utc
    solver: str
    chosen: Offer | None
    offers: tuple[Offer, ...]
    why: str
    request: ChargeRequest | None = None
    certificate: Certificate | None = None
    not_now: NotNow | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What the driver of a decision was promised, who was sent to a station or took an offer; CNY."""

    decision_id: Id
    made_at: Utc
    station_id: Id
    wait_min: float
    wait_p90_min: float
    amount: Decimal

    @classmethod
    def of(cls, decision: Decision, taken: Offer, made_at: datetime) -> "Promise":
        """`taken`: the offer that the driver goes for, the chosen one or another."""
        return cls(decision.decision_id, made_at, taken.station_id, taken.wait_min, taken.wait_p90_min, taken.amount)
