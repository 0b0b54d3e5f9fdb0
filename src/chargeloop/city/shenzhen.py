"""From tables of stations and series of zones to a `City`: what both public data sets of Shenzhen have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from chargeloop.city import assumed
from chargeloop.city.figures import figures
from chargeloop.city.osm import no_roads, read_roads
from chargeloop.city.vehicles import find_vehicles, read_vehicles
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
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import distance_m, hour_of_week

TIME_ZONE = "Asia/Shanghai"
USUAL_RADIUS_M = 900.0
LIKE = 3  # an unmeasured zone is like the median of this many measured ones around it
MOST_BUSY = 0.95
USUAL_SHARE = 0.2  # of chargers busy, where nothing at all is known
USUAL_C = 25.0
NO_SERIES_END = datetime(2025, 6, 10, 9, tzinfo=UTC)  # 17:00 in Shenzhen
LEAST_HOURS = 168


@dataclass(frozen=True, slots=True, eq=False)
class StationTable:
    """Columns of a station table: ids, zones, WGS-84 degrees, fast and slow chargers."""

    ids: list[str]
    zones: list[str]
    lon: Floats
    lat: Floats
    fast: Floats
    slow: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Series of some zones, each hours x zones and NaN where unknown, from the aware full hour `start`.

    `kwh`: charged in the hour; `busy`: bay-hours in use, where known; `energy`, `service`: prices in CNY/kWh, where known.
    """

    start: datetime
    zones: list[str]
    kwh: Floats
    busy: Floats | None
    energy: Floats | None
    service: Floats | None


def make_city(
    name: str,
    note: str,
    folder: Path,
    stations: StationTable,
    zones: tuple[Zone, ...],
    measured: Measured | None,
    weather: Weather | None,
) -> City:
    """The city of these tables; roads and vehicles from files in or beside `folder`, the rest assumed, as the note says.

    Raises:
        BadInput: series too short or of no zone that has a station; a broken file of roads or vehicles.
    """
    zone_ids = [zone.zone_id for zone in zones]
    of_station = np.array([zone_ids.index(zone) for zone in stations.zones])
    fast, slow = (np.bincount(of_station, weights, len(zones)).astype(np.float64) for weights in (stations.fast, stations.slow))
    demand, busy_share = _assumed_demand(fast, slow) if measured is None else _demand(zones, fast, slow, measured)
    sites, records, tariffs = _records(stations, measured)
    models, fleet = assumed.fleet()
    vehicles = find_vehicles(folder)
    if vehicles is not None:
        models, fleet, about = read_vehicles(vehicles)
        note = f"{note} {about}"
    if weather is None:
        hours = len(demand.energy_kwh) + 14 * 24
        weather = Weather(demand.start, np.full(hours, USUAL_C), np.zeros(hours))
        note = f"{note} No weather is on file: {USUAL_C:g} °C and dry is assumed."
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
        weather=Weather(weather.start.astimezone(UTC), weather.temperature_c, weather.rain),
        behaviour=Behaviour(
            busy_share=busy_share,
            ac_stay_min=np.array(assumed.AC_STAY_MIN),
            dc_overstay_min=np.array(assumed.DC_OVERSTAY_MIN),
            arrival_soc=np.array(figures()["arrival_soc"]),
        ),
        roads=_roads(folder),
    )


def _records(
    stations: StationTable, measured: Measured | None
) -> tuple[tuple[Site, ...], tuple[Station, ...], tuple[Tariff, ...]]:
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


def _measured_tariffs(measured: Measured | None) -> dict[str, Tariff]:
    """The median price of each hour of the day, for zones that have one in every hour."""
    if measured is None or measured.energy is None or measured.service is None:
        return {}
    hour = (measured.start.hour + np.arange(len(measured.kwh))) % 24
    energy, service = (_median_by(hour, 24, prices) for prices in (measured.energy, measured.service))
    found = {}
    for z, zone in enumerate(measured.zones):
        if np.isfinite([energy[:, z], service[:, z]]).all():
            bands = tuple(
                PriceBand(h, h + 1, Decimal(f"{energy[h, z]:.4f}"), Decimal(f"{service[h, z]:.4f}")) for h in range(24)
            )
            found[zone] = Tariff(f"zone-{zone}", "CNY", TIME_ZONE, bands)
    return found


