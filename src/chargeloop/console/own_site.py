"""The site of `chargeloop schedule`: circuits, chargers and storage in a TOML file; that of `chargeloop edge` will do."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np
from msgspec import Meta

from chargeloop.city.cells import Cells, check
from chargeloop.edge.config import ChargerOf, Name, NotNegative, Part, Positive, circuit_faults, read_toml
from chargeloop.edge.config import Site as EdgeSite
from chargeloop.execution import Circuits
from chargeloop.execution.charging import VOLTS
from chargeloop.model import BadInput
from chargeloop.model.city import Floats

Share = Annotated[float, Meta(ge=0, le=1)]
Series = float | str | dict[str, float]


class OwnCircuit(Part, frozen=True, kw_only=True):
    """What `edge` knows of a circuit, and what a kWh costs there. A series is a number, a table of local times of day
    ("HH:MM" = value from then on), or the name of a CSV file with the columns time and value."""

    name: Name
    parent: Name | None = None
    limit_kw: Series | None = None
    limit_a: Series | None = None
    base_kw: Series = 0.0
    pv_kw: Series = 0.0
    feed_in_limit_kw: Series | None = None
    buy_per_kwh: Series = 0.0
    sell_per_kwh: Series = 0.0
    demand_charge_per_kw: NotNegative = 0.0
    peak_kw: NotNegative = 0.0


class Storage(Part, frozen=True, kw_only=True):
    """A battery that stays. `soc`: now, and wanted again at the end. `efficiency`: of each way."""

    name: Name
    circuit: Name | None = None
    capacity_kwh: Positive
    max_kw: Positive
    discharge_kw: Positive | None = None
    soc: Share = 0.5
    floor_soc: Share = 0.1
    efficiency: Annotated[float, Meta(gt=0, le=1)] = 0.96
    wear_per_kwh: NotNegative = 0.0


class OwnSite(Part, frozen=True, kw_only=True):
    name: Name
    circuits: Annotated[tuple[OwnCircuit, ...], Meta(min_length=1)]
    chargers: tuple[ChargerOf, ...] = ()
    storage: tuple[Storage, ...] = ()
    time_zone: str = "UTC"
    currency: str = "CNY"
    step_min: Annotated[int, Meta(ge=1, le=60)] = 15
    voltage_v: Positive = 230.0
    fairness: NotNegative = 0.0
    carbon_kg_per_kwh: Series = 0.0
    carbon_price_per_kg: NotNegative = 0.0

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.circuits]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def circuit_of(self, name: str | None) -> int:
        """Number of a circuit; of the first where none is named."""
        return 0 if name is None else self.names.index(name)

    def min_kw(self, charger: ChargerOf) -> float:
        return charger.min_a * self.voltage_v * charger.phases / 1000


EDGE_ONLY = {each.name for each in msgspec.structs.fields(EdgeSite)} - {each.name for each in msgspec.structs.fields(OwnSite)}


def read_own_site(path: Path) -> OwnSite:
    """What only `chargeloop edge` needs is passed over.

    Raises:
        BadInput: naming the file, the key and what is wrong.
    """
    site = read_toml(path, OwnSite, EDGE_ONLY)
    found = [f"{where}: {what}" for where, what in _faults(site)]
    if found:
        raise BadInput(str(path), "\n".join([found[0], *(f"{path}: {each}" for each in found[1:])]))
    return site


def _faults(site: OwnSite) -> Iterator[tuple[str, str]]:
    yield from circuit_faults([(each.name, each.parent, each.limit_kw, each.limit_a) for each in site.circuits])
    for kind, each in [("chargers", each.id) for each in site.chargers] + [("storage", each.name) for each in site.storage]:
        same = [*(charger.id for charger in site.chargers), *(battery.name for battery in site.storage)]
        if same.count(each) > 1:
            yield kind, f"{each!r} is there twice"
    for kind, each, circuit in [
        *(("chargers", each.id, each.circuit) for each in site.chargers),
        *(("storage", each.name, each.circuit) for each in site.storage),
    ]:
        if circuit is not None and circuit not in site.names:
            yield f"{kind} {each!r}", f"circuit must be one of {', '.join(site.names)}"
    for charger in site.chargers:
        if charger.max_kw < site.min_kw(charger):
            yield f"chargers {charger.id!r}", f"max_kw is below the {site.min_kw(charger):.1f} kW of min_a"
    try:
        _ = site.zone
    except (ZoneInfoNotFoundError, ValueError):
        yield "time_zone", f"there is no time zone {site.time_zone!r}"


def circuits_of(path: Path, site: OwnSite, begins: "list[datetime]", *, by_phase: bool) -> Circuits:
    """`begins`: of each step. `by_phase`: amperes are limits of each phase; else of three phases that are loaded alike.

    Raises:
        BadInput: a series that cannot be read, or has no value at the first step, or values that make no sense.
    """

    def rows(name: str, default: float) -> Floats:
        made = []
        for each in site.circuits:
            told = getattr(each, name)
            made.append(_series(path, f"{each.name!r}: {name}", default if told is None else told, begins, site.zone))
        return np.array(made)

    limit, amperes = rows("limit_kw", np.inf), rows("limit_a", np.inf)
    all_three = 3 * site.voltage_v / 1000 * amperes
    try:
        return Circuits(
            np.array([-1 if each.parent is None else site.circuit_of(each.parent) for each in site.circuits]),
            np.minimum(limit, all_three),
            base_kw=rows("base_kw", 0.0),
            pv_kw=rows("pv_kw", 0.0),
            feed_in_limit_kw=rows("feed_in_limit_kw", np.nan),
            phase_limit_a=amperes * site.voltage_v / VOLTS if by_phase else np.full((1, 1), np.inf),
            buy_per_kwh=rows("buy_per_kwh", 0.0),
            sell_per_kwh=rows("sell_per_kwh", 0.0),
            demand_charge_per_kw=np.array([each.demand_charge_per_kw for each in site.circuits]),
            peak_kw=np.array([each.peak_kw for each in site.circuits]),
        )
    except BadInput as error:
        raise BadInput(f"{path}: circuits: {error.where}", error.what) from None


def carbon_of(path: Path, site: OwnSite, begins: "list[datetime]") -> Floats:
    """T: kg of each kWh bought."""
    return _series(path, "carbon_kg_per_kwh", site.carbon_kg_per_kwh, begins, site.zone)


def _series(path: Path, name: str, told: Series, begins: "list[datetime]", zone: ZoneInfo) -> Floats:
    """T: the value at the begin of each step."""
    if isinstance(told, int | float):
        return np.full(len(begins), float(told))
    if isinstance(told, str):
        return _from_table(path.parent / told, f"{path}: {name}", begins)
    return _by_the_clock(f"{path}: {name}", told, begins, zone)


def _by_the_clock(where: str, told: Mapping[str, float], begins: "list[datetime]", zone: ZoneInfo) -> Floats:
    try:
        known = sorted((time.fromisoformat(at), value) for at, value in told.items())
    except ValueError:
        raise BadInput(where, f'expected times of day such as "07:30", got {", ".join(map(repr, told))}') from None
    if not known:
        raise BadInput(where, "is empty")
    clock = [begin.astimezone(zone).time() for begin in begins]
    return np.array([next((value for since, value in reversed(known) if since <= at), known[-1][1]) for at in clock])


def _from_table(path: Path, where: str, begins: "list[datetime]") -> Floats:
    cells = Cells(path, ("time", "value"), ("time", "value"))
    since, values = [], []
    for row in cells:
        row.text("time")
        since.append(row.time("time", datetime.min.replace(tzinfo=UTC)))
        values.append(row.number("value", -1e9, 1e9))
        if len(since) > 1 and since[-1] <= since[-2]:
            row.fault("time", "is not after the row above")
    check(cells)
    if since[0] > begins[0]:
        raise BadInput(where, f"{path.name} begins at {since[0].isoformat()}, after the plan does ({begins[0].isoformat()})")
    seconds = np.array([each.timestamp() for each in since])
    at: Any = np.searchsorted(seconds, [each.timestamp() for each in begins], side="right") - 1
    found: Floats = np.array(values)[at]
    return found
