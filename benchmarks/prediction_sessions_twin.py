"""What is learned of the twin's people and vehicles, against what they are: tastes, habits, consumption and charging curves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from benchmarks.report import Bounds, Result
from chargeloop.city import load_city
from chargeloop.guidance import Guide
from chargeloop.model import (
    ChargeRequested,
    ChargingCurve,
    City,
    Decision,
    Event,
    Layout,
    MeterSampled,
    Offer,
    SessionStarted,
    Tier,
)
from chargeloop.physics import drive_kwh
from chargeloop.prediction import ChargingSeen, Consumption, Taste, choices_of, habits_of, of_tier, visits_of
from chargeloop.simulation import (
    Picks,
    Regulars,
    Scenario,
    Twin,
    default_day,
    draw_drivers,
    offer_all,
    offline_loop,
)
from chargeloop.simulation.drivers import VALUE_OF_TIME, VALUE_SPREAD

PICKS = Picks(per_cny=0.3, outside_cny=60.0)
WITHIN_PCT: Bounds = {"max": 15.0}
TOO_FEW = 3000  # choices of a tier
REGULARS, HABIT_DAYS, KNOWN_VISITS = 300, 56, 8
AIR_C = (-2.0, 8.0, 21.5, 30.0, 36.0)
MILD_C = 10.0  # below, batteries charge less, and the curve is another one
WRONG = 1.3  # times the true consumption: what is believed before the first trip


class Ground(NamedTuple):
    city: City
    layout: Layout
    guide: Guide


def twin_people(*, quick: bool, seed: int) -> Iterator[Result]:
    city = load_city(None)
    layout = Layout.of(city)
    ground = Ground(city, layout, Guide.of(city, layout))
    yield from tastes(ground, [seed] if quick else [seed, seed + 1, seed + 2], hours=8 if quick else 24)
    yield from habits(ground, seed, 14 if quick else HABIT_DAYS)
    yield from vehicles(ground, seed, 0.1 if quick else 0.4)


def tastes(ground: Ground, seeds: list[int], hours: int) -> Iterator[Result]:
    """Days on which the twin's drivers pick among the loop's offers: do we find by what?"""
    seen: list[tuple[Decision, Offer | None]] = []
    scenario = Scenario(picks=PICKS)
    city, layout, guide = ground
    begin = default_day(city) + timedelta(hours=24 - hours)
    for seed in seeds:
        drivers = draw_drivers(city, layout, begin, hours, 1.0, np.random.default_rng([seed, 0]), scenario=scenario)
        twin = Twin(city, layout, guide, drivers, begin, 60, "external", np.random.default_rng([seed, 1]), scenario=scenario)
        loop = offline_loop(city, layout, guide, begin, 1.0, scenario=scenario, seed=seed)
        for decision, taken in offer_all(twin, loop, hours * 60):
            seen.append((_renamed(decision, seed), taken))
    decisions = [decision for decision, _ in seen]
    taken_at = {decision.decision_id: taken.station_id if taken else None for decision, taken in seen}
    for tier in Tier:
        table = choices_of(decisions, taken_at, of_tier(tier))
        if len(table) < TOO_FEW:
            continue
        found = Taste.fit(table)
        for name, estimate, true in (
            ("value_of_time", found.value_of_time_per_h, VALUE_OF_TIME[tier]),
            ("price_sensitivity", found.per_cny, PICKS.per_cny),
            ("outside", found.outside_cny, PICKS.outside_cny),
            ("value_of_time_spread", found.spread, VALUE_SPREAD),
        ):
            error = 100 * abs(estimate.value / true - 1)
            said = f"% off ({estimate.value:.3g} +- {estimate.error:.2g}, {len(table)} choices)"
            aim: Bounds | None = None if name == "value_of_time_spread" else WITHIN_PCT
            yield Result(f"{name}_error_pct_{tier}", error, said, "the twin's", true, aim=aim)


def _renamed(decision: Decision, seed: int) -> Decision:
    """The same drivers' numbers come again on each day."""
    return replace(decision, decision_id=f"{seed}-{decision.decision_id}")


def habits(ground: Ground, seed: int, days: int) -> Iterator[Result]:
    """Weeks in which regulars come among others: are they found out?"""
    city, layout, guide = ground
    begin, scenario = default_day(city), Scenario(regulars=REGULARS)
    drivers = draw_drivers(city, layout, begin, 24 * days, 0.05, np.random.default_rng([seed, 2]), scenario=scenario)
    rng = np.random.default_rng([seed, 3])
    twin = Twin(city, layout, guide, drivers, begin, 300, "nearest", rng, scenario=scenario, listen=True)
    zone_of = layout.station_zone[layout.evse_station]
    place = {name: layout.zone_ids[zone] for name, zone in zip(layout.evse_ids, zone_of, strict=True)}
    visits = visits_of((event for _ in range(24 * days * 12) for event in twin.step()), place)
    found = habits_of(visits, begin, begin + timedelta(days=days), city.time_zone)
    known = [each for each in found.values() if each.visits >= KNOWN_VISITS]
    true, rows = Regulars.of(city, layout, REGULARS), np.array([int(each.user_id[-6:]) for each in known])
    of_whom = f"{len(known)} of {REGULARS} people with {KNOWN_VISITS} visits and more in {days} days"
    right = np.array([layout.zone_ids[true.zone[row]] == each.place for row, each in zip(rows, known, strict=True)])
    yield Result("habit_zone_share", float(right.mean()), f"have the usual zone right, {of_whom}")
    off_min = 60 * np.abs((np.array([each.hour for each in known]) - true.hour[rows] + 12) % 24 - 12)
    yield Result(
        "habit_hour_error_min", float(off_min.mean()), f"min, mean (nine of ten within {np.quantile(off_min, 0.9):.0f})"
    )
    kwh = np.array([each.energy_kwh[1] for each in known])
    yield Result("habit_energy_error_pct", 100 * float(np.abs(kwh / true.kwh[rows] - 1).mean()), "% of the median energy, mean")
    every = np.array([each.every_d for each in known]) * true.day_chance[rows].sum(axis=1) / 7
    yield Result("habit_period_error_pct", 100 * float(np.abs(every - 1).mean()), "% of days between visits, mean")
    chance = np.array([each.day_chance for each in known]) - true.day_chance[rows]
    yield Result("habit_day_error", float(np.abs(chance).mean()), "of the chance of coming on a day of the week, mean")


