"""Somebody's own requests and stations, from two CSV files: what `chargeloop assign` reads."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import inf
from pathlib import Path

import numpy as np

from chargeloop.city import assumed
from chargeloop.city.cells import Cells, Row, check
from chargeloop.city.osm import no_roads
from chargeloop.model import (
    Behaviour,
    ChargeRequest,
    ChargingCurve,
    Circuit,
    CircuitKind,
    City,
    Connector,
    Current,
    Demand,
    EnergyPrice,
    Evse,
    Layout,
    Place,
    Plug,
    PriceBand,
    Roads,
    Site,
    SiteType,
    Sort,
    Station,
    Tariff,
    Tier,
    VehicleModel,
    Weather,
    Zone,
)
from chargeloop.model.city import Floats

REQUEST_NEEDS = ("request_id", "lon", "lat", "soc")
REQUEST_MAY = (
    *("target_soc", "battery_kwh", "current", "max_kw", "consumption_kwh_per_km", "tier", "depart_by"),
    *("value_of_time_per_h", "excluded_operators", "sort", "destination_lon", "destination_lat", "depot_station_id"),
)
STATION_NEEDS = ("station_id", "lon", "lat", "bays", "kw")
STATION_MAY = ("current", "free_bays", "next_free_min", "price_per_kwh", "operator", "name", "opens_h", "closes_h")

MAX_KW = {Current.AC: 7.0, Current.DC: 100.0}  # of a vehicle that doesn't say
STAY = timedelta(hours=4)  # of a driver who doesn't say
AC_UP_TO_KW = 22.0  # stations that don't say: above this it is DC
NEXT_FREE_MIN = 30.0
PRICE_PER_KWH = 1.2
MANY_BAYS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class OwnCity:
    """`city` and `layout` as of any other city; `bay_free_s`: E, when each bay is free; `passed_over`: columns not used."""

    city: City
    layout: Layout
    bay_free_s: Floats
    requests: tuple[ChargeRequest, ...]
    passed_over: tuple[str, ...]


def read_own(requests: Path, stations: Path, now: datetime, time_zone: str, roads: Roads | None = None) -> OwnCity:
    """Both files. `now`: when the requests are made; `time_zone`: of opening hours.

    Raises:
        BadInput: naming file, row and column of every fault in either file.
    """
    asked = Cells(requests, REQUEST_NEEDS, (*REQUEST_NEEDS, *REQUEST_MAY))
    offered = Cells(stations, STATION_NEEDS, (*STATION_NEEDS, *STATION_MAY))
    models: dict[tuple[float, float], VehicleModel] = {}
    made = [_request(row, now, models) for row in asked]
    _once([(row, request.request_id) for row, request in zip(asked, made, strict=True)], "request_id")
    pools = [_pool(row, now, time_zone) for row in offered]
    _once([(row, f"{pool.station.station_id}, {pool.current}") for row, pool in zip(offered, pools, strict=True)], "station_id")
    _same_place(list(offered), pools)
    _depots(list(asked), made, {pool.station.station_id for pool in pools})
    check(asked, offered)
    city = _city(pools, tuple(models.values()), time_zone, now, roads or no_roads())
    layout = Layout.of(city)
    free = {evse.evse_id: free_s for pool in pools for evse, free_s in zip(pool.station.evses, pool.free_s, strict=True)}
    bay_free_s = np.array([free[evse_id] for evse_id in layout.evse_ids])
    return OwnCity(city, layout, bay_free_s, tuple(made), (*asked.passed_over, *offered.passed_over))


def _request(row: Row, now: datetime, models: dict[tuple[float, float], VehicleModel]) -> ChargeRequest:
    current = row.word("current", Current, Current.DC)
    soc = row.number("soc", 0, 1)
    target = row.number("target_soc", 0, 1, max(0.8, soc))
    if target < soc:
        row.fault("target_soc", f"lies below soc, {target:g} < {soc:g}")
    depart_by = row.time("depart_by", now + STAY)
    if depart_by <= now:
        row.fault("depart_by", f"is not after {now.isoformat()}, when the request is made")
    power_kw = row.number("max_kw", 0.1, 2000, MAX_KW[current])
    use = row.number("consumption_kwh_per_km", 0.01, 5, 0.16)
    model = models.setdefault((power_kw, use), _model(f"model-{len(models) + 1}", power_kw, use))
    worth = row.number("value_of_time_per_h", -1, 1e5, -1)  # empty: what the tier's is
    return ChargeRequest(
        request_id=row.text("request_id"),
        at=now,
        place=Place(row.number("lon", -180, 180), row.number("lat", -90, 90)),
        id_token=f"row-{row.line}",
        model_id=model.model_id,
        tier=row.word("tier", Tier, Tier.PRIVATE),
        current=current,
        soc=soc,
        target_soc=max(target, soc),
        battery_kwh=row.number("battery_kwh", 1, 2000, 60),
        depart_by=max(depart_by, now + timedelta(minutes=1)),
        value_of_time_per_h=None if worth < 0 else worth,
        excluded_operators=row.words("excluded_operators"),
        sort=row.word("sort", Sort, Sort.SOONEST) if row.text("sort", "") else None,
        destination=_destination(row),
        depot_station_id=row.text("depot_station_id", "") or None,
    )


def _destination(row: Row) -> Place | None:
    named = [bool(row.text(column, "")) for column in ("destination_lon", "destination_lat")]
    if not any(named):
        return None
    if not all(named):
        row.fault("destination_lon", "and destination_lat go together")
    return Place(row.number("destination_lon", -180, 180, 0), row.number("destination_lat", -90, 90, 0))


def _depots(rows: list[Row], requests: list[ChargeRequest], stations: set[str]) -> None:
    for row, request in zip(rows, requests, strict=True):
        if request.depot_station_id not in {None, *stations}:
            row.fault("depot_station_id", f"there is no station {request.depot_station_id!r}")


def _model(name: str, power_kw: float, consumption: float) -> VehicleModel:
    """Charges at `power_kw` by either current; by DC with the taper that is assumed for most."""
    curve = ChargingCurve(*zip(*((soc, power_kw * share) for soc, share in assumed.FLAT_CURVE), strict=True))
    return VehicleModel(name, name, 60.0, power_kw, power_kw, curve, consumption)


@dataclass(frozen=True, slots=True)
class _Pool:
    """A row of the stations: bays of one current."""

    station: Station
    place: Place
    current: Current
    tariff: Tariff
    free_s: tuple[float, ...]


def _pool(row: Row, now: datetime, time_zone: str) -> _Pool:
    kw = row.number("kw", 0.1, 2000)
    current = row.word("current", Current, Current.DC if kw > AC_UP_TO_KW else Current.AC)
    bays = row.count("bays", 1, MANY_BAYS)
    free = row.count("free_bays", 0, bays, bays)
    after_min = row.number("next_free_min", 0, 1e5, NEXT_FREE_MIN)
    price = row.number("price_per_kwh", 0, 1e4, PRICE_PER_KWH)
    tariff = Tariff(f"{price:g}", "CNY", time_zone, (PriceBand(0, 24, Decimal(str(price)), Decimal(0)),))
    name = row.text("station_id")
    plug = Plug.GBT_DC if current is Current.DC else Plug.GBT_AC
    station = Station(
        station_id=name,
        name=row.text("name", name),
        operator_id=row.text("operator", "-"),
        site_id=name,
        tariff_id=tariff.tariff_id,
        evses=tuple(Evse(f"{name}-{current}-{bay}", current, kw, (Connector(1, plug, kw),)) for bay in range(1, bays + 1)),
        opens_h=row.number("opens_h", 0, 24, 0),
        closes_h=row.number("closes_h", 0, 24, 24),
    )
    # the first taken bay is free after so many minutes, the second after twice as many: they empty one by one
    taken_s = (now.timestamp() + 60 * after_min * (n + 1) for n in range(bays - free))
    return _Pool(
        station,
        Place(row.number("lon", -180, 180), row.number("lat", -90, 90)),
        current,
        tariff,
        (*(now.timestamp() for _ in range(free)), *taken_s),
    )


def _once(named: list[tuple[Row, str]], column: str) -> None:
    seen: dict[str, int] = {}
    for row, name in named:
        if name in seen:
            row.fault(column, f"{name!r} stands in row {seen[name]} already")
        seen.setdefault(name, row.line)


def _same_place(rows: list[Row], pools: list[_Pool]) -> None:
    """AC and DC of one station are two rows, which must agree on what is the station's."""
    first: dict[str, _Pool] = {}
    for row, pool in zip(rows, pools, strict=True):
        other = first.setdefault(pool.station.station_id, pool)
        bare, other_bare = replace(pool.station, evses=()), replace(other.station, evses=())
        if (bare, pool.place) != (other_bare, other.place):
            row.fault("station_id", f"{pool.station.station_id!r} has another place, name, operator, price or hours further up")


