"""The exact solver: the whole problem as one linear programme for HiGHS, called directly, by its interior point method.

Written from the problem's definition and not from `linear`, so that one checks the other: every session has its state of charge
after every step, the limits are rows, and phases have rows of their own. Least powers make it a mixed-integer programme.
"""

import numpy as np

from chargeloop.execution.charging import PHASES, VOLTS, ChargingPlan, ChargingProblem, limits_kw, plan_of
from chargeloop.model.city import Floats, Ints

NEAR = 1e-3  # the search for pauses ends so near to the best


class _Rows:
    """A linear programme that grows by blocks of columns, and of rows of (row, column, value)."""

    def __init__(self) -> None:
        self.cost: list[Floats] = []
        self.low: list[Floats] = []
        self.high: list[Floats] = []
        self.entries: list[tuple[Ints, Ints, Floats]] = []
        self.row_low: list[Floats] = []
        self.row_high: list[Floats] = []
        self.columns = 0
        self.rows = 0

    def add_columns(self, low: Floats, high: Floats, cost: Floats | float = 0.0) -> Ints:
        shape = np.broadcast_shapes(np.shape(low), np.shape(high), np.shape(cost))
        for kept, each in ((self.low, low), (self.high, high), (self.cost, cost)):
            kept.append(np.broadcast_to(np.asarray(each, dtype=np.float64), shape).ravel())
        self.columns += int(np.prod(shape))
        return np.arange(self.columns - int(np.prod(shape)), self.columns).reshape(shape)

    def add_rows(self, low: Floats, high: Floats | None = None) -> Ints:
        """Rows low <= . <= high; equalities without `high`."""
        self.row_low.append(low.ravel())
        self.row_high.append((low if high is None else high).ravel())
        self.rows += low.size
        return np.arange(self.rows - low.size, self.rows).reshape(low.shape)

    def put(self, rows: Ints, columns: Ints, values: Floats | float) -> None:
        rows, columns, spread = np.broadcast_arrays(rows, columns, values)
        self.entries.append((rows.ravel(), columns.ravel(), np.asarray(spread, dtype=np.float64).ravel()))

    def solve(self, pausing: Ints, least: Floats, budget_s: float) -> tuple[Floats, Floats, float]:
        """Columns' values, rows' duals, and a lower bound on the cost.

        `pausing`: columns that are 0 or at least `least`. Which of them are 0 is found within `budget_s`; then the rest is the
        best for that.
        """
        import highspy  # noqa: PLC0415 (heavy)
        from scipy.sparse import coo_array  # noqa: PLC0415

        row, column, value = (np.concatenate(each) for each in zip(*self.entries, strict=True))
        matrix = coo_array((value, (row, column)), shape=(self.rows, self.columns)).tocsc()
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.columns, self.rows
        cost, low, high = map(np.concatenate, (self.cost, self.low, self.high))
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, low, high
        lp.row_lower_, lp.row_upper_ = map(np.concatenate, (self.row_low, self.row_high))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data

        class Quiet(highspy.Highs):
            """Prints no banner: it would come with the callbacks, before any option could be set."""

            def enableCallbacks(self) -> None:
                self.setOptionValue("output_flag", False)
                super().enableCallbacks()  # type: ignore[no-untyped-call]

        def solved() -> highspy.Highs:
            solver = Quiet()  # type: ignore[no-untyped-call]
            for option, chosen in (("solver", "ipm"), ("threads", 1), ("mip_rel_gap", NEAR)):
                solver.setOptionValue(option, chosen)
            if lp.integrality_:
                solver.setOptionValue("solver", "choose")
                solver.setOptionValue("time_limit", budget_s)
            solver.passModel(lp)
            solver.run()
            return solver

        bound = None
        if pausing.size:
            kind = np.full(self.columns, highspy.HighsVarType.kContinuous)
            kind[pausing] = highspy.HighsVarType.kSemiContinuous
            low[pausing] = least
            lp.col_lower_, lp.integrality_ = low, list(kind)
            solver = solved()
            found = np.array(solver.getSolution().col_value)
            bound = float(solver.getInfo().mip_dual_bound)
            on = found[pausing] > least / 2 if found.size else np.zeros(pausing.size, dtype=bool)
            low[pausing] = np.where(on, least, 0.0)
            high[pausing] = np.where(on, high[pausing], 0.0)
            lp.col_lower_, lp.col_upper_, lp.integrality_ = low, high, []
        solver = solved()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS: {solver.getModelStatus()}")
        solution = solver.getSolution()
        best = float(solver.getInfo().objective_function_value)
        return np.array(solution.col_value), np.array(solution.row_dual), best if bound is None else min(bound, best)


