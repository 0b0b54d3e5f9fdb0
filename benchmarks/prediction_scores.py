"""Forecasts of folds against what came, zone by zone, beside dev7."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.prediction_run import Span
from chargeloop.model.city import Floats, Ints
from chargeloop.prediction import HORIZONS_H, Scores, live_zones, skill


class JudgedFold(NamedTuple):
    """`scores`, `naive`: by horizon. `inside`: horizons x hours x zones."""

    scores: list[Scores]
    naive: list[Scores]
    live: NDArray[np.bool_]
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """`rows`: horizons x hours, of the record; `naive`: 3 x horizons x hours x zones, dev7's."""

    span: Span
    energy_kwh: Floats
    rows: Ints
    naive: Floats

    @classmethod
    def of(cls, span: Span, energy_kwh: Floats, naive: Floats) -> "Fold":
        return cls(span, energy_kwh, np.tile(np.arange(*span.rows), (len(HORIZONS_H), 1)), naive)

    def by_day(self) -> "Fold":
        """The hour of each horizon after each midnight."""
        midnights = np.arange(*self.span.rows, 24)
        day = Fold(self.span, self.energy_kwh, midnights + np.array(HORIZONS_H)[:, None] - 1, self.naive)
        return Fold(self.span, self.energy_kwh, day.rows, day.hours_of(self.naive))

    def hours_of(self, quantiles: Floats) -> Floats:
        """Those of `rows` in quantiles of all hours of the span."""
        return np.stack([quantiles[:, k, rows - self.span.rows[0]] for k, rows in enumerate(self.rows)], axis=1)

    @property
    def live(self) -> NDArray[np.bool_]:
        return live_zones(self.energy_kwh, *self.span.rows)

    def judged(self, quantiles: Floats) -> JudgedFold:
        actual = self.energy_kwh[self.rows]
        ours, naive = ([Scores.of(actual[k], *each[:, k]) for k in range(len(HORIZONS_H))] for each in (quantiles, self.naive))
        return JudgedFold(ours, naive, self.live, (quantiles[0] <= actual) & (actual <= quantiles[2]))


class Judged(NamedTuple):
    """All folds. Means are over zones, then over folds."""

    folds: Sequence[JudgedFold]

    def skill(self, k: int, *, live: bool = True) -> float:
        return float(np.mean([self.fold_skill(n, k, live=live) for n in range(len(self.folds))]))

    def fold_skill(self, n: int, k: int, *, live: bool = True) -> float:
        fold = self.folds[n]
        those = fold.live if live else np.ones_like(fold.live)
        return skill(fold.scores[k].mae[those], fold.naive[k].mae[those])

    @property
    def skill_mean(self) -> float:
        return float(np.mean([self.skill(k) for k in range(len(HORIZONS_H))]))

    def median_rae(self, k: int) -> float:
        return self.median("rae", k)

    def median(self, name: str, k: int) -> float:
        return float(np.mean([np.nanmedian(getattr(fold.scores[k], name)) for fold in self.folds]))

    @property
    def pinball(self) -> float:
        """Zones without any demand in a fold have no mean to go by, and are left out."""
        found = np.array([[each.pinball for each in fold.scores] for fold in self.folds])
        return float(found[np.isfinite(found)].mean())

    def coverage(self, k: int, *, live: bool = True) -> float:
        return float(np.mean([fold.scores[k].coverage[fold.live | (not live)].mean() for fold in self.folds]))

    def worst_coverage(self) -> tuple[float, str]:
        """Of zones over all the folds in which they are live, at one horizon; and which that is."""
        hours = np.array([fold.live * fold.inside.shape[1] for fold in self.folds]).sum(axis=0)
        inside = np.array([fold.inside.sum(axis=1) * fold.live for fold in self.folds]).sum(axis=0)
        found = np.where(hours > 0, inside / np.maximum(hours, 1), 1.0)
        k, zone = np.unravel_index(found.argmin(), found.shape)
        return float(found[k, zone]), f"column {zone}, {HORIZONS_H[k]} h"
