"""The forecast of the running hour, and the model behind it: a regression at first, better ones as fitted elsewhere."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Protocol

import numpy as np
import structlog

from chargeloop.loop.outlook import history_start, trusted_kwh
from chargeloop.model import City, Demand, Weather, World
from chargeloop.physics import full_hour, hours_between
from chargeloop.prediction import Forecast, Forecaster, Saved, fit_forecaster, kind_of

FORECAST_H = 24
REFIT_S = 7 * 24 * 3600.0  # a model that has learned less long ago is good enough
AGAIN_S = 24 * 3600.0  # after a fit that came to nothing
HOUR = timedelta(hours=1)
KEPT_H = 24 * 366  # of the record that models learn from
PLAIN = "regression"
log = structlog.get_logger()


class Fitting(Protocol):
    """Fits models elsewhere, while the loop goes on."""

    def ask(self, record: Demand, weather: Weather, time_zone: str, zone_ids: tuple[str, ...]) -> None:
        """Begin, unless it is at it; returns at once."""
        ...

    def take(self) -> Saved | None:
        """What has come of it since the last call."""
        ...


class Forecasts:
    """Made once when the hour begins, from the history seen until then; `Forecast.methods` says how, zone by zone.

    Without `fitting` a regression is fitted at the first forecast, and anew after each week of the city's time: the same
    history gives the same forecasts. With it, that regression only stands in until the first model is there, or if it fails.
    """

    def __init__(self, city: City, fitting: Fitting | None = None) -> None:
        self._city, self._fitting = city, fitting
        self._zone_ids = tuple(zone.zone_id for zone in city.zones)
        self._record = Demand(city.demand.start.astimezone(UTC), city.demand.energy_kwh)
        self._plain: Forecaster | None = None
        self._better: Forecaster | None = None
        self._due_s = -np.inf  # of the next fit
        self._is_wanted = False  # before it is due
        self._latest: Forecast | None = None

    def __call__(self, world: World) -> Forecast:
        origin = full_hour(world.at)
        if self._latest is None or self._latest.origin != origin:
            self._record = self._grown(world)
            self._learn(world.now_s)
            self._latest = self._made(world)
        return self._latest

    @property
    def plain(self) -> Forecaster:
        """The regression; fitted to the city's own history where nothing was seen yet."""
        if self._plain is None:
            self._plain = fit_forecaster(PLAIN, self._record, self._city.weather, self._city.time_zone, self._zone_ids)
        return self._plain

    def renew(self) -> None:
        """Errors have grown: fit anew with the next forecast, not only when the week is over."""
        self._is_wanted = True

    def _grown(self, world: World) -> Demand:
        """The record with all that is known by now. The running hour is forecast, no history; gaps are unknown."""
        start, seen = history_start(world), trusted_kwh(world)
        own = self._city.demand
        first = hours_between(own.start, start)
        known = own.energy_kwh[max(first, 0) : max(first, 0) + len(seen)]
        seen[: len(known)][~np.isfinite(known)] = np.nan  # perception takes what the file doesn't know as nothing
        row = hours_between(self._record.start, start)
        if row <= 0:
            return Demand(start, seen)
        before = self._record.energy_kwh[:row]
        gap = np.full((row - len(before), seen.shape[1]), np.nan)
        energy = np.concatenate([before, gap, seen])
        too_many = max(len(energy) - KEPT_H, 0)
        return Demand(self._record.start + too_many * HOUR, energy[too_many:])

    def _learn(self, now_s: float) -> None:
        if self._fitting is None:
            if now_s >= self._due_s or self._is_wanted:
                self._plain, self._due_s, self._is_wanted = None, now_s + REFIT_S, False
            return
        found = self._fitting.take()
        if found is not None and found.model.zone_ids == self._zone_ids:
            self._better, self._due_s = found.model, found.until.timestamp() + REFIT_S
            log.info("forecaster", kind=found.kind, until=found.until.isoformat())
        if now_s >= self._due_s or self._is_wanted:
            self._due_s, self._is_wanted = now_s + AGAIN_S, False
            self._fitting.ask(self._record, self._city.weather, self._city.time_zone, self._zone_ids)

    def _made(self, world: World) -> Forecast:
        origin = full_hour(world.at)
        if self._better is not None:
            try:
                return _named(self._better.forecast(self._record, self._city.weather, origin, FORECAST_H), self._better)
            except Exception:  # the city must go on
                log.exception("forecaster failed", instead=PLAIN)
        return _named(self.plain.forecast(self._record, self._city.weather, origin, FORECAST_H), self.plain)


def _named(made: Forecast, model: Forecaster) -> Forecast:
    return made if made.methods else replace(made, methods=(kind_of(model),) * len(made.zone_ids))
