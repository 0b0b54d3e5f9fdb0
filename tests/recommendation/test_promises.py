"""Promised waits: against queues that are simulated, and what must hold of them."""

import numpy as np
import pytest

from chargeloop.model import Current
from chargeloop.recommendation import Z90, line_wait_s, turns, wait_quantiles_s
from tests.recommendation.conftest import Ask, Scene

NOW_S, BAYS, STAY_S = 0.0, 6, 3600.0


def wait(ahead: float, risk: float = Z90, arrive_s: float = 300.0, unknown: float = 0.0) -> float:
    """At six bays that come free one after the other within the hour, each driver before staying an hour."""
    free_s = np.linspace(600, 3600, BAYS)
    return line_wait_s(free_s, False, NOW_S, arrive_s, ahead, 200.0, STAY_S, unknown, risk)


def queue_waits_s(ahead: int, rng: np.random.Generator) -> float:
    """One draw of the same: bays whose stays end about when expected, drivers who take the first that is free."""
    ends = np.sort(np.maximum(rng.normal(np.linspace(600, 3600, BAYS), 1440), 0))
    for _ in range(ahead):
        ends[0] = max(ends[0], 200) + STAY_S * rng.lognormal(0, 0.2)
        ends.sort()
    return float(max(ends[0] - 300, 0))


@pytest.mark.parametrize("ahead", [0, 2, 7, 20])
def test_nine_of_ten_waits_are_within_the_promise(ahead: int) -> None:
    rng = np.random.default_rng(ahead)
    waits = np.array([queue_waits_s(ahead, rng) for _ in range(2000)])
    assert (waits <= wait(ahead)).mean() > 0.88


def test_more_before_more_unknown_and_more_certainty_all_make_it_longer() -> None:
    assert wait(0) < wait(3) < wait(9) < wait(30)
    assert wait(3, 0.0) < wait(3) < wait(3, 2.33)
    assert wait(3) < wait(3, unknown=2.0)


def test_a_pool_without_a_bay_in_order_promises_nothing() -> None:
    assert line_wait_s(np.full(2, np.inf), True, NOW_S, 60.0, 0.0, 0.0, 0.0, 0.0, Z90) == np.inf


def test_a_bay_comes_free_as_often_as_stays_fit() -> None:
    times, variance = turns(1.0, 0.0, 0.0, 3600.0, False, 5.0, 2.5 * 3600)
    assert times == pytest.approx(3, abs=0.1)  # at once, and after one and two stays
    assert 0 <= variance < 0.3
    assert turns(0.4, 0.0, 0.0, 3600.0, False, 0.0, 7200.0) == pytest.approx((0.4, 0.24))


def test_quantiles_are_in_order_and_fall_with_time(scene: Scene) -> None:
    world = scene.taken({(0, Current.AC): [20.0, 40.0, 50.0, 80.0]}).world
    pool = np.full(3, scene.pool(0, Current.AC))
    arrive_s = world.now_s + 60 * np.array([0.0, 30.0, 60.0])
    quantiles = wait_quantiles_s(world, np.zeros(len(world.layout.pool_station)), pool, arrive_s, (-Z90, 0.0, Z90))
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (np.diff(quantiles, axis=0) <= 0).all()
    assert quantiles[0, 2] > 0


def test_a_crowd_is_promised_more_than_one_alone(scene: Scene, ask: Ask) -> None:
    """Forty who ask at once each count the others."""
    alone = scene.recommend([ask()])[0].chosen
    crowd = [each.chosen for each in scene.recommend([ask() for _ in range(40)])]
    assert alone is not None
    assert alone.wait_p90_min == 0
    assert all(offer is not None and offer.wait_p90_min >= offer.wait_min for offer in crowd)
    last = max(offer.wait_min for offer in crowd if offer is not None)
    assert min(offer.wait_p90_min for offer in crowd if offer is not None) > 0.5 * last
