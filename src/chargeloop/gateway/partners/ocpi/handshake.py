"""Credentials, both ways: who invites, who registers, new tokens, and the end of it.

Who registers accepts its new token before it sends it, since the other side calls back with it. Where the other side's answer
gets lost, the token before stays good until the new one is used.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime

import structlog

from chargeloop.gateway.partners.ocpi.client import Client
from chargeloop.gateway.partners.ocpi.offer import SENDER, Us, role
from chargeloop.gateway.partners.ocpi.peers import Peer, PeerEndpoint, PeerRole, Peers, digest_of, new_token
from chargeloop.model import BadInput, Unreachable
from chargeloop.protocols.ocpi import Party, Refused, Status, Version, read, write
from chargeloop.protocols.ocpi.credentials import Credentials, CredentialsRole, VersionDetails, VersionUrl, highest_mutual

log = structlog.get_logger()


class Handshake:
    """`needed`: modules and sides that a partner must have, by our own choice. `listed`: further roles that a hub tells of.

    `changed`: whom to tell when a partner has registered, or has gone.
    """

    def __init__(
        self,
        us: Us,
        peers: Peers,
        client: Client,
        now: Callable[[], datetime],
        needed: Iterable[tuple[str, str]] = (),
        listed: Callable[[], Iterable[CredentialsRole]] = tuple,
        changed: Callable[[Peer], Awaitable[None]] | None = None,
    ) -> None:
        self._us, self._peers, self._client, self._now = us, peers, client, now
        self._needed, self._listed, self._changed = tuple(needed), listed, changed

    # --- we register ------------------------------------------------------------------------------------------------

    async def register(
        self, peer_id: str, versions_url: str, invitation: str, cleartext: bool = False, encodes: bool = True
    ) -> Peer:
        """Register at a partner that has given us a token and the URL of its versions.

        Raises:
            Refused: it speaks no version of ours (3002), lacks modules that we need (3003), or refuses us.
            Unreachable: it cannot be reached.
            BadInput: we are connected already.
        """
        known = self._peers.find(peer_id)
        if known is not None and known.state == "connected":
            raise BadInput("partner", f"{peer_id!r} is connected")
        peer = Peer(peer_id=peer_id, state="invited", since=self._now(), cleartext=cleartext, encodes=encodes)
        peer = replace(peer, token=invitation, versions_url=versions_url)
        return await self._exchange(peer, "POST")

    async def renew(self, peer_id: str) -> Peer:
        """Change tokens, and read anew what the partner has; monthly, and at once where one has leaked.

        Raises: as `register`.
        """
        return await self._exchange(self._peers.named(peer_id), "PUT")

    async def unregister(self, peer_id: str) -> Peer:
        """End it. The partner is told, but need not hear."""
        peer = self._peers.named(peer_id)
        url = peer.url("credentials", SENDER)
        gone = await self._peers.put(replace(peer, state="suspended", since=self._now(), accepted=(), invitation=None))
        if url is not None and peer.state == "connected":
            try:
                await self._client.ask(peer, "DELETE", url)
            except (Refused, Unreachable) as error:
                log.warning("the partner was not told that it is over", peer=peer_id, why=str(error))
        return gone

    async def _exchange(self, peer: Peer, method: str) -> Peer:
        """The older tokens stay good if it fails."""
        asked = await self._with_details(peer, peer.token or "")
        url = asked.url("credentials", SENDER)
        if url is None or asked.version is None:
            raise Refused(Status.NO_MATCHING_ENDPOINTS, "the partner has no credentials")
        token = new_token()
        before = self._peers.find(peer.peer_id)
        await self._peers.put(replace(asked, accepted=(digest_of(token), *peer.accepted)))
        try:
            heard = await self._client.ask(
                peer, method, url, data=write(self._credentials(token, asked.version), asked.version)
            )
            answer = read(Credentials, heard.answer.data, asked.version)
        except (Refused, Unreachable):
            await self._peers.put(peer if before is None else before)
            raise
        accepted = (digest_of(token),)
        return await self._peers.put(replace(_with_credentials(asked, answer, self._now()), accepted=accepted))

    # --- they register ----------------------------------------------------------------------------------------------

    async def post(self, peer: Peer, data: object, version: Version) -> Credentials:
        """Raises Refused: 405 where it is registered; 3001 to 3003 where its own side is not as it must be."""
        if peer.state == "connected":
            raise Refused(Status.CLIENT_ERROR, "you are registered; PUT changes that", http=405)
        return await self._take(peer, data, version)

    async def put(self, peer: Peer, data: object, version: Version) -> Credentials:
        if peer.state != "connected":
            raise Refused(Status.CLIENT_ERROR, "you are not registered; POST does that", http=405)
        return await self._take(peer, data, version)

    async def delete(self, peer: Peer) -> None:
        if peer.state != "connected":
            raise Refused(Status.CLIENT_ERROR, "you are not registered", http=405)
        await self._keep(replace(peer, state="suspended", since=self._now(), accepted=(), invitation=None, token=None))

    def ours(self, version: Version) -> Credentials:
        """What we say of ourselves, without a token: for GET by who has one."""
        return self._credentials("-", version)

    async def _take(self, peer: Peer, data: object, version: Version) -> Credentials:
        """Call back before answering; nothing is locked meanwhile, and nothing changed until all is known."""
        theirs = read(Credentials, data, version)
        taken = next((one for one in theirs.roles if self._is_taken(peer, one)), None)
        if taken is not None:
            raise Refused(Status.BAD_PARAMETERS, f"{taken.country_code}*{taken.party_id} is another partner's")
        named = replace(peer, versions_url=theirs.url, token=theirs.token)
        if not named.may_be_called_at(theirs.url):
            raise Refused(Status.BAD_PARAMETERS, "url: https is needed")
        try:
            asked = await self._with_details(named, theirs.token, version)
        except Unreachable as error:
            raise Refused(Status.CANNOT_USE_CLIENT, str(error)) from None
        except Refused as refused:
            expected = (Status.UNSUPPORTED_VERSION, Status.NO_MATCHING_ENDPOINTS)
            status = refused.status if refused.status in expected else Status.CANNOT_USE_CLIENT
            raise Refused(status, refused.why) from None
        current = self._peers.named(peer.peer_id)
        if (current.state, current.invitation) != (peer.state, peer.invitation):
            raise Refused(Status.CLIENT_ERROR, "you have registered in the meantime", http=405)
        token = new_token()
        older = current.accepted[:1] if current.state == "connected" else ()  # until the new one is used
        complete = _with_credentials(asked, theirs, self._now())
        await self._keep(replace(complete, invitation=None, accepted=(digest_of(token), *older)))
        log.info("partner registered", peer=peer.peer_id, version=version, roles=[each.role for each in theirs.roles])
        return self._credentials(token, version)

    async def _keep(self, peer: Peer) -> None:
        await self._peers.put(peer)
        if self._changed is not None:
            await self._changed(peer)

    def _is_taken(self, peer: Peer, one: CredentialsRole) -> bool:
        return any(
            (each.role, *each.party.key) == (one.role, *one.party)
            for other in self._peers.connected
            if other.peer_id != peer.peer_id and not other.is_hub
            for each in other.roles
        )

    # --- both -------------------------------------------------------------------------------------------------------

    async def _with_details(self, peer: Peer, token: str, version: Version | None = None) -> Peer:
        """The partner, with what it offers in a version, or in the highest that both have."""
        assert peer.versions_url is not None
        heard = await self._client.ask(peer, "GET", peer.versions_url, token=token)
        if not isinstance(heard.answer.data, list):
            raise Refused(Status.SERVER_ERROR, "the versions are no list")
        offered = [read(VersionUrl, each, version or self._us.versions[-1]) for each in heard.answer.data]
        found = highest_mutual(offered, self._us.versions if version is None else [version])
        if found is None:
            raise Refused(Status.UNSUPPORTED_VERSION, f"versions offered: {', '.join(each.version for each in offered)}")
        mutual, url = found
        details = read(VersionDetails, (await self._client.ask(peer, "GET", url, token=token)).answer.data, mutual)
        endpoints = tuple(PeerEndpoint(each.identifier, each.role, each.url) for each in details.endpoints)
        missing = [f"{side} of {module}" for module, side in self._needed if details.url(module, side) is None]
        if details.url("credentials", SENDER) is None:
            missing.append("credentials")
        if missing:
            raise Refused(Status.NO_MATCHING_ENDPOINTS, f"there is no {', no '.join(missing)}")
        return replace(peer, version=mutual, endpoints=_sided(endpoints))

    def _credentials(self, token: str, version: Version) -> Credentials:
        us = self._us
        if us.hub is None:
            return Credentials(token=token, url=us.versions_url, roles=us.roles)
        named = us.hub.country_code + us.hub.party_id
        itself = role("HUB" if version is Version.V221 else "OTHER", us.hub, "Hub")
        roles = (itself, *us.roles) if version is Version.V221 else ((*us.roles, *self._listed()) or (itself,))
        return Credentials(token=token, url=us.versions_url, roles=roles, hub_party_id=named)


def _sided(endpoints: tuple[PeerEndpoint, ...]) -> tuple[PeerEndpoint, ...]:
    """Credentials have no sides, whatever a partner says of theirs."""
    return tuple(each._replace(side=SENDER) if each.module == "credentials" else each for each in endpoints)


def _with_credentials(peer: Peer, theirs: Credentials, at: datetime) -> Peer:
    roles = tuple(PeerRole(each.role, each.country_code, each.party_id, each.business_details.name) for each in theirs.roles)
    hub = next((each.party for each in roles if each.role == "HUB"), None)
    if theirs.hub_party_id is not None:
        hub = Party(theirs.hub_party_id[:2], theirs.hub_party_id[2:])
    return replace(peer, state="connected", since=at, token=theirs.token, versions_url=theirs.url, roles=roles, hub=hub)
