"""`chargeloop tune`: policies, fronts and tariffs that only runs of the twin can judge, found by genetic and swarm methods."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargeloop.model.errors import BadInput
from chargeloop.simulation.command import level_of

if TYPE_CHECKING:
    from chargeloop.simulation.days import Setting

WHAT = {
    "policy": "parameters of the policy, by tier and part of the day, for the fewest minutes (GA or PSO)",
    "front": "policies of which none is better than another in minutes, price, even use and peaks of the grid (NSGA-II)",
    "prices": "energy prices by hour that lower the peak load and earn as much (GA or PSO)",
}
EVENING = (17, 6)  # local hour, hours
LEARN_SEED, OTHER_DAYS = 1000, 500  # prices are of neither; days of the check are numbered from here on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=WHAT, help="; ".join(f"{name}: {text}" for name, text in WHAT.items()))
    parser.add_argument("--city", type=Path, metavar="DIR", help="city folder; without one, the built-in city")
    parser.add_argument("--level", type=level_of, default=1.0, help="as for `chargeloop simulate` (default 1.0)")
    parser.add_argument("--seed", type=int, default=1, help="of days and search (default 1)")
    parser.add_argument("--method", choices=("ga", "pso"), help="of policy (default ga) and prices (default pso)")
    parser.add_argument("--generations", type=int, default=15, help="of the search (default 15)")
    parser.add_argument("--population", type=int, default=20, help="tries in a generation (default 20)")
    parser.add_argument("--days", type=int, default=2, help="days that the search looks at (default 2)")
    parser.add_argument("--check-days", type=int, default=10, help="other days that what it found is judged on (default 10)")
    parser.add_argument("--evening", action="store_true", help="days from 17 to 23 h only: a quarter of the time")
    parser.add_argument("--flexible", type=float, default=0.3, help="prices: share of drivers who can move (default 0.3)")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="default: all")
    parser.add_argument("--html", type=Path, metavar="FILE", help="report with plots")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line instead of tables")


def run(args: argparse.Namespace) -> int:
    """Search, judge on other days, and print.

    Raises:
        BadInput: an argument or the city folder is wrong.
    """
    for name, least in (("--days", 1), ("--check-days", 2), ("--generations", 1), ("--population", 4), ("--cores", 1)):
        if (value := getattr(args, name[2:].replace("-", "_"))) < least:
            raise BadInput(name, f"at least {least}, got {value}")
    if not 0 < args.flexible <= 1:
        raise BadInput("--flexible", f"a share above 0 and up to 1, got {args.flexible}")
    if args.method is not None and args.what == "front":
        raise BadInput("--method", "a front is searched by NSGA-II")

    from chargeloop.simulation import tune_report  # noqa: PLC0415 (not needed for --help)

    setting = _setting(args)
    with _progress(args.generations) as told:
        found = {"policy": _policy, "front": _front, "prices": _prices}[args.what](args, setting, told)
    report = {"policy": tune_report.policy, "front": tune_report.front, "prices": tune_report.prices}[args.what]
    written = report(found, setting, args)  # type: ignore[operator]
    if args.html is not None:
        args.html.write_text(written.html, encoding="utf-8")
    if args.json:
        sys.stdout.write(json.dumps(written.plain, ensure_ascii=False) + "\n")
    else:
        written.show(sys.stdout)
        if args.html is not None:
            sys.stderr.write(f"report: {args.html}\n")
    return 0


def _setting(args: argparse.Namespace) -> "Setting":
    """Prices are of the night before: made from the forecast, on draws of their own."""
    import numpy as np  # noqa: PLC0415

    from chargeloop.city import load_city  # noqa: PLC0415
    from chargeloop.guidance import Guide  # noqa: PLC0415
    from chargeloop.loop import known_until  # noqa: PLC0415
    from chargeloop.model import Layout  # noqa: PLC0415
    from chargeloop.prediction import forecast_city  # noqa: PLC0415
    from chargeloop.recommendation import NO_PRICES  # noqa: PLC0415
    from chargeloop.simulation.compare import default_day  # noqa: PLC0415
    from chargeloop.simulation.days import Setting  # noqa: PLC0415
    from chargeloop.simulation.nightly import shadow_prices  # noqa: PLC0415

    city = load_city(args.city)
    start, hours = default_day(city), 24
    if args.evening:
        start, hours = start + timedelta(hours=EVENING[0]), EVENING[1]
    setting = Setting(city, start, hours, args.level, args.seed, NO_PRICES)
    forecast = forecast_city(known_until(city, start), start, hours)
    layout = Layout.of(city)
    prices = shadow_prices(
        city,
        layout,
        Guide.of(city, layout),
        forecast,
        start,
        hours,
        np.random.default_rng([args.seed, LEARN_SEED]),
        level=args.level,
        scenario=setting.scenario,
    )
    return replace(setting, prices=prices)


def _days(args: argparse.Namespace) -> tuple[range, range]:
    return range(args.days), range(OTHER_DAYS, OTHER_DAYS + args.check_days)


def _policy(args: argparse.Namespace, setting: "Setting", told: Callable[[int], None]) -> object:
    from chargeloop.simulation.days import Judge  # noqa: PLC0415
    from chargeloop.simulation.tuning import tune_policy  # noqa: PLC0415

    with Judge(setting, args.cores) as judge:
        return tune_policy(judge, setting.city, *_days(args), method=args.method or "ga", **_search(args), told=told)


def _front(args: argparse.Namespace, setting: "Setting", told: Callable[[int], None]) -> object:
    from chargeloop.simulation.days import Judge  # noqa: PLC0415
    from chargeloop.simulation.tuning import tune_front  # noqa: PLC0415

    with Judge(setting, args.cores) as judge:
        return tune_front(judge, *_days(args), **_search(args), told=told)


def _prices(args: argparse.Namespace, setting: "Setting", told: Callable[[int], None]) -> object:
    from chargeloop.simulation.days import Days  # noqa: PLC0415
    from chargeloop.simulation.tariffs import tune_prices  # noqa: PLC0415
    from chargeloop.simulation.time_of_use import Flexibility  # noqa: PLC0415

    flexibility = Flexibility(share=args.flexible)
    return tune_prices(Days(setting), *_days(args), flexibility, method=args.method or "pso", **_search(args), told=told)


def _search(args: argparse.Namespace) -> dict[str, Any]:
    return {"population": args.population, "generations": args.generations, "seed": args.seed}


@contextmanager
def _progress(generations: int) -> "Iterator[Callable[[int], None]]":
    """A bar of the generations on stderr, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("generations", total=generations)
        yield lambda done: bar.update(task, completed=done)
