"""Whether the 95 % intervals of alpha, beta and gamma hold what they say, on series that follow the regression to the letter.

P comes from each series' own past, each run has a weather of its own, and eps keeps as much of itself from hour to hour as the
residuals of the real zones do.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from benchmarks.report import Bounds, Result
from chargeloop.model import Demand, Weather
from chargeloop.model.city import Floats
from chargeloop.prediction import Regression, hours_of, usage_index, weather_index

TRUE = {"alpha": 1.0, "beta": 3.0, "gamma": -2.0}
START = datetime(2025, 2, 28, 16, tzinfo=UTC)  # 1 March, 0 h in Shanghai
ZONE = "Asia/Shanghai"
DAYS, RUNS = 122, 500  # as long as the record before January
LEVEL_KWH, NOISE_KWH = 100.0, 2.0
KEPT = 0.9  # an hour: the median of the 45 zones
HELD: Bounds = {"min": 0.93, "max": 0.97}


def synthetic(*, quick: bool, seed: int) -> Iterator[Result]:
    """Quick: a tenth of the runs, which says little."""
    runs = RUNS // 10 if quick else RUNS
    held = coverage(runs, seed)
    for name, share in zip(TRUE, held, strict=True):
        yield Result(f"coverage_{name}_95", float(share), f"of {runs} synthetic series", must=None if quick else HELD)


def coverage(runs: int, seed: int, days: int = DAYS, kept: float = KEPT) -> Floats:
    """Shares of runs in which the interval of alpha, beta and gamma holds the true value."""
    rng = np.random.default_rng(seed)
    temperature = 20 + 6 * fading(rng, 24 * days, runs, 0.99)
    rain = np.maximum(fading(rng, 24 * days, runs, 0.9), 0)
    energy = series(weather_index(temperature, rain), fading(rng, 24 * days, runs, kept))
    found = [
        Regression.fit(Demand(START, energy[:, [n]]), Weather(START, temperature[:, n], rain[:, n]), ZONE).coefficients
        for n in range(runs)
    ]
    true = np.array(list(TRUE.values()))
    return np.asarray(np.mean([(each.low[:, 0] <= true) & (true <= each.high[:, 0]) for each in found], axis=0))


def series(weather: Floats, noise: Floats) -> Floats:
    """Hours x runs, kWh. After a first day, each hour is what the model says it is."""
    hours, runs = weather.shape
    season = hours_of(START, hours, ZONE).rest
    alpha, beta, gamma = TRUE.values()
    others = beta * (weather - weather.mean(axis=0)) + gamma * (season - season.mean())[:, None] + NOISE_KWH * noise
    energy = np.zeros((hours, runs))
    energy[:24] = LEVEL_KWH * (1 + 0.5 * np.sin(np.arange(24) / 24 * 2 * np.pi))[:, None]
    for t in range(24, hours):
        energy[t] = alpha * usage_index(energy[:t], t, 1)[0] + others[t]
    return energy


def fading(rng: np.random.Generator, hours: int, runs: int, kept: float) -> Floats:
    """First-order autoregressions of variance 1, hours x runs, stationary from the first hour."""
    out = rng.normal(size=(hours, runs))
    for t in range(1, hours):
        out[t] = kept * out[t - 1] + np.sqrt(1 - kept**2) * out[t]
    return out
