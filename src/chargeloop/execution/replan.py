"""The plan again after some sessions came, went or changed: from the last prices, with what was planned for all others."""

import numpy as np

from chargeloop.execution.charging import ChargingPlan, ChargingProblem
from chargeloop.execution.linear import Programme, Shape, linear, owner_and_step
from chargeloop.execution.plan import finished, plan_by_prices
from chargeloop.execution.prices import bound_at
from chargeloop.model import BadInput
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel

GOOD = 5e-3  # of what is paid: a plan that is farther from its bound is made anew


def replan(problem: ChargingProblem, last: ChargingPlan, same: Ints, passed: int = 0, nearness: float = GOOD) -> ChargingPlan:
    """As `plan_by_prices`, in a fraction of the time where little has changed.

    Whoever is the same keeps the powers of `last`, as far as limits allow; others are given what they ask for where it is
    cheapest by its prices. Those prices prove a bound here too; where plan and bound are farther apart than `nearness`,
    everything is planned anew.

    `same`: S, which session of `last` each is, -1 for one that was not there or has changed. `passed`: steps since `last`
    began; beyond its end prices stay as they are in its last step. Circuits are those of `last`.

    Raises:
        BadInput: as `plan_by_prices`; or `same` does not fit.
    """
    if same.shape != problem.sessions.circuit.shape or np.any(same >= last.charge_kw.shape[0]) or np.any(same < -1):
        raise BadInput("same", "wants for each session its number in the last plan, or -1")
    if last.price_per_kwh.shape[0] != problem.circuits.parent.size:
        raise BadInput("last", f"is of {last.price_per_kwh.shape[0]} circuits, not {problem.circuits.parent.size}")
    if problem.exact_only:
        raise BadInput(problem.exact_only, "the price iteration does not know it; use plan_exactly")
    shape, programme = linear(problem)
    then = passed + np.arange(problem.steps)
    price = np.ascontiguousarray(last.price_per_kwh[:, np.minimum(then, last.price_per_kwh.shape[1] - 1)])
    bound = _bound(problem, shape, programme, price)
    plan = finished(problem, shape, programme, _kept(problem, shape, last, same, then), price, bound)
    return plan if plan.gap <= nearness else plan_by_prices(problem)


def _kept(problem: ChargingProblem, shape: Shape, last: ChargingPlan, same: Ints, then: Ints) -> Floats:
    """The variables of `linear`, as the last plan has them."""
    v = np.zeros(shape.size)
    owner, step = owner_and_step(shape)
    before = same[shape.row[owner]]
    known = (before >= 0) & (then[step] < last.charge_kw.shape[1])
    rows, at = np.where(known, before, 0), np.where(known, then[step], 0)
    v[: shape.m] = problem.step_h * np.where(known, last.charge_kw[rows, at], 0.0)
    both = shape.both[owner] >= 0
    v[shape.z : shape.e] = problem.step_h * np.where(known, last.discharge_kw[rows, at], 0.0)[both]
    unused = np.zeros_like(problem.circuits.pv_kw)
    there = then < last.curtailed_kw.shape[1]
    unused[:, there] = last.curtailed_kw[:, then[there]]
    v[shape.k : shape.w] = problem.step_h * unused.ravel()
    return v


def _bound(problem: ChargingProblem, shape: Shape, programme: Programme, price: Floats) -> float:
    """By prices of circuits alone: sessions' own follow from them, and the peak's are what exceeds the meter's, as far as
    the demand charge goes."""
    own, circuits = np.zeros(shape.own_rows), problem.circuits
    _own_prices(shape, programme.cost, programme.most, programme.right_own, price, own)
    above = np.where(circuits.parent[:, None] >= 0, price[circuits.parent], 0.0)
    over = np.maximum(price - above - problem.buy_per_kwh, 0.0) * (shape.peak[:, None] > 0)
    total = problem.step_h * over.sum(axis=1, keepdims=True)
    peak = over * np.minimum(1.0, circuits.demand_charge_per_kw[:, None] / np.maximum(total, 1e-12))
    return bound_at(shape, programme, own, -price, peak)


@kernel
def _own_prices(shape: Shape, cost: Floats, most: Floats, right_own: Floats, price: Floats, own: Floats) -> None:
    """What a kWh is worth to each session: the dearest that it takes when it takes the cheapest steps, or leaves out."""
    pieces = shape.pieces
    each, room = np.empty(shape.steps + pieces), np.empty(shape.steps + pieces)
    for s in range(shape.stay.size):
        c, n, t0, a, r = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s], shape.own[s]
        rows = n if shape.both[s] >= 0 else 1
        wanted, m = 0.0, shape.m + s * pieces
        for k in range(rows):
            wanted += right_own[r + k]
        for k in range(n):
            each[k], room[k] = price[c, t0 + k], most[a + k]
        for j in range(pieces):
            each[n + j], room[n + j] = cost[m + j], most[m + j]
        worth = 0.0
        for q in np.argsort(each[: n + pieces]):
            worth = each[q]
            wanted -= room[q]
            if wanted <= 0.0:
                break
        for k in range(rows):
            own[r + k] = worth
