"""Dynamic charging profiles of 2.1: a charger may ask for the values that it was sent last (K28)."""

from typing import Any

import msgspec

VALUES = tuple(
    f"{name}{phase}" for name in ("limit", "dischargeLimit", "setpoint", "setpointReactive") for phase in ("", "_L2", "_L3")
)


class DynamicProfiles:
    """One charger's, by profile id."""

    def __init__(self) -> None:
        self._values: dict[int, dict[str, Any]] = {}

    def sent(self, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> bool:
        """Take note of a call and its answer; True where that changed anything."""
        before = {number: dict(values) for number, values in self._values.items()}
        if answer.get("status") == "Accepted":
            self._take(action, payload)
        return self._values != before

    def _take(self, action: str, payload: dict[str, Any]) -> None:
        profile = payload.get("chargingProfile", {})
        if action == "SetChargingProfile" and profile.get("chargingProfileKind") == "Dynamic":
            (schedule,) = profile["chargingSchedule"][:1]  # exactly one, with one period (K28.FR.01)
            period = schedule["chargingSchedulePeriod"][0]
            self._values[profile["id"]] = {name: period[name] for name in VALUES if name in period}
        elif action == "SetChargingProfile":
            self._values.pop(profile.get("id", -1), None)
        elif action == "UpdateDynamicSchedule":
            self._values.setdefault(payload["chargingProfileId"], {}).update(payload["scheduleUpdate"])
        elif action == "ClearChargingProfile" and "chargingProfileId" in payload:
            self._values.pop(payload["chargingProfileId"], None)
        elif action == "ClearChargingProfile":
            self._values.clear()  # by criteria that the charger knows better: it is told Rejected and keeps what it has

    def pulled(self, said: dict[str, Any]) -> dict[str, Any]:
        """The answer to PullDynamicScheduleUpdate."""
        values = self._values.get(said["chargingProfileId"])
        return {"status": "Accepted", "scheduleUpdate": values} if values else {"status": "Rejected"}

    def dump(self) -> str:
        return msgspec.json.encode(self._values).decode()

    def restore(self, dumped: str) -> None:
        """What is newer stays."""
        self._values = msgspec.json.decode(dumped, type=dict[int, dict[str, Any]]) | self._values
