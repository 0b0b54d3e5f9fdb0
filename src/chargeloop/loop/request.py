"""One driver's request: the best stations now, from the current picture, and whether now is the time at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import numpy as np

from chargeloop.loop.stages import Stages
from chargeloop.model import ChargeRequest, Current, Decision, Layout, World
from chargeloop.perception import stay_s
from chargeloop.physics import serve_all
from chargeloop.prediction import Forecast

TOLD_S = 60.0  # so long an answer is counted as if its driver went there, until he says


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


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that its driver has neither taken nor refused yet: the pool that it names, and what he would need there."""

    decision_id: str
    at_s: float
    pool: int
    arrive_s: float
    stay_s: float

    @classmethod
    def of(cls, layout: Layout, decision: Decision) -> "Told | None":
        """None where nothing was offered."""
        offer, request = decision.chosen, decision.request
        if offer is None or request is None:
            return None
        is_dc, station = offer.current == Current.DC, layout.station_index[offer.station_id]
        pool = int(np.flatnonzero((layout.pool_station == station) & (layout.pool_is_dc == is_dc))[0])
        arrive_s = decision.at.timestamp() + 60 * offer.drive_min
        stays_s = stay_s(request, arrive_s, offer.charge_min, is_dc)
        return cls(decision.decision_id, decision.at.timestamp(), pool, arrive_s, stays_s)


def still_open(told: Sequence[Told], now_s: float) -> list[Told]:
    """The answers that are not too old to count."""
    return [each for each in told if each.at_s > now_s - TOLD_S]


def counted(world: World, told: Sequence[Told]) -> World:
    """The picture with those counted who were told just before where to go, as if all went.

    Nobody has to say who he is, so one who asks again within the minute is counted too.
    """
    free_s = world.bay_free_s.copy()
    coming = sorted(told, key=lambda each: each.arrive_s)
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
