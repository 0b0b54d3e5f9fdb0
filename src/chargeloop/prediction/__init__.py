"""What the city will need: hourly charging demand of each zone, with quantiles, from what is known at the origin."""

from chargeloop.prediction.calendar import hours_of, is_rest_day
from chargeloop.prediction.city import forecast_city
from chargeloop.prediction.forecast import Forecast, aggregate
from chargeloop.prediction.history import known_until, usage_index, without_frozen
from chargeloop.prediction.indices import WEATHER_NEUTRAL_C, known_weather, weather_index
from chargeloop.prediction.profile import HourOfWeek
from chargeloop.prediction.regression import Regression, least_squares

__all__ = [
    "WEATHER_NEUTRAL_C",
    "Forecast",
    "HourOfWeek",
    "Regression",
    "aggregate",
    "forecast_city",
    "hours_of",
    "is_rest_day",
    "known_until",
    "known_weather",
    "least_squares",
    "usage_index",
    "weather_index",
    "without_frozen",
]
