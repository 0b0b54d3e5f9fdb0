"""Tariff + facts of a session -> amount: the one price, in Decimal, for quote, live cost, CDR and bill.

Rounding, stated once: each line's amount is rounded half up to a hundredth of a cent, and the sum of the lines half up to the
cent.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from zoneinfo import ZoneInfo

from chargeloop.model import CostLine, MeterPoint, PriceBand, Tariff

CENT = Decimal("0.01")
LINE = Decimal("0.0001")
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1) // MICROSECOND
WATT_HOUR = Decimal("0.000001")  # kWh are kept to the milliwatt-hour, which no meter resolves


_zone = cache(ZoneInfo)


@dataclass(frozen=True, slots=True)
class Priced:
    """`lines` in the order energy, service, idle; `amount` is their sum, to the cent."""

    lines: tuple[CostLine, ...]
    amount: Decimal


def price(tariff: Tariff, points: Sequence[MeterPoint], charge_ended_at: datetime | None, ended_at: datetime) -> Priced:
    """What a session costs.

    `points`: cumulative energy in order of time. Energy between two points is taken as spread evenly over the time between
    them, and falls into the bands of the tariff's local time. Idle time runs from `charge_ended_at` (None: charging until the
    end) plus the free minutes until `ended_at`.
    """
    kwh_in = dict.fromkeys(range(len(tariff.bands)), Decimal(0))
    for before, after in itertools.pairwise(points):
        for band, share in _shares(tariff, before.at, after.at):
            kwh_in[band] += share * _kwh(after.energy_kwh - before.energy_kwh)
    return _priced(tariff, kwh_in, _idle_min(tariff, charge_ended_at, ended_at))


def quote(tariff: Tariff, start: datetime, minutes: float, kwh: float) -> Priced:
    """What charging `kwh` evenly over `minutes` from `start` on would cost, leaving when done."""
    end = start + timedelta(minutes=minutes)
    return price(tariff, (MeterPoint(start, 0.0), MeterPoint(end, kwh)), None, end)


def _shares(tariff: Tariff, start: datetime, end: datetime) -> Iterator[tuple[int, Decimal]]:
    """The bands that a span touches, with the share of it that lies in each; an instant lies in its band whole."""
    here, there = start.astimezone(_zone(tariff.time_zone)), end.astimezone(_zone(tariff.time_zone))
    if end <= start:
        yield _band_at(tariff.bands, here.hour), Decimal(1)
        return
    if here.utcoffset() != there.utcoffset():  # the clocks change on the way: split at the change
        change = _change(start, end, tariff.time_zone)
        before = Decimal((change - start) // MICROSECOND) / Decimal((end - start) // MICROSECOND)
        yield from ((band, share * before) for band, share in _shares(tariff, start, change - MICROSECOND))
        yield from ((band, share * (1 - before)) for band, share in _shares(tariff, change, end))
        return
    whole = left = (end - start) // MICROSECOND
    clock = (here - here.replace(hour=0, minute=0, second=0, microsecond=0)) // MICROSECOND
    while left > 0:
        band = _band_at(tariff.bands, clock // HOUR)
        spent = min(tariff.bands[band].end_h * HOUR - clock, left)
        yield band, Decimal(spent) / whole
        left -= spent
        clock = (clock + spent) % (24 * HOUR)


def _change(start: datetime, end: datetime, time_zone: str) -> datetime:
    """The instant within a span at which the local clocks change, by bisection."""
    zone = _zone(time_zone)
    before = start.astimezone(zone).utcoffset()
    while end - start > MICROSECOND:
        middle = start + (end - start) // 2
        start, end = (middle, end) if middle.astimezone(zone).utcoffset() == before else (start, middle)
    return end


def _band_at(bands: Sequence[PriceBand], hour: int) -> int:
    return next(i for i, band in enumerate(bands) if hour < band.end_h)


def _idle_min(tariff: Tariff, charge_ended_at: datetime | None, ended_at: datetime) -> Decimal:
    """Whole minutes of idle time that are charged for."""
    if charge_ended_at is None:
        return Decimal(0)
    idle = (ended_at - charge_ended_at) // timedelta(minutes=1) - tariff.idle_free_min
    return Decimal(max(idle, 0))


def _priced(tariff: Tariff, kwh_in: dict[int, Decimal], idle_min: Decimal) -> Priced:
    lines: list[CostLine] = []
    for dimension in ("energy", "service"):
        at_price: dict[Decimal, Decimal] = {}
        for band, kwh in kwh_in.items():
            unit = getattr(tariff.bands[band], f"{dimension}_per_kwh")
            at_price[unit] = at_price.get(unit, Decimal(0)) + kwh
        lines += [_line(dimension, kwh, unit) for unit, kwh in at_price.items() if kwh]
    if idle_min and tariff.idle_per_min:
        idle = _line("idle", idle_min, tariff.idle_per_min)
        lines.append(CostLine("idle", idle.quantity, idle.unit_price, min(idle.amount, tariff.idle_cap)))
    return Priced(tuple(lines), sum((line.amount for line in lines), Decimal(0)).quantize(CENT, ROUND_HALF_UP))


def _line(dimension: str, quantity: Decimal, unit_price: Decimal) -> CostLine:
    amount = (quantity * unit_price).quantize(LINE, ROUND_HALF_UP)
    return CostLine(dimension, quantity.quantize(WATT_HOUR), unit_price, amount)


def _kwh(value: float) -> Decimal:
    return Decimal(repr(value)) if value > 0 else Decimal(0)
