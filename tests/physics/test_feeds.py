"""Feeds that have stopped: what stands still, and what only rests."""

import numpy as np

from chargeloop.model.city import Floats
from chargeloop.physics import IDLE_TIMES, STALE_H, stale_from

HOURS = 24 * 14


def feeds() -> Floats:
    """Eight feeds that move, as columns of hours."""
    return np.random.default_rng(1).uniform(1, 50, (HOURS, 8))


def test_what_stands_still_has_stopped_and_since_when() -> None:
    energy = feeds()
    energy[-STALE_H:, 1] = 7.0
    energy[-STALE_H + 1 :, 2] = 7.0  # an hour too few
    energy[-100:, 3] = np.nan
    energy[-200:-50, 4] = 7.0  # moves again
    energy[:, 5] = 7.0  # has never moved
    assert stale_from(energy, STALE_H, IDLE_TIMES).tolist() == [-1, HOURS - STALE_H, -1, HOURS - 100, -1, -1, -1, -1]


def test_a_zone_that_rests_every_night_has_not_stopped_until_it_rests_much_longer() -> None:
    energy = feeds()
    energy[-60:, :2] = 0.0
    energy[100:140, 1] = 0.0  # has rested for 40 hours before
    assert stale_from(energy, STALE_H, IDLE_TIMES)[:2].tolist() == [HOURS - 60, -1]
    energy[-80:, :2] = 0.0
    assert stale_from(energy, STALE_H, IDLE_TIMES)[:2].tolist() == [HOURS - 80, HOURS - 80]


def test_no_hours_are_no_fault() -> None:
    assert stale_from(np.zeros((0, 3)), STALE_H, IDLE_TIMES).tolist() == [-1, -1, -1]
