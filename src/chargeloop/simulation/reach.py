"""Which pools a driver can reach, how long it takes, and what charging there would cost: one batch for all drivers."""

import numpy as np
from numpy.typing import NDArray

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import charge_minutes, curve_table
from chargeloop.pricing import RateTable, estimate
from chargeloop.simulation.drivers import Drivers

OPTIONS = 30  # nearest pools that a driver considers
CHEAP_WITHIN = 10  # of these, those among which the cheapest is looked for
STOPS = 8  # nearest other pools to drive on to
BATCH = 10_000  # drivers at a time, to bound memory


def options(
    drivers: Drivers, layout: Layout, guide: Guide, slow: Floats | float = 1.0, count: int = OPTIONS
) -> tuple[Ints, Floats, Floats]:
    """D x K: pools of the driver's current, drive times (s) and distances (m), soonest first; -1 and inf padded.

    `slow`: D, how much longer the drive takes than on free roads.
    """
    parts = [
        _reach(guide, layout, drivers.lon[i : i + BATCH], drivers.lat[i : i + BATCH], drivers.is_dc[i : i + BATCH], count)
        for i in range(0, max(len(drivers), 1), BATCH)
    ]
    pool, drive_s, drive_m = (np.concatenate(part) for part in zip(*parts, strict=True))
    return pool, drive_s * np.reshape(slow, (-1, 1)), drive_m


def neighbours(layout: Layout, guide: Guide) -> tuple[Ints, Floats, Floats]:
    """P x H: the other pools of the same current, drive times and distances from each pool, soonest first."""
    station = layout.pool_station
    pool, drive_s, drive_m = _reach(
        guide, layout, layout.station_lon[station], layout.station_lat[station], layout.pool_is_dc, STOPS + 1
    )
    is_self = pool == np.arange(station.size)[:, None]
    pool, drive_s = np.where(is_self, -1, pool), np.where(is_self, np.inf, drive_s)
    return _sorted(pool, drive_s, drive_m)


def cheapest_option(city: City, layout: Layout, drivers: Drivers, pool: Ints, drive_s: Floats) -> Ints:
    """D: column of the option among the nearest `CHEAP_WITHIN` where the charge would cost least, were there no queue."""
    near = pool[:, :CHEAP_WITHIN]
    row, column = np.nonzero(near >= 0)
    there = near[row, column]
    dc_table, ac_kw = curve_table(city.models)
    soc, target, battery = drivers.soc[row], drivers.target[row], drivers.battery_kwh[row]
    minutes = charge_minutes(
        dc_table, ac_kw, drivers.model[row], battery, soc, target, drivers.is_dc[row], layout.pool_kw[there]
    )
    rates = RateTable.of(city.tariffs, [station.tariff_id for station in city.stations])
    arrive_s = drivers.appear_s[row] + drive_s[row, column]
    cost = np.full(near.shape, np.inf)
    cost[row, column] = estimate(rates, layout.pool_station[there], arrive_s, minutes, (target - soc) * battery)
    return np.asarray(np.argmin(cost, axis=1))  # the first, so the nearest, of equally cheap ones


def _reach(
    guide: Guide, layout: Layout, lon: Floats, lat: Floats, is_dc: NDArray[np.bool_], k: int
) -> tuple[Ints, Floats, Floats]:
    pool = guide.nearest_pools(lon, lat, is_dc, k)
    drive_s, drive_m = guide.drive(lon, lat, layout.pool_station[np.maximum(pool, 0)])
    return _sorted(pool, np.where(pool >= 0, drive_s, np.inf), drive_m)


def _sorted(pool: Ints, drive_s: Floats, drive_m: Floats) -> tuple[Ints, Floats, Floats]:
    order = np.argsort(drive_s, axis=1, kind="stable")
    return np.take_along_axis(pool, order, 1), np.take_along_axis(drive_s, order, 1), np.take_along_axis(drive_m, order, 1)
