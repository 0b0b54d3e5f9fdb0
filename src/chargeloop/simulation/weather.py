"""What the weather of a day does in the twin: batteries are slow in the cold, roads in the rain."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from chargeloop.model import City
from chargeloop.physics import cold_share
from chargeloop.simulation.scenario import Scenario


def temperature_c(city: City, at: datetime, scenario: Scenario) -> float:
    """The scenario's, or the mean of the day that begins at `at`; the last known value where the city's weather ends before."""
    if scenario.temperature_c is not None:
        return scenario.temperature_c
    row = int((at - city.weather.start) / timedelta(hours=1))
    last = len(city.weather.temperature_c) - 1
    return float(np.nanmean(city.weather.temperature_c[min(max(row, 0), last) : row + 24 if row < last else None]))


def in_weather(city: City, at: datetime, scenario: Scenario) -> City:
    """The city whose vehicles take as much direct current as they do at the day's temperature."""
    share = cold_share(temperature_c(city, at, scenario))
    if share == 1.0:
        return city
    slowed = (replace(m, curve=replace(m.curve, power_kw=tuple(kw * share for kw in m.curve.power_kw))) for m in city.models)
    return replace(city, models=tuple(slowed))
