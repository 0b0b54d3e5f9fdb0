"""The city twin: drivers, queues and chargers of a whole city, with baselines to beat."""

from chargeloop.simulation.compare import Controller, default_day, offline_loop, run, simulate
from chargeloop.simulation.drivers import Drivers, draw_drivers, joined_drivers
from chargeloop.simulation.expansion import Check, Expansion, Site, with_more_bays
from chargeloop.simulation.fleets import TIER_HOURS
from chargeloop.simulation.kpis import Kpis, minutes_lost, needless
from chargeloop.simulation.nightly import Nightly, as_forecast, demand_of, shadow_prices
from chargeloop.simulation.outcomes import Difference, Figures, figures
from chargeloop.simulation.replay import Branch, Ending, Replay, with_surges
from chargeloop.simulation.scenario import BUSY_ROADS, HOLIDAY, QUIET, Outage, Scenario, Surge
from chargeloop.simulation.telling import PlugIn, Unplug
from chargeloop.simulation.twin import Twin
from chargeloop.simulation.weather import in_weather

__all__ = [
    "BUSY_ROADS",
    "HOLIDAY",
    "QUIET",
    "TIER_HOURS",
    "Branch",
    "Check",
    "Controller",
    "Difference",
    "Drivers",
    "Ending",
    "Expansion",
    "Figures",
    "Kpis",
    "Nightly",
    "Outage",
    "PlugIn",
    "Replay",
    "Scenario",
    "Site",
    "Surge",
    "Twin",
    "Unplug",
    "as_forecast",
    "default_day",
    "demand_of",
    "draw_drivers",
    "figures",
    "in_weather",
    "joined_drivers",
    "minutes_lost",
    "needless",
    "offline_loop",
    "run",
    "shadow_prices",
    "simulate",
    "with_more_bays",
    "with_surges",
]
