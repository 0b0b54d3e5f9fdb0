"""The boosted half of the blend: trees of least absolute deviations (LightGBM), one model of all zones for each span of leads.

What is learned is the difference from the strong naive in units of the zone's scale, so that all zones count alike.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.past import BOOSTED, Past

if TYPE_CHECKING:
    import lightgbm

SPANS = ((1, 1), (2, 3), (4, 6), (7, 12), (13, 24))  # leads that share a model
MOST = 400_000  # samples for one model
NEAR = {"learning_rate": 0.05, "feature_fraction": 0.8, "min_data_in_leaf": 50, "num_leaves": 63}
# further ahead the days are few and alike: splits drawn at random average better than splits that are searched
FAR = {"learning_rate": 0.03, "feature_fraction": 0.5, "min_data_in_leaf": 300, "num_leaves": 31, "extra_trees": True}
# one thread: more of them wait for each other by spinning, which costs most where a machine is busy
ALWAYS = {
    **{"objective": "l1", "bagging_fraction": 0.7, "bagging_freq": 1, "max_bin": 127},
    **{"verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True, "force_row_wise": True},
}
TREES = 400


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """One booster for each of `SPANS`."""

    boosters: tuple["lightgbm.Booster", ...]

    @classmethod
    def fit(cls, past: Past, target: Floats, rng: np.random.Generator) -> "Boosted":
        """`target`: hours x zones in units of scale, NaN where it is not to be learned from."""
        import lightgbm  # noqa: PLC0415 (six seconds of CPU)

        boosters = []
        for first, last in SPANS:
            inputs, change = _samples(past, target, first, last, rng)
            data = lightgbm.Dataset(inputs, change, feature_name=list(BOOSTED), params={"verbose": -1})
            boosters.append(lightgbm.train({**ALWAYS, **(NEAR if last <= 3 else FAR)}, data, TREES))
        return cls(tuple(boosters))

    def of_leads(self, past: Past, asked: list[tuple[Ints, int]]) -> list[Floats]:
        """Rows x zones of each, in units of scale; NaN where the strong naive is. Leads rise, and share the cost of a call."""
        out: list[Floats] = []
        for (first, last), booster in zip(SPANS, self.boosters, strict=True):
            mine = [(rows, lead) for rows, lead in asked if first <= lead <= last]
            if not mine:
                continue
            inputs = np.concatenate([past.inputs(BOOSTED, rows, lead) for rows, lead in mine])
            change = np.asarray(booster.predict(inputs.reshape(-1, len(BOOSTED)), num_threads=1)).reshape(inputs.shape[:2])
            ends = np.cumsum([len(rows) for rows, _ in mine])
            for (rows, lead), each in zip(mine, np.split(change, ends[:-1]), strict=True):
                out.append(np.maximum(past.strong_naive(rows, lead) + each, 0))
        return out


def _samples(past: Past, target: Floats, first: int, last: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], Floats]:
    """Samples x inputs and samples: of each lead an equal share, drawn where there are more than `MOST`."""
    leads = range(first, last + 1)
    rows = np.arange(len(target))
    share = min(1.0, MOST / max(len(leads) * int(np.isfinite(target).sum()), 1))
    inputs, change = [], []
    for lead in leads:
        some = rows[rng.random(len(rows)) < share] if share < 1 else rows
        found = target[some] - past.strong_naive(some, lead)
        known = np.isfinite(found)
        inputs.append(past.inputs(BOOSTED, some, lead)[known])
        change.append(found[known])
    return np.concatenate(inputs), np.concatenate(change)
