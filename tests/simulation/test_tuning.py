"""What is tuned against the twin: the same for a seed, never worse where it looked, judged on other days in pairs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chargeloop.city import builtin_city
from chargeloop.guidance import Guide
from chargeloop.loop import known_until
from chargeloop.model import BadInput, City, Layout
from chargeloop.prediction import HourOfWeek, forecast_city
from chargeloop.recommendation import Prices
from chargeloop.simulation import (
    SHIPPED,
    Change,
    Days,
    Drivers,
    Judge,
    Manner,
    Outcome,
    Setting,
    default_day,
    minutes_lost,
    paired,
    shadow_prices,
    tune_front,
    tune_policy,
)
from chargeloop.simulation.search import hypervolumes, non_dominated, search
from chargeloop.simulation.tuning import AIMS, knobs_of, manner_of, shipped_point
from tests.simulation.conftest import MakeTwin
from tests.small_city import START

QUICK: dict[str, Any] = {"population": 6, "generations": 3, "seed": 1}


@pytest.fixture(scope="module")
def setting(small_city: City, small_layout: Layout) -> Setting:
    guide = Guide.of(small_city, small_layout)
    forecast = HourOfWeek.fit(small_city.demand, small_city.time_zone).forecast(small_city.demand, small_city.weather, START, 6)
    rng = np.random.default_rng(3)
    prices = shadow_prices(small_city, small_layout, guide, forecast, START, 6, rng, level=1.5)
    return Setting(small_city, START, 6, 1.5, 1, prices)


def test_the_shipped_manner_is_what_the_twin_does_by_default(make_twin: MakeTwin, setting: Setting) -> None:
    one, other = make_twin("priced", prices=setting.prices), make_twin("priced", prices=setting.prices).again(SHIPPED)
    for _ in range(60):
        one.step()
        other.step()
    for name in ("pool", "arrive_s", "start_s", "kwh"):
        np.testing.assert_array_equal(one.state.cars[name], other.state.cars[name])
    with pytest.raises(BadInput, match="begun"):
        one.again(SHIPPED)


def test_the_point_of_what_is_shipped_is_what_is_shipped(small_city: City, draw: Callable[..., Drivers]) -> None:
    knobs = knobs_of(small_city)
    found = manner_of(knobs, shipped_point(knobs))
    assert {knob.name for knob in knobs} >= {"price", "risk", "amount", "price.taxi", "risk.evening"}
    assert (found.times_price, found.risk, found.amount) == pytest.approx((1.0, SHIPPED.risk, 0.0))
    assert set(found.price_factors.values()) == {1.0}


@pytest.fixture(scope="module")
def evening() -> Setting:
    """Of the built-in city: the small one has too few stations to choose from."""
    city = builtin_city()
    layout = Layout.of(city)
    guide, start = Guide.of(city, layout), default_day(city) + timedelta(hours=17)
    forecast = forecast_city(known_until(city, start), start, 4)
    prices = shadow_prices(city, layout, guide, forecast, start, 4, np.random.default_rng(3), level=1.3)
    return Setting(city, start, 4, 1.3, 1, prices)


@pytest.mark.parametrize(
    ("manner", "figure", "sign"),
    [
        (Manner(amount=1.0), "cny_per_kwh", -1),
        (Manner(busy_min=20.0), "jain", 1),
        (Manner(times_price=0.0, risk=0.0), "minutes", 1),
    ],
)
def test_each_weight_moves_what_it_is_about(evening: Setting, manner: Manner, figure: str, sign: int) -> None:
    with Judge(evening) as judge:
        shipped, other = judge([SHIPPED, manner], [0])
    assert isinstance(shipped[0], Outcome)
    change = np.mean([getattr(b, figure) - getattr(a, figure) for a, b in zip(shipped, other, strict=True)])
    assert sign * change > 0


def test_factors_are_those_of_tier_and_hour(make_twin: MakeTwin, setting: Setting) -> None:
    manner = Manner(price_factors={"taxi": 2.0, "evening": 0.5}, risk_factors={"night": 3.0})
    twin = make_twin("priced", prices=setting.prices, manner=manner)
    cars, local_h = twin.state.cars, (twin.drivers.appear_s / 3600 + 8) % 24
    late, taxi = local_h >= 23, twin.drivers.tier == 1
    assert late.any()
    assert taxi.any()
    assert (cars["times_price"] == np.where(taxi, 2.0, 1.0) * np.where(late, 1.0, 0.5)).all()
    assert (cars["risk"] == SHIPPED.risk * np.where(late, 3.0, 1.0)).all()


def test_a_tuned_policy_is_the_same_for_a_seed_and_no_worse_where_it_looked(setting: Setting) -> None:
    with Judge(setting) as judge:
        one, other = (tune_policy(judge, setting.city, [0, 1], [100, 101, 102], **QUICK) for _ in range(2))
        swarm = tune_policy(judge, setting.city, [0], [100, 101], method="pso", **QUICK)
    assert one.knobs == other.knobs
    assert one.learned["minutes"].change <= 0
    assert swarm.learned["minutes"].change <= 0
    assert one.best_by_generation == sorted(one.best_by_generation, reverse=True)
    assert one.checked["minutes"].days == 3
    assert np.isfinite(one.checked["minutes"].half_width)
    assert one.evaluations >= QUICK["population"] * QUICK["generations"]


def test_on_two_cores_the_outcomes_are_the_same(setting: Setting) -> None:
    with Judge(setting) as here, Judge(setting, cores=2) as there:
        assert here([SHIPPED, Manner(risk=0.0)], [0, 1]) == there([SHIPPED, Manner(risk=0.0)], [0, 1])


def test_no_policy_of_a_front_is_beaten_in_everything(setting: Setting) -> None:
    with Judge(setting) as judge:
        one, other = (tune_front(judge, [0], [100, 101], **QUICK) for _ in range(2))
    assert [point.knobs for point in one.points] == [point.knobs for point in other.points]
    aims = np.array([[sign * point.learned[name] for name, sign in AIMS.items()] for point in one.points])
    assert len(non_dominated(aims)) == len(aims)
    assert one.hypervolumes == sorted(one.hypervolumes)
    assert any(point.stays for point in one.points)


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, (12, 3), elements=st.integers(0, 4).map(float)))
def test_what_is_not_dominated_is_so_by_definition(values: np.ndarray) -> None:
    kept = set(non_dominated(values).tolist())
    better = [[bool((b <= a).all() and (b < a).any()) for b in values] for a in values]
    assert kept <= {n for n, row in enumerate(better) if not any(row)}
    assert {tuple(values[n]) for n in kept} == {tuple(values[n]) for n, row in enumerate(better) if not any(row)}


def test_a_search_comes_near_an_optimum_that_is_known() -> None:
    def far(points: np.ndarray) -> np.ndarray:
        return np.asarray(((points - 0.7) ** 2).sum(axis=1, keepdims=True))

    start = np.full(3, 0.4)
    for method in ("ga", "pso"):
        found = search(method, start, 1, far, population=20, generations=25, seed=1)
        assert found.values[found.best, 0] < 0.1 * far(start[None])[0, 0]


def test_the_hypervolume_is_that_of_the_boxes() -> None:
    two = search("nsga2", np.full(2, 0.5), 2, lambda points: points, population=4, generations=1, seed=1)
    corners = replace(two, points=np.zeros((2, 2)), values=np.array([[0.0, 0.5], [0.5, 0.0]]), generation=np.array([1, 2]))
    assert hypervolumes(corners, np.ones(2), np.zeros(2)) == pytest.approx([0.5, 0.75])


def test_pairs_tell_what_a_day_would_hide() -> None:
    day = np.random.default_rng(1).normal(100, 30, 12)
    change = paired(day.tolist(), (day - 1 + np.random.default_rng(2).normal(0, 0.1, 12)).tolist())
    assert isinstance(change, Change)
    assert change.change == pytest.approx(-1, abs=0.1)
    assert change.is_sure
    assert "%" in change.in_words
    assert not paired([1.0], [2.0]).is_sure
    with pytest.raises(BadInput, match="pairs"):
        paired([1.0], [])


def test_bad_searches_are_named() -> None:
    with pytest.raises(BadInput, match="there is no 'luck'"):
        search("luck", np.zeros(2), 1, lambda points: points[:, :1], population=4, generations=1, seed=1)
    with pytest.raises(BadInput, match="4 points"):
        search("ga", np.zeros(2), 1, lambda points: points[:, :1], population=2, generations=1, seed=1)


def test_a_day_is_judged_until_all_are_gone(setting: Setting) -> None:
    days = Days(replace(setting, prices=Prices(0 * setting.prices.rate, setting.prices.bin_s)))
    twin = days.twin(setting.city, setting.draw(days.layout, 0))
    outcome = days.run(twin, setting.city)
    assert outcome.minutes == pytest.approx(minutes_lost(twin.state.cars)[0].mean())
    assert outcome.feeder_peaks_mw >= outcome.peak_mw - 1e-9
    assert 0.3 < outcome.cny_per_kwh < 2
