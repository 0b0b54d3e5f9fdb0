"""Policies on the city twin: the same days for all, against each other and against the bound of hindsight.

Level L asks for a share L / 2 of all bay-hours of an evening. Circuits' limits are lifted unless a figure says otherwise: at
level 1.5 the assumed transformers would stretch fast charges by 40 %, and then it is power that is short, not bays.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from benchmarks.recommendation_city import World, world
from benchmarks.recommendation_day import DAY, Case, Outcome, bound_min, draw, finished, outcome, prices_of
from benchmarks.recommendation_evening import evenings
from benchmarks.recommendation_herd import herds
from benchmarks.recommendation_prototype import prototype
from benchmarks.report import Bounds, Result
from chargeloop.model.city import Floats
from chargeloop.recommendation import NEEDLESS_SOC, Prices
from chargeloop.simulation import HOLIDAY, Drivers, Outage, Scenario, Surge
from chargeloop.simulation.state import Bools

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
OURS = "priced"
POLICIES = ("nearest", "cheapest", "shortest-wait", "commit", OURS)
PAIR = ("commit", OURS)
EVENT_H, EVENT_EXTRA = (18.0, 20.0), 5.0  # an event lets out: this many times the usual drivers, beside the usual ones
OUTAGE_H, OUTAGE_BAYS = (17.0, 21.0), 60  # a station with about so many bays fails
LEARNED_ON = 1000  # seed of the days that prices are learned on
KINDS = replace(DAY, own_hours=True, anxious=0.15)  # each kind of vehicle at its hours, and drivers who charge without need
SPECIAL = {  # prices are those of a usual day: nobody has told the night before
    "holiday": replace(KINDS, weekday=HOLIDAY.weekday, demand=HOLIDAY.demand),
    "rain": replace(KINDS, rain=3.0),
    "frost": replace(KINDS, temperature_c=-10.0),
}


class Job(NamedTuple):
    """A day to be run under some policies. `folder` None: the built-in city; `ample`: circuits' limits lifted."""

    folder: Path | None
    case: Case
    policies: tuple[str, ...]
    ample: bool = True
    bound: bool = False
    around_the_burst: bool = False
    in_need: bool = False  # of those alone who could not have done without


class Ran(NamedTuple):
    outcomes: dict[str, Outcome]
    bound: float


def twin_days(*, quick: bool, seed: int) -> Iterator[Result]:
    """All figures of the twin. Days are run on all cores."""
    folder = None if quick or not SHARED.is_dir() else SHARED
    seeds = range(seed, seed + (4 if quick else 20))
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as cores:

        def run(
            level: float | None, policies: Sequence[str], scenario: Scenario = DAY, days: int = 20, **more: bool
        ) -> list[Ran]:
            cases = [Case(level, s, special(world(folder, True), scenario, s - seed)) for s in seeds[:days]]
            return list(cores.map(judge, [Job(folder, case, tuple(policies), **more) for case in cases]))

        middle = run(1.0, POLICIES, bound=True)
        yield from headline(middle)
        yield from standing("100", middle)
        yield against("score_vs_commit_pct_c06", run(1.0, PAIR, replace(DAY, compliance=0.6)), aim={"max": -20})
        if not quick:
            low, high = run(0.5, POLICIES, bound=True), run(1.5, POLICIES, bound=True)
            yield against("score_vs_commit_pct_150", high, must={"max": -12}, aim={"max": -28})
            yield against("score_vs_commit_pct_050", low)
            yield from standing("050", low)
            yield from standing("150", high)
            if folder is not None:
                yield from prototype(cores.map, folder, seeds[:8])
            yield against("score_vs_commit_pct_150_limited", run(1.5, PAIR, days=10, ample=False)[:10])
        yield from measured(folder, seed)
        yield from burst(cores.map, folder, list(seeds)[:4])
        yield from kinds(cores.map, folder, list(seeds)[: 1 if quick else 3])
        yield from special_days(cores.map, folder, list(seeds)[: 1 if quick else 2])
        yield from evenings(cores.map, folder, list(seeds)[: 1 if quick else 3])
        yield from herds(cores.map, None, list(seeds)[: 1 if quick else 4])


def special(here: World, scenario: Scenario, day: int) -> Scenario:
    """The third day has an event in the zone with most bays, the fourth the failure of a large station there."""
    if day == 2:
        return replace(scenario, surges=(Surge(_busiest(here)[0], *EVENT_H, EVENT_EXTRA),))
    if day == 3:
        return replace(scenario, outages=(Outage(_busiest(here)[1], *OUTAGE_H),))
    return scenario


