"""Forecasts of whole folds: each by `prediction_run` in a process of its own, kept in var/ until the code changes."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.prediction_run import Span, shenzhen
from chargeloop.model.city import Floats

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "var" / "bench-prediction"
MADE_BY = (
    *(ROOT / "src" / "chargeloop" / "prediction").glob("*.py"),
    *(ROOT / "benchmarks" / f"prediction_{name}.py" for name in ("run", "lightgbm", "statsforecast")),
)
STATSFORECAST = ROOT / ".venv" / "statsforecast" / "bin" / "python"
CORES = 2


def make(asked: Iterable[tuple[Span, str]]) -> None:
    """Whatever is not there yet; a run that was broken off goes on where it was."""
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(lambda each: made(*each), asked))


def made(span: Span, who: str) -> Floats:
    """3 x horizons x hours x zones, kWh."""
    out = KEPT / f"{_name(span, who)}.npz"
    if not out.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        smaller = [] if span.days is None else [str(span.days), str(span.every)]
        _run([sys.executable, "-m", "benchmarks.prediction_run", span.fold, who, str(out), *smaller])
        print(f"{who}, {span.fold}: {float(np.load(out)['cpu_s']):.0f} CPU s", file=sys.stderr, flush=True)
    return np.asarray(np.load(out)["quantiles"])


def statsforecast(span: Span) -> Floats:
    """3 x 24 leads x origins x zones, kWh: an origin every 24 h, fitted to what came before the fold."""
    told, out = KEPT / f"{_name(span, 'told')}.npz", KEPT / f"{_name(span, 'statsforecast')}.npz"
    if not out.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        first, last = span.rows
        np.savez(told, energy=shenzhen(span.every)[0].energy_kwh[:last], first=first)
        _run([str(STATSFORECAST), str(ROOT / "benchmarks" / "prediction_statsforecast.py"), str(told), str(out)])
    return np.asarray(np.load(out)["quantiles"])


def _name(span: Span, who: str) -> str:
    return f"{who}-{span.fold}-{span.days or 'all'}-{span.every}-{_code()}"


@cache
def _code() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(MADE_BY))).hexdigest()[:12]


def _run(command: list[str]) -> None:
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **one_thread})
