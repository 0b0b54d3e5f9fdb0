"""The loop: `tick` turns it once for the whole city, `recommend_now` answers one driver, `CityLoop` runs it live."""

from chargeloop.loop.city_loop import CityLoop, Conflict, Records, Saved
from chargeloop.loop.clock import Clock
from chargeloop.loop.offline import OfflineLoop
from chargeloop.loop.power import STEP_S, Sent, charging_evses, power_problem, profiles_to_send
from chargeloop.loop.request import Advice, Given, answer, counted, not_now, still_open
from chargeloop.loop.stages import (
    Forecasts,
    Stages,
    arrivals_per_h,
    candidates_of,
    circuit_load_kw,
    known_until,
    stages_of,
    station_load_share,
)
from chargeloop.loop.tally import Tally
from chargeloop.loop.tick import Tick, tick

__all__ = [
    "STEP_S",
    "Advice",
    "CityLoop",
    "Clock",
    "Conflict",
    "Forecasts",
    "Given",
    "OfflineLoop",
    "Records",
    "Saved",
    "Sent",
    "Stages",
    "Tally",
    "Tick",
    "answer",
    "arrivals_per_h",
    "candidates_of",
    "charging_evses",
    "circuit_load_kw",
    "counted",
    "known_until",
    "not_now",
    "power_problem",
    "profiles_to_send",
    "stages_of",
    "station_load_share",
    "still_open",
    "tick",
]
