"""`chargeloop bench NAME`: run `benchmarks/NAME.py` of the checkout that chargeloop is installed from."""

import argparse
import importlib
import sys
from pathlib import Path

from chargeloop.model import BadInput

CHECKOUT = Path(__file__).resolve().parents[2]


def benchmark_names(checkout: Path) -> list[str]:
    """The benchmarks that can be run: files of `benchmarks/`, but for those named after another one, which are its helpers."""
    names = {path.stem for path in (checkout / "benchmarks").glob("*.py")} - {"__init__", "report"}
    return sorted(name for name in names if not any(name.startswith(f"{other}_") for other in names))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"one of: {', '.join(benchmark_names(CHECKOUT)) or 'none here'}")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line instead of a table")
    parser.add_argument("--quick", action="store_true", help="a smaller run, under 60 s")
    parser.add_argument("--seed", type=int, default=1, help="first of the three seeds (default 1)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 also when a figure is missed: the report says so.

    Raises:
        BadInput: there is no such benchmark, or no checkout.
    """
    names = benchmark_names(CHECKOUT)
    if not names:
        raise BadInput("bench", "benchmarks come with the source checkout, and this installation has none")
    if args.name not in names:
        raise BadInput("bench", f"there is no benchmark {args.name!r}; there are: {', '.join(names)}")
    sys.path.insert(0, str(CHECKOUT))
    report = importlib.import_module("benchmarks.report")
    benchmark = importlib.import_module(f"benchmarks.{args.name}")
    results = benchmark.run(quick=args.quick, seed=args.seed)
    made = report.Report.of(args.name, results)
    sys.stdout.write(made.json_line() + "\n" if args.json else made.table() + "\n")
    return 0
