"""One driver's request: the best stations now, from the current picture, and whether now is the time at all."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from chargeloop.loop.stages import Stages
from chargeloop.model import ChargeRequest, City, Decision, World
from chargeloop.physics import full_hour
from chargeloop.prediction import Forecast
from chargeloop.pricing import quote

ENOUGH_SOC = 0.5  # below this nobody is told to wait
WORTH_SAVING = Decimal("0.15")  # share of the amount that makes waiting worth saying
LOOK_AHEAD_H = 12


@dataclass(frozen=True, slots=True)
class Advice:
    """ "Not now": when charging would be cheaper, and by how much."""

    advised: bool
    cheaper_from: datetime | None = None
    saves: Decimal = Decimal(0)


def answer(world: World, request: ChargeRequest, forecast: Forecast, stages: Stages) -> Decision:
    """The decision for one driver, between two turns of the loop."""
    return stages.recommend(world, (request,), forecast)[0]


def not_now(city: City, request: ChargeRequest, decision: Decision) -> Advice:
    """Whether a driver who has enough charge would save by coming to the same station in a cheaper hour."""
    offer = decision.chosen
    if offer is None or request.soc < ENOUGH_SOC or offer.amount == 0:
        return Advice(False)
    station = next(each for each in city.stations if each.station_id == offer.station_id)
    tariff = next(each for each in city.tariffs if each.tariff_id == station.tariff_id)
    later = [full_hour(decision.at) + timedelta(hours=ahead) for ahead in range(1, LOOK_AHEAD_H + 1)]
    amounts = [quote(tariff, start, offer.charge_min, offer.energy_kwh).amount for start in later]
    best = min(range(len(later)), key=lambda i: amounts[i])
    saves = offer.amount - amounts[best]
    if saves < WORTH_SAVING * offer.amount:
        return Advice(False)
    return Advice(True, later[best], saves)
