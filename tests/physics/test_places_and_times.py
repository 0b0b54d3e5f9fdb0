"""Geodesy and local time."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.physics import (
    distance_m,
    full_hour,
    gcj02_to_wgs84,
    hour_of_week,
    hours_between,
    local,
    wgs84_to_gcj02,
)


def test_known_distances() -> None:
    assert distance_m(0.0, 0.0, 0.0, 1.0) == pytest.approx(111_195, rel=1e-4)  # a degree of latitude
    assert distance_m(2.3522, 48.8566, -0.1276, 51.5072) == pytest.approx(343_500, rel=5e-3)  # Paris to London
    assert distance_m(np.zeros(2), 0.0, np.array([0.0, 180.0]), 0.0).tolist() == pytest.approx([0, 20_015_115], rel=1e-4)


@given(st.floats(80, 130), st.floats(20, 50))
def test_the_chinese_datum_and_back_is_within_a_centimetre(lon: float, lat: float) -> None:
    there = wgs84_to_gcj02(lon, lat)
    back = gcj02_to_wgs84(*there)
    assert distance_m(lon, lat, *back) < 0.01
    assert 50 < distance_m(lon, lat, *there) < 1500


def test_a_known_shift() -> None:
    lon, lat = gcj02_to_wgs84(113.784724, 22.714121)
    assert (float(lon), float(lat)) == pytest.approx((113.779585, 22.716977), abs=2e-5)


def test_hours_are_those_people_live_in() -> None:
    monday = datetime(2025, 6, 8, 16, 0, tzinfo=UTC)  # midnight in Shanghai
    assert hour_of_week(monday, "Asia/Shanghai") == 0
    assert hour_of_week(monday - timedelta(minutes=1), "Asia/Shanghai") == 167
    assert local(monday, "Asia/Shanghai").hour == 0
    assert full_hour(monday + timedelta(minutes=59, seconds=3)) == monday
    assert hours_between(monday, monday + timedelta(hours=5, minutes=59)) == 5


def test_the_clock_change_skips_an_hour_of_the_week() -> None:
    before = datetime(2025, 3, 30, 0, 30, tzinfo=UTC)
    assert [hour_of_week(before + timedelta(hours=h), "Europe/Berlin") for h in (0, 1)] == [6 * 24 + 1, 6 * 24 + 3]
