from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import Current, Sort, Tier
from chargeloop.recommendation import (
    DEFAULT,
    TERMS,
    Weights,
    busy_cost,
    busy_curve,
    busy_price,
    evaluate,
    others_delayed_min,
    price_over,
)
from tests.recommendation.conftest import Ask, Scene

CURVE = busy_curve(DEFAULT)
DC, AC = Current.DC, Current.AC


def test_the_utilisation_weight_is_negative_below_target_and_positive_above() -> None:
    target = DEFAULT.target_utilisation
    below, above = np.linspace(0, target - 0.01, 20), np.linspace(target + 0.01, 1, 20)
    assert all(busy_price(CURVE, u) < 0 for u in below)
    assert all(busy_price(CURVE, u) > 0 for u in above)
    assert busy_price(CURVE, target) == pytest.approx(0)
    assert busy_price(CURVE, 0.0) == pytest.approx(-DEFAULT.empty_bonus)
    assert busy_price(CURVE, 1.0) == pytest.approx(DEFAULT.full_penalty)


@given(st.floats(0, 1), st.floats(0, 1))
def test_phi_is_convex_and_c_is_its_slope(a: float, b: float) -> None:
    middle = busy_cost(CURVE, (a + b) / 2)
    assert middle <= (busy_cost(CURVE, a) + busy_cost(CURVE, b)) / 2 + 1e-12
    u = min(max(a, 1e-4), 1 - 1e-4)
    assert (busy_cost(CURVE, u + 1e-5) - busy_cost(CURVE, u - 1e-5)) / 2e-5 == pytest.approx(busy_price(CURVE, u), abs=1e-3)


def test_the_literal_constant_is_an_option() -> None:
    constant = busy_curve(replace(DEFAULT, constant_c=-3.0))
    assert busy_cost(constant, 0.4) == pytest.approx(-1.2)
    assert busy_price(constant, 0.9) == -3.0


def test_u_counts_the_driver_the_running_sessions_and_the_rest_of_the_plan(scene: Scene, ask: Ask) -> None:
    # station 4: four DC bays, one of them taken far beyond the stay
    scene = scene.taken({(4, DC): [0, 0, 0, 1000]})
    requests = [ask(8600, 2000), ask(8600, 2000)]
    problem = scene.options(requests).problem
    at_four = [int(np.flatnonzero(row == scene.pool(4, DC))[0]) for row in problem.pool]
    _, alone, _ = evaluate(problem, np.array([at_four[0], -1]))
    _, both, _ = evaluate(problem, np.array(at_four))
    assert alone[0] == pytest.approx(2 / 4)
    assert both == pytest.approx([3 / 4, 3 / 4])


def test_c_moves_drivers_to_the_idle_station_and_off_the_full_one(scene: Scene, ask: Ask) -> None:
    """Two stations alike but for their other bays: below the target the busier one is better, above it the emptier one."""

    def chosen(dc_at_0: Sequence[float], ac_at_0: Sequence[float]) -> str | None:
        busy = scene.taken({(0, DC): dc_at_0, (0, AC): ac_at_0})
        request = ask(3000, 3000, value_of_time_per_h=0.0)  # equally far from stations 0 and 2, which have one tariff
        candidates = busy.candidates([request])
        candidates = replace(
            candidates, drive_s=np.full_like(candidates.drive_s, 600), drive_m=np.full_like(candidates.drive_m, 5e3)
        )
        pair = [busy.pool(0, DC), busy.pool(2, DC)]
        keep = np.isin(candidates.pool[0], pair)
        candidates = replace(candidates, pool=np.where(keep, candidates.pool, -1))
        offer = busy.recommend([request], candidates=candidates)[0].chosen
        return offer.station_id if offer else None

    assert chosen([0, 0], [999, 999, 0, 0]) == "S0"  # U = 1/2 with this driver, under the target, against 1/6
    assert chosen([0, 999], [999, 999, 999, 999]) == "S2"  # U = 1, well over


