"""The partners: how each is reached, who it is, and by which token it proves it."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa

from chargeloop.model import BadInput
from chargeloop.model.quantities import Utc
from chargeloop.model.validated import from_json, to_json
from chargeloop.persistence import Store, tables
from chargeloop.protocols.ocpi import Interface, Party, Version
from chargeloop.protocols.ocpi.credentials import presented

State = Literal["invited", "connected", "suspended"]


class PeerRole(NamedTuple):
    role: str
    country_code: str
    party_id: str
    name: str

    @property
    def party(self) -> Party:
        return Party(self.country_code, self.party_id)


class PeerEndpoint(NamedTuple):
    module: str
    side: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A partner platform. What it presents to us is kept as digests only; what we present to it has to be kept as it is.

    `invitation`: digest of the token with which it may register. `accepted`: digests of the tokens that it may present, the
    newest first; older ones are dropped once it presents the newest. `hub`: the party that it is as a hub; others speak through
    it. `encodes`: it sends and expects tokens in base64, as the standard says. `cleartext`: URLs without TLS will do, for tests
    and private networks.
    """

    peer_id: str
    state: State
    since: Utc
    invitation: str | None = None
    accepted: tuple[str, ...] = ()
    token: str | None = None
    versions_url: str | None = None
    version: Version | None = None
    endpoints: tuple[PeerEndpoint, ...] = ()
    roles: tuple[PeerRole, ...] = ()
    hub: Party | None = None
    encodes: bool = True
    cleartext: bool = False

    @property
    def is_hub(self) -> bool:
        return self.hub is not None

    @property
    def parties(self) -> tuple[Party, ...]:
        return tuple(dict.fromkeys(each.party.key for each in self.roles))

    def has(self, party: Party, roles: Iterable[str] = ()) -> bool:
        """Whether that is a party of this platform, in one of these roles if any are named."""
        wanted = set(roles)
        return any(each.party.is_same(party) and (not wanted or each.role in wanted) for each in self.roles)

    def plays(self, *roles: str) -> bool:
        return any(each.role in roles for each in self.roles)

    def url(self, module: str, side: Interface) -> str | None:
        return next((each.url for each in self.endpoints if each.module == module and each.side == side), None)

    def may_be_called_at(self, url: str) -> bool:
        """Whether a URL is one of this platform's: on a host that it registered, with TLS unless it needs none."""
        parts = urlsplit(url)
        known = {urlsplit(each).netloc.lower() for each in (self.versions_url, *(one.url for one in self.endpoints)) if each}
        return parts.scheme in ("https", *(("http",) if self.cleartext else ())) and parts.netloc.lower() in known


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Peers:
    """All partners, in memory and in the store."""

    def __init__(self, store: Store, peers: Iterable[Peer]) -> None:
        self._store = store
        self._peers = {each.peer_id: each for each in peers}
        self.heard: dict[str, datetime] = {}  # when each said something last

    @classmethod
    async def load(cls, store: Store) -> "Peers":
        rows = await store.rows(sa.select(tables.ocpi_peer.c.body))
        return cls(store, [from_json(Peer, row.body, "stored partner") for row in rows])

    @property
    def all(self) -> Sequence[Peer]:
        return tuple(sorted(self._peers.values(), key=lambda peer: peer.peer_id))

    @property
    def connected(self) -> Sequence[Peer]:
        return tuple(each for each in self.all if each.state == "connected")

    def named(self, peer_id: str) -> Peer:
        """Raises:
        BadInput: there is none of that name.
        """
        if peer_id not in self._peers:
            raise BadInput("partner", f"there is no partner {peer_id!r}")
        return self._peers[peer_id]

    def find(self, peer_id: str) -> Peer | None:
        return self._peers.get(peer_id)

    def of_party(self, party: Party) -> Peer | None:
        """The connected platform of a party."""
        return next((each for each in self.connected if each.has(party)), None)

    async def put(self, peer: Peer) -> Peer:
        """Keep a partner as it is now; on return that is on disk."""
        await self._store.put(tables.ocpi_peer, {"peer_id": peer.peer_id, "body": to_json(peer)})
        self._peers[peer.peer_id] = peer
        return peer

    async def invite(self, peer_id: str, at: datetime, cleartext: bool = False, encodes: bool = True) -> str:
        """A token with which a partner may register, to be handed over by other means. Invited anew, older ones are void.

        Raises:
            BadInput: it is connected already, or has no name.
        """
        if not (0 < len(peer_id) <= 64 and peer_id.isprintable()):
            raise BadInput("partner", "a name has 1 to 64 printable characters")
        known = self._peers.get(peer_id)
        if known is not None and known.state == "connected":
            raise BadInput("partner", f"{peer_id!r} is connected")
        token = new_token()
        peer = Peer(peer_id=peer_id, state="invited", since=at, cleartext=cleartext, encodes=encodes)
        await self.put(replace(peer, invitation=digest_of(token)))
        return token

    def who(self, header: str | None) -> tuple[Peer, str] | None:
        """The partner that an Authorization header proves, and the digest of its token. Takes as long for a wrong one."""
        found = None
        for peer in self._peers.values():
            for token in presented(header, peer.encodes):
                digest = digest_of(token)
                for known in (*peer.accepted, *((peer.invitation,) if peer.invitation else ())):
                    if hmac.compare_digest(digest, known):
                        found = peer, known
        return found

    async def settled(self, peer: Peer, digest: str) -> None:
        """It has presented its newest token: the older ones are void."""
        if len(peer.accepted) > 1 and peer.accepted[0] == digest:
            await self.put(replace(peer, accepted=(digest,)))
