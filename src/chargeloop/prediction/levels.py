"""Levels that add up: station, zone, district (H3 cell of resolution 7) and city, each with a band of its own.

Medians are summed from zone to district and city, and shared out from zone to station, so parts and whole agree at every hour.
Widths of sums grow by the correlation of the zones' errors, learned from past days; a station is less sure than its zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np

from chargeloop.model import BadInput, City, Demand, Layout, Weather
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import full_hour
from chargeloop.prediction.forecast import ZONE_CORRELATION, Forecast
from chargeloop.prediction.history import without_frozen

DISTRICT_RESOLUTION = 7
RATING_DAYS = 3.0  # of measuring that rated power weighs as much as (measured on 44 stations of Dundee)
LEARNED_D = 28  # days of errors that correlations are learned from
USUAL_LASTING = 0.9  # of an error from one hour to the next


class Correlation(NamedTuple):
    """Of the zones' errors within a district and within the city; `lasting`: of the city's error with that an hour before."""

    district: float = ZONE_CORRELATION
    city: float = ZONE_CORRELATION
    lasting: float = USUAL_LASTING


USUAL = Correlation()


class Forecasting(Protocol):
    """Any fitted forecaster."""

    def forecast(self, history: Demand, weather: Weather, origin: datetime, hours: int) -> Forecast: ...


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What is part of what. `district_of`: Z, `station_zone`: N, indices; `rated_kw`: N."""

    zone_ids: tuple[str, ...]
    district_ids: tuple[str, ...]
    district_of: Ints
    station_ids: tuple[str, ...]
    station_zone: Ints
    rated_kw: Floats

    @classmethod
    def of(cls, city: City, layout: Layout) -> "Levels":
        import h3  # noqa: PLC0415 (not needed for --help)

        cells = [h3.latlng_to_cell(zone.centre.lat, zone.centre.lon, DISTRICT_RESOLUTION) for zone in city.zones]
        districts, of_zone = np.unique(cells, return_inverse=True)
        rated_kw = np.bincount(layout.evse_station, layout.evse_kw, len(layout.station_ids)).astype(np.float64)
        return cls(
            layout.zone_ids, tuple(map(str, districts)), of_zone, layout.station_ids, layout.station_zone.copy(), rated_kw
        )

    def station_share(self, measured_kwh: Floats | None = None, days: float = 0.0) -> Floats:
        """N: each station's part of its zone; they sum to 1 in each zone that has a station.

        By rated power, which is by piles where all are alike; and as measured over `days`, which weighs days / (days +
        `RATING_DAYS`). Zones where nothing was measured keep to rated power.
        """
        rated = self._within_zone(self.rated_kw)
        if measured_kwh is None:
            return rated
        seen = np.bincount(self.station_zone, measured_kwh, len(self.zone_ids))[self.station_zone] > 0
        weight = np.where(seen, days / (days + RATING_DAYS), 0.0)
        return np.asarray(weight * self._within_zone(measured_kwh) + (1 - weight) * rated)

    def _within_zone(self, values: Floats) -> Floats:
        whole = np.bincount(self.station_zone, values, len(self.zone_ids))[self.station_zone]
        return np.divide(values, whole, out=np.zeros_like(values), where=whole > 0)


class Levelled(NamedTuple):
    """One forecast at every level; `zone_ids` of each are the ids of that level's units."""

    city: Forecast
    district: Forecast
    zone: Forecast
    station: Forecast


def levelled(forecast: Forecast, levels: Levels, correlation: Correlation = USUAL, share: Floats | None = None) -> Levelled:
    """`share`: N, of each station in its zone; by rated power unless given."""
    share = levels.station_share() if share is None else share
    everything = np.zeros(len(levels.zone_ids), dtype=np.int64)
    return Levelled(
        summed(forecast, everything, ("city",), correlation.city),
        summed(forecast, levels.district_of, levels.district_ids, correlation.district),
        forecast,
        _shared(forecast, levels, share),
    )


