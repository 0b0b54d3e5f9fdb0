"""What a station tells, whatever version it speaks. Connectors are counted from 1: connectors of 1.6, EVSEs of 2.x."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec

from chargeloop.model import EvseStatus, StopReason

AHEAD, BEHIND = timedelta(minutes=5), timedelta(days=30)  # what a station's clock is believed to be off, or it was offline
NAMELESS = "unknown"  # stands for an empty token


class Reading(msgspec.Struct, frozen=True):
    """What one meter value says; None where it is silent or speaks nonsense. `is_begin`: taken as the transaction began."""

    at: datetime
    meter_wh: float | None = None
    power_kw: float | None = None
    soc: float | None = None
    is_begin: bool = False


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """`wire_id`: the station's own id (2.x); 1.6 gets ours. `told`: what makes the same start told twice the same."""

    connector: int | None
    at: datetime
    id_token: str
    meter_wh: float | None = None
    wire_id: str | None = None
    told: str = ""
    reservation_id: int | None = None
    seq_no: int | None = None
    readings: tuple[Reading, ...] = ()
    is_charged: bool | None = None
    notes: tuple[str, ...] = ()


class Updated(msgspec.Struct, frozen=True, kw_only=True):
    """Readings, and what else is known. `is_charged`: the vehicle takes no more; None: not said. `notes`: for the session."""

    wire_id: str | None
    connector: int | None
    at: datetime
    readings: tuple[Reading, ...] = ()
    id_token: str | None = None
    seq_no: int | None = None
    is_charged: bool | None = None
    notes: tuple[str, ...] = ()


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    wire_id: str
    connector: int | None
    at: datetime
    reason: StopReason
    meter_wh: float | None = None
    id_token: str | None = None
    seq_no: int | None = None
    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()


class StatusTold(msgspec.Struct, frozen=True, kw_only=True):
    """`connector` 0: the station as a whole (1.6)."""

    connector: int
    status: EvseStatus
    at: datetime
    info: str = ""


Fact: TypeAlias = Started | Updated | Ended | StatusTold


def as_utc(at: datetime) -> datetime:
    """A station's timestamp in UTC; it is taken for UTC already where it names no zone, or one beyond the calendar's ends."""
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def believed(at: datetime | None, received: datetime) -> datetime:
    """A station's timestamp in UTC, or the time of receipt where there is none or its clock cannot be right."""
    said = received if at is None else as_utc(at)
    return said if received - BEHIND <= said <= received + AHEAD else received


def wire_time(at: datetime) -> str:
    """An instant as stations understand it: UTC, at most milliseconds, a `Z` at the end."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def id_token(said: object) -> str:
    return str(said or "").strip() or NAMELESS


def token_of(said: Mapping[str, object] | None) -> str | None:
    """The token of a 2.x IdTokenType; None where there is none."""
    return None if said is None else id_token(said.get("idToken"))
