"""The loop: `tick` turns it once for the whole city, `recommend_now` answers one driver, `CityLoop` runs it live."""

from chargeloop.loop.clock import Clock
from chargeloop.loop.offline import OfflineLoop
from chargeloop.loop.power import Sent, charging_evses, power_problem, profiles_to_send
from chargeloop.loop.stages import (
    Forecasts,
    Stages,
    arrivals_per_h,
    candidates_of,
    circuit_load_kw,
    stages_of,
    station_load_share,
)
from chargeloop.loop.tally import Tally
from chargeloop.loop.tick import Tick, tick

__all__ = [
    "Clock",
    "Forecasts",
    "OfflineLoop",
    "Sent",
    "Stages",
    "Tally",
    "Tick",
    "arrivals_per_h",
    "candidates_of",
    "charging_evses",
    "circuit_load_kw",
    "power_problem",
    "profiles_to_send",
    "stages_of",
    "station_load_share",
    "tick",
]
