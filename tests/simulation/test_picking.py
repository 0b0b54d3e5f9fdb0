"""Drivers of the twin who pick among offers: by their own costs, and as the loop is told."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from chargeloop.model import BadInput, City, Current, Decision, Layout, Offer, Tier
from chargeloop.prediction import Taste, choices_of, of_tier
from chargeloop.simulation import Pick, Picks, Scenario, Twin, default_day, draw_drivers, offer_all, offline_loop
from chargeloop.simulation.drivers import VALUE_OF_TIME
from chargeloop.simulation.picking import picked
from tests.small_city import START


def decision(*offers: Offer) -> Decision:
    return Decision("D", "R00000000", START, "exact", offers[0], offers, "")


def offer(station: str, amount: str, minutes: float) -> Offer:
    return Offer(station, Current.DC, minutes, 2.0, 0.0, 6.0, 0.0, 15.0, 0.3, Decimal(amount), 1.0, {})


def test_a_driver_takes_what_costs_him_least_and_sometimes_not() -> None:
    rng = np.random.default_rng(1)
    both = decision(offer("dear", "30", 10), offer("far", "20", 40))
    hurried, patient = ([picked(both, Picks(1.0, 90.0), value, rng) for _ in range(300)] for value in (60.0, 6.0))
    assert sum(each is both.offers[0] for each in hurried) > 290
    assert sum(each is both.offers[1] for each in patient) > 290
    away = [picked(both, Picks(0.2, 30.0), 6.0, rng) for _ in range(2000)]
    share = [sum(each is which for each in away) / 2000 for which in (*both.offers, None)]
    weight = np.exp(-0.2 * np.array([30 + 1, 20 + 4, 30.0]))
    assert share == pytest.approx(weight / weight.sum(), abs=0.04)


def test_what_drivers_mind_is_found_from_what_they_pick_in_the_twin(city: City, layout: Layout) -> None:
    from chargeloop.guidance import Guide  # noqa: PLC0415

    picks, begin = Picks(0.3, 60.0), default_day(city) + timedelta(hours=16)
    scenario = Scenario(picks=picks)
    drivers = draw_drivers(city, layout, begin, 4, 1.0, np.random.default_rng([1, 0]), scenario=scenario)
    guide = Guide.of(city, layout)
    twin = Twin(city, layout, guide, drivers, begin, 120, "external", np.random.default_rng([1, 1]), scenario=scenario)
    seen = offer_all(twin, offline_loop(city, layout, guide, begin, 1.0, scenario=scenario), 120)
    assert len(seen) > 2500
    taken = {each.decision_id: found.station_id if found else None for each, found in seen}
    taste = Taste.fit(choices_of([each for each, _ in seen], taken, of_tier(Tier.PRIVATE)))
    assert taste.value_of_time_per_h.error < 0.25 * 30
    for found, true in (
        (taste.value_of_time_per_h, VALUE_OF_TIME[Tier.PRIVATE]),
        (taste.per_cny, picks.per_cny),
        (taste.outside_cny, picks.outside_cny),
    ):
        assert abs(found.value - true) < 3 * found.error


def test_only_who_asks_picks(small_city: City, small_layout: Layout) -> None:
    from chargeloop.guidance import Guide  # noqa: PLC0415

    guide = Guide.of(small_city, small_layout)
    drivers = draw_drivers(small_city, small_layout, START, 2, 1.5, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    twin = Twin(
        small_city, small_layout, guide, drivers, START, 60, "external", rng, scenario=Scenario(picks=Picks(9.0, 999.0))
    )
    plain = Twin(small_city, small_layout, guide, drivers, START, 60, "external", np.random.default_rng(2))
    station = small_layout.station_ids[0]
    asks = replace(decision(offer(station, "1", 1)), request_id="R99999999")
    assert twin.pick(asks) is None
    with pytest.raises(BadInput, match="picks"):
        plain.pick(asks)
    first = next(event for _ in range(100) for event in twin.step() if event.kind == "charge_requested")
    mine = replace(asks, request_id=first.request.request_id)
    pick = twin.pick(mine)
    assert isinstance(pick, Pick)
    assert pick.offer is not None
    assert twin.pick(mine) is None  # he is on his way
    with pytest.raises(BadInput, match="picks"):
        Scenario(picks=Picks(0.0, 1.0))
