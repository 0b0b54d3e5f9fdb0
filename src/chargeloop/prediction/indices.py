"""W: one number an hour for what the weather does to demand."""

from datetime import datetime

import numpy as np

from chargeloop.model import Weather
from chargeloop.model.city import Floats
from chargeloop.physics import full_hour, hours_between

WEATHER_NEUTRAL_C = 21.5  # where cabins and batteries need least
OLDEST_D = 7  # weather from longer ago says nothing about now


def weather_index(temperature_c: Floats, rain: Floats) -> Floats:
    """Discomfort: 1 for 10 °C off the neutral temperature, and 1 for heavy rain (3). NaN where either is missing."""
    return np.asarray(np.abs(temperature_c - WEATHER_NEUTRAL_C) / 10 + rain / 3)


def known_weather(weather: Weather, start: datetime, hours: int, origin: datetime) -> Floats:
    """The weather index of `hours` hours from `start`, as known at `origin`; NaN where nothing is.

    Weather is not forecast here: an hour not yet over is taken as the same hour of the last day known, up to a week back.
    """
    over = min(max(hours_between(weather.start, full_hour(origin)), 0), len(weather.temperature_c))
    index = weather_index(weather.temperature_c[:over], weather.rain[:over])
    row = hours_between(weather.start, start) + np.arange(hours)
    out = np.full(hours, np.nan)
    for days in range(OLDEST_D, -1, -1):  # the most recent day is written last, over the older ones
        there = (row - 24 * days >= 0) & (row - 24 * days < over)
        value = np.full(hours, np.nan)
        value[there] = index[row[there] - 24 * days]
        out = np.where(np.isfinite(value), value, out)
    return out
