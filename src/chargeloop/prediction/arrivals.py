"""What is known of a vehicle when it is plugged in: the hour, what its driver says, and how those like it stayed before."""

from collections import deque
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.stats import weighted_quantiles

ALIKE = {"asked": 60, "place": 30, "hour": 50}  # latest sessions that are looked at: of the same energy asked for, and so on
NEAR_H = 1.5  # those differ by a factor e in weight that lie so many hours apart in arrival, or in the stay that was named
KEPT = 0.97  # weight of a session over that of the next newer one
FEATURES = (
    *("hour", "weekday", "said_h", "said_until_h", "asked_kwh", "asked_kw", "place"),
    *(f"{kind}_{what}" for kind in ALIKE for what in ("weight", "stay_h", "kwh")),
)


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """N vehicles as they are plugged in. `at_s`: epoch s. `place`: number of the bay or station.

    `said_stay_s`, `asked_kwh`: what the driver says, NaN where he doesn't.

    Raises:
        BadInput: the arrays differ in length, or an arrival has no time.
    """

    at_s: Floats
    place: Ints
    said_stay_s: Floats
    asked_kwh: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name).shape != self.at_s.shape:
                raise BadInput(field.name, f"want one value for each of the {self.at_s.size} arrivals")
        if not np.isfinite(self.at_s).all():
            raise BadInput("at_s", "an arrival needs a time")

    def __len__(self) -> int:
        return self.at_s.size

    def rows(self, these: Ints | slice | np.ndarray) -> "Arrivals":
        """Some of them, in the order asked for."""
        return Arrivals(self.at_s[these], self.place[these], self.said_stay_s[these], self.asked_kwh[these])


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """N arrivals and what came of them: how long each stayed, what it took, and s plugged in after charging; NaN: not known."""

    arrivals: Arrivals
    stay_s: Floats
    energy_kwh: Floats
    idle_s: Floats

    def __post_init__(self) -> None:
        for name in ("stay_s", "energy_kwh", "idle_s"):
            if getattr(self, name).shape != self.arrivals.at_s.shape:
                raise BadInput(name, f"want one value for each of the {len(self)} sessions")

    def __len__(self) -> int:
        return len(self.arrivals)

    @property
    def end_s(self) -> Floats:
        return np.asarray(self.arrivals.at_s + self.stay_s)

    def rows(self, these: Ints | slice | np.ndarray) -> "Sessions":
        """Some of them, in the order asked for."""
        return Sessions(self.arrivals.rows(these), self.stay_s[these], self.energy_kwh[these], self.idle_s[these])

    def ended_before(self, at_s: float) -> "Sessions":
        """What was known then."""
        return self.rows(np.flatnonzero(self.end_s < at_s))


def local_clock(at_s: Floats, time_zone: str) -> tuple[Floats, Ints]:
    """Hour of the day with its fraction, 0..24, and day of the week (Monday 0), on the clocks there."""
    zone = ZoneInfo(time_zone)
    hours, which = np.unique(at_s // 3600, return_inverse=True)
    offsets = [datetime.fromtimestamp(float(hour) * 3600, UTC).astimezone(zone).utcoffset() for hour in hours]
    here_s = at_s + np.array([offset.total_seconds() if offset else 0.0 for offset in offsets])[which]
    return np.asarray(here_s % 86400 / 3600), np.asarray(
        (here_s // 86400 + 3) % 7, dtype=np.int64
    )  # 1 January 1970: a Thursday


def known_at_arrival(arrivals: Arrivals, past: Sessions, time_zone: str) -> Floats:
    """N x `FEATURES`, NaN where nothing is known. Of `past`, an arrival sees only what had ended before it.

    What those alike did is a weighted median. Drivers have no names here; but who asks for exactly the same energy, at about
    the same time, is often the same one.
    """
    hour, weekday = local_clock(arrivals.at_s, time_zone)
    said_h = arrivals.said_stay_s / 3600
    out = np.full((len(arrivals), len(FEATURES)), np.nan)
    out[:, :7] = np.stack(
        [hour, weekday, said_h, hour + said_h, arrivals.asked_kwh, arrivals.asked_kwh / said_h, arrivals.place], axis=1
    )
    memory = _Memory(past, time_zone)
    for i in np.argsort(arrivals.at_s, kind="stable").tolist():
        memory.go_on(arrivals.at_s[i])
        keys = _keys(float(arrivals.asked_kwh[i]), int(arrivals.place[i]), float(hour[i]))
        for n, (kind, key) in enumerate(keys.items()):
            out[i, 7 + 3 * n : 10 + 3 * n] = memory.usual(kind, key, float(hour[i]), float(said_h[i]))
    return out


def _keys(asked_kwh: float, place: int, hour: float) -> dict[str, float]:
    return {"asked": round(asked_kwh, 3), "place": place, "hour": int(hour)}


class _Memory:
    """Sessions that have ended, by what they have in common; it goes on in time with those who ask."""

    def __init__(self, past: Sessions, time_zone: str) -> None:
        self._hour, _ = local_clock(past.arrivals.at_s, time_zone)
        self._said_h, self._past = past.arrivals.said_stay_s / 3600, past
        self._end_s = past.end_s
        self._order = np.argsort(self._end_s, kind="stable").tolist()
        self._next = 0
        self._alike: dict[str, dict[float, deque[int]]] = {kind: {} for kind in ALIKE}

    def go_on(self, at_s: float) -> None:
        while self._next < len(self._order) and self._end_s[self._order[self._next]] < at_s:
            i = self._order[self._next]
            arrivals = self._past.arrivals
            for kind, key in _keys(float(arrivals.asked_kwh[i]), int(arrivals.place[i]), float(self._hour[i])).items():
                self._alike[kind].setdefault(key, deque(maxlen=ALIKE[kind])).append(i)
            self._next += 1

    def usual(self, kind: str, key: float, hour: float, said_h: float) -> tuple[float, float, float]:
        """Sum of the weights, and weighted medians of stay (h) and energy (kWh)."""
        found = np.array(self._alike[kind].get(key, ()), dtype=np.int64)
        if not found.size:
            return 0.0, np.nan, np.nan
        apart_h = np.abs(self._hour[found] - hour) + np.nan_to_num(np.abs(self._said_h[found] - said_h))
        weight = np.exp(-apart_h / NEAR_H) * KEPT ** np.arange(found.size)[::-1]
        stay_h, kwh = self._past.stay_s[found] / 3600, self._past.energy_kwh[found]
        middle_h, middle_kwh = (float(weighted_quantiles(each, weight, 0.5)) for each in (stay_h, kwh))
        return float(weight.sum()), middle_h, middle_kwh


def remaining_s(stay_s: Floats, elapsed_s: Floats) -> Floats:
    """How much longer vehicles stay that are there already: the median of those who stay longer than so far.

    `stay_s`: stays at evenly spaced quantiles 0..1, rising. 0 for who is there longer than the longest.
    """
    at = np.linspace(0, 1, stay_s.size)
    gone = np.interp(elapsed_s, stay_s, at, left=0.0, right=1.0)
    return np.maximum(np.interp((1 + gone) / 2, at, stay_s) - elapsed_s, 0.0)