def summed(forecast: Forecast, group: Ints, names: Sequence[str], correlation: float) -> Forecast:
    """Sums over groups of zones. `group`: Z, index into `names`. Medians add; widths as errors with one common correlation r:

    width^2 = (1 - r) sum(width_z^2) + r (sum width_z)^2: exact for normal errors, in between for r in 0 (independent) .. 1.
    """
    if not 0 <= correlation <= 1:
        raise BadInput("correlation", f"must lie in 0..1, got {correlation}")
    member = (group[:, None] == np.arange(len(names))).astype(np.float64)
    middle = forecast.q50 @ member

    def width(of_zone: Floats) -> Floats:
        return np.asarray(np.sqrt((1 - correlation) * (of_zone**2 @ member) + correlation * (of_zone @ member) ** 2))

    low = np.maximum(middle - width(forecast.q50 - forecast.q10), 0)
    return Forecast(forecast.origin, tuple(names), low, middle, middle + width(forecast.q90 - forecast.q50))


def _shared(forecast: Forecast, levels: Levels, share: Floats) -> Forecast:
    """Each station's part of its zone's median; as wide as makes the stations of a zone together as wide as their zone."""
    together = np.bincount(levels.station_zone, share**2, len(levels.zone_ids))
    wider = 1 / np.sqrt((1 - ZONE_CORRELATION) * together + ZONE_CORRELATION)
    low, middle, high = (each[:, levels.station_zone] * share for each in (forecast.q10, forecast.q50, forecast.q90))
    times = wider[levels.station_zone]
    below = np.maximum(middle - times * (middle - low), 0)
    return Forecast(forecast.origin, levels.station_ids, below, middle, middle + times * (high - middle))


def day_ahead_errors(model: Forecasting, demand: Demand, weather: Weather, hours: int = 24, days: int = LEARNED_D) -> Floats:
    """Days x hours x zones, kWh: what came less the median, of forecasts from each of the last midnights (UTC) known.

    NaN where a feed was frozen. Hours that the model was fitted to are among them, so the errors are a little too small.
    """
    energy = without_frozen(demand.energy_kwh)
    last = len(energy) - hours
    origins = [row for row in range(last - 24 * (days - 1), last + 1, 24) if row >= 24 * 7]
    found = []
    for row in origins:
        origin = full_hour(demand.start) + timedelta(hours=row)
        past = Demand(demand.start, demand.energy_kwh[:row])
        found.append(energy[row : row + hours] - model.forecast(past, weather, origin, hours).q50)
    return np.array(found).reshape(len(found), hours, energy.shape[1])


def learned_correlation(errors: Floats, levels: Levels) -> Correlation:
    """By moments: r = (var of the sum - sum of the variances) / ((sum of the deviations)^2 - sum of the variances).

    `errors`: days x hours x zones. At least `ZONE_CORRELATION`: a month may have had no bad day. Usual values where nothing
    is known.
    """
    if len(errors) < 2:
        return USUAL
    known = np.nan_to_num(errors)
    district = _common(known, levels.district_of)
    city = _common(known, np.zeros(len(levels.zone_ids), dtype=np.int64))
    total = known.sum(axis=2)
    power = float((total[:, :-1] ** 2).sum())
    lasting = float((total[:, 1:] * total[:, :-1]).sum()) / power if power > 0 else USUAL_LASTING
    return Correlation(max(district, ZONE_CORRELATION), max(city, ZONE_CORRELATION), float(np.clip(lasting, 0, 0.99)))


def _common(errors: Floats, group: Ints) -> float:
    member = (group[:, None] == np.arange(group.max(initial=0) + 1)).astype(np.float64)
    variance = (errors**2).mean(axis=0)
    apart = variance @ member
    excess = ((errors @ member) ** 2).mean(axis=0) - apart
    most = (np.sqrt(variance) @ member) ** 2 - apart
    return float(np.clip(excess.sum() / most.sum(), 0, 1)) if most.sum() > 0 else 0.0
