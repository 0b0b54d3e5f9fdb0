"""Solvers side by side on the frozen instances: `python -m benchmarks.recommendation_leaderboard`, as a Markdown table.

`--solver module:function` adds anybody's own. Every plan is checked and its F computed anew; the bound is the best that any of
the solvers proved.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, process_time

import numpy as np

from benchmarks.recommendation_instances import INSTANCES, Instance, instance
from chargeloop.recommendation import SOLVERS, evaluate, solve


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommendation_leaderboard", description=__doc__)
    parser.add_argument("--solver", action="append", default=[], help="module:function; again for more")
    parser.add_argument("--instance", action="append", choices=INSTANCES, help="again for more (default all)")
    parser.add_argument("--budget-s", type=float, default=20.0, help="seconds for each solver (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of solvers that draw lots (default 1)")
    args = parser.parse_args(argv)
    sys.path.insert(0, str(Path.cwd()))
    solvers = [*SOLVERS, *args.solver]
    _compile(solvers, args.seed)
    for name in args.instance or INSTANCES:
        for line in table(instance(name), solvers, args.budget_s, args.seed):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def _compile(solvers: Sequence[str], seed: int) -> None:
    """Let every solver run once before time is taken."""
    small = instance("burst-500").problem
    for solver in solvers:
        solve(solver, small, np.random.default_rng(seed), 0.1)


def table(frozen: Instance, solvers: Sequence[str], budget_s: float, seed: int) -> Iterator[str]:
    """Markdown: the instance with its digest and bound, then a row for each solver, best first."""
    problem, rows, bounds = frozen.problem, [], [-np.inf]
    for name in solvers:
        begun_cpu, begun = process_time(), monotonic()
        found = solve(name, problem, np.random.default_rng(seed), budget_s)
        cpu_s, wall_s = process_time() - begun_cpu, monotonic() - begun
        bounds.append(-np.inf if found.bound is None else found.bound)
        wait_s, _, cost = evaluate(problem, found.choice)
        rows.append((float(cost.sum()), name, float(wait_s.mean()) / 60, cpu_s, wall_s))
    bound = max(bounds)
    yield f"**{frozen.name}**: {problem.pool.shape[0]:,} x {problem.pool.shape[1]}, {len(problem.pool_start) - 1:,} pools with"
    yield f"{len(problem.bay_free_s):,} bays. sha256 `{frozen.digest[:16]}`, bound {bound:,.0f} CNY, {budget_s:g} s each.\n"
    yield "| solver | F, CNY | above the bound | mean wait, min | CPU s | wall s |"
    yield "|---|---|---|---|---|---|"
    for total, name, wait_min, cpu_s, wall_s in sorted(rows):
        above = 100 * (total / bound - 1)
        yield f"| {name} | {total:,.0f} | {above:.2f} % | {wait_min:.1f} | {cpu_s:.1f} | {wall_s:.1f} |"
    yield ""


if __name__ == "__main__":
    main()
