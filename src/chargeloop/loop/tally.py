"""The day's figures, counted from events as they pass: what the console shows as KPIs."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal

from chargeloop.model import Cdr, Decision
from chargeloop.physics import local


@dataclass(slots=True)
class Tally:
    """Counts since local midnight. `saved_min`: expected minutes that the chosen stations save against the nearest ones.

    `objective_cny`, `gap_cny`: F of the plans, and what it was above the best ones at most.
    """

    day: str = ""
    requests: int = 0
    decided: int = 0
    withdrawn: int = 0
    sessions: int = 0
    energy_kwh: float = 0.0
    amount: Decimal = Decimal(0)
    kg_co2: float = 0.0
    saved_min: float = 0.0
    wait_min: float = 0.0
    waits: int = 0
    promised_min: float = 0.0
    objective_cny: float = 0.0
    gap_cny: float = 0.0
    by_stop_reason: dict[str, int] = field(default_factory=dict)

    def roll(self, now: datetime, time_zone: str) -> None:
        """Begin a new day at local midnight."""
        day = local(now, time_zone).date().isoformat()
        if day != self.day:
            fresh = Tally(day)
            for name in fresh.__slots__:
                setattr(self, name, getattr(fresh, name))

    def decision(self, decision: Decision) -> None:
        self.decided += decision.chosen is not None
        if decision.certificate is not None:  # the plan's, of which this decision is one part
            self.objective_cny += decision.certificate.objective / decision.certificate.requests
            self.gap_cny += decision.certificate.gap / decision.certificate.requests
        if decision.chosen is not None:
            nearest = min(decision.offers, key=lambda offer: offer.drive_min)
            self.saved_min += nearest.total_min - decision.chosen.total_min

    def ended(self, cdr: Cdr, waited_min: float | None) -> None:
        self.sessions += 1
        self.energy_kwh += cdr.session.energy_kwh
        self.amount += cdr.amount
        self.kg_co2 += cdr.kg_co2
        reason = str(cdr.session.stop_reason)
        self.by_stop_reason[reason] = self.by_stop_reason.get(reason, 0) + 1
        if waited_min is not None:
            self.waits += 1
            self.wait_min += waited_min

    @property
    def plan_gap(self) -> float | None:
        """By how much of F the plans were above the best ones, at most."""
        return self.gap_cny / self.objective_cny if self.objective_cny > 0 else None

    @property
    def mean_wait_min(self) -> float | None:
        return self.wait_min / self.waits if self.waits else None

    @property
    def served_share(self) -> float | None:
        done = self.sessions + self.withdrawn
        return self.sessions / done if done else None

    def figures(self) -> dict[str, object]:
        return {**asdict(self), "mean_wait_min": self.mean_wait_min, "served_share": self.served_share}
