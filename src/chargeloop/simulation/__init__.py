"""The city twin: drivers, queues and chargers of a whole city, with baselines to beat."""

from chargeloop.simulation.compare import Controller, default_day, run, simulate
from chargeloop.simulation.drivers import Drivers, draw_drivers, joined_drivers
from chargeloop.simulation.kpis import Kpis
from chargeloop.simulation.telling import PlugIn, Unplug
from chargeloop.simulation.twin import Twin

__all__ = [
    "Controller",
    "Drivers",
    "Kpis",
    "PlugIn",
    "Twin",
    "Unplug",
    "default_day",
    "draw_drivers",
    "joined_drivers",
    "run",
    "simulate",
]
