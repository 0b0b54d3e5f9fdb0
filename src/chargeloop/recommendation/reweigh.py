"""Other weights, named one by one: `wait_risk=1`, `amount=x2` for all tiers, `taxi.wait=x1.5` for one."""

import math
from collections.abc import Mapping
from dataclasses import fields, replace

from chargeloop.model import BadInput, Tier
from chargeloop.recommendation.strategies import TierWeights
from chargeloop.recommendation.weights import Weights

VALUE_OF_TIME = "value_of_time"  # what a minute counts, in whatever it is spent and whoever named its worth
MINUTES = ("drive", "wait", "charge_dc", "charge_ac", "late")
OF_ALL = tuple(field.name for field in fields(Weights) if field.name != "tiers")
OF_TIER = tuple(field.name for field in fields(TierWeights))


def reweighed(weights: Weights, changes: Mapping[str, object]) -> Weights:
    """The weights with those that `changes` names: a number, or `xN` for N times what it was.

    A name is a field of `Weights`, one of `TierWeights` (of every tier), `TIER.field`, or `value_of_time`.

    Raises:
        BadInput: no such weight, or no number.
    """
    for name, value in changes.items():
        tier, _, field = name.rpartition(".")
        if tier and tier not in set(Tier):
            raise BadInput(f"weight {name}", f"there is no tier {tier!r}; there are {', '.join(Tier)}")
        if name in OF_ALL:
            weights = replace(weights, **{name: _moved(getattr(weights, name), value, name)})  # type: ignore[arg-type]
        elif field in (*OF_TIER, VALUE_OF_TIME):
            those = [Tier(tier)] if tier else list(weights.tiers)
            tiers = {each: _tier(weights.tiers[each], field, value, name) for each in those}
            weights = replace(weights, tiers={**weights.tiers, **tiers})
        else:
            known = ", ".join((VALUE_OF_TIME, *OF_ALL, *OF_TIER))
            raise BadInput(f"weight {name}", f"there is no such weight; there are {known}")
    return weights


def weights_in(text: str) -> dict[str, object]:
    """`name=value,name=value`, as on a command line.

    Raises:
        BadInput: an entry without a value.
    """
    pairs = [entry.partition("=") for entry in text.split(",") if entry.strip()]
    for name, equals, _ in pairs:
        if not equals:
            raise BadInput("--weights", f"want name=value, got {name.strip()!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _tier(tier: TierWeights, field: str, value: object, name: str) -> TierWeights:
    if field == VALUE_OF_TIME:
        times = _moved(1.0, value, name)
        return replace(tier, **{each: getattr(tier, each) * times for each in MINUTES})
    moved = _moved(getattr(tier, field), value, name)
    return replace(tier, **{field: round(moved) if field == "turn" else moved})  # type: ignore[arg-type]


def _moved(before: float | None, value: object, name: str) -> float:
    text = str(value).strip()
    times = text.startswith("x")
    try:
        number = float(text.removeprefix("x"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool) or (times and before is None):
        raise BadInput(f"weight {name}", f"want a number, or xN for N times what it was, got {text!r}")
    return (before or 0.0) * number if times else number
