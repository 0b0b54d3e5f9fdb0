"""The shapes of forecasts at all levels, of what they say beyond themselves, and of how good they were."""

from datetime import datetime
from typing import Literal

from chargeloop.api.shapes import Shape
from chargeloop.model import Peak, Shortage

Level = Literal["zone", "district", "city", "station"]


class LevelShape(Shape):
    """kWh in each hour and unit at three quantiles; medians of a level add up to those above it."""

    level: Level
    origin: datetime
    hours: list[datetime]
    unit_ids: list[str]
    q10: list[list[float]]
    q50: list[list[float]]
    q90: list[list[float]]


class ToldShortage(Shape):
    """`told`: on the event stream, as likely enough; else it is seen and not said."""

    shortage: Shortage
    told: bool


class TrendShape(Shape):
    """See `prediction.Trend`."""

    unit_id: str
    habit: Literal["level", "peak_hour", "rest_share"]
    change: float
    p: float
    significant: bool
    days: int


class FeedShape(Shape):
    """A feed that has stopped. `value_kwh`: at which a zone stands still."""

    unit: Literal["zone", "station"]
    unit_id: str
    since: datetime
    value_kwh: float | None


class OutlookShape(Shape):
    """`districts`: their zones. `trends`: those that are significant, and how many were asked about. `methods`: how the
    forecast of how many zones was made."""

    origin: datetime
    districts: dict[str, list[str]]
    peaks: list[Peak]
    shortages: list[ToldShortage]
    trends: list[TrendShape]
    trends_asked: int
    methods: dict[str, int]
    stopped: list[FeedShape]


class DriftShape(Shape):
    """Of the mean relative error: the last week against the four before. `is_there` None: too few days."""

    is_there: bool | None
    recent: float | None
    before: float | None
    p: float | None


class RecordShape(Shape):
    """See `persistence.Record`."""

    level: Literal["zone", "district", "city"]
    horizon_h: int
    hours: int
    units: float
    mae_kwh: float
    mean_kwh: float
    pinball_kwh: float
    coverage: float
    relative: float
    naive: float | None
    drift: DriftShape


class KeptShape(Shape):
    origin: datetime
    made_at: datetime


class ScoresShape(Shape):
    """`newest`: the newest forecasts that are kept."""

    since: datetime
    until: datetime
    records: list[RecordShape]
    newest: list[KeptShape]


class PastShape(Shape):
    """A forecast as it was made, of one unit, and what came of the hours that are over."""

    made_at: datetime
    origin: datetime
    unit_id: str
    hours: list[datetime]
    q10: list[float]
    q50: list[float]
    q90: list[float]
    came: list[float | None]