def _busiest(here: World) -> tuple[str, str]:
    """The zone with most bays, and of its stations that whose bays are nearest to `OUTAGE_BAYS`."""
    layout = here.layout
    bays = np.bincount(layout.evse_station, minlength=len(layout.station_ids))
    zone = int(np.argmax(np.bincount(layout.station_zone, bays)))
    inside = np.flatnonzero(layout.station_zone == zone)
    return layout.zone_ids[zone], layout.station_ids[inside[np.argmin(abs(bays[inside] - OUTAGE_BAYS))]]


def judge(job: Job) -> Ran:
    """Run a day under each policy; in a process of its own, which keeps city and prices for the next."""
    here = world(job.folder, job.ample)
    prices = _prices(job.folder, job.case.level, job.case.scenario.compliance, job.ample)
    drivers = draw(here, job.case)
    among = _burst_drivers(here, drivers) if job.around_the_burst else None
    if job.in_need:
        among = drivers.soc < NEEDLESS_SOC
    outcomes, runs = {}, []
    for policy in job.policies:
        twin, cpu_s = finished(here, drivers, job.case, policy, prices)
        outcomes[policy] = outcome(here, twin, cpu_s, among)
        runs.append(twin)
    return Ran(outcomes, bound_min(here, runs, prices) if job.bound else float("nan"))


@cache
def _prices(folder: Path | None, level: float | None, compliance: float, ample: bool) -> Prices:
    return prices_of(world(folder, ample), level, replace(DAY, compliance=compliance), LEARNED_ON)


def _burst_drivers(here: World, drivers: Drivers) -> Bools:
    """Those who ask from the begin of the event until an hour after it, within 3 km of the event."""
    layout, begin_s = here.layout, here.start.timestamp()
    zone = here.city.zones[layout.zone_ids.index(_busiest(here)[0])].centre
    hour = (drivers.appear_s - begin_s) / 3600
    east = (drivers.lon - zone.lon) * 111.2 * np.cos(np.radians(zone.lat))
    near = np.hypot(east, (drivers.lat - zone.lat) * 111.2) < 3
    return np.asarray(near & (hour >= EVENT_H[0]) & (hour < EVENT_H[1] + 1))


def headline(days: list[Ran]) -> Iterator[Result]:
    ours, commit, bound = _scores(days, OURS), _scores(days, "commit"), np.array([day.bound for day in days])
    yield against("score_vs_commit_pct", days, must={"max": -8}, aim={"max": -20})
    closed = 100 * (commit - ours).sum() / (commit - bound).sum()
    yield Result("gap_closed_pct", closed, "% of the way from commit to the bound", must={"min": 30}, aim={"min": 50})
    left = 100 * (ours.sum() / bound.sum() - 1)
    yield Result("gap_to_bound_pct", left, "%", "bound, min", float(bound.mean()), aim={"max": 25})
    waits = {policy: _mean(days, policy, "wait_min") for policy in POLICIES}
    for other, aim in (("nearest", {"max": -90.0}), ("shortest-wait", None)):
        name = f"wait_vs_{other.replace('-', '_')}_pct" if other == "nearest" else "wait_vs_shortest_wait_pct"
        yield Result(name, 100 * (waits[OURS] / waits[other] - 1), "%", f"{other}, min", waits[other], aim=aim)  # type: ignore[arg-type]
    worst = _mean(days, OURS, "tier_p95_ratio")
    yield Result("tier_p95_ratio", worst, "worst tier's p95 wait over the city's", must={"max": 2})
    kept = _mean(days, OURS, "kept_promises")
    yield Result("wait_calibration_90", kept, "of waits promised above 0", aim={"min": 0.87, "max": 0.93})
    steps = _mean(days, "nearest", "evse_steps_per_cpu_s")
    yield Result("evse_steps_per_cpu_s", steps, "EVSE-steps of 5 min / CPU s, nearest", must={"min": 1e6}, aim={"min": 3e6})


def standing(name: str, days: list[Ran]) -> Iterator[Result]:
    """Each policy's score, and what stands beside it, at one level."""
    bound = float(np.mean([day.bound for day in days]))
    for policy in POLICIES:
        score = float(_scores(days, policy).mean())
        yield Result(f"score_{policy.replace('-', '_')}_{name}", score, "min per driver", "bound", bound)
    for figure, unit in (
        ("drive_min", "min"),
        ("wait_min", "min"),
        ("served_share", ""),
        ("charge_min", "min"),
        ("amount_cny", "CNY"),
        ("f_cny", "CNY"),
    ):
        yield Result(f"{figure}_{name}", _mean(days, OURS, figure), unit, "commit", _mean(days, "commit", figure))


