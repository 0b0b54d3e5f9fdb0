"""The charging periods of a session of ours: a new one whenever another price holds, or charging turns into parking."""

import itertools
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from chargeloop.model import MeterPoint, Session, Tariff
from chargeloop.protocols.ocpi.sessions import CdrDimension, ChargingPeriod

SIX = Decimal("0.000001")  # of a kWh or an hour
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)
_zone = cache(ZoneInfo)


def free_id(tariff_id: str) -> str:
    """Of the tariff under which parking costs nothing."""
    return f"{tariff_id[:31]}-FREE"


def charging_periods(
    session: Session, tariff: Tariff, points: Sequence[MeterPoint], until: datetime, tariff_id: str
) -> tuple[ChargingPeriod, ...]:
    """From the start of a session `until` now or its end. `points`: cumulative energy, in order of time.

    Energy between two points is spread evenly. What still flows after charging ended is counted to its last period.
    """
    charged_until = min(session.charge_ended_at or until, until)
    edges = [session.started_at, *_edges(tariff, session.started_at, charged_until), charged_until]
    upto = [_energy_at(points, edge) for edge in edges[:-1]]
    upto.append(_decimal(points[-1].energy_kwh) if points else Decimal(0))
    charging = [
        _period(start, tariff_id, ENERGY=after - before, TIME=_hours(end - start))
        for (start, end), (before, after) in zip(itertools.pairwise(edges), itertools.pairwise(upto), strict=True)
    ]
    return (*charging, *_parked(tariff, charged_until, until, tariff_id))


def _parked(tariff: Tariff, start: datetime, end: datetime, tariff_id: str) -> list[ChargingPeriod]:
    """Free minutes, minutes that are charged for, and what is left: part of a minute, or all after the cap."""
    if end <= start:
        return []
    if not tariff.idle_per_min:
        return [_period(start, tariff_id, PARKING_TIME=_hours(end - start))]
    minutes = max((end - start) // MINUTE - tariff.idle_free_min, 0)
    paid = min(Decimal(minutes), tariff.idle_cap / tariff.idle_per_min)
    from_here = min(start + tariff.idle_free_min * MINUTE, end)
    to_here = from_here + timedelta(microseconds=int(paid * (MINUTE // MICROSECOND)))
    spans = [
        (start, from_here, free_id(tariff_id), _hours(from_here - start)),
        (from_here, to_here, tariff_id, (paid / 60).quantize(SIX)),
        (to_here, end, free_id(tariff_id), _hours(end - to_here)),
    ]
    return [_period(begin, of, PARKING_TIME=hours) for begin, finish, of, hours in spans if finish > begin]


def _period(start: datetime, tariff_id: str, **volumes: Decimal) -> ChargingPeriod:
    dimensions = tuple(CdrDimension(type=kind, volume=volume) for kind, volume in volumes.items())
    return ChargingPeriod(start_date_time=start, dimensions=dimensions, tariff_id=tariff_id)


def _edges(tariff: Tariff, start: datetime, end: datetime) -> list[datetime]:
    """Instants within a span at which another band begins."""
    zone = _zone(tariff.time_zone)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    instants = set[datetime]()
    while len(tariff.bands) > 1 and day <= last:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        instants |= {midnight.replace(hour=band.start_h).astimezone(start.tzinfo) for band in tariff.bands}
        day += timedelta(days=1)
    return sorted(each for each in instants if start < each < end)


def _energy_at(points: Sequence[MeterPoint], at: datetime) -> Decimal:
    """Cumulative kWh; what came at that very instant belongs to what follows."""
    n = bisect_left(points, at, key=lambda point: point.at)
    if n == 0:
        return Decimal(0)
    if n == len(points):
        return _decimal(points[-1].energy_kwh)
    before, after = points[n - 1], points[n]
    share = Decimal((at - before.at) // MICROSECOND) / Decimal((after.at - before.at) // MICROSECOND)
    start, end = _decimal(before.energy_kwh), _decimal(after.energy_kwh)
    return (start + (end - start) * share).quantize(SIX)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(SIX)


def _hours(span: timedelta) -> Decimal:
    return (Decimal(span // MICROSECOND) / Decimal(HOUR // MICROSECOND)).quantize(SIX)
