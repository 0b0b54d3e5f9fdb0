"""The city twin: drivers, queues and chargers of a whole city, with baselines to beat."""

from chargeloop.simulation.choices import Choice, Choices
from chargeloop.simulation.compare import Controller, default_day, offline_loop, run, simulate
from chargeloop.simulation.drivers import Drivers, draw_drivers, joined_drivers
from chargeloop.simulation.expansion import Check, Expansion, Site, with_more_bays
from chargeloop.simulation.kpis import Kpis, minutes_lost
from chargeloop.simulation.nightly import Nightly, as_forecast, demand_of, shadow_prices
from chargeloop.simulation.scenario import BUSY_ROADS, QUIET, Outage, Scenario, Surge
from chargeloop.simulation.telling import PlugIn, Unplug
from chargeloop.simulation.twin import Twin

__all__ = [
    "BUSY_ROADS",
    "QUIET",
    "Check",
    "Choice",
    "Choices",
    "Controller",
    "Drivers",
    "Expansion",
    "Kpis",
    "Nightly",
    "Outage",
    "PlugIn",
    "Scenario",
    "Site",
    "Surge",
    "Twin",
    "Unplug",
    "as_forecast",
    "default_day",
    "demand_of",
    "draw_drivers",
    "joined_drivers",
    "minutes_lost",
    "offline_loop",
    "run",
    "shadow_prices",
    "simulate",
    "with_more_bays",
]
