"""What drivers mind, learned from what they were offered and what they took: a conditional logit (McFadden 1974)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import BadInput, Current, Decision, Offer, Tier
from chargeloop.model.city import Floats, Ints

MOST_STEPS = 100
NEAR_ENOUGH = 1e-9  # of the log-likelihood, by one Newton step
RIDGE = 1e-9  # keeps a direction that the choices don't tell from blowing up
NODES = 9  # of the quadrature over drivers
FIRST_SPREAD = 0.3
APART = 1e-3  # of the logarithms, for second derivatives


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceTable:
    """C choices between up to A alternatives with F features each. `there`: C x A; `taken`: C, column of the alternative.

    Raises:
        BadInput: shapes don't fit, or an alternative was taken that was not there.
    """

    names: tuple[str, ...]
    features: Floats
    there: NDArray[np.bool_]
    taken: Ints

    def __post_init__(self) -> None:
        choices, alternatives = self.there.shape
        if self.features.shape != (choices, alternatives, len(self.names)) or self.taken.shape != (choices,):
            raise BadInput("choices", f"want {choices} x {alternatives} x {len(self.names)} features and {choices} taken")
        if choices and not self.there[np.arange(choices), self.taken].all():
            raise BadInput("choices", "what was taken must have been there")

    def __len__(self) -> int:
        return self.taken.size


@dataclass(frozen=True, slots=True, eq=False)
class Logit:
    """P(a) = exp(x_a b) / sum over the alternatives of the choice. `weight`: b, `covariance`: of its estimate (F x F).

    `log_likelihood`: of the choices at `weight`; `log_likelihood_0`: if drivers threw dice.
    """

    names: tuple[str, ...]
    weight: Floats
    covariance: Floats
    choices: int
    log_likelihood: float
    log_likelihood_0: float

    @classmethod
    def fit(cls, table: ChoiceTable) -> "Logit":
        """Maximum likelihood by Newton's method: the log-likelihood is concave. Features are scaled for the search only.

        Raises:
            BadInput: there are no choices.
        """
        if not len(table):
            raise BadInput("choices", "there are none to learn from")
        scale = np.maximum(np.abs(table.features[table.there]).mean(axis=0), 1e-12)
        scaled = ChoiceTable(table.names, table.features / scale, table.there, table.taken)
        weight = np.zeros(len(table.names))
        reached, gradient, information = _likelihood(scaled, weight)
        at_dice = reached
        for _ in range(MOST_STEPS):
            step, before = np.linalg.solve(information, gradient), reached
            for _ in range(MOST_STEPS):
                reached, gradient, information = _likelihood(scaled, weight + step)
                if reached >= before:
                    break
                step = step / 2
            weight = weight + step
            if reached - before < NEAR_ENOUGH * len(table):
                break
        covariance = np.linalg.inv(information) / np.outer(scale, scale)
        return cls(table.names, weight / scale, covariance, len(table), reached, at_dice)

    def of(self, name: str) -> tuple[float, float]:
        """A weight and its standard error."""
        i = self.names.index(name)
        return float(self.weight[i]), float(np.sqrt(self.covariance[i, i]))

    def ratio(self, name: str, to: str) -> tuple[float, float]:
        """Of two weights, with its standard error (delta method): of minutes to CNY, what a minute is worth."""
        i, j = self.names.index(name), self.names.index(to)
        value = float(self.weight[i] / self.weight[j])
        slope = np.zeros(len(self.names))
        slope[i], slope[j] = 1 / self.weight[j], -value / self.weight[j]
        return value, float(np.sqrt(slope @ self.covariance @ slope))

    def probability(self, features: Floats, there: NDArray[np.bool_]) -> Floats:
        """C x A: of each alternative to be taken; 0 for one that is not there."""
        return _shares(features @ self.weight, there)


def _likelihood(table: ChoiceTable, weight: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, its gradient, and the negative of its second derivative."""
    share = _shares(table.features @ weight, table.there)
    rows = np.arange(len(table))
    taken_share = np.maximum(share[rows, table.taken], 1e-300)
    features = np.where(table.there[:, :, None], table.features, 0.0)
    mean = np.einsum("ca,caf->cf", share, features)
    gradient = (features[rows, table.taken] - mean).sum(axis=0)
    apart = features - mean[:, None, :]
    information = np.einsum("ca,caf,cag->fg", share, apart, apart, optimize=True)
    return float(np.log(taken_share).sum()), gradient, information + RIDGE * len(table) * np.eye(weight.size)


def _shares(utility: Floats, there: NDArray[np.bool_]) -> Floats:
    utility = np.where(there, utility, -np.inf)
    above = np.exp(utility - utility.max(axis=1, keepdims=True))
    return np.asarray(above / above.sum(axis=1, keepdims=True))


def minded_min(offer: Offer) -> float:
    """Minutes that a driver spends on an offer: at a slow charge he is elsewhere meanwhile."""
    return offer.total_min if offer.current is Current.DC else offer.drive_min + offer.wait_min


