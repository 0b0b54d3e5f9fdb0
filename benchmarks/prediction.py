"""Prediction: demand of the 45 measured zones of Shenzhen, hour by hour and zone by zone; and what else is learned.

Folds November, December and January, each forecast at five horizons by models that grow with the record and are fitted again
every week. Headline figures are of live zones: those whose value moves in at least half of the fold's hours.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from benchmarks import prediction_sessions, prediction_worth
from benchmarks.prediction_kept import ROOT, made, make, statsforecast
from benchmarks.prediction_run import FOLDS, SHARED, TERMS, Span, shenzhen
from benchmarks.prediction_scores import Fold, Judged
from benchmarks.prediction_size import ZONES
from benchmarks.prediction_synthetic import synthetic
from benchmarks.report import Bounds, Result
from chargeloop.model.city import Floats
from chargeloop.prediction import HORIZONS_H

PEERS = ("last", "day", "week", "lightgbm", "regression")
NAMES = {"last": "last value", "day": "same hour yesterday", "week": "same hour last week", "lightgbm": "plain LightGBM"}
COVERED: Bounds = {"min": 0.77, "max": 0.83}


def run(*, quick: bool, seed: int) -> Iterator[Result]:
    """Quick: every ninth zone in the first days of November, and a few of the others."""
    if SHARED.is_dir():
        yield from demand([Span("november", 5, 9)] if quick else [Span(fold) for fold in FOLDS], quick=quick)
        yield from size(quick=quick)
    yield from synthetic(quick=quick, seed=seed)
    yield from prediction_sessions.run(quick=quick, seed=seed)
    if not quick:
        yield from prediction_worth.run(quick=quick, seed=0)


def demand(spans: list[Span], *, quick: bool) -> Iterator[Result]:
    others = ("dev7", "lightgbm", "PWS", *(() if quick else ("last", "day", "week", *TERMS[:-1])))
    make((span, who) for who in ("blend", *others) for span in spans)
    folds = [Fold.of(span, shenzhen(span.every)[0].energy_kwh, made(span, "dev7")) for span in spans]
    judged = {who: Judged([fold.judged(made(fold.span, who)) for fold in folds]) for who in ("blend", *others)}
    judged["regression"] = judged["PWS"]
    yield from headline(judged["blend"], judged["lightgbm"], judged["dev7"])
    yield from beside(judged["blend"], folds)
    for who in (each for each in PEERS if each in judged):
        yield from peer(who, judged[who])
    yield from peer("dev7", judged["dev7"])
    for terms in (each for each in TERMS if each in judged):
        for k, lead in enumerate(HORIZONS_H):
            yield Result(f"ablation_skill_h{lead}_{'+'.join(terms)}", judged[terms].skill(k), "against dev7, live zones")
    if not quick:
        yield from by_day(folds)


def headline(ours: Judged, plain: Judged, naive: Judged) -> Iterator[Result]:
    for k, lead in enumerate(HORIZONS_H):
        yield Result(
            f"mae_skill_h{lead}", ours.skill(k), "against dev7, live zones", NAMES["lightgbm"], plain.skill(k), aim={"min": 0.1}
        )
    yield Result(
        "mae_skill_mean",
        ours.skill_mean,
        "mean of the five horizons",
        NAMES["lightgbm"],
        plain.skill_mean,
        must={"min": 0.07},
        aim={"min": 0.16},
    )
    for k, lead in enumerate(HORIZONS_H):
        yield Result(
            f"median_rae_h{lead}", ours.median_rae(k), "median of all zones, mean of folds", "dev7", naive.median_rae(k)
        )
    yield Result(
        "pinball", ours.pinball, "over the zone's mean, all zones", NAMES["lightgbm"], plain.pinball, aim={"max": 0.062}
    )
    for k, lead in enumerate(HORIZONS_H):
        unit = f"of hours in the band, live zones ({ours.coverage(k, live=False):.3f} of all)"
        yield Result(f"coverage_80_h{lead}", ours.coverage(k), unit, NAMES["lightgbm"], plain.coverage(k), aim=COVERED)
    worst, where = ours.worst_coverage()
    unit = f"least of live zones and horizons over the folds ({where})"
    yield Result("coverage_80_worst_zone", worst, unit, NAMES["lightgbm"], plain.worst_coverage()[0], aim={"min": 0.7})


def beside(ours: Judged, folds: list[Fold]) -> Iterator[Result]:
    """What the headline leaves out: each fold, all zones with the frozen ones, kilowatt-hours."""
    for n, fold in enumerate(folds):
        yield Result(f"live_zones_{fold.span.fold}", float(fold.live.sum()), f"of {len(fold.live)}")
        for k, lead in enumerate(HORIZONS_H):
            yield Result(f"mae_skill_h{lead}_{fold.span.fold}", ours.fold_skill(n, k), "against dev7, live zones")
    for k, lead in enumerate(HORIZONS_H):
        yield Result(f"mae_skill_h{lead}_all_zones", ours.skill(k, live=False), "against dev7, frozen zones too")
    for k, lead in enumerate(HORIZONS_H):
        yield Result(f"median_mae_h{lead}", ours.median("mae", k), "kWh, median of all zones, mean of folds")
        yield Result(f"median_rmse_h{lead}", ours.median("rmse", k), "kWh, median of all zones, mean of folds")


def peer(who: str, judged: Judged) -> Iterator[Result]:
    for k, lead in enumerate(HORIZONS_H):
        yield Result(f"median_rae_h{lead}_{who}", judged.median_rae(k), NAMES.get(who, who))
    if who != "dev7":
        for k, lead in enumerate(HORIZONS_H):
            yield Result(f"mae_skill_h{lead}_{who}", judged.skill(k), f"{NAMES.get(who, who)} against dev7, live zones")
    yield Result(f"pinball_{who}", judged.pinball, NAMES.get(who, who))


def by_day(folds: list[Fold]) -> Iterator[Result]:
    """Beside statsforecast, on the hours that it forecasts: an origin at each midnight, so that horizon h is the h-th hour."""
    at_midnight = [fold.by_day() for fold in folds]
    theirs = Judged([day.judged(_at_horizons(statsforecast(day.span))) for day in at_midnight])
    ours = Judged([day.judged(day.hours_of(made(day.span, "blend"))) for day in at_midnight])
    for k, lead in enumerate(HORIZONS_H):
        unit = "AutoETS against dev7, live zones, origins at midnight"
        yield Result(f"mae_skill_h{lead}_statsforecast", theirs.skill(k), unit, "ours, same hours", ours.skill(k))


def _at_horizons(quantiles: Floats) -> Floats:
    return quantiles[:, np.array(HORIZONS_H) - 1]


def size(*, quick: bool) -> Iterator[Result]:
    zones, days = (12, 60) if quick else (ZONES, 153)
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "benchmarks.prediction_size", str(zones), str(days)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, **one_thread})
    found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    bounds: tuple[Bounds | None, ...] = (None, None, None) if quick else ({"max": 600}, {"max": 4}, {"max": 2})
    for (name, unit), value, aim in zip(
        (("train_s", "s"), ("train_gb", "GB"), ("predict_s", "s")),
        (found["train_s"], found["gb"], found["predict_s"]),
        bounds,
        strict=True,
    ):
        yield Result(f"{name}_{zones}", value, f"{unit}, {days} days", aim=aim)
