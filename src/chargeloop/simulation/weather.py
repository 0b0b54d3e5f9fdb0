"""What the weather of a day does in the twin: batteries are slow in the cold, roads in the rain."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from chargeloop.model import City
from chargeloop.physics import cold_share
from chargeloop.simulation.scenario import Scenario

USUAL_C = 20.0  # where a city's weather does not say


def temperature_c(city: City, at: datetime, scenario: Scenario) -> float:
    """The scenario's, or the mean of the day that begins at `at`; the first or last that is known where that day is not."""
    if scenario.temperature_c is not None:
        return scenario.temperature_c
    row = int((at - city.weather.start) / timedelta(hours=1))
    first = min(max(row, 0), len(city.weather.temperature_c) - 1)
    day = city.weather.temperature_c[first : first + 24]
    return float(np.nanmean(day)) if np.isfinite(day).any() else USUAL_C


def in_weather(city: City, at: datetime, scenario: Scenario) -> City:
    """The city whose vehicles take as much direct current as they do at the day's temperature."""
    share = cold_share(temperature_c(city, at, scenario))
    if share == 1.0:
        return city
    slowed = (replace(m, curve=replace(m.curve, power_kw=tuple(kw * share for kw in m.curve.power_kw))) for m in city.models)
    return replace(city, models=tuple(slowed))
