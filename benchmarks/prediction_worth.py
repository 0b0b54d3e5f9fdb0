"""What a forecast is worth: measured days in the twin with prices made from the day itself, from its forecast, or none.

Shenzhen. A day's demand in each zone and hour is the measured one over what is usual there, times the calibrated busy share.
Policy `priced` each time: it goes by likely waits, and by shadow prices of the night before where there are any. The perfect
forecast knows each zone's demand by the hour, not who will come. `python -m benchmarks.prediction_worth [--days 8]`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.recommendation_city import World, calibrated
from benchmarks.recommendation_day import DAY, HOURS, Case, finished, outcome
from benchmarks.report import Report, Result
from chargeloop.city import load_city
from chargeloop.guidance import Guide
from chargeloop.loop import known_until
from chargeloop.model import City, Layout
from chargeloop.physics import hour_of_week, hours_between, local
from chargeloop.prediction import Forecast, forecast_city
from chargeloop.recommendation import NO_PRICES, Prices
from chargeloop.simulation import Drivers, as_forecast, draw_drivers, paired, shadow_prices
from chargeloop.simulation.drivers import EVENING_H

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
LEVELS = (1.0, 1.5)
WAYS = ("perfect", "ours", "none")
FIRST_AFTER = timedelta(days=69)  # of history: 9 November
EVERY = timedelta(days=8)  # so that each weekday comes
SCENARIO = replace(DAY, zone_spread=0.0)  # zones differ from their forecast by what was measured, and by that alone


class Job(NamedTuple):
    folder: Path | None
    level: float
    day: int


class Minutes(NamedTuple):
    """Means over the drivers. `charge`: of those served; `total`: drive + wait + charge, and 60 for one who gave up."""

    drive: float
    wait: float
    charge: float
    total: float


def run(*, quick: bool, seed: int, days: int = 8, cores: int = 2) -> Iterator[Result]:
    folder = None if quick or not SHARED.is_dir() else SHARED
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        for level in LEVELS[:1] if quick else LEVELS:
            jobs = [Job(folder, level, seed + n) for n in range(3 if quick else days)]
            found = []
            for job, day in zip(jobs, pool.map(play, jobs), strict=True):
                found.append(day)
                print(job.level, job.day, {way: round(day[way].total, 2) for way in WAYS}, file=sys.stderr, flush=True)
            yield from figures(level, found)


def figures(level: float, found: Sequence[dict[str, Minutes]]) -> Iterator[Result]:
    suffix = "" if level == 1.0 else f"_{100 * level:03.0f}"
    minutes = {way: [day[way].total for day in found] for way in WAYS}
    for way in WAYS:
        change = paired(minutes["none"], minutes[way])
        unit = f"min a driver; {change.in_words} against none, {change.days} paired days"
        yield Result(f"worth_minutes_{way}{suffix}", change.after, unit, "none", change.before)
    lost = {way: [day[way].total - day[way].charge for day in found] for way in WAYS}
    for way in WAYS[:2]:
        change = paired(lost["none"], lost[way])
        unit = f"min a driver without the charge; {change.in_words} against none"
        yield Result(f"worth_drive_and_wait_{way}{suffix}", change.after, unit, "none", change.before)
    against = paired(lost["perfect"], lost["ours"])
    unit = f"min a driver more, ± {against.half_width:.2f}, drive and wait"
    yield Result(f"worth_lost_to_errors{suffix}", against.change, unit, "perfect", against.before)
    for part in ("drive", "wait", "charge"):
        ours, none = (float(np.mean([getattr(day[way], part) for day in found])) for way in ("ours", "none"))
        yield Result(f"worth_{part}_min{suffix}", ours, "min a driver, ours", "none", none)


def play(job: Job) -> dict[str, Minutes]:
    """One day three times: the same drivers, faults and roads."""
    city, layout, guide = here(job.folder)
    start = day_start(city, job.day)
    known = known_until(city, start)
    forecast, truth = forecast_city(known, start, HOURS), day_itself(city, start)
    real = as_forecast(known, truth)
    rng = np.random.default_rng([job.day, 0])
    drivers = draw_drivers(real, layout, start, HOURS, job.level, rng, scenario=SCENARIO)
    prices = {
        "perfect": night_before(known, layout, guide, truth, job.level),
        "ours": night_before(known, layout, guide, forecast, job.level * evening_ratio(known, layout, forecast, truth)),
        "none": NO_PRICES,
    }
    world, case = World(real, layout, guide, start, forecast), Case(job.level, job.day, SCENARIO)
    return {way: minutes_of(world, drivers, case, each) for way, each in prices.items()}


def night_before(city: City, layout: Layout, guide: Guide, forecast: Forecast, level: float) -> Prices:
    rng = np.random.default_rng(1000)
    start = forecast.origin
    return shadow_prices(city, layout, guide, forecast, start, HOURS, rng, level=level, scenario=SCENARIO)


def minutes_of(world: World, drivers: Drivers, case: Case, prices: Prices) -> Minutes:
    twin, cpu_s = finished(world, drivers, case, "priced", prices)
    found = outcome(world, twin, cpu_s)
    return Minutes(found.drive_min, found.wait_min, found.charge_min, found.score + found.charge_min)


@cache
def here(folder: Path | None) -> tuple[City, Layout, Guide]:
    """Calibrated busy shares, the demand as it was measured, and no limits of circuits: bays are what is short."""
    city = calibrated(folder)
    if folder is not None:
        city = replace(city, demand=load_city(folder).demand)
    city = replace(city, circuits=tuple(replace(each, limit_kw=100 * each.limit_kw) for each in city.circuits))
    layout = Layout.of(city)
    return city, layout, Guide.of(city, layout)


def day_start(city: City, day: int) -> datetime:
    """Local midnight."""
    first = city.demand.start + FIRST_AFTER
    first -= timedelta(hours=local(first, city.time_zone).hour)
    return first + day * EVERY


def day_itself(city: City, start: datetime) -> Forecast:
    """What was measured, as a forecast that is right."""
    row = hours_between(city.demand.start, start)
    kwh = np.nan_to_num(city.demand.energy_kwh[row : row + HOURS])
    return Forecast(start, tuple(zone.zone_id for zone in city.zones), kwh, kwh, kwh)


def evening_ratio(city: City, layout: Layout, forecast: Forecast, truth: Forecast) -> float:
    """Bay-hours asked for in the evening by the forecast over those of the day itself: the level is of the day itself."""
    first = hour_of_week(forecast.origin, city.time_zone)
    evening = (first + np.array(EVENING_H)) % 168
    bays = np.bincount(layout.station_zone[layout.evse_station], minlength=len(city.zones))
    asked = [float((as_forecast(city, each).behaviour.busy_share[evening] @ bays).sum()) for each in (forecast, truth)]
    return asked[0] / asked[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three days of the built-in city")
    parser.add_argument("--seed", type=int, default=0, help="first day (default 0)")
    parser.add_argument("--days", type=int, default=8, help="measured days, eight days apart (default 8)")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    report = Report.of("prediction_worth", run(quick=args.quick, seed=args.seed, days=args.days, cores=args.cores))
    sys.stdout.write((report.json_line() if args.json else report.table()) + "\n")


if __name__ == "__main__":
    main()
