"""Drivers who are shown several offers and take one, or none."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chargeloop.model import Current, Decision, DecisionMade, GuideDriver, Offer
from chargeloop.simulation.scenario import Picks

if TYPE_CHECKING:
    from chargeloop.loop import OfflineLoop
    from chargeloop.simulation.twin import Twin


class Pick(NamedTuple):
    """What a driver took of the offers of a decision; None: nothing."""

    decision_id: str
    offer: Offer | None


def picked(decision: Decision, picks: Picks, value_of_time_per_h: float, rng: np.random.Generator) -> Offer | None:
    """The offer that costs the driver least, counting what nobody sees of his reasons (Gumbel); None where taking none does.

    A minute counts where he has to be there: driving, waiting, and at a fast charge.
    """
    cost = [_cost_cny(offer, value_of_time_per_h) for offer in decision.offers]
    utility = -picks.per_cny * np.array([*cost, picks.outside_cny]) + rng.gumbel(size=len(cost) + 1)
    best = int(np.argmax(utility))
    return decision.offers[best] if best < len(cost) else None


def _cost_cny(offer: Offer, value_of_time_per_h: float) -> float:
    minutes = offer.drive_min + offer.wait_min
    if offer.current is Current.DC:
        minutes += offer.charge_min
    return float(offer.amount) + minutes * value_of_time_per_h / 60


def offer_all(twin: "Twin", loop: "OfflineLoop", steps: int) -> list[tuple[Decision, Offer | None]]:
    """Run the loop on the twin, each driver picking for himself among his offers; what was offered, and what was taken.

    The loop is told what was taken as the service is told of a reservation.
    """
    seen: list[tuple[Decision, Offer | None]] = []
    for _ in range(steps):
        commands = loop.step(twin.step(), twin.now)
        decisions: Sequence[Decision] = loop.last.decisions if loop.last else ()
        for command in commands:
            if not isinstance(command, GuideDriver):
                twin.apply(command)
        for decision in decisions:
            pick = twin.pick(decision) if decision.offers else None
            if pick is not None:
                seen.append((decision, pick.offer))
                taken = replace(decision, chosen=pick.offer)
                loop.perception.apply(DecisionMade(at=twin.now, decision=taken))
    return seen
