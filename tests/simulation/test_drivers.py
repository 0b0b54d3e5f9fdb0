"""The draw of drivers: level, places, batteries and what drivers say."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from chargeloop.model import BadInput, City, Layout, Tier
from chargeloop.physics import distance_m
from chargeloop.simulation import Drivers, draw_drivers, joined_drivers
from chargeloop.simulation.drivers import ARRAYS, in_evening
from chargeloop.simulation.fleets import TIERS
from tests.small_city import START

MIDNIGHT = START.replace(hour=16, minute=0)  # in Shanghai


@pytest.mark.parametrize("level", [0.5, 1.5])
def test_the_level_is_met_in_expectation(small_city: City, small_layout: Layout, level: float) -> None:
    levels = [
        draw_drivers(small_city, small_layout, MIDNIGHT, 24, level, np.random.default_rng(seed)).level for seed in range(200)
    ]
    assert np.mean(levels) == pytest.approx(level, abs=3 * np.std(levels) / np.sqrt(len(levels)))
    assert np.std(levels) / np.sqrt(len(levels)) < 0.02 * level  # the check is sharp


def test_the_measured_demand_is_not_scaled(small_city: City, small_layout: Layout) -> None:
    asked_h = np.array(
        [
            draw_drivers(small_city, small_layout, MIDNIGHT, 24, None, np.random.default_rng(seed)).asked_s.sum() / 3600
            for seed in range(200)
        ]
    )
    bays = np.bincount(small_layout.station_zone[small_layout.evse_station])
    wednesday = small_city.behaviour.busy_share[48:72]
    assert asked_h.mean() == pytest.approx((wednesday @ bays).sum(), rel=0.02)


def test_bay_hours_follow_the_hour_the_zone_and_the_current(small_city: City, small_layout: Layout) -> None:
    drivers = draw_drivers(small_city, small_layout, MIDNIGHT, 24 * 7 * 8, 1.0, np.random.default_rng(1))
    bays = np.bincount(small_layout.pool_is_dc[small_layout.evse_pool])
    asked = np.bincount(drivers.is_dc, drivers.asked_s)
    assert asked[1] / asked[0] == pytest.approx(bays[1] / bays[0], rel=0.1)
    local_hour = ((drivers.appear_s // 3600).astype(int) + 8) % 24
    by_hour = np.bincount(local_hour, drivers.asked_s)
    assert np.corrcoef(by_hour, small_city.behaviour.busy_share[:24, 0])[0, 1] > 0.97


def test_places_lie_in_the_zones(draw: Callable[..., Drivers], small_city: City) -> None:
    drivers = draw()
    away = np.min(
        [distance_m(drivers.lon, drivers.lat, z.centre.lon, z.centre.lat) - z.radius_m for z in small_city.zones], axis=0
    )
    assert (away <= 5).all()  # metres, since a degree is not the same length everywhere


def test_what_drivers_want_can_be_had(draw: Callable[..., Drivers], small_city: City) -> None:
    drivers = draw(hours=48)
    assert (np.diff(drivers.appear_s) >= 0).all()
    assert ((drivers.soc > 0) & (drivers.soc < drivers.target) & (drivers.target <= 1)).all()
    assert (drivers.depart_by_s > drivers.appear_s).all()
    ac = ~drivers.is_dc
    ac_kw = np.array([m.ac_kw for m in small_city.models])[drivers.model]
    wanted = (drivers.target - drivers.soc) * drivers.battery_kwh
    assert (wanted[ac] <= np.maximum(ac_kw * drivers.stay_s / 3600, 0.011 * drivers.battery_kwh)[ac]).all()
    assert np.median((drivers.said_stay_s / drivers.stay_s)[ac]) == pytest.approx(1, abs=0.1)
    assert (drivers.said_stay_s[ac] != drivers.stay_s[ac]).all()  # nobody knows quite how long it will be
    quartiles = np.quantile(drivers.stay_s[ac] / 60, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, small_city.behaviour.ac_stay_min[1:4], rtol=0.25)


def test_the_fleet_is_drawn_by_share(draw: Callable[..., Drivers]) -> None:
    tier = draw(hours=24 * 14).tier
    share = np.bincount(tier, minlength=len(TIERS)) / tier.size
    assert share[TIERS.index(Tier.PRIVATE)] == pytest.approx(0.8, abs=0.03)
    assert share[TIERS.index(Tier.TAXI)] == pytest.approx(0.15, abs=0.03)
    assert share[TIERS.index(Tier.BUS)] == 0


def test_the_same_seed_draws_the_same_drivers(draw: Callable[..., Drivers]) -> None:
    one, same, other = draw(seed=1), draw(seed=1), draw(seed=2)
    assert all((getattr(one, name) == getattr(same, name)).all() for name in ARRAYS)
    assert len(one) != len(other) or (one.appear_s != other.appear_s).any()


def test_no_evening_no_level(small_city: City, small_layout: Layout) -> None:
    drivers = draw_drivers(small_city, small_layout, MIDNIGHT, 3, 1.0, np.random.default_rng(1))
    assert np.isnan(drivers.level)
    assert not in_evening(drivers.appear_s, small_city.time_zone).any()


def test_drivers_follow_on_each_other(draw: Callable[..., Drivers], small_city: City, small_layout: Layout) -> None:
    one = draw()
    end = START + timedelta(hours=6)
    rng = np.random.default_rng(2)
    more = draw_drivers(small_city, small_layout, end, 6, 1.5, rng, first=len(one))
    both = joined_drivers(one, more)
    assert len(both) == len(one) + len(more)
    assert both.hours == 12
    with pytest.raises(BadInput, match="must begin at 2025-06-10T15:30"):
        joined_drivers(one, one)
