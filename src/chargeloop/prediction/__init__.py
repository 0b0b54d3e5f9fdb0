"""What the city will need: hourly charging demand of each zone, with quantiles, from what is known at the origin; and what
drivers, vehicles and the sun will do.
"""

from chargeloop.prediction.arrival_soc import ArrivalSoc
from chargeloop.prediction.arrivals import Arrivals, Sessions, known_at_arrival, remaining_s
from chargeloop.prediction.backtest import Backtest, backtest
from chargeloop.prediction.base_load import BaseLoad
from chargeloop.prediction.blend import Blend
from chargeloop.prediction.calendar import hours_of, is_rest_day
from chargeloop.prediction.choice import ChoiceTable, Estimate, Logit, Taste, choices_of, of_tier
from chargeloop.prediction.city import forecast_city
from chargeloop.prediction.forecast import Forecast
from chargeloop.prediction.forecaster import FORECASTERS, Forecaster, fit_forecaster
from chargeloop.prediction.habits import Habit, Visit, habits_of, visits_of
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
from chargeloop.prediction.naive import Naive
from chargeloop.prediction.profile import HourOfWeek
from chargeloop.prediction.regression import Regression, least_squares
from chargeloop.prediction.scores import Scores, live_zones, skill
from chargeloop.prediction.scoring import BEFORE_D, HORIZONS_H, RECENT_D, Drift, Score, drift, scored
from chargeloop.prediction.shortages import bays_needed, kwh_per_bay_hour, peaks, quantile_of, short_of, shortages
from chargeloop.prediction.solar import Panel, Solar
from chargeloop.prediction.stats import pinball
from chargeloop.prediction.stays import ByHour, Expected, Stays
from chargeloop.prediction.trends import Trait, Trend, kendall_p, sen_slope, significant, trends
from chargeloop.prediction.vehicle_profile import ChargingSeen, Consumption

__all__ = [
    "BEFORE_D",
    "FORECASTERS",
    "HORIZONS_H",
    "RECENT_D",
    "WEATHER_NEUTRAL_C",
    "ArrivalSoc",
    "Arrivals",
    "Backtest",
    "BaseLoad",
    "Blend",
    "ByHour",
    "ChargingSeen",
    "ChoiceTable",
    "Consumption",
    "Correlation",
    "Drift",
    "Estimate",
    "Expected",
    "Forecast",
    "Forecaster",
    "Habit",
    "HourOfWeek",
    "Levelled",
    "Levels",
    "Logit",
    "Naive",
    "Panel",
    "Regression",
    "Score",
    "Scores",
    "Sessions",
    "Solar",
    "Stays",
    "Taste",
    "Trait",
    "Trend",
    "Visit",
    "backtest",
    "bays_needed",
    "choices_of",
    "day_ahead_errors",
    "drift",
    "fit_forecaster",
    "forecast_city",
    "habits_of",
    "hours_of",
    "is_rest_day",
    "kendall_p",
    "known_at_arrival",
    "known_until",
    "known_weather",
    "kwh_per_bay_hour",
    "learned_correlation",
    "least_squares",
    "levelled",
    "live_zones",
    "of_tier",
    "peaks",
    "pinball",
    "quantile_of",
    "remaining_s",
    "scored",
    "sen_slope",
    "short_of",
    "shortages",
    "significant",
    "skill",
    "summed",
    "trends",
    "usage_index",
    "visits_of",
    "weather_index",
    "without_frozen",
]
