"""The city twin: drivers, queues and chargers of a whole city, with baselines to beat."""

from chargeloop.simulation.compare import Controller, default_day, offline_loop, run, simulate
from chargeloop.simulation.drivers import Drivers, draw_drivers, joined_drivers
from chargeloop.simulation.kpis import Kpis
from chargeloop.simulation.nightly import Nightly, as_forecast, demand_of, shadow_prices
from chargeloop.simulation.scenario import BUSY_ROADS, QUIET, Outage, Scenario, Surge
from chargeloop.simulation.telling import PlugIn, Unplug
from chargeloop.simulation.twin import Twin

__all__ = [
    "BUSY_ROADS",
    "QUIET",
    "Controller",
    "Drivers",
    "Kpis",
    "Nightly",
    "Outage",
    "PlugIn",
    "Scenario",
    "Surge",
    "Twin",
    "Unplug",
    "as_forecast",
    "default_day",
    "demand_of",
    "draw_drivers",
    "joined_drivers",
    "offline_loop",
    "run",
    "shadow_prices",
    "simulate",
]
