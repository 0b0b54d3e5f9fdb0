"""What the newest forecast says beyond itself: levels, peaks, shortages, trends, and feeds that have stopped. Once an hour."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal

import numpy as np

from chargeloop.model import OUT_OF_ORDER, City, Demand, Layout, Peak, Shortage, ShortageTold, World
from chargeloop.model.city import Floats
from chargeloop.physics import full_hour, local
from chargeloop.prediction import (
    Correlation,
    Forecast,
    Forecaster,
    Levelled,
    Levels,
    Trend,
    day_ahead_errors,
    kwh_per_bay_hour,
    learned_correlation,
    levelled,
    peaks,
    shortages,
    trends,
)

RAISE_AT = 0.5  # probability from which on a shortage is told; one that was told stands until it is below the least
MOVED_PROBABILITY, MOVED_BAYS = 0.1, 2.0  # changes that are worth telling


@dataclass(frozen=True, slots=True)
class StoppedFeed:
    """`value_kwh`: at which a zone stands still (0: nothing comes); None for a station, which is silent."""

    unit: Literal["zone", "station"]
    unit_id: str
    since: datetime
    value_kwh: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """As of the origin of `levels`. `peaks`: of the city, then of its districts; `trends`: of city, districts, zones."""

    levels: Levelled
    correlation: Correlation
    peaks: tuple[Peak, ...]
    shortages: tuple[Shortage, ...]
    trends: tuple[Trend, ...]


class Foresight:
    """Makes the outlook of each new forecast. What it learns of errors and bays it learns once, from the city's own history.

    `model`: fitted to that history, asked for once.
    """

    def __init__(self, city: City, layout: Layout, model: Callable[[], Forecaster]) -> None:
        self._city, self._layout, self._model = city, layout, model
        self.levels = Levels.of(city, layout)
        self._learned: tuple[Correlation, Floats] | None = None
        self._trends: tuple[date, tuple[Trend, ...]] | None = None

    def __call__(self, world: World, forecast: Forecast) -> Outlook:
        correlation, kwh_per_bay = self._learn()
        share = self.levels.station_share(world.station_kwh, world.station_days)
        at_levels = levelled(forecast, self.levels, correlation, share)
        rng = np.random.default_rng(int(forecast.origin.timestamp()))
        return Outlook(
            levels=at_levels,
            correlation=correlation,
            peaks=tuple(each for of in at_levels[:2] for each in peaks(of, correlation.lasting, rng)),
            shortages=shortages(forecast, kwh_per_bay, bays_in_order(world)),
            trends=self._trends_of(world),
        )

    def _learn(self) -> tuple[Correlation, Floats]:
        if self._learned is None:
            city = self._city
            errors = day_ahead_errors(self._model(), city.demand, city.weather)
            kwh_per_bay = kwh_per_bay_hour(city.demand, city.behaviour, self._layout, city.time_zone)
            self._learned = learned_correlation(errors, self.levels), kwh_per_bay
        return self._learned

    def _trends_of(self, world: World) -> tuple[Trend, ...]:
        """Once a local day."""
        today = local(world.at, self._city.time_zone).date()
        if self._trends is None or self._trends[0] != today:
            known = trusted_kwh(world)
            district = np.arange(len(self.levels.district_ids)) == self.levels.district_of[:, None]
            all_levels = np.concatenate([known.sum(axis=1, keepdims=True), known @ district, known], axis=1)
            history = Demand(history_start(world), all_levels)
            names = ("city", *self.levels.district_ids, *self.levels.zone_ids)
            self._trends = today, trends(history, self._city.time_zone, names)
        return self._trends[1]


def history_start(world: World) -> datetime:
    """The hour that the first row of the world's energy is of."""
    return datetime.fromtimestamp(full_hour(world.at).timestamp() - 3600.0 * (len(world.zone_energy_kwh) - 1), UTC)


def trusted_kwh(world: World) -> Floats:
    """The hours that are over x zones, from `history_start` on; NaN from where a feed has stopped."""
    energy = world.zone_energy_kwh[:-1].copy()
    hour_s = history_start(world).timestamp() + 3600.0 * np.arange(len(energy))
    energy[hour_s[:, None] >= np.nan_to_num(world.zone_stale_s, nan=np.inf)] = np.nan
    return energy


def stopped_feeds(world: World) -> tuple[StoppedFeed, ...]:
    """Zones first, those that have been longest."""
    layout, last = world.layout, world.zone_energy_kwh[-2:-1]
    zones = [
        StoppedFeed("zone", layout.zone_ids[z], _instant(world.zone_stale_s[z]), float(last[0, z]))
        for z in np.flatnonzero(np.isfinite(world.zone_stale_s))
    ]
    stations = [
        StoppedFeed("station", layout.station_ids[n], _instant(world.station_stale_s[n]), None)
        for n in np.flatnonzero(np.isfinite(world.station_stale_s))
    ]
    return tuple(sorted(zones, key=lambda each: each.since) + sorted(stations, key=lambda each: each.since))


def bays_in_order(world: World) -> Floats:
    """Z: bays that can be used now."""
    layout = world.layout
    usable = ~np.isin(world.evse_status, OUT_OF_ORDER)
    return np.bincount(layout.station_zone[layout.evse_station], usable, len(layout.zone_ids)).astype(np.float64)


class Shortages:
    """The shortages that were told and have not been taken back; told once, then when they change."""

    def __init__(self, told: Iterable[Shortage] = ()) -> None:
        self.told = {each.shortage_id: each for each in told}

    def apply(self, event: ShortageTold) -> None:
        if event.what in ("raised", "updated"):
            self.told[event.shortage.shortage_id] = event.shortage
        else:
            self.told.pop(event.shortage.shortage_id, None)

    def is_told(self, found: Shortage) -> bool:
        return any(_same(old, found) for old in self.told.values())

    def news(self, found: Sequence[Shortage], now: datetime) -> list[ShortageTold]:
        """What there is to tell now; `apply` has to be told of it."""
        told, left = list[ShortageTold](), dict(self.told)
        goes_on: dict[str, Shortage] = {}
        for each in sorted(found, key=lambda each: each.begin):  # of the parts of one that splits, the first goes on as it
            same = next((old for old in left.values() if _same(old, each)), None)
            if same is not None:
                goes_on[each.shortage_id] = left.pop(same.shortage_id)
        for each in found:
            old = goes_on.get(each.shortage_id)
            if old is not None:
                new = replace(each, shortage_id=old.shortage_id, begin=min(old.begin, each.begin))
                if _moved(old, new):
                    told.append(ShortageTold(at=now, shortage=new, what="updated"))
            elif each.probability >= RAISE_AT:
                told.append(ShortageTold(at=now, shortage=each, what="raised"))
        told += [ShortageTold(at=now, shortage=old, what="over" if old.end <= now else "withdrawn") for old in left.values()]
        return told


def _same(old: Shortage, new: Shortage) -> bool:
    return old.zone_id == new.zone_id and new.begin <= old.end and old.begin <= new.end


def _moved(old: Shortage, new: Shortage) -> bool:
    return (
        old.end != new.end
        or abs(old.probability - new.probability) >= MOVED_PROBABILITY
        or abs(old.more_bays - new.more_bays) >= max(MOVED_BAYS, MOVED_PROBABILITY * old.more_bays)
    )


def _instant(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(float(epoch_s), UTC)
