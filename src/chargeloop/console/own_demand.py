"""What `chargeloop forecast` and `backtest` have in common: somebody's own files, and times as they are written there."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chargeloop.model.errors import BadInput

if TYPE_CHECKING:
    from chargeloop.city import Repair
    from chargeloop.model import Demand, Weather

USUAL_ZONE = "Asia/Shanghai"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV: `time` and a column for each zone, kWh in the hour")
    parser.add_argument("--weather", type=Path, metavar="FILE", help="CSV: `time`, `T` (°C), `nRAIN` (0 to 3)")
    parser.add_argument(
        "--time-zone", help=f"of times that do not say theirs, and of days of rest (default {USUAL_ZONE}, or a loaded model's)"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """`notes`: what was repaired, and in which file."""

    zone_ids: tuple[str, ...]
    demand: "Demand"
    weather: "Weather"
    time_zone: str
    says_offset: bool
    notes: tuple[tuple[Path, "Repair"], ...]

    @property
    def end(self) -> datetime:
        """When the last hour of the record had ended."""
        return self.row_time(len(self.demand.energy_kwh))

    def row_time(self, row: int) -> datetime:
        return self.demand.start + timedelta(hours=row)

    def row(self, at: datetime) -> int:
        """The hour of the record that an instant lies in: below 0 before it, its length and more after it."""
        return (at - self.demand.start) // timedelta(hours=1)

    def instant(self, text: str, flag: str) -> datetime:
        """A time as the file writes them: local where it does not say its offset.

        Raises:
            BadInput: it is no time, or none that there was.
        """
        from chargeloop.city import instant  # noqa: PLC0415 (not needed for --help)

        return instant(text, self.time_zone, flag).astimezone(self.demand.start.tzinfo)

    def shown(self, at: datetime) -> str:
        """The inverse of `instant`."""
        here = at.astimezone(ZoneInfo(self.time_zone))
        return here.isoformat(sep=" ") if self.says_offset else f"{here:%Y-%m-%d %H:%M:%S}"


def read(args: argparse.Namespace, time_zone: str | None = None) -> Own:
    """Both files; repairs are told on standard error. `time_zone`: a loaded model's.

    Raises:
        BadInput: naming file, row and column.
    """
    import numpy as np  # noqa: PLC0415 (not needed for --help)

    from chargeloop.city import Repair, read_demand, read_weather  # noqa: PLC0415
    from chargeloop.model import Weather  # noqa: PLC0415
    from chargeloop.prediction import without_frozen  # noqa: PLC0415

    if time_zone and args.time_zone not in (None, time_zone):
        raise BadInput("--time-zone", f"the model was fitted in {time_zone}; leave it out, or fit anew")
    here = time_zone or args.time_zone or USUAL_ZONE
    found = read_demand(args.file, here)
    energy, notes = found.demand.energy_kwh, [(args.file, each) for each in found.repairs]
    still = np.isfinite(energy) & ~np.isfinite(without_frozen(energy))
    if still.any():
        row, column = divmod(int(still.argmax()), still.shape[1])
        begun = (found.demand.start + timedelta(hours=row)).astimezone(ZoneInfo(here))
        where = f"{begun:%Y-%m-%d %H:%M} in {found.zone_ids[column]}"
        notes.append(
            (args.file, Repair("hours of feeds that stood still for a day or more, not learned from", where, int(still.sum())))
        )
    unknown = np.full(1, np.nan)
    weather = Weather(found.demand.start, unknown, unknown)
    if args.weather is not None:
        weather, repairs = read_weather(args.weather, here)
        notes += [(args.weather, each) for each in repairs]
    for path, repair in notes:
        sys.stderr.write(f"chargeloop: {path}: {repair}\n")
    return Own(found.zone_ids, found.demand, weather, here, found.says_offset, tuple(notes))


def hours_of_text(text: str, flag: str) -> int:
    """`6`, `6h` or `2d` as hours.

    Raises:
        BadInput: it is no whole number of hours above 0.
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in ("h", "d") else (text, "h")
    if not (number.isascii() and number.isdigit()) or not 0 < int(number) <= 24 * 366:
        raise BadInput(flag, f"expected hours or days such as 1h or 1d, got {text!r}")
    return int(number) * (24 if unit == "d" else 1)


@contextmanager
def progress(names: Sequence[str]) -> Iterator[Callable[[str, float], None]]:
    """A bar for each name on stderr, on a terminal only, told the share that is done."""
    from chargeloop.simulation.command import progress_bars  # noqa: PLC0415

    with progress_bars() as show:
        for name in names:
            show(name, 0.0)
        yield show
