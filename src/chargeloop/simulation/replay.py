"""Back to a moment of a simulated day, and on from there by other policies, weights, with a failed station or an event.

Every branch is the same day until that moment: same seed, same drivers, same policy. The drivers of an event come on top of
them, so all others can be compared one by one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.loop import known_until
from chargeloop.model import BadInput, City, Event, Layout
from chargeloop.model.city import Floats
from chargeloop.physics import local
from chargeloop.prediction import forecast_city
from chargeloop.recommendation import DEFAULT, Prices, reweighed
from chargeloop.simulation.compare import LOOP, Controller, offline_loop
from chargeloop.simulation.drivers import ARRAYS, EVENING_H, FULL_LEVEL, Drivers, draw_drivers
from chargeloop.simulation.nightly import shadow_prices
from chargeloop.simulation.scenario import QUIET, Outage, Scenario, Surge
from chargeloop.simulation.twin import Twin, check_step_s

AFTER_H = 3  # the run goes on for so long after the last driver that is counted: the longest patience, and a drive
DAY_H = 24
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Branch:
    """One way on from the moment. `weights`: of the loop, as for `reweighed`; `as_planned`: without what goes wrong."""

    name: str
    policy: str
    weights: Mapping[str, object]
    as_planned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """A branch at its end. `usual`: rows of the drivers of the day itself, in the same order in every branch."""

    branch: Branch
    twin: Twin
    usual: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """A day with its moment. Hours count from `start`; `until_h`: the last drivers that are counted appear before."""

    city: City
    layout: Layout
    guide: Guide
    start: datetime
    level: float | None
    seed: int
    from_h: float
    until_h: float
    before: str
    step_s: int = 60
    scenario: Scenario = QUIET

    def __post_init__(self) -> None:
        check_step_s(self.step_s)
        if not 0 <= self.from_h < self.until_h <= DAY_H:
            raise BadInput("--from", f"want hours of one day, from before until, got {self.from_h:g} to {self.until_h:g}")
        trouble: tuple[Outage | Surge, ...] = (*self.scenario.outages, *self.scenario.surges)
        for each in trouble:
            if not self.from_h <= each.begin_h < each.end_h:
                raise BadInput("--outage, --surge", "what goes wrong must begin at --from or later, and end after it begins")

    def run(self, branches: Sequence[Branch], progress: Progress = lambda _name, _share: None) -> list[Ending]:
        """Every branch, from the start of the day.

        Raises:
            BadInput: a station, zone or weight that does not exist.
        """
        usual = draw_drivers(self.city, self.layout, self.start, DAY_H, self.level, np.random.default_rng([self.seed, 0]))
        priced = "priced" in (self.before, *(branch.policy for branch in branches))
        prices = self._prices() if priced else None
        return [self._run(branch, usual, prices, progress) for branch in branches]

    def _run(self, branch: Branch, usual: Drivers, prices: Prices | None, progress: Progress) -> Ending:
        scenario = replace(self.scenario, outages=(), surges=()) if branch.as_planned else self.scenario
        drivers, rows = with_surges(self.city, self.layout, usual, self.level, scenario.surges, self.seed)
        twin = Twin(
            self.city,
            self.layout,
            self.guide,
            drivers,
            self.start,
            self.step_s,
            _kind(self.before),
            np.random.default_rng([self.seed, 1]),
            scenario=scenario,
            prices=prices,
        )
        controller = self._controller(self.before, {}, self.start)
        moment = self.start + timedelta(hours=self.from_h)
        end = self.start + timedelta(hours=self.until_h + AFTER_H)
        _advance(twin, controller, moment, partial(self._told, progress, branch, end))
        if branch.policy != self.before or branch.weights:
            twin.follow(_kind(branch.policy))
            controller = self._controller(branch.policy, branch.weights, twin.now)
            _obey(twin, controller, twin.current_events() if controller else ())
        _advance(twin, controller, end, partial(self._told, progress, branch, end))
        return Ending(branch, twin, rows)

    def _told(self, progress: Progress, branch: Branch, end: datetime, now: datetime) -> None:
        progress(branch.name, (now - self.start) / (end - self.start))

    def _controller(self, policy: str, weights: Mapping[str, object], at: datetime) -> Controller | None:
        if policy != LOOP:
            return None
        changed = reweighed(DEFAULT, weights)
        return offline_loop(self.city, self.layout, self.guide, at, self.level, seed=self.seed, weights=changed)

    def _prices(self) -> Prices:
        """As the night before would have had them."""
        forecast = forecast_city(known_until(self.city, self.start), self.start, DAY_H)
        rng = np.random.default_rng([self.seed, 2])
        return shadow_prices(self.city, self.layout, self.guide, forecast, self.start, DAY_H, rng, level=self.level)


def _advance(twin: Twin, controller: Controller | None, until: datetime, progress: Callable[[datetime], None]) -> None:
    while twin.now < until:
        _obey(twin, controller, twin.step())
        progress(twin.now)


def _obey(twin: Twin, controller: Controller | None, events: Iterable[Event]) -> None:
    if controller is not None:
        for command in controller.step(events, twin.now):
            twin.apply(command)


def _kind(policy: str) -> str:
    return "external" if policy == LOOP else policy


def with_surges(
    city: City, layout: Layout, usual: Drivers, level: float | None, surges: Sequence[Surge], seed: int
) -> tuple[Drivers, np.ndarray]:
    """The drivers of a day and those of events; and at which places among them the first ones stand, in their order."""
    if not surges:
        return usual, np.arange(len(usual))
    crowds = [_crowd(city, layout, usual, level, surge, [seed, 3, n]) for n, surge in enumerate(surges)]
    parts = [usual, *crowds]
    order = np.argsort(np.concatenate([part.appear_s for part in parts]), kind="stable")
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in ARRAYS}
    return replace(usual, **columns), np.argsort(order, kind="stable")[: len(usual)]


def _crowd(city: City, layout: Layout, usual: Drivers, level: float | None, surge: Surge, seed: list[int]) -> Drivers:
    """Those whom an event brings: `extra` times the zone's usual demand while it lasts."""
    zone_ids = [zone.zone_id for zone in city.zones]
    if surge.zone_id not in zone_ids:
        raise BadInput("surge", f"there is no zone {surge.zone_id!r} in this city")
    factor = surge.extra * (1.0 if level is None else level / _measured_level(city, layout, usual))
    here = np.arange(len(zone_ids)) == zone_ids.index(surge.zone_id)
    busy = city.behaviour.busy_share * here * factor
    there = replace(city, behaviour=replace(city.behaviour, busy_share=busy))
    drawn = draw_drivers(there, layout, usual.start, usual.hours, None, np.random.default_rng(seed))
    hour = (drawn.appear_s - usual.start.timestamp()) / 3600
    return drawn[(hour >= surge.begin_h) & (hour < surge.end_h)]


def _measured_level(city: City, layout: Layout, usual: Drivers) -> float:
    """The level of the demand as it was, on the evenings of the days drawn."""
    days = (local(usual.start, city.time_zone).weekday() + np.arange(max(1, -(-usual.hours // 24)))) % 7
    week = (days[:, None] * 24 + np.array(EVENING_H)).ravel()
    bays = np.bincount(layout.station_zone[layout.evse_station], minlength=len(city.zones))
    asked: Floats = city.behaviour.busy_share[week] @ bays
    return float(asked.mean() / (FULL_LEVEL * bays.sum()))
