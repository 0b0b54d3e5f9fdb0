"""Prices that move load: people react as the model says, as much is earned, and the twin is asked on other days."""

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeloop.model import BadInput, City, Layout
from chargeloop.model.city import Floats
from chargeloop.recommendation import Prices
from chargeloop.simulation import Days, Drivers, Flexibility, Response, Setting, draw_drivers, tune_prices
from chargeloop.simulation.time_of_use import RATIO, city_prices, expected, point_of, shape_of, with_shape
from tests.small_city import START, small_city

HOURS = 12
ALL = Flexibility(share=1.0)


@pytest.fixture(scope="module")
def usual(small_city: City, small_layout: Layout) -> Floats:
    return np.asarray(np.add(*city_prices(small_city, small_layout)))


@pytest.fixture
def response(small_city: City, draw: Callable[..., Drivers], usual: Floats) -> Response:
    return Response(small_city, draw(hours=HOURS, level=2.0), usual, ALL, np.random.default_rng(1))


def test_nobody_moves_unless_prices_do(response: Response, usual: Floats) -> None:
    assert not response.shift_h(response.cny(usual)).any()
    moved = response.moved(usual)
    np.testing.assert_array_equal(moved.appear_s, response.drivers.appear_s)


def test_drivers_move_to_hours_that_become_cheaper(response: Response, usual: Floats) -> None:
    cheap = usual.copy()
    cheap[21:24] = 0.1
    moved = response.moved(cheap)
    hour = (moved.appear_s / 3600 + 8) % 24
    before = (response.drivers.appear_s / 3600 + 8) % 24
    assert ((hour >= 21) & (hour < 24)).sum() > 1.1 * ((before >= 21) & (before < 24)).sum()
    assert (np.diff(moved.appear_s) >= 0).all()
    assert np.sort(moved.said_stay_s) == pytest.approx(np.sort(response.drivers.said_stay_s))
    assert moved.appear_s.min() >= START.timestamp()
    assert moved.appear_s.max() < START.timestamp() + HOURS * 3600


def test_the_fewer_are_flexible_the_fewer_move(small_city: City, draw: Callable[..., Drivers], usual: Floats) -> None:
    cheap = np.where(np.arange(24) >= 20, 0.3, usual)

    def moved(flexibility: Flexibility) -> int:
        each = Response(small_city, draw(hours=HOURS), usual, flexibility, np.random.default_rng(1))
        return int(np.count_nonzero(each.shift_h(each.cny(cheap))))

    assert moved(Flexibility(share=0.0)) == 0 < moved(Flexibility(share=0.2)) < moved(ALL)
    assert moved(Flexibility(share=1.0, dislike=3.0)) < moved(ALL)


def test_energy_is_where_people_are(response: Response) -> None:
    kwh = response.load_kw(response.stay).sum() / 12
    of_all = ((response.drivers.target - response.drivers.soc) * response.drivers.battery_kwh).sum()
    assert kwh == pytest.approx(of_all, rel=0.02)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_whatever_the_hours_as_much_is_earned(point: list[float]) -> None:
    city = small_city()
    layout = Layout.of(city)
    energy, service = city_prices(city, layout)
    drivers = draw_drivers(city, layout, START, HOURS, 1.0, np.random.default_rng(1))
    day = Response(city, drivers, energy + service, ALL, np.random.default_rng(2))
    earned = day.fixed_cny(energy + service) + day.paid_cny(day.cny(energy + service), day.stay)
    shape = shape_of(np.array(point))
    found = expected([day], shape, service, energy + service)
    assert found.revenue_cny == pytest.approx(earned, rel=0.03)
    new = np.add(*city_prices(with_shape(city, layout, shape, found.level), layout))
    np.testing.assert_allclose(new, found.level * shape + service, atol=0.006)  # to the cent


def test_a_tariff_keeps_service_prices_and_covers_the_day(small_city: City, small_layout: Layout) -> None:
    energy, _ = city_prices(small_city, small_layout)
    shape = shape_of(point_of(energy))
    assert shape.min() >= RATIO[0]
    other = with_shape(small_city, small_layout, shape, 0.7)
    for before, after in zip(small_city.tariffs, other.tariffs, strict=True):
        assert {band.service_per_kwh for band in after.bands} == {before.bands[0].service_per_kwh}
        assert all(band.energy_per_kwh == band.energy_per_kwh.quantize(Decimal("0.01")) for band in after.bands)
        assert after.idle_per_min == before.idle_per_min


def test_prices_found_lower_the_peak_that_is_expected(small_city: City, small_layout: Layout) -> None:
    setting = Setting(small_city, START, HOURS, 1.0, 1, Prices(np.zeros((len(small_layout.pool_station), 48)), 900.0))
    days = Days(setting)
    one, other = (tune_prices(days, [0, 1, 2], [100, 101, 102], ALL, population=12, generations=8, seed=1) for _ in range(2))
    assert one.city.tariffs == other.city.tariffs
    assert one.found.peak_kw < one.usual.peak_kw
    assert one.found.revenue_cny == pytest.approx(one.usual.revenue_cny, rel=0.01)
    assert 0 < one.found.moved_share < 1
    assert one.checked["peak_mw"].days == 3
    assert abs(one.checked["revenue_cny"].change) < 0.1 * one.checked["revenue_cny"].before


@pytest.mark.parametrize("wrong", [{"share": 1.2}, {"window_h": 0}, {"dislike": -1.0}, {"scale_cny": 0.0}])
def test_flexibility_that_cannot_be_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="flexibility"):
        Flexibility(**wrong)  # type: ignore[arg-type]