def vehicles(ground: Ground, seed: int, level: float) -> Iterator[Result]:
    """Days at five temperatures: consumption and curve of each model, from trips and meter values, against the model's."""
    trips: dict[str, list[tuple[float, ...]]] = {}
    readings: dict[str, list[tuple[float, ...]]] = {}
    for n, air_c in enumerate(AIR_C):
        _watch(ground, [seed, 4, n], level, air_c, trips, readings)
    drive: list[float] = []
    curve: list[float] = []
    prior: list[float] = []
    for model in ground.city.models:
        if model.model_id not in readings:
            continue
        km, kwh, kmh, air = np.array(trips[model.model_id]).T
        seen = Consumption.of_type(WRONG * model.consumption_kwh_per_km).after(km, kwh, kmh, air)
        for air_c in (-5.0, 10.0, 20.0, 35.0):
            expected, _ = seen.kwh(10.0, 30.0, air_c)
            drive.append(abs(float(expected[0] / drive_kwh(10.0, model.consumption_kwh_per_km, air_c)) - 1))
        soc, power, offered = np.array(readings[model.model_id]).T
        guess = ChargingSeen.of_type(_guess(model.battery_kwh))
        at = np.linspace(0.1, 0.95, 86)
        true = np.minimum(np.interp(at, model.curve.soc, model.curve.power_kw), offered.max())
        for errors, profile in ((prior, guess), (curve, guess.after(soc, power, offered))):
            errors.append(float(np.abs(np.minimum(profile.power_kw(at), offered.max()) / true - 1).mean()))
    count = f"{len(curve)} models, {sum(map(len, trips.values()))} trips, {sum(map(len, readings.values()))} readings"
    yield Result(
        "consumption_error_pct", 100 * float(np.mean(drive)), f"% at -5 to 35 degrees ({count})", "believed before", 30.0
    )
    yield Result("curve_error_pct", 100 * float(np.mean(curve)), "% of power, mean of 10-95 % of charge and of models",
                 "believed before", 100 * float(np.mean(prior)))  # fmt: skip
    yield Result("curve_error_pct_worst_model", 100 * float(np.max(curve)), "%")


def _watch(
    ground: Ground,
    seed: list[int],
    level: float,
    air_c: float,
    trips: dict[str, list[tuple[float, ...]]],
    readings: dict[str, list[tuple[float, ...]]],
) -> None:
    """A day's trips (km, kWh, km/h, °C) and readings (charge, kW, kW offered), by model."""
    city, layout, guide = ground
    begin, scenario = default_day(city), Scenario(temperature_c=air_c)
    drivers = draw_drivers(city, layout, begin, 24, level, np.random.default_rng(seed), scenario=scenario)
    twin = Twin(
        city, layout, guide, drivers, begin, 60, "nearest", np.random.default_rng([*seed, 1]), scenario=scenario, listen=True
    )
    asked, begun = {}, {}
    events: Iterator[Event] = (event for _ in range(24 * 60) for event in twin.step())
    for event in events:
        match event:
            case ChargeRequested():
                asked[event.request.id_token] = event.request
            case SessionStarted():
                begun[event.session_id] = (asked[event.id_token], event.meter_wh)
            case MeterSampled() if event.soc is not None:
                request, meter_wh = begun[event.session_id]
                e = layout.evse_index[event.evse_id]
                if request.current == "DC" and air_c >= MILD_C:
                    readings.setdefault(request.model_id, []).append((event.soc, event.power_kw, layout.evse_kw[e]))
                if meter_wh >= 0:  # the first reading tells with how much it came
                    begun[event.session_id] = (request, -1.0)
                    car = twin.state.cars[int(request.request_id[1:])]  # its odometer
                    plugged_in = event.soc - (event.meter_wh - meter_wh) / 1000 / request.battery_kwh
                    km, hours = car["drive_m"] / 1000, car["drive_s"] / 3600
                    used = (request.soc - plugged_in) * request.battery_kwh
                    trips.setdefault(request.model_id, []).append((km, used, km / hours if hours else np.nan, air_c))


def _guess(battery_kwh: float) -> ChargingCurve:
    """A curve that knows of a vehicle only how large its battery is."""
    return ChargingCurve((0.0, 0.5, 1.0), (1.2 * battery_kwh, 1.2 * battery_kwh, 0.2 * battery_kwh))
