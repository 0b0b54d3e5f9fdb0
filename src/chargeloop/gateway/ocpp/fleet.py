"""Which chargers there are, and which EVSEs of the city they serve."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from chargeloop.gateway.ocpp.charger import Charger
from chargeloop.gateway.ocpp.credentials import hashed, new_password
from chargeloop.gateway.ocpp.listener import ID_LENGTH, is_identity
from chargeloop.model import BadInput
from chargeloop.persistence import Registration, Store

QUARANTINE_SIZE = 1000


class Fleet:
    """`chargers` by id; `at`: the charger of an EVSE, and its connector there. `new` makes a charger of a registration."""

    def __init__(self, store: Store, station_of: Callable[[str], str | None], new: Callable[[Registration], Charger]) -> None:
        self._store, self._station_of, self._new = store, station_of, new
        self.chargers: dict[str, Charger] = {}
        self.at: dict[str, tuple[Charger, int]] = {}
        self._changed: dict[str, Registration] = {}

    async def load(self) -> None:
        """All that are registered."""
        for registration in await self._store.registrations():
            self.take(registration)

    def take(self, registration: Registration) -> Charger:
        """One more."""
        charger = self._new(registration)
        self._serve(charger)
        return charger

    async def adopt(
        self,
        charger_id: str,
        evse_ids: tuple[str, ...],
        security_profile: int,
        with_password: bool,
        now: datetime,
        wall: datetime,
    ) -> tuple[Registration, str | None]:
        """Let one serve EVSEs; its new password where it was asked for or is needed.

        Raises:
            BadInput: an EVSE cannot be its own, or there is no such profile.
        """
        station_id = self.station_of(charger_id, evse_ids)
        if security_profile not in range(4):
            raise BadInput("security_profile", f"is one of 0, 1, 2, 3, got {security_profile}")
        known = self.chargers.get(charger_id)
        old = known.registration if known else Registration(charger_id=charger_id, state="adopted", first_seen=now)
        needs_one = security_profile in (1, 2) and old.password_hash is None
        password = new_password() if with_password or needs_one else None
        registration = replace(
            old,
            state="adopted",
            station_id=station_id,
            evse_ids=evse_ids,
            security_profile=security_profile,
            password_hash=hashed(password) if password else old.password_hash,
            password_since=wall if password else old.password_since,
        )
        await self.put(registration)
        return registration, password

    async def retire(self, charger_id: str) -> Registration:
        """Raises:
        BadInput: there is none of that id.
        """
        if charger_id not in self.chargers:
            raise BadInput("charger_id", f"there is no charger {charger_id!r}")
        registration = replace(self.chargers[charger_id].registration, state="retired", evse_ids=(), password_hash=None)
        await self.put(registration)
        return registration

    async def enrol(self, evse_ids: Iterable[str], now: datetime) -> None:
        """Chargers of one connector that are called as their EVSE, without credentials."""
        for evse_id in evse_ids:
            if evse_id not in self.chargers:
                station_id = self.station_of(evse_id, (evse_id,))
                registration = Registration(
                    charger_id=evse_id, state="adopted", first_seen=now, station_id=station_id, evse_ids=(evse_id,)
                )
                self.take(registration)
                self._changed[evse_id] = registration
        await self.save()

    async def put(self, registration: Registration) -> None:
        """One more, or the same with another registration: stored on return."""
        charger = self.chargers.get(registration.charger_id) or self._new(registration)
        self.at = {evse_id: served for evse_id, served in self.at.items() if served[0] is not charger}
        charger.adopted(registration)
        self._serve(charger)
        self._changed.pop(registration.charger_id, None)
        await self._store.put_registration(registration)

    def is_full_of_unknown(self) -> bool:
        """Whether no more may wait in quarantine."""
        return sum(each.registration.state == "quarantined" for each in self.chargers.values()) >= QUARANTINE_SIZE

    def registered(self, registration: Registration) -> bool:
        """Have `save` store it; True where nothing else waited for that."""
        self._changed[registration.charger_id] = registration
        return len(self._changed) == 1

    async def save(self) -> None:
        while self._changed:
            _, registration = self._changed.popitem()
            await self._store.put_registration(registration)

    def station_of(self, charger_id: str, evse_ids: Iterable[str]) -> str:
        """The station of EVSEs that a charger shall serve.

        Raises:
            BadInput: the id is none, or an EVSE is unknown, of another station, or another charger's.
        """
        wanted = tuple(evse_ids)
        if not is_identity(charger_id):
            raise BadInput("charger_id", f"has 1 to {ID_LENGTH} printable characters and no colon, got {charger_id!r}")
        stations = {evse_id: self._station_of(evse_id) for evse_id in wanted}
        for evse_id, station_id in stations.items():
            if station_id is None:
                raise BadInput("evse_ids", f"there is no EVSE {evse_id!r}")
            if evse_id in self.at and self.at[evse_id][0].charger_id != charger_id:
                raise BadInput("evse_ids", f"{evse_id!r} is served by charger {self.at[evse_id][0].charger_id!r}")
        found = set(stations.values())
        if len(found) != 1 or len(stations) != len(wanted):
            raise BadInput("evse_ids", "name one EVSE or more, each once, all of one station")
        return str(found.pop())

    def _serve(self, charger: Charger) -> None:
        self.chargers[charger.charger_id] = charger
        for connector, evse_id in enumerate(charger.registration.evse_ids, start=1):
            self.at[evse_id] = (charger, connector)
