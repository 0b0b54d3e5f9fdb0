"""What a record of demand says about an hour ahead: the inputs of the linear and of the boosted model, and the strong naive.

Rows are hours of the record and the 24 after it; `lead` 1 is the first hour after the origin. For row t and lead h nothing
later than row t - h is looked at, so inputs of a long record, taken at once, are those that were known at each origin.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.calendar import hours_of
from chargeloop.prediction.history import still_h
from chargeloop.prediction.stats import mean_of_known

LEADS = 24
FADE = 0.97  # an hour: what is left of a deviation from the mean of seven days
REACH_H = 24 * 32  # no input looks back further
LINEAR = (
    *("deviation", "deviation_1", "deviation_6h", "deviation_24h", "deviation_72h", "mean7", "mean7_origin"),
    *("day_1", "day_7", "weeks_4", "mean28", "same_kind", "median7", "off_kind", "deviation_day", "deviation_week"),
)
BOOSTED = (
    *LINEAR,
    *("deviation_2", "deviation_3", "now", "before", "before_2", "mean7_next", "spread7", "least7", "most7", "day_2", "day_3"),
    *("off_kind_3h", "move_day", "move_week", "still_h", "hour", "rest", "rest_unusual", "lead"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """`seen`: (hours + 24) x zones, in units of `scale`, NaN where unknown. `usual`: known a day ahead, by the row it is about;
    `state`: by the row it ends with. All rows x zones."""

    seen: Floats
    usual: dict[str, Floats]
    state: dict[str, Floats]
    of_day: Ints
    rest: Floats

    @classmethod
    def of(cls, energy_kwh: Floats, start: datetime, time_zone: str, scale: Floats) -> "Past":
        """`energy_kwh`: hours x zones that had ended. `scale`: zones, kWh; NaN or 0 where a zone has none."""
        ahead = np.full((LEADS, energy_kwh.shape[1]), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            seen = np.concatenate([energy_kwh, ahead]) / np.where(scale > 0, scale, np.nan)
        hours = hours_of(start, len(seen), time_zone)
        usual = _usual(seen, hours.rest)
        mean7, kind = usual["mean7"], usual["mean7"] + usual["same_kind"]
        deviation = seen - mean7
        state = {
            "deviation": deviation,
            "off_kind": seen - kind,
            "still_h": np.concatenate([still_h(energy_kwh), np.zeros_like(ahead)]),
        }
        state |= {f"deviation_{n}h": _mean_of_last(deviation, n) for n in (6, 24, 72)}
        state["off_kind_3h"] = _mean_of_last(state["off_kind"], 3)
        return cls(seen, usual, state, hours.of_day, hours.rest)

    def strong_naive(self, rows: Ints, lead: int) -> Floats:
        """Rows x zones: mean of the same hour on seven days, and what is left of the last deviation from it; over `scale`."""
        return np.maximum(self.usual["mean7"][rows] + FADE**lead * np.nan_to_num(_at(self.state["deviation"], rows - lead)), 0)

    def inputs(self, names: tuple[str, ...], rows: Ints, lead: int) -> NDArray[np.float32]:
        """Rows x zones x names, single precision; NaN where unknown."""
        out = np.empty((len(rows), self.seen.shape[1], len(names)), dtype=np.float32)
        for k, name in enumerate(names):
            out[:, :, k] = self._input(name, rows, lead)
        return out

    def _input(self, name: str, rows: Ints, lead: int) -> Floats:
        if name in self.usual:
            return self.usual[name][rows]
        if name in self.state:
            return _at(self.state[name], rows - lead)
        return _other(name, self, rows, lead)


def _other(name: str, past: Past, rows: Ints, lead: int) -> Floats:  # noqa: PLR0911
    """Inputs that take more than one row, or that are the same for all zones."""
    deviation, mean7, seen = past.state["deviation"], past.usual["mean7"], past.seen
    match name:
        case "deviation_1" | "deviation_2" | "deviation_3":
            return _at(deviation, rows - lead - int(name[-1]))
        case "deviation_day":
            return _at(deviation, rows - 24)
        case "deviation_week":
            return _at(deviation, rows - 168)
        case "now" | "before" | "before_2":
            return _at(seen, rows - lead - ("now", "before", "before_2").index(name))
        case "mean7_origin":
            return _at(mean7, rows - lead)
        case "mean7_next":  # of the hour after: at 24 h it would need an hour later than the origin
            return _at(mean7, rows + 1) if lead < LEADS else np.full((1, 1), np.nan)
        case "move_day":
            return _at(seen, rows - 24) - _at(seen, rows - 24 - lead)
        case "move_week":
            return _at(seen, rows - 168) - _at(seen, rows - 168 - lead)
        case "hour":
            return past.of_day[rows][:, None].astype(np.float64)
        case "rest":
            return past.rest[rows][:, None]
        case "rest_unusual":
            before = np.mean([past.rest[np.maximum(rows - 24 * k, 0)] for k in range(1, 8)], axis=0)
            return np.asarray((past.rest[rows] - before)[:, None])
        case "lead":
            return np.full((1, 1), float(lead))
    raise AssertionError(name)


def _usual(seen: Floats, rest: Floats) -> dict[str, Floats]:
    """Of the same hour on the days before: the mean of seven days, and others as differences from it."""
    days = np.stack([_back(seen, 24 * k) for k in range(1, 8)])
    known = np.isfinite(days)
    count = known.sum(axis=0)
    mean7 = mean_of_known(days)
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(np.where(known, (days - mean7) ** 2, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan))
    weeks = np.stack([_back(seen, 168 * k) for k in range(1, 5)])
    total, there, alike, of_kind = (np.zeros_like(seen) for _ in range(4))
    for k in range(1, 29):
        value = _back(seen, 24 * k)
        fine = np.isfinite(value)
        total += np.where(fine, value, 0.0)
        there += fine
        if k <= 21:
            same = fine & (_back(rest[:, None], 24 * k) == rest[:, None])
            alike += np.where(same, value, 0.0)
            of_kind += same
    with np.errstate(divide="ignore", invalid="ignore"):
        mean28, kind = total / there, np.where(of_kind > 0, alike / of_kind, mean7)
    middle = np.sort(days, axis=0)  # NaN last
    return {
        "mean7": mean7,
        "spread7": spread,
        "median7": _rank(middle, (count - 1) // 2, count // 2) - mean7,
        "least7": middle[0] - mean7,
        "most7": _rank(middle, count - 1, count - 1) - mean7,
        "day_1": days[0] - mean7,
        "day_2": days[1] - mean7,
        "day_3": days[2] - mean7,
        "day_7": days[6] - mean7,
        "weeks_4": mean_of_known(weeks) - mean7,
        "mean28": mean28 - mean7,
        "same_kind": kind - mean7,
    }


def _rank(ranked: Floats, low: Ints, high: Ints) -> Floats:
    pick = [np.take_along_axis(ranked, np.maximum(each, 0)[None], axis=0)[0] for each in (low, high)]
    return np.asarray((pick[0] + pick[1]) / 2)


def _mean_of_last(values: Floats, hours: int) -> Floats:
    """Of each row and those before it; NaN where none of them is known."""
    known = np.isfinite(values)
    sums = np.cumsum(np.where(known, values, 0.0), axis=0)
    counts = np.cumsum(known, axis=0, dtype=np.float64)
    for each in (sums, counts):
        each[hours:] = each[hours:] - each[:-hours]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums / counts)


def _back(values: Floats, hours: int) -> Floats:
    out = np.full_like(values, np.nan)
    out[hours:] = values[:-hours] if len(values) > hours else out[hours:]
    return out


def _at(values: Floats, rows: Ints) -> Floats:
    """NaN before the first row and after the last."""
    inside = (rows >= 0) & (rows < len(values))
    return np.where(inside[:, None], values[np.where(inside, rows, 0)], np.nan)