NAMES = ("amount_cny", "minutes", "declined")


def choices_of(
    decisions: Iterable[Decision],
    taken: Mapping[str, str | None],
    those: Callable[[Decision], bool] = lambda _decision: True,
) -> ChoiceTable:
    """Stored decisions and what drivers did with them, as a table of `NAMES`; the last alternative is to take none.

    `taken`: by decision_id, the station that the driver went for, None where he declined; a decision that it doesn't name had
    no answer and is left out, and so is one with no offers. `those`: which decisions to look at (`of_tier`).
    """
    seen = [each for each in decisions if each.decision_id in taken and each.offers and those(each)]
    rows = [[(float(offer.amount), minded_min(offer), 0.0) for offer in each.offers] for each in seen]
    most = max(map(len, rows), default=0)
    features = np.zeros((len(seen), most + 1, len(NAMES)))
    there = np.zeros((len(seen), most + 1), dtype=np.bool_)
    column = np.full(len(seen), most)
    for i, (each, row) in enumerate(zip(seen, rows, strict=True)):
        features[i, : len(row)] = row
        there[i, : len(row)] = True
        went_for = taken[each.decision_id]
        if went_for is not None:
            column[i] = _place(each.offers, went_for, each.decision_id)
    features[:, most, NAMES.index("declined")] = 1.0
    there[:, most] = True
    return ChoiceTable(NAMES, features, there, column)


def of_tier(tier: Tier) -> Callable[[Decision], bool]:
    """Decisions for vehicles of that tier."""
    return lambda decision: decision.request is not None and decision.request.tier is tier


def _place(offers: Sequence[Offer], station_id: str, decision_id: str) -> int:
    for place, offer in enumerate(offers):
        if offer.station_id == station_id:
            return place
    raise BadInput("taken", f"{station_id!r} is not among the offers of decision {decision_id}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Taste:
    """What drivers mind, who differ in what their time is worth: a mixed logit with costs in CNY (Train and Weeks 2005).

    `per_cny`: utility lost by a CNY. `value_of_time_per_h`: CNY, the median driver's. `spread`: sigma of its logarithm over
    drivers, lognormal. `outside_cny`: as dear as this is it to take no offer at all.
    """

    per_cny: Estimate
    value_of_time_per_h: Estimate
    outside_cny: Estimate
    spread: Estimate

    @classmethod
    def fit(cls, table: ChoiceTable) -> "Taste":
        """Maximum likelihood from choices with `NAMES`, starting from a plain logit; the drivers integrated by quadrature.

        Raises:
            BadInput: money or time don't count in these choices, so nothing can be told in CNY.
        """
        from scipy.optimize import minimize  # noqa: PLC0415 (half a second of CPU)

        plain = Logit.fit(table)
        if not (plain.weight < 0).all():
            raise BadInput("choices", "drivers don't mind amount, minutes or going away here: more choices are needed")
        per_cny, per_minute, per_outside = -plain.weight
        start = np.log([per_cny, 60 * per_minute / per_cny, per_outside / per_cny, FIRST_SPREAD])

        def loss(logs: Floats) -> float:
            return -_mixed_likelihood(table, np.exp(logs)) / len(table)

        found = minimize(loss, start, method="L-BFGS-B", bounds=[(x - 3, x + 3) for x in start]).x
        error = np.sqrt(np.maximum(np.diag(np.linalg.pinv(len(table) * _curvature(loss, found))), 0))
        estimates = (Estimate(float(value), float(value * e)) for value, e in zip(np.exp(found), error, strict=True))
        return cls(*estimates)


def _mixed_likelihood(table: ChoiceTable, taste: Floats) -> float:
    per_cny, value_of_time, outside, spread = taste
    amount, minutes, declined = np.moveaxis(table.features, 2, 0)
    rows, likelihood = np.arange(len(table)), np.zeros(len(table))
    for node, share in zip(*_NORMAL, strict=True):
        cost = amount + minutes / 60 * value_of_time * np.exp(spread * node) + outside * declined
        likelihood += share * _shares(-per_cny * cost, table.there)[rows, table.taken]
    return float(np.log(np.maximum(likelihood, 1e-300)).sum())


def _curvature(loss: Callable[[Floats], float], at: Floats) -> Floats:
    """Second derivatives by central differences."""
    step = APART * np.eye(at.size)
    out = np.empty((at.size, at.size))
    for i, a in enumerate(step):
        for j, b in enumerate(step):
            out[i, j] = (loss(at + a + b) - loss(at + a - b) - loss(at - a + b) + loss(at - a - b)) / (4 * APART**2)
    return out


_nodes, _weights = np.polynomial.hermite_e.hermegauss(NODES)
_NORMAL = (_nodes, _weights / _weights.sum())  # a standard normal as so many points and their shares