def against(name: str, days: list[Ran], must: Bounds | None = None, aim: Bounds | None = None) -> Result:
    """Ours over commit, %, with a 95 % interval from the paired differences of the days."""
    ours, commit = _scores(days, OURS), _scores(days, "commit")
    change = 100 * (ours - commit) / commit.mean()
    half = float(stats.t.ppf(0.975, len(change) - 1) * change.std(ddof=1) / np.sqrt(len(change)))
    unit = f"% +- {half:.1f} (95 %, {len(change)} paired days)"
    return Result(name, float(change.mean()), unit, "commit, min", float(commit.mean()), must, aim)


def measured(folder: Path | None, seed: int) -> Iterator[Result]:
    """The demand as it was: too little for any sane method to wait."""
    day = judge(Job(folder, Case(None, seed), ("nearest", *PAIR)))
    for policy, found in day.outcomes.items():
        yield Result(f"wait_min_measured_{policy}", found.wait_min, "min at the measured demand")


Map = Callable[[Callable[[Job], Ran], list[Job]], Iterator[Ran]]


def burst(run: Map, folder: Path | None, seeds: list[int]) -> Iterator[Result]:
    """An event lets out while a station next to it has failed: those who ask near it then."""
    zone, station = _busiest(world(folder, True))
    scenario = replace(DAY, surges=(Surge(zone, *EVENT_H, EVENT_EXTRA),), outages=(Outage(station, *OUTAGE_H),))
    days = list(run(judge, [Job(folder, Case(1.0, s, scenario), PAIR, around_the_burst=True) for s in seeds]))
    yield against("burst_score_vs_commit_pct", days)
    for figure, unit in (("score", "min per driver"), ("served_share", "")):
        yield Result(f"burst_{figure}", _mean(days, OURS, figure), unit, "commit", _mean(days, "commit", figure))


def kinds(run: Map, folder: Path | None, seeds: list[int]) -> Iterator[Result]:
    """Each kind of vehicle at its own hours, with drivers who charge without need: policy priced with and without "not now".

    A session is needless if it began with a state of charge of 0.6 or more. The score is that of those who had less when they
    asked: who is told not to come, and had no need to, loses no minutes, and would flatter it.
    """
    pair = (OURS, "not-now")
    for level, name in ((1.0, ""), (1.5, "_150")):
        cases = [Case(level, s, KINDS) for s in seeds]
        days, needy = (list(run(judge, [Job(folder, case, pair, in_need=need) for case in cases])) for need in (False, True))
        with_it, without = (_mean(days, policy, "needless_share") for policy in ("not-now", OURS))
        yield Result(f"needless_share_with{name}", with_it, "of the sessions", "without", without)
        yield Result(f"needless_share_without{name}", without, "of the sessions")
        yield Result(
            f"put_off_share{name}", _mean(days, "not-now", "put_off") / _mean(days, "not-now", "drivers"), "of the drivers"
        )
        yield Result(
            f"spared_share{name}", _mean(days, "not-now", "spared") / _mean(days, "not-now", "drivers"), "of the drivers"
        )
        scores = [float(_scores(needy, policy).mean()) for policy in ("not-now", OURS)]
        yield Result(f"score_in_need_not_now{name}", scores[0], "min per driver in need", "without", scores[1])
        if level == 1.0:
            worst = max(day.outcomes[OURS].tier_p95_ratio for day in days)
            yield Result("tier_p95_ratio_own_hours", worst, "worst tier's p95 wait over the city's, worst day", must={"max": 2})


def special_days(run: Map, folder: Path | None, seeds: list[int]) -> Iterator[Result]:
    """Days unlike those that the prices were made from: ours against commit, minutes per driver."""
    for name, scenario in SPECIAL.items():
        days = list(run(judge, [Job(folder, Case(1.0, s, scenario), PAIR) for s in seeds]))
        ours, commit = float(_scores(days, OURS).mean()), float(_scores(days, "commit").mean())
        yield Result(f"score_priced_{name}", ours, "min per driver", "commit", commit)


def _scores(days: list[Ran], policy: str) -> Floats:
    return np.array([day.outcomes[policy].score for day in days])


def _mean(days: list[Ran], policy: str, figure: str) -> float:
    return float(np.mean([getattr(day.outcomes[policy], figure) for day in days]))
