"""Dimension 4: the grid: a tree of circuits with limits, and what a kWh costs to buy and emits."""

from dataclasses import dataclass
from enum import StrEnum

from chargeloop.model.quantities import Id, NonNegative, Positive


class CircuitKind(StrEnum):
    SITE = "site"
    FEEDER = "feeder"
    TRANSFORMER = "transformer"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Circuit:
    """A node of the tree. All charging below it stays within `limit_kw`. `parent_id` is None for the root."""

    circuit_id: Id
    kind: CircuitKind
    limit_kw: Positive
    parent_id: Id | None = None


@dataclass(frozen=True, slots=True)
class EnergyPrice:
    """What a kWh costs to buy and emits, by local hour of day (24 values each)."""

    cny_per_kwh: tuple[float, ...]
    kg_co2_per_kwh: tuple[NonNegative, ...]

    def __post_init__(self) -> None:
        if len(self.cny_per_kwh) != 24 or len(self.kg_co2_per_kwh) != 24:
            raise ValueError("an energy price has 24 hourly values")
