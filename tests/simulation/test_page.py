"""Plots of report pages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.simulation.page import round_ticks


@pytest.mark.parametrize(
    ("span", "ticks"),
    [
        ((0.0, 1.0), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ((-0.7, 14.7), [0.0, 5.0, 10.0]),
        ((17.5, 31.5), [20.0, 25.0, 30.0]),
        ((-0.061, 0.248), [0.0, 0.1, 0.2]),
    ],
)
def test_ticks_are_round(span: tuple[float, float], ticks: list[float]) -> None:
    assert round_ticks(*span) == pytest.approx(ticks)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_there_are_a_few_ticks_evenly_spaced_within_any_span(low: float, width: float) -> None:
    ticks = np.array(round_ticks(low, low + width))
    assert 2 <= ticks.size <= 7
    assert np.ptp(np.diff(ticks)) <= 1e-6 * width
    assert low - 1e-6 * width <= ticks[0]
    assert ticks[-1] <= low + 1.000001 * width
