"""The city that policies are judged on: Shenzhen with demand calibrated to what was measured, and a history of its days."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chargeloop.city import load_city
from chargeloop.city.figures import figures
from chargeloop.guidance import Guide
from chargeloop.loop import known_until
from chargeloop.model import City, Demand, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import distance_m, hour_of_week
from chargeloop.prediction import Forecast, HourOfWeek
from chargeloop.simulation import default_day

HISTORY_DAYS = 70
ZONE_SPREAD = 0.3  # sigma of the logarithm of a zone's weight on one day


class World(NamedTuple):
    """What all runs share. `forecast`: that of the judged day, made from the days before."""

    city: City
    layout: Layout
    guide: Guide
    start: datetime
    forecast: Forecast


@cache
def world(folder: Path | None, ample: bool) -> World:
    """`ample`: without limits of circuits, so that bays are what is short."""
    city = calibrated(folder)
    if ample:
        city = replace(city, circuits=tuple(replace(each, limit_kw=100 * each.limit_kw) for each in city.circuits))
    layout = Layout.of(city)
    start = default_day(city)
    model = HourOfWeek.fit(known_until(city, start).demand, city.time_zone, layout.zone_ids)
    forecast = model.forecast(known_until(city, start).demand, city.weather, start, 24)
    return World(city, layout, Guide.of(city, layout), start, forecast)


def calibrated(folder: Path | None, seed: int = 2022) -> City:
    """Busy shares by zone and hour of the week, and a history of days that differ as those that are judged do.

    Zones with slow chargers only: the measured busy pile-hours, which volume / 7 kW is there. Other measured zones: their own
    shape, scaled to the mean share of the slow-only ones, for there the volume does not say how many bays were busy. Zones
    without a series: piles x the profile of the cluster that the nearest measured zone belongs to, scaled alike. Without a
    folder the built-in city, whose demand is of clusters already.
    """
    city = load_city(folder)
    if folder is not None:
        city = replace(city, behaviour=replace(city.behaviour, busy_share=_busy_share(city, _measured(city, folder))))
    return replace(city, demand=_history(city, np.random.default_rng(seed)))


def _measured(city: City, folder: Path) -> Ints:
    """Zones with a series."""
    import pandas as pd  # noqa: PLC0415

    table = next(iter(sorted(folder.rglob("hourly*.parquet"))))
    known = set(pd.read_parquet(table, columns=["TAZID"])["TAZID"].astype(str))
    return np.array([z for z, zone in enumerate(city.zones) if zone.zone_id in known])


def _busy_share(city: City, measured: Ints) -> Floats:
    layout = Layout.of(city)
    zone = layout.station_zone[layout.evse_station]
    bays = np.bincount(zone, minlength=len(city.zones))
    fast = np.bincount(zone, layout.pool_is_dc[layout.evse_pool], len(city.zones))
    own = city.behaviour.busy_share
    slow_only = measured[(fast[measured] == 0) & (bays[measured] > 0)]
    usual = np.average(own[:, slow_only].mean(axis=0), weights=bays[slow_only])
    shape = _nearest_clusters(city, own, measured)
    shape[:, measured] = own[:, measured]
    shape *= usual / np.maximum(shape.mean(axis=0), 1e-9)
    shape[:, slow_only] = own[:, slow_only]
    return shape


def _nearest_clusters(city: City, own: Floats, measured: Ints) -> Floats:
    """168 x zones: the cluster profile that the nearest measured zone is most like."""
    centres = np.array(figures()["clusters"])
    away = np.square(own[:, measured].T[:, None] - centres).sum(axis=2)
    cluster = np.argmin(away, axis=1)
    lon, lat = np.array([(zone.centre.lon, zone.centre.lat) for zone in city.zones]).T
    near = np.argmin(distance_m(lon[:, None], lat[:, None], lon[measured], lat[measured]), axis=1)
    return np.asarray(centres[cluster[near]].T.copy())


def _history(city: City, rng: np.random.Generator) -> Demand:
    """Hourly energy of the weeks around the judged day: busy bay-hours x rated power, with each day's own zone weights."""
    layout = Layout.of(city)
    start = default_day(city) - timedelta(days=HISTORY_DAYS)
    rated_kw = np.bincount(layout.station_zone[layout.evse_station], layout.evse_kw, len(city.zones))
    week = (hour_of_week(start, city.time_zone) + np.arange(24 * 2 * HISTORY_DAYS)) % 168
    weight = np.exp(rng.normal(0, ZONE_SPREAD, (2 * HISTORY_DAYS, len(city.zones))))
    return Demand(start, city.behaviour.busy_share[week] * rated_kw * np.repeat(weight, 24, axis=0))
