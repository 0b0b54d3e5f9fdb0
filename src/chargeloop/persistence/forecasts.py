"""Forecasts as they were made, and their scores, counted by level and horizon."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from chargeloop.persistence.tables import forecast, forecast_score
from chargeloop.prediction import BEFORE_D, HORIZONS_H, RECENT_D, Drift, Score, drift

DAY_S = 86400.0
ORDER = ("zone", "district", "city")


class Record(NamedTuple):
    """How forecasts of a level were, so many hours ahead, over `hours` hours.

    `mae_kwh`: mean of |came - median| of a unit and hour; `pinball_kwh`: mean of the three quantiles; `coverage`: share within
    the band; `relative`: mean error of a unit over its own mean hour, `naive` that of the same hour a week before.
    """

    level: str
    horizon_h: int
    hours: int
    units: float
    mae_kwh: float
    mean_kwh: float
    pinball_kwh: float
    coverage: float
    relative: float
    naive: float | None
    drift: Drift


def find_origins(connection: Connection, limit: int) -> Sequence[Any]:
    """Of the newest forecasts, those first: for which hour and when they were made."""
    query = sa.select(forecast.c.origin_s, forecast.c.made_s).order_by(forecast.c.origin_s.desc()).limit(limit)
    return connection.execute(query).all()


def find_forecasts(connection: Connection, origins_s: Sequence[float]) -> Mapping[float, bytes]:
    query = sa.select(forecast.c.origin_s, forecast.c.body).where(forecast.c.origin_s.in_(origins_s))
    return {row.origin_s: row.body for row in connection.execute(query)}


def score_rows(hour_s: float, scores: Iterable[Score]) -> list[dict[str, Any]]:
    return [{"hour_s": hour_s, **each._asdict(), "naive": each.naive if isfinite(each.naive) else None} for each in scores]


def forget(connection: Connection, forecasts_before_s: float, scores_before_s: float) -> int:
    gone = connection.execute(sa.delete(forecast).where(forecast.c.origin_s < forecasts_before_s)).rowcount
    return gone + connection.execute(sa.delete(forecast_score).where(forecast_score.c.hour_s < scores_before_s)).rowcount


def find_forecast(connection: Connection, origin_s: float) -> Any | None:
    """One forecast as it was kept: `made_s`, `body`."""
    return connection.execute(sa.select(forecast.c.made_s, forecast.c.body).where(forecast.c.origin_s == origin_s)).first()


def find_drift(connection: Connection, until_s: float, level: str = ORDER[0], horizon_h: int = HORIZONS_H[0]) -> Drift:
    """Whether errors at a level and horizon have grown in the last days before an instant."""
    c = forecast_score.c
    since_s = until_s - (RECENT_D + BEFORE_D + 1) * DAY_S
    which = sa.and_(c.level == level, c.horizon_h == horizon_h, c.hour_s >= since_s, c.hour_s < until_s, c.units > 0)
    return drift(_by_day(connection.execute(sa.select(forecast_score).where(which).order_by(c.hour_s)).all()))


def find_records(connection: Connection, since_s: float, until_s: float) -> list[Record]:
    """By level and horizon, of hours in a span; `drift`: of days up to its end."""
    wide = min(since_s, until_s - (RECENT_D + BEFORE_D + 1) * DAY_S)
    query = sa.select(forecast_score).where(forecast_score.c.hour_s >= wide, forecast_score.c.hour_s < until_s)
    rows = connection.execute(query.order_by(forecast_score.c.hour_s)).all()
    records = []
    for level in ORDER:
        for horizon_h in HORIZONS_H:
            those = [row for row in rows if row.level == level and row.horizon_h == horizon_h and row.units]
            inside = [row for row in those if row.hour_s >= since_s]
            if inside:
                records.append(_record(level, horizon_h, inside, drift(_by_day(those))))
    return records


def _by_day(rows: Sequence[Any]) -> list[float]:
    """Mean relative error of each UTC day there is."""
    if not rows:
        return []
    day = np.array([row.hour_s // DAY_S for row in rows], dtype=np.int64)
    _, which = np.unique(day, return_inverse=True)
    errors, units = (np.bincount(which, [getattr(row, name) for row in rows]) for name in ("relative", "units"))
    return list((errors / units).tolist())


def _record(level: str, horizon_h: int, rows: Sequence[Any], drifted: Drift) -> Record:
    units = sum(row.units for row in rows)
    beside = [row for row in rows if row.naive is not None]
    compared = sum(row.units for row in beside)

    def mean(name: str) -> float:
        return float(sum(getattr(row, name) for row in rows) / units)

    return Record(
        level=level,
        horizon_h=horizon_h,
        hours=len(rows),
        units=units / len(rows),
        mae_kwh=mean("abs_kwh"),
        mean_kwh=mean("actual_kwh"),
        pinball_kwh=mean("pinball_kwh"),
        coverage=mean("covered"),
        relative=mean("relative"),
        naive=sum(row.naive for row in beside) / compared if compared else None,
        drift=drifted,
    )
