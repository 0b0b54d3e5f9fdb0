"""Peaks and shortages in advance, from the quantiles of demand.

Of an hour's demand D the three quantiles are known; between them it is taken as normal on either side of the median, with
widths of its own. Busy bays are D over the kWh that a busy bay draws in an hour. Drivers come at random, so with a mean of B
busy bays their number is Poisson, whatever the stays are like (M/G/inf), and nine of ten who come find a bay where there are

    B + 1.28 sqrt(B)

of them. That is how many are needed; bays are short where more are needed than there are.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from chargeloop.model import Behaviour, Demand, Layout, Peak, Shortage
from chargeloop.model.city import Floats
from chargeloop.physics import full_hour, hour_of_week
from chargeloop.prediction.forecast import Forecast

Z90 = 1.2815515655446004
LEAST_PROBABILITY = 0.3  # of the worst hour, to be a shortage at all
GRID = 199  # points at which the distribution of demand is looked at
PATHS = 2000  # of the day, drawn for its peak
USUAL_KWH = 7.0  # a busy bay-hour where nothing else is known: a slow charger's


def kwh_per_bay_hour(demand: Demand, behaviour: Behaviour, layout: Layout, time_zone: str) -> Floats:
    """Z: what a busy bay draws in an hour, as measured: a zone's demand over its busy bay-hours, hour by hour of the week.

    It may be more than the bays' rated power where a city's tables call fast bays slow. Never below a tenth of `USUAL_KWH`.
    """
    bays = np.bincount(layout.station_zone[layout.evse_station], minlength=len(layout.zone_ids))
    week = (hour_of_week(demand.start, time_zone) + np.arange(len(demand.energy_kwh))) % 168
    known = np.isfinite(demand.energy_kwh) & (demand.energy_kwh > 0)
    busy = np.where(known, behaviour.busy_share[week] * bays, 0.0).sum(axis=0)
    drawn = np.where(known, demand.energy_kwh, 0.0).sum(axis=0)
    usual = np.divide(drawn, busy, out=np.full(len(bays), USUAL_KWH), where=busy > 0)
    return np.asarray(np.maximum(usual, 0.1 * USUAL_KWH))


def bays_needed(busy: Floats) -> Floats:
    """So that nine of ten who come find a bay, where `busy` are in use on average."""
    return np.asarray(busy + Z90 * np.sqrt(busy))


def quantile_of(forecast: Forecast, normal: Floats) -> Floats:
    """Demand, kWh, at standard normal scores: what broadcasts against hours x zones."""
    below, above = (forecast.q50 - forecast.q10) / Z90, (forecast.q90 - forecast.q50) / Z90
    return np.asarray(np.maximum(forecast.q50 + normal * np.where(normal < 0, below, above), 0))


def short_of(forecast: Forecast, kwh_per_bay: Floats, bays: Floats) -> tuple[Floats, Floats]:
    """Hours x zones: the probability that bays are short, and how many are missing on average where any are.

    `kwh_per_bay`, `bays`: Z.
    """
    from scipy.special import ndtri  # noqa: PLC0415 (not needed for --help)

    score = np.asarray(ndtri((np.arange(GRID) + 0.5) / GRID))[:, None, None]
    missing = bays_needed(quantile_of(forecast, score) / kwh_per_bay) - bays
    some = missing > 0
    count = some.sum(axis=0)
    total = np.where(some, missing, 0.0).sum(axis=0)
    return count / GRID, np.divide(total, count, out=np.zeros_like(total), where=count > 0)


def shortages(forecast: Forecast, kwh_per_bay: Floats, bays: Floats, least: float = LEAST_PROBABILITY) -> tuple[Shortage, ...]:
    """Runs of hours in which bays of a zone are short with a probability of `least` or more, the likeliest first.

    `kwh_per_bay`: Z, see `kwh_per_bay_hour`; `bays`: Z, in order. Their ids name zone and begin.
    """
    probability, missing = short_of(forecast, kwh_per_bay, bays)
    needed = bays_needed(forecast.q50 / kwh_per_bay)
    start = full_hour(forecast.origin)
    found = []
    for z in np.flatnonzero((probability >= least).any(axis=0)):
        for begin, end in _runs(probability[:, z] >= least):
            worst = begin + int(np.argmax(probability[begin:end, z] * missing[begin:end, z]))
            begins = start + timedelta(hours=begin)
            found.append(
                Shortage(
                    shortage_id=f"{forecast.zone_ids[z]}-{begins:%Y%m%dT%H}",
                    zone_id=forecast.zone_ids[z],
                    begin=begins,
                    end=start + timedelta(hours=end),
                    bays=float(bays[z]),
                    needed=round(float(needed[worst, z]), 1),
                    more_bays=round(float(missing[worst, z]), 1),
                    probability=round(float(probability[worst, z]), 3),
                )
            )
    return tuple(sorted(found, key=lambda each: (-each.probability, each.begin, each.zone_id)))


def _runs(mask: "np.typing.NDArray[np.bool_]") -> Sequence[tuple[int, int]]:
    """Begin and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def peaks(forecast: Forecast, lasting: float, rng: np.random.Generator, paths: int = PATHS) -> tuple[Peak, ...]:
    """The highest hour of each unit of a forecast: when, with what chance, and how high.

    The highest of many uncertain hours is higher than the highest median, so days are drawn: errors last from hour to hour
    as a first-order autoregression with `lasting`.
    """
    hours = len(forecast.q50)
    score = rng.standard_normal((hours, paths))
    for h in range(1, hours):
        score[h] = lasting * score[h - 1] + np.sqrt(1 - lasting**2) * score[h]
    start = full_hour(forecast.origin)
    found = []
    for z, unit in enumerate(forecast.zone_ids):
        low, middle, high = (each[:, z : z + 1] for each in (forecast.q10, forecast.q50, forecast.q90))
        one = Forecast(forecast.origin, (unit,), low, middle, high)
        day = quantile_of(one, score)
        count = np.bincount(day.argmax(axis=0), minlength=hours)
        low, middle, high = np.quantile(day.max(axis=0), (0.1, 0.5, 0.9))
        at = int(count.argmax())
        found.append(
            Peak(
                unit_id=unit,
                at=start + timedelta(hours=at),
                chance=float(count[at] / paths),
                q10_kwh=round(float(low), 2),
                q50_kwh=round(float(middle), 2),
                q90_kwh=round(float(high), 2),
                hours=hours,
            )
        )
    return tuple(found)
