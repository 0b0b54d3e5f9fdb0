"""Local hours and hours of the week. Time is UTC inside; the site's zone decides what hour people live in."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def local(at: datetime, time_zone: str) -> datetime:
    return at.astimezone(ZoneInfo(time_zone))


def utc_offset_s(at: datetime, time_zone: str) -> float:
    """Seconds that clocks there are ahead of UTC."""
    return (local(at, time_zone).utcoffset() or timedelta()).total_seconds()


def hour_of_week(at: datetime, time_zone: str) -> int:
    """0 = Monday 00:00 to 01:00 local, 167 the last hour of Sunday."""
    here = local(at, time_zone)
    return here.weekday() * 24 + here.hour


def full_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def hours_between(start: datetime, end: datetime) -> int:
    """Whole hours from `start` to `end`."""
    return (end - start) // timedelta(hours=1)
