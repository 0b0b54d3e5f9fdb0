"""`chargeloop backtest`: how good forecasts of one's own file would have been, hour by hour, beside the naive ones."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargeloop.console import own_demand
from chargeloop.console.own_demand import Own
from chargeloop.console.whole_file import whole_file
from chargeloop.model.errors import BadInput

if TYPE_CHECKING:
    from chargeloop.console.backtest_scores import Judged

REFERENCE = "dev7"
MODELS = f"best,regression,hour_of_week,{REFERENCE},last,day,week"
MONTH_H = 24 * 30
COLUMNS = (
    ("mae_skill", "skill"),
    ("mae_skill_all", "all"),
    ("median_rae", "RAE"),
    ("median_mae_kwh", "MAE"),
    ("median_rmse_kwh", "RMSE"),
    ("pinball", "pinball"),
    ("coverage_80", "80 %"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    own_demand.add_arguments(parser)
    parser.add_argument("--horizons", default="1,3,6,12,24", metavar="HOURS", help="hours ahead (default 1,3,6,12,24)")
    parser.add_argument(
        "--from", dest="begin", metavar="TIME", help="first hour that is forecast (default: 30 days before the end)"
    )
    parser.add_argument(
        "--to", dest="end", metavar="TIME", help="end of the hours that are forecast (default: the record's end)"
    )
    parser.add_argument("--models", default=MODELS, metavar="NAMES", help=f"comma-separated (default {MODELS})")
    parser.add_argument("--refit", default="7d", metavar="TIME", help="how often models are fitted anew: 7d, 24h (default 7d)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line instead of a table")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots")


def run(args: argparse.Namespace) -> int:
    """Print the table or JSON object.

    Raises:
        BadInput: an argument or anything in the files.
    """
    leads = _leads(args.horizons)
    refit_h = own_demand.hours_of_text(args.refit, "--refit")
    if args.html is not None and not args.html.parent.is_dir():
        raise BadInput("--html", f"there is no folder {args.html.parent}")
    names = _names(args.models)
    own = own_demand.read(args)
    first, last = _span(own, args, leads[-1])
    judged = _judged(own, names, leads, first, last, refit_h)
    if args.json:
        sys.stdout.write(json.dumps(_plain(args, own, judged), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        _print_table(own, judged)
    if args.html is not None:
        from chargeloop.console.backtest_report import report  # noqa: PLC0415

        with whole_file(args.html) as draft:
            draft.write_text(report(args.file.name, own, judged), encoding="utf-8")
    return 0


def _leads(text: str) -> list[int]:
    try:
        leads = sorted({int(part) for part in text.split(",")})
    except ValueError:
        leads = [0]
    if not (leads[0] >= 1 and leads[-1] <= 168):
        raise BadInput("--horizons", f"expected whole hours from 1 to 168, parted by commas, got {text!r}")
    return leads


def _names(text: str) -> list[str]:
    """With the reference, each once."""
    from chargeloop.prediction import FORECASTERS  # noqa: PLC0415 (not needed for --help)

    names = list(dict.fromkeys([*(part.strip() for part in text.split(",") if part.strip()), REFERENCE]))
    unknown = next((name for name in names if name != "best" and name not in FORECASTERS), None)
    if unknown is not None:
        raise BadInput("--models", f"there is no {unknown!r}; there are best, {', '.join(FORECASTERS)}")
    return names


def _span(own: Own, args: argparse.Namespace, longest_h: int) -> tuple[int, int]:
    """Rows that are forecast; the last month, or the last third of a record that is short.

    Raises:
        BadInput: they don't lie in the record, or leave nothing to learn from.
    """
    hours = len(own.demand.energy_kwh)
    last = own.row(own.instant(args.end, "--to")) if args.end else hours
    first = own.row(own.instant(args.begin, "--from")) if args.begin else last - min(MONTH_H, max(last // 3, 1))
    if not longest_h <= first < last <= hours:
        raise BadInput(
            "--from",
            f"the record goes from {own.shown(own.demand.start)} to {own.shown(own.end)}: want hours in it, with {longest_h} h"
            f" and more before them; asked were {own.shown(own.row_time(first))} to {own.shown(own.row_time(last))}",
        )
    return first, last


def _judged(own: Own, names: Sequence[str], leads: list[int], first: int, last: int, refit_h: int) -> "Judged":
    import numpy as np  # noqa: PLC0415

    from chargeloop.console.backtest_scores import Judged  # noqa: PLC0415
    from chargeloop.prediction import backtest, fit_forecaster, live_zones  # noqa: PLC0415

    with own_demand.progress(names) as show:
        found = {
            name: backtest(
                partial(fit_forecaster, name),
                own.demand,
                own.weather,
                own.time_zone,
                own.zone_ids,
                first=first,
                last=last,
                leads=leads,
                refit_h=refit_h,
                told=partial(show, name),
            )
            for name in names
        }
    energy = own.demand.energy_kwh
    live = live_zones(energy, first, last) & np.isfinite(energy[first:last]).any(axis=0)
    return Judged(own.zone_ids, leads, found, live, REFERENCE)


def _plain(args: argparse.Namespace, own: Own, judged: "Judged") -> dict[str, Any]:
    first, last = (own.shown(own.row_time(row)) for row in judged.span)
    return {
        "file": str(args.file),
        "weather": None if args.weather is None else str(args.weather),
        "time_zone": own.time_zone,
        "from": first,
        "to": last,
        "hours": judged.span[1] - judged.span[0],
        "zones": len(own.zone_ids),
        "live_zones": int(judged.live.sum()),
        "reference": REFERENCE,
        "horizons_h": judged.leads,
        "metrics": judged.metrics(next(iter(judged.found))),
        "models": {name: {str(h): judged.summary(name, h) for h in judged.leads} for name in judged.found},
        "methods": {name: each.methods for name, each in judged.found.items() if each.methods},
        "by_zone": judged.by_zone(),
        "repairs": [
            {"file": str(path), "what": each.what, "first": each.where, "count": each.count} for path, each in own.notes
        ],
    }


def _print_table(own: Own, judged: "Judged") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    first, last = (own.row_time(row) for row in judged.span)
    hours = (last - first) // timedelta(hours=1)
    title = f"{hours:,} hours from {own.shown(first)}, {len(own.zone_ids)} zones, {int(judged.live.sum())} of them live"
    table = Table(title=title)
    table.add_column("h", justify="right")
    table.add_column("model", no_wrap=True)
    for _, label in COLUMNS:
        table.add_column(label, justify="right")
    for h in judged.leads:
        for name in judged.found:
            found = judged.summary(name, h)
            cells = ("–" if (value := found[key]) is None else _short(value) for key, _ in COLUMNS)
            table.add_row(str(h), name, *cells, end_section=name == list(judged.found)[-1])
    console = Console()
    console.print(table)
    console.print(
        f"Skill: 1 - MAE / MAE of {REFERENCE}, mean over live zones (the value moves in half of the hours), and over all."
        " RAE, MAE and RMSE (kWh): medians over zones. Pinball: mean of three quantiles over the zone's mean hour."
    )


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
