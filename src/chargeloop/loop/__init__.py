"""The loop: `tick` turns it once for the whole city, `recommend_now` answers one driver, `CityLoop` runs it live."""

from chargeloop.loop.books import QueueBooks, driver_of
from chargeloop.loop.candidates import candidates_of
from chargeloop.loop.city_loop import CityLoop, Records, Saved
from chargeloop.loop.clock import Clock
from chargeloop.loop.elsewhere import Elsewhere, expected_start
from chargeloop.loop.forecasting import Fitting, Forecasts
from chargeloop.loop.forecasts_kept import ForecastRecords, KeptForecast, keep, pack_forecast, score, unpack_forecast
from chargeloop.loop.offline import OfflineLoop
from chargeloop.loop.outlook import (
    Foresight,
    Outlook,
    Shortages,
    StoppedFeed,
    bays_in_order,
    history_start,
    stopped_feeds,
    trusted_kwh,
)
from chargeloop.loop.packing import Packed, packed, unpacked
from chargeloop.loop.power import STEP_S, Sent, charging_evses, power_problem, profiles_to_send
from chargeloop.loop.queueing import Conflict, Queueing, QueueRecords
from chargeloop.loop.recommending import Recommender
from chargeloop.loop.request import Advice, Told, answer, counted, still_open
from chargeloop.loop.stages import (
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
    "Fitting",
    "ForecastRecords",
    "Forecasts",
    "Foresight",
    "KeptForecast",
    "OfflineLoop",
    "Outlook",
    "Packed",
    "QueueBooks",
    "QueueRecords",
    "Queueing",
    "Recommender",
    "Records",
    "Saved",
    "Sent",
    "Shortages",
    "Stages",
    "StoppedFeed",
    "Tally",
    "Tick",
    "Told",
    "answer",
    "arrivals_per_h",
    "bays_in_order",
    "candidates_of",
    "charging_evses",
    "circuit_load_kw",
    "counted",
    "driver_of",
    "expected_start",
    "history_start",
    "keep",
    "known_until",
    "pack_forecast",
    "packed",
    "power_problem",
    "profiles_to_send",
    "score",
    "stages_of",
    "station_load_share",
    "still_open",
    "stopped_feeds",
    "tick",
    "trusted_kwh",
    "unpack_forecast",
    "unpacked",
]
