"""Charging curves and consumption."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import ChargingCurve, VehicleModel
from chargeloop.physics import accepted_kw, charge_minutes, curve_table, drive_kwh, kernel

CAR = VehicleModel("car", "car", 60.0, 7.0, 100.0, ChargingCurve((0.0, 0.5, 1.0), (100.0, 80.0, 10.0)), 0.15)
WEAK = VehicleModel("weak", "weak", 20.0, 3.3, 0.0, ChargingCurve((0.0, 1.0), (0.0, 0.0)), 0.1)
DC, AC = curve_table((CAR, WEAK))


def minutes(soc: float, target: float, limit_kw: float, is_dc: bool = True, model: int = 0) -> float:
    one = (np.array([model]), np.array([60.0]), np.array([soc]), np.array([target]), np.array([is_dc]), np.array([limit_kw]))
    return float(charge_minutes(DC, AC, *one)[0])


def in_seconds(soc: float, target: float, limit_kw: float) -> float:
    """The same, second by second."""
    seconds = 0
    while soc < target:
        soc += accepted_kw(DC, AC, 0, True, soc, limit_kw) / 3600 / 60.0
        seconds += 1
    return seconds / 60


def test_power_follows_the_curve_the_cable_and_the_charger_on_board() -> None:
    assert DC[0, [0, 50, 75, 100]].tolist() == pytest.approx([100, 80, 45, 10])
    assert accepted_kw(DC, AC, 0, True, 0.25, 200.0) == pytest.approx(90)
    assert accepted_kw(DC, AC, 0, True, 0.25, 50.0) == 50
    assert accepted_kw(DC, AC, 0, False, 0.25, 11.0) == 7
    assert accepted_kw(DC, AC, 0, True, 1.0, 50.0) == 0


@given(st.floats(0, 0.9), st.floats(0.01, 0.99), st.floats(5, 150))
def test_the_time_is_that_of_the_small_steps(soc: float, more: float, limit_kw: float) -> None:
    target = min(soc + more, 0.99)
    assert minutes(soc, target, limit_kw) == pytest.approx(in_seconds(soc, target, limit_kw), rel=5e-3, abs=0.05)


def test_the_ends() -> None:
    assert minutes(0.5, 0.5, 50) == 0
    assert minutes(0.2, 0.7, 7.0, is_dc=False) == pytest.approx(0.5 * 60 / 7 * 60)
    assert minutes(0.2, 0.8, 50, model=1) == np.inf  # takes no DC at all
    assert minutes(0.2, 0.8, 0.0) == np.inf


def test_heat_and_cold_cost_energy() -> None:
    mild = float(drive_kwh(10.0, 0.15, 21.5))
    assert mild == pytest.approx(1.5)
    assert float(drive_kwh(10.0, 0.15, -5.0)) > 1.25 * mild
    assert 1.05 * mild < float(drive_kwh(10.0, 0.15, 35.0)) < 1.2 * mild
    assert drive_kwh(np.array([1.0, 2.0]), 0.2, 21.5).tolist() == pytest.approx([0.2, 0.4])


def test_a_kernel_is_the_same_function_compiled() -> None:
    assert kernel(_twice)(np.array([1.5])) == 3.0


def _twice(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(values[0] * 2)
