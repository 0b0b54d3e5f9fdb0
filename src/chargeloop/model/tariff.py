"""The published rule of what charging costs. `chargeloop.pricing` turns it and the facts of a session into an amount."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from annotated_types import Ge, Le

from chargeloop.model.quantities import Id

Hour = Annotated[int, Ge(0), Le(24)]
Money = Annotated[Decimal, Ge(0)]


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Energy and service price from local hour `start_h` until `end_h` (exclusive), each day."""

    start_h: Hour
    end_h: Hour
    energy_per_kwh: Money
    service_per_kwh: Money

    def __post_init__(self) -> None:
        if self.start_h >= self.end_h:
            raise ValueError("a price band must end after it starts; split one that crosses midnight")


@dataclass(frozen=True, slots=True)
class Tariff:
    """Time-of-use energy price + service price + idle fee after `idle_free_min` past the end of charging, up to `idle_cap`."""

    tariff_id: Id
    currency: Annotated[str, "ISO 4217"]
    time_zone: str
    bands: tuple[PriceBand, ...]
    idle_per_min: Money = Decimal(0)
    idle_free_min: int = 15
    idle_cap: Money = Decimal(50)

    def __post_init__(self) -> None:
        edges = [0, *(band.end_h for band in self.bands)]
        if [band.start_h for band in self.bands] != edges[:-1] or edges[-1] != 24:
            raise ValueError("the bands of a tariff must cover 0 to 24 h in order, without gap or overlap")
