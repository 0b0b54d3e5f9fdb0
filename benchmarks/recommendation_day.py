"""One day of the twin under one policy, scored in minutes per driver; and the bound that no policy can go below."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import process_time
from typing import NamedTuple

import numpy as np

from benchmarks.recommendation_city import ZONE_SPREAD, World
from chargeloop.model.city import Floats
from chargeloop.pricing import RateTable, estimate
from chargeloop.recommendation import DEFAULT, Prices, ascend
from chargeloop.simulation import (
    BUSY_ROADS,
    Drivers,
    Scenario,
    Twin,
    demand_of,
    draw_drivers,
    shadow_prices,
)
from chargeloop.simulation.fleets import TIERS
from chargeloop.simulation.kpis import UNSERVED_MIN, minutes_lost, needless
from chargeloop.simulation.nightly import BIN_S, STEP
from chargeloop.simulation.state import Bools, Stage

HOURS, AFTER_H = 24, 4  # of drivers; and until the last of them has plugged in or given up
STEP_S = 300  # power is fixed for a step at a time; all else happens at its own instant
BOUND_ROUNDS = 150
DAY = Scenario(zone_spread=ZONE_SPREAD, scatter=2.0, hour_drive=BUSY_ROADS, walk_ins=0.1)


class Case(NamedTuple):
    """What a day is drawn from. `level` None: the measured demand."""

    level: float | None
    seed: int
    scenario: Scenario = DAY


@dataclass(frozen=True, slots=True)
class Outcome:
    """Means over all drivers of a run, walk-ins included. `score`: drive + wait, and `UNSERVED_MIN` for each who gave up."""

    drivers: int
    score: float
    drive_min: float
    wait_min: float
    served_share: float
    charge_min: float
    amount_cny: float
    f_cny: float
    tier_p95_ratio: float
    kept_promises: float
    needless_share: float
    spared: int
    put_off: int
    evse_steps_per_cpu_s: float


def draw(world: World, case: Case) -> Drivers:
    rng = np.random.default_rng([case.seed, 0])
    return draw_drivers(world.city, world.layout, world.start, HOURS, case.level, rng, scenario=case.scenario)


def prices_of(world: World, level: float | None, scenario: Scenario, seed: int) -> Prices:
    """Of the night before: the forecast knows neither the day's zone weights nor what will go wrong."""
    rng = np.random.default_rng([seed, 2])
    usual = replace(scenario, surges=(), outages=())
    return shadow_prices(
        world.city, world.layout, world.guide, world.forecast, world.start, HOURS, rng, level=level, scenario=usual
    )


def finished(world: World, drivers: Drivers, case: Case, policy: str, prices: Prices | None = None) -> tuple[Twin, float]:
    """The twin at the end of its day, and the CPU seconds it took, routing included."""
    begun = process_time()
    rng = np.random.default_rng([case.seed, 1])
    twin = Twin(
        world.city,
        world.layout,
        world.guide,
        drivers,
        world.start,
        STEP_S,
        policy,
        rng,
        faults_per_day=0.0,
        scenario=case.scenario,
        prices=prices,
        listen=False,
    )
    for _ in range((HOURS + AFTER_H) * 3600 // STEP_S):
        twin.step()
    return twin, process_time() - begun


def outcome(world: World, twin: Twin, cpu_s: float, among: Bools | None = None) -> Outcome:
    """Of the drivers `among` all."""
    cars, drivers = twin.state.cars, twin.drivers
    those = np.ones(len(drivers), dtype=np.bool_) if among is None else among
    minutes, wait = minutes_lost(cars)
    served = cars["stage"] != Stage.GAVE_UP
    plugged_in = those & (cars["stage"] == Stage.SERVED)
    charge_min = np.nan_to_num(cars["charged_s"] - cars["start_s"]) / 60
    amount = np.zeros(len(drivers))
    ended = np.isfinite(cars["charged_s"])
    rates = RateTable.of(world.city.tariffs, [station.tariff_id for station in world.city.stations])
    station = world.layout.evse_station[cars["evse"][ended]]
    amount[ended] = estimate(rates, station, cars["start_s"][ended], charge_min[ended], cars["kwh"][ended])
    promised = np.isfinite(cars["promised_s"]) & (cars["promised_s"] > 0) & those
    return Outcome(
        drivers=int(those.sum()),
        score=float(minutes[those].mean()),
        drive_min=float(cars["drive_s"][those].mean() / 60),
        wait_min=float(wait[those].mean()),
        served_share=float(served[those].mean()),
        charge_min=float(charge_min[those & ended].mean()),
        amount_cny=float(amount[those & ended].mean()),
        f_cny=float(_f_cny(drivers, minutes, charge_min, amount, cars["drive_m"])[those].mean()),
        tier_p95_ratio=_worst_tier(drivers, wait, those),
        kept_promises=float((wait[promised] * 60 <= cars["promised_s"][promised]).mean()) if promised.any() else float("nan"),
        needless_share=float(needless(cars)[plugged_in].mean()),
        spared=int((cars["stage"] == Stage.SPARED)[those].sum()),
        put_off=int((cars["put_off_s"] > 0)[those].sum()),
        evse_steps_per_cpu_s=len(world.layout.evse_ids) * (HOURS + AFTER_H) * 3600 / STEP_S / cpu_s,
    )


def _f_cny(drivers: Drivers, minutes: Floats, charge_min: Floats, amount: Floats, drive_m: Floats) -> Floats:
    """The terms of F that a driver has lived through, weighed as his tier does: drive, wait, charge, amount and distance."""
    tiers = [DEFAULT.tiers[tier] for tier in TIERS]
    minute = drivers.value_of_time_per_h / 60
    dc, ac = (np.array([getattr(tier, name) for tier in tiers])[drivers.tier] for name in ("charge_dc", "charge_ac"))
    paid = np.array([t.amount for t in tiers])[drivers.tier] * amount
    return np.asarray(
        minute * (minutes + np.where(drivers.is_dc, dc, ac) * charge_min) + paid + DEFAULT.distance_per_km * drive_m / 1000
    )


def _worst_tier(drivers: Drivers, wait: Floats, those: Bools) -> float:
    """The largest 0.95-quantile of a tier's waits over the city's, which is taken for a minute where it is less."""
    all_of_them = np.quantile(wait[those], 0.95)
    by_tier = [np.quantile(wait[those & (drivers.tier == t)], 0.95) for t in np.unique(drivers.tier[those])]
    return float(max(by_tier) / max(all_of_them, 1.0))


def bound_min(world: World, runs: Sequence[Twin], start: Prices) -> float:
    """Minutes per driver that none of these runs could go below, whatever it knew: walk-ins too are free to choose in it.

    Stays are the shortest of what was asked for and what came of it in any of the runs, so that all lie in the relaxation.
    """
    drivers = runs[0].drivers
    bins = int((HOURS + AFTER_H) * 3600 / BIN_S)
    reach = (runs[0].state.option, runs[0].state.option_s, runs[0].state.option_m)
    demand = demand_of(drivers, world.layout, reach, world.start, bins, free=True)
    lived_s = [twin.state.cars["end_s"] - twin.state.cars["start_s"] for twin in runs]
    shortest = replace(demand, stay_s=np.fmin.reduce([demand.stay_s, *lived_s]), penalty_s=UNSERVED_MIN * 60)
    first = np.zeros((len(world.layout.pool_station), bins))
    first[:, : start.rate.shape[1]] = start.rate
    return ascend(shortest, first, BOUND_ROUNDS, STEP)[1] / 60 / len(drivers)
