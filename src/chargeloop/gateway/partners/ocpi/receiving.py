"""Receiver sides: what partners push to us and own."""

import hashlib
from collections.abc import Callable
from typing import Any

import structlog

from chargeloop.gateway.partners.ocpi.objects import Change, Data, Id, Objects
from chargeloop.gateway.partners.ocpi.offer import RECEIVER, Us
from chargeloop.gateway.partners.ocpi.ports import Ports, Received
from chargeloop.gateway.partners.ocpi.request import Call, Reply, check_owner_and_id
from chargeloop.protocols.ocpi import (
    Object,
    Party,
    Refused,
    Status,
    Version,
    is_older,
    joined,
    lifted,
    part_of,
    patched,
    read,
    with_part,
    write,
)
from chargeloop.protocols.ocpi.credentials import ClientInfo
from chargeloop.protocols.ocpi.locations import Connector, Evse, Location
from chargeloop.protocols.ocpi.sessions import Cdr, InvoiceReconciliationRecord, Session
from chargeloop.protocols.ocpi.tariffs import Tariff
from chargeloop.protocols.ocpi.tokens import DEFAULT_TYPE, Token

KINDS: dict[str, type[Object]] = {
    "locations": Location,
    "sessions": Session,
    "tariffs": Tariff,
    "tokens": Token,
    "cdrs": Cdr,
    "invoicereconciliation": InvoiceReconciliationRecord,
    "hubclientinfo": ClientInfo,
}
NEVER_CHANGED = frozenset({"cdrs"})
log = structlog.get_logger()


def id_of(module: str, thing: Any) -> Id:
    """Of an object of a party. Tokens are told apart by type as well; a long key becomes a digest."""
    owner = Party(thing.country_code, thing.party_id)
    if module == "hubclientinfo":
        return Id(module, owner, thing.role)
    if module == "tokens":
        return Id(module, owner, token_key(thing.uid, thing.type))
    return Id(module, owner, thing.id)


def token_key(uid: str, kind: str) -> str:
    key = f"{uid}|{kind}"
    return key if len(key) <= 128 else hashlib.sha256(key.casefold().encode()).hexdigest()


