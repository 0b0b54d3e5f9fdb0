"""What is wrong with a profile, by the code with which a station rejects it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TypeAlias

from chargeloop.protocols.ocpp.smart.profile import Installed, Kind, Mode, Period, Purpose, Reason, Schedule, Unit
from chargeloop.protocols.ocpp.smart.station import State, Station
from chargeloop.protocols.ocpp.smart.values import AMOUNTS, spread

Fault: TypeAlias = tuple[bool, Reason, str]  # whether it is so, and what then is wrong

OF_1_6 = frozenset((Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX))
PURPOSES = {"ocpp1.6": OF_1_6, "ocpp2.0.1": OF_1_6 | {Purpose.EXTERNAL}, "ocpp2.1": frozenset(Purpose)}
KINDS = frozenset((Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE))  # before 2.1
OF_SESSIONS = frozenset((Purpose.TX, Purpose.TX_DEFAULT))
FROM_OUTSIDE = frozenset((Purpose.EXTERNAL, Purpose.GENERATION))  # profiles that may tell what an EMS decides
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class ModeRule:
    """Purposes whose profiles may have an operation mode, and what its periods must and may tell; `outside`: of an EMS only."""

    purposes: frozenset[Purpose]
    required: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()


LIMITS = frozenset(("limit", "discharge_limit"))
SETPOINTS = frozenset(("setpoint", "reactive"))
CENTRAL = ModeRule(OF_SESSIONS, required=frozenset(("setpoint",)), allowed=LIMITS | SETPOINTS)
MODE_RULES = {
    Mode.CHARGING_ONLY: ModeRule(frozenset(Purpose), required=frozenset(("limit",)), allowed=frozenset(("limit",))),
    Mode.CENTRAL_SETPOINT: CENTRAL,
    Mode.CENTRAL_FREQUENCY: CENTRAL,
    Mode.EXTERNAL_SETPOINT: ModeRule(OF_SESSIONS | {Purpose.EXTERNAL}, allowed=LIMITS, outside=SETPOINTS),
    Mode.EXTERNAL_LIMITS: ModeRule(OF_SESSIONS | FROM_OUTSIDE, outside=LIMITS),
    Mode.LOCAL_FREQUENCY: ModeRule(OF_SESSIONS, allowed=frozenset(("baseline_w", "frequency_curve", "signal_curve"))),
    Mode.LOCAL_LOAD_BALANCING: ModeRule(OF_SESSIONS),
    Mode.IDLE: ModeRule(OF_SESSIONS),
}
MODE_FIELDS = (*AMOUNTS, "baseline_w", "frequency_curve", "signal_curve")


def faults(
    installed: Iterable[Installed], new: Installed, station: Station, state: State, now: datetime, is_in_start: bool
) -> Iterator[Fault]:
    """All that could be wrong, in the order in which it is looked at; what comes later relies on what came before."""
    yield from _of_purpose(new, station, is_in_start)
    yield from _of_identity(installed, new, station)
    yield from _of_kind(new, station)
    if new.profile.purpose is Purpose.TX:
        yield from _of_transaction(new, station, state, is_in_start)
    for schedule in new.profile.schedules:
        yield from _of_schedule(new, schedule, station)
        for period in schedule.periods:
            yield from of_period(new, period, schedule.unit, station)
            yield from _of_phases(new, period, station, state)
    yield from _of_others(installed, new, station)
    yield from _of_rate(station, state, now)


def _of_purpose(new: Installed, station: Station, is_in_start: bool) -> Iterator[Fault]:
    purpose, evse = new.profile.purpose, new.evse
    is_known = purpose in station.purposes & PURPOSES[station.version]
    yield not is_known, Reason.UNSUPPORTED_PURPOSE, f"{purpose} is not supported"
    is_foreign = purpose is Purpose.EXTERNAL and new.source == "CSO"
    yield is_foreign, Reason.INVALID_PROFILE, f"{purpose} is not the CSMS's to set (K01.FR.22)"
    yield evse != 0 and evse not in station.evses, Reason.UNKNOWN_EVSE, f"there is no EVSE {evse}"
    yield purpose is Purpose.STATION_MAX and evse != 0, Reason.INVALID_PROFILE, f"{purpose} is for EVSE 0"
    yield purpose is Purpose.TX and evse == 0, Reason.INVALID_PROFILE, f"{purpose} is for an EVSE, not for 0"
    is_misplaced = is_in_start and purpose is not Purpose.TX
    yield is_misplaced, Reason.INVALID_PROFILE, f"a remote start takes a {Purpose.TX}, not {purpose}"


def _of_identity(installed: Iterable[Installed], new: Installed, station: Station) -> Iterator[Fault]:
    profile = new.profile
    is_taken = any(each.profile.profile_id == profile.profile_id for each in installed if _is_foreign(each, new))
    yield is_taken, Reason.INVALID_PROFILE_ID, f"id {profile.profile_id} is that of external constraints"
    is_reserved = station.max_external_id is not None and profile.profile_id <= station.max_external_id
    what = f"ids up to {station.max_external_id} are the station's own (K01.FR.81)"
    yield is_reserved and new.source == "CSO", Reason.INVALID_PROFILE_ID, what
    is_level = 0 <= profile.stack_level <= station.max_stack_level
    yield not is_level, Reason.INVALID_STACK_LEVEL, f"stack levels are 0 to {station.max_stack_level}"


def _is_foreign(each: Installed, new: Installed) -> bool:
    """Whether one stands that another may not replace."""
    return each.profile.purpose is Purpose.EXTERNAL and new.profile.purpose is not Purpose.EXTERNAL


def _of_kind(new: Installed, station: Station) -> Iterator[Fault]:
    profile, kind = new.profile, new.profile.kind
    known = station.kinds if station.version == "ocpp2.1" else station.kinds & KINDS
    yield kind not in known, Reason.UNSUPPORTED_KIND, f"{kind} is not supported"
    is_relative_maximum = profile.purpose is Purpose.STATION_MAX and kind is Kind.RELATIVE
    yield is_relative_maximum, Reason.INVALID_PROFILE, f"{profile.purpose} is never Relative (K01.FR.38)"
    is_recurring = kind is Kind.RECURRING
    yield is_recurring != (profile.recurrence is not None), Reason.INVALID_PROFILE, "recurrencyKind goes with Recurring"
    count = len(profile.schedules)
    yield (
        not 1 <= count <= station.max_schedules,
        Reason.INVALID_SCHEDULE,
        f"1 to {station.max_schedules} schedules, not {count}",
    )
    is_single = count == 1 and len(profile.schedules[0].periods) == 1
    what = "Dynamic has one schedule of one period (K28)"
    yield kind is Kind.DYNAMIC and not is_single, Reason.INVALID_SCHEDULE, what


def _of_transaction(new: Installed, station: Station, state: State, is_in_start: bool) -> Iterator[Fault]:
    told = new.profile.transaction_id
    if is_in_start:
        yield told is not None, Reason.INVALID_PROFILE, "a remote start knows no transactionId yet (F01.FR.11)"
        return
    yield told is None and station.version != "ocpp1.6", Reason.INVALID_PROFILE, "TxProfile without transactionId (K01.FR.03)"
    running = state.running.get(new.evse)
    is_other = running is None or told not in (None, running.transaction_id)
    yield is_other, Reason.TX_NOT_FOUND, f"no transaction {told} runs at EVSE {new.evse} (K01.FR.33)"


def _of_schedule(new: Installed, schedule: Schedule, station: Station) -> Iterator[Fault]:
    kind, purpose = new.profile.kind, new.profile.purpose
    yield schedule.unit not in station.units, Reason.UNSUPPORTED_UNIT, f"{schedule.unit} is not supported (K01.FR.26)"
    if station.version != "ocpp1.6":
        needs_start = kind in (Kind.ABSOLUTE, Kind.RECURRING) and schedule.start is None
        yield needs_start, Reason.INVALID_SCHEDULE, f"{kind} without startSchedule (K01.FR.40)"
        has_start = kind is Kind.RELATIVE and schedule.start is not None
        yield has_start, Reason.INVALID_SCHEDULE, "Relative with startSchedule (K01.FR.41)"
    starts = [each.start_s for each in schedule.periods]
    yield not 1 <= len(starts) <= station.max_periods, Reason.INVALID_SCHEDULE, f"1 to {station.max_periods} periods"
    yield starts[0] != 0, Reason.INVALID_SCHEDULE, "the first period starts at 0 (K01.FR.31)"
    yield any(a >= b for a, b in pairwise(starts)), Reason.INVALID_SCHEDULE, "periods by ascending start (K01.FR.35)"
    yield schedule.duration_s is not None and schedule.duration_s < 0, Reason.INVALID_SCHEDULE, "a negative duration"
    is_bounded = purpose is Purpose.PRIORITY and schedule.duration_s is not None
    yield is_bounded, Reason.INVALID_SCHEDULE, "PriorityCharging with a duration (K01.FR.70)"
    is_random = schedule.randomized_delay_s != 0 and purpose not in OF_SESSIONS
    yield is_random, Reason.INVALID_SCHEDULE, f"{purpose} with randomizedDelay (K01.FR.92)"


def of_period(new: Installed, period: Period, unit: Unit, station: Station) -> Iterator[Fault]:
    """What is wrong with the operation mode and the amounts of a period."""
    mode, purpose, rule = period.mode, new.profile.purpose, MODE_RULES[period.mode]
    is_missing = mode is Mode.LOCAL_LOAD_BALANCING and mode not in station.modes
    yield is_missing, Reason.UNSUPPORTED_PARAM, f"{mode} is not supported"
    is_new = mode is not Mode.CHARGING_ONLY and station.version != "ocpp2.1"
    yield mode not in station.modes or is_new, Reason.INVALID_OPERATION_MODE, f"{mode} is not supported (K01.FR.115)"
    is_allowed = purpose in rule.purposes and not (purpose is Purpose.PRIORITY and mode is not Mode.CHARGING_ONLY)
    yield not is_allowed, Reason.INVALID_OPERATION_MODE, f"{mode} in {purpose} (K01.FR.114)"
    is_static = mode is Mode.CENTRAL_FREQUENCY and new.profile.kind is not Kind.DYNAMIC
    yield is_static, Reason.INVALID_OPERATION_MODE, f"{mode} is for Dynamic profiles"
    is_blind = mode is Mode.LOCAL_LOAD_BALANCING and not station.has_load_thresholds
    yield is_blind, Reason.MISSING_DEVICE_MODEL, "no thresholds for LocalLoadBalancing are set"
    if mode is Mode.LOCAL_FREQUENCY:
        yield len(period.frequency_curve) < 2, Reason.NO_FREQUENCY_CURVE, "v2xFreqWattCurve has less than two points"
        yield unit != "W", Reason.INVALID_SCHEDULE, "LocalFrequency is in W"
    told = frozenset(name for name in MODE_FIELDS if getattr(period, name) not in (None, ()))
    may = rule.allowed | rule.outside if purpose in FROM_OUTSIDE else rule.allowed
    yield not told <= may, Reason.INVALID_SCHEDULE, f"{mode} with {', '.join(sorted(told - may))}"
    yield not rule.required <= told, Reason.INVALID_SCHEDULE, f"{mode} without {', '.join(sorted(rule.required - told))}"
    yield any(each < 0 for each in period.limit or ()), Reason.INVALID_SCHEDULE, "a negative limit"
    yield any(each > 0 for each in period.discharge_limit or ()), Reason.INVALID_SCHEDULE, "a positive dischargeLimit"
    yield not _is_within(period, unit), Reason.INVALID_SCHEDULE, "setpoint outside of the limits (V2X.05)"
    is_awake = mode is not Mode.IDLE or not station.can_sleep
    yield period.is_evse_asleep and is_awake, Reason.INVALID_SCHEDULE, "evseSleep is for Idle, where supported"


def _is_within(period: Period, unit: Unit) -> bool:
    if period.setpoint is None:
        return True
    setpoint = spread(period.setpoint, unit)
    lowest = spread(period.discharge_limit or (float("-inf"),), unit)
    highest = spread(period.limit or (float("inf"),), unit)
    return all(low - ROUNDING <= each <= high + ROUNDING for low, each, high in zip(lowest, setpoint, highest, strict=True))


def _of_phases(new: Installed, period: Period, station: Station, state: State) -> Iterator[Fault]:
    count, phase = period.number_phases, period.phase_to_use
    is_dc = station.version == "ocpp2.1" and new.evse in station.dc_evses and not station.can_control_dc_phases
    yield is_dc and (count is not None or phase is not None), Reason.NO_PHASE_FOR_DC, "DC has no numberPhases"
    is_number = count in (None, 1, 2, 3) and phase in (None, 1, 2, 3)
    yield not is_number, Reason.INVALID_SCHEDULE, "numberPhases and phaseToUse are 1 to 3"
    is_switched = phase is None or (count == 1 and station.can_switch_phase)
    what = "phaseToUse needs numberPhases 1 and a station that can switch (K01.FR.19)"
    yield not is_switched, Reason.INVALID_SCHEDULE, what
    is_by_phase = any(len(getattr(period, name) or ()) == 3 for name in AMOUNTS)
    running = state.running.get(new.evse)
    is_needed = new.profile.purpose is Purpose.TX and running is not None and running.has_phases
    what = "values for L2 and L3 are for the TxProfile of a vehicle that told its own (K01.FR.142)"
    yield is_by_phase and not is_needed, Reason.PHASE_CONFLICT, what


def _of_others(installed: Iterable[Installed], new: Installed, station: Station) -> Iterator[Fault]:
    """2.x: no two profiles of one purpose and level; 1.6: the later replaces. Nowhere two phases for one EVSE."""
    others = [each for each in installed if each.profile.profile_id != new.profile.profile_id]
    is_second = station.version != "ocpp1.6" and any(_is_duplicate(each, new) for each in others)
    yield is_second, Reason.DUPLICATE_PROFILE, "another profile has this purpose and stack level (K01.FR.06)"
    is_torn = any(_is_torn(each, new) for each in others)
    yield is_torn, Reason.PHASE_CONFLICT, "a profile of another purpose names another phaseToUse (K01.FR.141)"


def _is_duplicate(a: Installed, b: Installed) -> bool:
    if (a.profile.purpose, a.profile.stack_level) != (b.profile.purpose, b.profile.stack_level):
        return False
    if a.profile.purpose is Purpose.TX:
        return a.evse == b.evse and a.profile.transaction_id == b.profile.transaction_id  # K01.FR.39
    is_default_of_all = a.profile.purpose is Purpose.TX_DEFAULT and a.evse != b.evse and 0 in (a.evse, b.evse)  # K01.FR.52
    return is_default_of_all or (a.evse == b.evse and _is_overlapping(a, b))


def _is_torn(a: Installed, b: Installed) -> bool:
    is_of_one_evse = a.evse == b.evse or 0 in (a.evse, b.evse)
    if a.profile.purpose is b.profile.purpose or not is_of_one_evse or not _is_overlapping(a, b):
        return False
    return len(_phases(a) | _phases(b)) > 1 and bool(_phases(a)) and bool(_phases(b))


def _phases(each: Installed) -> set[int]:
    periods = (period for schedule in each.profile.schedules for period in schedule.periods)
    return {period.phase_to_use for period in periods if period.phase_to_use is not None}


def _is_overlapping(a: Installed, b: Installed) -> bool:
    """Whether both are valid at some instant."""

    def ends_before(one: Installed, other: Installed) -> bool:
        until, since = one.profile.valid_to, other.profile.valid_from
        return until is not None and since is not None and until <= since

    return not ends_before(a, b) and not ends_before(b, a)


def _of_rate(station: Station, state: State, now: datetime) -> Iterator[Fault]:
    if state.profile_set_at is not None:
        wait_s = station.rate_limit_s - (now - state.profile_set_at).total_seconds()
        yield wait_s > 0, Reason.RATE_LIMIT, f"{max(wait_s, 0):.0f} seconds before retry"
