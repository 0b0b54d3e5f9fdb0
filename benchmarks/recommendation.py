"""Recommendation: assignment of snapshots, on frozen instances with bounds."""

from benchmarks.recommendation_snapshots import snapshots
from benchmarks.report import Result


def run(*, quick: bool, seed: int) -> list[Result]:
    return snapshots(quick=quick, seed=seed)
