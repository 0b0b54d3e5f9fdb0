"""`recommend`: which station for each open request, with the offers it was chosen from and the reason."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import Certificate, ChargeRequest, Decision, Offer, Sort, VehicleModel, World
from chargeloop.model.city import Floats, Ints
from chargeloop.pricing import RateTable
from chargeloop.recommendation.build import Surroundings, build
from chargeloop.recommendation.candidates import Candidates
from chargeloop.recommendation.explain import no_station, reason, with_reasons
from chargeloop.recommendation.offers import write_offers
from chargeloop.recommendation.prices import DayAhead
from chargeloop.recommendation.problem import Problem, alternatives, scores
from chargeloop.recommendation.solvers import Assignment, assign_places, floor_cost, solve, solver_named
from chargeloop.recommendation.weights import DEFAULT, Weights

SHOWN = 5  # offers that come with a decision
SHOWN_IN_BATCH = 3  # in a city-wide run nobody scrolls through them: the chosen one and two that lost
BATCH = 20  # requests


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
    ahead: DayAhead | None = None,
    sorts: Sequence[Sort | None] | None = None,
    budget_s: float = 1.0,
    certify: bool = False,
) -> tuple[Decision, ...]:
    """One decision for each request, in the same order. Every request gets one: `chosen` is None where nothing can serve it.

    `inflow_per_h`: P, forecast arrivals; `load_share`: N, load over limit of the circuit above each station;
    `solver`: one of `SOLVERS`, or `module:function`.
    `ahead`: shadow prices of bays, for as long as they cover now.
    `certify`: say with each decision how far the plan is from the best at most, also where the solver itself does not know.
    `energy_price`, `kg_co2_per_kwh`: 24 local hours of `time_zone`; `sorts`: each driver's own order, None for none.

    Raises:
        BadInput: unknown solver or vehicle model, a plan of the solver that is none, or arrays of the wrong shape.
    """
    solver_named(solver)
    if not requests:
        return ()
    surroundings = Surroundings(inflow_per_h, load_share, energy_price, time_zone, ahead)
    options = build(world, requests, candidates, rates, models, surroundings, weights, sorts or [None] * len(requests))
    found = solve(solver, options.problem, rng, budget_s)
    certificate, choice = certified(options.problem, found) if certify else None, found.choice
    wait_s, busy = alternatives(options.problem, choice)
    shown = shown_options(scores(options.problem, wait_s, busy), choice, options.facts.drive_min)
    request, option = np.nonzero(shown)
    co2 = np.zeros(24) if kg_co2_per_kwh is None else kg_co2_per_kwh
    offers = write_offers(world, rates, options, choice, wait_s, busy, inflow_per_h, co2, request, option)
    names = dict(zip(world.layout.station_ids, world.layout.station_names, strict=True))
    first = np.searchsorted(request, np.arange(len(requests) + 1)).tolist()
    decisions = []
    for i, each in enumerate(requests):
        mine = offers[first[i] : first[i + 1]]
        chosen = mine[int(shown[i, : choice[i]].sum())] if choice[i] >= 0 else None
        mine = _each_place_once(chosen, mine)
        why = reason(chosen, mine, names) if chosen else no_station(options.why_not, i)
        name, shown_to = f"D-{each.request_id}", tuple(with_reasons(mine, chosen) if chosen else mine)
        decisions.append(Decision(name, each.request_id, world.at, solver, chosen, shown_to, why, each, certificate))
    return tuple(decisions)


def _each_place_once(chosen: Offer | None, offers: Sequence[Offer]) -> list[Offer]:
    """By score; of a bay that is held and one for everybody at the same station the better, or the chosen one."""
    ranked = sorted(offers, key=lambda offer: offer.score)
    first = {(offer.station_id, offer.current): offer for offer in reversed(ranked)}
    if chosen is not None:
        first[chosen.station_id, chosen.current] = chosen
    return [offer for offer in ranked if offer is first[offer.station_id, offer.current]]


def certified(problem: Problem, found: Assignment) -> Certificate:
    """The plan's F against the bound that its solver proved, or that the prices of the optimal flow prove."""
    bound = found.bound
    if bound is None:
        flow = assign_places(problem)
        bound = floor_cost(problem, flow.spots, flow.price)
    return Certificate(len(found.choice), found.objective, bound)


def shown_options(score: Floats, choice: Ints, drive_min: Floats) -> NDArray[np.bool_]:
    """R x K: the best options of each request that its decision shows, the chosen one and the nearest among them."""
    shown = SHOWN if len(choice) < BATCH else SHOWN_IN_BATCH
    ranked = score.copy()
    going = np.flatnonzero(choice >= 0)
    ranked[going, choice[going]] = -np.inf
    place = np.argsort(np.argsort(ranked, axis=1, kind="stable"), axis=1)
    possible = np.isfinite(score)
    nearest = np.argmin(np.where(possible, drive_min, np.inf), axis=1)
    place[np.arange(len(score)), nearest] = 0  # what everybody would have done: the choice is measured against it
    return np.asarray((place < shown) & possible)
