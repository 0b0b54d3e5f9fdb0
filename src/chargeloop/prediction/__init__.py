"""What the city will need: hourly charging demand of each zone, with quantiles, from what is known at the origin."""

from chargeloop.prediction.calendar import hours_of, is_rest_day
from chargeloop.prediction.city import forecast_city
from chargeloop.prediction.forecast import Forecast, aggregate
from chargeloop.prediction.history import known_until, usage_index, without_frozen
from chargeloop.prediction.indices import WEATHER_NEUTRAL_C, known_weather, weather_index
from chargeloop.prediction.levels import (
    Correlation,
    Levelled,
    Levels,
    day_ahead_errors,
    learned_correlation,
    levelled,
    summed,
)
from chargeloop.prediction.profile import HourOfWeek
from chargeloop.prediction.regression import Regression, least_squares
from chargeloop.prediction.scoring import HORIZONS_H, Drift, Score, drift, pinball, scored
from chargeloop.prediction.shortages import bays_needed, kwh_per_bay_hour, peaks, quantile_of, short_of, shortages
from chargeloop.prediction.trends import Habit, Trend, kendall_p, sen_slope, significant, trends

__all__ = [
    "HORIZONS_H",
    "WEATHER_NEUTRAL_C",
    "Correlation",
    "Drift",
    "Forecast",
    "Habit",
    "HourOfWeek",
    "Levelled",
    "Levels",
    "Regression",
    "Score",
    "Trend",
    "aggregate",
    "bays_needed",
    "day_ahead_errors",
    "drift",
    "forecast_city",
    "hours_of",
    "is_rest_day",
    "kendall_p",
    "known_until",
    "known_weather",
    "kwh_per_bay_hour",
    "learned_correlation",
    "least_squares",
    "levelled",
    "peaks",
    "pinball",
    "quantile_of",
    "scored",
    "sen_slope",
    "short_of",
    "shortages",
    "significant",
    "summed",
    "trends",
    "usage_index",
    "weather_index",
    "without_frozen",
]
