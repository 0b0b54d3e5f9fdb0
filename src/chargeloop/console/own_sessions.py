"""The sessions of `chargeloop schedule`, from a CSV file, and with a site the problem that they pose."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil, inf, isnan, nan
from pathlib import Path

import numpy as np

from chargeloop.city.cells import Cells, Row, check
from chargeloop.console.own_site import OwnSite, carbon_of, circuits_of
from chargeloop.execution import ChargingProblem, Sessions
from chargeloop.model import BadInput

NEEDS = ("session_id", "arrival", "departure")
MAY = (
    *("circuit", "charger", "energy_kwh", "min_energy_kwh", "max_kw", "min_kw", "phase", "value_per_kwh"),
    *("discharge_kw", "battery_kwh", "soc", "target_soc", "floor_soc", "efficiency", "wear_per_kwh"),
)
SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)  # stands for a time that cannot be read, until the faults are told
MANY_KWH, MANY_KW = 1e5, 1e5
MOST_STEPS = 1000
FLOOR_SOC, TARGET_SOC = 0.2, 0.8


class Phase(StrEnum):
    ALL = "all"
    L1 = "1"
    L2 = "2"
    L3 = "3"


@dataclass(frozen=True, slots=True)
class Asked:
    """A row, or a storage battery of the site: kWh and kW as in `Sessions`."""

    name: str
    circuit: int
    arrival: datetime
    departure: datetime
    energy_kwh: float
    min_energy_kwh: float
    max_kw: float
    min_kw: float
    phase: int
    value_per_kwh: float
    discharge_kw: float
    capacity_kwh: float
    soc_kwh: float
    floor_kwh: float
    efficiency: float
    wear_per_kwh: float


@dataclass(frozen=True, slots=True, eq=False)
class OwnDay:
    """`asked`: one for each session of `problem`, the last `storage` of them the site's batteries. `begins`: of each step."""

    site: OwnSite
    problem: ChargingProblem
    asked: tuple[Asked, ...]
    storage: int
    begins: tuple[datetime, ...]
    passed_over: tuple[str, ...]


def read_own_day(sessions: Path, site_path: Path, site: OwnSite) -> OwnDay:
    """The day of `site` (read from `site_path`) from the first arrival to the last departure, in its steps.

    Raises:
        BadInput: naming file, row and column of every fault in the sessions, or what is wrong in the site.
    """
    cells = Cells(sessions, NEEDS, (*NEEDS, *MAY))
    seen: dict[str, int] = {}
    asked = []
    for row in cells:
        asked.append(_asked(row, site))
        name = asked[-1].name
        if name in seen:
            row.fault("session_id", f"{name!r} stands in row {seen[name]} already")
        seen.setdefault(name, row.line)
    check(cells)
    begins = _begins(sessions, asked, site)
    batteries = _batteries(site, begins)
    every = [*asked, *batteries]
    by_phase = any(each.phase for each in every)
    circuits = circuits_of(site_path, site, begins, by_phase=by_phase)
    problem = ChargingProblem(
        circuits,
        _sessions(every, begins[0]),
        site.step_min / 60,
        carbon_kg_per_kwh=carbon_of(site_path, site, begins),
        carbon_price=site.carbon_price_per_kg,
        fairness=site.fairness,
    )
    return OwnDay(site, problem, tuple(every), len(batteries), tuple(begins), cells.passed_over)


def _asked(row: Row, site: OwnSite) -> Asked:
    circuit, max_kw, min_kw, phase = _plug(row, site)
    arrival, departure = (_when(row, column) for column in ("arrival", "departure"))
    if departure <= arrival:
        row.fault("departure", f"is not after arrival, {arrival.isoformat()}")
    discharge_kw = row.number("discharge_kw", 0, MANY_KW, 0)
    battery_kwh = row.number("battery_kwh", 0, MANY_KWH, 0) or nan
    soc = row.number("soc", 0, 1, -1) if row.text("soc", "") else nan
    energy_kwh = _energy_kwh(row, battery_kwh, soc)
    if discharge_kw > 0 and (isnan(battery_kwh) or isnan(soc)):
        row.fault("discharge_kw", "what gives energy back needs battery_kwh and soc")
    elif discharge_kw > 0 and energy_kwh > battery_kwh * (1 - soc) + 1e-9:
        row.fault("energy_kwh", f"{energy_kwh:g} kWh do not fit into a battery of {battery_kwh:g} kWh at {soc:g}")
    least_kwh = row.number("min_energy_kwh", 0, MANY_KWH, 0)
    if least_kwh > energy_kwh:
        row.fault("min_energy_kwh", f"is more than is asked for, {least_kwh:g} > {energy_kwh:g}")
    floor_kwh = row.number("floor_soc", 0, 1, FLOOR_SOC) * battery_kwh
    value = row.number("value_per_kwh", -1, 1e6, -1)  # empty: three times the dearest kWh
    return Asked(
        row.text("session_id"),
        circuit,
        arrival,
        departure,
        energy_kwh,
        least_kwh,
        max_kw,
        min_kw,
        phase,
        nan if value < 0 else value,
        discharge_kw,
        inf if isnan(battery_kwh) else battery_kwh,
        0.0 if isnan(battery_kwh * soc) else battery_kwh * soc,
        0.0 if isnan(floor_kwh) else floor_kwh,
        row.number("efficiency", 0.01, 1, 1),
        row.number("wear_per_kwh", 0, 1e6, 0),
    )


