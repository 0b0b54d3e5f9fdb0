"""`recommend`: which station for each open request, with the offers it was chosen from and the reason."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from chargeloop.model import BadInput, ChargeRequest, Current, Decision, Offer, Sort, VehicleModel, World
from chargeloop.model.city import Floats
from chargeloop.pricing import RateTable, quote
from chargeloop.recommendation.build import Candidates, Options, Surroundings, build
from chargeloop.recommendation.explain import no_station, reason
from chargeloop.recommendation.objective import TERMS, busy_cost
from chargeloop.recommendation.problem import alternatives, scores
from chargeloop.recommendation.solvers import SOLVERS
from chargeloop.recommendation.waiting import wait_margin_s
from chargeloop.recommendation.weights import DEFAULT, Weights

SHOWN = 5  # offers kept with a decision


def recommend(
    world: World,
    requests: Sequence[ChargeRequest],
    candidates: Candidates,
    rates: RateTable,
    models: Sequence[VehicleModel],
    *,
    solver: str = "exact",
    weights: Weights = DEFAULT,
    inflow_per_h: Floats,
    load_share: Floats,
    energy_price: Floats,
    time_zone: str,
    rng: np.random.Generator,
    kg_co2_per_kwh: Floats | None = None,
    sorts: Sequence[Sort | None] | None = None,
    budget_s: float = 1.0,
) -> tuple[Decision, ...]:
    """One decision for each request, in the same order. Every request gets one: `chosen` is None where nothing can serve it.

    `inflow_per_h`: P, forecast arrivals; `load_share`: N, load over limit of the circuit above each station;
    `energy_price`, `kg_co2_per_kwh`: 24 local hours of `time_zone`; `sorts`: each driver's own order, None for none.

    Raises:
        BadInput: unknown solver or vehicle model, or arrays of the wrong shape.
    """
    if solver not in SOLVERS:
        raise BadInput("solver", f"no solver {solver!r}; there are {', '.join(SOLVERS)}")
    if not requests:
        return ()
    surroundings = Surroundings(inflow_per_h, load_share, energy_price, time_zone)
    options = build(world, requests, candidates, rates, models, surroundings, weights, sorts or [None] * len(requests))
    choice = SOLVERS[solver](options.problem, rng, budget_s).choice
    wait_s, busy = alternatives(options.problem, choice)
    score = scores(options.problem, wait_s, busy)
    co2 = np.zeros(24) if kg_co2_per_kwh is None else kg_co2_per_kwh
    desk = _Desk(world, requests, rates, options, weights, surroundings, co2, wait_s, busy)
    return tuple(desk.decision(i, int(choice[i]), score[i], solver) for i in range(len(requests)))


class _Desk:
    """Writes decisions out of the arrays of one solved problem."""

    def __init__(
        self,
        world: World,
        requests: Sequence[ChargeRequest],
        rates: RateTable,
        options: Options,
        weights: Weights,
        surroundings: Surroundings,
        co2: Floats,
        wait_s: Floats,
        busy: Floats,
    ) -> None:
        self.world, self.requests, self.rates, self.options, self.weights = world, requests, rates, options, weights
        self.surroundings, self.co2, self.wait_s, self.busy = surroundings, co2, wait_s, busy
        self.zone = ZoneInfo(surroundings.time_zone)
        self.names = dict(zip(world.layout.station_ids, world.layout.station_names, strict=True))

    def decision(self, i: int, choice: int, score: Floats, solver: str) -> Decision:
        request = self.requests[i]
        chosen, offers = None, []
        if choice < 0:
            why = no_station(self.options.why_not, i)
        else:
            best = [int(j) for j in np.argsort(score, kind="stable")[:SHOWN] if np.isfinite(score[j])]
            shown = best if choice in best else [*best[: SHOWN - 1], choice]
            made = {j: self.offer(i, j) for j in shown}
            chosen = made[choice]
            offers = sorted(made.values(), key=lambda offer: offer.score)
            why = reason(chosen, offers, self.names)
        return Decision(
            f"D-{request.request_id}", request.request_id, self.world.at, solver, chosen, tuple(offers), why, request
        )

    def offer(self, i: int, j: int) -> Offer:
        """One option as it is shown: the amount by the Decimal price, and terms that sum to the score."""
        request, options, problem, layout = self.requests[i], self.options, self.options.problem, self.world.layout
        pool = int(problem.pool[i, j])
        station = int(layout.pool_station[pool])
        wait_s, arrive_s = float(self.wait_s[i, j]), float(problem.arrive_s[i, j])
        charge_min, energy_kwh = float(options.charge_min[i, j]), float(options.energy_kwh[i, j])
        begin = datetime.fromtimestamp(arrive_s + wait_s, UTC)
        amount = quote(self.rates.tariff_of(station), begin, charge_min, energy_kwh).amount
        late_s = max(float(problem.over_s[i, j]) + wait_s, 0.0)
        terms = {name: float(term[i, j]) for name, term in options.terms.items()} | {
            "wait": float(problem.wait_rate[i] - options.own_order[i]) * wait_s,
            "amount": self.weights.tiers[request.tier].amount * float(amount),
            "utilisation": busy_cost(problem.busy_curve, float(self.busy[i, j])),
            "priority": float(problem.late_rate[i]) * late_s,
        }
        terms["preference"] += float(options.own_order[i]) * wait_s
        terms = {name: terms[name] for name in TERMS}
        margin_s = wait_margin_s(
            problem.bay_free_s,
            problem.pool_start,
            pool,
            self.world.now_s,
            arrive_s,
            float(problem.stay_s[i, j]),
            float(self.surroundings.inflow_per_h[pool]),
        )
        return Offer(
            station_id=layout.station_ids[station],
            current=Current.DC if layout.pool_is_dc[pool] else Current.AC,
            drive_min=float(options.drive_min[i, j]),
            drive_km=float(options.drive_km[i, j]),
            wait_min=wait_s / 60,
            wait_p90_min=(wait_s + margin_s) / 60,
            charge_min=charge_min,
            energy_kwh=energy_kwh,
            arrival_soc=float(options.arrival_soc[i, j]),
            amount=amount,
            score=sum(terms.values()),
            terms=terms,
            kg_co2=energy_kwh * float(self.co2[begin.astimezone(self.zone).hour]),
        )
