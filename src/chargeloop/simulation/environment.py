"""A Gymnasium environment over the twin: one step is the choice of one driver among the stations that he can reach.

Needs the package `gymnasium`, which the platform itself does not.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats
from chargeloop.physics import utc_offset_s
from chargeloop.recommendation import FEATURES, NO_PRICES, Prices, Seen, ascend
from chargeloop.simulation.choices import Choice, Choices
from chargeloop.simulation.compare import default_day
from chargeloop.simulation.drivers import Drivers, draw_drivers
from chargeloop.simulation.manner import RISK
from chargeloop.simulation.nightly import BIN_S, STEP, demand_of
from chargeloop.simulation.reach import OPTIONS, options
from chargeloop.simulation.scenario import BUSY_ROADS, Scenario
from chargeloop.simulation.twin import Twin

LEVELS = (0.5, 1.4)  # drawn between, unless told
DAY = Scenario(zone_spread=0.3, scatter=2.0, hour_drive=BUSY_ROADS, walk_ins=0.1)
WARM_H, LEFT_H = 2, 1  # others decide before the first choice; drivers come on after the last
FIRST_H = (7, 18)  # local hours at which a run of choices begins, drawn between
STEP_S = 300
ROUNDS = 60  # of the ascent to prices
_OPEN, _ABOVE_BEST = FEATURES.index("open"), FEATURES.index("above_best")
TOLLS_MIN = (0.0, 0.0, 3.0)  # means of what pools cost besides, one drawn for each run


class StationChoice(gymnasium.Env[Seen, np.int64]):
    """Drivers of one city ask, one after the other, for `hours`.

    Observation: K x `FEATURES`. Action: an option; one that is not open stands for the first that is. Reward: the minutes that
    the choice costs driver and others by hindsight (`Choices`), less than the option of the least F would have. Each reward is
    all that the choice comes to, so nothing has to be added up or discounted: gamma is 0.

    A run is a day of its own: level, hour, drivers and stays are drawn, and whether shadow prices, the likely wait, and tolls
    (which stand for money) are known. `level`: of the drivers, if it is not to be drawn.
    """

    def __init__(self, city: City, *, level: float | None = None, hours: int = 4) -> None:
        self.observation_space = Box(0.0, 1.0, (OPTIONS, len(FEATURES)), np.float32)
        self.action_space = Discrete(OPTIONS)
        ample = tuple(replace(each, limit_kw=100 * each.limit_kw) for each in city.circuits)  # bays are to be what is short
        self._city, self._level, self._hours = replace(city, circuits=ample), level, hours
        self._layout = Layout.of(self._city)
        self._guide = Guide.of(self._city, self._layout)
        self._choices: Choices | None = None
        self._now: Choice | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Seen, dict[str, Any]]:
        """A new day. Days on which nobody asks are passed over."""
        super().reset(seed=seed, options=options)
        self._now = None
        while self._now is None:
            self._choices = self._day()
            self._now = self._choices.next()
        return self._now.seen, {}

    def step(self, action: np.int64) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        assert self._choices is not None, "reset comes first"
        assert self._now is not None, "the day is over"
        now, option = self._now, int(action)
        is_open = now.seen[:, _OPEN] > 0
        if not is_open[option]:
            option = int(np.argmax(is_open))
        self._choices.take(now, option)
        self._now = self._choices.next()
        seen = np.zeros_like(now.seen) if self._now is None else self._now.seen
        least = int(np.argmin(np.where(is_open, now.seen[:, _ABOVE_BEST], np.inf)))
        lost_min = float(now.lost_min[option])
        return seen, float(now.lost_min[least]) - lost_min, self._now is None, False, {"lost_min": lost_min}

    def _day(self) -> Choices:
        rng, city, layout, guide = self.np_random, self._city, self._layout, self._guide
        level = float(rng.uniform(*LEVELS)) if self._level is None else self._level
        start = default_day(city) + timedelta(days=int(rng.integers(7)), hours=int(rng.integers(*FIRST_H)) - WARM_H)
        hours = WARM_H + self._hours + LEFT_H
        drivers = draw_drivers(city, layout, start, hours, level, rng, scenario=DAY)
        usual = draw_drivers(city, layout, start, hours, level, rng, scenario=DAY) if rng.random() < 0.5 else None
        prices = NO_PRICES if usual is None else self._prices(usual, start, hours)
        toll_min = rng.exponential(rng.choice(TOLLS_MIN), len(layout.pool_station))
        risk = float(rng.choice([0.0, RISK, RISK]))
        twin = Twin(
            city, layout, guide, drivers, start, STEP_S, "external", rng,
            faults_per_day=0.0, listen=False, scenario=DAY, prices=prices,
        )  # fmt: skip
        twin.run_until(start + timedelta(hours=WARM_H), "commit")
        end_s = start.timestamp() + 3600 * (WARM_H + self._hours)
        hindsight = self._prices(drivers, start, hours)
        return Choices(twin, end_s, toll_min=toll_min, hindsight=hindsight, risk=risk)

    def _prices(self, drivers: Drivers, start: datetime, hours: int) -> Prices:
        """Of bay-time, for just these drivers."""
        slow: Floats = DAY.slow(drivers.appear_s, utc_offset_s(start, self._city.time_zone))
        bins = int(hours * 3600 / BIN_S)
        demand = demand_of(drivers, self._layout, options(drivers, self._layout, self._guide, slow), start, bins)
        return ascend(demand, np.zeros((len(self._layout.pool_station), bins)), ROUNDS, STEP)[0]
