"""A moment of a simulated day, and several ways on from it, side by side."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from chargeloop.city import load_city
from chargeloop.console.replay import hour_of, outage_of, say_json, surge_of
from chargeloop.console.replay_report import report
from chargeloop.guidance import Guide
from chargeloop.model import BadInput, Layout
from chargeloop.recommendation import DEFAULT, reweighed
from chargeloop.simulation import Branch, Figures, Replay, Scenario, default_day, figures
from chargeloop.simulation.command import progress_bars

POLICIES = ("nearest", "cheapest", "shortest-wait", "commit", "priced", "loop")
ROWS = (
    ("drivers", "drivers", 0),
    ("drive + wait, min", "minutes", 2),
    ("drive, min", "drive_min", 2),
    ("wait, min", "wait_min", 2),
    ("wait p95, min", "wait_p95_min", 1),
    ("served, share", "served_share", 4),
    ("amount, CNY", "amount_cny", 2),
)


def replay_day(args: argparse.Namespace, weights: dict[str, object]) -> int:
    """Print a table or JSON object, and write the report where one is wanted.

    Raises:
        BadInput: an argument or the city folder is wrong.
    """
    if args.solver is not None:
        raise BadInput("--solver", "goes with --decision")
    if args.html is not None and not args.html.parent.is_dir():
        raise BadInput("--html", f"there is no folder {args.html.parent}")
    reweighed(DEFAULT, weights)
    policies = [name.strip() for name in args.policy.split(",") if name.strip()]
    before = args.before or next(iter(policies), "")
    for policy in (*policies, before):
        if policy not in POLICIES:
            raise BadInput("--policy", f"there is no policy {policy!r}; there are: {', '.join(POLICIES)}")
    outages, surges = tuple(map(outage_of, args.outage)), tuple(map(surge_of, args.surge))
    since, until = hour_of(args.since, "--from"), hour_of(args.until, "--until")
    city = load_city(args.city)
    layout = Layout.of(city)
    for outage in outages:
        if outage.station_id not in layout.station_index:
            raise BadInput("--outage", f"there is no station {outage.station_id!r} in this city")
    for surge in surges:
        if surge.zone_id not in layout.zone_ids:
            raise BadInput("--surge", f"there is no zone {surge.zone_id!r} in this city")
    scenario = Scenario(outages=outages, surges=surges)
    start = default_day(city)
    replay = Replay(
        city, layout, Guide.of(city, layout), start, args.level, args.seed, since, until, before, args.step_s, scenario
    )
    branches = branches_of(policies, before, weights, bool(outages or surges))
    with progress_bars() as progress:
        found = figures(replay, replay.run(branches, progress))
    moment = start + timedelta(hours=since)
    title = f"{city.name}, from {moment:%Y-%m-%d %H:%M} UTC, {before} before, seed {args.seed}"
    if args.html is not None:
        args.html.write_text(report(title, trouble_of(args), replay, found), encoding="utf-8")
    if args.json:
        head = {"city": city.name, "from": moment.isoformat().replace("+00:00", "Z"), "before": before, "seed": args.seed}
        head |= {"level": args.level, "outages": args.outage, "surges": args.surge, "weights": weights}
        say_json({**head, "branches": [each.as_dict() for each in found]})
        return 0
    _print(title, found)
    if args.html is not None:
        sys.stdout.write(f"report: {args.html}\n")
    return 0


def branches_of(policies: Sequence[str], before: str, weights: dict[str, object], is_troubled: bool) -> list[Branch]:
    """The first is what all others are compared with: the day as it went on, or the first policy where nothing goes wrong."""
    first = [Branch("as it was", before, {}, as_planned=True)] if is_troubled else []
    order = policies if is_troubled or before not in policies else [before, *(each for each in policies if each != before)]
    branches = [*first, *(Branch(policy, policy, {}) for policy in order)]
    if weights:
        branches.append(Branch("loop, other weights", "loop", weights))
    return branches


def trouble_of(args: argparse.Namespace) -> str:
    said = [f"station {each} fails" for each in args.outage] + [f"event in zone {each}" for each in args.surge]
    said += [f"weights {args.weights}"] if args.weights else []
    return "; ".join(said) or "nothing goes wrong"


def _print(title: str, found: Sequence[Figures]) -> None:
    table = Table(title=title)
    table.add_column("")
    for each in found:
        table.add_column(each.name, justify="right")
    for label, name, digits in ROWS:
        table.add_row(label, *(f"{getattr(each, name):,.{digits}f}" for each in found))
    table.add_section()
    for tier in found[0].tier_minutes:
        table.add_row(f"drive + wait, {tier}", *(f"{each.tier_minutes[tier]:.2f}" for each in found))
    table.add_section()
    if any(each.crowd for each in found):
        table.add_row("drivers of events", *(f"{each.crowd:,}" for each in found))
        shown = ["-" if each.crowd_minutes is None else f"{each.crowd_minutes:.2f}" for each in found]
        table.add_row("their drive + wait, min", *shown)
        table.add_section()
    table.add_row(f"min against {found[0].name}", *(_change(each) for each in found))
    table.add_row("better off / worse off", *(_shares(each) for each in found))
    Console(file=sys.stdout).print(table)


def _change(each: Figures) -> str:
    return "" if each.against is None else f"{each.against.mean_min:+.2f} ± {each.against.half_min:.2f}"


def _shares(each: Figures) -> str:
    return "" if each.against is None else f"{each.against.better:.0%} / {each.against.worse:.0%}"
