"""Two hundred equal requests within five seconds: nine of ten promises hold at every station that they are sent to."""

import numpy as np
import pytest

from benchmarks.recommendation_herd import ENOUGH, HERD, Herd, herd


@pytest.mark.parametrize("is_dc", [False, True])
def test_a_herd_in_one_turn_of_the_loop(is_dc: bool) -> None:
    kept = herd(Herd(None, 1.0, 1, is_dc, at_once=True))
    assert (kept.station >= 0).sum() == HERD
    assert len(np.unique(kept.station)) > 10
    assert kept.by_station().min() >= ENOUGH


def test_a_herd_answered_one_by_one() -> None:
    """Here some stations get few of them, where a single promise that breaks is more than one in ten."""
    kept = herd(Herd(None, 1.0, 1, is_dc=False, at_once=False))
    assert (kept.wait_s <= kept.promised_s).mean() >= ENOUGH
    assert np.mean(kept.by_station() >= ENOUGH) >= ENOUGH
