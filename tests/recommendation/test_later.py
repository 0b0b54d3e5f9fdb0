""" "Not now" as an answer: from need, congestion ahead and tariff."""

from dataclasses import replace

import numpy as np
import pytest

from chargeloop.model import ChargeRequest, Current, NotNow, Tier
from chargeloop.recommendation import (
    ENOUGH_SOC,
    NEEDLESS_SOC,
    DayAhead,
    Prices,
    best_slot,
    has_enough,
    not_now,
    worth_saying,
)
from tests.recommendation.conftest import Ask, Scene


def advice(scene: Scene, request: ChargeRequest, ahead: DayAhead | None = None) -> NotNow | None:
    """For the offer chosen at 17:30 in the small city, where it is dearest from 17 to 21 h."""
    offer = scene.recommend([request])[0].chosen
    assert offer is not None
    tariff = scene.city.tariffs_of_stations()[offer.station_id]
    return not_now(request, offer, scene.world.at, tariff, scene.layout, ahead)


def prices(scene: Scene, rate: list[float]) -> DayAhead:
    """The same at all pools: seconds of others for a second of a bay, by hour from now."""
    return DayAhead(Prices(np.tile(rate, (len(scene.layout.pool_station), 1)), 3600.0), scene.world.now_s)


def test_need_goes_before_all() -> None:
    assert pytest.approx(0.5) == ENOUGH_SOC
    assert has_enough(0.5, 0.3, 0.2)
    assert not has_enough(0.5, 0.35, 0.2)
    assert not has_enough(0.4, 0.3, 0.2)
    assert pytest.approx(0.6) == NEEDLESS_SOC


def test_the_best_slot_is_the_cheapest_that_is_worth_it() -> None:
    assert best_slot(10.0, np.array([9.0, 4.0, 4.0, 6.0]), 2.0) == 1
    assert best_slot(10.0, np.array([9.0, 8.5]), 2.0) == -1
    assert best_slot(10.0, np.array([np.inf]), 2.0) == -1


def test_who_has_no_need_is_told_of_less() -> None:
    assert worth_saying(100.0, 1.0, False) == 15
    assert worth_saying(1.0, 1.0, False) == 5
    assert worth_saying(100.0, 1.0, True) == 1


def test_a_cheaper_hour_is_told_to_who_can_wait(scene: Scene, ask: Ask) -> None:
    assert advice(scene, ask(soc=0.4)) is None
    found = advice(scene, ask(soc=0.55))
    assert found is not None
    assert found.saves > 0
    assert not found.needless
    assert found.saves_min == 0  # without prices nothing is known of minutes
    assert (found.at - scene.world.at).total_seconds() <= 12 * 3600
    needless = advice(scene, ask(soc=0.7))
    assert needless is not None
    assert needless.needless


def test_what_is_planned_decides_whether_there_is_enough(scene: Scene, ask: Ask) -> None:
    assert advice(scene, ask(soc=0.55, planned_kwh=20.0)) is None
    assert advice(scene, ask(soc=0.4, planned_kwh=2.0)) is not None
    assert advice(scene, ask(soc=0.7, tier=Tier.EMERGENCY)) is None


def test_congestion_moves_the_slot(scene: Scene, ask: Ask) -> None:
    free_from_the_third_hour = prices(scene, [3.0] * 3 + [0.0] * 21)
    flat = replace(
        scene,
        city=replace(scene.city, tariffs=tuple(replace(t, bands=(replace(t.bands[0], end_h=24),)) for t in scene.city.tariffs)),
    )
    request = ask(soc=0.6, value_of_time_per_h=60.0)
    assert advice(flat, request) is None  # one price all day
    found = advice(flat, request, free_from_the_third_hour)
    assert found is not None
    assert found.saves == 0
    assert found.saves_min > 5
    assert (found.at - scene.world.at).total_seconds() / 3600 == pytest.approx(3.5)
    assert advice(flat, request, prices(scene, [0.0] * 24)) is None  # hinders nobody


def test_no_slot_beyond_what_is_known_or_open(scene: Scene, ask: Ask) -> None:
    request = ask(soc=0.6)
    assert advice(scene, request, prices(scene, [1.0])) is None
    closes = replace(scene.layout, station_closes_h=np.full(len(scene.layout.station_ids), 18.0))
    opens = replace(closes, station_opens_h=np.full(len(scene.layout.station_ids), 17.0))
    offer = scene.recommend([request])[0].chosen
    assert offer is not None
    assert offer.current is Current.DC
    tariff = scene.city.tariffs_of_stations()[offer.station_id]
    assert not_now(request, offer, scene.world.at, tariff, opens, None) is None
