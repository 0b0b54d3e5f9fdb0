"""Policies side by side: the same drivers, faults and city for each."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.model import BadInput, City, Command, Event, Layout
from chargeloop.physics import local
from chargeloop.simulation.drivers import draw_drivers
from chargeloop.simulation.kpis import Kpis
from chargeloop.simulation.nightly import Nightly
from chargeloop.simulation.scenario import QUIET, Scenario
from chargeloop.simulation.twin import POLICIES, Twin, check_step_s

if TYPE_CHECKING:
    from chargeloop.loop import OfflineLoop

BASELINES = ("nearest", "cheapest", "shortest-wait", "commit")
LOOP = "loop"


class Controller(Protocol):
    """Whatever answers events with commands, once a step: the loop, or your own."""

    def step(self, events: Iterable[Event], now: datetime) -> Iterable[Command]: ...


MakeController: TypeAlias = Callable[[Layout, Guide, datetime], Controller]  # for a run that starts then


def simulate(
    city: City,
    policies: Sequence[str],
    days: float = 1,
    level: float | None = 1.0,
    seed: int = 1,
    *,
    start: datetime | None = None,
    step_s: int = 60,
    controllers: dict[str, MakeController] | None = None,
    progress: Callable[[str, float], None] = lambda _policy, _share: None,
) -> dict[str, Kpis]:
    """Run each policy over the same days and drivers.

    `policies`: baselines, "loop", or a name in `controllers` (which make your own). `progress` is told the policy and the share
    of it done. CPU seconds count routing, the run and its book-keeping, not drawing the drivers or building the road graph.

    Raises:
        BadInput: unknown policy, or a time that makes no sense.
    """
    makers: dict[str, MakeController] = {
        LOOP: lambda layout, guide, at: offline_loop(city, layout, guide, at, level, seed=seed),
        **(controllers or {}),
    }
    unknown = [policy for policy in policies if policy not in BASELINES and policy not in makers]
    if unknown:
        raise BadInput("policy", f"there is no policy {unknown[0]!r}; there are: {', '.join((*BASELINES, *makers))}")
    hours = round(24 * days)
    if hours < 1:
        raise BadInput("days", f"at least an hour of a day, got {days}")
    check_step_s(step_s)
    layout = Layout.of(city)
    guide = Guide.of(city, layout)
    begin = start or default_day(city)
    drivers = draw_drivers(city, layout, begin, hours, level, np.random.default_rng([seed, 0]))
    results = {}
    for policy in policies:
        cpu_s = time.process_time()
        kind = policy if policy in POLICIES else "external"
        twin = Twin(city, layout, guide, drivers, begin, step_s, kind, np.random.default_rng([seed, 1]))
        controller = makers[policy](layout, guide, begin) if kind == "external" else None
        run(twin, controller, lambda share, name=policy: progress(name, share))  # type: ignore[misc]
        results[policy] = replace(twin.kpis(), cpu_s=time.process_time() - cpu_s)
    return results


def run(twin: Twin, controller: Controller | None, progress: Callable[[float], None] = lambda _: None) -> None:
    """Move the twin to the end of its drivers' time, the controller answering each step."""
    steps = twin.drivers.hours * 3600 // twin.step_s
    for i in range(steps):
        events = twin.step()
        if controller is not None:
            for command in controller.step(events, twin.now):
                twin.apply(command)
        progress((i + 1) / steps)


def default_day(city: City) -> datetime:
    """Local midnight (in UTC) of a working day within the city's data, late enough that a forecast has weeks to learn from."""
    first = city.demand.start
    last = first + timedelta(hours=len(city.demand.energy_kwh))
    day = local(first + 0.5 * (last - first), city.time_zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return day.astimezone(last.tzinfo)


def offline_loop(
    city: City,
    layout: Layout,
    guide: Guide,
    start: datetime,
    level: float | None,
    *,
    scenario: Scenario = QUIET,
    seed: int = 0,
    **more: Any,
) -> "OfflineLoop":
    """The shipped loop for a twin whose drivers were drawn at that level. Of the city's demand it knows what lies before.

    `more`: as for `stages_of`.
    """
    from chargeloop.loop import OfflineLoop, known_until, stages_of  # noqa: PLC0415 (all stages; the baselines don't need them)

    known = known_until(city, start)
    ahead = Nightly(known, layout, guide, level=level, scenario=scenario, seed=seed)
    stages = stages_of(known, layout, guide, seed=seed, routes=False, ahead=ahead, **more)
    return OfflineLoop(city, layout, guide, start, stages=stages)
