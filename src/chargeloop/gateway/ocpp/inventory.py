"""What chargers say of their settings: asked for once for each firmware, after the boot, one after the other."""

import asyncio
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from chargeloop.persistence import Registration, Store, tables
from chargeloop.protocols.ocpp import Traits, Variable, Version, merged, of_configuration, of_report, traits_of

SETTLE_S = 5.0  # wall time
PER_TURN, TURNS = 50, 120  # so many chargers are asked in the time that one is left alone; the last in a quarter of an hour
ASKED = ("answered", "error")  # a charger that cannot is not asked again


class Asked(Protocol):
    """What is needed of a charger."""

    @property
    def registration(self) -> Registration: ...
    @property
    def is_connected(self) -> bool: ...
    def took_stock(self, traits: Traits) -> None: ...


class Inventory:
    """`call` sends a call to a charger. `told`: a part of a report has come."""

    def __init__(self, store: Store, clock: Callable[[], datetime], call: Callable[..., Any], settle_s: float) -> None:
        self._store, self._clock, self._call, self._settle_s = store, clock, call, settle_s
        self._known: dict[str, tuple[str, Traits]] = {}
        self._under_way: set[str] = set()
        self._parts: dict[tuple[str, int], dict[int, tuple[Variable, ...]]] = {}

    async def load(self) -> None:
        """What is known of all chargers."""
        table = tables.charger_report
        for row in await self._store.rows(sa.select(table.c.charger_id, table.c.of, table.c.traits)):
            self._known[row.charger_id] = row.of, msgspec.json.decode(row.traits, type=Traits)

    def traits(self, charger_id: str) -> Traits:
        """What is used of the settings of a charger."""
        known = self._known.get(charger_id)
        return known[1] if known is not None else Traits()

    def is_due(self, registration: Registration) -> bool:
        """Whether it has not been asked with its firmware and version."""
        known = self._known.get(registration.charger_id)
        is_known = known is not None and known[0] == _of(registration)
        return not is_known and registration.charger_id not in self._under_way

    async def take_in_turn(self, charger: Asked, chargers: int) -> None:
        """Ask, once its time has come: of thousands that boot at once each has its own."""
        charger_id = charger.registration.charger_id
        self._under_way.add(charger_id)
        try:
            share = zlib.crc32(charger_id.encode()) / 2**32
            await asyncio.sleep(self._settle_s * (1 + share * min(chargers / PER_TURN, TURNS)))
            if charger.is_connected:
                await self.take(charger)
        finally:
            self._under_way.discard(charger_id)

    async def take(self, charger: Asked) -> Any:
        """Ask for all settings; the answer to the question. 2.x tells them later, in parts (B07, B08)."""
        registration = charger.registration
        charger_id = registration.charger_id
        if registration.version == Version.V16:
            answer = await self._call(charger_id, "GetConfiguration", {})
            if answer.status in ASKED:
                await self._keep(charger, of_configuration(answer.payload))
            return answer
        request_id = int(self._clock().timestamp()) % 2**31
        self._parts[charger_id, request_id] = {}
        answer = await self._call(charger_id, "GetBaseReport", {"requestId": request_id, "reportBase": "FullInventory"})
        is_coming = answer.status == "answered" and answer.payload.get("status") == "Accepted"
        if not is_coming and self._parts.pop((charger_id, request_id), None) is not None and answer.status in ASKED:
            await self._keep(charger, ())
        return answer

    async def told(self, charger: Asked, said: dict[str, Any]) -> None:
        """Take in a NotifyReport; with the last part it is stored. One that a person asked for changes what it names."""
        charger_id, request_id = charger.registration.charger_id, said["requestId"]
        parts = self._parts.get((charger_id, request_id), {})
        parts[said["seqNo"]] = of_report(said)
        is_last = not said.get("tbc", False)
        if (charger_id, request_id) not in self._parts or (is_last and sorted(parts) != list(range(len(parts)))):
            known = await self.variables(charger_id)  # also where a part is missing: what came is true
            await self._keep(charger, merged(known, (each for part in parts.values() for each in part)))
            self._parts.pop((charger_id, request_id), None)
        elif is_last:
            del self._parts[charger_id, request_id]
            await self._keep(charger, merged((), (each for i in sorted(parts) for each in parts[i])))

    async def changed(self, charger: Asked, variables: Sequence[Variable]) -> None:
        """A person has set some; what else was told stays."""
        known = await self.variables(charger.registration.charger_id)
        if known:
            await self._keep(charger, merged(known, variables))

    async def variables(self, charger_id: str) -> tuple[Variable, ...]:
        """All that a charger has told, as it was told last."""
        table = tables.charger_report
        rows = await self._store.rows(sa.select(table.c.body).where(table.c.charger_id == charger_id))
        return msgspec.json.decode(rows[0].body, type=tuple[Variable, ...]) if rows else ()

    async def _keep(self, charger: Asked, variables: tuple[Variable, ...]) -> None:
        traits, registration = traits_of(variables), charger.registration
        self._known[registration.charger_id] = _of(registration), traits
        row = {
            "charger_id": registration.charger_id,
            "of": _of(registration),
            "at_s": self._clock().timestamp(),
            "traits": msgspec.json.encode(traits).decode(),
            "body": msgspec.json.encode(variables).decode(),
        }
        await self._store.put(tables.charger_report, row)
        charger.took_stock(traits)


def _of(registration: Registration) -> str:
    return f"{registration.version} {registration.firmware}"
