"""What branches of a replay came to, in figures, and what each driver gained or lost by another one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from chargeloop.model.city import Floats
from chargeloop.pricing import RateTable, estimate
from chargeloop.simulation.fleets import TIERS
from chargeloop.simulation.kpis import minutes_lost
from chargeloop.simulation.replay import Ending, Replay
from chargeloop.simulation.state import Stage

BLOCK_S = 900.0  # drivers of a quarter of an hour hang together: their mean is one observation
Z95 = 1.96
NOTICED_MIN = 0.5  # a driver is better or worse off from here on


@dataclass(frozen=True, slots=True)
class Difference:
    """Minutes of drive + wait against another branch, driver by driver; `half_min`: of the 95 % interval of the mean."""

    mean_min: float
    half_min: float
    better: float
    worse: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the drivers of the day who appear in the time that is looked at; one who gave up counts 60 minutes more.

    `crowd`: drivers of events, who are not among them. `by_quarter`: mean minutes by the quarter of an hour of appearing, NaN
    where nobody did.
    """

    name: str
    drivers: int
    minutes: float
    drive_min: float
    wait_min: float
    wait_p95_min: float
    served_share: float
    amount_cny: float
    tier_minutes: dict[str, float]
    crowd: int
    crowd_minutes: float | None
    by_quarter: tuple[float, ...]
    against: Difference | None = None

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def figures(replay: Replay, endings: Sequence[Ending]) -> list[Figures]:
    """One an ending; differences are against the first."""
    first = _minutes(replay, endings[0])
    return [_figures(replay, ending, None if n == 0 else first) for n, ending in enumerate(endings)]


def _figures(replay: Replay, ending: Ending, against: tuple[Floats, Floats] | None) -> Figures:
    cars, drivers = ending.twin.state.cars, ending.twin.drivers
    lost_min, wait_min = minutes_lost(cars)
    inside = _inside(replay, cars["appear_s"])
    is_usual = np.zeros(len(cars), dtype=np.bool_)
    is_usual[ending.usual] = True
    those, crowd = inside & is_usual, inside & ~is_usual
    charged = those & np.isfinite(cars["charged_s"])
    station = replay.layout.evse_station[cars["evse"][charged]]
    rates = RateTable.of(replay.city.tariffs, [each.tariff_id for each in replay.city.stations])
    length_min = (cars["charged_s"] - cars["start_s"])[charged] / 60
    amount = estimate(rates, station, cars["start_s"][charged], length_min, cars["kwh"][charged])
    by_tier = [(str(tier), those & (drivers.tier == t)) for t, tier in enumerate(TIERS)]
    return Figures(
        name=ending.branch.name,
        drivers=int(those.sum()),
        minutes=_mean(lost_min[those]),
        drive_min=_mean(cars["drive_s"][those] / 60),
        wait_min=_mean(wait_min[those]),
        wait_p95_min=float(np.quantile(wait_min[those], 0.95)) if those.any() else float("nan"),
        served_share=_mean(cars["stage"][those] != Stage.GAVE_UP),
        amount_cny=_mean(amount),
        tier_minutes={name: _mean(lost_min[rows]) for name, rows in by_tier if rows.any()},
        crowd=int(crowd.sum()),
        crowd_minutes=_mean(lost_min[crowd]) if crowd.any() else None,
        by_quarter=_by_quarter(replay, cars["appear_s"][those], lost_min[those]),
        against=None if against is None else _difference(against, _minutes(replay, ending)),
    )


def _minutes(replay: Replay, ending: Ending) -> tuple[Floats, Floats]:
    """When each driver of the day appeared, and what he lost; the same drivers in every branch."""
    cars = ending.twin.state.cars[ending.usual]
    inside = _inside(replay, cars["appear_s"])
    return cars["appear_s"][inside], minutes_lost(cars)[0][inside]


def _difference(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> Difference:
    appear_s, change = one[0], other[1] - one[1]
    _, block = np.unique(appear_s // BLOCK_S, return_inverse=True)
    count = np.bincount(block)
    excess = np.bincount(block, change - change.mean())  # of the ratio of sums: blocks differ in size
    blocks = len(count)
    spread = np.sqrt((excess**2).sum() / max(blocks - 1, 1) * blocks) / count.sum()
    return Difference(
        float(change.mean()), float(Z95 * spread), float((change < -NOTICED_MIN).mean()), float((change > NOTICED_MIN).mean())
    )


def _by_quarter(replay: Replay, appear_s: Floats, lost_min: Floats) -> tuple[float, ...]:
    quarters = round((replay.until_h - replay.from_h) * 3600 / BLOCK_S)
    place = ((appear_s - replay.start.timestamp() - replay.from_h * 3600) / BLOCK_S).astype(np.int64)
    count = np.bincount(place, minlength=quarters)
    total = np.bincount(place, lost_min, quarters)
    return tuple(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0).tolist())


def _inside(replay: Replay, appear_s: Floats) -> np.ndarray:
    hour = (appear_s - replay.start.timestamp()) / 3600
    return np.asarray((hour >= replay.from_h) & (hour < replay.until_h))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value
