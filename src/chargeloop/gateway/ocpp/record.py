"""What is known of one charger, and what a person should see of it."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from chargeloop.gateway.ocpp.connection import Connection
from chargeloop.gateway.ocpp.dynamic import DynamicProfiles
from chargeloop.gateway.ocpp.handling import Handling
from chargeloop.gateway.ocpp.makes import quirks_at
from chargeloop.gateway.ocpp.notices import Notices
from chargeloop.gateway.ocpp.signed import told_keys
from chargeloop.model import EvseStatus
from chargeloop.persistence import Registration, tables
from chargeloop.protocols.ocpp import Abilities, Traits, changes_of

PROBLEMS_KEPT, SETTINGS, AFTER_REBOOT = 20, "settings:", "takes effect after a reboot"


class Record:
    """`problems`: the newest last. `told`: status of each connector, what was said of it, and when."""

    def __init__(self, registration: Registration, handling: Handling) -> None:
        self.registration, self._handling = registration, handling
        self.connection: Connection | None = None
        self.connected_since: datetime | None = None
        self.last_seen: datetime | None = None
        self.problems: list[str] = []
        self.told: dict[int, tuple[EvseStatus, str, datetime]] = {}
        self.notices, self.dynamic = Notices(), DynamicProfiles()

    @property
    def charger_id(self) -> str:
        return self.registration.charger_id

    @property
    def health(self) -> Literal["ok", "warning", "fault", "offline", "quarantined"]:
        """In one word, the worst first."""
        if self.registration.state == "quarantined":
            return "quarantined"
        if self.connection is None:
            return "offline"
        states = [status for _, status, _, _ in self.connectors]
        if EvseStatus.FAULTED in states:
            return "fault"
        return "warning" if self.problems or EvseStatus.UNAVAILABLE in states else "ok"

    @property
    def connectors(self) -> list[tuple[str, EvseStatus | None, str, datetime | None]]:
        """EVSE, status, what is said of it, and since when: connector by connector."""
        told = self.told
        return [(evse_id, *told.get(n, (None, "", None))) for n, evse_id in enumerate(self.registration.evse_ids, start=1)]

    @property
    def is_connected(self) -> bool:
        return self.connection is not None

    def abilities(self, connector: int) -> Abilities:
        """What it can be told of charging profiles there."""
        told = self._handling.inventory.traits(self.charger_id)
        unit = told.rate_unit or quirks_at(self.registration).rate_unit or "W"
        of_all = {"phases": dict(told.phases), "volts": dict(told.volts)}
        return Abilities(unit, told.max_periods, **{name: of[connector] for name, of in of_all.items() if connector in of})

    @property
    def certificate_expires(self) -> datetime | None:
        """When the certificate that it showed does; None where it showed none."""
        return self.connection.certificate_expires if self.connection is not None else None

    # --- what it told, and was told ---------------------------------------------------------------------------------------

    def sent(self, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> None:
        """Take note of a call to it that it answered."""
        if self.dynamic.sent(action, payload, answer):
            self.remember()
        changed, waiting = changes_of(action, payload, answer)
        if changed:
            self._handling.work(self._handling.inventory.changed(self, changed))
        for name in waiting:
            self.complain(f"{name} {AFTER_REBOOT}")

    def remember(self) -> None:
        """Have what it told and was told stored."""
        row = {"charger_id": self.charger_id, "notices": self.notices.dump(), "dynamic": self.dynamic.dump()}
        self._handling.work(self._handling.store.put(tables.charger_memory, row))

    def keep_password(self, password_hash: str) -> None:
        """Another password, or two while it changes."""
        self.register(password_hash=password_hash, password_since=self._handling.wall())

    def took_stock(self, traits: Traits) -> None:
        """It has told its settings: say what does not fit; take over the keys of its meters where none are known."""
        self.problems = [each for each in self.problems if not each.startswith(SETTINGS)]
        for each in traits.problems(len(self.registration.evse_ids)):
            self.complain(f"{SETTINGS} {each}")
        self._handling.work(self._handling.lists.catch_up(self))
        keys = told_keys(self.registration, traits.meter_keys)
        if keys != self.registration.meter_keys:
            self.keep_meter_keys(keys)

    def keep_meter_keys(self, keys: tuple[str, ...]) -> None:
        """Public keys of its meters, connector by connector."""
        self.register(meter_keys=keys)

    def register(self, **known: Any) -> None:
        """Keep what is known of it now."""
        changed = replace(self.registration, **known)
        if changed != self.registration:
            self.registration = changed
            self._handling.registered(changed)

    def complain(self, what: str) -> None:
        """Show a person what is wrong with it."""
        if what in self.problems:
            self.problems.remove(what)
        self.problems.append(what)
        del self.problems[:-PROBLEMS_KEPT]
