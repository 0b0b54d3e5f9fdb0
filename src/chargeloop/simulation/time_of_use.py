"""Prices by time of use that move load: drivers who may come earlier or later for less, and a search for the hours.

The response is a logit that starts from what is seen. A flexible driver weighs the hours around his own; the utility of an hour
is -(amount + dislike of moving) / scale + a Gumbel term. These terms are drawn from their distribution given that, at prices
as they are, he comes when he comes. So nothing moves unless prices do, and two tariffs meet the same people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

import numpy as np

from chargeloop.model import BadInput, City, Layout, PriceBand, Tariff
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import curve_table, utc_offset_s
from chargeloop.pricing import RateTable
from chargeloop.simulation.drivers import Drivers

BIN_S = 300.0
BLOCK_H = 2  # a tariff's hours come in blocks of so many
RATIO = (0.3, 2.0)  # bounds of the energy price over its level
CENT = Decimal("0.01")
ROUNDS = 10  # of finding the level at which as much is earned as before


@dataclass(frozen=True, slots=True)
class Flexibility:
    """Assumptions: no data set here says them. `share`: of drivers who can move at all, by up to `window_h` whole hours;
    `dislike`: what an hour earlier or later costs them, as a share of their value of time; `scale_cny`: of the logit.

    Raises:
        BadInput: a figure that cannot be.
    """

    share: float = 0.3
    window_h: int = 3
    dislike: float = 0.1
    scale_cny: float = 5.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or self.window_h < 1 or self.dislike < 0 or self.scale_cny <= 0:
            raise BadInput("flexibility", f"want a share in 0..1, an hour or more, no negative dislike, a scale; got {self}")


def shape_of(point: Floats) -> Floats:
    """24 local hours: energy price over the level, from a number in 0..1 for each block."""
    return np.asarray(np.repeat(RATIO[0] + point * (RATIO[1] - RATIO[0]), BLOCK_H))


def point_of(energy: Floats) -> Floats:
    """A start for the search: prices by hour (24) as they are, as near as blocks can be."""
    block = energy.reshape(-1, BLOCK_H).mean(axis=1) / max(energy.mean(), 1e-9)
    return np.asarray(np.clip((block - RATIO[0]) / (RATIO[1] - RATIO[0]), 0, 1))


def city_prices(city: City, layout: Layout) -> tuple[Floats, Floats]:
    """24 + 24: energy and service price by local hour, CNY/kWh, mean over all bays."""
    rates = RateTable.of(city.tariffs, [station.tariff_id for station in city.stations])
    weight = np.bincount(rates.of_station[layout.evse_station], minlength=len(city.tariffs)) / len(layout.evse_station)
    return weight @ rates.energy, weight @ rates.service


class Response:
    """The drivers of one day at other prices than those (`usual`: all in, 24 local hours) at which they were drawn.

    F of them are flexible, and weigh J hours to begin: their own in the middle. `served`: by `BIN_S`, what flows over
    what would if all were served at once; to be set from a run of the twin.
    """

    def __init__(self, city: City, drivers: Drivers, usual: Floats, flexibility: Flexibility, rng: np.random.Generator) -> None:
        self.drivers, self._scale = drivers, flexibility.scale_cny
        self._shift_h = np.arange(-flexibility.window_h, flexibility.window_h + 1)
        is_flexible = rng.random(len(drivers)) < flexibility.share
        self._flexible, self._fixed = np.flatnonzero(is_flexible), np.flatnonzero(~is_flexible)
        self._begin_h = (drivers.appear_s + utc_offset_s(drivers.start, city.time_zone)) / 3600
        self._stay_h = np.maximum(drivers.said_stay_s, 60.0) / 3600
        self._kwh = (drivers.target - drivers.soc) * drivers.battery_kwh
        ac_kw = curve_table(city.models)[1][drivers.model]
        self._kw = np.where(drivers.is_dc, self._kwh / np.maximum(drivers.asked_s / 3600, 1 / 60), ac_kw)
        self._usual_cny = self.cny(usual)
        self.served = np.ones(int((drivers.hours + 12) * 3600 / BIN_S))
        self._utility = self._given_the_choice(flexibility, rng)

    @property
    def stay(self) -> Ints:
        """F: the hours that each moves by as prices are: none."""
        return np.zeros(self._flexible.size, dtype=np.int64)

    def cny(self, per_kwh: Floats) -> Floats:
        """F x J: what each flexible driver's charge costs by when it begins, energy spread evenly over the stay."""
        return self._cny(per_kwh, self._flexible, self._shift_h)

    def fixed_cny(self, per_kwh: Floats) -> float:
        """What all others pay."""
        return float(self._cny(per_kwh, self._fixed, np.zeros(1)).sum())

    def shift_h(self, cny: Floats) -> Ints:
        """F: by how many hours each moves when the amounts are these (F x J)."""
        return np.asarray(self._shift_h[np.argmax(self._utility - (cny - self._usual_cny) / self._scale, axis=1)])

    def paid_cny(self, cny: Floats, shift_h: Ints) -> float:
        """What the flexible ones pay who move by so much."""
        return float(cny[np.arange(len(cny)), shift_h + len(self._shift_h) // 2].sum())

    def moved(self, per_kwh: Floats) -> Drivers:
        """The drivers at those prices, sorted by when they come then."""
        shift_s = np.zeros(len(self.drivers))
        shift_s[self._flexible] = 3600.0 * self.shift_h(self.cny(per_kwh))
        appear_s, depart_by_s = self.drivers.appear_s + shift_s, self.drivers.depart_by_s + shift_s
        return replace(self.drivers, appear_s=appear_s, depart_by_s=depart_by_s)[np.argsort(appear_s, kind="stable")]

    def load_kw(self, shift_h: Ints) -> Floats:
        """By `BIN_S` from the start: were all served at once, times `served`."""
        begin_s = self.drivers.appear_s - self.drivers.start.timestamp()
        begin_s[self._flexible] += 3600.0 * shift_h
        bins = self.served.size
        first = np.minimum((begin_s / BIN_S).astype(np.int64), bins - 1)
        last = np.minimum(((begin_s + 3600 * self._kwh / self._kw) / BIN_S).astype(np.int64), bins - 1)
        return np.asarray(self.served * np.cumsum(np.bincount(first, self._kw, bins) - np.bincount(last, self._kw, bins)))

    def _cny(self, per_kwh: Floats, those: Ints, shift_h: Floats | Ints) -> Floats:
        edges = np.concatenate([[0.0], np.cumsum(per_kwh)])

        def until(hour: Floats) -> Floats:
            day, rest = np.divmod(hour, 24)
            return np.asarray(day * edges[-1] + np.interp(rest, np.arange(25), edges))

        begin_h, stay_h = self._begin_h[those, None] + shift_h, self._stay_h[those, None]
        return np.asarray(self._kwh[those, None] * (until(begin_h + stay_h) - until(begin_h)) / stay_h)

    def _given_the_choice(self, flexibility: Flexibility, rng: np.random.Generator) -> Floats:
        """F x J: utilities of which that of not moving is the highest; minus infinity where the run has no such hour."""
        own, drivers = flexibility.window_h, self.drivers
        dislike_cny = flexibility.dislike * drivers.value_of_time_per_h[self._flexible, None] * abs(self._shift_h)
        at_s = drivers.appear_s[self._flexible, None] + 3600.0 * self._shift_h - drivers.start.timestamp()
        there = (at_s >= 0) & (at_s < 3600 * drivers.hours)
        value = np.where(there, -(self._usual_cny + dislike_cny) / self._scale, -np.inf)
        draw = -np.log(rng.random(value.shape))  # exponential
        most = np.logaddexp.reduce(value, axis=1) - np.log(draw[:, own])
        others = value - np.log(np.exp(value - most[:, None]) + draw)  # Gumbel, given that it stays below
        others[:, own] = most
        return np.asarray(others)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a tariff comes to if all are served at once, means over days. `moved_share`: drivers who come at another hour;
    `level`: of the energy price, times its shape, CNY/kWh."""

    peak_kw: float
    revenue_cny: float
    moved_share: float
    level: float


def expected(days: Sequence[Response], shape: Floats, service: Floats, usual: Floats) -> Expected:
    """At energy prices of that shape (24), at the level that earns what the `usual` prices (24, all in) do."""
    earned = sum(day.fixed_cny(usual) + day.paid_cny(day.cny(usual), day.stay) for day in days)
    by_shape, for_service = [day.cny(shape) for day in days], [day.cny(service) for day in days]
    fixed = [sum(day.fixed_cny(prices) for day in days) for prices in (shape, service)]
    level = float(usual.mean() - service.mean()) / float(shape.mean())
    low, high, off_by = 0.0, np.inf, np.inf
    for _ in range(ROUNDS):
        shifts = [day.shift_h(level * a + b) for day, a, b in zip(days, by_shape, for_service, strict=True)]
        energy, rest = (
            total + sum(day.paid_cny(cny, shift) for day, cny, shift in zip(days, all_cny, shifts, strict=True))
            for total, all_cny in zip(fixed, (by_shape, for_service), strict=True)
        )
        earns = float(level * energy + rest)
        if abs(earns - earned) < off_by:  # drivers move by whole hours, so it jumps, and the last need not be the best
            off_by, revenue, now, best = abs(earns - earned), earns, level, shifts
        low, high = (level, high) if earns < earned else (low, level)
        level = (low + high) / 2 if high < np.inf else 2 * level
    return Expected(
        peak_kw=float(np.mean([day.load_kw(shift).max() for day, shift in zip(days, best, strict=True)])),
        revenue_cny=revenue / len(days),
        moved_share=sum(int(np.count_nonzero(shift)) for shift in best) / sum(len(day.drivers) for day in days),
        level=now,
    )


def with_shape(city: City, layout: Layout, shape: Floats, level: float) -> City:
    """The city with energy prices of that shape: each tariff keeps its service price and how dear it is beside the others."""
    energy = city_prices(city, layout)[0]
    tariffs = []
    for tariff in city.tariffs:
        own = [float(band.energy_per_kwh) for band in tariff.bands for _ in range(band.start_h, band.end_h)]
        service = [band.service_per_kwh for band in tariff.bands for _ in range(band.start_h, band.end_h)]
        dear = float(np.mean(own)) / float(energy.mean()) if energy.mean() > 0 else 1.0
        cny = [Decimal(repr(float(level * dear * each))).quantize(CENT) for each in shape]
        tariffs.append(replace(tariff, bands=_bands(cny, service)))
    return replace(city, tariffs=tuple(tariffs))


def _bands(energy: list[Decimal], service: list[Decimal]) -> tuple[PriceBand, ...]:
    """Neighbouring hours of one price as one band."""
    bands, hour = [], 0
    for price, group in groupby(zip(energy, service, strict=True)):
        hours = len(list(group))
        bands.append(PriceBand(hour, hour + hours, *price))
        hour += hours
    return tuple(bands)


def in_words(tariff: Tariff) -> str:
    return "; ".join(f"{b.start_h}–{b.end_h} h {b.energy_per_kwh:.2f}" for b in tariff.bands)
