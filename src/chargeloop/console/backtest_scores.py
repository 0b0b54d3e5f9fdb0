"""Backtests of several forecasters side by side, in figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats
from chargeloop.prediction import Backtest, Scores, skill


@dataclass(frozen=True, eq=False)
class Judged:
    """`found`: by name of the forecaster, all of the same rows; `live`: zones."""

    zone_ids: tuple[str, ...]
    leads: Sequence[int]
    found: Mapping[str, Backtest]
    live: NDArray[np.bool_]
    reference: str

    @property
    def span(self) -> tuple[int, int]:
        one = self.found[self.reference]
        return one.first, one.first + len(one.actual)

    @cached_property
    def scores(self) -> dict[tuple[str, int], Scores]:
        return {(name, h): each.scores(h) for name, each in self.found.items() for h in self.leads}

    def summary(self, name: str, lead: int) -> dict[str, float | None]:
        """Over zones, None where there is nothing to tell: skill as mean, of live zones and of all; errors as medians."""
        ours, theirs = self.scores[name, lead], self.scores[self.reference, lead]
        return {
            "mae_skill": _rounded(_skill(ours.mae[self.live], theirs.mae[self.live])),
            "mae_skill_all": _rounded(_skill(ours.mae, theirs.mae)),
            "median_rae": _rounded(_over(np.median, ours.rae)),
            "median_mae_kwh": _rounded(_over(np.median, ours.mae)),
            "median_rmse_kwh": _rounded(_over(np.median, ours.rmse)),
            "pinball": _rounded(_over(np.mean, ours.pinball)),
            "coverage_80": _rounded(_over(np.mean, ours.coverage)),
        }

    def metrics(self, name: str) -> dict[str, float | None]:
        """Of one forecaster, a figure each."""
        of = {h: self.summary(name, h) for h in self.leads}
        figures = {f"{key}_h{h}": of[h][key] for key in ("mae_skill", "median_rae", "coverage_80") for h in self.leads}
        coverage = np.array([self.scores[name, h].coverage[self.live] for h in self.leads])
        pinball = np.array([self.scores[name, h].pinball for h in self.leads])
        skills = np.array([of[h]["mae_skill"] for h in self.leads], dtype=np.float64)  # None becomes NaN
        return figures | {
            "mae_skill_mean": _rounded(_over(np.mean, skills)),
            "pinball": _rounded(_over(np.mean, pinball)),
            "coverage_80_worst_zone": _rounded(_over(np.min, coverage)),
        }

    def by_zone(self) -> list[dict[str, object]]:
        """A record for each zone: MAE, RMSE, RAE, pinball and coverage of each forecaster and lead."""
        names = ("mae", "rmse", "rae", "pinball", "coverage")
        return [
            {
                "zone": zone,
                "live": bool(self.live[z]),
                "models": {
                    model: {
                        str(h): {name: _rounded(float(getattr(self.scores[model, h], name)[z])) for name in names}
                        for h in self.leads
                    }
                    for model in self.found
                },
            }
            for z, zone in enumerate(self.zone_ids)
        ]


def _skill(ours: Floats, theirs: Floats) -> float:
    return skill(ours, theirs) if (np.isfinite(ours) & (theirs > 0)).any() else float("nan")


def _over(how: object, values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(how(known)) if len(known) else float("nan")  # type: ignore[operator]


def _rounded(value: float) -> float | None:
    return float(f"{value:.5g}") if isfinite(value) else None
