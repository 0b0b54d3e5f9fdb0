"""`chargeloop schedule`: when each session of one's own files charges, at how many kW."""

import argparse
import csv
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from chargeloop.console.whole_file import whole_file
from chargeloop.model.errors import BadInput

if TYPE_CHECKING:
    from chargeloop.console.own_sessions import OwnDay
    from chargeloop.execution import ChargingPlan, ChargingProblem

SOLVERS = ("auto", "exact", "prices")
EXACT_UP_TO = 20_000  # sessions x steps that are there: HiGHS takes about a second for them
SAID = 10  # shortfalls on the terminal; the report has all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sessions", type=Path, metavar="SESSIONS.csv", help="session_id, arrival, departure, energy_kwh, and more"
    )
    parser.add_argument("site", type=Path, metavar="SITE.toml", help="circuits with limits and prices; PV, storage, chargers")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.csv", help="file to write: powers step by step"
    )
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="page with plots, and who is left short by what")
    parser.add_argument(
        "--solver",
        choices=SOLVERS,
        default="auto",
        help="exact (HiGHS), prices (for thousands of sessions), or auto: exact where it takes about a second, or alone can",
    )
    parser.add_argument(
        "--budget-s", type=float, default=10.0, help="seconds to look for who pauses, where there are least powers (default 10)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the plan, and say what it comes to and who is left short.

    Raises:
        BadInput: an argument or anything in the files; then nothing is written.
    """
    for name, path in (("--output", args.output), ("--report", args.report)):
        if path is not None and not path.parent.is_dir():
            raise BadInput(name, f"there is no folder {path.parent}")
    if not args.budget_s > 0:
        raise BadInput("--budget-s", f"want more than 0, got {args.budget_s:g}")
    from chargeloop.console.own_sessions import read_own_day  # noqa: PLC0415 (not needed for --help)
    from chargeloop.console.own_site import read_own_site  # noqa: PLC0415
    from chargeloop.console.schedule_report import report, shortages  # noqa: PLC0415
    from chargeloop.execution import charging_violations  # noqa: PLC0415

    day = read_own_day(args.sessions, args.site, read_own_site(args.site))
    if day.passed_over:
        sys.stderr.write(f"chargeloop: columns that are not used: {', '.join(day.passed_over)}\n")
    plan = _plan(day.problem, args.solver, args.budget_s)
    wrong = charging_violations(day.problem, plan)
    if wrong:
        raise RuntimeError(f"the plan breaks {wrong[0]}")
    short = shortages(day, plan)
    _write(args.output, day, plan)
    if args.report is not None:
        with whole_file(args.report) as draft:
            draft.write_text(report(day, plan, short), encoding="utf-8")
    sys.stdout.write(f"{args.output}: {_summary(day, plan)}\n")
    sys.stdout.writelines(f"  {each}\n" for each in short[:SAID])
    if len(short) > SAID:
        sys.stdout.write(f"  and {len(short) - SAID} more{' (all in the report)' if args.report else '; --report tells all'}\n")
    return 0


def _plan(problem: "ChargingProblem", solver: str, budget_s: float) -> "ChargingPlan":
    import numpy as np  # noqa: PLC0415

    from chargeloop.execution import plan_by_prices, plan_exactly  # noqa: PLC0415

    if solver == "prices" and problem.exact_only:
        raise BadInput("--solver", "prices knows no single phases and no least powers; the sessions have some: use exact")
    if solver == "exact" or problem.exact_only or (solver == "auto" and np.count_nonzero(problem.hours()) <= EXACT_UP_TO):
        return plan_exactly(problem, budget_s)
    return plan_by_prices(problem)


def _summary(day: "OwnDay", plan: "ChargingPlan") -> str:
    cars = len(day.asked) - day.storage
    asked, lacks = day.problem.sessions.energy_kwh[:cars], plan.shortfall_kwh[:cars]
    served = int((lacks <= 0.01).sum())
    line = f"{served} of {cars} sessions get all they ask for, {asked.sum() - lacks.sum():,.1f} of {asked.sum():,.1f} kWh"
    return f"{line}; {day.site.currency} {plan.account.paid:,.2f}, peak {plan.load_kw[0].max():,.1f} kW"


def _write(path: Path, day: "OwnDay", plan: "ChargingPlan") -> None:
    """A row for each session and step of its stay, sessions in the order of the file and storage last."""
    there = day.problem.hours() > 0
    zone, step = day.site.zone, timedelta(minutes=day.site.step_min)
    begins = [begin.astimezone(zone) for begin in day.begins]
    with whole_file(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("session_id", "circuit", "from", "to", "charge_kw", "discharge_kw", "energy_kwh"))
        for s, each in enumerate(day.asked):
            gained = 0.0
            for t in there[s].nonzero()[0]:
                charge, back = float(plan.charge_kw[s, t]), float(plan.discharge_kw[s, t])
                gained += day.problem.step_h * (charge * each.efficiency - back / each.efficiency)
                ends = (day.begins[t] + step).astimezone(zone)
                figures = (f"{value:.3f}" for value in (charge, back, gained + 0.0))
                writer.writerow((each.name, day.site.names[each.circuit], begins[t].isoformat(), ends.isoformat(), *figures))
