"""Promises against what happened: waits and amounts, by whatever stations are grouped by."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Connection

from chargeloop.persistence.tables import decision, given, outcome, promise

KEPT, ELSEWHERE, GAVE_UP = "kept", "elsewhere", "gave_up"
SAME_SHARE, SAME_CENTS = 0.05, 50  # an amount that differs by no more than either is as promised
BINS_MIN = (0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0)  # of promised 0.9-quantiles; the last one is open
QUANTILE = 0.9  # which the promise is


class Standing(NamedTuple):
    """How promises were kept. Means are over drivers who charged where they were sent; None where there is none.

    `kept`, `elsewhere`, `gave_up`, `open`: charged there, at another station, nowhere, not over yet. `waits`: of `kept`, whose
    wait is known. `within_p90`: share of these waits within the promised 0.9-quantile; `within_p90_where_any`: of the
    `waits_promised` for whom that quantile was above 0. Errors: realised - promised. `amount_same`: within 5 % or CNY 0.50.
    """

    group: str
    made: int
    kept: int
    elsewhere: int
    gave_up: int
    open: int
    waits: int
    promised_wait_min: float | None
    realised_wait_min: float | None
    wait_error_min: float | None
    wait_error_p95_min: float | None
    within_p90: float | None
    waits_promised: int
    within_p90_where_any: float | None
    promised_cents: float | None
    realised_cents: float | None
    amount_same: float | None


class Bin(NamedTuple):
    """Waits whose promised 0.9-quantile is above `low_min` and up to `high_min`; the first bin holds those of 0 too."""

    low_min: float
    high_min: float | None
    waits: int
    promised_p90_min: float
    realised_p90_min: float
    within: float


class Columns(NamedTuple):
    """Promises in columns; NaN where something is not known."""

    station_id: NDArray[Any]
    wait_min: NDArray[np.float64]
    p90_min: NDArray[np.float64]
    cents: NDArray[np.float64]
    came: NDArray[Any]
    realised_min: NDArray[np.float64]
    realised_cents: NDArray[np.float64]


def find_promises(connection: Connection, since_s: float, until_s: float, stations: Sequence[str] | None = None) -> Columns:
    """Those made in the span, in columns."""
    made = promise.c
    query = _made_between(
        sa.select(made.station_id, made.wait_min, made.wait_p90_min, made.amount_cents, made.came, *_REALISED), since_s, until_s
    )
    if stations is not None:
        query = query.where(made.station_id.in_(stations))
    rows = connection.execute(query).all()
    station, wait, p90, cents, came, realised, amount = zip(*rows, strict=True) if rows else ((),) * 7
    numbers = (np.array(column, dtype=np.float64) for column in (wait, p90, cents, realised, amount))  # None becomes NaN
    wait_min, p90_min, promised_cents, realised_min, realised_cny = numbers
    texts = (np.array(station, dtype=object), np.array([each or "" for each in came], dtype=object))
    return Columns(texts[0], wait_min, p90_min, promised_cents, texts[1], realised_min, np.round(realised_cny * 100))


def find_kept(connection: Connection, since_s: float, until_s: float, stations: Sequence[str], limit: int) -> Sequence[Any]:
    """Promises behind a figure, the newest first."""
    query = _made_between(sa.select(promise, *_REALISED), since_s, until_s)
    query = query.where(promise.c.station_id.in_(stations)).order_by(promise.c.made_s.desc()).limit(limit)
    return connection.execute(query).all()


def find_taken(connection: Connection, decision_id: str) -> tuple[Any | None, bool]:
    """The promise that the driver of a decision took, and whether what the decision was made from is kept."""
    made = promise.c
    query = sa.select(made.station_id, made.wait_min, made.wait_p90_min, made.amount_cents, made.came)
    taken = connection.execute(query.where(made.decision_id == decision_id)).one_or_none()
    named = sa.select(decision.c.given_id).where(decision.c.decision_id == decision_id).scalar_subquery()
    return taken, connection.scalar(sa.select(given.c.given_id).where(given.c.given_id == named)) is not None


_REALISED = (outcome.c.realised_wait_min, sa.cast(outcome.c.realised_amount, sa.Float).label("realised_amount"))


def _made_between(query: sa.Select[Any], since_s: float, until_s: float) -> sa.Select[Any]:
    joined = query.select_from(promise.outerjoin(outcome, outcome.c.decision_id == promise.c.decision_id))
    return joined.where(promise.c.made_s >= since_s, promise.c.made_s < until_s)


def standings(found: Columns, group_of: Callable[[str], str]) -> list[Standing]:
    """One a group, by name."""
    stations, which = np.unique(found.station_id.astype(str), return_inverse=True)
    groups, of_station = np.unique([group_of(each) for each in stations], return_inverse=True)
    group = of_station[which] if which.size else which
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(len(groups) + 1))
    parts = (order[edges[g] : edges[g + 1]] for g in range(len(groups)))
    return [standing(str(name), Columns(*(column[rows] for column in found))) for name, rows in zip(groups, parts, strict=True)]


def standing(group: str, found: Columns) -> Standing:
    kept = found.came == KEPT
    timed = kept & np.isfinite(found.realised_min)
    some = timed & (found.p90_min > 0)
    paid = kept & np.isfinite(found.realised_cents)
    error = (found.realised_min - found.wait_min)[timed]
    is_within = found.realised_min <= found.p90_min
    same = np.abs(found.realised_cents - found.cents) <= np.maximum(SAME_SHARE * found.cents, SAME_CENTS)
    counts = {name: int((found.came == name).sum()) for name in (KEPT, ELSEWHERE, GAVE_UP)}
    return Standing(
        group=group,
        made=len(kept),
        **counts,
        open=len(kept) - sum(counts.values()),
        waits=int(timed.sum()),
        promised_wait_min=_mean(found.wait_min[timed]),
        realised_wait_min=_mean(found.realised_min[timed]),
        wait_error_min=_mean(error),
        wait_error_p95_min=float(np.quantile(error, 0.95)) if error.size else None,
        within_p90=_mean(is_within[timed]),
        waits_promised=int(some.sum()),
        within_p90_where_any=_mean(is_within[some]),
        promised_cents=_mean(found.cents[paid]),
        realised_cents=_mean(found.realised_cents[paid]),
        amount_same=_mean(same[paid]),
    )


def calibration(found: Columns) -> list[Bin]:
    """The promised 0.9-quantile of waits against that of the waits that came, by what was promised."""
    timed = (found.came == KEPT) & np.isfinite(found.realised_min)
    promised, realised = found.p90_min[timed], found.realised_min[timed]
    place = np.maximum(np.searchsorted(BINS_MIN, promised, side="left") - 1, 0)
    bins = []
    for n in np.unique(place).tolist():
        those = place == n
        bins.append(
            Bin(
                low_min=BINS_MIN[n],
                high_min=BINS_MIN[n + 1] if n + 1 < len(BINS_MIN) else None,
                waits=int(those.sum()),
                promised_p90_min=float(promised[those].mean()),
                realised_p90_min=float(np.quantile(realised[those], QUANTILE)),
                within=float((realised[those] <= promised[those]).mean()),
            )
        )
    return bins


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if values.size else None
