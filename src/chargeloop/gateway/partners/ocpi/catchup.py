"""Pulling: the way in which nothing is lost. After an outage a partner's lists are read from where we were."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog

from chargeloop.gateway.partners.ocpi.client import Client
from chargeloop.gateway.partners.ocpi.objects import Objects
from chargeloop.gateway.partners.ocpi.offer import ONLY_230, RECEIVER, SENDER, Us
from chargeloop.gateway.partners.ocpi.peers import Peer, Peers
from chargeloop.gateway.partners.ocpi.receiving import KINDS, Receiving, id_of
from chargeloop.gateway.partners.ocpi.request import OWNERS
from chargeloop.model import Unreachable
from chargeloop.protocols.ocpi import Party, Refused, Version, Window, read
from chargeloop.protocols.ocpi.credentials import ClientInfo

BEGINNING = datetime.fromisoformat("2000-01-01T00:00:00Z")
OVERLAP = timedelta(minutes=5)  # what is committed late has an older stamp than what was seen
EVERY_S = 3600.0
NEVER_REMOVED = frozenset({"cdrs", "sessions", "hubclientinfo"})
log = structlog.get_logger()


class Pulled(NamedTuple):
    """`broken`: objects that were passed over."""

    new: int
    changed: int
    same: int
    broken: int


class CatchUp:
    def __init__(
        self, us: Us, peers: Peers, client: Client, objects: Objects, receiving: Receiving, now: Callable[[], datetime]
    ) -> None:
        self._us, self._peers, self._client = us, peers, client
        self._objects, self._receiving, self._now = objects, receiving, now
        self._rng = random.SystemRandom()

    def modules(self, peer: Peer) -> tuple[str, ...]:
        """What we pull from a partner: what it has on the sending and we on the receiving side."""
        ours = (*self._us.modules(RECEIVER), "hubclientinfo")
        pulled = [each for each in KINDS if each in ours and peer.url(each, SENDER) is not None]
        return tuple(each for each in pulled if peer.version is Version.V230 or each not in ONLY_230)

    async def pull(self, peer_id: str, module: str, is_full: bool = False) -> Pulled:
        """Read a partner's list from the newest object on that we have pulled, or all of it.

        After all of it, what was not in it is no longer valid. Only a list that was read to its end counts as read.

        Raises:
            Unreachable, Refused: it could not be read; what came before is kept.
        """
        peer = self._peers.named(peer_id)
        seen = None if is_full else await self._objects.seen(peer_id, module)
        url = peer.url(module, SENDER)
        assert url is not None
        assert peer.version is not None
        needs_from = module == "sessions"
        begin = seen - OVERLAP if seen is not None else (BEGINNING if needs_from else None)
        tally, newest, present = [0, 0, 0, 0], seen, set[tuple[Any, str]]()
        more = self._addressing(peer, module)
        async for page in self._client.pages(peer, url, Window(date_from=begin), **more):
            for data in page:
                thing = self._read(peer, module, data)
                kind = 3 if thing is None else await self._take(peer, module, thing)
                tally[kind] += 1
                if thing is not None:
                    which = id_of(module, thing)
                    present.add((which.owner.key, which.key.casefold()))
                    newest = thing.last_updated if newest is None else max(newest, thing.last_updated)
        if begin is None and module not in NEVER_REMOVED and not tally[3]:
            for which in await self._objects.keys(module, peer_id):
                if (which.owner.key, which.key) not in present:
                    await self._receiving.drop(peer_id, which)
        if newest is not None:
            await self._objects.set_seen(peer_id, module, newest)
        return Pulled(*tally)

    def _addressing(self, peer: Peer, module: str) -> dict[str, Any]:
        if module == "hubclientinfo":
            return {}
        owner = peer.hub or next((each.party for each in peer.roles if each.role in OWNERS[module]), None)
        return {"to": owner, "sender": self._us.parties[0]}

    def _read(self, peer: Peer, module: str, data: Any) -> Any | None:
        """Passed over where it is broken, or not the partner's own."""
        assert peer.version is not None
        try:
            thing: Any = read(KINDS[module], data, peer.version)
        except Refused as refused:
            log.warning("a broken object is passed over", peer=peer.peer_id, module=module, why=refused.why)
            return None
        is_theirs = peer.is_hub or peer.has(Party(thing.country_code, thing.party_id), OWNERS.get(module, ()))
        if not (is_theirs or isinstance(thing, ClientInfo)):
            log.warning("an object of somebody else is passed over", peer=peer.peer_id, module=module)
            return None
        return thing

    async def _take(self, peer: Peer, module: str, thing: Any) -> int:
        assert peer.version is not None
        try:
            change = await self._receiving.take(peer.peer_id, module, thing, peer.version)
        except Refused as refused:
            log.warning("not taken", peer=peer.peer_id, module=module, why=refused.why)
            return 3
        return 0 if change.is_new else 1 if change.is_change else 2

    async def pull_all(self, peer_id: str, is_full: bool = False) -> dict[str, Pulled | None]:
        """Of each module; None where it could not be read."""
        result: dict[str, Pulled | None] = {}
        for module in self.modules(self._peers.named(peer_id)):
            try:
                result[module] = await self.pull(peer_id, module, is_full)
            except (Unreachable, Refused) as error:
                log.warning("could not pull", peer=peer_id, module=module, why=str(error))
                result[module] = None
        return result

    async def run(self, every_s: float = EVERY_S, look_s: float = 1.0) -> None:
        """Pull for ever: from each partner each `every_s`, give or take a third, and soon after one could not be reached."""
        due: dict[str, float] = {}
        clock = asyncio.get_running_loop().time
        while True:
            for peer in self._peers.connected:
                if clock() < due.get(peer.peer_id, 0.0) or self._client.is_resting(peer.peer_id):
                    continue
                try:
                    pulled = await self.pull_all(peer.peer_id)
                    is_whole = all(each is not None for each in pulled.values())
                except Exception:  # of the store or a port: others are pulled from all the same
                    log.exception("pulling failed", peer=peer.peer_id)
                    is_whole = False
                due[peer.peer_id] = clock() + (every_s * self._rng.uniform(2 / 3, 4 / 3) if is_whole else look_s)
            await asyncio.sleep(look_s)
