"""The array form of the price, for ranking thousands of candidates: to the cent the same amounts as `quote`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from chargeloop.model import BadInput, Tariff
from chargeloop.model.city import Floats, Ints

HOUR_S = 3600


@dataclass(frozen=True, slots=True, eq=False)
class RateTable:
    """Tariffs x 24 local hours, CNY/kWh, for energy and for service; `of_station`: N, each station's tariff."""

    energy: Floats
    service: Floats
    of_station: Ints
    tariffs: tuple[Tariff, ...]

    @classmethod
    def of(cls, tariffs: Sequence[Tariff], station_tariffs: Sequence[str]) -> "RateTable":
        """`station_tariffs`: the tariff id of each station.

        Raises:
            BadInput: a station's tariff is not among them.
        """
        index = {tariff.tariff_id: i for i, tariff in enumerate(tariffs)}
        missing = next((each for each in station_tariffs if each not in index), None)
        if missing is not None:
            raise BadInput("tariffs", f"a station names the tariff {missing!r}, which is not there")
        return cls(
            energy=np.array([[float(b.energy_per_kwh) for b in t.bands for _ in range(b.start_h, b.end_h)] for t in tariffs]),
            service=np.array([[float(b.service_per_kwh) for b in t.bands for _ in range(b.start_h, b.end_h)] for t in tariffs]),
            of_station=np.array([index[each] for each in station_tariffs], dtype=np.int64),
            tariffs=tuple(tariffs),
        )

    def tariff_of(self, station: int) -> Tariff:
        return self.tariffs[int(self.of_station[station])]


def estimate(rates: RateTable, station: Ints, start_s: Floats, minutes: Floats, kwh: Floats) -> Floats:
    """CNY for charging `kwh` evenly over `minutes` from `start_s` (epoch s) on; one entry a candidate, unrounded.

    Takes the offset from UTC as it is at each start: at a change of clocks hours may fall into a neighbouring band.
    """
    tariff = rates.of_station[station]
    local_s = start_s + _offsets_s(rates, tariff, start_s)
    hours = np.maximum(minutes, 1e-9) / 60
    begin_h = local_s % (24 * HOUR_S) / HOUR_S
    per_kwh = rates.energy + rates.service
    until = np.concatenate([np.zeros((len(per_kwh), 1)), np.cumsum(per_kwh, axis=1)], axis=1)
    return np.asarray(kwh * (_paid(until, tariff, begin_h + hours) - _paid(until, tariff, begin_h)) / hours)


def _paid(until: Floats, tariff: Ints, hour: Floats) -> Floats:
    """The integral of the hourly price from midnight to `hour`, which may lie days later."""
    day, rest = np.divmod(hour, 24)
    full = np.minimum(rest.astype(np.int64), 23)
    price = until[tariff, full + 1] - until[tariff, full]
    return np.asarray(day * until[tariff, 24] + until[tariff, full] + (rest - full) * price)


def _offsets_s(rates: RateTable, tariff: Ints, start_s: Floats) -> Floats:
    """The offset from UTC of each candidate's tariff, looked up once an hour."""
    offsets = np.zeros(start_s.shape)
    hour = np.floor(start_s / HOUR_S)
    for i, each in enumerate(rates.tariffs):
        mine = tariff == i
        for h in np.unique(hour[mine]):
            at = datetime.fromtimestamp(h * HOUR_S, UTC).astimezone(ZoneInfo(each.time_zone))
            offset = at.utcoffset()
            offsets[mine & (hour == h)] = offset.total_seconds() if offset is not None else 0.0
    return offsets
