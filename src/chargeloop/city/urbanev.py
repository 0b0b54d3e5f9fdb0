"""Reader of UrbanEV (doi 10.1038/s41597-025-04874-4), as published and in the long layout of the project's data folder.

Stations: inf.csv or stations_enriched.csv, and zones.csv where there is one. Hourly series of zones: volume.csv, and where
there are such, duration.csv, e_price.csv, s_price.csv (wide: time, then a column for each zone); or hourly_*.parquet (long).
Weather: weather_central.csv or weather_airport.csv. Positions are GCJ-02 there, WGS-84 here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chargeloop.city.shenzhen import TIME_ZONE, USUAL_RADIUS_M, Measured, StationTable, make_city
from chargeloop.city.tables import find, hourly, need, numbers, positions, read_table, times, unique_ids
from chargeloop.model import BadInput, City, Place, SiteType, Weather, Zone
from chargeloop.model.city import Floats
from chargeloop.physics import gcj02_to_wgs84

if TYPE_CHECKING:
    import pandas as pd

NOTE = (
    "Public charging in Shenzhen (UrbanEV, CC0). Volumes are rated power x busy time, as published; zones without a series "
    "of their own follow the three nearest ones that have one. Slow chargers are taken as 7 kW, fast ones as 60 kW."
)
SMALLEST_M, LARGEST_M = 200.0, 3000.0  # radius of a zone


def read_urbanev(folder: Path) -> City:
    """The city of an UrbanEV folder; roads from an extract beside it, where there is one.

    Raises:
        BadInput: naming file, row and column of what is wrong.
    """
    stations = _stations(folder)
    return make_city("Shenzhen", NOTE, folder, stations, _zones(folder, stations), _measured(folder), _weather(folder))


def _stations(folder: Path) -> StationTable:
    path = need(folder, "stations_enriched.csv", "inf.csv")
    table = read_table(path, ["station_id", "longitude", "latitude", "charge_count", "TAZID"])
    if "in_filtered_1362" in table:
        table = table[table["in_filtered_1362"].eq(True)]
    count = numbers(table, path, "charge_count", 1, 2000)
    if "lon_wgs84" in table and "lat_wgs84" in table:
        lon, lat = positions(table, path, "lon_wgs84", "lat_wgs84")
    else:
        lon, lat = gcj02_to_wgs84(*positions(table, path, "longitude", "latitude"))
    fast = np.zeros(len(table))
    if "fast" in table:  # of what is not known to be fast, all is taken as slow
        fast = np.minimum(numbers(table, path, "fast", 0, 2000, missing=0.0), count)
    zones = [str(int(zone)) for zone in numbers(table, path, "TAZID", 0)]
    return StationTable(unique_ids(table, path, "station_id"), zones, lon, lat, fast, count - fast)


def _zones(folder: Path, stations: StationTable) -> tuple[Zone, ...]:
    """Zones that have stations: centre as published (else, or where that is 0,0, the middle of the stations) and size."""
    path = need(folder, "zones.csv", "inf.csv", "stations_enriched.csv")
    table = read_table(path, ["TAZID", "longitude", "latitude"])
    keys = [str(int(zone)) for zone in numbers(table, path, "TAZID", 0)]
    area = dict(zip(keys, numbers(table, path, "area", 0).tolist(), strict=True)) if "area" in table else {}
    centre: dict[str, tuple[float, float]] = {}
    if path.name.startswith("zones"):
        lon, lat = positions(table, path, "longitude", "latitude", zero=True)
        there = gcj02_to_wgs84(lon, lat)
        known = (lon != 0) | (lat != 0)
        centre = {key: (x, y) for key, x, y, k in zip(keys, *(c.tolist() for c in there), known, strict=True) if k}
    zones = []
    of_zone = np.array(stations.zones)
    for key in sorted(set(stations.zones), key=int):
        mine = of_zone == key
        lon_lat = centre.get(key, (float(stations.lon[mine].mean()), float(stations.lat[mine].mean())))
        radius_m = float(np.clip(np.sqrt(area[key] / np.pi), SMALLEST_M, LARGEST_M)) if key in area else USUAL_RADIUS_M
        zones.append(Zone(key, Place(*lon_lat), radius_m, SiteType.PUBLIC))
    return tuple(zones)


def _measured(folder: Path) -> Measured:
    long = sorted(folder.glob("hourly*.parquet"))
    if long:
        return _long(long[0])
    path = need(folder, "volume.csv")
    table = read_table(path, ["time"])
    start = hourly(table, path, TIME_ZONE)
    zones, kwh = _wide(table, path)
    if not zones:
        raise BadInput(str(path), "has no column of a zone")
    beside = [_beside(folder, name, zones, len(table)) for name in ("duration.csv", "e_price.csv", "s_price.csv")]
    return Measured(start, zones, kwh, *beside)


def _long(path: Path) -> Measured:
    table = read_table(path, ["time", "TAZID", "volume_kwh"])
    names = [name for name in ("volume_kwh", "e_price_cny_kwh", "s_price_cny_kwh") if name in table]
    for name in names:
        numbers(table, path, name, 0, missing=np.nan)
    table = table.assign(time=times(table, path))
    again = table.duplicated(["time", "TAZID"])
    if again.any():
        raise BadInput(f"{path}: row {int(again.argmax()) + 2}", "gives an hour of a zone a second time")
    wide = [table.pivot(index="time", columns="TAZID", values=name) for name in names]
    start = hourly(wide[0].reset_index(), path, TIME_ZONE)
    values = [frame.to_numpy(dtype=np.float64) for frame in wide]
    prices = values[1:] if len(values) == 3 else [None, None]
    return Measured(start, [str(int(zone)) for zone in wide[0].columns], values[0], None, *prices)


def _wide(table: "pd.DataFrame", path: Path) -> tuple[list[str], Floats]:
    zones = [str(name) for name in table.columns if name != "time"]
    return zones, np.array([numbers(table, path, name, 0, missing=np.nan) for name in zones]).T


def _beside(folder: Path, name: str, zones: Sequence[str], hours: int) -> Floats | None:
    """A further wide file, of the same zones and hours."""
    path = find(folder, name)
    if path is None:
        return None
    table = read_table(path, ["time"])
    found, values = _wide(table, path)
    if found != list(zones) or len(table) != hours:
        raise BadInput(str(path), "has other zones or hours than volume.csv")
    return values


def _weather(folder: Path) -> Weather | None:
    path = find(folder, "weather_central.csv", "weather_airport.csv")
    if path is None:
        return None
    table = read_table(path, ["time", "T", "nRAIN"])
    return Weather(
        hourly(table, path, TIME_ZONE), numbers(table, path, "T", -60, 60), numbers(table, path, "nRAIN", 0, 3, missing=0.0)
    )
