"""The sun's place against almanac figures, and the clear sky."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.physics import clear_hours, clear_sky, sun_position

YEAR_S = datetime(2023, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("at", "lon", "lat", "elevation"),
    [
        # noon height at a solstice or equinox: 90 degrees less latitude, more or less 23.44
        (datetime(2023, 6, 21, 12, 2, tzinfo=UTC), 0.0, 52.0, 90 - 52 + 23.44),
        (datetime(2023, 12, 21, 11, 58, tzinfo=UTC), 0.0, 52.0, 90 - 52 - 23.44),
        (datetime(2023, 3, 20, 12, 7, tzinfo=UTC), 0.0, 22.5, 90 - 22.5),
        (datetime(2025, 6, 21, 4, 26, tzinfo=UTC), 114.0, 22.5, 90 - 0.94),  # Shenzhen, almost overhead
    ],
)
def test_noon_heights(at: datetime, lon: float, lat: float, elevation: float) -> None:
    found, _ = sun_position(np.array([at.timestamp()]), lon, lat)
    assert np.degrees(found[0]) == pytest.approx(elevation, abs=0.5)


def test_it_rises_in_the_east_and_stands_in_the_south() -> None:
    day = datetime(2023, 3, 21, tzinfo=UTC).timestamp()
    _, azimuth = sun_position(day + 3600 * np.array([6.3, 12.12, 17.9]), 0.0, 52.0)
    assert np.degrees(azimuth) == pytest.approx([90, 180, 270], abs=5)


@given(st.floats(0, 365 * 86400.0), st.floats(-180, 180), st.floats(-65, 65), st.floats(0, 90), st.floats(0, 360))
def test_light_is_bounded_and_there_is_none_at_night(
    after_s: float, lon: float, lat: float, tilt: float, azimuth: float
) -> None:
    at_s = np.array([YEAR_S + after_s])
    elevation, _ = sun_position(at_s, lon, lat)
    light = clear_sky(at_s, lon, lat, tilt, azimuth)
    assert 0 <= light[0] < 1.3
    assert light[0] == 0 or elevation[0] > 0


def test_hours_are_means_of_instants_and_a_tilted_panel_gets_more_in_winter() -> None:
    start_s = datetime(2023, 12, 21, tzinfo=UTC).timestamp()
    flat, tilted = (clear_hours(start_s, 24, 5.2, 52.1, tilt) for tilt in (0.0, 35.0))
    assert flat.shape == (24,)
    assert tilted.sum() > 2 * flat.sum()
    inside = clear_sky(start_s + 11 * 3600 + np.arange(0, 3600, 10.0), 5.2, 52.1)
    assert flat[11] == pytest.approx(inside.mean(), rel=0.01)
