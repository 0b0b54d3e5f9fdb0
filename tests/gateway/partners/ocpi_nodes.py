"""Platforms that speak OCPI with each other over real sockets: an operator, a provider and a hub, each with its database."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from starlette.applications import Starlette

from chargeloop.gateway.partners.ocpi import Begun, OcpiPartners, Ports, Received, ReserveAt, Us, role
from chargeloop.model import EvseStatus, MeterPoint, Session
from chargeloop.persistence import Store
from chargeloop.protocols.ocpi import (
    Authorised,
    Operator,
    Party,
    Refused,
    Spot,
    Status,
    Version,
    cdr_of,
    decode,
    location_of,
    session_of,
    tariffs_of,
    token_of,
)
from chargeloop.protocols.ocpi.commands import ActiveChargingProfile, ChargingProfile, ProfilePeriod, StartSession
from chargeloop.protocols.ocpi.credentials import CredentialsRole, authorization
from chargeloop.protocols.ocpi.sessions import Cdr, ChargingPreferences
from chargeloop.protocols.ocpi.sessions import Session as TheirSession
from chargeloop.protocols.ocpi.tokens import AuthorizationInfo, CdrToken, LocationReferences, Token
from chargeloop.settlement import settle
from tests.small_city import small_city

CITY = small_city()
NOW = datetime(2025, 6, 10, 8, 30, tzinfo=UTC)
CPO, EMSP, HUB = Party("CN", "CLP"), Party("NL", "TNM"), Party("NL", "HUB")
OPERATOR = Operator(party=CPO, name="Chargeloop", country="CHN", vat=Decimal(13))
CARD = CdrToken(country_code="NL", party_id="TNM", uid="CARD-1", type="RFID", contract_id="NL-TNM-C00000001")
SPOT = Spot(
    station=CITY.stations[0],
    evse=CITY.stations[0].evses[0],
    connector=CITY.stations[0].evses[0].connectors[0],
    place=CITY.sites[0].place,
    city=CITY.name,
)


def token(uid: str = "CARD-1", at: datetime = NOW, **more: Any) -> Token:
    return token_of(EMSP, "TheNewMotion", uid, "NL-TNM-C00000001", at, **more)


@dataclass
class Site:
    """The operator's platform behind its ports: a small city, and what is asked of it."""

    statuses: dict[str, EvseStatus] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)
    sessions: list[tuple[Session, datetime, CdrToken]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    outcome: str = "ACCEPTED"
    limit_w: Decimal | None = None

    def ports(self) -> Ports:
        return Ports(
            locations=self.locations,
            tariffs=self.tariffs,
            sessions=self.list_sessions,
            cdrs=self.cdrs,
            start=self.start,
            stop=self.stop,
            reserve=self.reserve,
            cancel=self.cancel,
            unlock=self.unlock,
            set_profile=self.set_profile,
            clear_profile=self.clear_profile,
            active_profile=self.active_profile,
            prefer=self.prefer,
            received=self.received,
        )

    async def locations(self, version: Version) -> list[Any]:
        return [location_of(OPERATOR, CITY, each, self.statuses, self.changed, NOW) for each in CITY.stations]

    async def tariffs(self, version: Version) -> list[Any]:
        return [one for each in CITY.tariffs for one in tariffs_of(OPERATOR, each, version, NOW)]

    def session(self, n: int, version: Version) -> TheirSession:
        session, at, whose = self.sessions[n]
        right = Authorised(token=whose, reference="auth-1", method="AUTH_REQUEST")
        return session_of(OPERATOR, session, SPOT, CITY.tariffs[0], _points(session, at), right, version, at)

    async def list_sessions(self, version: Version, since: datetime | None) -> list[TheirSession]:
        return [self.session(n, version) for n in range(len(self.sessions))]

    def cdr(self, n: int, version: Version) -> Cdr:
        session, at, whose = self.sessions[n]
        cdr = settle(session, CITY.tariffs[0], _points(session, at), [0.5] * 24)
        right = Authorised(token=whose, reference="auth-1", method="AUTH_REQUEST")
        return cdr_of(OPERATOR, cdr, SPOT, CITY.tariffs[0], _points(session, at), right, version, at)

    async def cdrs(self, version: Version, since: datetime | None) -> list[Cdr]:
        return [self.cdr(n, version) for n, (session, _, _) in enumerate(self.sessions) if session.ended_at is not None]

    def charge(self, count: int = 1, whose: CdrToken = CARD, at: datetime = NOW) -> None:
        """Sessions that have ended."""
        for _ in range(count):
            n = len(self.sessions)
            begun = at + timedelta(minutes=n)
            session = Session(f"S-{n}", "S0-01", "S0", whose.uid, begun, 10.0 + n)
            self.sessions.append((replace(session, ended_at=begun + timedelta(hours=1)), begun + timedelta(hours=1), whose))

    async def start(self, command: StartSession) -> Begun:
        self.asked.append(command)
        return Begun("ACCEPTED", self.later())

    async def stop(self, session_id: str) -> Begun:
        self.asked.append(session_id)
        known = any(session.session_id == session_id for session, _, _ in self.sessions)
        return Begun("ACCEPTED", self.later()) if known else Begun("UNKNOWN_SESSION")

    async def reserve(self, at: ReserveAt) -> Begun:
        self.asked.append(at)
        return Begun("ACCEPTED", self.later())

    async def cancel(self, number: int) -> Begun:
        self.asked.append(number)
        return Begun("ACCEPTED", self.later())

    async def unlock(self, location_id: str, evse_uid: str, connector_id: str) -> Begun:
        self.asked.append((location_id, evse_uid, connector_id))
        return Begun("REJECTED")

    async def set_profile(self, session_id: str, profile: ChargingProfile) -> Begun:
        self.limit_w = profile.charging_profile_period[0].limit
        return Begun("ACCEPTED", self.later())

    async def clear_profile(self, session_id: str) -> Begun:
        self.limit_w = None
        return Begun("ACCEPTED", self.later())

    async def active_profile(self, session_id: str, seconds: int) -> ActiveChargingProfile | None:
        limit = self.limit_w or Decimal(60_000)
        periods = (ProfilePeriod(start_period=0, limit=limit),)
        profile = ChargingProfile(charging_rate_unit="W", duration=seconds, charging_profile_period=periods)
        return ActiveChargingProfile(start_date_time=NOW, charging_profile=profile)

    async def prefer(self, session_id: str, wish: ChargingPreferences) -> str | None:
        return "ACCEPTED" if wish.departure_time else "DEPARTURE_REQUIRED"

    async def later(self) -> str:
        await asyncio.sleep(0.01)
        return self.outcome

    async def received(self, what: Received) -> None:
        self.asked.append(what)


def _points(session: Session, at: datetime) -> list[MeterPoint]:
    return [MeterPoint(session.started_at, 0.0), MeterPoint(session.ended_at or at, session.energy_kwh)]


@dataclass
class Wallet:
    """The provider's platform behind its ports: some cards, and what it was told."""

    tokens: list[Token] = field(default_factory=lambda: [token()])
    told: list[Received] = field(default_factory=list)
    active: list[ActiveChargingProfile] = field(default_factory=list)

    def ports(self) -> Ports:
        return Ports(tokens=self.list_tokens, authorise=self.authorise, active=self.profile, received=self.received)

    async def list_tokens(self, version: Version, since: datetime | None) -> list[Token]:
        return self.tokens

    async def authorise(self, uid: str, kind: str, where: LocationReferences | None) -> AuthorizationInfo | None:
        found = next((each for each in self.tokens if each.uid == uid and each.type == kind), None)
        if found is None:
            return None
        if where is None:
            raise Refused(Status.NOT_ENOUGH_INFORMATION, "it depends on where")
        allowed = "ALLOWED" if found.valid else "BLOCKED"
        return AuthorizationInfo(allowed=allowed, token=found, location=where, authorization_reference="auth-1")

    async def profile(self, session_id: str, active: ActiveChargingProfile) -> None:
        self.active.append(active)

    async def received(self, what: Received) -> None:
        self.told.append(what)

    def things(self, module: str) -> list[Any]:
        return [each.thing for each in self.told if each.module == module]


@dataclass
class Node:
    """A platform on a socket of its own, which can be cut and put back."""

    partners: OcpiPartners
    store: Store
    listener: socket.socket
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    async def up(self) -> None:
        if self.listener.fileno() < 0:
            self.listener = listen(self._port)
        app = Starlette(routes=self.partners.routes)
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, lifespan="off")
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server._serve(sockets=[self.listener]))  # serve() would take the signals

    async def down(self) -> None:
        """Connections are refused from now on."""
        assert self._server is not None
        assert self._serving is not None
        self._port = self.port
        self._server.should_exit = True
        await self._serving
        self.listener.close()

    async def close(self) -> None:
        if self.listener.fileno() >= 0:
            await self.down()
        await self.partners.close()
        await self.store.close()


