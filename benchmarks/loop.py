"""The whole loop: how fast the twin and a tick are, what the loop is worth against "nearest", how soon a demo shows its map.

On the real city of ../shared/data where that is beside the checkout, else on the built-in one (the unit column says which).
"""

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.report import Result
from chargeloop.city import load_city
from chargeloop.guidance import Guide
from chargeloop.loop import OfflineLoop
from chargeloop.model import Command, Event, Layout
from chargeloop.simulation import Kpis, offline_loop, simulate
from chargeloop.simulation.compare import default_day

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


class TimedLoop:
    """The shipped loop, with the seconds that each of its turns took."""

    def __init__(self, loop: OfflineLoop) -> None:
        self.loop, self.turn_s = loop, list[float]()

    def step(self, events: Iterable[Event], now: datetime) -> tuple[Command, ...]:
        begun = time.perf_counter()
        commands = self.loop.step(events, now)
        self.turn_s.append(time.perf_counter() - begun)
        return commands


def run(*, quick: bool, seed: int) -> list[Result]:
    folder = SHARED if SHARED.is_dir() and not quick else None
    city = load_city(folder)
    where = f"{city.name}, level 1.0"
    span = 1 / 8 if quick else 1.0  # days; the quick one is the evening
    seeds = [seed] if quick else [seed, seed + 1, seed + 2]
    start = default_day(city) + timedelta(hours=17 if quick else 0)
    timed: list[TimedLoop] = []

    def controller(layout: Layout, guide: Guide, begin: datetime) -> TimedLoop:
        timed.append(TimedLoop(offline_loop(city, layout, guide, begin, 1.0, seed=seed)))
        return timed[-1]

    days = [
        simulate(city, ["nearest", "timed-loop"], span, 1.0, each, start=start, controllers={"timed-loop": controller})
        for each in seeds
    ]
    nearest, loop = ([day[policy] for day in days] for policy in ("nearest", "timed-loop"))
    turns_ms = 1000 * np.concatenate([each.turn_s[2:] for each in timed])  # the first turns of a process compile and load
    wait_nearest, wait_loop = _mean(nearest, "wait_min"), _mean(loop, "wait_min")
    return [
        Result("evse_steps_per_cpu_s", _mean(nearest, "evse_steps_per_cpu_s"), f"1/s, nearest, {where}"),
        Result("evse_steps_per_cpu_s_loop", _mean(loop, "evse_steps_per_cpu_s"), f"1/s, {where}"),
        Result("wait_mean_min_nearest", wait_nearest, f"min, {where}"),
        Result("wait_mean_min_loop", wait_loop, f"min, {where}", "nearest", wait_nearest),
        Result("served_share_loop", _mean(loop, "served_share"), where, "nearest", _mean(nearest, "served_share")),
        Result("tick_p99_ms", float(np.quantile(turns_ms, 0.99)), f"ms at {len(city.stations)} stations"),
        Result("tick_mean_ms", float(turns_ms.mean()), f"ms at {len(city.stations)} stations"),
        Result("help_cpu_s", help_cpu_s(), "CPU s", must={"max": 0.5}),
        Result("demo_first_map_s", demo_first_map_s(), "s", must={"max": 60.0}),
    ]


def _mean(runs: Sequence[Kpis], figure: str) -> float:
    return float(np.mean([getattr(each, figure) for each in runs]))


def help_cpu_s(runs: int = 5) -> float:
    """Median user + system seconds of `chargeloop --help`."""
    costs = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "chargeloop", "--help"], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return float(np.median(costs))


def demo_first_map_s() -> float:
    """Seconds from typing `chargeloop demo` until its page is served and the live picture has vehicles charging in it."""
    with tempfile.TemporaryDirectory() as folder, _demo(Path(folder)) as (address, begun):
        _wait_for(lambda: _busy_bays(address) > 0)
        urllib.request.urlopen(address + "/", timeout=5).close()
        return time.monotonic() - begun


@contextmanager
def _demo(folder: Path) -> Iterator[tuple[str, float]]:
    http_port, ocpp_port = _free_port(), _free_port()
    command = [sys.executable, "-m", "chargeloop", "demo", "--http-port", str(http_port), "--ocpp-port", str(ocpp_port)]
    begun = time.monotonic()
    demo = subprocess.Popen([*command, "--data-dir", str(folder)], stdout=subprocess.DEVNULL, env=dict(os.environ))
    try:
        yield f"http://127.0.0.1:{http_port}", begun
    finally:
        demo.terminate()
        demo.wait(30)


def _busy_bays(address: str) -> int:
    try:
        with urllib.request.urlopen(address + "/api/v1/live", timeout=5) as answer:
            return int(json.load(answer)["kpis"]["busy_bays"])
    except OSError:
        return 0


def _wait_for(happened: Callable[[], bool], within_s: float = 300.0) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError("the demo showed nothing")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
