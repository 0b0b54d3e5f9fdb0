"""Charging profiles out of OCPP payloads, and composite schedules into them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from math import ceil, floor
from typing import Any, TypeVar

from chargeloop.protocols.ocpp.smart.composite import Composite
from chargeloop.protocols.ocpp.smart.profile import (
    Curve,
    Kind,
    Mode,
    Period,
    Profile,
    Purpose,
    Reason,
    Recurrence,
    Refused,
    Schedule,
    Update,
    Value,
)
from chargeloop.protocols.ocpp.smart.station import Version

NamesT = TypeVar("NamesT", bound=StrEnum)
CHARGE_POINT_MAX = "ChargePointMaxProfile"  # what 1.6 calls STATION_MAX
STEP = 10  # of 1.6 and most stations: a tenth of an ampere or watt


def read_profile(payload: Mapping[str, Any], version: Version) -> Profile:
    """A profile out of the `chargingProfile` (1.6 also: `csChargingProfiles`) of a message.

    Raises:
        Refused: it is malformed.
    """
    try:
        return _profile_of_16(payload) if version == "ocpp1.6" else _profile_of_2(payload)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused(Reason.INVALID_PROFILE, f"cannot read the profile: {error!r}") from error


def read_purpose(told: str) -> Purpose:
    """A purpose by the name that any version has for it.

    Raises:
        Refused: there is none of that name.
    """
    return Purpose.STATION_MAX if told == CHARGE_POINT_MAX else _one_of(Purpose, told, Reason.UNSUPPORTED_PURPOSE)


def read_update(payload: Mapping[str, Any]) -> dict[str, Value]:
    """The amounts that a `scheduleUpdate` (OCPP 2.1, K28) gives a new value, by field of a Period.

    Raises:
        Refused: it is malformed.
    """
    return {field: value for field, value in _amounts(payload).items() if value is not None}


def composite_payload(composite: Composite, version: Version) -> dict[str, Any]:
    """The answer to GetCompositeSchedule. Limits are rounded to tenths, down: never above what is allowed.

    Raises:
        Refused: there is a period without a limit, which before 2.1 no answer can tell.
    """
    schedule: dict[str, Any] = {
        "duration": composite.duration_s,
        "chargingRateUnit": composite.unit,
        "chargingSchedulePeriod": [_period_payload(each, version) for each in composite.periods],
    }
    start = composite.start.strftime("%Y-%m-%dT%H:%M:%SZ")
    if version == "ocpp1.6":
        head = {"status": "Accepted", "connectorId": composite.evse, "scheduleStart": start}
        return {**head, "chargingSchedule": schedule}
    return {"status": "Accepted", "schedule": {"evseId": composite.evse, "scheduleStart": start, **schedule}}


# --- reading ----------------------------------------------------------------------------------------------------------


def _profile_of_16(payload: Mapping[str, Any]) -> Profile:
    return Profile(
        profile_id=payload["chargingProfileId"],
        stack_level=payload["stackLevel"],
        purpose=read_purpose(payload["chargingProfilePurpose"]),
        kind=_one_of(Kind, payload["chargingProfileKind"], Reason.UNSUPPORTED_KIND),
        schedules=(_schedule(payload["chargingSchedule"]),),
        **_common(payload),
    )


def _profile_of_2(payload: Mapping[str, Any]) -> Profile:
    schedules = tuple(map(_schedule, payload["chargingSchedule"]))
    told = _instant(payload.get("dynUpdateTime"))
    return Profile(
        profile_id=payload["id"],
        stack_level=payload["stackLevel"],
        purpose=read_purpose(payload["chargingProfilePurpose"]),
        kind=_one_of(Kind, payload["chargingProfileKind"], Reason.UNSUPPORTED_KIND),
        schedules=schedules,
        max_offline_s=payload.get("maxOfflineDuration"),
        is_void_after=payload.get("invalidAfterOfflineDuration", False),
        updates=() if told is None else (Update(told, schedules[0].periods[0]),),
        update_interval_s=payload.get("dynUpdateInterval", 0),
        **_common(payload),
    )


def _common(payload: Mapping[str, Any]) -> dict[str, Any]:
    recurrence = payload.get("recurrencyKind")
    return {
        "recurrence": None if recurrence is None else _one_of(Recurrence, recurrence, Reason.UNSUPPORTED_KIND),
        "valid_from": _instant(payload.get("validFrom")),
        "valid_to": _instant(payload.get("validTo")),
        "transaction_id": payload.get("transactionId"),
    }


def _schedule(payload: Mapping[str, Any]) -> Schedule:
    unit = payload["chargingRateUnit"]
    if unit not in ("A", "W"):
        raise Refused(Reason.UNSUPPORTED_UNIT, f"{unit} is no unit of a charging rate")
    at_soc = payload.get("limitAtSoC")
    return Schedule(
        unit=unit,
        periods=tuple(map(_period, payload["chargingSchedulePeriod"])),
        start=_instant(payload.get("startSchedule")),
        duration_s=payload.get("duration"),
        schedule_id=payload.get("id", 0),
        is_local=payload.get("useLocalTime", False),
        randomized_delay_s=payload.get("randomizedDelay", 0),
        limit_at_soc=None if at_soc is None else (float(at_soc["soc"]), float(at_soc["limit"])),
        min_rate=payload.get("minChargingRate"),
    )


def _period(payload: Mapping[str, Any]) -> Period:
    return Period(
        start_s=payload["startPeriod"],
        number_phases=payload.get("numberPhases"),
        phase_to_use=payload.get("phaseToUse"),
        mode=_one_of(Mode, payload.get("operationMode", Mode.CHARGING_ONLY), Reason.INVALID_OPERATION_MODE),
        baseline_w=payload.get("v2xBaseline"),
        frequency_curve=_curve(payload.get("v2xFreqWattCurve", ()), "frequency"),
        signal_curve=_curve(payload.get("v2xSignalWattCurve", ()), "signal"),
        is_preconditioning=payload.get("preconditioningRequest", False),
        is_evse_asleep=payload.get("evseSleep", False),
        **_amounts(payload),
    )


def _amounts(payload: Mapping[str, Any]) -> dict[str, Value | None]:
    return {
        "limit": _value(payload, "limit"),
        "discharge_limit": _value(payload, "dischargeLimit"),
        "setpoint": _value(payload, "setpoint"),
        "reactive": _value(payload, "setpointReactive"),
    }


def _value(payload: Mapping[str, Any], name: str) -> Value | None:
    """One value for all phases, or three where L2 or L3 have their own; a phase left out has none (K01.FR.144)."""
    first, *others = (payload.get(f"{name}{phase}") for phase in ("", "_L2", "_L3"))
    if others == [None, None]:
        return None if first is None else (float(first),)
    if first is None:
        raise Refused(Reason.PHASE_CONFLICT, f"{name} of L2 or L3 without that of L1")
    return float(first), *(float(each or 0) for each in others)


def _curve(points: Any, of: str) -> Curve:
    return tuple(sorted((float(each[of]), float(each["power"])) for each in points))


def _instant(told: Any) -> datetime | None:
    """An instant with the offset it was told with; without any it is UTC."""
    if told is None:
        return None
    at = told if isinstance(told, datetime) else datetime.fromisoformat(told)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _one_of(names: type[NamesT], told: str, reason: Reason) -> NamesT:
    if told not in names.__members__.values():
        raise Refused(reason, f"{told!r} is not known")
    return names(told)


# --- writing ----------------------------------------------------------------------------------------------------------


def _period_payload(period: Period, version: Version) -> dict[str, Any]:
    is_idle = period.mode is Mode.IDLE
    if period.limit is None and version != "ocpp2.1":
        raise Refused(Reason.INVALID_SCHEDULE, f"no limit is known from {period.start_s} s on")
    payload: dict[str, Any] = {"startPeriod": period.start_s}
    payload |= {} if is_idle and version == "ocpp2.1" else _value_payload("limit", period.limit)
    if period.number_phases is not None:
        payload["numberPhases"] = period.number_phases
    if version == "ocpp1.6":
        return payload
    if period.phase_to_use is not None:
        payload["phaseToUse"] = period.phase_to_use
    return payload if version == "ocpp2.0.1" else payload | _mode_payload(period)


def _mode_payload(period: Period) -> dict[str, Any]:
    payload: dict[str, Any] = {"operationMode": period.mode.value} if period.mode is not Mode.CHARGING_ONLY else {}
    payload |= _value_payload("dischargeLimit", period.discharge_limit)
    payload |= _value_payload("setpoint", period.setpoint) | _value_payload("setpointReactive", period.reactive)
    if period.baseline_w is not None:
        payload["v2xBaseline"] = period.baseline_w
    for name, of, curve in (
        ("v2xFreqWattCurve", "frequency", period.frequency_curve),
        ("v2xSignalWattCurve", "signal", period.signal_curve),
    ):
        if curve:
            payload[name] = [{of: int(x) if of == "signal" else x, "power": power} for x, power in curve]
    payload |= {"preconditioningRequest": True} if period.is_preconditioning else {}
    return payload | ({"evseSleep": True} if period.is_evse_asleep else {})


def _value_payload(name: str, value: Value | None) -> dict[str, float]:
    return {} if value is None else {f"{name}{phase}": _tenths(each) for phase, each in zip(("", "_L2", "_L3"), value)}  # noqa: B905


def _tenths(value: float) -> float:
    """Rounded towards zero, but for what arithmetic lost on the way."""
    return (floor(value * STEP + 1e-6) if value >= 0 else ceil(value * STEP - 1e-6)) / STEP
