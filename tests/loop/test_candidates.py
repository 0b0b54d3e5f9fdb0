"""The pools that a request is weighed against: near the driver, near where the driver is heading, and the depot."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from chargeloop.guidance import Guide
from chargeloop.loop import candidates_of, stages_of
from chargeloop.model import ChargeRequest, City, Current, Layout, Tier
from chargeloop.perception import Perception
from tests.small_city import START, place

HOME, FAR = place(1200, 900), place(8600, 2100)


@pytest.fixture(scope="module")
def guide(small_city: City, small_layout: Layout) -> Guide:
    return Guide.of(small_city, small_layout)


def request(current: Current = Current.DC, **fields: Any) -> ChargeRequest:
    end = START + timedelta(hours=4)
    return ChargeRequest("r1", START, HOME, "T1", "small", Tier.BUS, current, 0.4, 0.9, 40.0, end, **fields)


def test_half_of_the_pools_lie_near_the_destination(small_layout: Layout, guide: Guide) -> None:
    near, both = (candidates_of(guide, small_layout, [each], 2) for each in (request(), request(destination=FAR)))
    assert [small_layout.pool_station[p] for p in near.pool[0]] == [0, 2]
    assert [small_layout.pool_station[p] for p in both.pool[0]] == [0, 4]
    assert near.detour_s is None
    same = candidates_of(guide, small_layout, [request(destination=HOME)], 2)
    assert same.pool[0].tolist() == [near.pool[0, 0], -1]  # each pool once


def test_the_detour_is_none_on_the_way_and_there_and_back_off_it(small_layout: Layout, guide: Guide) -> None:
    found = candidates_of(guide, small_layout, [request(destination=FAR), request()], 4)
    assert found.detour_s is not None
    assert np.isnan(found.detour_s[1]).all()
    station = small_layout.pool_station[found.pool[0]]
    detour = dict(zip(station.tolist(), found.detour_s[0].tolist(), strict=True))
    assert detour[4] == pytest.approx(0, abs=60)  # beside the destination
    assert detour[2] > 300  # 5 km north of it
    assert min(detour.values()) >= 0


def test_the_depot_is_always_among_them_and_where_the_vehicle_is_heading(small_layout: Layout, guide: Guide) -> None:
    found = candidates_of(guide, small_layout, [request(depot_station_id="S4")], 1)
    assert small_layout.pool_station[found.pool[0]].tolist() == [4]
    assert found.detour_s is not None
    assert found.detour_s[0, 0] == pytest.approx(0, abs=1)
    slow = candidates_of(guide, small_layout, [request(Current.AC, depot_station_id="S4")], 1)
    assert small_layout.pool_station[slow.pool[0]].tolist() != [4]  # has no slow bay


def test_a_bus_far_from_its_depot_is_sent_there_and_told_when(small_city: City, small_layout: Layout, guide: Guide) -> None:
    stages = stages_of(small_city, small_layout, guide)
    world = Perception(small_city, small_layout).snapshot(START)
    bus = request(depot_station_id="S4")
    (decision,) = stages.recommend(world, [bus], stages.predict(world))
    assert decision.chosen is not None
    assert decision.chosen.station_id == "S4"
    assert stages.guide(world, bus, decision).not_before is None
    idle = request(depot_station_id="S4", planned_kwh=1.0)  # a short tour: it can wait for the cheap hours
    (later,) = stages.recommend(world, [idle], stages.predict(world))
    assert later.not_now is not None
    assert stages.guide(world, idle, later).not_before == later.not_now.at
