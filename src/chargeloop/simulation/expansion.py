"""Where more bays help most: shadow prices summed over the day say where, runs of the twin say how much.

A bay's price over a day is what one more bay of that pool would save everybody, to first order. Bays are given out a share at a
time, and the prices found anew in between, since the second bay at a place is worth less than the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from chargeloop.model import BadInput, City, Current
from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation import ascend
from chargeloop.simulation.drivers import Drivers
from chargeloop.simulation.ground import JUDGED, TOP, Built, Check, Ground
from chargeloop.simulation.kpis import minutes_lost
from chargeloop.simulation.nightly import BIN_S, DAYS, ROUNDS, STEP, demand_of
from chargeloop.simulation.reach import options

SHARES = 5  # in so many rounds the bays are given out
MOST_AT_ONE = 4  # bays a round that one pool may get


@dataclass(frozen=True, slots=True)
class Site:
    """`bays` more at a pool. `saves_min`: a day, of everybody's time, by the prices at which they were given."""

    station_id: str
    is_dc: bool
    bays: int
    saves_min: float


class Expansion:
    """Bays for a city whose demand is as a forecast expects it. Arguments as for `Ground`."""

    def __init__(self, *city_forecast_start: Any, **more: Any) -> None:
        self.ground = Ground(*city_forecast_start, **more)
        self.layout = self.ground.layout
        self._built = cache(self._build)

    def best(self, bays: int, progress: Callable[[float], None] = lambda _: None) -> list[Site]:
        """Where so many bays save most, the most valuable first. All stations that there are may grow.

        Raises:
            BadInput: not a positive number of bays.
        """
        if bays < 1:
            raise BadInput("bays", f"at least one, got {bays}")
        ground = self.ground
        days = [ground.draw(ground.seed + 1 + day) for day in range(DAYS)]
        reach = [options(each, self.layout, ground.guide, ground.slow(each)) for each in days]
        more = np.zeros(len(self.layout.pool_station), dtype=np.int64)
        saved = np.zeros(len(more))
        most = max(-(-bays // TOP), -(-bays // len(more)))  # at one pool: nobody has room for all of them
        rate = np.zeros((len(more), int(ground.hours * 3600 / BIN_S)))
        for n in range(SHARES):
            rate = self._prices(days, reach, more, rate)
            worth_min = rate.sum(axis=1) * BIN_S / 60
            share = (bays * (n + 1)) // SHARES - (bays * n) // SHARES
            given = _dearest(worth_min, share, most - more)
            more += given
            saved += given * worth_min
            progress((n + 1) / SHARES)
        order = np.argsort(-saved, kind="stable")
        return [self._site(int(p), int(more[p]), float(saved[p])) for p in order if more[p]]

    def check(self, sites: Sequence[Site], day: int) -> Check:
        """Minutes of drive + wait of a day that prices were not made from, 60 for one who gives up.

        As it is, with the first `TOP` of those sites, and with the same numbers of bays at as many random pools.
        """
        top, pools = tuple(sites[:TOP]), len(self.layout.pool_station)
        rng = np.random.default_rng([self.ground.seed, day, 7])
        anywhere = rng.choice(pools, min(len(top), pools), replace=False)
        elsewhere = [self._site(int(p), site.bays, 0.0) for p, site in zip(anywhere, top, strict=False)]
        return Check(
            self._minutes(self._built(()), day),
            self._minutes(self._built(top), day),
            self._minutes(self._build(tuple(elsewhere)), day),
        )

    def _build(self, sites: tuple[Site, ...]) -> Built:
        return self.ground.built(with_more_bays(self.ground.city, sites))

    def _minutes(self, on: Built, day: int) -> float:
        return float(minutes_lost(self.ground.run(on, JUDGED + day).state.cars)[0].sum())

    def _prices(self, days: list[Drivers], reach: list[tuple[Ints, Floats, Floats]], more: Ints, rate: Floats) -> Floats:
        bins, mean = rate.shape[1], np.zeros_like(rate)
        for drivers, each in zip(days, reach, strict=True):
            demand = demand_of(drivers, self.layout, each, self.ground.start, bins)
            bigger = replace(demand, capacity_s=demand.capacity_s + more[:, None] * BIN_S)
            mean += ascend(bigger, rate, ROUNDS, STEP)[0].rate / len(days)
        return mean

    def _site(self, pool: int, bays: int, saves_min: float) -> Site:
        station = self.layout.station_ids[self.layout.pool_station[pool]]
        return Site(station, bool(self.layout.pool_is_dc[pool]), bays, saves_min)


def with_more_bays(city: City, sites: Sequence[Site]) -> City:
    """The city with those bays built, like the last one of their current there, and the power of their site grown by theirs."""
    evses = {each.station_id: list(each.evses) for each in city.stations}
    at_site = {each.station_id: each.site_id for each in city.stations}
    circuit_of = {each.site_id: each.circuit_id for each in city.sites}
    grown_kw: dict[str, float] = {}
    for site in sites:
        there = evses[site.station_id]
        like = next(each for each in reversed(there) if (each.current is Current.DC) == site.is_dc)
        there += [replace(like, evse_id=f"{like.evse_id}+{n + 1}") for n in range(site.bays)]
        circuit = circuit_of[at_site[site.station_id]]
        grown_kw[circuit] = grown_kw.get(circuit, 0.0) + site.bays * like.power_kw
    return replace(
        city,
        stations=tuple(replace(each, evses=tuple(evses[each.station_id])) for each in city.stations),
        circuits=tuple(replace(each, limit_kw=each.limit_kw + grown_kw.get(each.circuit_id, 0.0)) for each in city.circuits),
    )


def _dearest(worth: Floats, bays: int, room: Ints) -> Ints:
    """P: how many of the bays each pool gets, within its room; no more than `MOST_AT_ONE` where there are enough others."""
    at_once = max(MOST_AT_ONE, -(-bays // worth.size))
    given = np.zeros(worth.size, dtype=np.int64)
    for most in (at_once, bays):  # the second time, what is left over
        for p in np.argsort(-worth, kind="stable"):
            extra = min(most, bays, int(room[p] - given[p]))
            given[p] += extra
            bays -= extra
    return given
