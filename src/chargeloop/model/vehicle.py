"""Dimension 1: the vehicle."""

from dataclasses import dataclass
from enum import StrEnum

from chargeloop.model.quantities import Id, NonNegative, Positive, Share


class Tier(StrEnum):
    """What a vehicle is for; decides its weights and its strategy."""

    PRIVATE = "private"
    TAXI = "taxi"
    RIDE_HAILING = "ride_hailing"
    BUS = "bus"
    LOGISTICS = "logistics"
    EMERGENCY = "emergency"


class Current(StrEnum):
    """The kind of current at a connector."""

    AC = "AC"
    DC = "DC"


@dataclass(frozen=True, slots=True)
class ChargingCurve:
    """Highest DC power that the battery takes at a state of charge; linear between the points.

    `soc`: rising shares 0..1; `power_kw`: as many powers.
    """

    soc: tuple[Share, ...]
    power_kw: tuple[NonNegative, ...]

    def __post_init__(self) -> None:
        if len(self.soc) != len(self.power_kw) or len(self.soc) < 2:
            raise ValueError("a charging curve needs two or more points, and as many powers as states of charge")
        if any(b <= a for a, b in zip(self.soc, self.soc[1:], strict=False)):
            raise ValueError("the states of charge of a charging curve must rise")


@dataclass(frozen=True, slots=True)
class VehicleModel:
    """A make and model, with the figures that charging needs."""

    model_id: Id
    name: str
    battery_kwh: Positive
    ac_kw: NonNegative
    dc_kw: NonNegative
    curve: ChargingCurve
    consumption_kwh_per_km: Positive
    v2g_kw: NonNegative = 0.0


@dataclass(frozen=True, slots=True)
class FleetShare:
    """How large a share of the city's requests a model has in a tier (shares sum to 1 over the fleet)."""

    model_id: Id
    tier: Tier
    share: Share
