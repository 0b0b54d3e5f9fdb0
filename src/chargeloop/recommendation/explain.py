"""Why this station: one or two plain sentences made from the terms of the offers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import Offer

WORTH_SAYING_MIN = 1.0  # smaller differences are no reason
WORTH_SAYING_CNY = 0.5
TOLD = 2  # alternatives
SAID = {
    "utilisation": "would leave the bays elsewhere less evenly used",
    "regional_load": "draws on a part of the grid that is loaded more",
    "energy_price": "draws its energy at dearer hours",
    "priority": "would be done too late",
    "demand_intensity": "has more drivers expected there",
    "uncertainty": "may make you wait much longer",
    "preference": "comes later in the order you asked for",
    "v2g": "earns you less for giving energy back",
}


def reason(chosen: Offer, offers: Sequence[Offer], names: Mapping[str, str]) -> str:
    """The chosen offer's minutes and amount, then two others and why they lost: those that have something over it first.

    "18 min = 7 drive + 3 wait + 8 charge; CNY 21.40; North Gate is 4 min nearer but expects a 15-minute wait"
    """
    drive, wait, charge = (round(minutes) for minutes in (chosen.drive_min, chosen.wait_min, chosen.charge_min))
    parts = [f"{drive + wait + charge} min = {drive} drive + {wait} wait + {charge} charge", f"CNY {chosen.amount:.2f}"]
    others = [offer for offer in offers if offer is not chosen]
    nearer = next((o for o in others if _is_nearer(o, chosen)), None)
    cheaper = next((o for o in others if o is not nearer and _is_cheaper(o, chosen)), None)
    best = [o for o in others if o is not nearer and o is not cheaper]
    told = [o for o in (nearer, cheaper, *best) if o is not None][:TOLD]
    return "; ".join([*parts, *(f"{names[o.station_id]} {why_not(o, chosen)}" for o in told)])


def with_reasons(offers: Sequence[Offer], chosen: Offer) -> list[Offer]:
    """The offers in the same order, each loser with why it lost."""
    return [
        offer if offer is chosen else replace(offer, why_not=why_not(offer, chosen), against=heaviest(offer, chosen))
        for offer in offers
    ]


def why_not(other: Offer, chosen: Offer) -> str:
    """ "is 4 min nearer but expects a 15-minute wait" """
    but = _but(other, chosen)
    if _is_nearer(other, chosen):
        return f"is {round(chosen.drive_min - other.drive_min)} min nearer but {but}"
    if _is_cheaper(other, chosen):
        return f"is CNY {chosen.amount - other.amount:.2f} cheaper but {but}"
    return but


def heaviest(other: Offer, chosen: Offer) -> str:
    """The term that speaks most against `other`."""
    return max(chosen.terms, key=lambda name: other.terms[name] - chosen.terms[name], default="")


def _is_nearer(other: Offer, chosen: Offer) -> bool:
    return other.drive_min <= chosen.drive_min - WORTH_SAYING_MIN


def _is_cheaper(other: Offer, chosen: Offer) -> bool:
    return float(chosen.amount - other.amount) >= WORTH_SAYING_CNY


def _but(other: Offer, chosen: Offer) -> str:
    """The heaviest thing that speaks against `other`, in words; the terms say which it is."""
    worst = heaviest(other, chosen)
    match worst:
        case "wait":
            return f"expects a {_whole(other.wait_min)}-minute wait"
        case "drive" | "distance":
            return f"is {_whole(other.drive_min - chosen.drive_min)} min farther"
        case "detour":
            return "is more out of your way"
        case "charge":
            return f"charges {_whole(other.charge_min - chosen.charge_min)} min longer"
        case "amount":
            return f"costs CNY {other.amount - chosen.amount:.2f} more"
    return SAID.get(worst, "is a little worse in all")


def _whole(minutes: float) -> int:
    return max(round(minutes), 1)


def no_station(why_not: Mapping[str, NDArray[np.bool_]], request: int) -> str:
    """Why nothing can serve a request: the constraints, with how many stations each puts out."""
    counts = {why: int(out[request].sum()) for why, out in why_not.items()}
    asked = sum(counts.values())
    if not asked:
        return "no station can serve this request: there is none nearby with the current you need"
    listed = ", ".join(f"{count} {why}" for why, count in counts.items() if count)
    return f"no station can serve this request: of {asked} nearby, {listed}"
