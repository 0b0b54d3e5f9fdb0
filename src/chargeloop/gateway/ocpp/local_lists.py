"""The operator's tokens in the chargers themselves: sent to those that keep a local list, again when tokens change."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import sqlalchemy as sa
import structlog

from chargeloop.gateway.ocpp.inventory import Inventory
from chargeloop.persistence import Registration, Store, tables
from chargeloop.protocols.ocpp import Listed, Version, differential_update, digest, fitting, full_update, list_version

CHUNK = 50  # entries in a call, where a charger does not say how many it takes
AT_ONCE = 20  # chargers that are sent their list at the same time
REMEMBERED = 20  # lists that changes are reckoned from
log = structlog.get_logger()


class Holder(Protocol):
    """What is needed of a charger."""

    @property
    def registration(self) -> Registration: ...
    @property
    def is_connected(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it. `entries`: of the list it has now; `left_out`: tokens too long for its version."""

    status: Literal["sent", "up to date", "not supported", "refused", "offline"]
    version: int = 0
    entries: int = 0
    left_out: int = 0


class LocalLists:
    """`entries` gives all tokens; `changed` is called when they are others, `catch_up` when a charger has come."""

    def __init__(
        self,
        store: Store,
        inventory: Inventory,
        call: Callable[..., Any],
        work: Callable[[Coroutine[Any, Any, Any]], None],
        entries: Callable[[], Iterable[Listed]],
        settle_s: float,
    ) -> None:
        self._store, self._inventory, self._call, self._work = store, inventory, call, work
        self.entries, self._settle_s = entries, settle_s
        self.chargers: Callable[[], Iterable[Holder]] = tuple
        self._held: dict[str, tuple[int, str]] = {}  # version and digest
        self._lists: OrderedDict[str, dict[str, Listed]] = OrderedDict()  # by digest
        self._is_waiting = False
        self._sending: dict[str, asyncio.Lock] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def load(self) -> None:
        """Which list each charger has."""
        for row in await self._store.rows(sa.select(tables.local_list)):
            self._held[row.charger_id] = row.version, row.digest

    def changed(self) -> None:
        """Have all chargers catch up soon; changes that come one after the other are sent together."""
        if not self._is_waiting:
            self._is_waiting = True
            self._work(self._all_catch_up())

    async def _all_catch_up(self) -> None:
        await asyncio.sleep(self._settle_s)
        self._is_waiting = False
        await asyncio.gather(*(self.catch_up(each) for each in tuple(self.chargers()) if each.is_connected))

    async def catch_up(self, charger: Holder) -> None:
        """Send a charger its list, where it keeps one and has another."""
        charger_id = charger.registration.charger_id
        if charger.registration.state != "adopted" or not self._inventory.traits(charger_id).has_local_list:
            return
        wanted, _ = self._wanted(charger)
        held = self._held.get(charger_id)
        if held is None and not wanted:
            return  # it may have a list that it got elsewhere
        if held is None or held[1] != digest(wanted):
            async with self._slots:
                await self.send(charger)

    async def send(self, charger: Holder, *, is_full: bool = False) -> Sent:
        """Bring a charger's list to what is wanted; `is_full`: all of it, whatever it has."""
        charger_id = charger.registration.charger_id
        if not charger.is_connected:
            return Sent("offline")
        async with self._sending.setdefault(charger_id, asyncio.Lock()):
            sent = await self._send(charger, is_full)
        if sent.status != "sent":
            log.info("local list not sent", charger_id=charger_id, status=sent.status)
        return sent

    async def _send(self, charger: Holder, is_full: bool) -> Sent:
        charger_id, version = charger.registration.charger_id, Version(charger.registration.version or Version.V16)
        answer = await self._call(charger_id, "GetLocalListVersion", {})
        if answer.status != "answered":
            return Sent("not supported" if answer.status == "error" else "offline")
        has = list_version(version, answer.payload)
        if has < 0:
            return Sent("not supported")
        wanted, left_out = self._wanted(charger)
        held, held_digest = self._held.get(charger_id, (0, ""))
        old = self._lists.get(held_digest) if has == held and not is_full else None
        if has == held and held_digest == digest(wanted) and not is_full:
            return Sent("up to date", has, len(wanted), left_out)
        chunk, number = self._inventory.traits(charger_id).list_chunk or CHUNK, max(has, held) + 1
        updates = full_update(version, number, wanted, chunk)
        if old is not None:
            change = differential_update(version, number, old, wanted, chunk)
            if await self._calls(charger_id, change):
                return await self._sent(charger_id, number + len(change) - 1, wanted, left_out)
            updates = full_update(version, number + len(change), wanted, chunk)  # mismatch or failure: all of it (D01.FR.19)
            number += len(change)
        if await self._calls(charger_id, updates):
            return await self._sent(charger_id, number + len(updates) - 1, wanted, left_out)
        return Sent("refused", has, left_out=left_out)

    async def _calls(self, charger_id: str, updates: list[dict[str, Any]]) -> bool:
        for payload in updates:
            answer = await self._call(charger_id, "SendLocalList", payload)
            if answer.status != "answered" or answer.payload.get("status") != "Accepted":
                return False
        return True

    async def _sent(self, charger_id: str, number: int, wanted: Mapping[str, Listed], left_out: int) -> Sent:
        key = digest(wanted)
        self._lists[key] = dict(wanted)
        self._lists.move_to_end(key)
        while len(self._lists) > REMEMBERED:
            self._lists.popitem(last=False)
        self._held[charger_id] = number, key
        await self._store.put(tables.local_list, {"charger_id": charger_id, "version": number, "digest": key})
        return Sent("sent", number, len(wanted), left_out)

    def _wanted(self, charger: Holder) -> tuple[dict[str, Listed], int]:
        entries = tuple(self.entries())
        wanted = fitting(Version(charger.registration.version or Version.V16), entries)
        return wanted, len(entries) - len(wanted)
