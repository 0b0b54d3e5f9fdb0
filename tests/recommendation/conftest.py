"""A World of the small city with bays taken as a test wants, and the other things `recommend` is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from chargeloop.model import ChargeRequest, City, Current, Decision, Layout, Place, Tier, World
from chargeloop.perception import Perception
from chargeloop.physics import distance_m
from chargeloop.pricing import RateTable
from chargeloop.recommendation import DEFAULT, Candidates, Options, Surroundings, build, recommend
from tests.small_city import START, place


@dataclass(frozen=True)
class Scene:
    """Everything that a recommendation needs, around one World."""

    city: City
    world: World

    @property
    def layout(self) -> Layout:
        return self.world.layout

    def pool(self, station: int, current: Current) -> int:
        there = (self.layout.pool_station == station) & (self.layout.pool_is_dc == (current is Current.DC))
        return int(np.flatnonzero(there)[0])

    def taken(self, minutes: dict[tuple[int, Current], Sequence[float]]) -> "Scene":
        """The same with the bays of some pools taken for so many minutes from now (infinite: out of order)."""
        free = self.world.bay_free_s.copy()
        for (station, current), each in minutes.items():
            p = self.pool(station, current)
            bays = slice(self.layout.pool_start[p], self.layout.pool_start[p + 1])
            free[bays] = np.sort(self.world.now_s + 60 * np.array(each, dtype=np.float64))
        return replace(self, world=replace(self.world, bay_free_s=free))

    def candidates(self, requests: Sequence[ChargeRequest], k: int = 6) -> Candidates:
        """All pools of the wanted current, nearest first; 1.4 x straight line at 30 km/h."""
        pool, metres = np.full((len(requests), k), -1), np.zeros((len(requests), k))
        for i, request in enumerate(requests):
            wanted = np.flatnonzero(self.layout.pool_is_dc == (request.current is Current.DC))
            station = self.layout.pool_station[wanted]
            away = 1.4 * distance_m(
                request.place.lon, request.place.lat, self.layout.station_lon[station], self.layout.station_lat[station]
            )
            near = np.argsort(away, kind="stable")[:k]
            pool[i, : len(near)], metres[i, : len(near)] = wanted[near], away[near]
        return Candidates(pool, metres / (30 / 3.6), metres)

    def surroundings(self) -> Surroundings:
        return Surroundings(
            np.zeros(len(self.layout.pool_station)),
            np.zeros(len(self.layout.station_ids)),
            np.array(self.city.energy_price.cny_per_kwh),
            self.city.time_zone,
        )

    def rates(self) -> RateTable:
        return RateTable.of(self.city.tariffs, [station.tariff_id for station in self.city.stations])

    def options(self, requests: Sequence[ChargeRequest], **changed: Any) -> Options:
        told: dict[str, Any] = {
            "surroundings": self.surroundings(),
            "weights": DEFAULT,
            "sorts": [None] * len(requests),
        } | changed
        return build(self.world, requests, self.candidates(requests), self.rates(), self.city.models, **told)

    def recommend(self, requests: Sequence[ChargeRequest], **changed: Any) -> tuple[Decision, ...]:
        around = self.surroundings()
        told: dict[str, Any] = {
            "inflow_per_h": around.inflow_per_h,
            "load_share": around.load_share,
            "energy_price": around.energy_price,
            "time_zone": around.time_zone,
            "rng": np.random.default_rng(0),
        }
        candidates = changed.pop("candidates", None) or self.candidates(requests)
        return recommend(self.world, requests, candidates, self.rates(), self.city.models, **(told | changed))


Ask = Callable[..., ChargeRequest]


@pytest.fixture
def scene(small_city: City, small_layout: Layout) -> Scene:
    return Scene(small_city, Perception(small_city, small_layout).snapshot(START))


@pytest.fixture
def ask() -> Ask:
    count = iter(range(10_000))

    def request(east_m: float = 1200, north_m: float = 1200, *, hours: float = 4.0, **fields: Any) -> ChargeRequest:
        number = next(count)
        known: dict[str, Any] = {
            "place": place(east_m, north_m),
            "tier": Tier.PRIVATE,
            "current": Current.DC,
            "model_id": "small",
            "soc": 0.3,
            "target_soc": 0.8,
            "battery_kwh": 40.0,
            "depart_by": START + timedelta(hours=hours),
        } | fields
        return ChargeRequest(request_id=f"R{number}", at=START, id_token=f"T{number}", **known)

    return request


def random_scene(scene: Scene, ask: Ask, rng: np.random.Generator, requests: int) -> tuple[Scene, list[ChargeRequest]]:
    """Bays taken at random and requests of all kinds at random places."""
    layout = scene.layout
    minutes = {
        (int(station), Current.DC if dc else Current.AC): rng.exponential(20, bays) * (rng.random(bays) < 0.8)
        for station, dc, bays in zip(layout.pool_station, layout.pool_is_dc, layout.pool_bays, strict=True)
    }
    asked = [
        ask(
            *rng.uniform(0, 10_000, 2),
            hours=rng.uniform(0.5, 6),
            tier=rng.choice(list(Tier)),
            current=Current.DC if rng.random() < 0.7 else Current.AC,
            soc=rng.uniform(0.2, 0.6),
        )
        for _ in range(requests)
    ]
    return scene.taken(minutes), asked


__all__ = ["Ask", "Place", "Scene", "random_scene"]
