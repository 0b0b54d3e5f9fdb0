"""One price: lines, total, and the array form that agrees to the cent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput, MeterPoint, PriceBand, Tariff
from chargeloop.pricing import Priced, RateTable, estimate, price, quote

D = Decimal
EVENING = datetime(2025, 6, 10, 12, 0, tzinfo=UTC)  # 20:00 in Shanghai


def tariff(time_zone: str = "Asia/Shanghai", idle: str = "0.50") -> Tariff:
    return Tariff(
        "t",
        "CNY",
        time_zone,
        (
            PriceBand(0, 8, D("0.30"), D("0.40")),
            PriceBand(8, 21, D("1.10"), D("0.40")),
            PriceBand(21, 24, D("0.70"), D("0.50")),
        ),
        idle_per_min=D(idle),
        idle_free_min=15,
        idle_cap=D("20"),
    )


def at(minutes: float) -> datetime:
    return EVENING + timedelta(minutes=minutes)


def test_energy_and_service_in_one_band() -> None:
    priced = quote(tariff(), EVENING, 30, 20.0)
    assert [(line.dimension, line.amount) for line in priced.lines] == [("energy", D("22.0000")), ("service", D("8.0000"))]
    assert priced.amount == D("30.00")


def test_a_session_over_a_band_edge_is_split_by_time() -> None:
    priced = quote(tariff(), EVENING, 120, 20.0)  # 20:00 to 22:00, half in each band
    assert priced.amount == D("10") * D("1.10") + D("10") * D("0.70") + D("10") * D("0.40") + D("10") * D("0.50")
    assert [line.quantity for line in priced.lines] == [D("10.000000")] * 4


def test_meter_points_say_when_energy_flowed() -> None:
    points = (MeterPoint(at(0), 0.0), MeterPoint(at(60), 20.0), MeterPoint(at(120), 20.0))
    assert price(tariff(), points, None, at(120)).amount == D("20") * D("1.50")


def test_idle_time_costs_after_the_free_minutes_up_to_the_cap() -> None:
    points = (MeterPoint(at(0), 0.0), MeterPoint(at(30), 10.0))
    without = price(tariff(), points, at(30), at(45)).amount
    assert without == D("15.00")
    assert price(tariff(), points, at(30), at(45 + 4)).amount - without == D("2.00")
    assert price(tariff(), points, at(30), at(45 + 400)).amount - without == D("20.00")
    assert price(tariff(idle="0"), points, at(30), at(400)).amount == without


def test_nothing_charged_costs_nothing() -> None:
    assert price(tariff(), (), None, EVENING) == Priced((), D("0.00"))
    assert price(tariff(), (MeterPoint(at(0), 0.0), MeterPoint(at(9), 0.0)), None, at(9)).amount == 0


def test_energy_at_one_instant_falls_into_its_band() -> None:
    assert price(tariff(), (MeterPoint(at(0), 0.0), MeterPoint(at(0), 1.0)), None, at(0)).amount == D("1.50")


def test_the_hour_that_clocks_skip_or_repeat_is_priced_by_local_time() -> None:
    berlin = tariff("Europe/Berlin")
    spring = datetime(2025, 3, 30, 0, 30, tzinfo=UTC)  # 01:30, then 03:00 comes after 02:00
    assert quote(berlin, spring, 60, 10.0).amount == D("7.00")
    to_eight = quote(berlin, datetime(2025, 3, 30, 5, 30, tzinfo=UTC), 60, 10.0)  # 07:30 to 08:30 summer time
    assert [line.quantity for line in to_eight.lines if line.dimension == "energy"] == [D("5.000000"), D("5.000000")]


energies = st.floats(0, 120, allow_nan=False)
durations = st.floats(1, 36 * 60)
starts = st.integers(0, 3 * 24 * 60).map(lambda minutes: EVENING + timedelta(minutes=minutes))


@given(st.lists(st.tuples(st.integers(0, 90), st.floats(0, 10)), min_size=1, max_size=30), st.integers(0, 200))
def test_the_total_is_the_sum_of_the_lines_and_never_negative(steps: list[tuple[int, float]], idle: int) -> None:
    points, now, kwh = [MeterPoint(EVENING, 0.0)], EVENING, 0.0
    for minutes, energy in steps:
        now, kwh = now + timedelta(minutes=minutes), kwh + energy
        points.append(MeterPoint(now, kwh))
    priced = price(tariff(), points, now, now + timedelta(minutes=idle))
    assert priced.amount == sum((line.amount for line in priced.lines), D(0)).quantize(D("0.01"), "ROUND_HALF_UP")
    assert all(line.amount >= 0 for line in priced.lines)
    charged = sum((line.quantity for line in priced.lines if line.dimension == "energy"), D(0))
    assert float(charged) == pytest.approx(kwh, abs=1e-4)


@given(starts, durations, energies, st.floats(0.01, 0.99))
def test_a_point_in_between_on_the_line_changes_nothing(start: datetime, minutes: float, kwh: float, share: float) -> None:
    end = start + timedelta(minutes=minutes)
    ends = (MeterPoint(start, 0.0), MeterPoint(end, kwh))
    middle = MeterPoint(start + share * (end - start), share * kwh)
    whole = price(tariff(), ends, None, end).amount
    split = price(tariff(), (ends[0], middle, ends[1]), None, end).amount
    assert abs(whole - split) <= D("0.01")


@given(starts, durations, energies)
def test_the_array_form_agrees_to_the_cent(start: datetime, minutes: float, kwh: float) -> None:
    tariffs = (tariff(), tariff("Asia/Kolkata"))
    rates = RateTable.of(tariffs, ["t", "t"])
    rates = RateTable(rates.energy, rates.service, np.array([0, 1]), tariffs)
    same = np.full(2, 1.0)
    array = estimate(rates, np.array([0, 1]), start.timestamp() * same, minutes * same, kwh * same)
    for station in (0, 1):
        exact = quote(rates.tariff_of(station), start, minutes, kwh).amount
        assert array[station] == pytest.approx(float(exact), abs=0.0052)  # half a cent of rounding, and the lines' own


def test_a_tariff_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="'night'"):
        RateTable.of([tariff()], ["night"])
