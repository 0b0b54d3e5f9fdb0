"""Real sessions, step by step, with departures that are not known: what is delivered, at what cost, under a limit that binds.

ACN (Caltech; departure as the driver said, and how far off others were), Dundee (a city's public points) and DESL (two fast
plugs); for these two departure is known as the distribution of earlier stays. Every policy has the same knowledge: quantiles of
departure, and what is asked for (at ACN not more than most others took). The hindsight optimum knows everything.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np

from benchmarks.report import Result
from benchmarks.sessions_days import SHARED, STEP_H, STEPS, Day, days
from chargeloop.execution import ChargingProblem, Circuits, Sessions, plan_by_prices, plan_exactly
from chargeloop.execution.charging import DEAR
from chargeloop.model.city import Floats, Ints

NAMES = ("acn", "dundee", "desl")
SEEDS, DAYS = 5, 3
HOUR = (np.arange(STEPS) * STEP_H % 24).astype(int)
PRICE = np.array([0.31] * 8 + [0.77] * 2 + [1.14] * 2 + [0.77] * 2 + [1.14] * 5 + [0.77] * 5)[
    HOUR
]  # Shenzhen's hours, CNY a kWh
USUAL = 0.5  # and the one by which a car usually is gone
EARLY = 0.2  # quantile of departure that is planned for
SHARES = 10  # round robin hands out power in so many parts
MET = 0.99
HAIR = 1e-6

Policy = Callable[[Day, Ints, Floats, int], Floats]  # day, who is there, kWh asked for and not given yet, now -> kW of those


def run(*, quick: bool, seed: int) -> Iterable[Result]:
    """Five seeds of three days each; quick: one day of each data set."""
    if not (SHARED / "sessions").exists():
        return
    for name in NAMES:
        drawn = [
            day
            for each in range(seed, seed + (1 if quick else SEEDS))
            for day in days(name, 1 if quick else DAYS, np.random.default_rng(each))
        ]
        best = [hindsight(day) for day in drawn]
        for who, policy in {**POLICIES, "hindsight": None}.items():
            powers = best if policy is None else [simulated(day, policy) for day in drawn]
            yield from _results(f"{name}_{who}", drawn, powers, best)


def _results(name: str, drawn: list[Day], powers: list[Floats], best: list[Floats]) -> Iterable[Result]:
    found = [judged(*each) for each in zip(drawn, powers, strict=True)]
    mean = {each.name: float(np.mean([getattr(one, each.name) for one in found])) for each in fields(Figures)}
    units = {
        "energy_pct": "% of what could be taken in",
        "met_pct": "% of sessions",
        "cost_per_kwh": "CNY",
        "peak_pct": "% of the connection's limit",
        "jain": "of shares of what each could take in",
        "cycles": "begins of charging, a session",
    }
    for each, unit in units.items():
        yield Result(f"{name}_{each}", mean[each], unit)
    ours, least = (sum(judged(d, p).objective for d, p in zip(drawn, every, strict=True)) for every in (powers, best))
    yield Result(f"{name}_over_hindsight_pct", 100 * (ours / least - 1), f"%, cost, a kWh short at {DEAR:g} times the dearest")
    violations = sum(each.violations for each in found)
    yield Result(f"{name}_limit_violations", violations, "circuits x steps", must={"max": 0} if name.endswith("ours") else None)


@dataclass(frozen=True, slots=True)
class Figures:
    energy_pct: float
    met_pct: float
    cost_per_kwh: float
    peak_pct: float
    jain: float
    cycles: float
    violations: float
    objective: float


def judged(day: Day, power_kw: Floats) -> Figures:
    """`power_kw`: S x T, what each car took in."""
    load = np.zeros((day.limit_kw.size, STEPS))
    np.add.at(load, day.circuit, power_kw)
    load[0] = power_kw.sum(axis=0)
    kwh = STEP_H * power_kw.sum(axis=1)
    share = kwh / day.true_kwh
    cost = STEP_H * float(load[0] @ PRICE)
    on = power_kw > HAIR
    begins = (np.diff(on.astype(int), prepend=0, axis=1) > 0).sum(axis=1)
    return Figures(
        100 * float(kwh.sum() / day.true_kwh.sum()),
        100 * float((share >= MET).mean()),
        cost / float(kwh.sum()),
        100 * float(load[0].max() / day.limit_kw[0]),
        float(share.sum() ** 2 / (share.size * (share**2).sum())),
        float(begins.mean()),
        float((load > day.limit_kw[:, None] + HAIR).sum()),
        cost + DEAR * float(PRICE.max()) * float(day.true_kwh.sum() - kwh.sum()),
    )


def simulated(day: Day, policy: Policy) -> Floats:
    """S x T, kW: each step the policy says anew who gets how much; a car takes it until it is full."""
    power = np.zeros((day.circuit.size, STEPS))
    asked, true = day.asked_kwh.copy(), day.true_kwh.copy()
    for t in range(STEPS):
        here = np.flatnonzero((day.arrive <= t) & (t < day.leave) & (true > HAIR))
        if here.size:
            given = np.minimum(policy(day, here, asked[here], t), true[here] / STEP_H)
            power[here, t] = given
            asked[here] -= STEP_H * given
            true[here] -= STEP_H * given
    return power


def at_once(day: Day, here: Ints, left_kwh: Floats, _: int) -> Floats:
    """Uncontrolled: limits are not kept."""
    return np.minimum(day.max_kw[here], left_kwh / STEP_H)


def round_robin(day: Day, here: Ints, left_kwh: Floats, now: int) -> Floats:
    """A tenth of its power to each in turn, as long as it fits."""
    want = at_once(day, here, left_kwh, now)
    given, room = np.zeros(here.size), day.limit_kw.copy()
    for _ in range(SHARES):
        given += _in_turn(day, here, want / SHARES, np.roll(np.arange(here.size), now), room)
    return given


def earliest_deadline(day: Day, here: Ints, left_kwh: Floats, now: int) -> Floats:
    order = np.argsort(day.leaves(now, EARLY)[here], kind="stable")
    return _in_turn(day, here, at_once(day, here, left_kwh, now), order, day.limit_kw.copy())


def least_laxity(day: Day, here: Ints, left_kwh: Floats, now: int) -> Floats:
    spare = day.leaves(now, EARLY)[here] - now - _needs_kwh(day, here, left_kwh) / day.max_kw[here] / STEP_H
    return _in_turn(day, here, at_once(day, here, left_kwh, now), np.argsort(spare, kind="stable"), day.limit_kw.copy())


def ours(day: Day, here: Ints, left_kwh: Floats, now: int) -> Floats:
    """The plan of everybody who is there, by prices; its first step is carried out. In each step that charging waits cars may
    leave: one in so many steps as they usually stay on. A kWh put off is short with that probability, a part of its price."""
    leave = day.leaves(now, EARLY)[here] - now
    risk = 1 / (day.leaves(now, USUAL)[here] - now).mean()
    need = _needs_kwh(day, here, left_kwh)
    sessions = Sessions(day.circuit[here], np.zeros(here.size), STEP_H * leave.astype(np.float64), need, day.max_kw[here])
    return np.asarray(plan_by_prices(_problem(day, sessions, now, int(leave.max()), risk)).charge_kw[:, 0])


def _needs_kwh(day: Day, here: Ints, left_kwh: Floats) -> Floats:
    everybody = day.asked_kwh.copy()
    everybody[here] = left_kwh
    return day.needs_kwh(everybody)[here]


POLICIES: dict[str, Policy] = {
    "uncontrolled": at_once,
    "round_robin": round_robin,
    "earliest_deadline": earliest_deadline,
    "least_laxity": least_laxity,
    "ours": ours,
}


def hindsight(day: Day) -> Floats:
    """The best there was, by HiGHS, with true departures and energies."""
    come, leave = (STEP_H * each.astype(np.float64) for each in (day.arrive, day.leave))
    sessions = Sessions(day.circuit, come, leave, day.true_kwh, day.max_kw)
    return plan_exactly(_problem(day, sessions, 0, STEPS)).charge_kw


def _problem(day: Day, sessions: Sessions, now: int, steps: int, risk: float = 0.0) -> ChargingProblem:
    """`risk`: of leaving in each step that charging waits."""
    buy, short = np.zeros((day.parent.size, steps)), DEAR * float(PRICE.max())
    buy[0] = PRICE[now : now + steps] + short * (1 - (1 - risk) ** np.arange(steps))
    limit = np.broadcast_to(day.limit_kw[:, None], buy.shape)
    value = np.full(sessions.circuit.size, short + float(PRICE.max()))
    valued = Sessions(
        sessions.circuit, sessions.arrive_h, sessions.depart_h, sessions.energy_kwh, sessions.max_kw, value_per_kwh=value
    )
    return ChargingProblem(Circuits(day.parent, limit, buy_per_kwh=buy), valued, STEP_H)


def _in_turn(day: Day, here: Ints, want_kw: Floats, order: Ints, room_kw: Floats) -> Floats:
    """Each as much as fits, one after the other. Uses up `room_kw`."""
    given = np.zeros(here.size)
    for s in order:
        c = day.circuit[here[s]]
        given[s] = min(want_kw[s], room_kw[c], room_kw[0])
        room_kw[[c, 0]] -= given[s]
    return given
