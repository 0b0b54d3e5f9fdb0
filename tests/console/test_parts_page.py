"""The page of the regression's parts, from a record that the model fits to the letter."""

import re
from datetime import timedelta

import numpy as np
import pytest

from chargeloop.console.parts_page import parts_page
from chargeloop.model import City, Demand
from chargeloop.prediction import Regression


def test_page_shows_coefficients_with_intervals_and_a_line_for_each_part(small_city: City) -> None:
    zones = [zone.zone_id for zone in small_city.zones]
    model = Regression.fit(small_city.demand, small_city.weather, small_city.time_zone, zones)
    shown = parts_page(model, small_city.demand, small_city.weather, zones[1])
    assert f"{model.coefficients.estimate[0, 1]:.4g}" in shown
    assert f"{model.coefficients.low[0, 1]:.4g} to {model.coefficients.high[0, 1]:.4g}" in shown
    assert len(re.findall("<polyline", shown)) == 6
    with pytest.raises(ValueError, match="not in tuple"):
        parts_page(model, small_city.demand, small_city.weather, "elsewhere")


def test_hours_that_nothing_is_known_of_are_left_out_of_the_lines(small_city: City) -> None:
    energy = small_city.demand.energy_kwh.copy()
    energy[-30:-10, 0] = np.nan
    demand = Demand(small_city.demand.start + timedelta(days=7), energy)
    zones = [zone.zone_id for zone in small_city.zones]
    model = Regression.fit(demand, small_city.weather, small_city.time_zone, zones)
    shown = parts_page(model, demand, small_city.weather, zones[0], 48)
    measured = shown.split("<polyline points=")[1].split('"')[1]
    assert len(measured.split()) == 28
    assert "nan" not in shown.lower()