def test_terms_have_names_and_sum_to_the_score_and_to_f(scene: Scene, ask: Ask) -> None:
    scene = scene.taken({(0, DC): [20, 25], (2, DC): [5, 30], (4, DC): [0, 0, 10, 20]})
    requests = [ask(tier=tier, current=current) for tier in Tier for current in (DC, AC)]
    load = np.linspace(0.1, 0.9, len(scene.layout.station_ids))
    inflow = np.full(len(scene.layout.pool_station), 3.0)
    decisions = scene.recommend(requests, load_share=load, inflow_per_h=inflow, sorts=[Sort.SOONEST, Sort.CHEAPEST] * len(Tier))
    for decision in decisions:
        assert decision.chosen is not None
        for offer in decision.offers:
            assert tuple(offer.terms) == TERMS
            assert sum(offer.terms.values()) == pytest.approx(offer.score)
        assert [o.score for o in decision.offers] == sorted(o.score for o in decision.offers)


def test_the_terms_are_what_their_units_say(scene: Scene, ask: Ask) -> None:
    scene = scene.taken({(0, DC): [30, 40]})
    load = np.full(len(scene.layout.station_ids), 0.5)
    decision = scene.recommend([ask(value_of_time_per_h=60.0)], load_share=load)[0]
    offer = next(o for o in decision.offers if o.station_id == "S0")
    assert offer.terms["drive"] == pytest.approx(offer.drive_min)  # a minute is one CNY
    assert offer.terms["wait"] == pytest.approx(offer.wait_min)
    assert offer.wait_min == pytest.approx(30 - offer.drive_min)
    assert offer.terms["charge"] == pytest.approx(offer.charge_min)
    assert offer.terms["amount"] == pytest.approx(float(offer.amount))
    assert offer.terms["distance"] == pytest.approx(DEFAULT.distance_per_km * offer.drive_km)
    assert offer.terms["regional_load"] == pytest.approx(DEFAULT.regional_load_per_kwh * 0.25 * offer.energy_kwh)
    assert offer.terms["energy_price"] == pytest.approx(DEFAULT.energy_price * 0.8 * offer.energy_kwh)  # 18 h: dear
    assert offer.terms["priority"] == offer.terms["demand_intensity"] == offer.terms["preference"] == 0


def test_a_late_end_costs_by_tier(scene: Scene, ask: Ask) -> None:
    requests = [
        ask(hours=0.3, tier=Tier.PRIVATE, value_of_time_per_h=60.0),
        ask(hours=0.3, tier=Tier.BUS, value_of_time_per_h=60.0),
    ]
    car, bus = (decision.chosen for decision in scene.recommend(requests))
    assert car is not None
    assert bus is not None
    assert car.terms["priority"] == pytest.approx(car.total_min - 18)
    assert bus.terms["priority"] / (bus.total_min - 18) == pytest.approx(DEFAULT.tiers[Tier.BUS].late)


def test_forecast_drivers_cost_more_where_more_come_and_fewer_bays_are() -> None:
    stay = np.array(60.0)
    few, many = (others_delayed_min(np.array(inflow), np.array(4.0), stay, 15.0) for inflow in (1.0, 4.0))
    assert 0 < few < many <= 15
    assert others_delayed_min(np.array(2.0), np.array(2.0), stay, 15.0) > others_delayed_min(
        np.array(2.0), np.array(6.0), stay, 15.0
    )
    assert others_delayed_min(np.array(0.0), np.array(2.0), stay, 15.0) == 0
    # one bay, light traffic: the chance that somebody comes, times half the stay
    assert others_delayed_min(np.array(0.1), np.array(1.0), stay, 99.0) == pytest.approx(0.1 * 30)


@given(st.floats(0, 24), st.floats(0.1, 60))
def test_price_over_hours_is_their_mean(start: float, hours: float) -> None:
    prices = np.array([0.3] * 8 + [0.8] * 12 + [0.5] * 4)
    steps = np.floor(start + (np.arange(20_000) + 0.5) * hours / 20_000).astype(int) % 24
    assert float(price_over(prices, np.array(start), np.array(hours))) == pytest.approx(prices[steps].mean(), abs=2e-3)


def test_own_value_of_time_goes_before_the_tiers() -> None:
    weights = Weights()
    assert weights.minute(Tier.TAXI, None) == weights.tiers[Tier.TAXI].value_of_time_per_h / 60
    assert weights.minute(Tier.TAXI, 12.0) == 0.2
