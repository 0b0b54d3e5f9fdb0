"""One charger over all its connections: what its messages mean, stored before the answer is sent."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from picows import WSCloseCode

from chargeloop.gateway.ocpp.admission import Admission
from chargeloop.gateway.ocpp.answers import default_answer
from chargeloop.gateway.ocpp.certificates import Certificates, is_about_certificates
from chargeloop.gateway.ocpp.connection import Connection
from chargeloop.gateway.ocpp.costs import Costs
from chargeloop.gateway.ocpp.handling import Handling, Reply
from chargeloop.gateway.ocpp.makes import adjusted, as_end, quirks_at
from chargeloop.gateway.ocpp.notices import alarm_of
from chargeloop.gateway.ocpp.reading import names_of, read_call, request_of_201, text_of
from chargeloop.gateway.ocpp.record import AFTER_REBOOT, Record
from chargeloop.gateway.ocpp.reservations import given_up
from chargeloop.gateway.ocpp.signed import check_all, meter_key, rows_of
from chargeloop.persistence import Entry, OcppFrame, Registration, tables
from chargeloop.protocols.ocpp import (
    Call,
    CallError,
    CallResult,
    Ended,
    ErrorCode,
    Fact,
    Frame,
    Ledger,
    Outcome,
    Send,
    SignedValue,
    Started,
    StatusTold,
    Updated,
    Version,
    WireError,
    charging_needs,
    encode,
    fact_of,
    signed_values,
    wire_time,
)

HEARTBEAT_S, PENDING_S = 300, 60
log = structlog.get_logger()
_MEMORY = sa.select(tables.charger_memory)


class Charger(Record):
    """Messages in by `receive`, one at a time; commands out by `connection.call`."""

    def __init__(self, registration: Registration, handling: Handling) -> None:
        super().__init__(registration, handling)
        self.ledger: Ledger | None = None
        self._loading: asyncio.Task[None] | None = None
        self._admission, self.costs = Admission(handling), Costs(handling)

    # --- connections --------------------------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        older, self.connection = self.connection, connection
        self.connected_since = self.last_seen = self._handling.clock()
        if older is not None and older.is_open:
            older.close(WSCloseCode.POLICY_VIOLATION, "replaced by a newer connection")
        if self.registration.version != connection.version:
            self.register(version=connection.version)
        if self.ledger is not None:
            connection.answered()
        elif self._loading is None:
            self._loading = asyncio.create_task(self._load())

    def closed(self, connection: Connection) -> None:
        if self.connection is connection:
            self.connection, self.connected_since = None, None

    async def loaded(self) -> Ledger | None:
        """What ran here, once that is known; None where no connection has asked for it yet."""
        if self._loading is not None:
            await asyncio.wait([self._loading])
        return self.ledger

    async def _load(self) -> None:
        """What ran here was told to a process that is gone, or before a failed commit."""
        try:
            known = await self._handling.store.transactions(self.charger_id)
            memory = await self._handling.store.rows(_MEMORY.where(tables.charger_memory.c.charger_id == self.charger_id))
        except Exception as error:
            self._loading = None
            if self.connection is not None:
                self._not_stored(self.connection, error)
            return
        self._loading = None
        for row in memory:
            self.notices.restore(row.notices)
            self.dynamic.restore(row.dynamic)
        self.ledger = Ledger(
            self.registration.evse_ids or (self.charger_id,), self._handling.store.next_transaction_number, known
        )
        if self.connection is not None:
            self.connection.answered()

    def adopted(self, registration: Registration) -> None:
        """The same charger with another registration; it has to connect again."""
        self.registration, self.ledger = registration, None
        if self.connection is not None:
            self.connection.close(WSCloseCode.POLICY_VIOLATION, "registered anew: connect again")

    # --- messages -----------------------------------------------------------------------------------------------------

    def receive(self, connection: Connection, call: Call | Send, text: bytes) -> None:
        """Handle a call, have it stored, answer it."""
        now = self._handling.clock()
        self.last_seen = now
        try:
            reply = self._reply(connection.version, call, now)
        except Exception as error:
            self._failed(connection, call, text, error)
            return
        if isinstance(reply, Reply):
            self._answer(connection, call, text, CallResult(call.message_id, reply.payload), reply)
        else:
            self._handling.work(self._answer_later(connection, call, text, reply))

    async def _answer_later(
        self, connection: Connection, call: Call | Send, text: bytes, coming: Coroutine[Any, Any, Reply]
    ) -> None:
        try:
            reply = await coming
        except Exception as error:
            self._failed(connection, call, text, error)
            return
        self._answer(connection, call, text, CallResult(call.message_id, reply.payload), reply)

    def _failed(self, connection: Connection, call: Call | Send, text: bytes, error: Exception) -> None:
        """One charger's message must not end its connection, nor anybody else's."""
        if isinstance(error, WireError):
            answer = CallError(call.message_id, error.code, error.what)
            self._answer(connection, call, text, answer, Reply(flag=f"{error.code}: {error.what}"))
            return
        log.error("failed on an OCPP message", charger_id=self.charger_id, action=call.action[:50], exc_info=error)
        self.ledger = None
        answer = CallError(call.message_id, ErrorCode.INTERNAL_ERROR, "the message could not be processed")
        self._answer(connection, call, text, answer, Reply(flag="the server failed on it"))

    def _answer(self, connection: Connection, call: Call | Send, text: bytes, answer: Frame, reply: Reply) -> None:
        """Store what was said and what came of it; then answer."""
        answer_text = encode(answer, connection.version)
        frame = OcppFrame(
            self._handling.clock().timestamp(),
            self.charger_id,
            False,
            call.action[:64],
            call.message_id,
            text_of(text),
            answer_text.decode() if isinstance(call, Call) else None,
            reply.flag,
        )

        def stored(failure: Exception | None) -> None:
            if failure is not None:
                self._not_stored(connection, failure)
            elif self.ledger is None:  # we failed on it: begin anew from what is on disk
                connection.send(answer_text)
                connection.close(WSCloseCode.INTERNAL_ERROR, "the server cannot go on")
            elif isinstance(call, Send):
                connection.answered()
            elif reply.delay_s:
                asyncio.get_running_loop().call_later(reply.delay_s, connection.answer, answer_text)
            else:
                connection.answer(answer_text)
                if reply.then is not None:
                    self._handling.work(self._handling.call(self.charger_id, *reply.then))
                if call.action == "BootNotification" and self.registration.state == "adopted":
                    self._handling.booted(self)

        outcome = reply.outcome
        events = [*reply.events, *outcome.events] if outcome is not None else reply.events
        self._handling.store.record(Entry(frame, events, outcome.changed if outcome is not None else (), stored, reply.signed))
        self._handling.heard(frame)
        if reply.flag is not None:
            self.complain(f"{call.action[:50]}: {reply.flag}")

    def damaged(self, text: bytes, error: WireError) -> None:
        """Keep a frame that is none; it changes nothing."""
        flag = f"{error.code}: {error.what}"
        frame = OcppFrame(self._handling.clock().timestamp(), self.charger_id, False, "", "", text_of(text)[:4000], None, flag)
        self._handling.store.record(Entry(frame))
        self._handling.heard(frame)
        self.complain(flag)

    def tend(self, now: datetime) -> None:
        """Close what is over without a stop; tell a charger what a long silence costs."""
        if self.ledger is None or not self.ledger.open:
            return
        if self.connection is not None:
            self._handling.work(self.costs.tell(self.registration, self.ledger.open, now))
        outcome = self.ledger.tend(now)
        if outcome.events:
            closed = ", ".join(each.wire_id for each in outcome.changed)
            frame = OcppFrame(
                now.timestamp(), self.charger_id, True, "Repair", closed[:64], closed, None, outcome.changed[0].notes[-1]
            )
            self._handling.store.record(Entry(frame, outcome.events, outcome.changed))
            self.complain(f"transaction {closed}: {outcome.changed[0].notes[-1]}")

    # --- what calls mean ----------------------------------------------------------------------------------------------

    def _reply(self, version: Version, call: Call | Send, now: datetime) -> Reply | Coroutine[Any, Any, Reply]:
        state = self.registration.state
        payload, flag = read_call(version, call, is_adopted=state == "adopted")
        if call.action == "BootNotification":
            return Reply(self._boot(version, payload, now), flag=flag)
        if state != "adopted":
            raise WireError(ErrorCode.SECURITY_ERROR, f"this charger is {state}: only BootNotification is answered")
        if self._handling.certificates is not None and is_about_certificates(call.action, payload):
            return self._about_certificates(self._handling.certificates, version, call.action, payload, now)
        ledger = self.ledger
        assert ledger is not None  # the connection waits until it is loaded
        quirks = quirks_at(self.registration)
        payload = adjusted(payload, quirks, self._handling.zone)
        fact = fact_of(version, call.action, payload, now)
        if fact is None:
            return self._other(version, call.action, payload, now, flag)
        fact = as_end(fact, ledger) if quirks.start_ends else fact
        signed = signed_values((*payload.get("meterValue", ()), *payload.get("transactionData", ())), now)
        if signed and not isinstance(fact, StatusTold):
            return self._about_signed(signed, call.action, payload, fact, now, flag)
        return self._about_fact(ledger, call.action, payload, fact, now, flag)

    def _about_fact(
        self, ledger: Ledger, action: str, said: dict[str, Any], fact: Fact, now: datetime, flag: str | None
    ) -> Reply:
        outcome = ledger.apply(fact, now)
        if isinstance(fact, StatusTold):
            self.told[fact.connector] = (fact.status, fact.info, fact.at)
        odd = "; ".join((*((flag,) if flag else ()), *outcome.odd)) or None
        delay_s = quirks_at(self.registration).start_answer_delay_s if action == "StartTransaction" else 0.0
        return Reply(self._answer_fact(action, said, outcome, now), outcome=outcome, flag=odd, delay_s=delay_s)

    async def _about_signed(
        self,
        values: tuple[SignedValue, ...],
        action: str,
        said: dict[str, Any],
        fact: Started | Updated | Ended,
        now: datetime,
        flag: str | None,
    ) -> Reply:
        """A wrong signature is flagged, never refused: the charger would discard the message, and the money with it."""
        assert self.ledger is not None  # as of `_reply`
        evse_id = self.ledger.evse_of(fact.wire_id, fact.connector)
        checked = await check_all(values, meter_key(self.registration, evse_id))
        if self.ledger is None:
            raise WireError(ErrorCode.INTERNAL_ERROR, "the charger was registered anew")
        notes = tuple(dict.fromkeys(check.note for _, check in checked))
        reply = self._about_fact(self.ledger, action, said, msgspec.structs.replace(fact, notes=notes), now, flag)
        bad = dict.fromkeys(check.note for _, check in checked if check.verdict == "not_verified")
        reply.flag = "; ".join((*((reply.flag,) if reply.flag else ()), *bad)) or None
        if reply.outcome is not None and reply.outcome.transaction is not None:
            reply.signed = rows_of(self.charger_id, reply.outcome.transaction, checked)
        return reply

    def _boot(self, version: Version, said: dict[str, Any], now: datetime) -> dict[str, Any]:
        self.register(version=str(version), **names_of(said))
        self.problems = [each for each in self.problems if not each.endswith(AFTER_REBOOT)]
        is_accepted = self.registration.state == "adopted"
        return {
            "status": "Accepted" if is_accepted else "Pending",
            "currentTime": wire_time(now),
            "interval": HEARTBEAT_S if is_accepted else PENDING_S,
        }

    def _answer_fact(self, action: str, said: dict[str, Any], outcome: Outcome, now: datetime) -> dict[str, Any]:
        match action:
            case "StartTransaction":
                assert outcome.transaction is not None  # a start always has one
                wire_id = int(outcome.transaction.wire_id)
                return {"transactionId": wire_id, "idTagInfo": self._admission.tag_info(said.get("idTag"), now)}
            case "StopTransaction" if "idTag" in said:
                return {"idTagInfo": self._admission.tag_info(said["idTag"], now)}
            case "TransactionEvent":
                answer = {}
                if isinstance(said.get("idToken"), dict):
                    answer["idTokenInfo"] = self._admission.token_info(said["idToken"].get("idToken"), now)
                return answer | self.costs.answer(outcome, now)
        return {}

    def _other(self, version: Version, action: str, said: dict[str, Any], now: datetime, flag: str | None) -> Reply:
        reply = Reply(flag=flag)
        match action:
            case "Heartbeat":
                reply.payload = {"currentTime": wire_time(now)}
            case "Authorize" if version is Version.V16:
                reply.payload = {"idTagInfo": self._admission.tag_info(said["idTag"], now)}
            case "Authorize":
                reply.payload = {"idTokenInfo": self._admission.token_info(said["idToken"].get("idToken"), now)}
            case "SecurityEventNotification":
                reply.flag = f"security event {said['type']} {said.get('techInfo', '')}".strip()
            case "ReservationStatusUpdate":
                reply.events = [given_up(said["reservationId"], self.registration.evse_ids, now)]
            case "NotifyEVChargingNeeds" if self.ledger is not None:
                reply.payload = default_answer(action, said)
                reply.events = [charging_needs(said, self.ledger.evse_of(None, said["evseId"]), now)]
            case "PullDynamicScheduleUpdate":
                reply.payload = self.dynamic.pulled(said)
            case "NotifyReport":
                self._handling.work(self._handling.inventory.told(self, said))
            case _:
                if self.notices.told(action, said, now):
                    self.remember()
                reply.payload = default_answer(action, said)
                reply.flag = "; ".join(each for each in (flag, alarm_of(action, said)) if each) or None
        return reply

    async def _about_certificates(
        self, office: Certificates, version: Version, action: str, said: dict[str, Any], now: datetime
    ) -> Reply:
        wall = self._handling.wall()
        if action == "DataTransfer":
            reply = await office.transferred(self.charger_id, said, request_of_201, wall)
        else:
            reply = await office.answer(self.charger_id, version, action, said, wall)
        if reply is None:
            return self._other(version, action, said, now, None)
        if reply.contract is not None:
            self._admission.prove(reply.contract, now)
        return Reply(reply.payload, then=reply.then)

    def _not_stored(self, connection: Connection, failure: Exception) -> None:
        """Unanswered, so the charger tells it again; what was made of it is forgotten, for the disk does not know it."""
        log.error("message not stored", charger_id=self.charger_id, why=str(failure))
        self.ledger = None
        connection.close(WSCloseCode.INTERNAL_ERROR, "the server cannot store messages")
