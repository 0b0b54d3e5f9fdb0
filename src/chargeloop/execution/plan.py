"""A plan for a day of sessions by the price iteration, repaired to full feasibility."""

import numpy as np

from chargeloop.execution.charging import ChargingPlan, ChargingProblem, limits_kw, plan_of
from chargeloop.execution.flow import serve_all
from chargeloop.execution.linear import Programme, Shape, linear, owner_and_step
from chargeloop.execution.prices import Prices, iterate
from chargeloop.execution.repair import put_right, tidy, top_up
from chargeloop.model import BadInput
from chargeloop.model.city import Floats

NEARNESS = 3e-3  # of iterate and bound, as a share of what is paid; the repaired plan comes out nearer


def plan_by_prices(problem: ChargingProblem, nearness: float = NEARNESS) -> ChargingPlan:
    """The price iteration, repaired to full feasibility. `bound` certifies how far from the best plan it can be at most.

    Raises:
        BadInput: there are limits on single phases or least powers, which only `plan_exactly` knows.
    """
    if problem.exact_only:
        raise BadInput(problem.exact_only, "the price iteration does not know it; use plan_exactly")
    shape, programme = linear(problem)
    state = Prices(shape, programme)
    iterate(state, nearness)
    return finished(problem, shape, programme, state.v, -state.balance, state.bound)


def finished(
    problem: ChargingProblem, shape: Shape, programme: Programme, v: Floats, price: Floats, bound: float
) -> ChargingPlan:
    """`v`, which need not keep any limit, made a plan that does; `price`: C x T. Uses up `v`."""
    step_h, circuits = problem.step_h, problem.circuits
    limit = step_h * limits_kw(problem)
    load = put_right(shape, programme, v, limit, step_h * circuits.feed_in_limit_kw)
    top_up(shape, programme.most, programme.right_own, v, price, limit, load)
    serve_all(shape, programme.most, programme.right_own, v, limit, step_h * circuits.feed_in_limit_kw, load)
    peak = np.maximum(load.max(axis=1, initial=0.0), step_h * circuits.peak_kw)
    kept = np.where(circuits.demand_charge_per_kw[:, None] > 0, np.minimum(limit, peak[:, None]), limit)
    priced = problem.buy_per_kwh != circuits.sell_per_kwh  # there what is paid changes where the flow turns
    kept = np.where(priced & (load < 0), np.minimum(kept, 0.0), kept)
    least = np.where(priced & (load >= 0), 0.0, -step_h * circuits.feed_in_limit_kw)
    tidy(shape, programme.most, v, _paid(problem, load), kept, least, load)
    power = np.maximum(v, 0.0) / step_h
    owner, step = owner_and_step(shape)
    charge, size = np.zeros((shape.stay.size, problem.steps)), circuits.limit_kw.shape
    charge[shape.row[owner], step] = power[: shape.m]
    discharge = np.broadcast_to(0.0, charge.shape)
    both = shape.both[owner] >= 0
    if both.any():
        discharge = np.zeros_like(charge)
        discharge[shape.row[owner[both]], step[both]] = power[shape.z : shape.e]
    return plan_of(problem, charge, discharge, power[shape.k : shape.w].reshape(size), price, bound)


def _paid(problem: ChargingProblem, load: Floats) -> Floats:
    """C x T: what one more kWh at a circuit costs to buy, by the way it flows."""
    price = np.where(load >= 0, problem.buy_per_kwh, problem.circuits.sell_per_kwh)
    for c, parent in enumerate(problem.circuits.parent):
        if parent >= 0:
            price[c] += price[parent]
    return price
