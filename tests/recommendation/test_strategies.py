"""What each kind of vehicle wants: earnings by the hour, a way to somewhere, depots, bays held, energy given back."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from chargeloop.model import BadInput, ChargeRequest, Current, Layout, Tier, VehicleModel
from chargeloop.model.validated import from_json, to_json
from chargeloop.recommendation import DEFAULT, STRATEGIES, Candidates, Pools, detours, earned
from tests.recommendation.conftest import Ask, Scene
from tests.small_city import START

DC, AC = Current.DC, Current.AC


def test_each_tier_has_a_strategy_and_a_taxis_minute_is_worth_what_the_hour_earns() -> None:
    assert set(STRATEGIES) == set(Tier)
    rush, night = (DEFAULT.minute(Tier.TAXI, None, hour) for hour in (18, 3))
    assert (rush, night) == (90 / 60, 20 / 60)
    assert DEFAULT.minute(Tier.TAXI, 12.0, 18) == 0.2
    for tier in (Tier.TAXI, Tier.RIDE_HAILING):  # the figure without an hour is about the mean of the day
        assert np.mean(STRATEGIES[tier].earns_per_h) == pytest.approx(STRATEGIES[tier].value_of_time_per_h, rel=0.1)


def test_private_drivers_mind_an_uncertain_wait_and_a_detour_more(scene: Scene, ask: Ask) -> None:
    requests = [ask(tier=tier, value_of_time_per_h=60.0) for tier in (Tier.PRIVATE, Tier.LOGISTICS)]
    inflow = np.full(len(scene.layout.pool_station), 20.0)
    options = scene.options(requests, surroundings=replace(scene.surroundings(), inflow_per_h=inflow))
    private, logistics = options.terms["uncertainty"]
    assert logistics.max() > 0
    np.testing.assert_allclose(private, STRATEGIES[Tier.PRIVATE].uncertainty * logistics)


def heading(scene: Scene, request: ChargeRequest, **minutes: list[float]) -> Candidates:
    """The candidates of a request whose detours are so many minutes and kilometres."""
    found = scene.candidates([request])
    detour_s, detour_m = (np.full(found.pool.shape, 0.0) for _ in range(2))
    count = len(minutes["detour"])
    detour_s[0, :count] = 60 * np.array(minutes["detour"])
    detour_m[0, :count] = 1000 * np.array(minutes["detour"])
    return replace(found, detour_s=detour_s, detour_m=detour_m)


def test_who_is_heading_somewhere_pays_for_the_detour_only(scene: Scene, ask: Ask) -> None:
    request = ask(value_of_time_per_h=60.0)
    (usual,) = scene.recommend([request])
    assert usual.chosen is not None
    assert usual.chosen.station_id == "S0"
    assert usual.chosen.terms["detour"] == 0
    (decision,) = scene.recommend([request], candidates=heading(scene, request, detour=[30.0, 0.0, 25.0]))
    chosen = decision.chosen
    assert chosen is not None
    assert chosen.station_id == "S2"  # the second nearest lies on the way
    assert chosen.terms["drive"] == chosen.terms["distance"] == chosen.terms["detour"] == 0
    nearest = next(offer for offer in decision.offers if offer.station_id == "S0")
    assert nearest.terms["detour"] == pytest.approx(30 * STRATEGIES[Tier.PRIVATE].detour + 30 * DEFAULT.distance_per_km)
    assert nearest.drive_min == pytest.approx(usual.chosen.drive_min)  # what is shown is the drive
    assert "more out of your way" in decision.why


def test_a_detour_is_what_the_way_gets_longer() -> None:
    drive, onward = np.array([[5.0, 8.0, 20.0]]), np.array([[12.0, 4.0, 1.0]])
    np.testing.assert_allclose(detours(drive, onward, np.array([10.0])), [[7, 2, 11]])
    np.testing.assert_allclose(
        detours(drive, onward, np.array([99.0])), [[5, 0, 9]]
    )  # no direct way is longer than that over one


def test_a_bus_charges_unattended_at_its_depot(scene: Scene, ask: Ask) -> None:
    bus = ask(tier=Tier.BUS, depot_station_id="S2", value_of_time_per_h=60.0)
    (decision,) = scene.recommend([bus], candidates=heading(scene, bus, detour=[0.0, 0.0, 0.0]))
    depot = next(offer for offer in decision.offers if offer.station_id == "S2")
    other = next(offer for offer in decision.offers if offer.station_id == "S0")
    assert depot.terms["charge"] == pytest.approx(depot.charge_min * STRATEGIES[Tier.BUS].charge_ac)
    assert other.terms["charge"] == pytest.approx(other.charge_min)
    assert decision.chosen == depot
    with pytest.raises(BadInput, match="no station 'S99'"):
        scene.recommend([ask(depot_station_id="S99")])


def with_a_held_bay(scene: Scene, station: int) -> Scene:
    held = np.zeros(len(scene.layout.pool_station), dtype=np.int64)
    held[scene.pool(station, DC)] = 1
    return replace(scene, world=replace(scene.world, layout=replace(scene.layout, pool_held=held)))


def test_a_bay_is_held_for_emergency_vehicles(scene: Scene, ask: Ask) -> None:
    scene = with_a_held_bay(scene.taken({(0, DC): [0, 45]}), 0)
    options = {decision.request_id: decision for decision in scene.recommend([ask(), ask(tier=Tier.EMERGENCY)])}
    car, ambulance = options.values()
    assert ambulance.chosen is not None
    assert (ambulance.chosen.station_id, ambulance.chosen.wait_min) == ("S0", 0)
    assert len({(o.station_id, o.current) for o in ambulance.offers}) == len(ambulance.offers)  # each station once
    seen = next(offer for offer in car.offers if offer.station_id == "S0")
    assert seen.wait_min == pytest.approx(45 - seen.drive_min)  # the free bay is not for a private car
    assert ambulance.chosen in ambulance.offers


def test_two_ambulances_may_use_the_held_bay_and_the_others(scene: Scene, ask: Ask) -> None:
    scene = with_a_held_bay(scene, 0)
    for decision in scene.recommend([ask(tier=Tier.EMERGENCY), ask(tier=Tier.EMERGENCY)]):
        assert decision.chosen is not None
        assert (decision.chosen.station_id, decision.chosen.wait_min) == ("S0", 0)


def test_large_stations_hold_a_bay_and_pools_part_there(scene: Scene) -> None:
    layout = Layout.of(scene.city, held_from=4)
    assert layout.pool_held.tolist() == [
        int(bays >= 4 and dc) for bays, dc in zip(layout.pool_bays, layout.pool_is_dc, strict=True)
    ]
    pools = Pools.of_layout(layout)
    assert pools.of.size == layout.pool_station.size + 1
    (p,) = np.flatnonzero(layout.pool_held)
    assert np.diff(pools.start)[[pools.held[p], pools.common[p]]].tolist() == [1, 3]
    assert (np.diff(pools.station) >= 0).all()
    assert pools.inflow(np.ones(layout.pool_station.size)).sum() == layout.pool_station.size


def test_energy_given_back_is_bought_cheap_and_sold_dear() -> None:
    prices = np.array([0.2] * 8 + [1.0] * 16)
    stay, charge, kw, battery = np.array([[6.0, 6.0, 2.0]]), np.array([[1.0]]), np.array([[7.0, 0.0, 7.0]]), np.array([[60.0]])
    (earns,) = earned(prices, np.array([[5.0]]), stay, charge, kw, battery, DEFAULT)  # 5 to 11 h: both prices; to 7 h: one
    kwh = min(7.0 * 5 / 2, DEFAULT.v2g_battery_share * 60)
    assert earns[0] == pytest.approx(0.7 * kwh * (1.0 - 0.2 / 0.85 - 0.1))
    assert earns[1:].tolist() == [0, 0]


def test_a_willing_driver_is_drawn_to_where_energy_can_be_given_back(scene: Scene, ask: Ask) -> None:
    able = scene.layout.pool_v2g.copy()
    able[scene.pool(1, AC)] = True
    models: tuple[VehicleModel, ...] = tuple(replace(model, v2g_kw=7.0) for model in scene.city.models)
    scene = replace(
        scene,
        city=replace(scene.city, models=models),
        world=replace(scene.world, layout=replace(scene.layout, pool_v2g=able)),
    )
    prices = np.array([0.1] * 8 + [2.0] * 16)
    willing, not_so = ask(current=AC, hours=12.0, v2g=True), ask(current=AC, hours=12.0)
    decisions = scene.recommend([willing, not_so], energy_price=prices)
    assert [decision.chosen and decision.chosen.station_id for decision in decisions] == ["S1", "S0"]
    assert decisions[0].chosen is not None
    assert decisions[0].chosen.terms["v2g"] < -5
    assert all(offer.terms["v2g"] == 0 for offer in decisions[1].offers)


def test_records_of_before_can_be_read(ask: Ask) -> None:
    request = ask()
    text = to_json(request)
    for name in ("destination", "depot_station_id", "planned_kwh"):
        text = text.replace(f',"{name}":null', "")
    old = text.replace(',"v2g":false', "")
    assert "v2g" not in old
    assert "depot" not in old
    assert from_json(ChargeRequest, old, "old request") == request
    assert request.depart_by == START + timedelta(hours=4)
