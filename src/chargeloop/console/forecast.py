"""`chargeloop forecast`: demand of the hours ahead, from one's own file."""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chargeloop.console import own_demand
from chargeloop.console.own_demand import Own
from chargeloop.console.whole_file import whole_file
from chargeloop.model.errors import BadInput

if TYPE_CHECKING:
    from chargeloop.prediction import Forecast, Forecaster

LONGEST_H = 24 * 14
LATEST_D = 366  # after the record: later, nothing of it says anything
HOUR = timedelta(hours=1)
HEAD = ("origin", "time", "zone", "q0.1", "q0.5", "q0.9")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    own_demand.add_arguments(parser)
    parser.add_argument(
        "--origin", metavar="TIME", help="the last hour that is known: nothing later is looked at (default: the file's last)"
    )
    parser.add_argument("--origins", metavar="FROM..TO", help="many forecasts, one --every so many hours")
    parser.add_argument("--every", default="1h", metavar="HOURS", help="with --origins: 1h, 6, 1d (default 1h)")
    parser.add_argument("--horizon", type=int, default=24, metavar="HOURS", help="hours ahead (default 24)")
    parser.add_argument(
        "--model", default="best", help="best, blend, regression, hour_of_week, dev7, last, day or week (default best)"
    )
    parser.add_argument("--save", type=Path, metavar="MODEL", help="file to write the fitted model to")
    parser.add_argument("--load", type=Path, metavar="MODEL", help="a saved model instead of fitting one")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.csv", help="file to write")


def run(args: argparse.Namespace) -> int:
    """Write the forecasts, and say in one line what they are.

    Raises:
        BadInput: an argument or anything in the files; then nothing is written.
    """
    if not 1 <= args.horizon <= LONGEST_H:
        raise BadInput("--horizon", f"want 1 to {LONGEST_H} hours, got {args.horizon}")
    if args.origin and args.origins:
        raise BadInput("--origin", "give either one origin or --origins FROM..TO")
    if args.load and (args.save or args.model != "best"):
        raise BadInput("--load", "a loaded model is neither chosen by --model nor saved again")
    if args.save and not args.save.parent.is_dir():
        raise BadInput("--save", f"there is no folder {args.save.parent}")
    from chargeloop.prediction import unpack_forecaster  # noqa: PLC0415 (not needed for --help)

    loaded = unpack_forecaster(_bytes(args.load), str(args.load)) if args.load else None
    own = own_demand.read(args, loaded.time_zone if loaded else None)
    origins = _origins(own, args)
    if loaded is not None:
        own = _in_order_of(own, loaded.model.zone_ids, str(args.load))
        if origins[0] < loaded.until:
            told = f"has learned from hours up to {own.shown(loaded.until - HOUR)}, after the origin"
            sys.stderr.write(f"chargeloop: {args.load}: {told}\n")
    methods: Counter[str] = Counter()
    with whole_file(args.output) as draft, own_demand.progress(() if loaded else ("fitting",)) as show:
        made = _forecasts(own, origins, args, loaded.model if loaded else None, show)
        _write(draft, _counted(made, methods), own)
    shares = ", ".join(f"{name} {count:,}" for name, count in methods.most_common())
    asked = f"zones {len(own.zone_ids)}, hours {args.horizon}, origins {len(origins):,}"
    sys.stdout.write(f"{args.output}: {asked}; by method: {shares}\n")
    return 0


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(str(path), f"cannot be read: {error.strerror}") from None


