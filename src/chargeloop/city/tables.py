"""Reading tables of a city folder: every fault is one `BadInput` that names file, row and column."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats

if TYPE_CHECKING:
    import pandas as pd

STATION_ID = re.compile(r"[A-Za-z0-9_.-]{1,16}")  # with the number of a bay it is an EVSE id, 20 characters at most


def find(folder: Path, *names: str) -> Path | None:
    """The first of these files that is there, as it is or gzipped."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def need(folder: Path, *names: str) -> Path:
    """Like `find`.

    Raises:
        BadInput: none of them is there.
    """
    path = find(folder, *names)
    if path is None:
        raise BadInput(str(folder), f"{' or '.join(names)} is missing; see the docs on city folders for the layout")
    return path


def read_table(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    """A CSV (or gzipped CSV, or parquet) file as text or numbers, with at least these columns.

    Raises:
        BadInput: the file cannot be read, or a column is missing.
    """
    import pandas as pd  # noqa: PLC0415

    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except Exception as error:  # pandas, pyarrow and gzip each have their own ways to say that a file is broken
        raise BadInput(str(path), f"cannot be read: {' '.join(str(error).split())[:160]}") from None
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise BadInput(str(path), f"has no column {missing[0]!r}; its columns are {', '.join(map(str, table.columns[:12]))}")
    if not len(table):
        raise BadInput(str(path), "has no rows")
    return table


def bad_cell(table: "pd.DataFrame", path: Path, row: int, column: str, what: str) -> BadInput:
    """The error of one cell. `row` counts the table's rows from 0; it is told as in an editor, where the header is row 1."""
    return BadInput(f"{path}: row {int(table.index[row]) + 2}, column {column}", what)


def numbers(
    table: "pd.DataFrame", path: Path, column: str, low: float = -np.inf, high: float = np.inf, missing: float | None = None
) -> Floats:
    """A column as floats within bounds; empty cells become `missing` where that is given.

    Raises:
        BadInput: naming row and column of the first bad cell.
    """
    import pandas as pd  # noqa: PLC0415

    values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
    if missing is not None:
        values = np.where(table[column].isna().to_numpy(), missing, values)
    fine = (values >= low) & (values <= high)
    if missing is not None and np.isnan(missing):
        fine |= table[column].isna().to_numpy()
    bad = np.flatnonzero(~fine)
    if bad.size:
        bounds = f" between {low:g} and {high:g}" if np.isfinite(low) and np.isfinite(high) else ""
        bounds = f" of {low:g} or more" if np.isfinite(low) and not np.isfinite(high) else bounds
        raise bad_cell(table, path, bad[0], column, f"expected a number{bounds}, got {table[column].iloc[bad[0]]!r}")
    return values


def positions(table: "pd.DataFrame", path: Path, lon: str, lat: str, *, zero: bool = False) -> tuple[Floats, Floats]:
    """Longitudes and latitudes, degrees.

    Raises:
        BadInput: naming row and column; also on 0, 0, which stands for "unknown" in such files, unless `zero` allows it.
    """
    x, y = numbers(table, path, lon, -180, 180), numbers(table, path, lat, -90, 90)
    nowhere = np.flatnonzero((x == 0) & (y == 0))
    if nowhere.size and not zero:
        raise bad_cell(table, path, nowhere[0], lon, "0, 0 is no position of a charging station")
    return x, y


def unique_ids(table: "pd.DataFrame", path: Path, column: str) -> list[str]:
    """A column as names, each once.

    Raises:
        BadInput: naming the row that has one again, or none, or one that cannot be part of an EVSE id.
    """
    names = [str(name) for name in table[column]]
    again = np.flatnonzero(table[column].duplicated().to_numpy() | table[column].isna().to_numpy())
    if again.size:
        raise bad_cell(table, path, again[0], column, f"{names[again[0]]!r} is empty or stands there already")
    for row, name in enumerate(names):
        if not STATION_ID.fullmatch(name):
            raise bad_cell(table, path, row, column, f"an id is 1 to 16 letters, digits, dots or dashes, got {name!r}")
    return names


def times(table: "pd.DataFrame", path: Path, column: str = "time") -> "pd.DatetimeIndex":
    """A column of local times.

    Raises:
        BadInput: a time that is none.
    """
    import pandas as pd  # noqa: PLC0415

    time = pd.to_datetime(table[column], errors="coerce", format="mixed")
    bad = np.flatnonzero(time.isna().to_numpy())
    if bad.size:
        raise bad_cell(table, path, bad[0], column, f"is no time: {table[column].iloc[bad[0]]!r}")
    return pd.DatetimeIndex(time)


def hourly(table: "pd.DataFrame", path: Path, time_zone: str) -> datetime:
    """The first hour of a table with one row an hour, in local `time`, as an aware time.

    Raises:
        BadInput: naming the row that does not come one hour after the one before it.
    """
    time = times(table, path)
    gap = np.flatnonzero(np.diff(time.to_numpy()) != np.timedelta64(1, "h"))
    if gap.size:
        what = f"{time[gap[0] + 1]} does not come one hour after {time[gap[0]]}; want every full hour once, in order"
        raise bad_cell(table, path, gap[0] + 1, "time", what)
    return first_hour(time, path, time_zone)


def first_hour(time: "pd.DatetimeIndex", path: Path, time_zone: str) -> datetime:
    """The first of these local times, aware.

    Raises:
        BadInput: it is no full hour.
    """
    first: Any = time[0]
    if (first.minute, first.second) != (0, 0):
        raise BadInput(str(path), f"begins at {first}, which is no full hour")
    start: datetime = first.to_pydatetime()
    return start.replace(tzinfo=ZoneInfo(time_zone))