def listen(port: int = 0) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


@asynccontextmanager
async def node(
    database: Path | str, ports: Ports, *roles: CredentialsRole, hub: Party | None = None, **more: Any
) -> AsyncIterator[Node]:
    listener = listen()
    versions = more.pop("versions", (Version.V221, Version.V230))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/ocpi"
    us = Us(url=url, roles=roles, hub=hub, versions=versions)
    store = await Store.open(database)
    running = Node(await OcpiPartners.open(store, us, ports, **more), store, listener)
    await running.up()
    try:
        yield running
    finally:
        await running.close()


CPO_ROLE, EMSP_ROLE = role("CPO", CPO, "Chargeloop"), role("EMSP", EMSP, "TheNewMotion")


async def connect(one: Node, other: Node, name: str, back: str) -> None:
    """`one` invites `other`, which registers. They call each other by these names."""
    invitation = await one.partners.peers.invite(name, NOW, cleartext=True)
    await other.partners.handshake.register(back, one.partners.us.versions_url, invitation, cleartext=True)


@dataclass
class Pair:
    site: Site
    wallet: Wallet
    cpo: Node
    emsp: Node
    version: Version


@asynccontextmanager
async def pair(folder: Path, version: Version = Version.V230, **more: Any) -> AsyncIterator[Pair]:
    """An operator and a provider that are connected; the operator has invited."""
    site, wallet = Site(), Wallet()
    async with (
        node(folder / "cpo.db", site.ports(), CPO_ROLE, versions=(version,), **more) as cpo,
        node(folder / "emsp.db", wallet.ports(), EMSP_ROLE, versions=(version,)) as emsp,
    ):
        await connect(cpo, emsp, "emsp", "cpo")
        yield Pair(site, wallet, cpo, emsp, version)