def _median_by(group: Ints, groups: int, values: Floats) -> Floats:
    """Median of the rows of each group, groups x columns, NaN where nothing is known."""
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame(values).groupby(group).median().reindex(range(groups)).to_numpy(dtype=np.float64)


def _assumed_demand(fast: Floats, slow: Floats) -> tuple[Demand, Floats]:
    hours = 5 * 168
    rated_kw = fast * assumed.DC_KW + slow * assumed.AC_KW
    demand = Demand(NO_SERIES_END - timedelta(hours=hours), np.full((hours, rated_kw.size), USUAL_SHARE) * rated_kw)
    return demand, np.full((168, rated_kw.size), USUAL_SHARE)


def _demand(zones: Sequence[Zone], fast: Floats, slow: Floats, measured: Measured) -> tuple[Demand, Floats]:
    """Hourly energy of every zone and its week's profile of busy chargers; unmeasured zones follow measured ones nearby."""
    index = {zone.zone_id: z for z, zone in enumerate(zones)}
    rated_kw = fast * assumed.DC_KW + slow * assumed.AC_KW
    known = [(m, index[zone]) for m, zone in enumerate(measured.zones) if zone in index and rated_kw[index[zone]] > 0]
    if not known:
        raise BadInput("demand", f"none of the measured zones ({', '.join(measured.zones[:5])} ...) has a station")
    if len(measured.kwh) < LEAST_HOURS:
        raise BadInput("demand", f"a week of hours is the least to know its shape from, there are {len(measured.kwh)} hours")
    column, at = np.array(known).T
    lon, lat = np.array([(zone.centre.lon, zone.centre.lat) for zone in zones]).T
    near = np.argsort(distance_m(lon[:, None], lat[:, None], lon[at], lat[at]), axis=1)[:, :LIKE]
    start = measured.start.astimezone(UTC)
    week_hour = (hour_of_week(start, TIME_ZONE) + np.arange(len(measured.kwh))) % 168
    kwh = measured.kwh[:, column]
    energy = np.median(np.minimum(kwh / rated_kw[at], MOST_BUSY)[:, near], axis=2) * rated_kw
    energy[:, at] = kwh
    if measured.busy is not None:
        share = _median_by(week_hour, 168, measured.busy[:, column]) / (fast + slow)[at]
    else:
        share = busy_share(_median_by(week_hour, 168, kwh), fast[at], slow[at])
    share = np.where(np.isfinite(share), np.clip(share, 0, MOST_BUSY), USUAL_SHARE)
    busy = np.median(share[:, near], axis=2)
    busy[:, at] = share
    return Demand(start, energy), busy


def busy_share(kwh: Floats, fast: Floats, slow: Floats) -> Floats:
    """Share of the bays of each zone in use (hours x zones), from volumes in kWh that are rated power x busy time.

    In zones with slow chargers only that is volume / 7 kW. Elsewhere the volume alone does not tell how many bays are busy:
    one fast charger weighs as much as eight slow ones. There the slow ones are taken to be as busy as those of the
    slow-only zones, and the rest of the volume is that of the fast ones.
    """
    plain = kwh / (fast * assumed.DC_KW + slow * assumed.AC_KW)
    only_slow = fast == 0
    if only_slow.all() or not only_slow.any():
        return plain
    usual = np.median(np.nan_to_num(plain[:, only_slow], nan=USUAL_SHARE), axis=1)[:, None]
    slow_kwh = np.minimum(usual * slow * assumed.AC_KW, kwh)
    fast_busy = np.minimum((kwh - slow_kwh) / assumed.DC_KW, MOST_BUSY * fast)
    return np.where(only_slow, plain, (slow_kwh / assumed.AC_KW + fast_busy) / (fast + slow))


def _roads(folder: Path) -> Roads:
    extracts = sorted([*folder.glob("*.osm.pbf"), *folder.parent.glob("*osm*/*.osm.pbf")])
    return read_roads(extracts[0]) if extracts else no_roads()
