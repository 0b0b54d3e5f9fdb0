"""Small city folders in the published layouts, made up: no row of the data sets stands here."""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2023, 3, 6)  # noqa: DTZ001 (local time, as the files have it); a Monday
WEEKS = 2
HOURS = WEEKS * 168
ZONES = ("11", "12", "13")
# station, GCJ-02 longitude and latitude, chargers, zone
STATIONS = (
    ("501", 114.060, 22.540, 10, "11"),
    ("502", 114.063, 22.543, 5, "11"),
    ("503", 114.080, 22.550, 8, "12"),
    ("504", 114.120, 22.560, 4, "14"),
)


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def wide(path: Path, value: Callable[[int, int], float], zones: Sequence[str] = ZONES, hours: int = HOURS) -> Path:
    """A file of hours x zones, `value(hour, zone)`."""
    rows = ([START + timedelta(hours=h), *(value(h, z) for z in range(len(zones)))] for h in range(hours))
    return write(path, ["time", *zones], rows)


def evening(hour: int, _: int) -> float:
    """7 kWh an hour (one slow charger), 28 from 18 to 22 h."""
    return 28.0 if 18 <= hour % 24 < 22 else 7.0


def urbanev(folder: Path) -> Path:
    """Three measured zones, the last without a station; a fourth, unmeasured zone with one."""
    header = ["station_id", "longitude", "latitude", "charge_count", "TAZID", "area", "perimeter"]
    write(folder / "inf.csv", header, [[*station, 1_000_000.0, 4000.0] for station in STATIONS])
    wide(folder / "volume.csv", evening)
    wide(folder / "e_price.csv", lambda h, z: 0.4 + 0.1 * z if h % 24 < 8 else 1.0)
    wide(folder / "s_price.csv", lambda h, z: 0.5)
    rows = ([START + timedelta(hours=h), 20 + h % 24 / 4, 750, 750, 70, 1 if h % 50 == 0 else 0, 15] for h in range(HOURS + 48))
    write(folder / "weather_central.csv", ["time", "T", "P0", "P", "U", "nRAIN", "Td"], rows)
    return folder


def stevcdp(folder: Path, *, static: bool = False) -> Path:
    """Two zones; with series unless `static`."""
    stations = [
        [1, 22.540, 114.060, 2, 6, 8],
        [2, 22.541, 114.062, 0, 4, 4],
        [3, 22.600, 114.120, 3, 0, 3],
        [4, 22.6, 114.12, 0, 0, 0],
    ]
    write(folder / "stations.csv", ["station_id", "latitude", "longitude", "fast", "slow", "count"], stations)
    zones = [[1, 102, 12, 2, 10, 0.7, 114.061, 22.5405, 0, 0], [3, 105, 3, 3, 0, 0.8, 114.121, 22.601, 1, 1]]
    header = ["num", "grid", "count", "fast_count", "slow_count", "area", "lon", "la", "CBD", "dynamic_pricing"]
    write(folder / "information.csv", header, zones)
    if not static:
        instants = [START + timedelta(minutes=5 * i) for i in range(HOURS * 12)]
        parts = ([t.month, t.day, t.year, t.hour, t.minute, t.second] for t in instants)
        write(folder / "time.csv", ["month", "day", "year", "hour", "minute", "second"], parts)
        busy = ([i, 6 if t.hour == 19 else 3 - (t.minute >= 30), 1] for i, t in enumerate(instants))
        write(folder / "occupancy.csv", ["timestamp", "102", "105"], busy)
        write(folder / "price.csv", ["timestamp", "102", "105"], ([i, 0.9, 1.5] for i in range(len(instants))))
    return folder


OSM = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
 <node id="1" version="1" lon="114.0600" lat="22.5400"/>
 <node id="2" version="1" lon="114.0700" lat="22.5400"/>
 <node id="3" version="1" lon="114.0700" lat="22.5500"/>
 <node id="4" version="1" lon="114.0600" lat="22.5500"/>
 <node id="5" version="1" lon="114.0800" lat="22.5500"/>
 <node id="6" version="1" lon="114.0500" lat="22.5400"/>
 <way id="10" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/><tag k="oneway" v="yes"/></way>
 <way id="11" version="1"><nd ref="4"/><nd ref="3"/><tag k="highway" v="tertiary"/><tag k="oneway" v="-1"/></way>
 <way id="12" version="1"><nd ref="4"/><nd ref="1"/><tag k="highway" v="residential"/><tag k="maxspeed" v="40"/></way>
 <way id="13" version="1"><nd ref="3"/><nd ref="5"/><tag k="highway" v="primary"/><tag k="oneway" v="yes"/></way>
 <way id="14" version="1"><nd ref="1"/><nd ref="6"/><tag k="highway" v="footway"/></way>
 <way id="15" version="1"><nd ref="2"/><nd ref="4"/><tag k="highway" v="residential"/><tag k="access" v="no"/></way>
</osm>
"""


def extract(path: Path) -> Path:
    """An OSM extract: a one-way ring of four nodes with one two-way side, a dead end that nobody comes back from, a footway."""
    import osmium  # noqa: PLC0415

    text = path.with_name("streets.osm")
    text.write_text(OSM, encoding="utf-8")
    with osmium.SimpleWriter(str(path)) as writer:
        for thing in osmium.FileProcessor(str(text)):
            writer.add(thing)
    text.unlink()
    return path
