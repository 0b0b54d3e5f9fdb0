"""Two hundred equal requests at one place within five seconds: what each is promised, and how long each then waits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.recommendation_city import World, world
from benchmarks.recommendation_day import DAY
from benchmarks.report import Result
from chargeloop.loop import OfflineLoop, Told, answer, counted
from chargeloop.model import ChargeRequest, ChargeRequested, Decision, DecisionMade, Event
from chargeloop.model.city import Floats, Ints
from chargeloop.simulation import Drivers, Twin, draw_drivers, offline_loop
from chargeloop.simulation.drivers import ARRAYS
from chargeloop.simulation.scenario import STAY_ERROR

HERD, WITHIN_S = 200, 5.0
BURST_H, LEAD, UNTIL = 18.0, timedelta(minutes=40), timedelta(hours=12)
TURN_S = 60
ENOUGH = 0.9


class Herd(NamedTuple):
    """`at_once`: answered in one turn of the loop; else one by one, none of them reserving before the last has asked."""

    folder: Path | None
    level: float
    seed: int
    is_dc: bool
    at_once: bool


class Kept(NamedTuple):
    """D drivers of the herd: where each was sent (-1: nowhere), the wait promised at 0.9, and what it came to, s."""

    station: Ints
    promised_s: Floats
    wait_s: Floats

    def by_station(self) -> Floats:
        """Share of promises kept at each station that anybody was sent to."""
        kept = self.wait_s <= self.promised_s
        return np.array([kept[self.station == n].mean() for n in np.unique(self.station[self.station >= 0])])


def herds(run: Callable[..., Iterator[Kept]], folder: Path | None, seeds: Sequence[int]) -> Iterator[Result]:
    for name, at_once in (("", True), ("_singly", False)):
        jobs = [Herd(folder, level, s, is_dc, at_once) for level in (0.5, 1.0, 1.5) for s in seeds for is_dc in (False, True)]
        shares = [kept.by_station() for kept in run(herd, jobs)]
        worst = float(min(share.min() for share in shares))
        yield Result(f"herd_kept_90_worst_station{name}", worst, "of promises at 0.9", must={"min": ENOUGH})
        enough = float(np.mean(np.concatenate(shares) >= ENOUGH))
        yield Result(f"herd_stations_kept_90{name}", enough, "of stations keep nine of ten", "herds", len(jobs))


def herd(job: Herd) -> Kept:
    """The evening of a day, decided by "commit" until the burst and after it, and by the shipped stages in between."""
    here = world(job.folder, True)
    drivers, those = drivers_with_herd(here, job)
    twin = Twin(
        here.city,
        here.layout,
        here.guide,
        drivers,
        here.start,
        TURN_S,
        "external",
        np.random.default_rng([job.seed, 1]),
        faults_per_day=0.0,
        scenario=DAY,
    )
    burst = here.start + timedelta(hours=BURST_H)
    twin.run_until(burst - LEAD, "commit")
    loop = offline_loop(here.city, here.layout, here.guide, twin.now, job.level, scenario=DAY, seed=job.seed)
    names = {f"R{d:08d}": i for i, d in enumerate(those.tolist())}
    station, promised_s = np.full(HERD, -1), np.full(HERD, np.inf)
    events = twin.current_events()
    while twin.now <= burst + timedelta(seconds=2 * TURN_S):
        for decision in _turn(loop, twin, events, names, job.at_once):
            if decision.request_id in names and decision.chosen is not None:
                i = names[decision.request_id]
                station[i] = here.layout.station_index[decision.chosen.station_id]
                promised_s[i] = decision.chosen.wait_p90_min * 60
        events = twin.step()
    twin.state.bays["plan_steps"] = 0  # the loop's charging profiles, which nobody renews from here on
    twin.run_until(burst + UNTIL, "commit")
    cars = twin.state.cars[those]
    return Kept(station, promised_s, np.nan_to_num(np.maximum(cars["start_s"] - cars["arrive_s"], 0), nan=np.inf))


def _turn(loop: OfflineLoop, twin: Twin, events: Sequence[Event], names: dict[str, int], at_once: bool) -> list[Decision]:
    """A turn of the loop; those of the herd apart, one by one, unless `at_once`."""
    apart: list[ChargeRequest] = []
    others: list[Event] = []
    for event in events:
        if not at_once and isinstance(event, ChargeRequested) and event.request.request_id in names:
            apart.append(event.request)
        else:
            others.append(event)
    for command in loop.step(others, twin.now):
        twin.apply(command)
    assert loop.last is not None
    return [*loop.last.decisions, *_singly(loop, twin, apart)]


def _singly(loop: OfflineLoop, twin: Twin, requests: Sequence[ChargeRequest]) -> list[Decision]:
    """As `CityLoop.recommend` does it."""
    decisions: list[Decision] = []
    given: list[Told] = []
    here, stages = loop.perception.snapshot(twin.now), loop.stages
    for request in requests:
        seen = counted(here, given)
        decision = answer(seen, request, stages.predict(seen), stages)
        told = Told.of(here.layout, decision)
        given += [told] if told is not None else []
        decisions.append(decision)
        turn_s, twin.now_s = twin.now_s, request.at.timestamp()  # he sets out when he is answered, not when the turn ends
        twin.apply(stages.guide(here, request, decision))
        twin.now_s = turn_s
    for request, decision in zip(requests, decisions, strict=True):
        loop.perception.apply(ChargeRequested(at=twin.now, request=request))
        loop.perception.apply(DecisionMade(at=twin.now, decision=decision))
    return decisions


def drivers_with_herd(here: World, job: Herd) -> tuple[Drivers, Ints]:
    """The drivers of the day and, among them, the herd: all at the centre of one of the zones with most such bays."""
    layout, rng = here.layout, np.random.default_rng([job.seed, 77])
    usual = draw_drivers(here.city, layout, here.start, 24, job.level, np.random.default_rng([job.seed, 0]), scenario=DAY)
    bays = np.bincount(layout.station_zone[layout.pool_station], layout.pool_bays * (layout.pool_is_dc == job.is_dc))
    centre = here.city.zones[int(np.argsort(-bays)[job.seed % 5])].centre
    like = (usual.is_dc == job.is_dc) & (usual.soc < 0.4) & (usual.said_stay_s > 2400) & (usual.said_stay_s < 9000)
    one = usual[np.full(HERD, np.flatnonzero(like)[0])]
    overstay_s = rng.choice(usual.stay_s[usual.is_dc], HERD)
    appear_s = here.start.timestamp() + BURST_H * 3600 + WITHIN_S * np.sort(rng.random(HERD))
    same = replace(
        one,
        appear_s=appear_s,
        lon=np.full(HERD, centre.lon),
        lat=np.full(HERD, centre.lat),
        stay_s=overstay_s if job.is_dc else one.said_stay_s * rng.lognormal(0, STAY_ERROR, HERD),
        depart_by_s=appear_s + one.depart_by_s - one.appear_s,
        patience_s=np.full(HERD, np.inf),
        walk_in=np.zeros(HERD, dtype=np.bool_),
        follows=np.ones(HERD, dtype=np.bool_),
    )
    both: dict[str, Any] = {name: np.concatenate([getattr(usual, name), getattr(same, name)]) for name in ARRAYS}
    order = np.argsort(both["appear_s"], kind="stable")
    merged: dict[str, Any] = {name: each[order] for name, each in both.items()}
    return replace(usual, **merged), np.flatnonzero(order >= len(usual))
