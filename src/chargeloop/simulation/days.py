"""Days of the twin that manners of policy `priced` are judged on: each drawn once, run as often as there are manners."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from types import TracebackType

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.pricing import RateTable, estimate
from chargeloop.recommendation import Prices
from chargeloop.simulation.drivers import Drivers, draw_drivers
from chargeloop.simulation.kpis import minutes_lost
from chargeloop.simulation.manner import Manner
from chargeloop.simulation.scenario import BUSY_ROADS, Scenario
from chargeloop.simulation.twin import Twin

AFTER_H = 4  # until the last of the drivers has plugged in or given up
STEP_S = 300
USUAL = Scenario(zone_spread=0.3, scatter=2.0, hour_drive=BUSY_ROADS, walk_ins=0.1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one day. `minutes`: drive + wait of a driver, and 60 for one who gave up; `jain`: how evenly stations are used
    (1: all alike); `feeder_peaks_mw`: the sum of each feeder's own peak, which is what the grid has to be built for.
    """

    minutes: float
    cny_per_kwh: float
    jain: float
    feeder_peaks_mw: float
    peak_mw: float
    served_share: float
    revenue_cny: float


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What all days have in common. `prices`: of the night before, that policy `priced` goes by; `seed`: of all days."""

    city: City
    start: datetime
    hours: int
    level: float | None
    seed: int
    prices: Prices
    scenario: Scenario = USUAL

    def draw(self, layout: Layout, day: int) -> Drivers:
        rng = np.random.default_rng([self.seed, day])
        return draw_drivers(self.city, layout, self.start, self.hours, self.level, rng, scenario=self.scenario)


class Days:
    """Twins of a setting that are ready to begin; a day is built when it is asked for first."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.layout = Layout.of(setting.city)
        self.guide = Guide.of(setting.city, self.layout)
        self._ready: dict[int, Twin] = {}

    def outcome(self, manner: Manner, day: int) -> Outcome:
        if day not in self._ready:
            self._ready[day] = self.twin(self.setting.city, self.setting.draw(self.layout, day))
        return self.run(self._ready[day].again(manner), self.setting.city)

    def twin(self, city: City, drivers: Drivers) -> Twin:
        """Before its first step. `city`: the setting's, or one with other tariffs."""
        of = self.setting
        rng = np.random.default_rng(of.seed)
        more = {"faults_per_day": 0.0, "scenario": of.scenario, "prices": of.prices, "listen": False}
        return Twin(city, self.layout, self.guide, drivers, of.start, STEP_S, "priced", rng, **more)  # type: ignore[arg-type]

    def run(self, twin: Twin, city: City) -> Outcome:
        """Through the day and until all have plugged in or given up. `city`: whose tariffs they pay."""
        feeders = feeders_of(self.layout)
        peak_kw = np.zeros(feeders.size)
        for _ in range((self.setting.hours + AFTER_H) * 3600 // STEP_S):
            twin.step()
            circuits = twin.state.circuits[feeders]
            peak_kw = np.maximum(peak_kw, np.minimum(circuits["factor"] * circuits["want_kw"], circuits["room_kw"]))
        cny, kwh = paid(city, self.layout, twin)
        kpis = twin.kpis()
        return Outcome(
            minutes=float(minutes_lost(twin.state.cars)[0].mean()),
            cny_per_kwh=cny / max(kwh, 1e-9),
            jain=kpis.jain,
            feeder_peaks_mw=float(peak_kw.sum()) / 1000,
            peak_mw=kpis.peak_load_kw / 1000,
            served_share=kpis.served_share,
            revenue_cny=cny,
        )


def feeders_of(layout: Layout) -> Ints:
    """The circuits that stations' own are fed from; a station's own where it hangs from nothing."""
    parent = layout.circuit_parent[layout.station_circuit]
    return np.unique(np.where(parent >= 0, parent, layout.station_circuit))


def paid(city: City, layout: Layout, twin: Twin) -> tuple[float, float]:
    """CNY and kWh of the charges that have ended."""
    cars = twin.state.cars
    over = np.isfinite(np.fmin(cars["charged_s"], cars["end_s"])) & (cars["evse"] >= 0)
    begin_s, kwh = cars["start_s"][over], cars["kwh"][over]
    minutes = (np.fmin(cars["charged_s"], cars["end_s"])[over] - begin_s) / 60
    rates = RateTable.of(city.tariffs, [station.tariff_id for station in city.stations])
    cny = estimate(rates, layout.evse_station[cars["evse"][over]], begin_s, minutes, kwh)
    return float(cny.sum()), float(kwh.sum())


class Judge:
    """Runs manners on days, on as many cores as it is given; the same answers on any number of them."""

    def __init__(self, setting: Setting, cores: int = 1) -> None:
        self._cores, self._setting, self._stack = cores, setting, ExitStack()
        self._here = Days(setting) if cores == 1 else None
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Judge":
        if self._here is None:
            pool = ProcessPoolExecutor(self._cores, get_context("spawn"), _be_worker, (self._setting,))
            self._pool = self._stack.enter_context(pool)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def __call__(self, manners: Sequence[Manner], days: Sequence[int]) -> list[list[Outcome]]:
        """For each manner, the outcome of each day."""
        jobs = [(manner, day) for manner in manners for day in days]
        if self._pool is None:
            assert self._here is not None
            found = [self._here.outcome(*job) for job in jobs]
        else:
            found = list(self._pool.map(_outcome, *zip(*jobs, strict=True)))
        return [found[i : i + len(days)] for i in range(0, len(found), len(days))]


_worker: list[Days] = []  # of this process


def _be_worker(setting: Setting) -> None:
    _worker[:] = [Days(setting)]


def _outcome(manner: Manner, day: int) -> Outcome:
    return _worker[0].outcome(manner, day)


def figures(outcomes: Sequence[Outcome], name: str) -> Floats:
    """One figure of each day."""
    return np.array([getattr(each, name) for each in outcomes])
