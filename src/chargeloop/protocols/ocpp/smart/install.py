"""The profiles that a station keeps: set, cleared, listed, updated, and gone with their transaction or in an outage."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from numpy.random import Generator

from chargeloop.protocols.ocpp.smart.clock import chosen
from chargeloop.protocols.ocpp.smart.profile import Installed, Kind, Profile, Purpose, Reason, Refused, Update, Value
from chargeloop.protocols.ocpp.smart.rules import OF_SESSIONS, Fault, faults, of_period
from chargeloop.protocols.ocpp.smart.station import State, Station

QUIET = State()


def install(
    installed: Collection[Installed],
    new: Installed,
    *,
    station: Station,
    now: datetime,
    state: State = QUIET,
    is_in_start: bool = False,
) -> tuple[Installed, ...]:
    """Profiles with a new one, in order of their setting. `is_in_start`: it came with a remote start.

    It replaces the one with its id; in 1.6 also that of its purpose, stack level and connector (2.x: which is an error).
    A Dynamic profile counts as updated now, unless it tells when it was (K28).

    Raises:
        Refused: by which the station rejects it, the profiles staying as they are.
    """
    _refuse(faults(installed, new, station, state, now, is_in_start))
    profile = new.profile
    if profile.kind is Kind.DYNAMIC and not profile.updates:
        new = replace(new, profile=replace(profile, updates=(Update(now, profile.schedules[0].periods[0]),)))
    is_old = _has_its_slot if station.version == "ocpp1.6" else _has_its_id
    return *(each for each in installed if not is_old(each, new)), new


def _has_its_id(each: Installed, new: Installed) -> bool:
    return each.profile.profile_id == new.profile.profile_id


def _has_its_slot(each: Installed, new: Installed) -> bool:
    old, fresh = each.profile, new.profile
    is_same = (old.purpose, old.stack_level, each.evse) == (fresh.purpose, fresh.stack_level, new.evse)
    return is_same or _has_its_id(each, new)


def matching(
    installed: Iterable[Installed],
    *,
    ids: Collection[int] = (),
    evse: int | None = None,
    purpose: Purpose | None = None,
    stack_level: int | None = None,
    sources: Collection[str] = (),
) -> tuple[Installed, ...]:
    """The profiles that fit all that is given; EVSE 0 is the station alone (K09)."""
    return tuple(
        each
        for each in installed
        if (not ids or each.profile.profile_id in ids)
        and evse in (None, each.evse)
        and purpose in (None, each.profile.purpose)
        and stack_level in (None, each.profile.stack_level)
        and (not sources or each.source in sources)
    )


def clear(
    installed: Iterable[Installed],
    *,
    profile_id: int | None = None,
    evse: int | None = None,
    purpose: Purpose | None = None,
    stack_level: int | None = None,
) -> tuple[Installed, ...]:
    """What stays after clearing one by its id, or else all that fit the criteria given; none given: all.

    External constraints always stay (K10.FR.08). Where nothing goes, the station answers Unknown.
    """
    by_id = () if profile_id is None else (profile_id,)
    criteria = (evse, purpose, stack_level) if profile_id is None else (None, None, None)

    def goes(each: Installed) -> bool:
        fits = matching((each,), ids=by_id, evse=criteria[0], purpose=criteria[1], stack_level=criteria[2])
        return bool(fits) and each.profile.purpose is not Purpose.EXTERNAL

    return tuple(each for each in installed if not goes(each))


def update(
    installed: Iterable[Installed],
    profile_id: int,
    changes: Mapping[str, Value],
    *,
    station: Station,
    now: datetime,
    keep_since: datetime | None = None,
) -> tuple[Installed, ...]:
    """Profiles with a Dynamic one changed from now on (K28): what `changes` does not name stays.

    Earlier updates are forgotten, but for those from `keep_since` on.

    Raises:
        Refused: there is no such profile, it is not Dynamic, or what it becomes is invalid.
    """
    profiles = tuple(installed)
    (old,) = matching(profiles, ids=(profile_id,)) or (None,)
    if old is None:
        raise Refused(Reason.INVALID_PROFILE_ID, f"there is no profile {profile_id}")
    profile = old.profile
    if profile.kind is not Kind.DYNAMIC:
        raise Refused(Reason.INVALID_PROFILE, f"profile {profile_id} is {profile.kind}, not Dynamic")
    schedule = profile.schedules[0]
    latest = profile.updates[-1].period if profile.updates else schedule.periods[0]
    fresh = Update(now, replace(latest, **dict[str, Value](changes)))  # type: ignore[arg-type]
    _refuse(of_period(old, fresh.period, schedule.unit, station))
    kept = () if keep_since is None else tuple(each for each in profile.updates if keep_since <= each.at < now)
    new = replace(old, profile=replace(profile, updates=(*kept, fresh)))
    return tuple(new if each is old else each for each in profiles)


def after_transaction(installed: Iterable[Installed], evse: int) -> tuple[Installed, ...]:
    """What stays when the transaction at an EVSE has ended: all but its own profiles (K02.FR.05)."""
    return tuple(each for each in installed if each.profile.purpose is not Purpose.TX or each.evse != evse)


def after_outage(installed: Iterable[Installed], since: datetime, until: datetime) -> tuple[Installed, ...]:
    """What is still valid after the station was offline: all but what such an outage ends for ever (K01.FR.103)."""
    lasted_s = (until - since).total_seconds()

    def is_void(profile: Profile) -> bool:
        return profile.is_void_after and profile.max_offline_s is not None and lasted_s > profile.max_offline_s

    return tuple(each for each in installed if not is_void(each.profile))


def draw_delays(profile: Profile, rng: Generator, schedule_id: int | None = None) -> tuple[int, ...]:
    """Random delays of the periods of a profile in s, to be drawn once for each transaction (K01.FR.94); none: empty."""
    schedule = chosen(profile, schedule_id)
    if schedule.randomized_delay_s == 0 or profile.purpose not in OF_SESSIONS:
        return ()
    later = rng.integers(0, schedule.randomized_delay_s, len(schedule.periods) - 1, endpoint=True)
    return 0, *map(int, later)


def _refuse(looked_at: Iterable[Fault]) -> None:
    for is_so, reason, what in looked_at:
        if is_so:
            raise Refused(reason, what)
