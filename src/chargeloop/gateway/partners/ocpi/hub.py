"""The hub: passes requests on between its parties, tells all what concerns all, and knows who is there."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import structlog

from chargeloop.gateway.partners.ocpi.calls import Calls
from chargeloop.gateway.partners.ocpi.client import Client, Heard, Late
from chargeloop.gateway.partners.ocpi.objects import Objects
from chargeloop.gateway.partners.ocpi.offer import RECEIVER, SENDER, Us, role
from chargeloop.gateway.partners.ocpi.peers import Peer, Peers
from chargeloop.gateway.partners.ocpi.push import HEARERS
from chargeloop.gateway.partners.ocpi.request import Call, Reply
from chargeloop.model import Unreachable
from chargeloop.protocols.ocpi import Party, Refused, Status, encode, joined, next_url, same, write
from chargeloop.protocols.ocpi.credentials import CONFIGURATION, ClientInfo, CredentialsRole

FORWARD_S = 15.0
QUIET = timedelta(minutes=5)  # after which a partner is asked whether it is there
BROADCAST = frozenset({"locations", "tariffs", "tokens"})  # what everybody may see
GIVEN_ON = ("x-total-count", "x-limit")
PROFILES = {"PUT": "SET_PROFILE", "DELETE": "CLEAR_PROFILE", "GET": "GET_PROFILE"}
log = structlog.get_logger()


class Hub:
    def __init__(
        self, us: Us, peers: Peers, client: Client, objects: Objects, calls: Calls, now: Callable[[], datetime]
    ) -> None:
        assert us.hub is not None
        self._us, self._hub, self._peers, self._client = us, us.hub, peers, client
        self._objects, self._calls, self._now = objects, calls, now
        self._tasks: set[asyncio.Task[None]] = set()
        self._offline: set[str] = set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- requests of parties ----------------------------------------------------------------------------------------

    async def forwarded(self, call: Call) -> Reply | None:
        """The answer of whom a request is for; None: it is for the hub itself."""
        if call.module in CONFIGURATION or (call.module == "commands" and call.side is SENDER):
            return None  # results come on URLs of our own
        if call.module == "chargingprofiles" and call.side is SENDER and call.method == "POST":
            return None
        to = call.headers.to
        if to is not None and to.is_same(self._hub):
            return await self._to_the_hub(call)
        if to is None and call.side is SENDER and call.method == "GET" and not call.parts:
            raise Refused(Status.BAD_PARAMETERS, "OCPI-to-party-id: whose list is it, or the hub's?")
        party = to or await self._addressee(call)
        if party is None:
            if call.module in BROADCAST and call.side is RECEIVER and call.method != "GET":
                self._broadcast(call)
                return None
            raise Refused(Status.UNKNOWN_RECEIVER, "nobody can be found for whom that is")
        return await self._forward(call, party)

    async def _to_the_hub(self, call: Call) -> Reply | None:
        if call.method == "GET":
            return None
        if call.module not in BROADCAST or call.side is SENDER:
            raise Refused(Status.BAD_PARAMETERS, f"{call.module} are for one party, not for all")
        self._broadcast(call)
        return None  # the hub keeps it as well, and answers at once

    async def _addressee(self, call: Call) -> Party | None:
        """Open routing: for whom a request is, by what is in it."""
        if call.module in ("commands", "chargingprofiles"):
            return await self._by_place(call)
        if call.module == "tokens" and call.side is SENDER:
            return await self._owner("tokens", call.parts[0])
        if call.module in ("sessions", "cdrs") and call.side is RECEIVER and call.body.strip():
            token = call.object.get("cdr_token")
            if isinstance(token, dict):
                return _party(token)
        if call.side is SENDER and call.parts:
            return await self._owner(call.module, call.parts[0])
        return None

    async def _by_place(self, call: Call) -> Party | None:
        if call.module == "chargingprofiles":
            return await self._owner("sessions", call.parts[0])
        data = call.object
        if isinstance(data.get("location_id"), str):
            return await self._owner("locations", data["location_id"])
        return await self._owner("sessions", str(data.get("session_id", "")))

    async def _owner(self, module: str, identifier: str) -> Party | None:
        """Whose object it is, where only one has one of that id."""
        key = "uid" if module == "tokens" else "id"
        owners = {_party(each).key for each in await self._objects.all(module) if same(each[key], identifier)}
        return owners.pop() if len(owners) == 1 else None

    # --- passing on -------------------------------------------------------------------------------------------------

    async def _forward(self, call: Call, party: Party) -> Reply:
        peer = self._peers.of_party(party)
        if peer is None:
            raise Refused(Status.UNKNOWN_RECEIVER, f"there is no {party} here")
        url = peer.url(call.module, call.side)
        if peer.peer_id in self._offline or url is None or peer.version is not call.version:
            raise Refused(Status.NOT_CONNECTED, f"{party} is not connected for {call.module} of {call.version}")
        heard = await self._passed(await self._with_our_urls(call, peer), peer, url, party)
        return Reply(http=heard.http, headers=self._headers(call, heard, url), raw=heard.raw)

    async def _passed(self, call: Call, peer: Peer, url: str, to: Party) -> Heard:
        """With a new request id and the same correlation id. `last_updated` and all else stay as they are."""
        target = url.rstrip("/") + (f"/{call.tail}" if call.tail else "") + (f"?{urlencode(call.query)}" if call.query else "")
        try:
            return await self._client.send(
                peer,
                call.method,
                target,
                raw=call.body or None,
                to=to,
                sender=call.headers.sender or call.sender,
                correlation_id=call.headers.correlation_id or None,
                timeout_s=FORWARD_S,
            )
        except Unreachable as error:
            is_late = isinstance(error, Late)
            if not is_late:
                await self.set_offline(peer)
            raise Refused(Status.FORWARD_TIMED_OUT if is_late else Status.NOT_CONNECTED, str(error)) from None

    async def _with_our_urls(self, call: Call, peer: Peer) -> Call:
        """Results come back to the hub, which alone may call the one who asks."""
        is_profile = call.module == "chargingprofiles" and call.side is RECEIVER
        if not is_profile and not (call.module == "commands" and call.side is RECEIVER):
            return call
        in_query = is_profile and call.method in ("GET", "DELETE")
        data = {} if in_query else call.object
        theirs = call.query.get("response_url", "") if in_query else data.get("response_url")
        if not isinstance(theirs, str) or not call.peer.may_be_called_at(theirs):
            raise Refused(Status.BAD_PARAMETERS, "response_url: it is not on a host that you have registered")
        kind = PROFILES[call.method] if is_profile else call.parts[0]
        kept = await self._calls.begin(
            kind,
            peer.peer_id,
            self._now(),
            relay_to=call.peer.peer_id,
            relay_url=theirs,
            sender=call.headers.sender,
            to=call.headers.to,
        )
        ours = joined(self._us.endpoint_url(call.version, SENDER, call.module), kept.call_id)
        if in_query:
            return replace(call, query={**call.query, "response_url": ours})
        return replace(call, body=encode({**data, "response_url": ours}))

    def _headers(self, call: Call, heard: Heard, url: str) -> dict[str, str]:
        """What an answer's headers say of pages and places, as seen through the hub."""
        ours = self._us.endpoint_url(call.version, call.side, call.module)
        headers = {name: value for name in GIVEN_ON if (value := heard.headers.get(name)) is not None}
        following, place = next_url(heard.headers.get("link")), heard.headers.get("location")
        if following is not None and following.startswith(url):
            headers["Link"] = f'<{ours}{following.removeprefix(url.rstrip("/"))}>; rel="next"'
        if place is not None and place.startswith(url):
            headers["Location"] = ours + place.removeprefix(url.rstrip("/"))
        return headers

    def _broadcast(self, call: Call) -> None:
        """To all of the other side, later; what they answer is for nobody."""
        for peer in self._peers.connected:
            url = peer.url(call.module, RECEIVER)
            is_meant = peer.peer_id != call.peer.peer_id and peer.plays(*HEARERS[call.module])
            if is_meant and url is not None and peer.peer_id not in self._offline and peer.version is call.version:
                party = next(each.party for each in peer.roles if each.role in HEARERS[call.module])
                from_hub = replace(call, headers=replace(call.headers, sender=self._hub))
                self._spawn(self._told(from_hub, peer, url, party))

    async def _told(self, call: Call, peer: Peer, url: str, to: Party) -> None:
        try:
            await self._passed(call, peer, url, to)
        except Refused as refused:
            log.warning("a broadcast did not arrive", peer=peer.peer_id, why=refused.why)

    # --- who is there -----------------------------------------------------------------------------------------------

    def clients(self) -> Sequence[ClientInfo]:
        """All parties of all partners."""
        return tuple(
            ClientInfo(
                party_id=each.party_id,
                country_code=each.country_code,
                role=each.role,
                status=self._status(peer),
                last_updated=peer.since,
            )
            for peer in self._peers.all
            for each in peer.roles
        )

    def listed(self) -> Sequence[CredentialsRole]:
        """The parties that can be reached, as a hub of 2.3.0 tells of them."""
        return tuple(role(each.role, each.party, each.name) for peer in self._peers.connected for each in peer.roles)

    def _status(self, peer: Peer) -> str:
        if peer.state == "suspended":
            return "SUSPENDED"
        if peer.state == "invited":
            return "PLANNED"
        return "OFFLINE" if peer.peer_id in self._offline else "CONNECTED"

    async def set_offline(self, peer: Peer, is_offline: bool = True) -> None:
        if (peer.peer_id in self._offline) == is_offline:
            return
        (self._offline.add if is_offline else self._offline.discard)(peer.peer_id)
        await self._peers.put(replace(self._peers.named(peer.peer_id), since=self._now()))
        await self.tell_of(peer.peer_id)

    async def tell_of(self, peer_id: str) -> None:
        """Tell all others how a partner's parties are now."""
        changed = self._peers.named(peer_id)
        parties = {each.party.key for each in changed.roles}
        for info in self.clients():
            if Party(info.country_code, info.party_id).key in parties:
                for peer in self._peers.connected:
                    url = peer.url("hubclientinfo", RECEIVER)
                    if url is not None and peer.peer_id != peer_id and peer.peer_id not in self._offline:
                        self._spawn(self._tell(peer, joined(url, info.country_code, info.party_id), info))

    async def _tell(self, peer: Peer, url: str, info: ClientInfo) -> None:
        assert peer.version is not None
        try:
            await self._client.ask(peer, "PUT", url, data=write(info, peer.version))
        except (Unreachable, Refused) as error:
            log.warning("not told who is there", peer=peer.peer_id, why=str(error))

    async def keep_alive(self, quiet: timedelta = QUIET) -> None:
        """Ask those of whom nothing was heard for long whether they are there, once."""
        for peer in self._peers.connected:
            heard = self._peers.heard.get(peer.peer_id)
            if heard is None or self._now() - heard >= quiet or peer.peer_id in self._offline:
                try:
                    await self._client.ask(peer, "GET", peer.versions_url or "")
                    self._peers.heard[peer.peer_id] = self._now()
                    await self.set_offline(peer, False)
                except (Unreachable, Refused):
                    await self.set_offline(peer)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _party(data: Any) -> Party:
    return Party(str(data.get("country_code", "")), str(data.get("party_id", "")))
