"""One charger at the site: what it says is kept and handed on; what the platform wants of it is done."""

import asyncio
import itertools
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import msgspec
import structlog
from picows import WSCloseCode

from chargeloop.edge.above import Above
from chargeloop.edge.buffer import Message
from chargeloop.edge.control import Cap, Session
from chargeloop.edge.plan import Plan
from chargeloop.edge.shared import Shared
from chargeloop.edge.telling import Telling
from chargeloop.edge.uplink import Uplink
from chargeloop.edge.wire import payload_of, token_in, token_info_in
from chargeloop.gateway.ocpp import Connection, read_call
from chargeloop.gateway.ocpp.answers import default_answer
from chargeloop.gateway.ocpp.credentials import hashed
from chargeloop.protocols.ocpp import (
    Call,
    CallError,
    CallResult,
    Ended,
    ErrorCode,
    Fact,
    Frame,
    Ledger,
    Send,
    Started,
    StatusTold,
    Version,
    WireError,
    encode,
    fact_of,
    wire_time,
)

# Of use only with the platform's own answer, so they are handed on, or answered here, but not kept.
ASKED = frozenset(
    {
        *("Authorize", "DataTransfer", "Heartbeat", "SignCertificate", "Get15118EVCertificate", "GetCertificateStatus"),
        *("GetCertificateChainStatus", "PullDynamicScheduleUpdate", "VatNumberValidation"),
    }
)
HEARTBEAT_S, PENDING_S = 300, 60
UNDATED = "StatusNotification"  # of 1.6: may come without its time
log = structlog.get_logger()


