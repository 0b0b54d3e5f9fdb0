"""A city's day of charging at least cost: the price iteration beside HiGHS and a greedy, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.report import Bounds, Result

SIZES = (1000, 20_000, 100_000)
HIGHS_UP_TO = 20_000
HIGHS_BOTH_WAYS_UP_TO = 1000


def run(*, quick: bool, seed: int) -> Iterable[Result]:
    """Quick: 1,000 and 5,000 sessions, one seed."""
    sizes, seeds = ((1000, 5000), (seed,)) if quick else (SIZES, range(seed, seed + 3))
    for size in sizes:
        runs = [_measured(size, each, "ours") for each in seeds]
        cpu = _mean(runs, "cpu_s")
        aims: dict[int, tuple[Bounds | None, Bounds | None]] = {
            1000: ({"max": 0.1}, None),
            20_000: ({"max": 1.5}, {"max": 5.0}),
            100_000: ({"max": 10.0}, None),
        }
        aim, must = aims.get(size, (None, None))
        exact = [_measured(size, seed, "highs")] if size <= HIGHS_UP_TO else []
        name = "HiGHS, interior point, CPU s" if exact else None
        yield Result(f"cpu_s_{size}", cpu, "CPU s", name, exact[0]["cpu_s"] if exact else None, must=must, aim=aim)
        is_main = size == 20_000
        yield Result(
            f"gap_pct_{size}",
            100 * max(each["gap"] for each in runs),
            "% of the cost, worst seed, by our own bound",
            must={"max": 0.5} if is_main else None,
            aim={"max": 0.2} if is_main else None,
        )
        yield Result(
            f"unserved_pct_{size}",
            100 * max(each["unserved"] for each in runs),
            "% of the max-flow value, worst seed",
            must={"max": 1e-6} if is_main else None,
        )
        yield Result(f"peak_rss_mb_{size}", max(each["rss_mb"] for each in runs), "MB", aim={"max": 300} if is_main else None)
        yield Result(
            f"cost_vs_greedy_pct_{size}",
            100 * max(each["over_greedy"] for each in runs),
            "%, with what greedy leaves out at three times the dearest kWh",
            must={"max": 0} if is_main else None,
        )
        yield Result(f"limit_violations_{size}", sum(each["violations"] for each in runs), "", must={"max": 0})
        yield Result(f"feeder_full_pct_{size}", 100 * min(each["full"] for each in runs), "% of the bins, least seed")
        if size <= HIGHS_UP_TO:
            yield from _again(size, seeds)
            yield from _both_ways(size, seeds)
        if exact:
            ratio = exact[0]["cpu_s"] / runs[0]["cpu_s"]
            yield Result(f"speedup_vs_highs_{size}", ratio, "times", aim={"min": 30} if is_main else None)


def _both_ways(size: int, seeds: Iterable[int]) -> Iterable[Result]:
    """V2G, storage, a demand charge, a tree of three levels."""
    runs = [_measured(size, each, "ours-v2g") for each in seeds]
    exact = _measured(size, next(iter(seeds)), "highs-v2g") if size <= HIGHS_BOTH_WAYS_UP_TO else None
    aim: Bounds | None = {"max": 5.0} if size == 20_000 else None
    name = "HiGHS, interior point, CPU s" if exact else None
    yield Result(f"cpu_s_v2g_{size}", _mean(runs, "cpu_s"), "CPU s", name, exact["cpu_s"] if exact else None, aim=aim)
    yield Result(f"gap_pct_v2g_{size}", 100 * max(each["gap"] for each in runs), "% of the cost, worst seed, by our own bound")
    yield Result(f"limit_violations_v2g_{size}", sum(each["violations"] for each in runs), "", must={"max": 0})
    if exact:
        over = 100 * (runs[0]["objective"] / exact["objective"] - 1)
        yield Result(f"over_highs_pct_v2g_{size}", over, "% above the optimum, first seed")


def _again(size: int, seeds: Iterable[int]) -> Iterable[Result]:
    """A warm start after 5 % of the sessions have become others."""
    runs = [_measured(size, each, "again") for each in seeds]
    aim: Bounds | None = {"max": 0.5} if size == 20_000 else None
    yield Result(f"replan_cpu_s_{size}", _mean(runs, "cpu_s"), "CPU s, after 5 % of the sessions changed", aim=aim)
    yield Result(
        f"replan_gap_pct_{size}", 100 * max(each["gap"] for each in runs), "% of the cost, worst seed, by our own bound"
    )
    yield Result(
        f"replan_moved_pct_{size}", 100 * max(each["moved"] for each in runs), "% of the power of those who are the same"
    )
    yield Result(f"replan_violations_{size}", sum(each["violations"] for each in runs), "", must={"max": 0})


def _mean(runs: list[dict[str, float]], name: str) -> float:
    return sum(each[name] for each in runs) / len(runs)


def _measured(size: int, seed: int, who: str) -> dict[str, float]:
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.power_run", str(size), str(seed), who],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, **one_thread},
    )
    found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    return found