def _plug(row: Row, site: OwnSite) -> tuple[int, float, float, int]:
    """Circuit, most and least power, and phase, as the row says or its charger does."""
    name, circuit = row.text("charger", ""), row.text("circuit", "")
    charger = next((each for each in site.chargers if each.id == name), None)
    if name and charger is None:
        known = ", ".join(each.id for each in site.chargers) or "none"
        row.fault("charger", f"there is no charger {name!r} in the site; there are {known}")
    if circuit and circuit not in site.names:
        row.fault("circuit", f"there is no circuit {circuit!r} in the site; there are {', '.join(site.names)}")
    elif circuit and charger is not None and site.circuit_of(circuit) != site.circuit_of(charger.circuit):
        row.fault("circuit", f"charger {name!r} hangs on {charger.circuit or site.names[0]!r}")
    if charger is None:
        max_kw = row.number(
            "max_kw", 0.1, MANY_KW, 0.1 if name else None
        )  # one fault is enough for a charger that is not known
        min_kw, own_phase = 0.0, Phase.ALL
    else:
        max_kw = min(row.number("max_kw", 0.1, MANY_KW, charger.max_kw), charger.max_kw)
        min_kw = site.min_kw(charger)
        own_phase = Phase(str(charger.first_phase)) if charger.phases == 1 else Phase.ALL
        circuit = charger.circuit or site.names[0]
    min_kw = row.number("min_kw", 0, MANY_KW, min_kw)
    if min_kw > max_kw:
        row.fault("min_kw", f"is more than the most power, {min_kw:g} > {max_kw:g}")
    phase = row.word("phase", Phase, own_phase)
    number = 0 if phase is Phase.ALL else int(phase)
    return (site.circuit_of(circuit) if circuit in site.names else 0), max_kw, min_kw, number


def _energy_kwh(row: Row, battery_kwh: float, soc: float) -> float:
    if row.text("energy_kwh", ""):
        return row.number("energy_kwh", 0, MANY_KWH)
    if isnan(battery_kwh) or isnan(soc):
        row.fault("energy_kwh", "is empty; give it, or battery_kwh, soc and target_soc")
        return 0.0
    return max(row.number("target_soc", 0, 1, max(TARGET_SOC, soc)) - soc, 0.0) * battery_kwh


def _when(row: Row, column: str) -> datetime:
    row.text(column)
    return row.time(column, SOME_DAY)


def _begins(path: Path, asked: list[Asked], site: OwnSite) -> list[datetime]:
    """Of each step: whole steps since the hour before the first arrival."""
    step = timedelta(minutes=site.step_min)
    first = min(each.arrival for each in asked)
    begin = first.replace(minute=0, second=0, microsecond=0)
    begin += ((first - begin) // step) * step
    steps = ceil((max(each.departure for each in asked) - begin) / step)
    if steps > MOST_STEPS:
        span = f"{steps} steps of {site.step_min} min, {MOST_STEPS} at most"
        what = f"the sessions span {span}; make step_min larger or split the file"
        raise BadInput(str(path), what)
    return [begin + n * step for n in range(steps)]


def _batteries(site: OwnSite, begins: list[datetime]) -> list[Asked]:
    """Storage as vehicles that stay and ask for nothing."""
    end = begins[-1] + timedelta(minutes=site.step_min)
    return [
        Asked(
            each.name,
            site.circuit_of(each.circuit),
            begins[0],
            end,
            energy_kwh=0.0,
            min_energy_kwh=0.0,
            max_kw=each.max_kw,
            min_kw=0.0,
            phase=0,
            value_per_kwh=nan,
            discharge_kw=each.max_kw if each.discharge_kw is None else each.discharge_kw,
            capacity_kwh=each.capacity_kwh,
            soc_kwh=each.soc * each.capacity_kwh,
            floor_kwh=each.floor_soc * each.capacity_kwh,
            efficiency=each.efficiency,
            wear_per_kwh=each.wear_per_kwh,
        )
        for each in site.storage
    ]


def _sessions(asked: list[Asked], begin: datetime) -> Sessions:
    def column(name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.array([getattr(each, name) for each in asked], dtype=np.float64)

    return Sessions(
        np.array([each.circuit for each in asked]),
        np.array([(each.arrival - begin) / timedelta(hours=1) for each in asked]),
        np.array([(each.departure - begin) / timedelta(hours=1) for each in asked]),
        column("energy_kwh"),
        column("max_kw"),
        least_kwh=column("min_energy_kwh"),
        min_kw=column("min_kw"),
        phase=np.array([each.phase for each in asked]),
        value_per_kwh=column("value_per_kwh"),
        discharge_kw=column("discharge_kw"),
        capacity_kwh=column("capacity_kwh"),
        soc_kwh=column("soc_kwh"),
        floor_kwh=column("floor_kwh"),
        efficiency=column("efficiency"),
        wear_per_kwh=column("wear_per_kwh"),
    )
