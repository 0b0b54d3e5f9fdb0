"""What a partner does its own way: names of fields, a list where the standard has one, a path, a map datum."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# names as they stand in contracts of later years, corrected: Sevice -> Service, Busine -> Business
CORRECTED = {
    "SevicePrice": "ServicePrice",
    "SeviceMoney": "ServiceMoney",
    "DetailSeviceMoney": "DetailServiceMoney",
    "TotalSeviceMoney": "TotalServiceMoney",
    "BusineHours": "BusinessHours",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """`names`: standard -> partner's, in every message; `names_in`: the same for single interfaces, over `names`.

    `status_as_list`: `notification_stationStatus` carries `ConnectorStatusInfos`, a list. `gcj02`: positions are in that datum.
    """

    base_path: str = "/evcs/v1"
    names: Mapping[str, str] = field(default_factory=dict)
    names_in: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    status_as_list: bool = False
    gcj02: bool = True

    def __post_init__(self) -> None:
        for interface in ("", *self.names_in):
            partner = list(self._names(interface).values())
            if len(set(partner)) < len(partner):
                raise ValueError(f"two names of the standard become one in {interface or 'every message'}")

    def path(self, interface: str) -> str:
        return f"{self.base_path.rstrip('/')}/{interface}"

    def to_partner(self, interface: str, data: Mapping[str, Any]) -> dict[str, Any]:
        renamed: dict[str, Any] = _rename(data, self._names(interface))
        if self.status_as_list and "ConnectorStatusInfo" in data and interface == "notification_stationStatus":
            renamed["ConnectorStatusInfos"] = [renamed.pop("ConnectorStatusInfo")]
        return renamed

    def from_partner(self, interface: str, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        """One message, or one for each of a list of statuses."""
        back = {theirs: ours for ours, theirs in self._names(interface).items()}
        renamed: dict[str, Any] = _rename(data, back)
        listed = renamed.get("ConnectorStatusInfos")
        if interface == "notification_stationStatus" and isinstance(listed, list):
            rest = {name: value for name, value in renamed.items() if name != "ConnectorStatusInfos"}
            return [{**rest, "ConnectorStatusInfo": each} for each in listed]
        return [renamed]

    def _names(self, interface: str) -> dict[str, str]:
        return {**self.names, **self.names_in.get(interface, {})}


STANDARD = Dialect()
DIALECTS = {
    "standard": STANDARD,
    "corrected": Dialect(names=CORRECTED, names_in={"query_equip_charge_status": {"ElecMoney": "ElectMoney"}}),
    "list": Dialect(status_as_list=True),
}


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(name, name): _rename(each, names) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rename(each, names) for each in value]
    return value
