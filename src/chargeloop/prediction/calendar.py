"""Local hours of the week, and which days people rest: weekends, and public holidays with their make-up workdays."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from chargeloop.model.city import Floats, Ints

# Mainland China, from the State Council's yearly notices: days off as (first, last), and weekend days that are worked.
_OFF = (
    ("2022-01-01", "2022-01-03"),
    ("2022-01-31", "2022-02-06"),
    ("2022-04-03", "2022-04-05"),
    ("2022-04-30", "2022-05-04"),
    ("2022-06-03", "2022-06-05"),
    ("2022-09-10", "2022-09-12"),
    ("2022-10-01", "2022-10-07"),
    ("2022-12-31", "2023-01-02"),
    ("2023-01-21", "2023-01-27"),
    ("2023-04-05", "2023-04-05"),
    ("2023-04-29", "2023-05-03"),
    ("2023-06-22", "2023-06-24"),
    ("2023-09-29", "2023-10-06"),
    ("2024-01-01", "2024-01-01"),
    ("2024-02-10", "2024-02-17"),
    ("2024-04-04", "2024-04-06"),
    ("2024-05-01", "2024-05-05"),
    ("2024-06-10", "2024-06-10"),
    ("2024-09-15", "2024-09-17"),
    ("2024-10-01", "2024-10-07"),
    ("2025-01-01", "2025-01-01"),
    ("2025-01-28", "2025-02-04"),
    ("2025-04-04", "2025-04-06"),
    ("2025-05-01", "2025-05-05"),
    ("2025-05-31", "2025-06-02"),
    ("2025-10-01", "2025-10-08"),
)
_WORKED = (
    "2022-01-29 2022-01-30 2022-04-02 2022-04-24 2022-05-07 2022-10-08 2022-10-09 2023-01-28 2023-01-29 2023-04-23 "
    "2023-05-06 2023-06-25 2023-10-07 2023-10-08 2024-02-04 2024-02-18 2024-04-07 2024-04-28 2024-05-11 2024-09-14 "
    "2024-09-29 2024-10-12 2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11"
)
_SPANS = tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in _OFF)
_CHINA_OFF = frozenset(first + timedelta(days=d) for first, last in _SPANS for d in range((last - first).days + 1))
_CHINA_WORKED = frozenset(date.fromisoformat(day) for day in _WORKED.split())
HOLIDAY_ZONES = ("Asia/Shanghai",)  # elsewhere weekends only


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """A run of hours in local terms: hour of the week (0 = Monday 0 h) and rest day (1) or workday (0), one entry an hour."""

    of_week: Ints
    rest: Floats

    @property
    def of_day(self) -> Ints:
        return self.of_week % 24


def hours_of(start: datetime, count: int, time_zone: str) -> Hours:
    zone = ZoneInfo(time_zone)
    here = [(start + timedelta(hours=h)).astimezone(zone) for h in range(count)]
    rest = {day: is_rest_day(day, time_zone) for day in {at.date() for at in here}}
    return Hours(
        np.array([at.weekday() * 24 + at.hour for at in here], dtype=np.int64),
        np.array([float(rest[at.date()]) for at in here]),
    )


def is_rest_day(day: date, time_zone: str) -> bool:
    """A weekend or public holiday; a weekend day that is worked to make up for a holiday is none."""
    weekend = day.weekday() >= 5
    if time_zone not in HOLIDAY_ZONES:
        return weekend
    return day in _CHINA_OFF or (weekend and day not in _CHINA_WORKED)
