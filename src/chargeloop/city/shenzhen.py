"""Readers of the two public data sets of Shenzhen, in their official layouts and in the long one of the project's data folder.

UrbanEV (doi 10.1038/s41597-025-04874-4): inf.csv (stations), optionally stations_enriched.csv and zones.csv; hourly volume as
volume.csv (wide: time, then a column for each zone) or hourly_*.parquet (long); e_price.csv and s_price.csv (wide), or columns
of the long file; weather_central.csv. ST-EVCDP: stations.csv and information.csv. Positions are GCJ-02 there, WGS-84 here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from chargeloop.city import assumed
from chargeloop.city.osm import no_roads, read_roads
from chargeloop.city.tables import find, hourly, need, numbers, read_table, unique_ids
from chargeloop.model import (
    BadInput,
    Behaviour,
    City,
    Demand,
    Place,
    PriceBand,
    Roads,
    Site,
    SiteType,
    Station,
    Tariff,
    Weather,
    Zone,
)
from chargeloop.model.city import Floats
from chargeloop.physics import distance_m, gcj02_to_wgs84, hour_of_week

TIME_ZONE = "Asia/Shanghai"
ARRIVAL_SOC = (0.04, 0.12, 0.17, 0.21, 0.26, 0.31, 0.36, 0.42, 0.49, 0.6, 0.85)
USUAL_RADIUS_M = 900.0
LIKE = 3  # an unmeasured zone is like the median of this many measured ones around it
MOST_BUSY = 0.95
USUAL_SHARE = 0.2  # of chargers busy, where nothing at all is known


@dataclass(frozen=True, slots=True, eq=False)
class _Stations:
    """Columns of a station table: ids, zones, WGS-84 degrees, fast and slow chargers."""

    ids: list[str]
    zones: list[str]
    lon: Floats
    lat: Floats
    fast: Floats
    slow: Floats


def read_urbanev(folder: Path) -> City:
    """The city of an UrbanEV folder; roads from an extract beside it, where there is one.

    Raises:
        BadInput: naming file, row and column of what is wrong.
    """
    stations = _urbanev_stations(folder)
    zones = _zones(folder, stations)
    measured = _volume(folder)
    note = (
        "Public charging in Shenzhen (UrbanEV, CC0). Volumes are rated power x busy time, as published; zones without a series "
        "of their own follow the three nearest ones that have one. Slow chargers are taken as 7 kW, fast ones as 60 kW."
    )
    return _city("Shenzhen", note, folder, stations, zones, measured)


def read_stevcdp(folder: Path) -> City:
    """The city of an ST-EVCDP folder (static part): stations with fast and slow chargers; demand is assumed.

    Raises:
        BadInput: naming file, row and column of what is wrong.
    """
    path = need(folder, "stations.csv")
    table = read_table(path, ["station_id", "latitude", "longitude", "fast", "slow"])
    lon, lat = gcj02_to_wgs84(*_positions(table, path, "longitude", "latitude"))
    info_path = need(folder, "information.csv")
    info = read_table(info_path, ["grid", "lon", "la"])
    zone_ids = unique_ids(info, info_path, "grid")
    centre_lon, centre_lat = gcj02_to_wgs84(*_positions(info, info_path, "lon", "la"))
    nearest = [int(np.argmin(distance_m(a, b, centre_lon, centre_lat))) for a, b in zip(lon, lat, strict=True)]
    stations = _Stations(
        unique_ids(table, path, "station_id"),
        [zone_ids[z] for z in nearest],
        lon,
        lat,
        numbers(table, path, "fast", 0, 1000),
        numbers(table, path, "slow", 0, 1000),
    )
    zones = tuple(
        Zone(key, Place(float(a), float(b)), USUAL_RADIUS_M, SiteType.PUBLIC)
        for key, a, b in zip(zone_ids, centre_lon, centre_lat, strict=True)
    )
    note = "Public charging stations of Shenzhen (ST-EVCDP, MIT). Their demand is assumed: a fifth of the chargers busy."
    return _city("Shenzhen (ST-EVCDP)", note, folder, stations, zones, None)


def _urbanev_stations(folder: Path) -> _Stations:
    path = need(folder, "stations_enriched.csv", "inf.csv")
    table = read_table(path, ["station_id", "longitude", "latitude", "charge_count", "TAZID"])
    if "in_filtered_1362" in table:
        table = table[table["in_filtered_1362"].astype(bool)]
    count = numbers(table, path, "charge_count", 1, 2000)
    if "lon_wgs84" in table and "lat_wgs84" in table:
        lon, lat = _positions(table, path, "lon_wgs84", "lat_wgs84")
    else:
        lon, lat = gcj02_to_wgs84(*_positions(table, path, "longitude", "latitude"))
    fast, slow = np.zeros(len(table)), count
    if "fast" in table and "slow" in table:
        fast = numbers(table, path, "fast", 0, 2000, missing=0.0)
        slow = np.where(numbers(table, path, "slow", 0, 2000, missing=0.0) + fast > 0, count - fast, count)
    zones = [str(int(zone)) for zone in numbers(table, path, "TAZID", 0)]
    return _Stations(unique_ids(table, path, "station_id"), zones, lon, lat, fast, np.maximum(slow, 0))


def _positions(table: Any, path: Path, lon: str, lat: str) -> tuple[Floats, Floats]:
    return numbers(table, path, lon, -180, 180), numbers(table, path, lat, -90, 90)


def _zones(folder: Path, stations: _Stations) -> tuple[Zone, ...]:
    """Zones that have stations: centre as published (else, or where that is 0,0, the middle of the stations) and size."""
    path = find(folder, "zones.csv", "inf.csv")
    area: dict[str, float] = {}
    centre: dict[str, tuple[float, float]] = {}
    if path is not None:
        table = read_table(path, ["TAZID", "longitude", "latitude", "area"])
        lon, lat = _positions(table, path, "longitude", "latitude")
        keys = [str(int(zone)) for zone in numbers(table, path, "TAZID", 0)]
        area = dict(zip(keys, numbers(table, path, "area", 0).tolist(), strict=True))
        if path.name.startswith("zones"):
            placed = {k: (a, b) for k, a, b in zip(keys, lon.tolist(), lat.tolist(), strict=True) if (a, b) != (0.0, 0.0)}
            centre = {k: (float(a), float(b)) for k, (a, b) in ((k, gcj02_to_wgs84(*p)) for k, p in placed.items())}
    zones = []
    of_zone = np.array(stations.zones)
    for key in sorted(set(stations.zones), key=int):
        mine = of_zone == key
        lon_lat = centre.get(key, (float(stations.lon[mine].mean()), float(stations.lat[mine].mean())))
        radius = float(np.clip(np.sqrt(area.get(key, 0.0) / np.pi) or USUAL_RADIUS_M, 200.0, 3000.0))
        zones.append(Zone(key, Place(*lon_lat), radius, SiteType.PUBLIC))
    return tuple(zones)


@dataclass(frozen=True, slots=True, eq=False)
class _Hourly:
    """Hours x zones; `energy` and `service` prices in CNY/kWh where known."""

    start: datetime
    zones: list[str]
    kwh: Floats
    energy: Floats | None
    service: Floats | None


def _volume(folder: Path) -> _Hourly:
    long = sorted(folder.glob("hourly*.parquet"))
    if long:
        table = read_table(long[0], ["time", "TAZID", "volume_kwh"])
        numbers(table, long[0], "volume_kwh", 0)
        start, _ = hourly(table, long[0], TIME_ZONE)
        names = [name for name in ("volume_kwh", "e_price_cny_kwh", "s_price_cny_kwh") if name in table]
        wide = [table.pivot(index="time", columns="TAZID", values=name) for name in names]
        values = [frame.to_numpy(dtype=np.float64) for frame in wide]
        prices = values[1:] if len(values) == 3 else [None, None]
        return _Hourly(start, [str(int(zone)) for zone in wide[0].columns], values[0], *prices)
    path = need(folder, "volume.csv")
    start, zones, kwh = _wide(path)
    energy, service = (_same_zones(folder, name, zones, kwh.shape) for name in ("e_price.csv", "s_price.csv"))
    return _Hourly(start, zones, kwh, energy, service)


def _wide(path: Path) -> tuple[datetime, list[str], Floats]:
    table = read_table(path, ["time"])
    start, _ = hourly(table, path, TIME_ZONE)
    zones = [str(name) for name in table.columns if name != "time"]
    return start, zones, np.stack([numbers(table, path, name, 0, missing=0.0) for name in zones], axis=1)


def _same_zones(folder: Path, name: str, zones: Sequence[str], shape: tuple[int, ...]) -> Floats | None:
    path = find(folder, name)
    if path is None:
        return None
    _, found, values = _wide(path)
    if found != list(zones) or values.shape != shape:
        raise BadInput(str(path), "has other zones or hours than volume.csv")
    return values


def _city(name: str, note: str, folder: Path, stations: _Stations, zones: tuple[Zone, ...], measured: _Hourly | None) -> City:
    zone_ids = [zone.zone_id for zone in zones]
    sites, records, tariffs = _records(stations, measured)
    rated_kw = np.zeros(len(zones))
    for zone, kw in zip(stations.zones, stations.fast * assumed.DC_KW + stations.slow * assumed.AC_KW, strict=True):
        rated_kw[zone_ids.index(zone)] += kw
    demand, busy_share = _demand(zones, rated_kw, measured)
    models, fleet = assumed.fleet()
    return City(
        name=name,
        time_zone=TIME_ZONE,
        note=f"{note} {assumed.ASSUMED}",
        zones=zones,
        sites=sites,
        stations=records,
        circuits=assumed.grid(sites, records, zone_ids),
        tariffs=tariffs,
        models=models,
        fleet=fleet,
        energy_price=assumed.energy_price(),
        demand=demand,
        weather=_weather(folder, demand),
        behaviour=Behaviour(
            busy_share=busy_share,
            ac_stay_min=np.array(assumed.AC_STAY_MIN),
            dc_overstay_min=np.array(assumed.DC_OVERSTAY_MIN),
            arrival_soc=np.array(ARRIVAL_SOC),
        ),
        roads=_roads(folder),
    )


def _records(stations: _Stations, measured: _Hourly | None) -> tuple[tuple[Site, ...], tuple[Station, ...], tuple[Tariff, ...]]:
    """Sites and stations; a zone with measured prices has a tariff of its own, the others are shared out among operators."""
    by_zone = _measured_tariffs(measured)
    operators = assumed.operator_tariffs(TIME_ZONE)
    sites, records = [], []
    for i, key in enumerate(stations.ids):
        zone, bays = stations.zones[i], assumed.bays(key, int(stations.fast[i]), int(stations.slow[i]))
        operator = assumed.OPERATORS[i % len(assumed.OPERATORS)][0]
        tariff_id = by_zone[zone].tariff_id if zone in by_zone else operator
        place = Place(float(stations.lon[i]), float(stations.lat[i]))
        sites.append(Site(f"site-{key}", place, zone, SiteType.PUBLIC, f"site-{key}", assumed.base_load_kw(len(bays))))
        records.append(Station(key, f"Station {key}", operator, f"site-{key}", tariff_id, bays))
    return tuple(sites), tuple(records), (*operators, *by_zone.values())


def _measured_tariffs(measured: _Hourly | None) -> dict[str, Tariff]:
    """The median price of each hour of the day, for zones that have one in every hour."""
    if measured is None or measured.energy is None or measured.service is None:
        return {}
    hour = (measured.start.hour + np.arange(len(measured.kwh))) % 24
    found = {}
    for z, zone in enumerate(measured.zones):
        energy, service = (
            [
                float(np.nanmedian(prices[hour == h, z])) if np.isfinite(prices[hour == h, z]).any() else np.nan
                for h in range(24)
            ]
            for prices in (measured.energy, measured.service)
        )
        if np.isfinite([*energy, *service]).all():
            bands = tuple(PriceBand(h, h + 1, Decimal(f"{energy[h]:.4f}"), Decimal(f"{service[h]:.4f}")) for h in range(24))
            found[zone] = Tariff(f"zone-{zone}", "CNY", TIME_ZONE, bands)
    return found


def _median(prices: Floats) -> float:
    known = prices[np.isfinite(prices)]
    return float(np.median(known)) if known.size else np.nan


def _demand(zones: Sequence[Zone], rated_kw: Floats, measured: _Hourly | None) -> tuple[Demand, Floats]:
    """Hourly energy of every zone and its week's profile of busy chargers; unmeasured zones follow measured ones nearby."""
    if measured is None:
        hours = 5 * 168
        start = datetime(2025, 6, 10, 9, tzinfo=UTC) - timedelta(hours=hours)
        return Demand(start, np.full((hours, len(zones)), USUAL_SHARE) * rated_kw), np.full((168, len(zones)), USUAL_SHARE)
    index = {zone.zone_id: z for z, zone in enumerate(zones)}
    known = [(column, index[zone]) for column, zone in enumerate(measured.zones) if zone in index]
    if not known:
        raise BadInput("volume", "no zone of it has a station")
    column, at = np.array(known).T
    lon, lat = np.array([(zone.centre.lon, zone.centre.lat) for zone in zones]).T
    near = np.argsort(distance_m(lon[:, None], lat[:, None], lon[at], lat[at]), axis=1)[:, :LIKE]
    start = measured.start.astimezone(UTC)
    week_hour = (hour_of_week(start, TIME_ZONE) + np.arange(len(measured.kwh))) % 168
    share = np.minimum(measured.kwh[:, column] / rated_kw[at], MOST_BUSY)
    profile = np.array([np.nanmedian(share[week_hour == h], axis=0) for h in range(168)])
    energy = np.median(share[:, near], axis=2) * rated_kw
    energy[:, at] = measured.kwh[:, column]
    busy = np.median(profile[:, near], axis=2)
    busy[:, at] = profile
    return Demand(start, energy), busy


def _weather(folder: Path, demand: Demand) -> Weather:
    path = find(folder, "weather_central.csv", "weather_airport.csv")
    if path is None:
        hours = len(demand.energy_kwh) + 14 * 24
        return Weather(demand.start, np.full(hours, 25.0), np.zeros(hours))
    table = read_table(path, ["time", "T", "nRAIN"])
    start, _ = hourly(table, path, TIME_ZONE)
    return Weather(start.astimezone(UTC), numbers(table, path, "T", -60, 60), numbers(table, path, "nRAIN", 0, 3, missing=0.0))


def _roads(folder: Path) -> Roads:
    extracts = sorted([*folder.glob("*.osm.pbf"), *folder.parent.glob("*osm*/*.osm.pbf")])
    return read_roads(extracts[0]) if extracts else no_roads()
