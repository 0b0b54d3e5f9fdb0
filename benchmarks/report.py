"""What a benchmark says: one JSON object on one line, or a table. Each figure carries its bounds and whether it met them.

A benchmark is a file beside this one with a function `run(*, quick: bool, seed: int) -> Iterable[Result]`.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

Bounds = Mapping[Literal["min", "max"], float]
Met = Literal["aim", "must", "no"]


@dataclass(frozen=True)
class Result:
    """One measured figure: `reference` names the peer or bound measured in the same run, `must` and `aim` what is asked."""

    metric: str
    value: float
    unit: str
    reference: str | None = None
    reference_value: float | None = None
    must: Bounds | None = None
    aim: Bounds | None = None

    @property
    def met(self) -> Met | None:
        """The better of the two bounds that the value keeps, "no" when it keeps none, None when none was set."""
        if self.must is None and self.aim is None:
            return None
        keeps_must = self.must is None or _within(self.value, self.must)
        if self.aim is not None and keeps_must and _within(self.value, self.aim):
            return "aim"
        return "must" if self.must is not None and keeps_must else "no"


@dataclass(frozen=True)
class Report:
    name: str
    machine: str
    date: str
    commit: str | None
    results: tuple[Result, ...]

    @classmethod
    def of(cls, name: str, results: Iterable[Result]) -> "Report":
        """A report of these results, on this machine, now."""
        return cls(name, _machine(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), _commit(), tuple(results))

    def json_line(self) -> str:
        rows = [{**asdict(result), "met": result.met} for result in self.results]
        return json.dumps({**asdict(self), "results": rows}, ensure_ascii=False, allow_nan=False)

    def table(self) -> str:
        head = ("metric", "value", "unit", "reference", "must", "aim", "met")
        rows = [head, *(_row(result) for result in self.results)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([f"{self.name}, {self.date}, {self.machine}, commit {self.commit or 'unknown'}", "", *lines])


def _row(result: Result) -> tuple[str, ...]:
    reference = "" if result.reference is None else result.reference
    if result.reference_value is not None:
        reference = f"{reference} {result.reference_value:.4g}".strip()
    return (
        result.metric,
        f"{result.value:.6g}",
        result.unit,
        reference,
        _bounds_text(result.must),
        _bounds_text(result.aim),
        result.met or "",
    )


def _within(value: float, bounds: Bounds) -> bool:
    return bounds.get("min", float("-inf")) <= value <= bounds.get("max", float("inf"))


def _bounds_text(bounds: Bounds | None) -> str:
    return " ".join(f"{name} {bound:g}" for name, bound in (bounds or {}).items())


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _commit() -> str | None:
    """The commit that was measured, marked when the work tree differs from it; None outside a git checkout."""
    root = Path(__file__).resolve().parents[1]
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        head = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return head.stdout.strip() or None
