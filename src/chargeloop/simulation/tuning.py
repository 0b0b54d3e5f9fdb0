"""The parameters of policy `priced`, tuned against the twin: by one aim (GA, PSO) or as a front of four (NSGA-II).

No formula says what a parameter does to a day, only a run does, and that is where such methods belong. What they find on
the days that they were let look at is judged on others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chargeloop.model import City
from chargeloop.model.city import Floats
from chargeloop.simulation.days import Judge, Outcome, figures
from chargeloop.simulation.manner import PARTS, RISK, SHIPPED, Manner, tiers_of
from chargeloop.simulation.paired import Change, paired
from chargeloop.simulation.search import Told, hypervolumes, non_dominated, search

AIMS = {"minutes": 1, "cny_per_kwh": 1, "jain": -1, "feeder_peaks_mw": 1}  # of the front; -1: more is better
CHECKED_AT_MOST = 20  # of a front


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter, its bounds, and what it is as shipped."""

    name: str
    least: float
    most: float
    shipped: float


BASE = (Knob("price", 0.0, 2.5, 1.0), Knob("risk", 0.0, 4.0, RISK))
BESIDE = (Knob("amount", 0.0, 2.0, 0.0), Knob("busy_min", 0.0, 30.0, 0.0), Knob("load_min", 0.0, 60.0, 0.0))


def knobs_of(city: City) -> tuple[Knob, ...]:
    """All of the front's, and a factor on price and risk for each tier of the fleet and each part of the day."""
    groups = [*map(str, tiers_of(city)), *PARTS]
    return (*BASE, *BESIDE, *(Knob(f"{base.name}.{group}", 0.0, 2.0, 1.0) for base in BASE for group in groups))


def manner_of(knobs: Sequence[Knob], point: Floats) -> Manner:
    """`point`: each knob's place between its bounds, 0..1."""
    value = {knob.name: knob.least + float(x) * (knob.most - knob.least) for knob, x in zip(knobs, point, strict=True)}

    def factors(base: str) -> dict[str, float]:
        return {name.partition(".")[2]: each for name, each in value.items() if name.startswith(f"{base}.")}

    return Manner(
        times_price=value["price"],
        risk=value["risk"],
        price_factors=factors("price"),
        risk_factors=factors("risk"),
        amount=value["amount"],
        busy_min=value["busy_min"],
        load_min=value["load_min"],
    )


def shipped_point(knobs: Sequence[Knob]) -> Floats:
    return np.array([(knob.shipped - knob.least) / (knob.most - knob.least) for knob in knobs])


def values_of(knobs: Sequence[Knob], point: Floats) -> dict[str, float]:
    return {knob.name: round(knob.least + float(x) * (knob.most - knob.least), 3) for knob, x in zip(knobs, point, strict=True)}


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """`knobs`: the values found; `learned`, `checked`: changes against the shipped policy on days of the search and others.

    `best_by_generation`: minutes a driver on the days of tuning.
    """

    manner: Manner
    knobs: dict[str, float]
    learned: dict[str, Change]
    checked: dict[str, Change]
    best_by_generation: list[float]
    evaluations: int


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A policy of the front: weights, aims on the days of the search, and changes against the shipped one on others.

    `stays`: no other that was checked equals or beats it in everything there too.
    """

    knobs: dict[str, float]
    learned: dict[str, float]
    checked: dict[str, Change]
    stays: bool


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """`shipped`: the aims of the shipped policy on the days of the search. `hypervolumes`: by generation, share of the box
    between the best of each aim and 5 % beyond the worst of the first generation."""

    points: list[Point]
    shipped: dict[str, float]
    hypervolumes: list[float]
    evaluations: int


def tune_policy(
    judge: Judge,
    city: City,
    days: Sequence[int],
    others: Sequence[int],
    *,
    method: str = "ga",
    population: int,
    generations: int,
    seed: int,
    told: Told = lambda _: None,
) -> Tuned:
    """The manner with the fewest minutes a driver on `days`, judged on `others`."""
    knobs = knobs_of(city)

    def minutes(points: Floats) -> Floats:
        outcomes = judge([manner_of(knobs, point) for point in points], days)
        return np.array([[figures(each, "minutes").mean()] for each in outcomes])

    at = {"population": population, "generations": generations, "seed": seed, "told": told}
    found = search(method, shipped_point(knobs), 1, minutes, **at)  # type: ignore[arg-type]
    best = found.points[found.best]
    manner = manner_of(knobs, best)
    shipped, learned = judge([SHIPPED, manner], days)
    before, after = judge([SHIPPED, manner], others)
    by_generation = [float(found.values[found.generation <= n].min()) for n in range(1, generations + 1)]
    return Tuned(
        manner, values_of(knobs, best), _changes(shipped, learned), _changes(before, after), by_generation, len(found.points)
    )


def tune_front(
    judge: Judge,
    days: Sequence[int],
    others: Sequence[int],
    *,
    population: int,
    generations: int,
    seed: int,
    told: Told = lambda _: None,
) -> Front:
    """Policies of which none is better in all aims than another on `days`, judged on `others`."""
    knobs = (*BASE, *BESIDE)

    def aims(points: Floats) -> Floats:
        return np.array([_aims(each) for each in judge([manner_of(knobs, point) for point in points], days)])

    at = {"population": population, "generations": generations, "seed": seed, "told": told}
    found = search("nsga2", shipped_point(knobs), len(AIMS), aims, **at)  # type: ignore[arg-type]
    first = found.values[found.generation == 1]
    worst, ideal = first.max(axis=0), found.values.min(axis=0)
    those = found.front
    if len(those) > CHECKED_AT_MOST:
        those = those[np.linspace(0, len(those) - 1, CHECKED_AT_MOST).round().astype(np.int64)]
    shipped, *checked = judge([SHIPPED, *(manner_of(knobs, found.points[n]) for n in those)], others)
    staying = set(non_dominated(np.array([_aims(each) for each in checked])).tolist())
    return Front(
        points=[
            Point(values_of(knobs, found.points[n]), _named(found.values[n]), _changes(shipped, each), i in staying)
            for i, (n, each) in enumerate(zip(those, checked, strict=True))
        ],
        shipped=_named(found.values[0]),
        hypervolumes=hypervolumes(found, worst + 0.05 * (worst - ideal) + 1e-12, ideal),
        evaluations=len(found.points),
    )


def _aims(outcomes: Sequence[Outcome]) -> Floats:
    """Means over the days, each to be small."""
    return np.array([sign * figures(outcomes, name).mean() for name, sign in AIMS.items()])


def _named(aims: Floats) -> dict[str, float]:
    return {name: float(sign * value) for (name, sign), value in zip(AIMS.items(), aims, strict=True)}


def _changes(before: Sequence[Outcome], after: Sequence[Outcome]) -> dict[str, Change]:
    names = (*AIMS, "peak_mw", "served_share")
    return {name: paired(figures(before, name).tolist(), figures(after, name).tolist()) for name in names}