def _city(pools: list[_Pool], models: tuple[VehicleModel, ...], time_zone: str, now: datetime, roads: Roads) -> City:
    """A city of one zone with a grid that limits nothing, no forecast and no history."""
    stations: dict[str, Station] = {}
    places: dict[str, Place] = {}
    for pool in pools:
        key = pool.station.station_id
        known = stations.get(key)
        stations[key] = pool.station if known is None else replace(known, evses=known.evses + pool.station.evses)
        places[key] = pool.place
    centre = next(iter(places.values()))
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    nothing = np.zeros((2, 1))
    return City(
        name="own tables",
        time_zone=time_zone,
        note="",
        zones=(Zone("all", centre, 1.0, SiteType.PUBLIC),),
        sites=tuple(Site(key, place, "all", SiteType.PUBLIC, "grid") for key, place in places.items()),
        stations=tuple(stations.values()),
        circuits=(Circuit("grid", CircuitKind.REGION, inf),),
        tariffs=tuple({pool.tariff.tariff_id: pool.tariff for pool in pools}.values()),
        models=models,
        fleet=(),
        energy_price=EnergyPrice((0.0,) * 24, (0.0,) * 24),
        demand=Demand(hour, nothing),
        weather=Weather(hour, np.full(2, 20.0), np.zeros(2)),
        behaviour=Behaviour(np.zeros((168, 1)), np.zeros(2), np.zeros(2), np.zeros(2)),
        roads=roads,
    )
