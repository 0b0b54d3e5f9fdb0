"""What a station says of its settings: configuration keys of 1.6, variables of components in 2.x, and what is used of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from chargeloop.protocols.ocpp.abilities import rate_unit

CONFIGURATION = "Configuration"  # stands for the component that 1.6 does not have
METER_KEY = re.compile(r"MeterPublicKey\[?(\d+)\]?")
SECRETS = frozenset({"AuthorizationKey", "BasicAuthPassword"})  # nobody may read them, yet some stations tell
SAMPLES_S = range(1, 301)  # between two meter values; the loop plans by them


class Variable(NamedTuple):
    """One setting or state. `evse` None: of the station. `mutability`: ReadOnly, ReadWrite, WriteOnly."""

    component: str
    variable: str
    value: str | None
    evse: int | None = None
    connector: int | None = None
    component_instance: str = ""
    variable_instance: str = ""
    attribute: str = "Actual"
    mutability: str = "ReadWrite"

    @property
    def key(self) -> tuple[Any, ...]:
        return (*self[:2], *self[3:8])


@dataclass(frozen=True, slots=True)
class Traits:
    """What the platform uses of them; None where the station does not say.

    `list_chunk`: entries of a local list in one message. `meter_keys`: public keys by connector, as told. `phases`, `volts`: of
    EVSEs, by number.
    """

    connectors: int | None = None
    sample_interval_s: int | None = None
    rate_unit: Literal["W", "A"] | None = None
    max_periods: int | None = None
    has_local_list: bool = False
    list_chunk: int | None = None
    meter_keys: tuple[tuple[int, str], ...] = ()
    phases: tuple[tuple[int, int], ...] = ()
    volts: tuple[tuple[int, int], ...] = ()

    def problems(self, registered: int) -> list[str]:
        """What does not fit a charger registered with so many connectors."""
        found = []
        if self.connectors is not None and self.connectors != registered:
            found.append(f"it says that it has {self.connectors} connectors, {registered} are registered")
        if self.sample_interval_s is not None and self.sample_interval_s not in SAMPLES_S:
            found.append(f"it tells meter values every {self.sample_interval_s} s: the loop needs them every 60 s or so")
        return found


def of_configuration(answer: Mapping[str, Any]) -> tuple[Variable, ...]:
    """Of the answer to GetConfiguration (1.6)."""
    return tuple(
        Variable(
            CONFIGURATION,
            each["key"],
            None if each["key"] in SECRETS else each.get("value"),
            mutability="ReadOnly" if each.get("readonly") else "ReadWrite",
        )
        for each in answer.get("configurationKey", ())
    )


def of_report(said: Mapping[str, Any]) -> tuple[Variable, ...]:
    """Of one NotifyReport (2.x)."""
    found = []
    for data in said.get("reportData", ()):
        component, variable = data["component"], data["variable"]
        evse = component.get("evse", {})
        for each in data["variableAttribute"]:
            found.append(
                Variable(
                    component["name"],
                    variable["name"],
                    None if variable["name"] in SECRETS else each.get("value"),
                    evse.get("id"),
                    evse.get("connectorId"),
                    component.get("instance", ""),
                    variable.get("instance", ""),
                    each.get("type", "Actual"),
                    each.get("mutability", "ReadWrite"),
                )
            )
    return tuple(found)


def changes_of(
    action: str, payload: Mapping[str, Any], answer: Mapping[str, Any]
) -> tuple[tuple[Variable, ...], tuple[str, ...]]:
    """What a ChangeConfiguration (1.6) or SetVariables (2.x) has changed, and the names of what waits for a reboot."""
    if action == "ChangeConfiguration":
        results = [(payload["key"], Variable(CONFIGURATION, payload["key"], payload["value"]), answer.get("status"))]
    elif action == "SetVariables":
        asked = payload["setVariableData"]
        results = [
            (told["variable"]["name"], _set(said), told["attributeStatus"])
            for said, told in zip(asked, answer.get("setVariableResult", ()), strict=False)
        ]
    else:
        return (), ()
    changed = tuple(
        variable._replace(value=None) if variable.variable in SECRETS else variable
        for _, variable, status in results
        if status in ("Accepted", "RebootRequired")
    )
    return changed, tuple(name for name, _, status in results if status == "RebootRequired")


def _set(said: Mapping[str, Any]) -> Variable:
    component, variable = said["component"], said["variable"]
    evse = component.get("evse", {})
    return Variable(
        component["name"],
        variable["name"],
        said["attributeValue"],
        evse.get("id"),
        evse.get("connectorId"),
        component.get("instance", ""),
        variable.get("instance", ""),
        said.get("attributeType", "Actual"),
    )


def merged(known: Iterable[Variable], newer: Iterable[Variable]) -> tuple[Variable, ...]:
    """Of each variable the newest value, in order."""
    of = {each.key: each for each in (*known, *newer)}
    return tuple(sorted(of.values(), key=lambda each: tuple(str(part) for part in each.key)))


def traits_of(variables: Sequence[Variable]) -> Traits:
    """What the platform uses, by either version's names."""
    values = {
        (each.component, each.variable): each.value
        for each in variables
        if each.attribute == "Actual" and each.value is not None
    }

    def value(key: str, component: str, variable: str) -> str | None:
        return values.get((CONFIGURATION, key), values.get((component, variable)))

    units = value("ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr", "RateUnit")
    is_on = value("LocalAuthListEnabled", "LocalAuthListCtrlr", "Enabled")
    return Traits(
        _number(values.get((CONFIGURATION, "NumberOfConnectors"))) or _evses(variables),
        _number(value("MeterValueSampleInterval", "SampledDataCtrlr", "TxUpdatedInterval")),
        rate_unit((units or "").split(",")),
        _number(value("ChargingScheduleMaxPeriods", "SmartChargingCtrlr", "PeriodsPerSchedule")) or None,
        (is_on or "").strip().lower() == "true",
        _number(value("SendLocalListMaxLength", "LocalAuthListCtrlr", "ItemsPerMessage")) or None,
        tuple(sorted(_meter_keys(variables))),
        tuple(sorted(_of_evses(variables, "SupplyPhases", range(4)))),
        tuple(sorted(_of_evses(variables, "ACVoltage", range(90, 300)))),
    )


def _of_evses(variables: Iterable[Variable], name: str, credible: range) -> Iterable[tuple[int, int]]:
    """A whole number of each EVSE, told of itself or of its connector."""
    for each in variables:
        value = _number(each.value) if each.variable == name and each.component in ("EVSE", "Connector") else None
        if value is not None and value in credible and each.evse and each.attribute == "Actual":
            yield each.evse, value


def _evses(variables: Iterable[Variable]) -> int | None:
    return len({each.evse for each in variables if each.component == "EVSE" and each.evse}) or None


def _meter_keys(variables: Iterable[Variable]) -> Iterable[tuple[int, str]]:
    for each in variables:
        if not each.value:
            continue
        numbered = METER_KEY.fullmatch(each.variable)
        if numbered is not None:
            yield int(numbered[1]), each.value
        elif (each.component, each.variable) == ("FiscalMetering", "PublicKey"):
            yield each.evse or 1, each.value


def _number(value: str | None) -> int | None:
    """Whole numbers, also those that are written with a point."""
    try:
        return int(float(value)) if value is not None else None
    except (ValueError, OverflowError):
        return None
