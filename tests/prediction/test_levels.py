"""Levels add up at every hour, and their bands are as wide as errors that are correlated so make them."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import City, Layout
from chargeloop.prediction import (
    Correlation,
    Forecast,
    HourOfWeek,
    Levelled,
    Levels,
    day_ahead_errors,
    learned_correlation,
    levelled,
    summed,
)

ORIGIN = datetime(2025, 6, 10, 9, tzinfo=UTC)


def drawn(levels: Levels, seed: int, hours: int = 24) -> Forecast:
    rng = np.random.default_rng(seed)
    zones = len(levels.zone_ids)
    middle = rng.gamma(2.0, 40.0, (hours, zones)) * (rng.random(zones) < 0.9)
    return Forecast.of(
        ORIGIN,
        levels.zone_ids,
        middle,
        np.stack([-rng.gamma(2, 9, (hours, zones)), 0 * middle, rng.gamma(2, 9, (hours, zones))]),
    )


@given(st.integers(0, 2**32 - 1))
def test_parts_sum_to_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    zones, stations = int(rng.integers(1, 9)), int(rng.integers(1, 20))
    of_zone = np.concatenate([np.arange(zones), rng.integers(0, zones, stations)])
    district = np.sort(rng.integers(0, 3, zones))
    levels = Levels(
        tuple(f"Z{z}" for z in range(zones)),
        ("a", "b", "c"),
        district,
        tuple(f"S{n}" for n in range(zones + stations)),
        of_zone,
        rng.uniform(7, 500, zones + stations),
    )
    forecast = drawn(levels, seed)
    share = levels.station_share(rng.gamma(1, 50, zones + stations), float(rng.uniform(0, 40)))
    found: Levelled = levelled(forecast, levels, Correlation(0.3, 0.2), share)
    assert found.city.q50[:, 0] == pytest.approx(forecast.q50.sum(axis=1))
    assert found.district.q50.sum(axis=1) == pytest.approx(forecast.q50.sum(axis=1))
    for z in range(zones):
        assert found.station.q50[:, of_zone == z].sum(axis=1) == pytest.approx(forecast.q50[:, z])
    for each in found:
        assert ((each.q10 >= 0) & (each.q10 <= each.q50 + 1e-9) & (each.q50 <= each.q90 + 1e-9)).all()


def test_widths_grow_by_the_correlation(small_city: City, small_layout: Layout) -> None:
    levels = Levels.of(small_city, small_layout)
    one = np.ones((1, 3))
    forecast = Forecast(ORIGIN, levels.zone_ids, 10 * one - 2, 10 * one, 10 * one + 3)
    group = np.zeros(3, dtype=np.int64)
    apart, together = (summed(forecast, group, ("city",), r) for r in (0.0, 1.0))
    assert together.q90[0, 0] - 30 == pytest.approx(9.0)
    assert apart.q90[0, 0] - 30 == pytest.approx(3 * np.sqrt(3))
    assert 30 - apart.q10[0, 0] == pytest.approx(2 * np.sqrt(3))


def test_stations_of_a_zone_are_together_as_wide_as_it(small_city: City, small_layout: Layout) -> None:
    levels = Levels.of(small_city, small_layout)
    one = np.ones((1, 3))
    all_levels: Levelled = levelled(Forecast(ORIGIN, levels.zone_ids, 90 * one, 100 * one, 110 * one), levels)
    station = all_levels.station
    zone = summed(station, levels.station_zone, levels.zone_ids, 0.1)
    assert zone.q90 == pytest.approx(110 * one)
    assert zone.q10 == pytest.approx(90 * one)


@pytest.mark.parametrize("common", [0.0, 0.3, 0.7])
def test_a_correlation_is_learned(common: float, small_city: City, small_layout: Layout) -> None:
    levels = Levels.of(small_city, small_layout)
    rng = np.random.default_rng(5)
    scale = np.array([5.0, 20.0, 60.0])
    errors = scale * (np.sqrt(common) * rng.normal(size=(2000, 24, 1)) + np.sqrt(1 - common) * rng.normal(size=(2000, 24, 3)))
    assert learned_correlation(errors, levels).city == pytest.approx(max(common, 0.1), abs=0.03)
    assert learned_correlation(errors, levels).lasting == pytest.approx(0, abs=0.03)
    assert learned_correlation(errors[:0], levels) == Correlation()


def test_errors_of_past_days_are_those_of_forecasts_that_knew_nothing_later(small_city: City) -> None:
    model = HourOfWeek.fit(small_city.demand, small_city.time_zone)
    errors = day_ahead_errors(model, small_city.demand, small_city.weather, days=3)
    assert errors.shape == (3, 24, 3)
    row = len(small_city.demand.energy_kwh) - 24
    start = small_city.demand.start
    from_then = model.forecast(
        small_city.demand, small_city.weather, start.fromtimestamp(start.timestamp() + 3600 * row, UTC), 24
    )
    assert errors[-1] == pytest.approx(small_city.demand.energy_kwh[row:] - from_then.q50)


def test_a_measured_share_counts_the_more_the_longer_it_was_measured(small_city: City, small_layout: Layout) -> None:
    levels = Levels.of(small_city, small_layout)
    measured = np.array([10.0, 30.0, 0.0, 0.0, 5.0, 5.0])
    rated, soon, late = (levels.station_share(measured, days) for days in (0.0, 3.0, 1e9))
    assert rated == pytest.approx(levels.station_share())
    assert late[:2] == pytest.approx([0.25, 0.75])
    assert soon[:2] == pytest.approx((rated + late)[:2] / 2)
    assert late[2:4] == pytest.approx(rated[2:4])  # nothing was measured there


def test_shares_of_dundee(shared_data: Path) -> None:
    """Of the energy of twelve weeks, the part that is put at a wrong station: least after four weeks of measuring."""
    import pandas as pd  # noqa: PLC0415

    table = pd.read_parquet(shared_data / "sessions" / "dundee.parquet").query("valid")
    day = (table["arrival"] - table["arrival"].min().normalize()).dt.days
    kwh = table.pivot_table(index=day, columns="station", values="energy_kwh", aggfunc="sum").reindex(range(371)).fillna(0)
    of = table.assign(day=day).groupby("station").agg(first=("day", "min"), last=("day", "max"), kw=("max_power_kw", "max"))
    of["piles"] = table.groupby("station")["connector"].nunique()
    through = of[(of["first"] < 70) & (of["last"] > 340)]
    stations = len(through)
    assert stations == 44
    levels = Levels(
        ("Dundee",),
        ("Dundee",),
        np.zeros(1, dtype=np.int64),
        tuple(through.index),
        np.zeros(stations, dtype=np.int64),
        (through["piles"] * through["kw"]).to_numpy(dtype=np.float64),
    )
    piles = (through["piles"] / through["piles"].sum()).to_numpy(dtype=np.float64)
    found = []
    nothing = kwh.sum(axis=1).to_numpy() == 0  # three months are missing
    for begin in (each for each in range(0, 371 - 28 - 84, 28) if not nothing[each : each + 112].any()):
        seen, came = (kwh.loc[a:b, through.index].sum().to_numpy() for a, b in ((begin, begin + 27), (begin + 28, begin + 111)))
        true = came / came.sum()
        shares = (piles, levels.station_share(), levels.station_share(seen, 28))
        found.append([np.abs(true - share).sum() / 2 for share in shares])
    by_piles, by_power, measured = np.mean(found, axis=0)
    assert by_piles == pytest.approx(0.42, abs=0.01)
    assert by_power == pytest.approx(0.32, abs=0.01)
    assert measured == pytest.approx(0.16, abs=0.01)
