"""What the city will need: hourly charging demand of each zone, with quantiles, from what is known at the origin; and what
drivers, vehicles and the sun will do.
"""

from chargeloop.prediction.arrival_soc import ArrivalSoc
from chargeloop.prediction.arrivals import Arrivals, Sessions, known_at_arrival, remaining_s
from chargeloop.prediction.base_load import BaseLoad
from chargeloop.prediction.calendar import hours_of, is_rest_day
from chargeloop.prediction.choice import ChoiceTable, Estimate, Logit, Taste, choices_of, of_tier
from chargeloop.prediction.city import forecast_city
from chargeloop.prediction.forecast import Forecast, aggregate
from chargeloop.prediction.habits import Habit, Visit, habits_of, visits_of
from chargeloop.prediction.history import known_until, usage_index, without_frozen
from chargeloop.prediction.indices import WEATHER_NEUTRAL_C, known_weather, weather_index
from chargeloop.prediction.profile import HourOfWeek
from chargeloop.prediction.regression import Regression, least_squares
from chargeloop.prediction.solar import Panel, Solar
from chargeloop.prediction.stays import ByHour, Expected, Stays
from chargeloop.prediction.vehicle_profile import ChargingSeen, Consumption

__all__ = [
    "WEATHER_NEUTRAL_C",
    "ArrivalSoc",
    "Arrivals",
    "BaseLoad",
    "ByHour",
    "ChargingSeen",
    "ChoiceTable",
    "Consumption",
    "Estimate",
    "Expected",
    "Forecast",
    "Habit",
    "HourOfWeek",
    "Logit",
    "Panel",
    "Regression",
    "Sessions",
    "Solar",
    "Stays",
    "Taste",
    "Visit",
    "aggregate",
    "choices_of",
    "forecast_city",
    "habits_of",
    "hours_of",
    "is_rest_day",
    "known_at_arrival",
    "known_until",
    "known_weather",
    "least_squares",
    "of_tier",
    "remaining_s",
    "usage_index",
    "visits_of",
    "weather_index",
    "without_frozen",
]
