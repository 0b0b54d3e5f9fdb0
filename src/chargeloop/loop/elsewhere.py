"""For those who wait in a queue: whether another station would have them charged much sooner, looked at again and again."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from chargeloop.loop.stages import Stages
from chargeloop.model import ChargeRequest, City, Decision, Reservation, World
from chargeloop.perception import Perception
from chargeloop.physics import wait_min
from chargeloop.prediction import Forecast

AGAIN = timedelta(minutes=2)
WORTH_MIN, WORTH_SHARE = 5.0, 0.25  # sooner by both, or it is not worth a word
STAY = timedelta(minutes=30)  # at least, where the time to leave is near


class Elsewhere:
    """`better`: by reservation id, a decision for another station. A look costs as much as a recommendation."""

    def __init__(self, city: City) -> None:
        self.better: dict[int, Decision] = {}
        self._looked: dict[int, datetime] = {}
        self._places = {site.site_id: site.place for site in city.sites}
        self._site = {station.station_id: station.site_id for station in city.stations}
        self._looks = 0

    async def look(
        self, perception: Perception, world: World, forecast: Forecast, stages: Stages, now: datetime
    ) -> tuple[Decision, ...]:
        """Look for those whose turn it is; returns the new decisions that would have somebody move."""
        seen = {each.reservation_id for each in world.reservations if each.evse_id is None}  # their wait is in this world
        held = perception.state.reservations
        waiting = {key: each for key, each in held.items() if each.evse_id is None and key in seen}
        self._forget_all_but(waiting)
        due = [each for key, each in waiting.items() if self._looked.get(key, now - AGAIN) <= now - AGAIN]
        pairs = [(each, request) for each in due if (request := self._asked_anew(perception, each, now)) is not None]
        if not pairs:
            return ()
        decisions = await asyncio.to_thread(stages.recommend, world, [request for _, request in pairs], forecast)
        found = []
        for (each, _), decision in zip(pairs, decisions, strict=True):
            self._looked[each.reservation_id] = now
            self.better.pop(each.reservation_id, None)
            if self._is_better(perception, world, each, decision, now):
                self.better[each.reservation_id] = decision
                found.append(decision)
        return tuple(found)

    def _forget_all_but(self, waiting: Iterable[int]) -> None:
        for known in (self.better, self._looked):
            for key in set(known).difference(waiting):
                del known[key]

    def _asked_anew(self, perception: Perception, reservation: Reservation, now: datetime) -> ChargeRequest | None:
        """The driver's request as if made now: from the station, once he is there, else from where he asked."""
        known = perception.request(reservation.request_id or "")
        if known is None:
            return None
        self._looks += 1
        is_there = reservation.arrive_at is not None and reservation.arrive_at <= now
        place = self._places[self._site[reservation.station_id]] if is_there else known.request.place
        return replace(
            known.request,
            request_id=f"{known.request.request_id.split('~')[0]}~{now.timestamp():.0f}-{self._looks}",
            at=now,
            place=place,
            depart_by=max(known.request.depart_by, now + STAY),
        )

    def _is_better(
        self, perception: Perception, world: World, reservation: Reservation, decision: Decision, now: datetime
    ) -> bool:
        offer, start = decision.chosen, expected_start(perception, world, reservation)
        if offer is None or offer.station_id == reservation.station_id:
            return False
        if start is None:  # no bay in order there
            return True
        here = next((each for each in decision.offers if each.station_id == reservation.station_id), offer)
        stays_min = (start - now).total_seconds() / 60 + here.charge_min
        sooner_min = stays_min - offer.total_min
        return sooner_min >= max(WORTH_MIN, WORTH_SHARE * stays_min)


def expected_start(perception: Perception, world: World, reservation: Reservation) -> datetime | None:
    """When a driver in a queue is expected to get a bay, those who arrive before him being served first; None: not known."""
    known = perception.request(reservation.request_id or "")
    if known is None or known.pool < 0:
        return None
    arrive_s = max(known.arrive_s, world.now_s)
    waits = next(
        (each.evse_id is None for each in world.reservations if each.reservation_id == reservation.reservation_id), False
    )
    if waits:
        before = (world.coming_pool == known.pool) & (world.coming_arrive_s <= arrive_s + 1)
        start_s = float(np.max(world.coming_start_s[before], initial=arrive_s))
    else:  # this world does not know yet that he waits
        pool, arrive = np.array([known.pool]), np.array([arrive_s])
        start_s = arrive_s + 60 * float(wait_min(world.bay_free_s, world.layout.pool_start, pool, arrive)[0])
    return world.at + timedelta(seconds=start_s - world.now_s) if np.isfinite(start_s) else None
