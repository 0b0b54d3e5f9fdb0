"""`chargeloop plan`: where more charging bays or kilowatts would save drivers most, and what the twin says to it."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chargeloop.model.errors import BadInput
from chargeloop.simulation.command import level_of

if TYPE_CHECKING:
    from chargeloop.model import City
    from chargeloop.simulation.ground import Check
    from chargeloop.simulation.plan_report import Plan

CHECK_DAYS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--bays", type=int, help="how many bays to give out")
    what.add_argument("--kw", type=float, help="how many kilowatts to give out to site connections, feeders and transformers")
    parser.add_argument("--city", type=Path, metavar="DIR", help="city folder; without one, the built-in city")
    parser.add_argument(
        "--level",
        type=level_of,
        default=None,
        help="(bay-hours asked for at 17-23 h) / (0.5 x bays x 6 h); default 'measured', the demand as it was",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the days that are drawn (default 1)")
    parser.add_argument(
        "--days",
        type=int,
        default=CHECK_DAYS,
        help=f"days of the check in the twin, top 10 against 10 at random; 0 for none (default {CHECK_DAYS})",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="map layer of the sites: .geojson")
    parser.add_argument("--html", type=Path, metavar="FILE", help="report with a map")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the sites and the check.

    Raises:
        BadInput: an argument, the city folder or the output is wrong.
    """
    if args.output is not None and args.output.suffix != ".geojson":
        raise BadInput("--output", f"a map layer is a .geojson file, got {args.output.name}")
    for name, amount in (("--bays", args.bays), ("--kw", args.kw)):
        if amount is not None and not 0 < amount < float("inf"):
            raise BadInput(name, f"a positive number, at least one bay, got {amount:g}")
    if args.days < 0:
        raise BadInput("--days", f"must not be negative, got {args.days}")

    from rich.console import Console  # noqa: PLC0415 (not needed for --help)

    from chargeloop.city import load_city  # noqa: PLC0415
    from chargeloop.simulation import plan_report  # noqa: PLC0415

    city = load_city(args.city)
    said = Console(stderr=True)
    with said.status("what is short ...") as status:
        plan = _kilowatts(city, args, status.update) if args.bays is None else _bays(city, args, status.update)
    if args.output is not None:
        args.output.write_text(json.dumps(plan_report.layer(plan), ensure_ascii=False, indent=1), encoding="utf-8")
        said.print(f"map layer: {args.output}")
    if args.html is not None:
        args.html.write_text(plan_report.html(plan), encoding="utf-8")
        said.print(f"report: {args.html}")
    if args.json:
        sys.stdout.write(json.dumps(plan_report.plain(plan), ensure_ascii=False) + "\n")
    else:
        plan_report.show(plan, sys.stdout)
    return 0


def _bays(city: "City", args: argparse.Namespace, say: Callable[[str], None]) -> "Plan":
    from chargeloop.simulation.expansion import Expansion  # noqa: PLC0415
    from chargeloop.simulation.plan_report import plan_of_bays  # noqa: PLC0415

    expansion = Expansion(*_ground(city), level=args.level, seed=args.seed)
    sites = expansion.best(args.bays, lambda share: say(f"prices of all bays ... {share:.0%}"))
    return plan_of_bays(city, sites, _checks(args.days, lambda day: expansion.check(sites, day), say), args.level, args.seed)


def _kilowatts(city: "City", args: argparse.Namespace, say: Callable[[str], None]) -> "Plan":
    from chargeloop.simulation.plan_report import plan_of_kw  # noqa: PLC0415
    from chargeloop.simulation.reinforcement import Reinforcement  # noqa: PLC0415

    reinforcement = Reinforcement(*_ground(city), level=args.level, seed=args.seed)
    lines = reinforcement.best(args.kw, lambda share: say(f"what circuits hold up ... {share:.0%}"))
    checks = _checks(args.days, lambda day: reinforcement.check(lines, day), say)
    return plan_of_kw(city, lines, checks, args.level, args.seed, asked_kw=args.kw)


def _ground(city: "City") -> tuple[object, ...]:
    """City, forecast and start: a day as the forecast of the night before expects it."""
    from chargeloop.loop import known_until  # noqa: PLC0415
    from chargeloop.prediction import forecast_city  # noqa: PLC0415
    from chargeloop.simulation.compare import default_day  # noqa: PLC0415

    start = default_day(city)
    return city, forecast_city(known_until(city, start), start, 24), start


def _checks(days: int, check: "Callable[[int], Check]", say: Callable[[str], None]) -> "Sequence[Check]":
    checks = []
    for day in range(days):
        say(f"running the twin, day {day + 1} of {days} ...")
        checks.append(check(day))
    return checks
