"""One run of `bench power` in a process of its own: size, seed and who solves; prints one JSON object."""

import json
import resource
import sys
import time

import numpy as np

from benchmarks.power_instances import both_ways, changed, day
from chargeloop.execution import ChargingPlan, ChargingProblem, charging_violations, plan_by_prices, plan_exactly, replan
from chargeloop.model.city import Floats

NANO = 1e9  # of a kWh: whole numbers for the flow


def main(size: int, seed: int, who: str) -> dict[str, float]:
    if who == "again":
        return _again(size, seed)
    who, _, kind = who.partition("-")
    made = both_ways if kind == "v2g" else day
    problem = made(size, seed)
    solve = {"ours": plan_by_prices, "highs": plan_exactly}[who]
    if who == "ours":
        solve(made(50, seed + 1))  # kernels are loaded once in a process
    began = time.process_time()
    plan = solve(problem)
    found = {"cpu_s": time.process_time() - began, "gap": plan.gap}
    found["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if kind == "v2g":
        return found | {"objective": plan.account.objective, "violations": float(len(charging_violations(problem, plan)))}
    if who == "ours":
        found |= _judged(problem, plan)
    return found


def _again(size: int, seed: int) -> dict[str, float]:
    """5 % of the sessions become others, and the plan is made again."""
    small = day(50, seed + 1)
    replan(small, plan_by_prices(small), np.arange(50))
    first = day(size, seed)
    last = plan_by_prices(first)
    problem, same = changed(first, seed + 100)
    began = time.process_time()
    plan = replan(problem, last, same)
    found = {"cpu_s": time.process_time() - began, "gap": plan.gap}
    kept = same >= 0
    moved = np.abs(plan.charge_kw[kept] - last.charge_kw[same[kept]]).sum() / last.charge_kw.sum()
    return found | {"moved": float(moved), "violations": float(len(charging_violations(problem, plan)))}


def _judged(problem: ChargingProblem, plan: ChargingPlan) -> dict[str, float]:
    served = float(problem.sessions.energy_kwh.sum() - plan.shortfall_kwh.sum())
    most, greedy = most_kwh(problem), greedy_objective(problem)
    return {
        "unserved": max(most - served, 0.0) / most,
        "over_greedy": plan.account.objective / greedy - 1,
        "violations": float(len(charging_violations(problem, plan))),
        "full": float((plan.load_kw[0] > 0.9999 * problem.circuits.limit_kw[0]).mean()),
    }


def most_kwh(problem: ChargingProblem) -> float:
    """The most energy that can be served: a maximum flow by OR-tools from sessions over (station, step) and (feeder, step)."""
    from ortools.graph.python import max_flow  # noqa: PLC0415

    sessions, steps, many = problem.sessions, problem.steps, problem.circuits.parent.size
    flow, cars = max_flow.SimpleMaxFlow(), sessions.circuit.size
    s, t = np.nonzero(problem.hours())
    cell = 2 + cars + np.arange(many * steps)
    limit = problem.step_h * problem.circuits.limit_kw.ravel()
    up = np.concatenate([np.ones(steps), np.tile(cell[:steps], many - 1)])
    begin = np.concatenate([np.zeros(cars), 2 + s, cell])
    end = np.concatenate([2 + np.arange(cars), cell[sessions.circuit[s] * steps + t], up])
    room = np.concatenate([sessions.energy_kwh, (sessions.max_kw[:, None] * problem.hours())[s, t], limit])
    flow.add_arcs_with_capacity(begin.astype(np.int32), end.astype(np.int32), np.round(room * NANO).astype(np.int64))
    flow.solve(0, 1)
    return float(flow.optimal_flow()) / NANO


def greedy_objective(problem: ChargingProblem) -> float:
    """One pass, least laxity first, into the cheapest steps that have room. What is left out counts as in the plan."""
    sessions, circuits = problem.sessions, problem.circuits
    most: Floats = sessions.max_kw[:, None] * problem.hours()
    room = problem.step_h * circuits.limit_kw
    price, cost, left = problem.buy_per_kwh[0], 0.0, 0.0
    by_price = np.argsort(price, kind="stable")
    laxity = sessions.depart_h - sessions.arrive_h - sessions.energy_kwh / sessions.max_kw
    for s in np.argsort(laxity, kind="stable"):
        lack, c = float(sessions.energy_kwh[s]), sessions.circuit[s]
        for t in by_price[most[s, by_price] > 0]:
            more = min(lack, most[s, t], room[c, t], room[0, t])
            room[c, t] -= more
            room[0, t] -= more
            lack -= more
            cost += more * price[t]
            if lack <= 0:
                break
        left += lack * problem.value_per_kwh[s]
    return cost + left


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])) + "\n")
