"""One driver's request: the best stations now, from the current picture, and whether now is the time at all."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chargeloop.loop.stages import Stages
from chargeloop.model import ChargeRequest, Decision, World
from chargeloop.prediction import Forecast


@dataclass(frozen=True, slots=True)
class Advice:
    """ "Not now": when charging would be better, and by how much; see `model.NotNow`."""

    advised: bool
    cheaper_from: datetime | None = None
    saves: Decimal = Decimal(0)
    saves_min: float = 0.0
    needless: bool = False
    why: str = ""

    @classmethod
    def of(cls, decision: Decision) -> "Advice":
        found = decision.not_now
        return cls(False) if found is None else cls(True, found.at, found.saves, found.saves_min, found.needless, found.why)


def answer(world: World, request: ChargeRequest, forecast: Forecast, stages: Stages) -> Decision:
    """The decision for one driver, between two turns of the loop."""
    return stages.recommend(world, (request,), forecast)[0]
