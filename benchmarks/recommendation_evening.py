"""The shipped loop in the twin, turn by turn: with its own weights, with those of the score, and with other solvers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.recommendation_city import World, world
from benchmarks.recommendation_day import DAY, Case, draw, prices_of
from benchmarks.report import Result
from chargeloop.model.city import Floats
from chargeloop.recommendation import DEFAULT, Weights
from chargeloop.simulation import Drivers, Twin, offline_loop
from chargeloop.simulation.kpis import minutes_lost

LEVEL, LEARNED_ON = 1.0, 1000
BEGIN_H, END_H = 17, 20  # the loop takes over a city that has run on "commit" since midnight
LEFT_OUT_H = (0.5, 1.0)  # at the begin, where others decided; and at the end, where it is not over
TURN_S, SOLVER_S = 60, 0.05
SEARCHES = ("genetic", "swarm", "learned")

# Drive and wait in minutes, and what a stay takes from others: the score, without anything that is paid for.
MINUTES = Weights(
    tiers={
        tier: replace(each, amount=0.0, charge_dc=0.0, charge_ac=0.0, late=0.0, uncertainty=1.0)
        for tier, each in DEFAULT.tiers.items()
    },
    empty_bonus=0.0,
    full_penalty=0.0,
    distance_per_km=0.0,
    regional_load_per_kwh=0.0,
    energy_price=0.0,
)


class Evening(NamedTuple):
    folder: Path | None
    seed: int
    name: str  # commit, priced, loop, loop_minutes, or a solver of `SEARCHES`


class Scored(NamedTuple):
    name: str
    score: float
    wait_min: float
    kept: NDArray[np.bool_]  # of each wait above 0 that the loop promised at 0.9, whether it was kept


def evenings(run: Callable[..., Iterator[Scored]], folder: Path | None, seeds: Sequence[int]) -> Iterator[Result]:
    names = ("commit", "priced", "loop_minutes", "loop", *SEARCHES)
    scored = list(run(evening, [Evening(folder, seed, name) for seed in seeds for name in names]))
    mean = {name: np.mean([each[1:3] for each in scored if each.name == name], axis=0) for name in names}
    for name in names:
        score, wait = mean[name]
        yield Result(f"evening_score_{name}", float(score), "min per driver, 17-20 h", "commit", float(mean["commit"][0]))
        yield Result(f"evening_wait_min_{name}", float(wait), "min")
    kept = np.concatenate([each.kept for each in scored if each.name == "loop"])
    yield Result(
        "wait_calibration_90_loop", float(kept.mean()), "of the waits that the loop promised", "waits", float(kept.size)
    )


def evening(job: Evening) -> Scored:
    here = world(job.folder, True)
    case = Case(LEVEL, job.seed)
    drivers = draw(here, case)
    promised_s = np.zeros(len(drivers))
    if job.name in ("commit", "priced"):
        twin = _twin(here, drivers, job)
        _until(twin, here.start.timestamp() + END_H * 3600)
    else:
        twin, promised_s = _under_the_loop(here, drivers, job)
    minutes, wait = minutes_lost(twin.state.cars)
    hour = (drivers.appear_s - here.start.timestamp()) / 3600
    those = (hour >= BEGIN_H + LEFT_OUT_H[0]) & (hour < END_H - LEFT_OUT_H[1])
    tried = those & (promised_s > 0) & (twin.state.cars["start_s"] > 0)
    kept = wait[tried] * 60 <= promised_s[tried]
    return Scored(job.name, float(minutes[those].mean()), float(wait[those].mean()), kept)


def _under_the_loop(here: World, drivers: Drivers, job: Evening) -> tuple[Twin, Floats]:
    """The twin at the end, and the wait that each driver was promised at 0.9, s; 0 for none."""
    twin, promised_s = _twin(here, drivers, job), np.zeros(len(drivers))
    changes = {
        "loop": {},
        "loop_minutes": {"weights": MINUTES},
    }.get(job.name, {"weights": MINUTES, "solver": job.name, "budget_s": SOLVER_S})
    loop = offline_loop(here.city, here.layout, here.guide, twin.now, LEVEL, scenario=DAY, seed=job.seed, **changes)
    events = twin.current_events()
    while True:
        for command in loop.step(events, twin.now):
            twin.apply(command)
        for decision in loop.last.decisions if loop.last is not None else ():
            if decision.chosen is not None:
                promised_s[int(decision.request_id[1:])] = 60 * decision.chosen.wait_p90_min
        if twin.now_s >= here.start.timestamp() + END_H * 3600:
            return twin, promised_s
        events = twin.step()


def _twin(here: World, drivers: Drivers, job: Evening) -> Twin:
    """At the begin of the evening."""
    policy = job.name if job.name in ("commit", "priced") else "external"
    prices = prices_of(here, LEVEL, DAY, LEARNED_ON) if job.name == "priced" else None
    twin = Twin(
        here.city,
        here.layout,
        here.guide,
        drivers,
        here.start,
        TURN_S,
        policy,
        np.random.default_rng([job.seed, 1]),
        faults_per_day=0.0,
        scenario=DAY,
        prices=prices,
        listen=policy == "external",
    )
    twin.run_until(here.start.fromtimestamp(here.start.timestamp() + BEGIN_H * 3600, here.start.tzinfo), "commit")
    return twin


def _until(twin: Twin, end_s: float) -> None:
    while twin.now_s < end_s:
        twin.step()
