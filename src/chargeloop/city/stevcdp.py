"""Reader of ST-EVCDP (Shenzhen, 2022), in its published layout. Positions are GCJ-02 there, WGS-84 here.

stations.csv (station_id, latitude, longitude, fast, slow) and information.csv (zones: grid, lon, la); and where there are
such, occupancy.csv (busy chargers: an index, then a column for each zone), its five-minute instants in time.csv, and price.csv.
"""

from pathlib import Path
from typing import Any

import numpy as np

from chargeloop.city.assumed import AC_KW, DC_KW
from chargeloop.city.shenzhen import TIME_ZONE, USUAL_RADIUS_M, Measured, StationTable, make_city
from chargeloop.city.tables import find, first_hour, need, numbers, positions, read_table, unique_ids
from chargeloop.model import BadInput, City, Place, SiteType, Zone
from chargeloop.model.city import Floats
from chargeloop.physics import distance_m, gcj02_to_wgs84

NOTE = "Public charging stations of Shenzhen (ST-EVCDP, MIT); each belongs to the zone whose centre is nearest."
MEASURED = "Demand is busy chargers x rated power, slow ones taken as 7 kW and fast ones as 60 kW."
ASSUMED = "Their demand is assumed: a fifth of the chargers busy."


def read_stevcdp(folder: Path) -> City:
    """The city of an ST-EVCDP folder; without occupancy.csv (too large for some copies) its demand is assumed.

    Raises:
        BadInput: naming file, row and column of what is wrong.
    """
    path = need(folder, "stations.csv")
    table = read_table(path, ["station_id", "latitude", "longitude", "fast", "slow"])
    lon, lat = gcj02_to_wgs84(*positions(table, path, "longitude", "latitude"))
    info_path = need(folder, "information.csv")
    info = read_table(info_path, ["grid", "lon", "la"])
    zone_ids = unique_ids(info, info_path, "grid")
    centre_lon, centre_lat = gcj02_to_wgs84(*positions(info, info_path, "lon", "la"))
    nearest = distance_m(lon[:, None], lat[:, None], centre_lon, centre_lat).argmin(axis=1)
    fast, slow = (numbers(table, path, name, 0, 2000) for name in ("fast", "slow"))
    some = np.flatnonzero(fast + slow > 0)  # a few stations are listed with no charger at all
    ids = unique_ids(table, path, "station_id")
    stations = StationTable(
        [ids[i] for i in some], [zone_ids[z] for z in nearest[some]], lon[some], lat[some], fast[some], slow[some]
    )
    zones = tuple(
        Zone(key, Place(float(a), float(b)), USUAL_RADIUS_M, SiteType.PUBLIC)
        for key, a, b in zip(zone_ids, centre_lon, centre_lat, strict=True)
    )
    measured = _measured(folder, info, info_path)
    note = f"{NOTE} {ASSUMED if measured is None else MEASURED}"
    return make_city("Shenzhen (ST-EVCDP)", note, folder, stations, zones, measured, None)


def _measured(folder: Path, info: Any, info_path: Path) -> Measured | None:
    """Occupancy by zone and hour: the mean of the instants in each full hour."""
    path = find(folder, "occupancy.csv")
    if path is None:
        return None
    for name in ("fast_count", "slow_count"):
        if name not in info:
            raise BadInput(str(info_path), f"has no column {name!r}, which occupancy.csv needs beside it")
    kw = dict(
        zip(
            unique_ids(info, info_path, "grid"),
            _mean_kw(numbers(info, info_path, "fast_count", 0), numbers(info, info_path, "slow_count", 0)),
            strict=True,
        )
    )
    hours = _hours(folder)
    zones, busy = _by_hour(path, hours)
    unknown = [zone for zone in zones if zone not in kw]
    if unknown:
        raise BadInput(f"{path}: column {unknown[0]}", "is no zone of information.csv")
    price_path = find(folder, "price.csv")
    price = None
    if price_path is not None:
        priced, price = _by_hour(price_path, hours)
        if priced != zones:
            raise BadInput(str(price_path), "has other zones than occupancy.csv")
    service = None if price is None else np.zeros_like(price)  # one price there: energy and service together
    start = first_hour(hours, need(folder, "time.csv"), TIME_ZONE)
    return Measured(start, zones, busy * np.array([kw[zone] for zone in zones]), busy, price, service)


def _mean_kw(fast: Floats, slow: Floats) -> list[float]:
    mean = (fast * DC_KW + slow * AC_KW) / np.maximum(fast + slow, 1)
    return [float(kw) for kw in mean]


def _hours(folder: Path) -> Any:
    """The full hour of each instant of time.csv, as a pandas index."""
    import pandas as pd  # noqa: PLC0415

    path = need(folder, "time.csv")
    parts = ["year", "month", "day", "hour", "minute", "second"]
    table = read_table(path, parts)
    for name in parts:
        numbers(table, path, name, 0, 3000)
    try:
        time = pd.DatetimeIndex(pd.to_datetime(table[parts])).floor("h")
    except ValueError as error:
        raise BadInput(str(path), f"has a time that is none: {error}") from None
    steps = np.diff(time.to_numpy())
    odd = np.flatnonzero((steps != np.timedelta64(0, "h")) & (steps != np.timedelta64(1, "h")))
    if odd.size:
        raise BadInput(f"{path}: row {odd[0] + 3}", f"does not follow on {time[odd[0]]} within the hour or the next one")
    return time


def _by_hour(path: Path, hours: Any) -> tuple[list[str], Floats]:
    """Zones and hours x zones of a file with a row for each instant: its first column is an index, which is left out."""
    import pandas as pd  # noqa: PLC0415

    table = read_table(path, [])
    zones = [str(name) for name in table.columns[1:]]
    if not zones:
        raise BadInput(str(path), "has no column of a zone")
    if len(table) != len(hours):
        raise BadInput(str(path), f"has {len(table)} rows, time.csv has {len(hours)}")
    values = np.array([numbers(table, path, name, 0, missing=np.nan) for name in table.columns[1:]]).T
    return zones, pd.DataFrame(values).groupby(hours).mean().to_numpy(dtype=np.float64)