class Receiving:
    def __init__(self, us: Us, ports: Ports, objects: Objects) -> None:
        self._us, self._ports, self._objects = us, ports, objects

    # --- what comes, by whatever way --------------------------------------------------------------------------------

    async def take(self, peer_id: str, module: str, thing: Any, version: Version) -> Change:
        """Keep an object, unless a newer one is here; a CDR, unless it is here. Whoever wants to know is told, if it is news.

        Raises:
            Refused: 2001, a CDR was here before and was different.
        """
        data = write(thing, version)

        def change(before: Data | None) -> Data:
            if before is None:
                return data
            if module in NEVER_CHANGED and before != data:
                raise Refused(Status.BAD_PARAMETERS, f"{thing.id}: a CDR is never changed; send a credit CDR and a new one")
            return before if is_older(data, before) else data

        return await self._change(peer_id, id_of(module, thing), change, version)

    async def drop(self, peer_id: str, which: Id) -> bool:
        was_there = await self._objects.remove(which)
        if was_there and self._ports.received is not None:
            await self._ports.received(Received(peer_id, which.module, which.owner, which.key, None))
        return was_there

    async def _change(self, peer_id: str, which: Id, change: Callable[[Data | None], Data], version: Version) -> Change:
        changed = await self._objects.change(which, peer_id, change)
        if changed.is_change and self._ports.received is not None:
            thing = read(KINDS[which.module], changed.after, version)
            await self._ports.received(Received(peer_id, which.module, which.owner, which.key, thing))
        return changed

    # --- requests ---------------------------------------------------------------------------------------------------

    async def get(self, call: Call) -> Reply:
        stored = await self._objects.get(self._id(call))
        part = None if stored is None else part_of(stored, *_part_ids(call))
        if part is None:
            raise Refused(Status.CLIENT_ERROR, f"there is no {'/'.join(call.parts)}", http=404)
        return Reply(part)

    async def put(self, call: Call) -> Reply:
        which = self._owned(call)
        if len(call.parts) > 3:
            return await self._put_part(call, which)
        thing = call.read(KINDS[call.module])
        check_owner_and_id(thing, which.owner, call.parts[2], KINDS[call.module].KEY)
        if isinstance(thing, Location):
            thing = read(Location, lifted(write(thing, call.version)), call.version)
        if isinstance(thing, Token) and thing.type != call.query.get("type", thing.type):
            raise Refused(Status.BAD_PARAMETERS, f"type: the URL says {call.query['type']}")
        changed = await self.take(call.peer.peer_id, call.module, thing, call.version)
        return Reply(http=201 if changed.is_new else 200)

    async def patch(self, call: Call) -> Reply:
        which, data = self._owned(call), call.object
        evse_uid, connector_id = _part_ids(call)
        appended = "charging_periods" if call.module == "sessions" else None

        def change(before: Data | None) -> Data:
            part = None if before is None else part_of(before, evse_uid, connector_id)
            if before is None or part is None:
                raise Refused(Status.CLIENT_ERROR, f"there is no {'/'.join(call.parts)}; PUT it", http=404)
            after = patched(part, data, appended)
            for name in ("country_code", "party_id", "id", "uid"):
                if after.get(name) != part.get(name):
                    raise Refused(Status.BAD_PARAMETERS, f"{name}: cannot change")
            whole = after if evse_uid is None else with_part(before, after, evse_uid, connector_id)
            return self._checked(call, lifted(whole) if call.module == "locations" else whole)

        await self._change(call.peer.peer_id, which, change, call.version)
        return Reply()

    async def delete(self, call: Call) -> Reply:
        if not await self.drop(call.peer.peer_id, self._owned(call)):
            raise Refused(Status.CLIENT_ERROR, f"there is no {'/'.join(call.parts)}", http=404)
        return Reply()

    async def post(self, call: Call) -> Reply:
        """A CDR or an invoice, whose URL the answer tells."""
        thing: Any = call.read(KINDS[call.module])
        owner = Party(thing.country_code, thing.party_id)
        call.check_owner(owner)
        changed = await self.take(call.peer.peer_id, call.module, thing, call.version)
        endpoint = self._us.endpoint_url(call.version, RECEIVER, call.module)
        url = joined(endpoint, thing.country_code, thing.party_id, thing.id)
        return Reply(http=201 if changed.is_new else 200, headers={"Location": url})

    async def put_client(self, call: Call) -> Reply:
        """What a hub says of one of its parties."""
        if not call.peer.is_hub:
            raise Refused(Status.CLIENT_ERROR, "only a hub tells of its clients", http=404)
        info = call.read(ClientInfo)
        if not Party(*call.parts).is_same(Party(info.country_code, info.party_id)):
            raise Refused(Status.BAD_PARAMETERS, "country_code, party_id: the URL says otherwise")
        changed = await self.take(call.peer.peer_id, call.module, info, call.version)
        return Reply(http=201 if changed.is_new else 200)

    async def get_client(self, call: Call) -> Reply:
        party = Party(*call.parts)
        found = [
            each
            for each in await self._objects.all(call.module)
            if party.is_same(Party(each["country_code"], each["party_id"]))
        ]
        if not found:
            raise Refused(Status.CLIENT_ERROR, f"there is no {party}", http=404)
        return Reply(found[0])

    # --- how --------------------------------------------------------------------------------------------------------

    async def _put_part(self, call: Call, which: Id) -> Reply:
        evse_uid, connector_id = _part_ids(call)
        assert evse_uid is not None
        part: Any = call.read(Evse if connector_id is None else Connector)
        named = part.uid if connector_id is None else part.id
        if named.casefold() != (connector_id or evse_uid).casefold():
            raise Refused(Status.BAD_PARAMETERS, f"the URL says {connector_id or evse_uid}, the body {named}")
        data = write(part, call.version)

        def change(before: Data | None) -> Data:
            if before is None:
                raise Refused(Status.CLIENT_ERROR, f"there is no location {call.parts[2]}; PUT it", http=404)
            stored = part_of(before, evse_uid, connector_id)
            if stored is not None and is_older(data, stored):
                return before
            return self._checked(call, lifted(with_part(before, data, evse_uid, connector_id)))

        before = await self._objects.get(which)
        was_there = before is not None and part_of(before, evse_uid, connector_id) is not None
        await self._change(call.peer.peer_id, which, change, call.version)
        return Reply(http=200 if was_there else 201)

    def _checked(self, call: Call, data: Data) -> Data:
        return write(read(KINDS[call.module], data, call.version), call.version)

    def _id(self, call: Call) -> Id:
        country, party, key = call.parts[:3]
        if call.module == "tokens":
            key = token_key(key, call.query.get("type", DEFAULT_TYPE))
        return Id(call.module, Party(country, party), key)

    def _owned(self, call: Call) -> Id:
        which = self._id(call)
        call.check_owner(which.owner)
        return which


def _part_ids(call: Call) -> tuple[str | None, str | None]:
    evse_uid, connector_id = (*call.parts[3:], None, None)[:2]
    return evse_uid, connector_id
