"""`chargeloop assign`: which station for each request of one's own files."""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chargeloop.console.whole_file import whole_file
from chargeloop.model.errors import BadInput

if TYPE_CHECKING:
    import numpy as np

    from chargeloop.city import OwnCity
    from chargeloop.model import Decision, Offer

STEPS = ("reading", "drive times", "assigning", "writing")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("requests", type=Path, metavar="REQUESTS.csv", help="request_id, lon, lat, soc, and more if you like")
    parser.add_argument("stations", type=Path, metavar="STATIONS.csv", help="station_id, lon, lat, bays, kw, and more")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.csv", help="file to write")
    parser.add_argument(
        "--solver",
        default="exact",
        help="exact, auction, greedy, genetic, swarm or learned, or your own as module:function (default exact)",
    )
    parser.add_argument("--roads", type=Path, metavar="FILE.osm.pbf", help="drive times by road instead of straight line x 1.4")
    parser.add_argument("--now", metavar="ISO", help="when the requests are made, with offset (default now)")
    parser.add_argument("--time-zone", default="Asia/Shanghai", help="of opening hours (default Asia/Shanghai)")
    parser.add_argument("--candidates", type=int, default=30, help="nearest stations weighed for each request (default 30)")
    parser.add_argument("--budget-s", type=float, default=10.0, help="seconds for the solver (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="of solvers that draw lots (default 1)")


def run(args: argparse.Namespace) -> int:
    """Write the output file and say in one line what is in it.

    Raises:
        BadInput: an argument or anything in the files; then nothing is written.
    """
    now = _time(args.now)
    _check(args)
    import numpy as np  # noqa: PLC0415 (not needed for --help)

    from chargeloop.city import read_own, read_roads  # noqa: PLC0415
    from chargeloop.recommendation import solver_named  # noqa: PLC0415

    sys.path.insert(0, str(Path.cwd()))  # where somebody's own solver lies
    solver_named(args.solver)
    with _progress() as begin:
        begin("reading")
        own = read_own(args.requests, args.stations, now, args.time_zone, read_roads(args.roads) if args.roads else None)
        if own.passed_over:
            sys.stderr.write(f"chargeloop: columns that are not used: {', '.join(own.passed_over)}\n")
        decisions = _assign(own, now, args, np.random.default_rng(args.seed), begin)
        begin("writing")
        _write(args.output, decisions)
    sys.stdout.write(_summary(args.output, decisions) + "\n")
    return 0


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        now = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("--now", f"expected an ISO time such as 2026-05-04T18:30+08:00, got {text!r}") from None
    if now.tzinfo is None:
        raise BadInput("--now", f"say the offset from UTC too, such as {text}+08:00")
    return now.astimezone(UTC)


def _check(args: argparse.Namespace) -> None:
    from chargeloop.city import zone_of  # noqa: PLC0415 (not needed for --help)

    zone_of(args.time_zone)
    if args.candidates < 1:
        raise BadInput("--candidates", f"want 1 or more, got {args.candidates}")
    if not args.output.parent.is_dir():
        raise BadInput("--output", f"there is no folder {args.output.parent}")


def _assign(
    own: "OwnCity", now: datetime, args: argparse.Namespace, rng: "np.random.Generator", begin: Callable[[str], None]
) -> "Sequence[Decision]":
    from dataclasses import replace  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415

    from chargeloop.guidance import Guide  # noqa: PLC0415
    from chargeloop.loop import candidates_of  # noqa: PLC0415
    from chargeloop.perception import Perception  # noqa: PLC0415
    from chargeloop.pricing import RateTable  # noqa: PLC0415
    from chargeloop.recommendation import recommend  # noqa: PLC0415

    begin("drive times")
    city, layout, requests = own.city, own.layout, own.requests
    guide = Guide.of(city, layout)
    candidates = candidates_of(guide, layout, requests, args.candidates)
    begin("assigning")
    return recommend(
        replace(Perception(city, layout).snapshot(now), bay_free_s=own.bay_free_s),
        requests,
        candidates,
        RateTable.of(city.tariffs, [station.tariff_id for station in city.stations]),
        city.models,
        solver=args.solver,
        inflow_per_h=np.zeros(len(layout.pool_station)),
        load_share=np.zeros(len(layout.station_ids)),
        energy_price=np.zeros(24),
        time_zone=city.time_zone,
        sorts=[request.sort for request in requests],
        rng=rng,
        budget_s=args.budget_s,
    )


def _write(path: Path, decisions: "Sequence[Decision]") -> None:
    """One row a request, in the order of the requests; whole or not at all."""
    from chargeloop.recommendation import TERMS  # noqa: PLC0415

    head = ["request_id", *CHOSEN, *(f"term_{name}" for name in TERMS)]
    head += [f"alternative_{n}_{name}" for n in (1, 2) for name in OTHERS] + ["reason"]
    with whole_file(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, head, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(_row, decisions))


CHOSEN = (
    *("station_id", "current", "drive_min", "drive_km", "wait_min", "wait_p90_min", "charge_min", "energy_kwh"),
    *("arrival_soc", "amount", "f"),
)
OTHERS = ("station_id", "drive_min", "wait_min", "charge_min", "amount", "f")


def _row(decision: "Decision") -> dict[str, object]:
    row: dict[str, object] = {"request_id": decision.request_id, "reason": decision.why}
    if decision.chosen is None:
        return row
    row |= _figures(decision.chosen, CHOSEN, "")
    row |= {f"term_{name}": round(cost, 3) for name, cost in decision.chosen.terms.items()}
    for n, other in enumerate([offer for offer in decision.offers if offer is not decision.chosen][:2], 1):
        row |= _figures(other, OTHERS, f"alternative_{n}_")
    return row


def _figures(offer: "Offer", names: Sequence[str], before: str) -> dict[str, object]:
    """Numbers to three places; `f` is the score; the amount as it is, exact to the cent."""
    found = {name: getattr(offer, "score" if name == "f" else name) for name in names}
    return {f"{before}{name}": round(value, 3) if isinstance(value, float) else value for name, value in found.items()}


def _summary(path: Path, decisions: "Sequence[Decision]") -> str:
    served = [decision.chosen for decision in decisions if decision.chosen is not None]
    line = f"{path}: {len(served)} of {len(decisions)} requests have a station"
    if not served:
        return line
    drive, wait = (sum(getattr(offer, name) for offer in served) / len(served) for name in ("drive_min", "wait_min"))
    return f"{line}; {drive:.1f} min drive and {wait:.1f} min wait on average; F = {sum(o.score for o in served):,.2f}"


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A bar on stderr, on a terminal only: which of `STEPS` is running, and for how long."""
    if not sys.stderr.isatty():
        yield lambda _step: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(STEPS[0], total=len(STEPS))
        yield lambda step: bars.update(task, description=step, completed=STEPS.index(step))
