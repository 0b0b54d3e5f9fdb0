"""Other platforms by T/CEC 102, joined to the running server: who they are, and what the two sides see of the loop."""

import asyncio
import tomllib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import structlog
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.gateway.partners.tcec102 import Caller, Desk, OperatorSide, Outbox, Partner, PlatformSide, Running
from chargeloop.loop import CityLoop
from chargeloop.model import BadInput, Cdr, EvseStatus, Session, Unreachable
from chargeloop.persistence import PartnerBook, PartnerCharge, Store
from chargeloop.protocols.tcec102 import DIALECTS, AesHmacMd5, Dialect, Refused

Secret16 = Annotated[SecretStr, Field(min_length=16, max_length=16)]
Id9 = Annotated[str, Field(min_length=9, max_length=9)]
TURN_S = 2.0  # wall seconds between two looks at what partners are to be told
READ_AGAIN_S = 600.0
log = structlog.get_logger()


class Tcec102(BaseModel):
    """A table `[[tcec102]]` of the partners' file. `they_are`: operator, or the platform that we, an operator, report to.

    `operators`: whose stations of our city they see; all where it is left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator_id: Id9
    our_id: Id9
    they_are: Literal["operator", "platform"]
    url: Annotated[str, Field(pattern=r"^https?://")]
    data_secret: Secret16
    data_secret_iv: Secret16
    sig_secret: SecretStr
    our_secret: SecretStr
    their_secret: SecretStr
    dialect: str = "standard"
    base_path: str | None = None
    operators: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _is_known(self) -> "Tcec102":
        if self.dialect not in DIALECTS:
            raise ValueError(f"dialect is one of {', '.join(DIALECTS)}")
        return self

    def partner(self) -> Partner:
        keys = (self.data_secret, self.data_secret_iv, self.sig_secret)
        known = DIALECTS[self.dialect]
        path = self.base_path or known.base_path
        return Partner(
            operator_id=self.operator_id,
            our_id=self.our_id,
            url=self.url,
            cipher=AesHmacMd5(*(each.get_secret_value() for each in keys)),
            our_secret=self.our_secret.get_secret_value(),
            their_secret=self.their_secret.get_secret_value(),
            dialect=Dialect(path, known.names, known.names_in, known.status_as_list, known.gcj02),
        )


class PartnersFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tcec102: tuple[Tcec102, ...] = ()


def read_partners(path: Path) -> PartnersFile:
    """Raises BadInput, naming the entry; a secret's value is never repeated."""
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadInput(str(path), error.strerror or "cannot be read") from None
    except ValueError as error:
        raise BadInput(str(path), f"is no TOML: {error}") from None
    try:
        file = PartnersFile.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadInput(f"{path}: {'.'.join(str(part) for part in first['loc'])}", first["msg"]) from None
    ids = [each.operator_id for each in file.tcec102]
    if len(set(ids)) < len(ids):
        raise BadInput(str(path), "a partner stands there twice")
    return file


class Partners:
    """All partners of a server. `start` begins to tell and to read, `stop` ends it."""

    def __init__(self, file: PartnersFile, loop: CityLoop, store: Store, gateway: OcppGateway) -> None:
        self.book, now = PartnerBook(store), loop.clock.now
        self._entries = file.tcec102
        self._of = {each.operator_id: each.partner() for each in self._entries}
        self.platform = PlatformSide(self.book)
        live = LoopLive(loop, store, gateway)
        self.operator = {
            each.operator_id: OperatorSide(
                self._of[each.operator_id], loop.city, live, self.book, gateway.send, now, each.operators
            )
            for each in self._entries
            if each.they_are == "platform"
        }
        sides = {name: self.operator.get(name, self.platform).handlers for name in self._of}
        self.desk = Desk([(partner, sides[name]) for name, partner in self._of.items()], now)
        self.callers = {name: Caller(partner, now) for name, partner in self._of.items()}
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = AsyncExitStack()

    def serve_at(self, app: FastAPI) -> None:
        app.include_router(self.desk.router)

    def knows(self, id_token: str) -> bool:
        """Whether a token is that of a charge which a partner started and which is not over."""
        return any(id_token in side.tokens for side in self.operator.values())

    async def start(self) -> None:
        for side in self.operator.values():
            await side.remember()
        for name, caller in self.callers.items():
            await self._closing.enter_async_context(caller)
            self._tasks.append(asyncio.create_task(Outbox(self.book, caller).run()))
            ours = self.operator.get(name)
            work = self._read(caller) if ours is None else self._tell(ours)
            self._tasks.append(asyncio.create_task(work))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)  # what was cut short waits in the outbox
        await self._closing.aclose()

    async def _tell(self, side: OperatorSide) -> None:
        while True:
            try:
                await side.turn()
            except Exception:  # the next turn finds what this one missed
                log.exception("partner's turn failed")
            await asyncio.sleep(TURN_S)

    async def _read(self, caller: Caller) -> None:
        while True:
            try:
                count = await self.platform.read_stations(caller)
                log.info("stations read", partner=caller.partner.operator_id, stations=count)
                await asyncio.sleep(READ_AGAIN_S)
            except (Refused, Unreachable) as error:
                log.warning("stations not read", partner=caller.partner.operator_id, why=str(error))
                await asyncio.sleep(30 * TURN_S)


class LoopLive:
    """What an operator's side sees of the loop and the store."""

    def __init__(self, loop: CityLoop, store: Store, gateway: OcppGateway) -> None:
        self._loop, self._store, self._gateway = loop, store, gateway

    def status(self, evse_id: str) -> EvseStatus:
        return EvseStatus(self._loop.perception.state.evse_status[self._loop.layout.evse_index[evse_id]])

    def is_reachable(self, evse_id: str) -> bool:
        return evse_id in self._gateway.connected_evses

    def running(self, charge: PartnerCharge) -> Running | None:
        sessions = self._loop.perception.state.sessions
        if charge.session_id is None:
            found = next((each for each in sessions.values() if each.id_token == charge.id_token), None)
        else:
            found = sessions.get(charge.session_id)
        session = None if found is None else self._loop.perception.session(found.session_id)
        return None if found is None or session is None else Running(session, found.soc)

    async def ended(self, charge: PartnerCharge) -> Session | None:
        if charge.session_id is not None:
            found = await self._store.session(charge.session_id)
            return found if found is not None and found.ended_at is not None else None
        layout = self._loop.layout
        station_id = layout.station_ids[layout.evse_station[layout.evse_index[charge.evse_id]]]
        newest = await self._store.sessions(station_id)
        return next((each for each in newest if each.id_token == charge.id_token and each.ended_at is not None), None)

    async def cdr(self, session_id: str) -> Cdr | None:
        return await self._store.cdr(session_id)

    async def energy_kwh(self, station_id: str, since: datetime, until: datetime) -> Mapping[str, float]:
        kwh: dict[str, float] = {}
        for each in await self._store.sessions_ended(station_id, since, until):
            kwh[each.evse_id] = kwh.get(each.evse_id, 0.0) + each.energy_kwh
        return kwh
