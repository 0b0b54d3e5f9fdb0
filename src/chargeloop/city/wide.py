"""Somebody's own demand and weather: tables with `time` and a column a zone (UrbanEV's wide layout), mended where they can be.

Every repair is reported. What cannot be read is refused, with file, row and column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from chargeloop.city.cell_text import Text, number, time
from chargeloop.model import BadInput, Demand, Weather
from chargeloop.model.city import Floats, Ints

TIME_NAMES = ("time", "timestamp", "datetime")
MOST_HOURS = 24 * 366 * 10
SLIP_S = 1.0  # times may be off the full hour by so much: spreadsheets round
SHOWN = 20  # faults that are told at once


@dataclass(frozen=True, slots=True)
class Repair:
    """`what` was done, `where` first (row and column, or hour), and to how many rows, cells, hours or zones."""

    what: str
    where: str
    count: int

    def __str__(self) -> str:
        return f"{self.what}: {self.count:,}, first {self.where}"


@dataclass(frozen=True, slots=True, eq=False)
class WideDemand:
    """`says_offset`: times in the file say their offset from UTC; else they are local."""

    zone_ids: tuple[str, ...]
    demand: Demand
    repairs: tuple[Repair, ...]
    says_offset: bool


def zone_of(time_zone: str) -> ZoneInfo:
    """
    Raises:
        BadInput: there is no such time zone.
    """
    try:
        return ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput("--time-zone", f"there is no time zone {time_zone!r}; write it like Europe/Berlin") from None


def instant(text: str, time_zone: str, where: str) -> datetime:
    """A time in UTC; local where it does not say its offset, and the first of two where clocks have it twice.

    Raises:
        BadInput: naming `where`: it is no time, or one that clocks skip there.
    """
    at, zone = time(text), zone_of(time_zone)
    if at is None:
        raise BadInput(where, f"expected a time such as '2025-03-30 08:00' or 2025-03-30T08:00+02:00, got {text!r}")
    if at.tzinfo is None:
        before, after = _offsets(at, zone)
        if before < after:
            raise BadInput(where, f"clocks skip {text} in {time_zone}")
        at = at.replace(tzinfo=zone)
    return at.astimezone(UTC)


def read_demand(path: Path, time_zone: str) -> WideDemand:
    """kWh of each zone and hour. Negative values are taken as unknown, for nothing charges backwards.

    Raises:
        BadInput: naming row and column of what cannot be read.
    """
    table = _Table(path, zone_of(time_zone))
    zones = [name for place, name in enumerate(table.text.header) if place != table.time_column]
    if not zones:
        raise BadInput(str(path), "has no column of a zone beside the time")
    rows = table.read(zones)
    negative = rows < 0
    table.note("negative values, taken as unknown", negative, zones)
    start, energy = table.hourly(np.where(negative, np.nan, rows))
    nothing = ~np.isfinite(energy).any(axis=0)
    if nothing.any():
        table.repairs.append(Repair("zones without any history", f"column {zones[int(nothing.argmax())]}", int(nothing.sum())))
    return WideDemand(tuple(zones), Demand(start, energy), tuple(table.repairs), table.says_offset)


def read_weather(path: Path, time_zone: str) -> tuple[Weather, tuple[Repair, ...]]:
    """UrbanEV's weather: `T` in °C and `nRAIN`, 0 (none) to 3 (heavy); no rain without that column. Others are passed over.

    Raises:
        BadInput: naming row and column of what cannot be read.
    """
    table = _Table(path, zone_of(time_zone))
    header = table.text.header
    names = [header[table.text.column("t")], *(name for name in header if name.lower() == "nrain")]
    rows = table.read(names, ((-60.0, 60.0), (0.0, 3.0)))
    if len(names) == 1:
        table.repairs.append(Repair("rows without nRAIN, taken as dry", "row 2", len(rows)))
    start, values = table.hourly(rows)
    return Weather(start, values[:, 0], values[:, 1] if len(names) == 2 else np.zeros(len(values))), tuple(table.repairs)


class _Table:
    """One file on its way to hourly rows, and what was repaired on the way."""

    def __init__(self, path: Path, zone: ZoneInfo) -> None:
        self.text, self.zone = Text(path), zone
        self.time_column = self.text.column(*TIME_NAMES)
        self.repairs: list[Repair] = []
        self.says_offset = False
        self._lines: list[int] = []
        self._times: list[datetime] = []
        self._faults: list[str] = []

    # --- cells ----------------------------------------------------------------------------------------------------

    def read(self, names: Sequence[str], bounds: Sequence[tuple[float, float]] = ()) -> Floats:
        """Rows x names as they stand in the file, NaN where a cell says nothing. `bounds`: lowest and highest of each name."""
        rows = list(self.text.rows())
        if not rows:
            raise BadInput(str(self.text.path), "has no rows")
        places = [self.text.header.index(name) for name in names]
        comma = self.text.separator != "," and any("," in cells[place] for _, cells in rows for place in places)
        if comma:
            self.repairs.append(Repair("rows read with decimal commas", f"row {rows[0][0]}", len(rows)))
        unknown: dict[str, tuple[str, int]] = {}
        values = np.empty((len(rows), len(names)))
        for n, (line, cells) in enumerate(rows):
            self._lines.append(line)
            self._times.append(self._time(line, cells[self.time_column]))
            plain = _plain(cells, places)
            values[n] = self._row(line, cells, names, unknown, comma=comma) if plain is None else plain
        for name, column, (low, high) in zip(names, values.T, bounds, strict=False):
            for n in np.flatnonzero((column < low) | (column > high)).tolist():
                self._fault(self._lines[n], name, f"expected a number from {low:g} to {high:g}, got {column[n]:g}")
        self._refuse_faults()
        for word, (where, count) in unknown.items():
            what = f"cells that say {word!r}, taken as unknown" if word else "empty cells, taken as unknown"
            self.repairs.append(Repair(what, where, count))
        return values

    def _time(self, line: int, cell: str) -> datetime:
        at = time(cell)
        if at is None:
            told = (
                f"is no time that begins with its year, such as 2025-03-30 08:00: {cell.strip()!r}"
                if cell.strip()
                else "is empty"
            )
            self._fault(line, self.text.header[self.time_column], told)
        return at or datetime(1, 1, 1)  # noqa: DTZ001 (never used: the fault ends the reading)

    def _row(
        self, line: int, cells: list[str], names: Sequence[str], unknown: dict[str, tuple[str, int]], *, comma: bool
    ) -> list[float]:
        """The same cell by cell, for rows in which not all are plain numbers."""
        found = []
        for name in names:
            cell = cells[self.text.header.index(name)].strip()
            value = number(cell, decimal_comma=comma)
            if value is None:
                self._fault(line, name, f"expected a number, got {cell!r}")
            elif np.isnan(value):
                where, count = unknown.get(cell, (f"row {line}, column {name}", 0))
                unknown[cell] = where, count + 1
            found.append(float("nan") if value is None else value)
        return found

    def note(self, what: str, cells: NDArray[np.bool_], names: Sequence[str]) -> None:
        """A repair of cells, where there are any."""
        if cells.any():
            row, column = divmod(int(cells.argmax()), cells.shape[1])
            self.repairs.append(Repair(what, f"row {self._lines[row]}, column {names[column]}", int(cells.sum())))

    # --- hours ----------------------------------------------------------------------------------------------------

    def hourly(self, rows: Floats) -> tuple[datetime, Floats]:
        """Start, and every hour from the first to the last once. Later rows stand over earlier ones of the same hour.

        The start is UTC, or ahead of it by the part of an hour by which the zone's clocks are: full hours are full there.
        """
        offset = self._times[0].replace(tzinfo=self.zone).utcoffset() or timedelta()
        ahead = timezone(offset % timedelta(hours=1))
        hour, kept = self._hours(ahead)
        first, count = self._span(hour[kept])
        out = np.full((count, rows.shape[1]), np.nan)
        known = np.zeros(count, dtype=np.bool_)
        same: list[int] = []
        other: list[int] = []
        for n in kept:
            at = hour[n] - first
            if known[at]:
                clash = np.isfinite(out[at]) & np.isfinite(rows[n]) & (out[at] != rows[n])
                (other if clash.any() else same).append(int(n))
            out[at] = np.where(np.isfinite(rows[n]), rows[n], out[at])
            known[at] = True
        self._note_rows("rows that repeat an hour, dropped", same)
        self._note_rows("rows that give an hour again with other values, the last one kept", other)
        start = datetime.fromtimestamp(first * 3600 - _seconds(ahead), UTC).astimezone(ahead)
        if not known.all():
            missing = start + timedelta(hours=int((~known).argmax()))
            self.repairs.append(Repair("hours missing, taken as unknown", self._shown(missing), int((~known).sum())))
        return (start if _seconds(ahead) else start.astimezone(UTC)), out

    def _hours(self, ahead: timezone) -> tuple[Ints, Ints]:
        """Rows: hours since the epoch, on the clock that is `ahead`; and the rows that are kept, in the order of the file."""
        self.says_offset = any(at.tzinfo is not None for at in self._times)
        second_times = self._second_times()
        hour, kept, skipped, twice = np.zeros(len(self._times), np.int64), [], [], []
        for n, at in enumerate(self._times):
            there = at
            if at.tzinfo is None:
                there = at.replace(tzinfo=self.zone, fold=int(n in second_times))
                before, after = _offsets(at, self.zone)
                if before < after:
                    skipped.append(n)
                    continue
                if n in second_times:
                    twice.append(n)
            exact = there.timestamp() + _seconds(ahead)
            hour[n] = round(exact / 3600)
            if abs(exact - 3600 * hour[n]) > SLIP_S:
                self._fault(self._lines[n], self.text.header[self.time_column], f"{at} is no full hour; add up finer rows")
            kept.append(n)
        self._refuse_faults()
        self._note_rows("hours that clocks skip there, left out", skipped)
        self._note_rows("hours that clocks have twice, parted by the order of rows", twice)
        late = [n for n, after in zip(kept, np.maximum.accumulate(hour[kept]), strict=True) if hour[n] < after]
        self._note_rows("rows out of order, sorted", late)
        if not kept:
            raise BadInput(str(self.text.path), "has no row with an hour that there was")
        return hour, np.array(kept, dtype=np.int64)

    def _second_times(self) -> set[int]:
        """Rows with a local time that clocks have twice, where it comes a second time."""
        seen, second = set[datetime](), set[int]()
        falls = self._times[0].replace(tzinfo=None) > self._times[-1].replace(tzinfo=None)  # newest first
        for n in sorted(range(len(self._times)), reverse=falls):
            at = self._times[n]
            if at.tzinfo is not None:
                continue
            before, after = _offsets(at, self.zone)
            if before > after:
                if at in seen:
                    second.add(n)
                seen.add(at)
        return second

    def _span(self, hour: Ints) -> tuple[int, int]:
        first, count = int(hour.min()), int(hour.max() - hour.min()) + 1
        if count > MOST_HOURS:
            far = int(np.abs(hour - np.median(hour)).argmax())
            name = self.text.header[self.time_column]
            self._fault(self._lines[far], name, f"{self._times[far]} lies years from the others: is the date right?")
            self._refuse_faults()
        return first, count

    # --- telling --------------------------------------------------------------------------------------------------

    def _shown(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def _note_rows(self, what: str, rows: Sequence[int]) -> None:
        if rows:
            self.repairs.append(Repair(what, f"row {self._lines[rows[0]]} ({self._times[rows[0]]:%Y-%m-%d %H:%M})", len(rows)))

    def _fault(self, line: int, column: str, what: str) -> None:
        self._faults.append(f"row {line}, column {column}: {what}")

    def _refuse_faults(self) -> None:
        if self._faults:
            first, *others = self._faults[:SHOWN]
            others = [f"{self.text.path}: {each}" for each in others]
            if len(self._faults) > SHOWN:
                others.append(f"{self.text.path}: {len(self._faults) - SHOWN:,} more like these")
            where, what = first.split(": ", 1)
            raise BadInput(f"{self.text.path}: {where}", "\n".join([what, *others]))


def _plain(cells: list[str], places: list[int]) -> list[float] | None:
    """Numbers where all are finite and written in the usual way."""
    try:
        found = [float(cells[place]) for place in places]
    except ValueError:
        return None
    return found if np.isfinite(found).all() and not any("_" in cells[place] for place in places) else None


def _offsets(at: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """From UTC, as before and as after a change of clocks: more where they skip the hour, less where they have it twice."""
    before, after = (at.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    return before, after


def _seconds(ahead: timezone) -> float:
    return ahead.utcoffset(None).total_seconds()
