"""Charging curves, consumption, queues of bays, geodesy and time grids: plain functions over arrays."""

from chargeloop.physics.consumption import drive_kwh
from chargeloop.physics.curves import accepted_kw, charge_minutes, cold_share, curve_table
from chargeloop.physics.feeds import IDLE_TIMES, STALE_H, stale_from
from chargeloop.physics.geodesy import distance_m, gcj02_to_wgs84, wgs84_to_gcj02
from chargeloop.physics.kernel import kernel
from chargeloop.physics.queueing import first_free_s, serve_all, sort_pools, take_bay, wait_min
from chargeloop.physics.sun import clear_hours, clear_sky, sun_position
from chargeloop.physics.timegrid import full_hour, hour_of_week, hours_between, local, utc_offset_s

__all__ = [
    "IDLE_TIMES",
    "STALE_H",
    "accepted_kw",
    "charge_minutes",
    "clear_hours",
    "clear_sky",
    "cold_share",
    "curve_table",
    "distance_m",
    "drive_kwh",
    "first_free_s",
    "full_hour",
    "gcj02_to_wgs84",
    "hour_of_week",
    "hours_between",
    "kernel",
    "local",
    "serve_all",
    "sort_pools",
    "stale_from",
    "sun_position",
    "take_bay",
    "utc_offset_s",
    "wait_min",
    "wgs84_to_gcj02",
]
