"""Arithmetic of limits and setpoints: one value for all phases, or one for each."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chargeloop.protocols.ocpp.smart.profile import Period, Unit, Value

AMOUNTS = ("limit", "discharge_limit", "setpoint", "reactive")  # of a period, in the unit of its schedule


def spread(value: Value, unit: Unit) -> Value:
    """L1, L2 and L3 apart: the same A on each, a third of the total W on each."""
    return value if len(value) == 3 else value * 3 if unit == "A" else (value[0] / 3,) * 3


def combine(operation: Callable[[float, float], float], a: Value | None, b: Value | None, unit: Unit) -> Value | None:
    """An operation phase by phase where either value is by phase; what is None has no say."""
    if a is None or b is None:
        return b if a is None else a
    if len(a) != len(b):
        a, b = spread(a, unit), spread(b, unit)
    return tuple(map(operation, a, b))


def converted(value: Value, unit: Unit, to: Unit, phases: int, voltage_v: float) -> Value:
    """A value in the other unit; one for all phases is of so many phases."""
    if unit == to:
        return value
    factor = voltage_v * (phases if len(value) == 1 else 1)
    return tuple(each * factor if to == "W" else each / factor for each in value)


def period_in(period: Period, unit: Unit, to: Unit, phases: int, voltage_v: float) -> Period:
    """A period with all its amounts in the other unit."""
    if unit == to:
        return period
    amounts = {name: value for name in AMOUNTS if (value := getattr(period, name)) is not None}
    changed: dict[str, Any] = {name: converted(value, unit, to, phases, voltage_v) for name, value in amounts.items()}
    return replace(period, **changed)
