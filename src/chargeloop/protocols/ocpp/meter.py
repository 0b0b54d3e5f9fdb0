"""Meter values of all versions: readings in Wh, kW and shares, and registers that roll over or begin anew."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chargeloop.protocols.ocpp.facts import Reading, believed

ENERGY, POWER, SOC = "Energy.Active.Import.Register", "Power.Active.Import", "SoC"
PER_UNIT = {
    ENERGY: {"Wh": 1.0, "kWh": 1000.0},
    POWER: {"W": 0.001, "kW": 1.0},
    SOC: {"Percent": 0.01, "%": 0.01},
}
CREDIBLE_KW = 10_000.0  # of one EVSE; megawatt charging (MCS) ends at 3 750
CREDIBLE = {ENERGY: 1e12, POWER: CREDIBLE_KW, SOC: 1.0}  # Wh, kW, share: what is above is nonsense
DIP_WH = 1000.0  # some registers step back a little
STEP_WH = 300_000.0  # more than a vehicle takes between two readings
# Where counters end: digits of the display in Wh or kWh, or bits of the register.
MODULI_WH = (1e6, 1e7, 1e8, 1e9, 2.0**31, 2.0**32)


def readings(values: Iterable[Mapping[str, Any]], received: datetime) -> tuple[Reading, ...]:
    """One reading for each MeterValue that holds anything we use, in the order given. Works on 1.6 and 2.x alike."""
    every = [_reading(each, received) for each in values]
    return tuple([each for each in every if each is not None])


def _reading(value: Mapping[str, Any], received: datetime) -> Reading | None:
    found: dict[str, list[Mapping[str, Any]]] = {ENERGY: [], POWER: [], SOC: []}
    for sample in value.get("sampledValue", ()):
        samples = found.get(sample.get("measurand", ENERGY))
        if samples is not None and sample.get("format", "Raw") == "Raw":
            samples.append(sample)
    energy = found[ENERGY]
    meter_wh, power_kw, soc = _measured(energy, ENERGY), _measured(found[POWER], POWER), _measured(found[SOC], SOC)
    if meter_wh is None and power_kw is None and soc is None:
        return None
    is_begin = bool(energy) and all(each.get("context") == "Transaction.Begin" for each in energy)
    return Reading(believed(value.get("timestamp"), received), meter_wh, power_kw, soc, is_begin)


def _measured(samples: Sequence[Mapping[str, Any]], measurand: str) -> float | None:
    """A measurand in Wh, kW or as a share: the total where it is given, else the sum of the phases against neutral."""
    if measurand != SOC:
        samples = [each for each in samples if each.get("location", "Outlet") == "Outlet"]
    if len(samples) == 1:
        return _number(samples[0], measurand)
    # Some stations repeat the value at the beginning in each message.
    samples = [each for each in samples if each.get("context") != "Transaction.Begin"] or samples
    totals, phases = [], {}
    for sample in samples:
        value = _number(sample, measurand)
        if value is not None:
            phase = sample.get("phase")
            if phase is None:
                totals.append(value)
            else:
                phases[phase] = value
    if totals:
        return totals[-1]
    return sum(phases.values()) if phases else None


def _number(sample: Mapping[str, Any], measurand: str) -> float | None:
    allowed = PER_UNIT[measurand]
    unit, power_of_ten = sample.get("unit"), 0
    if unit is None and "unitOfMeasure" in sample:  # 2.x
        unit, power_of_ten = sample["unitOfMeasure"].get("unit"), sample["unitOfMeasure"].get("multiplier", 0)
    scale = allowed.get(unit) if unit is not None else None
    if scale is None:
        scale = next(iter(allowed.values()))  # a Power sample without a unit is in W, not in Wh
    try:
        value = float(sample["value"]) * scale
        if power_of_ten:
            value *= 10.0**power_of_ten
    except (ValueError, KeyError, OverflowError):
        return None
    return value if 0 <= value <= CREDIBLE[measurand] else None  # not a number is neither


def unrolled(raw_wh: float, start_wh: float, last_wh: float) -> float:
    """A register's true value, given what it stood at when the session began and last (true value).

    A register that steps back holds; one that begins at 0 in each session counts from its start; one that rolled over goes on.
    """
    if raw_wh >= last_wh:
        return raw_wh
    candidates = [raw_wh + modulus for modulus in MODULI_WH if 0.9 * modulus < start_wh < modulus]
    if start_wh - raw_wh > DIP_WH:
        candidates.append(start_wh + raw_wh)
    return next((each for each in candidates if last_wh <= each <= last_wh + STEP_WH), last_wh)
