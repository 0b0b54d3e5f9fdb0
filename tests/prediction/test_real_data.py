"""Against the naive "as last week" on real demand: 45 zones, scored per zone on December after a fit until November."""

from datetime import timedelta
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from benchmarks import prediction_run
from benchmarks.prediction_run import START
from chargeloop.model import Demand, Weather
from chargeloop.prediction import Regression

FIRST, LAST = 24 * 91, 24 * 121  # December, less the last day


@pytest.fixture(scope="module")
def shenzhen(shared_data: Path) -> tuple[Demand, Weather]:
    demand, _, weather = prediction_run.shenzhen()
    return demand, weather


def test_regression_beats_last_week_at_one_hour_and_a_day(shenzhen: tuple[Demand, Weather]) -> None:
    demand, weather = shenzhen
    y = demand.energy_kwh
    model = Regression.fit(Demand(START, y[:FIRST]), weather, "Asia/Shanghai")
    rows = np.arange(FIRST, LAST)
    made = [model.forecast(demand, weather, START + timedelta(hours=int(t)), 24) for t in rows]
    for lead, gain in ((1, 0.5), (24, 0.1)):
        actual, naive = y[rows + lead - 1], y[rows + lead - 1 - 168]
        error = np.abs(np.stack([f.q50[lead - 1] for f in made]) - actual).mean(axis=0)
        better = 1 - error / np.abs(naive - actual).mean(axis=0)
        assert np.mean(better) > gain
        inside = np.stack([(f.q10[lead - 1] <= a) & (a <= f.q90[lead - 1]) for f, a in zip(made, actual, strict=True)])
        assert 0.72 < inside.mean() < 0.88


def test_a_city_of_275_zones_is_fast(shenzhen: tuple[Demand, Weather]) -> None:
    demand, weather = shenzhen
    big = Demand(START, np.tile(demand.energy_kwh, 7)[:, :275])
    small = Demand(START, demand.energy_kwh[: 24 * 40])
    Regression.fit(small, weather, "Asia/Shanghai")  # compiles the kernels
    begin = process_time()
    model = Regression.fit(big, weather, "Asia/Shanghai")
    fitted = process_time()
    forecast = model.forecast(big, weather, START + timedelta(hours=3600), 24)
    assert fitted - begin < 3
    assert process_time() - fitted < 0.1
    assert forecast.q50.shape == (24, 275)
