"""One forecaster over one fold of `bench prediction`, in a process of its own: `FOLD WHO OUT.npz [DAYS EVERY]`.

OUT holds `quantiles`, 3 x `HORIZONS_H` x hours x zones, kWh: each hour of the fold as forecast at each horizon, by models
fitted before the fold and again every week; and `cpu_s`.
"""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.prediction_lightgbm import PlainLightGbm
from chargeloop.model import Demand, Weather
from chargeloop.prediction import FORECASTERS, HORIZONS_H, Forecaster, Regression, backtest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "urbanev_shenzhen"
START = datetime(2022, 8, 31, 16, tzinfo=UTC)  # 1 September, 0 h in Shenzhen
TIME_ZONE = "Asia/Shanghai"
FOLDS = {"november": (61, 91), "december": (91, 122), "january": (122, 153)}  # days of the record
TERMS = ("P", "PW", "PS", "PWS")  # of the regression


class Span(NamedTuple):
    """A fold, or its first days, with every n-th zone."""

    fold: str
    days: int | None = None
    every: int = 1

    @property
    def rows(self) -> tuple[int, int]:
        first, end = FOLDS[self.fold]
        return 24 * first, 24 * (end if self.days is None else first + self.days)


def shenzhen(every: int = 1) -> tuple[Demand, tuple[str, ...], Weather]:
    """The 45 zones, or every n-th of them, and the weather, by the hour from 1 September 2022 on."""
    long = pd.read_parquet(SHARED / "hourly_45zones.parquet")
    wide = long.pivot(index="time", columns="TAZID", values="volume_kwh").iloc[:, ::every]
    weather = pd.read_csv(SHARED / "weather_central.csv.gz")
    hourly = Weather(START, weather["T"].to_numpy(np.float64), weather["nRAIN"].to_numpy(np.float64))
    return Demand(START, wide.to_numpy(np.float64)), tuple(map(str, wide.columns)), hourly


def fit_of(who: str) -> Callable[[Demand, Weather, str, Sequence[str]], Forecaster]:
    if who in TERMS:
        return partial(Regression.fit, terms=who)
    return PlainLightGbm.fit if who == "lightgbm" else FORECASTERS[who]


def main(span: Span, who: str, out: Path) -> None:
    demand, zone_ids, weather = shenzhen(span.every)
    first, last = span.rows
    began = time.process_time()
    made = backtest(fit_of(who), demand, weather, TIME_ZONE, zone_ids, first=first, last=last, leads=HORIZONS_H)
    unfinished = out.with_suffix(".part.npz")
    np.savez(unfinished, quantiles=made.quantiles, cpu_s=time.process_time() - began)
    unfinished.rename(out)


if __name__ == "__main__":
    fold, name, path, *smaller = sys.argv[1:]
    main(Span(fold, *(int(each) for each in smaller)), name, Path(path))
