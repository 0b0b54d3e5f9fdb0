"""Which period of a profile is in force at an instant, and how long that holds. Instants are whole seconds since 1970 UTC."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import floor

from chargeloop.protocols.ocpp.smart.profile import Kind, Period, Profile, Recurrence, Schedule

FOREVER = 2**62
RECURRENCE_S = {Recurrence.DAILY: 86_400, Recurrence.WEEKLY: 7 * 86_400}
SCAN_S = 6 * 3600  # no zone changes its offset twice in so short a time


@dataclass(frozen=True, slots=True)
class Clock:
    """What times depend on: the `anchor` of relative schedules, the `end` of interest, and what State and Options say."""

    anchor: int
    end: int
    zone: tzinfo = UTC
    offline_since: int | None = None
    is_back_dated: bool = False
    schedule_id: int | None = None
    delays_s: tuple[int, ...] = ()


def seconds(at: datetime) -> int:
    """Whole seconds since 1970 UTC, rounded down."""
    return floor(at.timestamp())


def chosen(profile: Profile, schedule_id: int | None) -> Schedule:
    """The schedule that the vehicle chose, else the first."""
    return next((each for each in profile.schedules if each.schedule_id == schedule_id), profile.schedules[0])


def in_force(profile: Profile, at: int, clock: Clock) -> tuple[Period | None, int]:
    """The period of a profile at an instant, None where it has no say, and the instant until which that surely holds."""
    if profile.valid_from is not None and at < (valid_from := seconds(profile.valid_from)):
        return None, valid_from
    valid_to = _valid_to(profile, clock)
    if at >= valid_to:
        return None, FOREVER
    if profile.kind is Kind.DYNAMIC:
        period, until = _of_dynamic(profile, at, clock)
    else:
        period, until = _of_schedule(profile, at, clock)
    return period, min(until, valid_to)


def _valid_to(profile: Profile, clock: Clock) -> int:
    """End of validity: validTo, or when the station is offline for too long (K01.FR.101)."""
    valid_to = FOREVER if profile.valid_to is None else seconds(profile.valid_to)
    if clock.offline_since is None or profile.max_offline_s is None:
        return valid_to
    return min(valid_to, clock.offline_since + profile.max_offline_s)


def _of_dynamic(profile: Profile, at: int, clock: Clock) -> tuple[Period | None, int]:
    """The latest update, for the duration of the schedule (K28.FR.13). One never updated counts from the anchor."""
    schedule = profile.schedules[0]
    times = [seconds(each.at) for each in profile.updates] or [clock.anchor]
    periods = [each.period for each in profile.updates] or [schedule.periods[0]]
    latest = bisect_right(times, at) - 1
    following = times[latest + 1] if latest + 1 < len(times) else FOREVER
    if latest < 0:
        return None, following
    expiry = FOREVER if schedule.duration_s is None else times[latest] + schedule.duration_s
    return (None, following) if at >= expiry else (periods[latest], min(following, expiry))


def _of_schedule(profile: Profile, at: int, clock: Clock) -> tuple[Period | None, int]:
    """By the clock on the wall where the schedule says so: what it skips or repeats, the schedule does (K01.FR.90)."""
    schedule = chosen(profile, clock.schedule_id)
    if not schedule.is_local or schedule.start is None or profile.kind is Kind.RELATIVE:
        return _of_run(profile, schedule, at, clock)
    offset = _offset_s(clock.zone, at)
    period, until = _of_run(profile, schedule, at + offset, clock)
    return period, _same_offset_until(clock.zone, at, min(until - offset, clock.end))


def _of_run(profile: Profile, schedule: Schedule, at: int, clock: Clock) -> tuple[Period | None, int]:
    began, following = _run(profile, schedule, at, clock)
    if began is None:
        return None, following
    elapsed = at - began
    stop = following - began if schedule.duration_s is None else min(following - began, schedule.duration_s)
    if elapsed >= stop:
        return None, following
    starts, periods = _delayed(schedule, clock.delays_s)
    latest = bisect_right(starts, elapsed) - 1
    next_start = starts[latest + 1] if latest + 1 < len(starts) else FOREVER
    return (periods[latest] if latest >= 0 else None), began + min(next_start, stop)


def _run(profile: Profile, schedule: Schedule, at: int, clock: Clock) -> tuple[int | None, int]:
    """When the run of a schedule began that an instant is in, None before the first, and when the next one begins."""
    start = _start(profile, schedule, clock)
    if profile.kind is not Kind.RECURRING:
        return (start, FOREVER) if at >= start else (None, start)
    if at < start and not clock.is_back_dated:
        return None, start
    step_s = RECURRENCE_S[profile.recurrence or Recurrence.DAILY]
    began = at - (at - start) % step_s
    return began, began + step_s


def _start(profile: Profile, schedule: Schedule, clock: Clock) -> int:
    """Start of the (first) run; 1.6 may name none, which then is the anchor as for Relative."""
    if profile.kind is Kind.RELATIVE or schedule.start is None:
        return clock.anchor
    return seconds(schedule.start.replace(tzinfo=UTC) if schedule.is_local else schedule.start)


def _delayed(schedule: Schedule, delays_s: tuple[int, ...]) -> tuple[list[int], list[Period]]:
    """Starts and periods; one whose delayed start reaches that of a later one is skipped (K01.FR.96)."""
    starts = [each.start_s for each in schedule.periods]
    if not delays_s:
        return starts, list(schedule.periods)
    kept: list[tuple[int, Period]] = []
    for i in reversed(range(len(starts))):
        late = starts[i] + (delays_s[i] if 0 < i < len(delays_s) else 0)
        if not kept or late < kept[-1][0]:
            kept.append((late, schedule.periods[i]))
    return [start for start, _ in reversed(kept)], [period for _, period in reversed(kept)]


def _offset_s(zone: tzinfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return 0 if offset is None else floor(offset.total_seconds())


def _same_offset_until(zone: tzinfo, at: int, end: int) -> int:
    """The first instant after `at` at which the zone changes its offset, at most `end`."""
    offset, low = _offset_s(zone, at), at
    while low < end:
        high = min(low + SCAN_S, end)
        if _offset_s(zone, high) != offset:
            return low + 1 + bisect_right(range(low + 1, high), False, key=lambda each: _offset_s(zone, each) != offset)
        low = high
    return end
