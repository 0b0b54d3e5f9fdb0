"""Reading tables of a city folder: every fault is one `BadInput` that names file, row and column."""

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


def numbers(
    table: "pd.DataFrame", path: Path, column: str, low: float = -np.inf, high: float = np.inf, missing: float | None = None
) -> Floats:
    """A column as floats within bounds; empty cells become `missing` where that is given.

    Raises:
        BadInput: naming row (as in an editor: the header is row 1) and column of the first bad cell.
    """
    import pandas as pd  # noqa: PLC0415

    values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
    empty = table[column].isna().to_numpy()
    if missing is not None:
        values = np.where(empty, missing, values)
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero(~((values >= low) & (values <= high)))
    if bad.size:
        bounds = f" between {low:g} and {high:g}" if np.isfinite(low) and np.isfinite(high) else ""
        raise BadInput(
            f"{path}: row {bad[0] + 2}, column {column}", f"expected a number{bounds}, got {table[column].iloc[bad[0]]!r}"
        )
    return values


def unique_ids(table: "pd.DataFrame", path: Path, column: str) -> list[str]:
    """A column as names, each once.

    Raises:
        BadInput: naming the row that has one again, or none.
    """
    names = [str(name) for name in table[column]]
    again = np.flatnonzero(table[column].duplicated().to_numpy() | table[column].isna().to_numpy())
    if again.size:
        raise BadInput(f"{path}: row {again[0] + 2}, column {column}", f"{names[again[0]]!r} is empty or stands there already")
    return names


def hourly(table: "pd.DataFrame", path: Path, time_zone: str) -> tuple[datetime, Any]:
    """The first hour (with its zone) and the index of rows by hour; the `time` column is local and without gaps.

    Raises:
        BadInput: a time that is none, or hours that are not one after the other.
    """
    import pandas as pd  # noqa: PLC0415

    time = pd.to_datetime(table["time"], errors="coerce", format="mixed")
    bad = np.flatnonzero(time.isna().to_numpy())
    if bad.size:
        raise BadInput(f"{path}: row {bad[0] + 2}, column time", f"is no time: {table['time'].iloc[bad[0]]!r}")
    hour = pd.DatetimeIndex(time)
    steps = np.unique(hour)
    gap = np.flatnonzero(np.diff(steps) != np.timedelta64(1, "h"))
    if gap.size:
        raise BadInput(str(path), f"has a gap or an odd step after {pd.Timestamp(steps[gap[0]])}; want every full hour once")
    return pd.Timestamp(steps[0]).to_pydatetime().replace(tzinfo=ZoneInfo(time_zone)), hour
