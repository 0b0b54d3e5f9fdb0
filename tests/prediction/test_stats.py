"""What forecasters are fitted and judged by, and feeds that stand still."""

import numpy as np
import pytest

from chargeloop.prediction import without_frozen
from chargeloop.prediction.history import FROZEN_H, is_held, still_h
from chargeloop.prediction.stats import mean_of_known, weighted_quantiles


def test_weight_counts_like_repetition() -> None:
    rng = np.random.default_rng(1)
    values, times = rng.normal(size=50), rng.integers(1, 6, 50)
    repeated = np.sort(values.repeat(times))
    for share in (0.1, 0.5, 0.9):
        there = repeated[int(np.ceil(share * repeated.size)) - 1]
        assert weighted_quantiles(values, times.astype(np.float64), share) == there
    assert weighted_quantiles(values, np.ones(50), (0.0, 1.0)).tolist() == [values.min(), values.max()]


def test_mean_leaves_out_what_is_not_known() -> None:
    found = mean_of_known(np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]]))
    assert found[:2].tolist() == [2.0, 5.0]
    assert np.isnan(found[2])


@pytest.mark.parametrize("run_h", [FROZEN_H - 1, FROZEN_H, 3 * FROZEN_H])
def test_a_positive_value_is_frozen_from_a_day_on_wherever_it_stands_still(run_h: int) -> None:
    energy = np.random.default_rng(2).uniform(1, 2, (200, 3))
    energy[:run_h, 0] = 5.0
    energy[60 : 60 + run_h, 1] = 6.0
    energy[-run_h:, 2] = 7.0
    gone = np.isnan(without_frozen(energy))
    assert np.array_equal(gone, np.isin(energy, (5.0, 6.0, 7.0)) & (run_h >= FROZEN_H))
    assert is_held(energy).tolist() == [False, False, run_h >= FROZEN_H]
    assert still_h(energy).max(axis=0).tolist() == [run_h - 1] * 3


def test_zeros_are_held_but_not_frozen_and_gaps_are_neither() -> None:
    energy = np.zeros((100, 2))
    energy[:, 1] = np.nan
    assert is_held(energy).tolist() == [True, False]
    assert np.array_equal(without_frozen(energy), energy, equal_nan=True)
