"""All of it together: what `serve` gives its ports to, and what tests run two or three of."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import httpx

from chargeloop.gateway.partners.ocpi.calls import Call as Asked
from chargeloop.gateway.partners.ocpi.calls import Calls
from chargeloop.gateway.partners.ocpi.catchup import EVERY_S, CatchUp
from chargeloop.gateway.partners.ocpi.client import Client
from chargeloop.gateway.partners.ocpi.commanding import Commanding
from chargeloop.gateway.partners.ocpi.handshake import Handshake
from chargeloop.gateway.partners.ocpi.hub import QUIET, Hub
from chargeloop.gateway.partners.ocpi.objects import Id, Objects
from chargeloop.gateway.partners.ocpi.offer import RECEIVER, SENDER, Us
from chargeloop.gateway.partners.ocpi.peers import Peer, Peers
from chargeloop.gateway.partners.ocpi.ports import Ports
from chargeloop.gateway.partners.ocpi.push import Push
from chargeloop.gateway.partners.ocpi.receiving import Receiving, token_key
from chargeloop.gateway.partners.ocpi.request import Call, Reply
from chargeloop.gateway.partners.ocpi.sending import Sending
from chargeloop.gateway.partners.ocpi.server import Rule, Rules, Server
from chargeloop.model import BadInput, Unreachable
from chargeloop.persistence import Store
from chargeloop.protocols.ocpi import Party, Refused, Status, Window, joined, page_headers, page_of, read, read_window, write
from chargeloop.protocols.ocpi.commands import ChargingProfile
from chargeloop.protocols.ocpi.tokens import DEFAULT_TYPE, AuthorizationInfo, LocationReferences, Token, whitelisted

CLIENTS_CAP = 500
AUTHORISE_S = 5.0  # a driver stands at the charger
RESULT_S = 60.0


class OcpiPartners:
    """`routes` go into the web application. `counts`: what went wrong, by partner and kind. Times are wall time.

    `needed`: modules and sides without which we connect to nobody.
    """

    def __init__(
        self,
        store: Store,
        peers: Peers,
        us: Us,
        ports: Ports,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        needed: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.us, self.peers, self.objects = us, peers, Objects(store)
        self._now = now
        self.client = Client(httpx.AsyncClient(trust_env=False))
        self.counts = self.client.counts
        self._calls = Calls(store)
        self._receiving = Receiving(us, ports, self.objects)
        self._sending = Sending(us, ports, self.objects)
        self._commanding = Commanding(ports, self._sending, self._calls, peers, self.client, now)
        self.hub = Hub(us, peers, self.client, self.objects, self._calls, now) if us.hub is not None else None
        listed = self.hub.listed if self.hub is not None else tuple
        self.handshake = Handshake(us, peers, self.client, now, needed, listed, self._registered)
        self.push = Push(peers, self.client)
        self.catch_up = CatchUp(us, peers, self.client, self.objects, self._receiving, now)
        server = Server(us, peers, self.handshake, self._calls, self._rules(), self.hub, self.counts, now)
        self.routes = server.routes
        self._background: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, store: Store, us: Us, ports: Ports, **more: Any) -> "OcpiPartners":
        return cls(store, await Peers.load(store), us, ports, **more)

    def start(self, pull_every_s: float = EVERY_S) -> None:
        """Pull, and look who is there, for ever."""
        self._background = [asyncio.create_task(self.catch_up.run(pull_every_s)), asyncio.create_task(self._upkeep())]

    async def close(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._commanding.close()
        if self.hub is not None:
            await self.hub.close()
        await self.client.http.aclose()

    async def _upkeep(self) -> None:
        while True:
            await self._calls.forget(self._now())
            if self.hub is not None:
                await self.hub.keep_alive()
            await asyncio.sleep(QUIET.total_seconds() / 5)

    async def _registered(self, peer: Peer) -> None:
        if self.hub is not None:
            await self.hub.tell_of(peer.peer_id)

    # --- as eMSP: what we ask of CPOs -------------------------------------------------------------------------------

    async def command(self, party: Party, name: str, sender: Party | None = None, **fields: Any) -> tuple[Asked, str]:
        """Ask a CPO: START_SESSION, STOP_SESSION, RESERVE_NOW, CANCEL_RESERVATION, UNLOCK_CONNECTOR.

        Returns what was asked, for `result`, and the direct answer: ACCEPTED, REJECTED, NOT_SUPPORTED, UNKNOWN_SESSION.

        Raises:
            Unreachable, Refused: it was not taken.
        """
        peer, url = self._at(party, "commands")
        asked = await self._calls.begin(name, peer.peer_id, self._now())
        data = {**fields, "response_url": self._response_url(peer, "commands", asked)}
        heard = await self.client.ask(peer, "POST", joined(url, name), data=data, to=party, sender=self._as(sender))
        return asked, str(heard.answer.data["result"])

    async def result(self, asked: Asked, timeout_s: float = RESULT_S) -> str:
        """Of a command, once it is there.

        Raises:
            TimeoutError: it did not come; it may be taken as never delivered.
        """
        return str((await self._calls.result(asked, timeout_s))["result"])

    async def set_profile(self, party: Party, session_id: str, profile: ChargingProfile | None) -> tuple[Asked, str]:
        """Set a charging profile of a session, or clear it. Returns and raises as `command`."""
        peer, url = self._at(party, "chargingprofiles")
        kind = "CLEAR_PROFILE" if profile is None else "SET_PROFILE"
        asked = await self._calls.begin(kind, peer.peer_id, self._now())
        answer_to = self._response_url(peer, "chargingprofiles", asked)
        common: dict[str, Any] = {"to": party, "sender": self._as(None)}
        target = joined(url, session_id)
        if profile is None:
            heard = await self.client.ask(peer, "DELETE", target, query={"response_url": answer_to}, **common)
        else:
            assert peer.version is not None
            data = {"charging_profile": write(profile, peer.version), "response_url": answer_to}
            heard = await self.client.ask(peer, "PUT", target, data=data, **common)
        return asked, str(heard.answer.data["result"])

    async def ask_profile(self, party: Party, session_id: str, duration_s: int) -> tuple[Asked, str]:
        """What limits hold; the answer comes later (`answer`). Returns and raises as `command`."""
        peer, url = self._at(party, "chargingprofiles")
        asked = await self._calls.begin("GET_PROFILE", peer.peer_id, self._now())
        answer_to = self._response_url(peer, "chargingprofiles", asked)
        query = {"duration": str(duration_s), "response_url": answer_to}
        heard = await self.client.ask(peer, "GET", joined(url, session_id), query=query, to=party, sender=self._as(None))
        return asked, str(heard.answer.data["result"])

    async def answer(self, asked: Asked, timeout_s: float = RESULT_S) -> dict[str, Any]:
        """The whole of a result, decoded. Raises TimeoutError as `result`."""
        found: dict[str, Any] = await self._calls.result(asked, timeout_s)
        return found

    # --- as CPO -----------------------------------------------------------------------------------------------------

    async def may_charge(
        self, uid: str, where: LocationReferences | None = None, kind: str = DEFAULT_TYPE
    ) -> AuthorizationInfo | bool | None:
        """Whether a token of somebody else's may charge here. None: nobody is known to whom it belongs.

        What is decided here is told as true or false; otherwise its owner is asked, whose answer has a reference for the bill.
        """
        token = await self._known(uid, kind)
        evse_uid = where.evse_uids[0] if where is not None and where.evse_uids else None
        if where is not None and self._commanding.has_just_started(uid, where.location_id, evse_uid):
            return True
        if token is None:
            return None
        owner = Party(token.country_code, token.party_id)
        peer = self._through(owner)
        is_reachable = peer is not None and not self.client.is_resting(peer.peer_id)
        local = whitelisted(token, is_reachable)
        if not local.ask or peer is None:
            return local.may
        try:
            return await self._asked(peer, owner, token, where)
        except (Unreachable, Refused):
            return whitelisted(token, is_owner_reachable=False).may

    async def _asked(self, peer: Peer, owner: Party, token: Token, where: LocationReferences | None) -> AuthorizationInfo:
        assert peer.version is not None
        url = joined(peer.url("tokens", SENDER) or "", token.uid, "authorize")
        heard = await self.client.ask(
            peer,
            "POST",
            url,
            data=None if where is None else write(where, peer.version),
            query={"type": token.type},
            to=owner,
            sender=self._as(None),
            timeout_s=AUTHORISE_S,
        )
        return read(AuthorizationInfo, heard.answer.data, peer.version)

    async def _known(self, uid: str, kind: str) -> Token | None:
        """The token of whichever partner; two of the same uid are nobody's."""
        key = token_key(uid, kind)
        owners = [each for each in await self.objects.owners("tokens", key) if self._through(each) is not None]
        if len(owners) != 1:
            return None
        peer, data = self._through(owners[0]), await self.objects.get(Id("tokens", owners[0], key))
        return None if data is None or peer is None or peer.version is None else read(Token, data, peer.version)

    async def reservation_cancelled(self, number: int) -> None:
        """Tell its eMSP that a reservation had to go. Raises Unreachable or Refused where that was not heard."""
        await self._commanding.reservation_cancelled(number)

    async def profile_changed(self, session_id: str) -> bool:
        """To be called whenever the limits of a session change: who has set a profile of it is told."""
        return await self._commanding.profile_changed(session_id)

    # --- how --------------------------------------------------------------------------------------------------------

    def _through(self, party: Party) -> Peer | None:
        """By which platform a party is reached: its own, or a hub."""
        return self.peers.of_party(party) or next((each for each in self.peers.connected if each.is_hub), None)

    def _at(self, party: Party, module: str) -> tuple[Peer, str]:
        peer = self._through(party)
        url = None if peer is None else peer.url(module, RECEIVER)
        if peer is None or url is None:
            raise Refused(Status.UNKNOWN_RECEIVER, f"{party} is not connected for {module}")
        return peer, url

    def _as(self, sender: Party | None) -> Party:
        if sender is None and not self.us.parties:
            raise BadInput("partners", "a hub has no party to speak as")
        return sender or self.us.parties[0]

    def _response_url(self, peer: Peer, module: str, asked: Asked) -> str:
        assert peer.version is not None
        return joined(self.us.endpoint_url(peer.version, SENDER, module), asked.call_id)

    async def _clients(self, call: Call) -> Reply:
        assert self.hub is not None
        window = read_window(call.query)
        asked = Window(window.date_from, window.date_to, window.offset, min(window.limit or CLIENTS_CAP, CLIENTS_CAP))
        found = page_of(self.hub.clients(), asked)
        url = self.us.endpoint_url(call.version, SENDER, "hubclientinfo")
        headers = page_headers(url, asked, len(found.items), found.total, CLIENTS_CAP)
        return Reply([write(each, call.version) for each in found.items], headers=headers)

    def _rules(self) -> Rules:
        """Which handler has which method of which side of which module."""
        sending, receiving, commanding = self._sending, self._receiving, self._commanding
        lists = ("sessions", "cdrs", "tariffs", "tokens", "invoicereconciliation")
        rules = {(module, SENDER, "GET"): Rule(0, 0, sending.page) for module in lists}
        rules |= {
            ("locations", SENDER, "GET"): Rule(0, 3, sending.location),
            ("sessions", SENDER, "PUT"): Rule(2, 2, sending.preferences),
            ("tokens", SENDER, "POST"): Rule(2, 2, sending.authorise),
            ("commands", SENDER, "POST"): Rule(1, 1, commanding.answered),
            ("commands", RECEIVER, "POST"): Rule(1, 1, commanding.command),
            ("chargingprofiles", SENDER, "POST"): Rule(1, 1, commanding.answered),
            ("chargingprofiles", SENDER, "PUT"): Rule(1, 1, commanding.profile_told),
            ("chargingprofiles", RECEIVER, "GET"): Rule(1, 1, commanding.get_profile),
            ("chargingprofiles", RECEIVER, "PUT"): Rule(1, 1, commanding.set_profile),
            ("chargingprofiles", RECEIVER, "DELETE"): Rule(1, 1, commanding.clear_profile),
            ("hubclientinfo", RECEIVER, "GET"): Rule(2, 2, receiving.get_client),
            ("hubclientinfo", RECEIVER, "PUT"): Rule(2, 2, receiving.put_client),
        }
        if self.hub is not None:
            rules["hubclientinfo", SENDER, "GET"] = Rule(0, 0, self._clients)
        methods = {
            "locations": "GET PUT PATCH",
            "sessions": "GET PUT PATCH",
            "tariffs": "GET PUT DELETE",
            "tokens": "GET PUT PATCH",
            "cdrs": "GET",
            "invoicereconciliation": "GET PUT DELETE",
        }
        handlers = {"GET": receiving.get, "PUT": receiving.put, "PATCH": receiving.patch, "DELETE": receiving.delete}
        for module, names in methods.items():
            most = 5 if module == "locations" else 3
            rules |= {(module, RECEIVER, name): Rule(3, most, handlers[name]) for name in names.split()}
        for module in ("cdrs", "invoicereconciliation"):
            rules[module, RECEIVER, "POST"] = Rule(0, 0, receiving.post)
        return rules
