"""`chargeloop replay`: back to a decision of a real run, or to a moment of a simulated one, and on with something changed."""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from chargeloop.model.errors import BadInput
from chargeloop.simulation.command import level_of

if TYPE_CHECKING:
    from chargeloop.simulation import Outage, Surge

LISTED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what to go back to")
    what.add_argument("--list", type=int, nargs="?", const=LISTED, metavar="N", help=f"the newest decisions (default {LISTED})")
    what.add_argument("--decision", metavar="ID", help="a decision in the database")
    what.add_argument("--from", dest="since", metavar="HH:MM", help="a moment of a simulated day, local time")
    change = parser.add_argument_group("what to change")
    change.add_argument("--weights", metavar="NAME=VALUE,...", help="weights; VALUE a number, or xN for N times what it was")
    change.add_argument("--weights-file", type=Path, metavar="TOML", help="the same, from a file")
    change.add_argument("--solver", help="of a decision: exact, auction, greedy, genetic, swarm, or module:function")
    change.add_argument(
        "--outage", action="append", default=[], metavar="STATION[:H-H]", help="a station that fails; on a day, between hours"
    )
    change.add_argument(
        "--surge", action="append", default=[], metavar="ZONE:H-HxN", help="N times as many more ask in a zone between hours"
    )
    change.add_argument(
        "--policy",
        default="commit,priced,loop",
        help="on a day, side by side: nearest, cheapest, shortest-wait, commit, priced, loop (default commit,priced,loop)",
    )
    day = parser.add_argument_group("of a simulated day")
    day.add_argument("--before", metavar="POLICY", help="policy until the moment (default the first of --policy)")
    day.add_argument("--until", default="24:00", metavar="HH:MM", help="drivers who ask before are counted (default 24:00)")
    day.add_argument("--level", type=level_of, default=1.0, help="demand as for simulate (default 1.0)")
    day.add_argument("--seed", type=int, default=1, help="of drivers and faults (default 1)")
    day.add_argument("--step-s", type=int, default=60, help="seconds a step: 60 or 300 (default 60)")
    day.add_argument("--html", type=Path, metavar="FILE", help="write a report with plots")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print what was and what would have been.

    Raises:
        BadInput: an argument, the city folder or the database is wrong.
    """
    modes = [name for name, chosen in (("--list", args.list), ("--decision", args.decision), ("--from", args.since)) if chosen]
    if len(modes) != 1:
        raise BadInput("replay", "say what to go back to: one of --list, --decision ID and --from HH:MM")
    changes = weights_of(args)
    if args.since is not None:
        from chargeloop.console.replay_day import replay_day  # noqa: PLC0415 (not needed for --help)

        return replay_day(args, changes)
    from chargeloop.console.replay_decision import list_decisions, replay_decision  # noqa: PLC0415

    url = args.database_url.get_secret_value() if args.database_url else None
    database = url or Path(args.data_dir) / "chargeloop.db"
    return list_decisions(database, args) if args.list else replay_decision(database, args, changes)


def weights_of(args: argparse.Namespace) -> dict[str, object]:
    """From file and command line; the latter goes first."""
    from chargeloop.recommendation import weights_in  # noqa: PLC0415

    named: dict[str, object] = {}
    if args.weights_file is not None:
        try:
            read = tomllib.loads(args.weights_file.read_text(encoding="utf-8"))
        except OSError as error:
            raise BadInput(str(args.weights_file), error.strerror or "cannot be read") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(str(args.weights_file), f"is not valid TOML: {error}") from None
        for name, value in read.items():
            inner = {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
            named.update(inner)
    return {**named, **weights_in(args.weights or "")}


def hour_of(text: str, flag: str) -> float:
    """Of `17:30` or `17`: 17.5 and 17.0."""
    found = re.fullmatch(r"(\d{1,2})(?::([0-5]\d))?", text)
    if found is None or (hour := int(found[1]) + int(found[2] or 0) / 60) > 24:
        raise BadInput(flag, f"want a time of day such as 17:30, got {text!r}")
    return hour


def outage_of(text: str) -> "Outage":
    from chargeloop.simulation import Outage  # noqa: PLC0415

    station, _, hours = text.rpartition(":")
    begin, dash, end = hours.partition("-")
    if not station or not dash:
        raise BadInput("--outage", f"want STATION:FROM-TO in hours of the day, such as S1001:18-20, got {text!r}")
    return Outage(station, hour_of(begin, "--outage"), hour_of(end, "--outage"))


def surge_of(text: str) -> "Surge":
    from chargeloop.simulation import Surge  # noqa: PLC0415

    found = re.fullmatch(r"(.+):([\d]+)-([\d]+)x(\d+(?:\.\d+)?)", text)
    if found is None:
        raise BadInput("--surge", f"want ZONE:FROM-TOxTIMES in hours of the day, such as Z1:18-20x5, got {text!r}")
    return Surge(found[1], hour_of(found[2], "--surge"), hour_of(found[3], "--surge"), float(found[4]))


def say_json(body: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
