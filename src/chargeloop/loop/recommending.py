"""The recommendation stage of one city: what it is given is gathered into one record, from which it can be made again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import numpy as np

from chargeloop.model import ChargeRequest, City, Decision, Layout, World
from chargeloop.perception import Perception
from chargeloop.pricing import RateTable
from chargeloop.recommendation import Given, not_now, recommend


class Recommender:
    """Decisions from what is `Given`. What stands still comes from the city: bays, tariffs, vehicle models, energy prices."""

    def __init__(self, city: City, layout: Layout) -> None:
        self._city, self._layout, self._tariff_of = city, layout, city.tariffs_of_stations()
        self._rates = RateTable.of(city.tariffs, [station.tariff_id for station in city.stations])
        self._energy_price = np.array(city.energy_price.cny_per_kwh)
        self._kg_co2 = np.array(city.energy_price.kg_co2_per_kwh)
        self._blank: World | None = None

    def __call__(self, given: Given, world: World | None = None) -> tuple[Decision, ...]:
        """One decision a request. `world`: the one that `given` was gathered from; without it, what matters of it."""
        decisions = recommend(
            world or self._world_of(given),
            given.requests,
            given.candidates,
            self._rates,
            self._city.models,
            solver=given.solver,
            weights=given.weights,
            budget_s=given.budget_s,
            ahead=given.ahead,
            inflow_per_h=given.inflow_per_h,
            load_share=given.load_share,
            energy_price=self._energy_price,
            time_zone=self._city.time_zone,
            kg_co2_per_kwh=self._kg_co2,
            sorts=[request.sort for request in given.requests],
            rng=np.random.default_rng(given.seed),
            certify=True,
        )
        return tuple(self._with_better_time(*pair, given) for pair in zip(given.requests, decisions, strict=True))

    def _with_better_time(self, request: ChargeRequest, decision: Decision, given: Given) -> Decision:
        offer = decision.chosen
        if offer is None:
            return decision
        tariff = self._tariff_of[offer.station_id]
        return replace(decision, not_now=not_now(request, offer, decision.at, tariff, self._layout, given.ahead, given.weights))

    def _world_of(self, given: Given) -> World:
        if self._blank is None:
            self._blank = Perception(self._city, self._layout).snapshot(given.at)
        return replace(
            self._blank,
            at=given.at,
            bay_free_s=given.bay_free_s,
            coming_pool=given.coming_pool,
            coming_arrive_s=given.coming_arrive_s,
            temperature_c=given.temperature_c,
        )


def seed_of(seed: int, at: datetime, requests: Sequence[ChargeRequest]) -> int:
    """A seed for one call: the same whatever was decided before it, or is decided at the same time."""
    said = f"{seed} {at.isoformat()} {' '.join(request.request_id for request in requests)}"
    return int.from_bytes(sha256(said.encode()).digest()[:8])
