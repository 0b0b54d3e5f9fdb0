"""The learned policy in cities that it was not trained in, on paired afternoons: told all that can be known, and told little.

Told all: shadow prices of the night before and likely waits, as the loop is. Told little: drive and expected wait, as policy
commit is. Beside it stands the rule that takes the option of the least F, told the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import stats

from benchmarks.report import Result
from chargeloop.city import builtin_city, generated_city
from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats
from chargeloop.prediction import forecast_city
from chargeloop.recommendation import FEATURES, NO_PRICES, Prices
from chargeloop.recommendation.solvers.learned import best, policy
from chargeloop.simulation import Choice, Choices, Drivers, Twin, default_day, draw_drivers, minutes_lost, shadow_prices
from chargeloop.simulation.environment import DAY

BEGIN_H, HOURS = 14, 7  # on policy commit for `WARM_H`; those who ask until `JUDGED_H` are counted
WARM_H, JUDGED_H = 2.0, 5.5
LEVEL, LEARNED_ON = 1.0, 1000
RISK = 2.0
BASELINES = ("nearest", "commit", "priced")
ABOVE_BEST = FEATURES.index("above_best")
CITIES: dict[str, Callable[[], City]] = {
    "builtin": builtin_city,
    "generated": partial(generated_city, 77, zones=30, spread=1.3, bays=0.8),
}


def against(metric: str, ours: Floats, theirs: Floats, rule: str) -> Result:
    """Ours over the rule's, %, with a 95 % interval from the paired differences."""
    change = 100 * (ours - theirs) / theirs.mean()
    half = float(stats.t.ppf(0.975, len(change) - 1) * change.std(ddof=1) / np.sqrt(len(change)))
    unit = f"% +- {half:.1f} (95 %, {len(change)} paired afternoons)"
    return Result(metric, float(change.mean()), unit, f"{rule}, min", float(theirs.mean()))


class Place(NamedTuple):
    city: City
    layout: Layout
    guide: Guide
    start: datetime
    prices: Prices


def afternoons(*, quick: bool, seed: int) -> Iterator[Result]:
    """Minutes of drive and wait per driver, walk-ins included; an unserved one counts 60."""
    seeds = range(seed, seed + (2 if quick else 6))
    for name, make in CITIES.items():
        here = _place(make())
        scores = [_scores(here, each) for each in seeds]
        mean = {policy: float(np.mean([each[policy] for each in scores])) for policy in scores[0]}
        unit = f"min per driver, {len(here.city.stations)} stations, level {LEVEL}"
        for policy_name, score in mean.items():
            yield Result(f"afternoon_{name}_{policy_name}", score, unit, "commit", mean["commit"])
        for told, rule in (("little", "commit"), ("all", "priced")):
            ours, theirs = (np.array([each[policy] for each in scores]) for policy in (f"learned_{told}", rule))
            yield against(f"afternoon_{name}_learned_{told}_pct", ours, theirs, rule)


def _place(city: City) -> Place:
    ample = replace(city, circuits=tuple(replace(each, limit_kw=100 * each.limit_kw) for each in city.circuits))
    layout = Layout.of(ample)
    guide, start = Guide.of(ample, layout), default_day(ample) + timedelta(hours=BEGIN_H)
    rng = np.random.default_rng([LEARNED_ON, 2])
    forecast = forecast_city(ample, start, HOURS)
    prices = shadow_prices(ample, layout, guide, forecast, start, HOURS, rng, level=LEVEL, scenario=DAY)
    return Place(ample, layout, guide, start, prices)


def _scores(here: Place, seed: int) -> dict[str, float]:
    drivers = draw_drivers(here.city, here.layout, here.start, HOURS, LEVEL, np.random.default_rng([seed, 0]), scenario=DAY)
    session = policy()
    found = {name: _baseline(here, drivers, name, seed) for name in BASELINES}
    for told, prices, risk in (("little", NO_PRICES, 0.0), ("all", here.prices, RISK)):
        found[f"least_f_{told}"] = _decided(here, drivers, seed, prices, risk, _least_f)
        found[f"learned_{told}"] = _decided(here, drivers, seed, prices, risk, lambda each: best(session, each.seen))
    return found


def _least_f(choice: Choice) -> int:
    return int(np.argmin(np.where(choice.seen[:, 0] > 0, choice.seen[:, ABOVE_BEST], np.inf)))


def _baseline(here: Place, drivers: Drivers, name: str, seed: int) -> float:
    twin = _twin(here, drivers, name, seed, here.prices)
    while twin.now < here.start + timedelta(hours=HOURS):
        twin.step()
    return _score(here, twin)


def _decided(here: Place, drivers: Drivers, seed: int, prices: Prices, risk: float, choose: Callable[[Choice], int]) -> float:
    twin = _twin(here, drivers, "external", seed, prices)
    choices = Choices(twin, here.start.timestamp() + 3600 * HOURS, risk=risk)
    while (each := choices.next()) is not None:
        choices.take(each, choose(each))
    return _score(here, twin)


def _twin(here: Place, drivers: Drivers, name: str, seed: int, prices: Prices) -> Twin:
    twin = Twin(
        here.city, here.layout, here.guide, drivers, here.start, 300, name, np.random.default_rng([seed, 1]),
        faults_per_day=0.0, listen=False, scenario=DAY, prices=prices,
    )  # fmt: skip
    twin.run_until(here.start + timedelta(hours=WARM_H), "commit")
    return twin


def _score(here: Place, twin: Twin) -> float:
    hour = (twin.drivers.appear_s - here.start.timestamp()) / 3600
    return float(minutes_lost(twin.state.cars)[0][(hour >= WARM_H) & (hour < JUDGED_H)].mean())
