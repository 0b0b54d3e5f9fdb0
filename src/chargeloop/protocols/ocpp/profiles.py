"""Charging profiles as an OCPP 1.6 station keeps them: installing, clearing, and the limit in force at an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from chargeloop.protocols.ocpp import smart
from chargeloop.protocols.ocpp.messages import ChargingProfile, ClearChargingProfile, Purpose, to_payload

CONNECTOR = 1  # of a station with a single one
STATION = smart.Station(version="ocpp1.6", evses=(CONNECTOR,))
UNLIMITED = smart.Options(default_a=None, default_w=None)


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
    """What stays after clearing one by its id, or else all that fit every criterion given."""
    told = which.charging_profile_purpose
    kept = smart.clear(
        [_record(each) for each in installed],
        profile_id=which.id,
        evse=which.connector_id,
        purpose=None if told is None else smart.read_purpose(told),
        stack_level=which.stack_level,
    )
    return tuple(each for each in installed if _record(each) in kept)


def limit_w(
    installed: Sequence[Installed], at: datetime, transaction_id: int | None = None, started_at: datetime | None = None
) -> float | None:
    """Limit in force at an instant, in W; None where no profile has a say.

    `started_at` anchors relative schedules; without a transaction they run from `at`.
    """
    if not installed:
        return None
    is_running = transaction_id is not None or started_at is not None
    running = {CONNECTOR: smart.Running(transaction_id, started_at)} if is_running else {}
    answer = smart.composite(
        [_record(each) for each in installed],
        evse=CONNECTOR,
        start=at,
        duration_s=1,
        unit="W",
        station=STATION,
        state=smart.State(running),
        options=UNLIMITED,
    )
    limit = answer.periods[0].limit
    return None if limit is None else sum(limit)


@lru_cache(maxsize=4096)
def _record(installed: Installed) -> smart.Installed:
    return smart.Installed(installed.connector_id, smart.read_profile(to_payload(installed.profile), "ocpp1.6"))
