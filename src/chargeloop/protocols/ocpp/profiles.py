"""Charging profiles as an OCPP 1.6 station keeps them: installing, clearing, and the limit in force at an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chargeloop.protocols.ocpp.messages import ChargingProfile, ClearChargingProfile, Purpose

VOLTAGE_V = 230.0  # nominal, phase to neutral
PHASES = 3  # default of an AC schedule in ampere
RECURRENCE = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Installed:
    """A profile and the connector it was set for; 0 is the whole charge point."""

    connector_id: int
    profile: ChargingProfile


def install(installed: Sequence[Installed], new: Installed) -> tuple[Installed, ...]:
    """Add a profile. It replaces the one with its id, and the one of its purpose, stack level and connector."""

    def slot(each: Installed) -> tuple[Purpose, int, int]:
        return each.profile.charging_profile_purpose, each.profile.stack_level, each.connector_id

    new_id = new.profile.charging_profile_id
    kept = (each for each in installed if each.profile.charging_profile_id != new_id and slot(each) != slot(new))
    return *kept, new


def clear(installed: Sequence[Installed], which: ClearChargingProfile) -> tuple[Installed, ...]:
    """What stays after clearing all that fit every criterion given."""

    def fits(each: Installed) -> bool:
        profile = each.profile
        return (
            which.id in (None, profile.charging_profile_id)
            and which.connector_id in (None, each.connector_id)
            and which.charging_profile_purpose in (None, profile.charging_profile_purpose)
            and which.stack_level in (None, profile.stack_level)
        )

    return tuple(each for each in installed if not fits(each))


def limit_w(
    installed: Sequence[Installed], at: datetime, transaction_id: int | None = None, started_at: datetime | None = None
) -> float | None:
    """Limit in force at an instant, in W; None where no profile has a say.

    Within a purpose the highest stack level that has an active period leads. A leading TxProfile replaces TxDefaultProfile;
    the result is the minimum of that and ChargePointMaxProfile (OCPP 1.6, section 3.13.4). `started_at` anchors relative
    schedules; without a transaction they run from `at`.
    """
    relevant = [
        each.profile
        for each in installed
        if each.profile.charging_profile_purpose != "TxProfile"
        or (transaction_id is not None and each.profile.transaction_id in (None, transaction_id))
    ]
    anchor = started_at or at

    def leading(purpose: Purpose) -> float | None:
        active = [
            (profile.stack_level, limit)
            for profile in relevant
            if profile.charging_profile_purpose == purpose and (limit := _active_w(profile, at, anchor)) is not None
        ]
        return max(active, key=lambda pair: pair[0])[1] if active else None

    of_session = leading("TxProfile")
    if of_session is None:
        of_session = leading("TxDefaultProfile")
    limits = [limit for limit in (of_session, leading("ChargePointMaxProfile")) if limit is not None]
    return min(limits, default=None)


def _active_w(profile: ChargingProfile, at: datetime, anchor: datetime) -> float | None:
    """Limit of the period that a profile is in, in W."""
    if (profile.valid_from and at < profile.valid_from) or (profile.valid_to and at >= profile.valid_to):
        return None
    schedule = profile.charging_schedule
    start = anchor if profile.charging_profile_kind == "Relative" else schedule.start_schedule or anchor
    if at < start:
        return None
    elapsed = at - start
    if profile.charging_profile_kind == "Recurring":
        elapsed %= RECURRENCE[profile.recurrency_kind or "Daily"]
    elapsed_s = elapsed.total_seconds()
    if schedule.duration is not None and elapsed_s >= schedule.duration:
        return None
    begun = [period for period in schedule.charging_schedule_period if period.start_period <= elapsed_s]
    if not begun:
        return None
    period = begun[-1]
    return period.limit if schedule.charging_rate_unit == "W" else period.limit * VOLTAGE_V * (period.number_phases or PHASES)