@dataclass
class Answer:
    http: int
    body: dict[str, Any]
    headers: httpx.Headers

    @property
    def code(self) -> int:
        return int(self.body["status_code"])


@dataclass
class Stranger:
    """A partner's end by hand, to say what a well-behaved one would not."""

    node: Node
    secret: str

    async def say(
        self,
        method: str,
        path: str,
        data: Any = None,
        raw: bytes | None = None,
        head: dict[str, str] | None = None,
        encoded: bool = True,
    ) -> Answer:
        from chargeloop.protocols.ocpi import encode  # noqa: PLC0415

        headers = {"Authorization": authorization(self.secret, encoded), "Content-Type": "application/json"}
        headers |= {"X-Request-ID": str(uuid4()), "X-Correlation-ID": str(uuid4())} | (head or {})
        body = encode(data) if data is not None else raw
        async with httpx.AsyncClient(trust_env=False) as client:
            url = path if path.startswith("http") else f"http://127.0.0.1:{self.node.port}/ocpi/{path}"
            heard = await client.request(method, url, content=body, headers=headers)
        return Answer(heard.status_code, decode(heard.content), heard.headers)


async def as_peer(of: Node, known_as: str, **changes: Any) -> Stranger:
    """Somebody who has the token of a partner of `of`."""
    from chargeloop.gateway.partners.ocpi.peers import digest_of  # noqa: PLC0415

    secret = f"secret of {known_as}".replace(" ", "-")
    peer = of.partners.peers.named(known_as)
    await of.partners.peers.put(replace(peer, accepted=(digest_of(secret), *peer.accepted), **changes))
    return Stranger(of, secret)
