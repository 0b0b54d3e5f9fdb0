"""What a session costs by a tariff of OCPI: any operator's, not only ours.

The rules are those of the standard's module tariffs. Where it is silent: elements for reservations count in the reservation
only, and all others not there; a weekday is that of the instant, also after midnight; while a vehicle is parked its current and
power are 0; each FLAT component that is ever active is charged once; half a cent is rounded up, once, at the end.
Exact fractions are kept until then.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from chargeloop.protocols.ocpi.kinds import Version
from chargeloop.protocols.ocpi.sessions import Cdr
from chargeloop.protocols.ocpi.tariffs import (
    ENERGY,
    FLAT,
    PARKING_TIME,
    RESERVATION,
    RESERVATION_EXPIRES,
    TIME,
    PriceComponent,
    PriceLimit,
    Tariff,
    TariffElement,
    TariffRestrictions,
)

Doing = Literal["charging", "parked", "reserved"]
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
DURATION = {"charging": TIME, "parked": PARKING_TIME, "reserved": TIME}
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1) // MICROSECOND
MIDNIGHT = "00:00"
_zone = cache(ZoneInfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a session in which power and current stay as they are. Current: the sum over the phases."""

    start: datetime
    end: datetime
    doing: Doing = "charging"
    kwh: Decimal = Decimal(0)
    current_a: Decimal = Decimal(0)
    power_kw: Decimal = Decimal(0)

    @property
    def hours(self) -> Fraction:
        return Fraction((self.end - self.start) // MICROSECOND, HOUR)


class Amount(NamedTuple):
    """`after` None: taxes come on top that the tariff does not say."""

    before: Decimal
    after: Decimal | None


class Costs(NamedTuple):
    """Amounts before and after tax. Billed quantities, in kWh and h, are those after rounding to steps."""

    total: Amount
    fixed: Amount
    energy: Amount
    time: Amount
    parking: Amount
    reservation: Amount
    billed_kwh: Fraction
    billed_h: Fraction
    billed_parking_h: Fraction
    billed_reservation_h: Fraction


@dataclass(slots=True)
class _Line:
    """A quantity of one component, in kWh, h or times. `bucket`: where it counts."""

    bucket: str
    component: PriceComponent
    tariff: Tariff
    quantity: Fraction


class _Piece(NamedTuple):
    """Where nothing that a restriction looks at changes but by going on: restrictions are asked in its middle."""

    stretch: Stretch
    middle: datetime
    hours: Fraction
    kwh: Fraction
    kwh_so_far: Fraction
    age_s: Fraction


def price(tariff: Tariff, stretches: Sequence[Stretch], time_zone: str, version: Version, has_expired: bool = False) -> Costs:
    """What it costs. `stretches`: in order of time. `has_expired`: of the reservation in it nothing came."""
    return _costs(_lines([(tariff, stretches)], time_zone, has_expired), tariff, version)


def recomputed(cdr: Cdr, time_zone: str, version: Version) -> Costs:
    """What a CDR costs by its own tariffs and periods: to be compared with its `total_cost`.

    Time in which a station withholds power from a vehicle that wants some counts as TIME, as the sender has to count it.
    """
    tariffs = {each.id.casefold(): each for each in cdr.tariffs}
    parts: list[tuple[Tariff, list[Stretch]]] = []
    for n, period in enumerate(cdr.charging_periods):
        tariff = tariffs[(period.tariff_id or cdr.tariffs[0].id).casefold()]
        if not parts or parts[-1][0] is not tariff:
            parts.append((tariff, []))
        following = cdr.charging_periods[n + 1 :]
        end = following[0].start_date_time if following else cdr.end_date_time
        parts[-1][1].extend(_stretches(period.start_date_time, end, {each.type: each.volume for each in period.dimensions}))
    has_expired = all(each.doing == "reserved" for _, stretches in parts for each in stretches)
    return _costs(_lines(parts, time_zone, has_expired), parts[0][0], version)


def _stretches(start: datetime, end: datetime, volume: dict[str, Decimal]) -> Iterator[Stretch]:
    """Of a charging period. Its clock times place it in the day; how long it is, its volumes say, or else its clock."""
    given: dict[str, Doing] = {"RESERVATION_TIME": "reserved", TIME: "charging", PARKING_TIME: "parked"}
    named = {doing: volume[name] for name, doing in given.items() if volume.get(name)}
    kwh = volume.get(ENERGY, Decimal(0))
    if not named:
        named = {"charging": Decimal((end - start) // MICROSECOND) / HOUR}
    with_energy = "charging" if "charging" in named else next(iter(named))
    for doing, hours in named.items():
        until = start + timedelta(microseconds=int(hours * HOUR))
        yield Stretch(
            start=start,
            end=until,
            doing=doing,
            kwh=kwh if doing == with_energy else Decimal(0),
            current_a=volume.get("MAX_CURRENT", Decimal(0)),
            power_kw=volume.get("MAX_POWER", Decimal(0)),
        )
        start = until


# --- periods ----------------------------------------------------------------------------------------------------------------


def _lines(parts: Sequence[tuple[Tariff, Sequence[Stretch]]], time_zone: str, has_expired: bool) -> list[_Line]:
    began = next((each.start for _, stretches in parts for each in stretches if each.doing != "reserved"), None)
    so_far, lines, once = Fraction(0), list[_Line](), set[int]()
    for tariff, stretches in parts:
        mine: list[_Line] = []
        for stretch in stretches:
            for piece in _pieces(tariff, stretch, began or stretch.start, so_far, time_zone):
                mine += _priced(tariff, piece, time_zone, has_expired, once)
            so_far += Fraction(stretch.kwh)
        if len({id(each) for each, _ in parts}) == 1:  # no rounding where the tariff is another one in the middle
            _round_up(mine)
        lines += mine
    return lines


def _pieces(tariff: Tariff, stretch: Stretch, began: datetime, so_far: Fraction, time_zone: str) -> Iterator[_Piece]:
    """A stretch, cut wherever a restriction may begin or cease to hold."""
    whole_us = Fraction((stretch.end - stretch.start) // MICROSECOND)
    cuts = {Fraction(0), Fraction(1)}
    for element in tariff.elements:
        if (limits := element.restrictions) is not None:
            instants = _clock_cuts(limits, stretch, time_zone)
            instants += [
                began + timedelta(seconds=each) for each in (limits.min_duration, limits.max_duration) if each is not None
            ]
            if whole_us:
                cuts |= {Fraction((each - stretch.start) // MICROSECOND) / whole_us for each in instants}
            if stretch.kwh:
                thresholds = [each for each in (limits.min_kwh, limits.max_kwh) if each is not None]
                cuts |= {(Fraction(each) - so_far) / Fraction(stretch.kwh) for each in thresholds}
    inside = sorted(each for each in cuts if 0 <= each <= 1)
    for start, end in itertools.pairwise(inside):
        middle, share = (start + end) / 2, end - start
        at = stretch.start + timedelta(microseconds=int(middle * whole_us))
        yield _Piece(
            stretch=stretch,
            middle=at,
            hours=share * stretch.hours,
            kwh=share * Fraction(stretch.kwh),
            kwh_so_far=so_far + middle * Fraction(stretch.kwh),
            age_s=Fraction((stretch.start - began) // MICROSECOND, 1_000_000) + middle * whole_us / 1_000_000,
        )


def _clock_cuts(limits: TariffRestrictions, stretch: Stretch, time_zone: str) -> list[datetime]:
    zone = _zone(time_zone)
    clocks = {each for each in (limits.start_time, limits.end_time) if each is not None}
    if limits.start_date or limits.end_date or limits.day_of_week:
        clocks.add(MIDNIGHT)
    day, last = stretch.start.astimezone(zone).date(), stretch.end.astimezone(zone).date()
    instants = []
    while clocks and day <= last:
        instants += [datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone) for clock in clocks]
        day += timedelta(days=1)
    return instants


def _holds(limits: TariffRestrictions | None, piece: _Piece, time_zone: str) -> bool:
    if limits is None:
        return True
    local = piece.middle.astimezone(_zone(time_zone))
    clock, day = f"{local:%H:%M}", f"{local:%Y-%m-%d}"
    is_charging = piece.stretch.doing == "charging"
    current = piece.stretch.current_a if is_charging else Decimal(0)
    power = piece.stretch.power_kw if is_charging else Decimal(0)
    return (
        _within_clock(limits.start_time or MIDNIGHT, limits.end_time or MIDNIGHT, clock)
        and (limits.start_date is None or day >= limits.start_date)
        and (limits.end_date is None or day < limits.end_date)
        and (not limits.day_of_week or DAYS[local.weekday()] in limits.day_of_week)
        and _within(limits.min_kwh, limits.max_kwh, piece.kwh_so_far)
        and _within(limits.min_duration, limits.max_duration, piece.age_s)
        and _within(limits.min_current, limits.max_current, Fraction(current))
        and _within(limits.min_power, limits.max_power, Fraction(power))
    )


def _within(low: Decimal | int | None, high: Decimal | int | None, value: Fraction) -> bool:
    return (low is None or value >= Fraction(low)) and (high is None or value < Fraction(high))


def _within_clock(start: str, end: str, clock: str) -> bool:
    """`end` 00:00 is the end of the day; before `start`, it is on the next one."""
    if start < end:
        return start <= clock < end
    return start == end or clock >= start or clock < end


def _priced(tariff: Tariff, piece: _Piece, time_zone: str, has_expired: bool, once: set[int]) -> Iterator[_Line]:
    """For each dimension the component of the first element that holds and has it."""
    doing = piece.stretch.doing
    quantities = {ENERGY: piece.kwh, DURATION[doing]: piece.hours, FLAT: Fraction(1)}
    for dimension, quantity in quantities.items():
        component = _component(tariff, dimension, piece, time_zone, has_expired)
        if component is None or (dimension == FLAT and id(component) in once) or not quantity:
            continue
        if dimension == FLAT:
            once.add(id(component))
        yield _Line("reservation" if doing == "reserved" else dimension, component, tariff, quantity)


def _component(tariff: Tariff, dimension: str, piece: _Piece, time_zone: str, has_expired: bool) -> PriceComponent | None:
    wanted: tuple[str | None, ...] = (None,)
    if piece.stretch.doing == "reserved":
        wanted = (RESERVATION_EXPIRES, RESERVATION) if has_expired else (RESERVATION,)
    for kind in wanted:
        for element in tariff.elements:
            found = _of(element, dimension)
            if found is not None and element.reservation == kind and _holds(element.restrictions, piece, time_zone):
                return found
    return None


def _of(element: TariffElement, dimension: str) -> PriceComponent | None:
    return next((each for each in element.price_components if each.type == dimension), None)


def _round_up(lines: list[_Line]) -> None:
    """To steps, once each: energy; time or parking, whichever was priced last; reserved time. The last line takes it all."""
    groups = (
        ([each for each in lines if each.bucket == ENERGY], 1000),
        ([each for each in lines if each.bucket in (TIME, PARKING_TIME)], 3600),
        ([each for each in lines if each.bucket == "reservation" and each.component.type == TIME], 3600),
    )
    for group, per_unit in groups:
        if group and (step := Fraction(group[-1].component.step_size, per_unit)):
            last = group[-1]
            total = sum((each.quantity for each in group if each.bucket == last.bucket), Fraction(0))
            last.quantity += -(-total // step) * step - total


# --- sums -------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sum:
    before: Fraction = Fraction(0)
    after: Fraction | None = Fraction(0)
    quantity: Fraction = field(default=Fraction(0))

    def add(self, before: Fraction, after: Fraction | None) -> None:
        self.before += before
        self.after = None if after is None or self.after is None else self.after + after

    def rounded(self) -> Amount:
        return Amount(_cents(self.before), None if self.after is None else _cents(self.after))


def _costs(lines: Sequence[_Line], tariff: Tariff, version: Version) -> Costs:
    sums = {each: _Sum() for each in (FLAT, ENERGY, TIME, PARKING_TIME, "reservation")}
    total = _Sum()
    for line in lines:
        before, after = _taxed(line, version)
        for each in (sums[line.bucket], total):
            each.add(before, after)
        if line.component.type != FLAT:
            sums[line.bucket].quantity += line.quantity
    low, high = _limits(tariff.min_price), _limits(tariff.max_price)
    total.before = _clamped(total.before, low[0], high[0])
    total.after = None if total.after is None else _clamped(total.after, low[1], high[1])
    fixed, energy, time, parking, reservation = sums.values()
    return Costs(
        total=total.rounded(),
        fixed=fixed.rounded(),
        energy=energy.rounded(),
        time=time.rounded(),
        parking=parking.rounded(),
        reservation=reservation.rounded(),
        billed_kwh=energy.quantity,
        billed_h=time.quantity,
        billed_parking_h=parking.quantity,
        billed_reservation_h=reservation.quantity,
    )


def _taxed(line: _Line, version: Version) -> tuple[Fraction, Fraction | None]:
    amount, vat = line.quantity * Fraction(line.component.price), line.component.vat
    factor = 1 + Fraction(vat or 0) / 100
    included = line.tariff.tax_included if version is Version.V230 else None
    if included == "YES":  # without a percentage nobody can tell what it was before
        return amount / factor, amount
    if included == "NO" and vat is None:
        return amount, amount if not amount else None  # taxes are added later, by the law of the place
    return amount, amount if included == "N/A" else amount * factor


def _limits(limit: PriceLimit | None) -> tuple[Fraction | None, Fraction | None]:
    if limit is None:
        return None, None
    after = limit.after_taxes if limit.excl_vat is None else limit.incl_vat
    return Fraction(limit.before), None if after is None else Fraction(after)


def _clamped(value: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def _cents(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)
