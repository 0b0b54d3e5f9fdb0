"""Assignment of thousands who ask at once: CPU of the exact solver, certificates, gaps of the others, and one driver's answer.

The instances are those of `recommendation_instances` for 5,000 and 20,000 requests with 30 candidates each, on three seeds;
"exact" is the surrogate's optimum with its dual certificate, which is measured apart from the local search that follows it.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic, perf_counter, process_time

import numpy as np

from benchmarks.recommendation_instances import INSTANCES, evening, snapshot
from benchmarks.report import Result
from chargeloop.city import load_city
from chargeloop.loop import answer, stages_of
from chargeloop.recommendation import SOLVERS, Flow, Problem, assign_places, bid_for_places
from chargeloop.recommendation.solvers import genetic, learned, swarm

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SEARCHES = ("genetic", "swarm", "learned")
SEARCH_S, QUICK_SEARCH_S = 20.0, 3.0
SINGLES = 400  # drivers who are answered one by one


def snapshots(*, quick: bool, seed: int) -> list[Result]:
    seeds = [seed] if quick else [seed, seed + 1, seed + 2]
    small, large = ([snapshot(*INSTANCES[name]._replace(seed=s)) for s in seeds] for name in ("burst-5000", "burst-20000"))
    exact_s = [cpu_s(assign_places, problems) for problems in (small, large)]
    auction_s = [cpu_s(bid, problems) for problems in (small, large)]
    certificate = max(certificate_pct(bid(problem)) for problem in (*small, *large))
    left = max(abs(certificate_pct(assign_places(problem))) for problem in (*small, *large))
    where = f"CPU s, median of {len(seeds)} seeds"
    return [
        Result("exact_cpu_s_5000", exact_s[0], where, aim={"max": 0.2}),
        Result("exact_cpu_s_20000", exact_s[1], where, aim={"max": 1.0}),
        Result("certificate_pct_exact", left, "% of the dual, the worst instance"),
        Result("certificate_pct_auction", certificate, "% of the dual, the worst instance", aim={"max": 0.02}),
        Result("auction_cpu_s_5000", auction_s[0], where),
        Result("auction_cpu_s_20000", auction_s[1], where),
        *gaps(small[0], QUICK_SEARCH_S if quick else SEARCH_S, seed),
        single(quick=quick, seed=seed),
    ]


def bid(problem: Problem) -> Flow:
    """The auction, with all the time that it wants."""
    return bid_for_places(problem, monotonic() + 60)


def cpu_s(solve: Callable[[Problem], Flow], problems: list[Problem]) -> float:
    """Median CPU seconds over the problems, the best of three runs of each; what compiles is left out."""
    solve(problems[0])
    return float(np.median([min(_cpu_s(partial(solve, problem)) for _ in range(3)) for problem in problems]))


def _cpu_s(run: Callable[[], object]) -> float:
    begun = process_time()
    run()
    return process_time() - begun


def certificate_pct(flow: Flow) -> float:
    return 100 * (flow.cost - flow.dual_cost) / abs(flow.dual_cost)


def gaps(problem: Problem, budget_s: float, seed: int) -> list[Result]:
    """How much larger F of each search's plan is than that of `exact` with the same seconds, local search included."""
    rng = np.random.default_rng
    exact = SOLVERS["exact"](problem, rng(seed), budget_s)
    found = {name: SOLVERS[name](problem, rng(seed), budget_s) for name in SEARCHES}
    found |= {f"{name}_cold": search(problem, rng(seed), budget_s, warm=False) for name, search in COLD.items()}
    found["learned_alone"] = learned(problem, rng(seed), budget_s, polished=False)
    found["greedy"] = SOLVERS["greedy"](problem, rng(seed), budget_s)
    found["auction"] = SOLVERS["auction"](problem, rng(seed), budget_s)
    unit, said = f"% of F, 5,000 x 30, {budget_s:g} s", "exact, same seconds, CNY"
    assert exact.bound is not None
    return [
        *(
            Result(f"gap_pct_{name}", 100 * (each.objective / exact.objective - 1), unit, said, exact.objective)
            for name, each in found.items()
        ),
        Result("gap_to_bound_pct_exact", 100 * (exact.objective / exact.bound - 1), unit, "bound, CNY", exact.bound),
    ]


COLD = {"genetic": genetic, "swarm": swarm}


def single(*, quick: bool, seed: int) -> Result:
    """One driver after the other through the shipped path, road times included; wall time."""
    city = load_city(SHARED if SHARED.is_dir() and not quick else None)
    layout, guide, world, asked, forecast = evening(city, SINGLES, seed)
    stages = stages_of(city, layout, guide)
    answer(world, asked[0], forecast, stages)  # loads and compiles
    took_ms = []
    for request in asked:
        begun = perf_counter()
        answer(world, request, forecast, stages)
        took_ms.append(1000 * (perf_counter() - begun))
    return Result(
        "single_p99_ms", float(np.quantile(took_ms, 0.99)), f"ms, {len(city.stations)} stations, {city.name}", aim={"max": 20.0}
    )
