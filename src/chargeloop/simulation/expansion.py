"""Where more bays help most: shadow prices summed over the day say where, runs of the twin say how much.

A bay's price over a day is what one more bay of that pool would save everybody, to first order. Bays are given out a share at a
time, and the prices found anew in between, since the second bay at a place is worth less than the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.model import BadInput, City, Current, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import utc_offset_s
from chargeloop.prediction import Forecast
from chargeloop.recommendation import ascend
from chargeloop.simulation.drivers import Drivers, draw_drivers
from chargeloop.simulation.kpis import minutes_lost
from chargeloop.simulation.nightly import BIN_S, DAYS, ROUNDS, STEP, as_forecast, demand_of, shadow_prices
from chargeloop.simulation.reach import options
from chargeloop.simulation.scenario import QUIET, Scenario
from chargeloop.simulation.twin import Twin

HOURS, AFTER_H = 24, 4  # of drivers; and until the last of them has plugged in or given up
SHARES = 5  # in so many rounds the bays are given out
MOST_AT_ONE = 4  # bays a round that one pool may get
STEP_S = 300


@dataclass(frozen=True, slots=True)
class Site:
    """`bays` more at a pool. `saves_min`: a day, of everybody's time, by the prices at which they were given."""

    station_id: str
    is_dc: bool
    bays: int
    saves_min: float


@dataclass(frozen=True, slots=True)
class Check:
    """Minutes of drive + wait of all drivers of one day (60 more for one who gives up): as it is, and with more bays."""

    as_it_is: float
    with_best: float
    with_random: float


class Expansion:
    """A city whose demand is as a forecast expects it, and the days that its extension is judged on."""

    def __init__(
        self,
        city: City,
        forecast: Forecast,
        start: datetime,
        hours: int = HOURS,
        *,
        level: float | None = None,
        scenario: Scenario = QUIET,
        seed: int = 0,
    ) -> None:
        self.city, self.layout = city, Layout.of(city)
        self._guide = Guide.of(city, self.layout)
        self._forecast, self._start, self._hours = forecast, start, hours
        self._level, self._scenario, self._seed = level, scenario, seed

    def best(self, bays: int, progress: Callable[[float], None] = lambda _: None) -> list[Site]:
        """Where so many bays save most, the most valuable first. All stations that there are may grow.

        Raises:
            BadInput: not a positive number of bays.
        """
        if bays < 1:
            raise BadInput("bays", f"at least one, got {bays}")
        days = [self._draw(self._seed + 1 + day) for day in range(DAYS)]
        reach = [options(each, self.layout, self._guide, self._slow(each)) for each in days]
        more = np.zeros(len(self.layout.pool_station), dtype=np.int64)
        saved = np.zeros(len(more))
        rate = np.zeros((len(more), int(self._hours * 3600 / BIN_S)))
        for n in range(SHARES):
            rate = self._prices(days, reach, more, rate)
            worth_min = rate.sum(axis=1) * BIN_S / 60
            share = (bays * (n + 1)) // SHARES - (bays * n) // SHARES
            given = _dearest(worth_min, share)
            more += given
            saved += given * worth_min
            progress((n + 1) / SHARES)
        order = np.argsort(-saved, kind="stable")
        return [self._site(int(p), int(more[p]), float(saved[p])) for p in order if more[p]]

    def check(self, sites: Sequence[Site], day: int) -> Check:
        """A day that prices were not made from, run with those sites, and with as many bays at as many random pools."""
        rng = np.random.default_rng([self._seed, day, 7])
        anywhere = rng.choice(len(self.layout.pool_station), min(len(sites), len(self.layout.pool_station)), replace=False)
        elsewhere = [self._site(int(p), site.bays, 0.0) for p, site in zip(anywhere, sites, strict=False)]
        return Check(*(self._minutes(each, 100 + day) for each in ([], sites, elsewhere)))

    def _minutes(self, sites: Sequence[Site], day: int) -> float:
        city = with_more_bays(self.city, sites)
        layout = Layout.of(city)
        guide = Guide.of(city, layout)
        prices = shadow_prices(
            city,
            layout,
            guide,
            self._forecast,
            self._start,
            self._hours,
            np.random.default_rng(self._seed),
            level=self._level,
            scenario=self._scenario,
        )
        drivers = self._draw(day)
        rng = np.random.default_rng(day)
        twin = Twin(
            city,
            layout,
            guide,
            drivers,
            self._start,
            STEP_S,
            "priced",
            rng,
            faults_per_day=0.0,
            scenario=self._scenario,
            prices=prices,
            listen=False,
        )
        for _ in range((self._hours + AFTER_H) * 3600 // STEP_S):
            twin.step()
        return float(minutes_lost(twin.state.cars)[0].sum())

    def _prices(self, days: list[Drivers], reach: list[tuple[Ints, Floats, Floats]], more: Ints, rate: Floats) -> Floats:
        bins, mean = rate.shape[1], np.zeros_like(rate)
        for drivers, each in zip(days, reach, strict=True):
            demand = demand_of(drivers, self.layout, each, self._start, bins)
            bigger = replace(demand, capacity_s=demand.capacity_s + more[:, None] * BIN_S)
            mean += ascend(bigger, rate, ROUNDS, STEP)[0].rate / len(days)
        return mean

    def _draw(self, day: int) -> Drivers:
        rng = np.random.default_rng([self._seed, day])
        expected = as_forecast(self.city, self._forecast)
        return draw_drivers(expected, self.layout, self._start, self._hours, self._level, rng, scenario=self._scenario)

    def _slow(self, drivers: Drivers) -> Floats:
        return self._scenario.slow(drivers.appear_s, utc_offset_s(self._start, self.city.time_zone))

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


def _dearest(worth: Floats, bays: int) -> Ints:
    """P: how many of the bays each pool gets; no more than `MOST_AT_ONE` where there are enough others."""
    most = max(MOST_AT_ONE, -(-bays // worth.size))
    given = np.zeros(worth.size, dtype=np.int64)
    for p in np.argsort(-worth, kind="stable"):
        given[p] = min(most, bays)
        bays -= int(given[p])
    return given
