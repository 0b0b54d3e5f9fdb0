"""A CSV table read cell by cell: every fault is kept with its row and column, so that all of them can be told at once."""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from chargeloop.model import BadInput

Word = TypeVar("Word", bound=StrEnum)
BEYOND = "\n"  # no column is called so: where cells go that have no column


class Cells:
    """The rows of one file, and what was wrong in them.

    A cell that is empty or whose column is not there has the column's default. A wrong one is noted in `faults` and stands
    for its default (or the least value allowed) until `Cells.check` ends the reading.
    """

    def __init__(self, path: Path, needed: tuple[str, ...], known: tuple[str, ...]) -> None:
        """Read the file.

        Raises:
            BadInput: it cannot be read, has no rows, or a column is missing.
        """
        self.path, self.faults = path, list[str]()
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file, restkey=BEYOND, skipinitialspace=True)
                columns = [name.strip() for name in reader.fieldnames or []]
                reader.fieldnames = columns
                self._rows = [(reader.line_num, row) for row in reader if any(cell for cell in row.values())]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise BadInput(str(path), f"cannot be read: {error}") from None
        missing = [name for name in needed if name not in columns]
        if missing:
            raise BadInput(str(path), f"has no column {', '.join(missing)}; its columns are {', '.join(columns) or 'none'}")
        if not self._rows:
            raise BadInput(str(path), "has no rows")
        self.passed_over = tuple(name for name in columns if name not in known)

    def __iter__(self) -> Iterator["Row"]:
        for line, cells in self._rows:
            row = Row(line, cells, self.faults)
            if cells.get(BEYOND):
                row.fault("", "more cells than columns")
            yield row


class Row:
    """One row; `line` as in an editor, where the header is line 1."""

    def __init__(self, line: int, cells: Mapping[str, str | None], faults: list[str]) -> None:
        self.line, self._cells, self._faults = line, cells, faults

    def fault(self, column: str, what: str) -> None:
        self._faults.append(f"row {self.line}, column {column}: {what}" if column else f"row {self.line}: {what}")

    def text(self, column: str, default: str | None = None) -> str:
        """The cell without the spaces around it; None as default: it must not be empty."""
        found = (self._cells.get(column) or "").strip()
        if not found and default is None:
            self.fault(column, "is empty")
        return found or default or ""

    def number(self, column: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`."""
        found = self.text(column, None if default is None else str(default))
        if not found:
            return low
        try:
            value = float(found)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.fault(column, f"expected a number from {low:g} to {high:g}, got {found!r}")
            return low
        return value

    def count(self, column: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number."""
        value = self.number(column, low, high, default)
        if value != int(value):
            self.fault(column, f"expected a whole number, got {value:g}")
        return int(value)

    def word(self, column: str, words: type[Word], default: Word) -> Word:
        """One of a few words, in whatever case."""
        found = self.text(column, default.value)
        match = next((each for each in words if each.value.lower() == found.lower()), None)
        if match is None:
            self.fault(column, f"expected one of {', '.join(words)}, got {found!r}")
        return match or default

    def time(self, column: str, default: datetime) -> datetime:
        """An ISO time with its offset from UTC."""
        found = self.text(column, default.isoformat())
        try:
            at = datetime.fromisoformat(found)
        except ValueError:
            self.fault(column, f"expected an ISO time such as 2026-05-04T18:30+08:00, got {found!r}")
            return default
        if at.tzinfo is None:
            self.fault(column, f"say the offset from UTC too, such as {found}+08:00")
            return default
        return at.astimezone(UTC)

    def words(self, column: str) -> tuple[str, ...]:
        """Words parted by semicolons."""
        return tuple(word.strip() for word in self.text(column, "").split(";") if word.strip())


def check(*tables: Cells) -> None:
    """End the reading.

    Raises:
        BadInput: something was wrong; each fault on a line of its own.
    """
    faults = [(str(table.path), fault) for table in tables for fault in table.faults]
    if faults:
        (where, what), *others = faults
        raise BadInput(where, "\n".join([what, *(f"{path}: {fault}" for path, fault in others)]))
