"""What chargers tell that changes nothing here: the last of each kind is kept, with its time."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

FIRMWARE = ("FirmwareStatusNotification", "SignedFirmwareStatusNotification", "PublishFirmwareStatusNotification")
DIAGNOSTICS = ("DiagnosticsStatusNotification", "LogStatusNotification")
TEXT = 500  # characters kept of a notice
UNTOLD = frozenset({"Heartbeat", "NotifyReport", "NotifyPeriodicEventStream"})  # seen elsewhere, or in streams


class Notice(NamedTuple):
    """`text`: its status, or all of it as JSON where it is more."""

    action: str
    text: str
    at: datetime


class Notices:
    """The last of each action of one charger."""

    def __init__(self) -> None:
        self._last: dict[str, Notice] = {}

    def told(self, action: str, said: dict[str, Any], at: datetime) -> bool:
        """True for one that is kept."""
        is_kept = action not in UNTOLD
        if is_kept:
            is_status = action in (*FIRMWARE, *DIAGNOSTICS)
            text = str(said["status"]) if is_status else msgspec.json.encode(said).decode()[:TEXT]
            self._last.pop(action, None)
            self._last[action] = Notice(action, text, at)
        return is_kept

    def dump(self) -> str:
        return msgspec.json.encode(list(self._last.values())).decode()

    def restore(self, dumped: str) -> None:
        """What is newer stays."""
        old = {each.action: each for each in msgspec.json.decode(dumped, type=list[Notice])}
        self._last = old | self._last

    @property
    def firmware(self) -> Notice | None:
        """How far an update is."""
        return self._newest(FIRMWARE)

    @property
    def diagnostics(self) -> Notice | None:
        """How far the upload of a log is."""
        return self._newest(DIAGNOSTICS)

    @property
    def all(self) -> tuple[Notice, ...]:
        """The newest first."""
        return tuple(reversed(self._last.values()))

    def _newest(self, actions: tuple[str, ...]) -> Notice | None:
        return next((each for each in self.all if each.action in actions), None)


def alarm_of(action: str, said: dict[str, Any]) -> str | None:
    """What a person should see of it."""
    if action == "NotifyDERAlarm" and not said.get("alarmEnded", False):
        return f"alarm of {said['controlType']}: {said.get('gridEventFault', 'no fault named')}"
    if action == "NotifySettlement" and said["status"] in ("Rejected", "Failed"):
        return f"payment {said['pspRef']} {said['status'].lower()}"
    if action in FIRMWARE and said["status"].startswith(("Invalid", "DownloadFailed", "Installation")):
        return f"firmware: {said['status']}"
    return None
