"""The city twin: drivers, queues and chargers of a whole city, with baselines to beat."""

from chargeloop.simulation.choices import Choice, Choices
from chargeloop.simulation.compare import Controller, default_day, offline_loop, run, simulate
from chargeloop.simulation.days import Days, Judge, Outcome, Setting
from chargeloop.simulation.drivers import Drivers, draw_drivers, joined_drivers
from chargeloop.simulation.expansion import Expansion, Site, with_more_bays
from chargeloop.simulation.fleets import TIER_HOURS
from chargeloop.simulation.ground import Check
from chargeloop.simulation.kpis import Kpis, minutes_lost, needless
from chargeloop.simulation.manner import SHIPPED, Manner
from chargeloop.simulation.nightly import Nightly, as_forecast, demand_of, shadow_prices
from chargeloop.simulation.outcomes import Difference, Figures, figures
from chargeloop.simulation.paired import Change, paired
from chargeloop.simulation.picking import Pick, offer_all
from chargeloop.simulation.regulars import Regulars
from chargeloop.simulation.reinforcement import Line, Reinforcement, with_more_kw
from chargeloop.simulation.replay import Branch, Ending, Replay, with_surges
from chargeloop.simulation.scenario import BUSY_ROADS, HOLIDAY, QUIET, Outage, Picks, Scenario, Surge
from chargeloop.simulation.tariffs import tune_prices
from chargeloop.simulation.telling import PlugIn, Unplug
from chargeloop.simulation.time_of_use import Flexibility, Response
from chargeloop.simulation.tuning import tune_front, tune_policy
from chargeloop.simulation.twin import Twin
from chargeloop.simulation.weather import in_weather

__all__ = [
    "BUSY_ROADS",
    "HOLIDAY",
    "QUIET",
    "SHIPPED",
    "TIER_HOURS",
    "Branch",
    "Change",
    "Check",
    "Choice",
    "Choices",
    "Controller",
    "Days",
    "Difference",
    "Drivers",
    "Ending",
    "Expansion",
    "Figures",
    "Flexibility",
    "Judge",
    "Kpis",
    "Line",
    "Manner",
    "Nightly",
    "Outage",
    "Outcome",
    "Pick",
    "Picks",
    "PlugIn",
    "Regulars",
    "Reinforcement",
    "Replay",
    "Response",
    "Scenario",
    "Setting",
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
    "offer_all",
    "offline_loop",
    "paired",
    "run",
    "shadow_prices",
    "simulate",
    "tune_front",
    "tune_policy",
    "tune_prices",
    "with_more_bays",
    "with_more_kw",
    "with_surges",
]