class Station:
    """`number`: of the charger in the site's file. `cap`: what it was told it may take. Made by `Station.load`."""

    def __init__(self, shared: Shared, number: int, cap: Cap) -> None:
        self.shared, self.number, self.cap = shared, number, cap
        self.of = shared.site.chargers[number]
        self.id = self.of.id
        self.version = Version.V16
        self.connection: Connection | None = None
        self.is_accepted = False  # by the platform, when it was asked last
        self.numbers: dict[int, int] = {}
        self.status: dict[int, str] = {}
        self.evse_ids = tuple(f"{self.id}/{n + 1}" for n in range(self.of.connectors))
        self.ledger = Ledger(self.evse_ids, itertools.count(1).__next__)
        self.plan = Plan(shared.site, self.of, [], None)
        self.password = shared.passwords.get(self.id)
        self.password_hash = None if self.password is None else hashed(self.password)
        self.above = Above(self)
        self.telling = Telling(self)
        self.uplink = Uplink(
            self.id,
            shared.site.upstream,
            shared.buffer,
            tls=shared.tls,
            password=lambda: self.password,
            called=self.above.called,
            ready=self.above.ready,
            heard=self._heard_above,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self) -> None:
        """Take up what an earlier process of this site left."""
        buffer = self.shared.buffer
        memory = await buffer.recall(self.id)
        self.version = Version(memory.get("version", Version.V16))
        self.uplink.version = Version(memory["version"]) if "version" in memory else None
        self.is_accepted = memory.get("is_accepted", False)
        self.telling.restore(was_armed=memory.get("was_armed", False))
        changed = memory.get("password", {})
        if self.password is not None and changed.get("before") == self.password:
            self._take_password(changed["after"])
        self.numbers = await buffer.numbers(self.id)
        self.ledger = Ledger(self.evse_ids, itertools.count(1).__next__, await buffer.transactions(self.id))
        heard_at = memory.get("plan_heard_at")
        self.plan = Plan(
            self.shared.site,
            self.of,
            memory.get("plan", []),
            datetime.fromisoformat(heard_at) if heard_at is not None else None,
        )

    def sessions(self, now: datetime, *, is_over: bool) -> list[Session]:
        """The vehicles that are here. `is_over`: the platform's plan for them is."""
        return [
            Session(
                wire_id=each.wire_id,
                charger=self.number,
                plan_kw=self.plan.limit_kw(self.version, self.connector_of(each.evse_id), self.ledger, now, is_over=is_over),
                power_kw=None if each.saved_at is None else each.power_kw,  # saved with its first reading
                reported_s=each.heard_at.timestamp(),
                is_charged=each.is_charged,
            )
            for each in self.ledger.open
        ]

    def connector_of(self, evse_id: str) -> int:
        return self.evse_ids.index(evse_id) + 1

    # --- the charger's connection -------------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        older, self.connection = self.connection, connection
        if older is not None and older.is_open:
            older.close(WSCloseCode.POLICY_VIOLATION, "replaced by a newer connection")
        self.version = self.uplink.version = connection.version
        self.uplink.is_wanted = True
        self.uplink.wake()
        self.telling.opened()
        self.spawn(self.shared.buffer.remember(self.id, "version", str(connection.version)))
        connection.answered()

    def closed(self, connection: Connection) -> None:
        if self.connection is connection:
            self.connection = None
            self.uplink.is_wanted = False
            self.uplink.wake()
            self.telling.closed()

    def damaged(self, text: bytes, error: WireError) -> None:
        log.warning("malformed frame", charger_id=self.id, what=error.what, text=text[:200])

    def receive(self, connection: Connection, call: Call | Send, text: bytes) -> None:
        if isinstance(call, Send):
            self.uplink.send(text)
            connection.answered()
        else:
            self.spawn(self._receive(connection, call))

    async def _receive(self, connection: Connection, call: Call) -> None:
        """One that cannot be kept is not answered: the charger tells it again."""
        try:
            said = payload_of(call)
            answer = await (self._asked(call, said) if call.action in ASKED else self._told(call, said))
        except Exception as error:
            log.error("message not kept", charger_id=self.id, action=call.action[:50], exc_info=error)
            connection.close(WSCloseCode.INTERNAL_ERROR, "the site controller cannot store messages")
            await self.load()  # which may fail for the same reason
            return
        connection.answer(encode(answer, connection.version))
        if call.action != "BootNotification" or self.is_accepted:
            self.telling.arm()

    # --- what it asks -------------------------------------------------------------------------------------------------

    async def _asked(self, call: Call, said: dict[str, Any]) -> Frame:
        frame = await self.uplink.ask(call)
        if frame is not None:
            if isinstance(frame, CallResult):
                await self._note_token(said, payload_of(frame))
            return msgspec.structs.replace(frame, message_id=call.message_id)
        now = self.shared.clock()
        match call.action:
            case "Heartbeat":
                return CallResult(call.message_id, {"currentTime": wire_time(now)})
            case "Authorize":
                return CallResult(call.message_id, self._token_info(said, now))
            case "DataTransfer":
                return CallResult(call.message_id, {"status": "Rejected"})
        return CallError(call.message_id, ErrorCode.INTERNAL_ERROR, "the site has no link to the platform")

    # --- what it tells ------------------------------------------------------------------------------------------------

    async def _told(self, call: Call, said: dict[str, Any]) -> CallResult:
        """Keep it, have the platform answer where it can, else answer for it."""
        now, buffer = self.shared.clock(), self.shared.buffer
        if call.action == UNDATED and "timestamp" not in said:
            said = {**said, "timestamp": wire_time(now)}
        fact = self._fact(call, said, now)
        is_start = isinstance(fact, Started) and self.version is Version.V16  # its id comes with the answer
        changed = [] if fact is None or is_start else self.ledger.apply(fact, now).changed
        message, is_new = await buffer.keep(self.id, call.message_id, call.action, said, now.timestamp(), changed)
        if message.told is not None:
            return CallResult(call.message_id, message.told)
        # A charger that was never let in is told to wait a minute if there is no answer: its link comes up with its own.
        is_new_here = call.action == "BootNotification" and not self.is_accepted
        answer = await self.uplink.answer_to(message, is_patient=is_new_here) if message.is_waiting else message.answer
        if answer is None or (is_start and "transactionId" not in answer):
            answer = await self._answer_here(message, said, now)
        if is_start and isinstance(fact, Started):
            fact = msgspec.structs.replace(fact, wire_id=str(answer["transactionId"]))
            await buffer.told(message.number, answer, self.ledger.apply(fact, now).changed)
        if isinstance(fact, Ended) and is_new:
            await self._ended(fact)
        return CallResult(call.message_id, answer)

    def _fact(self, call: Call, said: dict[str, Any], now: datetime) -> Fact | None:
        """What it means for the site; None for what is handed on without being understood."""
        try:
            payload, _ = read_call(self.version, Call(call.message_id, call.action, said), is_adopted=True)
            fact = fact_of(self.version, call.action, payload, now)
        except (WireError, KeyError, ValueError) as error:
            log.warning("message not understood", charger_id=self.id, action=call.action[:50], what=str(error))
            return None
        if isinstance(fact, StatusTold):
            self.status[fact.connector] = str(fact.status)
        return fact

    async def _answer_here(self, message: Message, said: dict[str, Any], now: datetime) -> dict[str, Any]:
        """In the platform's place."""
        match message.action:
            case "BootNotification":
                status, interval = ("Accepted", HEARTBEAT_S) if self.is_accepted else ("Pending", PENDING_S)
                return {"status": status, "currentTime": wire_time(now), "interval": interval}
            case "StartTransaction":
                return {"transactionId": await self.shared.buffer.give_number(message.number), **self._token_info(said, now)}
            case "StopTransaction" | "TransactionEvent" if "idTag" in said or "idToken" in said:
                return self._token_info(said, now)
        return default_answer(message.action, said)

    def _token_info(self, said: dict[str, Any], now: datetime) -> dict[str, Any]:
        name = "idTagInfo" if self.version is Version.V16 else "idTokenInfo"
        return {name: self.shared.tokens.info(self.version, self.id, token_in(said) or "", now)}

    async def _note_token(self, said: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any] | None:
        token, info = token_in(said), token_info_in(answer)
        if token is not None and info is not None:
            await self.shared.tokens.heard(token, info)
        return info

    async def _heard_above(self, message: Message, answer: dict[str, Any]) -> None:
        """The platform has answered a kept message, maybe long after the charger got its answer."""
        self.numbers = await self.shared.buffer.numbers(self.id)
        if message.action == "BootNotification":
            self.is_accepted = answer.get("status") == "Accepted"
            await self.shared.buffer.remember(self.id, "is_accepted", self.is_accepted)
            if self.is_accepted:
                self.telling.arm()
        info = await self._note_token(message.payload, answer)
        begins = message.action == "StartTransaction" or message.payload.get("eventType") == "Started"
        if info is not None and begins and info.get("status") != "Accepted":
            self.spawn(self.above.stop_refused(message))

    async def _ended(self, fact: Ended) -> None:
        transaction = self.ledger.find(fact.wire_id)
        if transaction is not None and transaction.evse_id in self.evse_ids:
            self.plan.ended(self.connector_of(transaction.evse_id))
            await self.keep_plan()

    async def new_password(self, password: str) -> None:
        """The platform has given the charger another one, which goes before that of the site's file."""
        before = self.shared.passwords.get(self.id)
        self._take_password(password)
        await self.shared.buffer.remember(self.id, "password", {"before": before, "after": password})

    def _take_password(self, password: str) -> None:
        """The old one counts as well, until the charger has come back with the new one."""
        self.password = password
        self.password_hash = " ".join([*(self.password_hash or "").split()[-1:], hashed(password)])

    async def stop(self) -> None:
        """Close the sockets; what was told is stored."""
        if self.connection is not None:
            self.connection.close(WSCloseCode.GOING_AWAY, "the site controller stops")
        self.uplink.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def keep_plan(self) -> None:
        buffer, heard_at = self.shared.buffer, self.plan.heard_at
        await buffer.remember(self.id, "plan", self.plan.raw)
        await buffer.remember(self.id, "plan_heard_at", None if heard_at is None else heard_at.isoformat())

    # --- how ----------------------------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Have something done beside the messages."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("work beside the messages failed", charger_id=self.id, exc_info=task.exception())
