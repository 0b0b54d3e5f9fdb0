"""The linear half of the blend: least absolute deviations on deviations from the mean of seven days, by lead and local hour.

By iteratively reweighted least squares (Schlossmacher 1973): weights 1 / max(|residual|, `SOFT`).
"""

from dataclasses import dataclass

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel
from chargeloop.prediction.past import LEADS, LINEAR, Past

ROUNDS = 12
SOFT = 0.05  # of a zone's scale
RIDGE = 1e-3  # mean weight of a sample
MOST = 6000  # samples for one lead and hour of the day


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """`weight`: leads x 24 hours x (inputs + 1); the last is the constant."""

    weight: Floats

    @classmethod
    def fit(cls, past: Past, target: Floats, rng: np.random.Generator) -> "Linear":
        """`target`: hours x zones in units of scale, NaN where it is not to be learned from. One model for all zones."""
        weight = np.zeros((LEADS, 24, len(LINEAR) + 1))
        rows = np.arange(len(target))
        for lead in range(1, LEADS + 1):
            for hour in range(24):
                at = rows[past.of_day[: len(target)] == hour]
                naive = past.strong_naive(at, lead)
                row, zone = np.nonzero(np.isfinite(target[at] - naive))
                if len(row) > MOST:
                    some = rng.choice(len(row), MOST, replace=False)
                    row, zone = row[some], zone[some]
                if len(row) > 2 * weight.shape[2]:
                    weight[lead - 1, hour] = absolute(_inputs(past, at, lead)[row, zone], (target[at] - naive)[row, zone])
        return cls(weight)

    def forecast(self, past: Past, rows: Ints, lead: int) -> Floats:
        """Rows x zones, in units of scale; NaN where the strong naive is."""
        change = np.einsum("rzk,rk->rz", _inputs(past, rows, lead), self.weight[lead - 1, past.of_day[rows]])
        return np.asarray(np.maximum(past.strong_naive(rows, lead) + change, 0))


def absolute(inputs: Floats, target: Floats) -> Floats:
    """Coefficients of the least sum of absolute deviations. `inputs`: samples x inputs; `target`: samples."""
    ridge = RIDGE * len(target) * np.eye(inputs.shape[1])
    weight = np.ones(len(target))
    for _ in range(ROUNDS):
        squares, products = _weighed(inputs, target, weight)
        found = np.linalg.solve(squares + ridge, products)
        weight = 1 / np.maximum(np.abs(target - np.einsum("nk,k->n", inputs, found)), SOFT)
    return np.asarray(found)


@kernel
def _weighed(inputs: Floats, target: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """X'WX and X'Wy. Not by BLAS, whose threads take ten times the CPU for matrices so slim where a machine is busy."""
    count, width = inputs.shape
    squares, products = np.zeros((width, width)), np.zeros(width)
    for n in range(count):
        for i in range(width):
            weighed = weight[n] * inputs[n, i]
            products[i] += weighed * target[n]
            for j in range(width):
                squares[i, j] += weighed * inputs[n, j]
    return squares, products


def _inputs(past: Past, rows: Ints, lead: int) -> Floats:
    """With a constant; an input that is missing counts nothing."""
    known = np.nan_to_num(past.inputs(LINEAR, rows, lead).astype(np.float64))
    return np.concatenate([known, np.ones((*known.shape[:2], 1))], axis=2)
