"""When bays come free: distributions of stays, given that somebody is still there."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.recommendation import left_by, over_by, overtakers
from chargeloop.recommendation.waiting import COME_STILL, HANGING_ON_S, SAID_ERROR, USUAL_DRIVE_S


@given(st.floats(60, 40_000), st.floats(0, 60_000), st.floats(0, 30_000), st.floats(0, 30_000))
def test_the_longer_one_looks_the_likelier_it_is(said_s: float, now_s: float, one_s: float, more_s: float) -> None:
    sooner, later = (left_by(0.0, said_s, now_s, now_s + ahead) for ahead in (one_s, one_s + more_s))
    assert -1e-9 <= sooner <= later + 1e-9 <= 1 + 2e-9


def test_half_have_left_when_they_said() -> None:
    assert left_by(100.0, 3600.0, 100.0, 3700.0) == pytest.approx(0.5)
    assert left_by(100.0, 3600.0, 100.0, 100 + 3600 * math.exp(SAID_ERROR)) == pytest.approx(0.8413, abs=1e-4)


def test_nobody_has_left_who_is_seen_there() -> None:
    assert left_by(0.0, 3600.0, 4000.0, 4000.0) == 0
    assert left_by(0.0, 3600.0, 90_000.0, 90_000.0) == 0


def test_one_long_overdue_leaves_soon() -> None:
    assert left_by(0.0, 3600.0, 90_000.0, 90_000 + HANGING_ON_S) == pytest.approx(1 - math.exp(-1))


def test_after_a_fast_charge_the_stay_is_exponential() -> None:
    assert over_by(1000.0, 600.0, 900.0) == 0
    assert over_by(1000.0, 600.0, 1600.0) == pytest.approx(1 - math.exp(-1))


def test_only_those_overtake_whom_nobody_knows_yet() -> None:
    at_once, soon, late = (overtakers(0.01, ahead_s) for ahead_s in (0.0, 200.0, 6000.0))
    assert at_once == 0
    assert soon < 0.5 * 0.01 * 200  # most who come so soon are under way already
    assert late == pytest.approx(COME_STILL * 0.01 * (6000 - USUAL_DRIVE_S), rel=1e-6)
