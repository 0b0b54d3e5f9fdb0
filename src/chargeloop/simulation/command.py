"""`chargeloop simulate`: policies side by side on the city twin."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chargeloop.model.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chargeloop.simulation.kpis import Kpis

ROWS = (
    ("requests", "requests"),
    ("served_share", "served, share"),
    ("drive_min", "drive, min"),
    ("wait_min", "wait, min"),
    ("wait_p95_min", "wait p95, min"),
    ("charge_min", "charge, min"),
    ("utilisation_evening", "utilisation 17-23 h"),
    ("jain", "fairness (Jain)"),
    ("cost_cny", "cost, CNY"),
    ("peak_load_kw", "peak load, kW"),
    ("kg_co2", "CO₂, kg"),
    ("evse_steps_per_cpu_s", "EVSE steps / CPU s"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--city", type=Path, metavar="DIR", help="city folder; without one, the built-in city")
    parser.add_argument("--days", type=float, default=1, help="days to simulate (default 1)")
    parser.add_argument(
        "--policy",
        default="nearest,cheapest,shortest-wait,loop",
        help="comma-separated: nearest, cheapest, shortest-wait, loop (default all)",
    )
    parser.add_argument(
        "--level",
        type=level_of,
        default=1.0,
        help="(bay-hours asked for at 17-23 h) / (0.5 x bays x 6 h), or 'measured' for the demand as it was (default 1.0)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of drivers and faults (default 1)")
    parser.add_argument("--step-s", type=int, default=60, help="seconds a step: 60 or 300 (default 60)")
    parser.add_argument("--start", metavar="ISO", help="time with offset (default midnight of a working day in the data)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the table or JSON object.

    Raises:
        BadInput: an argument or the city folder is wrong.
    """
    start = _start(args.start)
    policies = [name.strip() for name in args.policy.split(",") if name.strip()]
    if not policies:
        raise BadInput("--policy", "name at least one policy")

    from chargeloop.city import load_city  # noqa: PLC0415 (not needed for --help)
    from chargeloop.simulation.compare import default_day, simulate  # noqa: PLC0415

    city = load_city(args.city)
    start = start or default_day(city)
    with progress_bars() as progress:
        kpis = simulate(city, policies, args.days, args.level, args.seed, start=start, step_s=args.step_s, progress=progress)
    if args.json:
        head = {"city": city.name, "start": start.isoformat().replace("+00:00", "Z"), "days": args.days}
        head |= {"level_asked": args.level, "seed": args.seed, "step_s": args.step_s}
        body = {**head, "policies": {name: each.as_dict() for name, each in kpis.items()}}
        sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
    else:
        _print_table(f"{city.name}, {args.days} day(s) from {start:%Y-%m-%d %H:%M} UTC", kpis)
    return 0


def level_of(text: str) -> float | None:
    if text == "measured":
        return None
    try:
        level = float(text)
    except ValueError:
        level = -1.0
    if not 0 < level <= 10:
        raise BadInput("--level", f"expected a number above 0 and up to 10, or 'measured', got {text!r}")
    return level


def _start(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("--start", f"expected an ISO time such as 2022-11-15T00:00+08:00, got {text!r}") from None
    if start.tzinfo is None:
        raise BadInput("--start", f"say the offset from UTC too, such as {text}+08:00")
    return start.astimezone(UTC)


@contextmanager
def progress_bars() -> "Iterator[Callable[[str, float], None]]":
    """A bar a policy on stderr, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _policy, _share: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, TaskID  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(policy: str, share: float) -> None:
            if policy not in tasks:
                tasks[policy] = bars.add_task(policy, total=1.0)
            bars.update(tasks[policy], completed=share)

        yield show


def _print_table(title: str, kpis: "dict[str, Kpis]") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    level = next(iter(kpis.values())).level
    table = Table(title=title if level is None else f"{title}, level {level:.2f}")
    table.add_column("")
    for name in kpis:
        table.add_column(name, justify="right")
    columns = [each.as_dict() for each in kpis.values()]
    for name, label in ROWS:
        table.add_row(label, *(_shown(column[name]) for column in columns))
    Console().print(table)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"
    return f"{value:,}"
