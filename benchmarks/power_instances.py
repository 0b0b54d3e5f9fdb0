"""Instances of `bench power`: a city's day of charging sessions below station connections and one feeder, drawn from a seed."""

from dataclasses import fields, replace

import numpy as np

from chargeloop.execution import ChargingProblem, Circuits, Sessions
from chargeloop.model.city import Floats, Ints

STEPS, STEP_H = 96, 0.25
A_STATION = 45  # sessions a day
A_FEEDER = 10  # stations
BEGIN_H = 12  # at noon, so that a night lies inside
PRICE = np.interp(  # of a kWh, CNY: valley, shoulders and two peaks, as day-ahead prices look
    (np.arange(STEPS) * STEP_H + BEGIN_H) % 24,
    [0, 3, 6, 8, 10, 12, 14, 17, 19, 21, 23, 24],
    [0.34, 0.28, 0.33, 0.62, 0.95, 0.78, 0.70, 0.88, 1.12, 0.96, 0.52, 0.38],
)
COME = np.array([1, 0.6, 0.4, 0.3, 0.4, 0.8, 2, 5, 7, 6, 4.5, 4, 4.5, 4, 3.5, 3.5, 4, 5.5, 7.5, 7.5, 6, 4.5, 3, 1.8])


def day(sessions: int, seed: int) -> ChargingProblem:
    """Cars come by the hour of `COME` and stay ten hours on average; a station's connection carries a fifth of its
    plugs, and the feeder half
    as much again as the mean load, so that it is full whenever energy is cheap."""
    rng = np.random.default_rng(seed)
    stations = max(sessions // A_STATION, 1)
    drawn = cars(rng, sessions, stations)
    plugs_kw = np.bincount(drawn.circuit, drawn.max_kw, stations + 1)[1:]
    limit_kw = np.concatenate([[1.5 * drawn.energy_kwh.sum() / (STEPS * STEP_H)], np.maximum(0.2 * plugs_kw, 22.0)])
    circuits = Circuits(
        np.concatenate([[-1], np.zeros(stations, dtype=np.int64)]),
        np.tile(limit_kw[:, None], STEPS),
        buy_per_kwh=np.vstack([PRICE, np.zeros((stations, STEPS))]),
    )
    return ChargingProblem(circuits, drawn, STEP_H)


def cars(rng: np.random.Generator, sessions: int, stations: int) -> Sessions:
    """On circuits 1 to `stations`. Nobody asks for more than 90 % of what could flow in the stay."""
    come_h = (rng.choice(24, sessions, p=COME / COME.sum()) + rng.random(sessions) - BEGIN_H) % 24
    leave_h = np.minimum(come_h + np.clip(rng.lognormal(np.log(9.5), 0.7, sessions), 0.75, 36), 24.0)
    kw: Floats = rng.choice([7.0, 11.0, 22.0, 60.0], sessions, p=[0.62, 0.22, 0.1, 0.06])
    kwh = np.minimum(rng.lognormal(np.log(16.0), 0.6, sessions), 0.9 * kw * np.maximum(leave_h - come_h, 0))
    return Sessions(rng.integers(1, stations + 1, sessions), come_h, leave_h, kwh, kw)


def both_ways(sessions: int, seed: int) -> ChargingProblem:
    """The city with a third level (feeders of ten stations), a demand charge at the top, a fifth of the cars giving energy
    back, and a battery at every fifth station."""
    rng = np.random.default_rng(seed)
    stations = max(sessions // A_STATION, 1)
    feeders = -(-stations // A_FEEDER)
    drawn = cars(rng, sessions, stations)
    plugs_kw = np.bincount(drawn.circuit, drawn.max_kw, stations + 1)[1:]
    mean_kw = drawn.energy_kwh.sum() / (STEPS * STEP_H)
    above = np.arange(stations) // A_FEEDER
    station_kw = np.maximum(0.2 * plugs_kw, 22.0)
    feeder_kw = 0.7 * np.bincount(above, station_kw)
    limit_kw = np.concatenate([[1.5 * mean_kw], feeder_kw, station_kw])
    many = limit_kw.size
    circuits = Circuits(
        np.concatenate([[-1], np.zeros(feeders, dtype=np.int64), 1 + above]),
        np.tile(limit_kw[:, None], STEPS),
        buy_per_kwh=np.vstack([PRICE, np.zeros((many - 1, STEPS))]),
        sell_per_kwh=np.vstack([0.8 * PRICE, np.zeros((many - 1, STEPS))]),
        demand_charge_per_kw=np.r_[1.4, np.zeros(many - 1)],  # CNY a day: 42 a month
    )
    batteries = np.arange(0, stations, 5)
    gives = rng.random(sessions) < 0.2
    soc = rng.uniform(10, 30, sessions)

    def joined(of_cars: Floats, of_batteries: float) -> Floats:
        return np.concatenate([of_cars, np.full(batteries.size, of_batteries)])

    together = Sessions(
        np.concatenate([drawn.circuit + feeders, 1 + feeders + batteries]),
        joined(drawn.arrive_h, 0.0),
        joined(drawn.depart_h, STEPS * STEP_H),
        joined(drawn.energy_kwh, 0.0),
        joined(drawn.max_kw, 50.0),
        discharge_kw=joined(np.where(gives, np.minimum(drawn.max_kw, 11.0), 0.0), 50.0),
        capacity_kwh=joined(np.where(gives, np.maximum(60.0, soc + drawn.energy_kwh), np.inf), 100.0),
        soc_kwh=joined(soc, 50.0),
        floor_kwh=joined(np.full(sessions, 12.0), 10.0),
        efficiency=joined(np.where(gives, 0.95, 1.0), 0.96),
        wear_per_kwh=joined(np.full(sessions, 0.12), 0.05),
    )
    return ChargingProblem(circuits, together, STEP_H)


def changed(problem: ChargingProblem, seed: int, share: float = 0.05) -> tuple[ChargingProblem, Ints]:
    """The same day with a share of the sessions others; and S: which of the first each is, -1 for the others."""
    rng = np.random.default_rng(seed)
    many = problem.sessions.circuit.size
    fresh = cars(rng, many, problem.circuits.parent.size - 1)
    other = rng.permutation(many) < share * many
    mixed = {
        each.name: np.where(other, getattr(fresh, each.name), getattr(problem.sessions, each.name)) for each in fields(fresh)
    }
    return replace(problem, sessions=Sessions(**mixed)), np.where(other, -1, np.arange(many))