def plan_exactly(problem: ChargingProblem, budget_s: float = 30.0) -> ChargingPlan:
    """The best plan there is, to the solver's tolerance; `bound` is its own objective.

    Where sessions have a least power, which of them pause when is searched for `budget_s`; `bound` then says how far from the
    best that may be.
    """
    lp, circuits, sessions, step_h = _Rows(), problem.circuits, problem.sessions, problem.step_h
    shape, many, steps = circuits.limit_kw.shape, sessions.circuit.size, problem.steps
    hours = problem.hours()
    s, t = np.nonzero(hours > 0)
    x = lp.add_columns(np.zeros(s.size), sessions.max_kw[s] * hours[s, t])
    back = np.flatnonzero(sessions.both_ways[s])
    z = lp.add_columns(np.zeros(back.size), (sessions.discharge_kw[s] * hours[s, t])[back], sessions.wear_per_kwh[s[back]])
    now = np.where(sessions.both_ways, sessions.soc_kwh, 0.0)
    floor = np.where(sessions.both_ways, np.minimum(sessions.floor_kwh, now), 0.0)
    capacity = np.where(sessions.both_ways, sessions.capacity_kwh, sessions.energy_kwh)
    state = lp.add_columns(floor[s], capacity[s])
    first, last = (
        np.r_[True, s[1:] != s[:-1]][: s.size],
        np.r_[s[1:] != s[:-1], True][-s.size :] if s.size else np.zeros(0, bool),
    )
    chain = lp.add_rows(np.where(first, now[s], 0.0))
    lp.put(chain, state, 1.0)
    lp.put(chain[~first], state[~first] - 1, -1.0)
    lp.put(chain, x, -sessions.efficiency[s])
    lp.put(chain[back], z, 1 / sessions.efficiency[s[back]])
    pieces, value = problem.shortfall_pieces()
    pieces = pieces.copy()
    pieces[:, -1] += np.where(sessions.both_ways, now - floor, 0.0)
    short = lp.add_columns(np.zeros_like(pieces), pieces, value)
    end = np.full(many, -1)
    end[s[last]] = state[last]
    reached = lp.add_rows(now + sessions.energy_kwh - np.where(end < 0, now, 0.0))
    lp.put(reached[:, None], short, 1.0)
    lp.put(reached[end >= 0], end[end >= 0], 1.0)
    most = limits_kw(problem)
    imported = lp.add_columns(np.zeros(shape), step_h * most, problem.buy_per_kwh)
    exported = lp.add_columns(np.zeros(shape), step_h * circuits.feed_in_limit_kw, -circuits.sell_per_kwh)
    unused = lp.add_columns(np.zeros(shape), step_h * circuits.pv_kw)
    balance = lp.add_rows(step_h * (circuits.pv_kw - circuits.base_kw))
    for column, sign in ((imported, -1.0), (exported, 1.0), (unused, 1.0)):
        lp.put(balance, column, sign)
    inner = np.flatnonzero(circuits.parent >= 0)
    lp.put(balance[circuits.parent[inner]], imported[inner], 1.0)
    lp.put(balance[circuits.parent[inner]], exported[inner], -1.0)
    lp.put(balance[sessions.circuit[s], t], x, 1.0)
    lp.put(balance[sessions.circuit[s[back]], t[back]], z, -1.0)
    charged = np.flatnonzero(circuits.demand_charge_per_kw > 0)
    above = lp.add_columns(np.zeros(charged.size), np.full(charged.size, np.inf), circuits.demand_charge_per_kw[charged])
    peak = lp.add_rows(
        np.full((charged.size, steps), -np.inf),
        np.broadcast_to(step_h * circuits.peak_kw[charged, None], (charged.size, steps)),
    )
    lp.put(peak, imported[charged], 1.0)
    lp.put(peak, above[:, None], -step_h)
    _phases(lp, problem, s, t, x, z, back)
    least = problem.least_power_kwh()[s, t]
    pausing = least > 0
    found, dual, bound = lp.solve(x[pausing], least[pausing], budget_s)
    charge, discharge = np.zeros(hours.shape), np.zeros(hours.shape)
    charge[s, t] = np.maximum(found[x], 0.0) / step_h
    discharge[s[back], t[back]] = np.maximum(found[z], 0.0) / step_h
    return plan_of(problem, charge, discharge, np.maximum(found[unused], 0.0) / step_h, -dual[balance], bound)


def _phases(lp: _Rows, problem: ChargingProblem, s: Ints, t: Ints, x: Ints, z: Ints, back: Ints) -> None:
    """On each phase of each circuit with such a limit: a third of what is on all three, and what is on that one alone."""
    circuits, sessions = problem.circuits, problem.sessions
    net_base = circuits.below(circuits.base_kw - circuits.pv_kw)
    for c in np.flatnonzero(np.isfinite(circuits.phase_limit_a).any(axis=1)):
        under = _hangs_below(circuits.parent, int(c))
        room = problem.step_h * np.maximum(circuits.phase_limit_a[c] * VOLTS / 1000 - net_base[c] / PHASES, 0.0)
        for phase in range(1, PHASES + 1):
            share = np.where(sessions.phase == 0, 1 / PHASES, (sessions.phase == phase) * 1.0) * under[sessions.circuit]
            rows = lp.add_rows(np.full(problem.steps, -np.inf), room)
            lp.put(rows[t], x, share[s])
            lp.put(rows[t[back]], z, -share[s[back]])


def _hangs_below(parent: Ints, above: int) -> Floats:
    """C: 1 for the circuit `above` and everything below it."""
    under = np.zeros(parent.size)
    under[above] = 1.0
    for c in range(above + 1, parent.size):
        under[c] = under[parent[c]] if parent[c] >= 0 else 0.0
    return under
