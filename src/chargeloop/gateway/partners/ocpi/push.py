"""What we tell partners as it happens. Nothing is queued or tried again: who missed something asks for it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from chargeloop.gateway.partners.ocpi.client import Client
from chargeloop.gateway.partners.ocpi.offer import RECEIVER
from chargeloop.gateway.partners.ocpi.peers import Peer, Peers
from chargeloop.model import Unreachable
from chargeloop.protocols.ocpi import Party, Refused, joined, write

HEARERS = {
    "locations": ("EMSP", "NSP", "NAP", "OTHER"),
    "sessions": ("EMSP", "SCSP", "OTHER"),
    "cdrs": ("EMSP", "OTHER"),
    "tariffs": ("EMSP", "NSP", "NAP", "OTHER"),
    "tokens": ("CPO", "OTHER"),
    "invoicereconciliation": ("EMSP", "CPO", "OTHER"),
}
POSTED = frozenset({"cdrs"})
log = structlog.get_logger()


class Push:
    def __init__(self, peers: Peers, client: Client) -> None:
        self._peers, self._client = peers, client

    async def put(self, module: str, thing: Any) -> dict[str, str | None]:
        """Tell everybody whom it concerns of an object: a session and a CDR only the platform of its token.

        Returns, by partner, why it was not taken, or None.
        """
        return await self._each(module, thing, lambda peer, to: self._put(peer, module, thing, to))

    async def patch(self, module: str, thing: Any, changes: dict[str, Any]) -> dict[str, str | None]:
        """Tell of what changed in an object, `last_updated` among it (decoded JSON); `thing`: as it is after that.

        Where a partner refuses, we look what it has, and PUT all of it if that is not the same.
        """
        return await self._each(module, thing, lambda peer, to: self._patch(peer, module, thing, changes, to))

    async def delete(self, module: str, thing: Any) -> dict[str, str | None]:
        """Of a tariff or an invoice that is no more."""

        async def gone(peer: Peer, to: Party | None) -> None:
            await self._client.ask(peer, "DELETE", self._url(peer, module, thing), to=to, sender=_owner(thing))

        return await self._each(module, thing, gone)

    async def _each(self, module: str, thing: Any, work: Any) -> dict[str, str | None]:
        whom = [(peer, to) for peer in self._peers.connected for to in self._addressees(peer, module, thing)]
        said = await asyncio.gather(*(self._tried(peer, work(peer, to)) for peer, to in whom))
        return {peer.peer_id: why for (peer, _), why in zip(whom, said, strict=True)}

    async def _tried(self, peer: Peer, work: Any) -> str | None:
        if self._client.is_resting(peer.peer_id):
            work.close()
            return "could not be reached just now"
        try:
            await work
        except (Unreachable, Refused) as error:
            log.warning("not taken", peer=peer.peer_id, why=str(error))
            return str(error)
        return None

    def _addressees(self, peer: Peer, module: str, thing: Any) -> Sequence[Party | None]:
        """Whom to address at a partner: nobody, if it has no such module or it is none of its business."""
        if peer.url(module, RECEIVER) is None or peer.version is None:
            return ()
        if hasattr(thing, "cdr_token"):
            theirs = Party(thing.cdr_token.country_code, thing.cdr_token.party_id)
            return (theirs,) if peer.is_hub or peer.has(theirs) else ()
        if peer.is_hub:
            return (peer.hub,)  # a broadcast
        concerned = [each.party for each in peer.roles if each.role in HEARERS[module]]
        return tuple(concerned[:1])

    async def _put(self, peer: Peer, module: str, thing: Any, to: Party | None) -> None:
        assert peer.version is not None
        method = "POST" if module in POSTED else "PUT"
        url = peer.url(module, RECEIVER) or "" if module in POSTED else self._url(peer, module, thing)
        query = {"type": thing.type} if module == "tokens" else None
        data = write(thing, peer.version)
        await self._client.ask(peer, method, url, data=data, query=query, to=to, sender=_owner(thing))

    async def _patch(self, peer: Peer, module: str, thing: Any, changes: dict[str, Any], to: Party | None) -> None:
        url, query = self._url(peer, module, thing), {"type": thing.type} if module == "tokens" else None
        common: dict[str, Any] = {"query": query, "to": to, "sender": _owner(thing)}
        try:
            await self._client.ask(peer, "PATCH", url, data=changes, **common)
        except Refused:
            assert peer.version is not None
            whole = write(thing, peer.version)
            heard = await self._client.send(peer, "GET", url, **common)
            if heard.answer.data != whole:
                await self._client.ask(peer, "PUT", url, data=whole, **common)

    def _url(self, peer: Peer, module: str, thing: Any) -> str:
        identifier = getattr(thing, type(thing).KEY)
        return joined(peer.url(module, RECEIVER) or "", thing.country_code, thing.party_id, identifier)


def _owner(thing: Any) -> Party:
    return Party(thing.country_code, thing.party_id)