def _origins(own: Own, args: argparse.Namespace) -> list[datetime]:
    """When each forecast is made: as the hour that was named is over, and known.

    Raises:
        BadInput: one before the record, or far after it.
    """
    from chargeloop.physics import full_hour  # noqa: PLC0415

    every = timedelta(hours=own_demand.hours_of_text(args.every, "--every"))
    if args.origins is None:
        origins = [own.instant(args.origin, "--origin") if args.origin else own.end - HOUR]
    else:
        first, dots, last = args.origins.partition("..")
        if not dots:
            raise BadInput("--origins", f"expected FROM..TO, got {args.origins!r}")
        begin, end = own.instant(first.strip(), "--origins"), own.instant(last.strip(), "--origins")
        if end < begin:
            raise BadInput("--origins", f"{last.strip()} comes before {first.strip()}")
        if every % timedelta(days=1):
            origins = [begin + k * every for k in range((end - begin) // every + 1)]
        else:  # the same hour of each day, also where clocks change
            here = begin.astimezone(ZoneInfo(own.time_zone))
            days = ((here + k * every).astimezone(begin.tzinfo) for k in range((end - begin) // every + 2))
            origins = [day for day in days if day <= end]
    origins = [full_hour(each) + HOUR for each in origins]
    if own.row(origins[0]) < 1:
        raise BadInput(
            "--origin",
            f"the record begins at {own.shown(own.demand.start)}, so nothing is known at {own.shown(origins[0] - HOUR)}",
        )
    if origins[-1] > own.end + timedelta(days=LATEST_D):
        raise BadInput(
            "--origin", f"the record ends at {own.shown(own.end)}, more than a year before {own.shown(origins[-1] - HOUR)}"
        )
    late = (origins[-1] - own.end) // HOUR
    if late > 0:
        sys.stderr.write(f"chargeloop: the record ends {late:,} h before the last origin; what is in between is unknown\n")
    return origins


def _in_order_of(own: Own, zone_ids: Sequence[str], where: str) -> Own:
    """The record in the model's order of zones.

    Raises:
        BadInput: it has other zones.
    """
    from dataclasses import replace  # noqa: PLC0415

    new, gone = (sorted(set(a) - set(b)) for a, b in ((own.zone_ids, zone_ids), (zone_ids, own.zone_ids)))
    if new or gone:
        told = f"does not know zone {new[0]!r}" if new else f"wants zone {gone[0]!r}, which the file has not"
        raise BadInput(where, f"the model {told}: fit it anew")
    order = [own.zone_ids.index(zone) for zone in zone_ids]
    return replace(own, zone_ids=tuple(zone_ids), demand=replace(own.demand, energy_kwh=own.demand.energy_kwh[:, order]))


def _forecasts(
    own: Own,
    origins: Sequence[datetime],
    args: argparse.Namespace,
    model: "Forecaster | None",
    show: Callable[[str, float], None],
) -> "Iterator[Forecast]":
    """Fitted to what had ended at the first origin, and anew each week; or as it was loaded."""
    from chargeloop.model import Demand  # noqa: PLC0415
    from chargeloop.prediction import REFIT_H, fit_forecaster, pack_forecaster, refitted  # noqa: PLC0415

    fit, fitted_at, is_loaded = partial(fit_forecaster, args.model), origins[0], model is not None
    for n, origin in enumerate(origins):
        if not is_loaded and (model is None or origin - fitted_at >= timedelta(hours=REFIT_H)):
            known = Demand(own.demand.start, own.demand.energy_kwh[: own.row(origin)])
            model, fitted_at = refitted(model, fit, known, own.weather, own.time_zone, own.zone_ids), origin
            show("fitting", 1.0)
        assert model is not None
        yield model.forecast(own.demand, own.weather, origin, args.horizon)
        show("forecasting", (n + 1) / len(origins))
    if args.save is not None and model is not None:
        with whole_file(args.save) as draft:
            draft.write_bytes(pack_forecaster(model, min(own.row_time(own.row(fitted_at)), own.end)))


def _counted(made: "Iterable[Forecast]", methods: Counter[str]) -> "Iterator[Forecast]":
    """`methods`: how often each has made the forecast of a zone; filled as forecasts pass."""
    for forecast in made:
        methods.update(forecast.methods or ["the model"] * len(forecast.zone_ids))
        yield forecast


def _write(path: Path, made: "Iterable[Forecast]", own: Own) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        for forecast in made:
            origin = own.shown(forecast.origin - HOUR)
            for row in range(len(forecast.q50)):
                at = own.shown(forecast.origin + row * HOUR)
                hour = zip(own.zone_ids, forecast.q10[row], forecast.q50[row], forecast.q90[row], strict=True)
                writer.writerows((origin, at, zone, f"{a:.6g}", f"{b:.6g}", f"{c:.6g}") for zone, a, b, c in hour)
