"""The loop: `tick` turns it once for the whole city, `recommend_now` answers one driver, `CityLoop` runs it live."""

from chargeloop.loop.books import QueueBooks, driver_of
from chargeloop.loop.candidates import candidates_of
from chargeloop.loop.city_loop import CityLoop, Records, Saved
from chargeloop.loop.clock import Clock
from chargeloop.loop.elsewhere import Elsewhere, expected_start
from chargeloop.loop.offline import OfflineLoop
from chargeloop.loop.packing import Packed, packed, unpacked
from chargeloop.loop.power import STEP_S, Sent, charging_evses, power_problem, profiles_to_send
from chargeloop.loop.queueing import Conflict, Queueing, QueueRecords
from chargeloop.loop.recommending import Recommender
from chargeloop.loop.request import Advice, Told, answer, counted, still_open
from chargeloop.loop.stages import (
    Forecasts,
    Stages,
    arrivals_per_h,
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
    "Elsewhere",
    "Forecasts",
    "OfflineLoop",
    "Packed",
    "QueueBooks",
    "QueueRecords",
    "Queueing",
    "Recommender",
    "Records",
    "Saved",
    "Sent",
    "Stages",
    "Tally",
    "Tick",
    "Told",
    "answer",
    "arrivals_per_h",
    "candidates_of",
    "charging_evses",
    "circuit_load_kw",
    "counted",
    "driver_of",
    "expected_start",
    "known_until",
    "packed",
    "power_problem",
    "profiles_to_send",
    "stages_of",
    "station_load_share",
    "still_open",
    "tick",
    "unpacked",
]
