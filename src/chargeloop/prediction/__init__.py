"""What the city will need: hourly charging demand of each zone, with quantiles, from what is known at the origin."""

from chargeloop.prediction.backtest import Backtest, backtest
from chargeloop.prediction.blend import Blend
from chargeloop.prediction.calendar import hours_of, is_rest_day
from chargeloop.prediction.city import forecast_city
from chargeloop.prediction.forecast import Forecast, aggregate
from chargeloop.prediction.forecaster import FORECASTERS, Forecaster, fit_forecaster
from chargeloop.prediction.history import known_until, usage_index, without_frozen
from chargeloop.prediction.indices import WEATHER_NEUTRAL_C, known_weather, weather_index
from chargeloop.prediction.naive import Naive
from chargeloop.prediction.profile import HourOfWeek
from chargeloop.prediction.regression import Regression, least_squares
from chargeloop.prediction.scores import Scores, live_zones, skill

__all__ = [
    "FORECASTERS",
    "WEATHER_NEUTRAL_C",
    "Backtest",
    "Blend",
    "Forecast",
    "Forecaster",
    "HourOfWeek",
    "Naive",
    "Regression",
    "Scores",
    "aggregate",
    "backtest",
    "fit_forecaster",
    "forecast_city",
    "hours_of",
    "is_rest_day",
    "known_until",
    "known_weather",
    "least_squares",
    "live_zones",
    "skill",
    "usage_index",
    "weather_index",
    "without_frozen",
]
