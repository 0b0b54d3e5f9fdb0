"""Recommendation: assignment of snapshots, on frozen instances with bounds; and policies on the city twin."""

from benchmarks.recommendation_learned import afternoons
from benchmarks.recommendation_snapshots import snapshots
from benchmarks.recommendation_twin import twin_days
from benchmarks.report import Result


def run(*, quick: bool, seed: int) -> list[Result]:
    return [
        *snapshots(quick=quick, seed=seed),
        *afternoons(quick=quick, seed=seed),
        *twin_days(quick=quick, seed=seed),
    ]
