"""Gradient-boosted trees for three quantiles, with bands that hold what they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from chargeloop.model.city import Floats
from chargeloop.prediction.forecast import QUANTILES
from chargeloop.prediction.stats import weighted_quantiles

if TYPE_CHECKING:
    import lightgbm

Settings: TypeAlias = Mapping[str, float]
SIDES = (QUANTILES[0], QUANTILES[-1])
HELD_BACK = 0.2  # share of the rows, the newest, on which the width of the band is found
FIXED = {"bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": 0.7, "num_threads": 1, "deterministic": True}


@dataclass(frozen=True, slots=True, eq=False)
class QuantileTrees:
    """One booster a quantile (pinball loss, LightGBM) and `shift`, 3, which is added to them.

    The boosters' own bands are narrow. With the shift, of the newest rows, left out of a first fit, a tenth fell below the
    lowest quantile and a tenth above the highest: conformalised quantile regression (Romano et al. 2019), each side by itself.
    """

    boosters: tuple["lightgbm.Booster", ...]
    shift: Floats

    @classmethod
    def fit(cls, known: Floats, values: Floats, weight: Floats, rounds: int, settings: Settings) -> "QuantileTrees":
        """From rows in order of time: N x F (NaN: not known), N, N."""
        first = int((1 - HELD_BACK) * len(values))
        tried = _train(known[:first], values[:first], weight[:first], SIDES, rounds, settings)
        beyond = values[first:] - _predict(tried, known[first:])
        low, high = (weighted_quantiles(side, weight[first:], share) for side, share in zip(beyond, SIDES, strict=True))
        return cls(_train(known, values, weight, QUANTILES, rounds, settings), np.array([low, 0.0, high]))

    def predict(self, known: Floats) -> Floats:
        """3 x N, rising."""
        return np.sort(_predict(self.boosters, known) + self.shift[:, None], axis=0)


def _train(
    known: Floats, values: Floats, weight: Floats, quantiles: tuple[float, ...], rounds: int, settings: Settings
) -> tuple["lightgbm.Booster", ...]:
    import lightgbm  # noqa: PLC0415 (seconds of CPU)

    def train(quantile: float) -> "lightgbm.Booster":
        data = lightgbm.Dataset(known, values, weight=weight)
        how = {**FIXED, **settings, "objective": "quantile", "alpha": quantile, "seed": 1, "verbose": -1}
        return lightgbm.train(how, data, rounds)

    return tuple(train(quantile) for quantile in quantiles)


def _predict(boosters: tuple["lightgbm.Booster", ...], known: Floats) -> Floats:
    return np.array([np.asarray(booster.predict(known)) for booster in boosters])
