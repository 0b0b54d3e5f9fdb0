"""The text of somebody's table: encoding, separator, header and rows, and what its cells say."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from chargeloop.model import BadInput

SEPARATORS = (",", ";", "\t", "|")
MISSING = frozenset(
    {"", "-", "nan", "na", "n/a", "#n/a", "null", "none", "nil", "missing"}
)  # as they are written in lower case
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
TIME = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:\.\d+)?)?)? ?(Z|[+-]\d{2}:?\d{2})?"
)


class Text:
    """A table of text. `header`: names without the spaces around them; `separator` as found in the header."""

    def __init__(self, path: Path) -> None:
        """Read the header.

        Raises:
            BadInput: the file cannot be read, or a column has no name or that of another one.
        """
        self.path = path
        text = _decoded(path)
        first = next((line for line in text.splitlines() if line.strip()), "")
        self.separator = max(SEPARATORS, key=first.count)
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.separator, skipinitialspace=True)
        header = [name.strip() for name in self._next_row() or []]
        while header and not header[-1]:  # a separator at the end of each line
            header.pop()
        for column, name in enumerate(header):
            if not name:
                raise BadInput(f"{path}: row {self._reader.line_num}, column {column + 1}", "has no name")
            if name in header[:column]:
                raise BadInput(
                    f"{path}: row {self._reader.line_num}, column {column + 1}",
                    f"{name!r} is the name of column {header.index(name) + 1} already",
                )
        self.header = tuple(header)

    def _next_row(self) -> list[str] | None:
        """The next row that is not empty; None at the end."""
        try:
            return next((row for row in self._reader if any(cell.strip() for cell in row)), None)
        except csv.Error as error:
            raise BadInput(f"{self.path}: row {self._reader.line_num}", f"cannot be read: {error}") from None

    def column(self, *names: str) -> int:
        """The column of one of these names, in whatever case.

        Raises:
            BadInput: there is none.
        """
        for place, found in enumerate(self.header):
            if found.lower() in names:
                return place
        listed = ", ".join(self.header[:12]) + (", ..." if len(self.header) > 12 else "")
        raise BadInput(str(self.path), f"has no column {names[0]!r}; its columns are {listed or 'none'}")

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Row as in an editor, and a cell for each name of the header.

        Raises:
            BadInput: a row has more or fewer cells than the header.
        """
        while (row := self._next_row()) is not None:
            while len(row) > len(self.header) and not row[-1].strip():
                row.pop()
            if len(row) != len(self.header):
                raise BadInput(
                    f"{self.path}: row {self._reader.line_num}",
                    f"has {len(row)} cells where the header has {len(self.header)}: is the line whole?",
                )
            yield self._reader.line_num, row


def number(text: str, *, decimal_comma: bool) -> float | None:
    """A number; NaN where the cell is empty or says that nothing is known; None where it is neither.

    `decimal_comma`: 1,5 is one and a half, and 1.500 may be a thousand and a half or not, so it is neither.
    """
    text = text.strip()
    if text.lower() in MISSING:
        return float("nan")
    if decimal_comma:
        text = text.replace(".", "?").replace(",", ".", 1)
    return float(text) if NUMBER.fullmatch(text) else None


def time(text: str) -> datetime | None:
    """A time that begins with its year, aware where it says its offset; None where it is none, or two readings are possible."""
    found = TIME.fullmatch(text.strip())
    if found is None:
        return None
    parts = [int(part or 0) for part in found.groups()[:6]]
    zone = "" if found[7] is None else "+00:00" if found[7] == "Z" else found[7]
    try:
        return datetime.fromisoformat("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*parts) + zone)
    except ValueError:
        return None


def _decoded(path: Path) -> str:
    try:
        body = path.read_bytes()
        if path.suffix == ".gz":
            body = gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(str(path), f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if body.startswith(b"PK"):
        raise BadInput(str(path), "is a spreadsheet or a zip archive; save the table as CSV")
    encoding = "utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadInput(str(path), f"is no UTF-8 text (byte {error.start}); save it as CSV UTF-8") from None
    if "\0" in text:
        raise BadInput(str(path), "holds zero bytes, so it is no table of text")
    return text
