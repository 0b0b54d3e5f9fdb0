"""One driver's request: the best stations now, from the current picture, and whether now is the time at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from chargeloop.loop.stages import Stages
from chargeloop.model import ChargeRequest, City, Current, Decision, Layout, World
from chargeloop.perception import stay_s
from chargeloop.physics import full_hour, serve_all
from chargeloop.prediction import Forecast
from chargeloop.pricing import quote

ENOUGH_SOC = 0.5  # below this nobody is told to wait
WORTH_SAVING = Decimal("0.15")  # share of the amount that makes waiting worth saying
LOOK_AHEAD_H = 12
GIVEN_S = 60.0  # so long an answer is counted as if its driver went there, until he says


@dataclass(frozen=True, slots=True)
class Advice:
    """ "Not now": when charging would be cheaper, and by how much."""

    advised: bool
    cheaper_from: datetime | None = None
    saves: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that its driver has neither taken nor refused yet: the pool that it names, and what he would need there."""

    decision_id: str
    at_s: float
    pool: int
    arrive_s: float
    stay_s: float

    @classmethod
    def of(cls, layout: Layout, decision: Decision) -> "Given | None":
        """None where nothing was offered."""
        offer, request = decision.chosen, decision.request
        if offer is None or request is None:
            return None
        is_dc, station = offer.current == Current.DC, layout.station_index[offer.station_id]
        pool = int(np.flatnonzero((layout.pool_station == station) & (layout.pool_is_dc == is_dc))[0])
        arrive_s = decision.at.timestamp() + 60 * offer.drive_min
        stays_s = stay_s(request, arrive_s, offer.charge_min, is_dc)
        return cls(decision.decision_id, decision.at.timestamp(), pool, arrive_s, stays_s)


def still_open(given: Sequence[Given], now_s: float) -> list[Given]:
    """The answers that are not too old to count."""
    return [each for each in given if each.at_s > now_s - GIVEN_S]


def counted(world: World, given: Sequence[Given]) -> World:
    """The picture with those counted who were told just before where to go, as if all went.

    Nobody has to say who he is, so one who asks again within the minute is counted too.
    """
    free_s = world.bay_free_s.copy()
    coming = sorted(given, key=lambda each: each.arrive_s)
    pool = np.array([each.pool for each in coming], dtype=np.int64)
    arrive_s, stays_s = (np.array([getattr(each, name) for each in coming]) for name in ("arrive_s", "stay_s"))
    start_s = arrive_s + serve_all(free_s, world.layout.pool_start, pool, arrive_s, stays_s)
    return replace(
        world,
        bay_free_s=free_s,
        coming_pool=np.concatenate([world.coming_pool, pool]),
        coming_arrive_s=np.concatenate([world.coming_arrive_s, arrive_s]),
        coming_start_s=np.concatenate([world.coming_start_s, start_s]),
    )


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
