"""The fleet: who the chargers are, how they are, what they say, and what they are told to do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from chargeloop.api.access import Who, may
from chargeloop.api.context import Context, Loop
from chargeloop.gateway.ocpp import Answer, Charger, Notice, checked_keys, recheck, without_secrets
from chargeloop.persistence import OcppFrame
from chargeloop.protocols.ocpp import Version, actions_to_station, schema

router = APIRouter(tags=["chargers"])
Reader = Annotated[Who, may("chargers")]
STATE_EVERY_S = 2.0


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EntranceShape(Strict):
    """`tls_port`: None without TLS. `is_local`: chargers on other machines cannot connect."""

    port: int
    tls_port: int | None
    is_local: bool


class ChargerShape(Strict):
    charger_id: str
    state: str
    station_id: str | None
    evse_ids: list[str]
    version: str | None
    vendor: str
    model: str
    serial: str
    firmware: str
    security_profile: int
    connected: bool
    connected_since: datetime | None
    last_seen: datetime | None
    address: str | None
    health: Literal["ok", "warning", "fault", "offline", "quarantined"]
    problems: list[str]
    open_sessions: int


class ConnectorShape(Strict):
    evse_id: str
    connector: int
    status: str
    info: str
    at: datetime | None


class NoticeShape(Strict):
    action: str
    text: str
    at: datetime


class ChargerDetail(ChargerShape):
    connectors: list[ConnectorShape]
    certificate_expires: datetime | None
    meter_keys: list[str]
    firmware_status: NoticeShape | None
    diagnostics_status: NoticeShape | None
    notices: list[NoticeShape]
    first_seen: datetime


class Message(Strict):
    frame_id: int
    at: datetime
    direction: Literal["in", "out"]
    kind: Literal["call", "result", "error", "send"]
    action: str
    message_id: str
    body: str
    flag: str | None


class AdoptIn(Strict):
    station_id: str
    evse_ids: list[str]
    security_profile: int = 1
    set_password: bool = False


class Adopted(Strict):
    charger: ChargerShape
    password: str | None


class MeterKeysIn(Strict):
    meter_keys: list[str]


class VariableShape(Strict):
    component: str
    component_instance: str
    variable: str
    variable_instance: str
    evse: int | None
    connector: int | None
    attribute: str
    value: str | None
    mutability: str


class ListIn(Strict):
    full: bool = False


class ListSent(Strict):
    audit_id: int
    status: Literal["sent", "up to date", "not supported", "refused", "offline"]
    version: int
    entries: int
    left_out: int


class CommandIn(Strict):
    action: str
    payload: dict[str, Any]


class AnswerShape(Strict):
    audit_id: int
    status: str
    payload: dict[str, Any]
    code: str
    description: str


@router.get("/entrance")
async def entrance(context: Loop, _who: Reader) -> EntranceShape:
    """Where chargers connect to."""
    gateway = context.gateway
    return EntranceShape(port=gateway.port, tls_port=gateway.tls_port or None, is_local=context.is_local)


@router.get("/chargers")
async def chargers(context: Loop, _who: Reader) -> list[ChargerShape]:
    """All that are known; those in quarantine wait to be adopted."""
    return [ChargerShape(**_shape(each)) for each in context.gateway.chargers.values()]


@router.get("/chargers/{charger_id}")
async def charger(context: Loop, _who: Reader, charger_id: str) -> ChargerDetail:
    return _detail(_charger(context, charger_id))


@router.get("/chargers/{charger_id}/messages")
async def messages(
    context: Loop,
    _who: Reader,
    charger_id: str,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: int | None = None,
    action: str = "",
    text: str = "",
) -> list[Message]:
    """The newest first; a call and its answer share their `frame_id`."""
    _charger(context, charger_id)
    frames = await context.store.frames(charger_id, limit, before, action, text)
    return [message for frame_id, frame in frames for message in reversed(_messages(frame_id, frame))]


@router.get("/chargers/{charger_id}/events", response_class=StreamingResponse)
async def events(context: Loop, _who: Reader, charger_id: str) -> StreamingResponse:
    """Server-sent events: `message` for each call and answer, `state` (as /chargers/{id}) now and then."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    found = _charger(context, charger_id)
    return StreamingResponse(_stream(context, found), media_type="text/event-stream", headers=headers)


@router.get("/chargers/{charger_id}/actions")
async def actions(context: Loop, _who: Reader, charger_id: str) -> dict[str, Any]:
    """What can be sent to it: each action with the JSON schema of its request."""
    version = Version(_charger(context, charger_id).registration.version or Version.V16)
    return {action: schema(version, action) for action in actions_to_station(version)}


@router.get("/chargers/{charger_id}/variables")
async def variables(context: Loop, _who: Reader, charger_id: str) -> list[VariableShape]:
    """Its settings and states as it told them last: configuration keys of 1.6, variables of 2.x."""
    _charger(context, charger_id)
    return [VariableShape(**each._asdict()) for each in await context.gateway.inventory.variables(charger_id)]


@router.post("/chargers/{charger_id}/variables")
async def ask_variables(context: Loop, who: Annotated[Who, may("command")], charger_id: str) -> AnswerShape:
    """Ask for them again. A charger of 2.x sends them after its answer."""
    found = _charger(context, charger_id)
    entry = await context.audit.begin(who.name, "ask variables", {}, datetime.now(UTC), charger_id)
    return await _answered(context, entry, await context.gateway.inventory.take(found))


@router.post("/chargers/{charger_id}/local-list")
async def local_list(context: Loop, who: Annotated[Who, may("command")], charger_id: str, asked: ListIn) -> ListSent:
    """Send it the tokens that may charge: what has changed, or all of them."""
    found = _charger(context, charger_id)
    entry = await context.audit.begin(who.name, "local list", asked.model_dump(), datetime.now(UTC), charger_id)
    sent = await context.gateway.lists.send(found, is_full=asked.full)
    await context.audit.end(entry, sent.status)
    return ListSent(audit_id=entry, status=sent.status, version=sent.version, entries=sent.entries, left_out=sent.left_out)


@router.post("/chargers/{charger_id}/commands")
async def command(context: Loop, who: Annotated[Who, may("command")], charger_id: str, asked: CommandIn) -> AnswerShape:
    """Call a charger and wait for its answer."""
    _charger(context, charger_id)
    said = without_secrets(asked.payload)
    entry = await context.audit.begin(who.name, asked.action[:64], said, datetime.now(UTC), charger_id)
    return await _answered(context, entry, await context.gateway.call(charger_id, asked.action, asked.payload))


async def _answered(context: Context, entry: int, answer: Answer) -> AnswerShape:
    outcome = answer.payload.get("status") or answer.code or answer.status
    await context.audit.end(entry, str(outcome))
    return AnswerShape(
        audit_id=entry, status=answer.status, payload=answer.payload, code=answer.code, description=answer.description
    )


@router.post("/chargers/{charger_id}/adopt")
async def adopt(context: Loop, who: Annotated[Who, may("adopt")], charger_id: str, asked: AdoptIn) -> Adopted:
    """Let a charger serve bays of a station, connector by connector. Its password is shown this once."""
    entry = await context.audit.begin(who.name, "adopt", asked.model_dump(), datetime.now(UTC), charger_id)
    index = context.station(asked.station_id)
    own = {evse.evse_id for evse in context.loop.city.stations[index].evses}
    foreign = [evse_id for evse_id in asked.evse_ids if evse_id not in own]
    if foreign:
        raise HTTPException(422, f"evse_ids: {', '.join(foreign)} not of station {asked.station_id}")
    registration, password = await context.gateway.adopt(
        charger_id, asked.evse_ids, asked.security_profile, with_password=asked.set_password
    )
    await context.audit.end(entry, registration.state)
    return Adopted(charger=ChargerShape(**_shape(context.gateway.chargers[charger_id])), password=password)


@router.post("/chargers/{charger_id}/password")
async def password(context: Loop, who: Annotated[Who, may("adopt")], charger_id: str) -> AnswerShape:
    """Have a connected charger change its password; it is shown to nobody, and the old one ends when the new one is used."""
    entry = await context.audit.begin(who.name, "password", {}, datetime.now(UTC), charger_id)
    return await _answered(context, entry, await context.gateway.rotate(charger_id))


@router.post("/chargers/{charger_id}/retire")
async def retire(context: Loop, who: Annotated[Who, may("adopt")], charger_id: str) -> ChargerShape:
    """Don't let a charger in any more."""
    entry = await context.audit.begin(who.name, "retire", {}, datetime.now(UTC), charger_id)
    await context.gateway.retire(charger_id)
    await context.audit.end(entry, "retired")
    return ChargerShape(**_shape(context.gateway.chargers[charger_id]))


@router.put("/chargers/{charger_id}/meter-keys")
async def meter_keys(context: Loop, who: Annotated[Who, may("adopt")], charger_id: str, asked: MeterKeysIn) -> ChargerDetail:
    """The public keys of its meters, connector by connector; what they have signed is checked again."""
    found = _charger(context, charger_id)
    keys = checked_keys(found.registration, asked.meter_keys)
    entry = await context.audit.begin(who.name, "meter keys", {"meter_keys": list(keys)}, datetime.now(UTC), charger_id)
    found.keep_meter_keys(keys)
    changed = await recheck(context.store, found.registration)
    await context.audit.end(entry, f"{changed} values have another verdict")
    return _detail(found)


# --- pictures -----------------------------------------------------------------------------------------------------------------


def _charger(context: Context, charger_id: str) -> Charger:
    found = context.gateway.chargers.get(charger_id)
    if found is None:
        raise HTTPException(404, f"no charger {charger_id!r}; /api/v1/chargers lists them")
    return found


def _shape(charger: Charger) -> dict[str, Any]:
    known = charger.registration
    connection = charger.connection
    return {
        "charger_id": known.charger_id,
        "state": known.state,
        "station_id": known.station_id,
        "evse_ids": list(known.evse_ids),
        "version": known.version,
        "vendor": known.vendor,
        "model": known.model,
        "serial": known.serial,
        "firmware": known.firmware,
        "security_profile": known.security_profile,
        "connected": connection is not None,
        "connected_since": charger.connected_since,
        "last_seen": charger.last_seen,
        "address": connection.address if connection is not None else None,
        "health": charger.health,
        "problems": list(charger.problems),
        "open_sessions": len(charger.ledger.open) if charger.ledger is not None else 0,
    }


def _detail(charger: Charger) -> ChargerDetail:
    connectors = [
        ConnectorShape(
            evse_id=evse_id, connector=n, status=status.name.lower() if status is not None else "unknown", info=info, at=at
        )
        for n, (evse_id, status, info, at) in enumerate(charger.connectors, start=1)
    ]
    return ChargerDetail(
        **_shape(charger),
        connectors=connectors,
        certificate_expires=charger.certificate_expires,
        meter_keys=list(charger.registration.meter_keys),
        firmware_status=_notice(charger.notices.firmware),
        diagnostics_status=_notice(charger.notices.diagnostics),
        notices=[NoticeShape(**each._asdict()) for each in charger.notices.all],
        first_seen=charger.registration.first_seen,
    )


def _notice(notice: Notice | None) -> NoticeShape | None:
    return None if notice is None else NoticeShape(**notice._asdict())


def _messages(frame_id: int, frame: OcppFrame) -> list[Message]:
    """A call, and its answer where there is one."""
    at = datetime.fromtimestamp(frame.at_s, UTC)
    into, out = ("out", "in") if frame.is_outgoing else ("in", "out")
    kind = "send" if frame.body.startswith("[6") else "call"

    def message(direction: Any, kind: Any, body: str) -> Message:
        return Message(
            frame_id=frame_id,
            at=at,
            direction=direction,
            kind=kind,
            action=frame.action,
            message_id=frame.message_id,
            body=body,
            flag=frame.flag,
        )

    told = [message(into, kind, frame.body)]
    if frame.answer is not None:
        told.append(message(out, "error" if frame.answer.startswith("[4") else "result", frame.answer))
    return told


async def _stream(context: Context, charger: Charger) -> AsyncIterator[str]:
    heard: asyncio.Queue[OcppFrame] = asyncio.Queue(1000)

    def hear(frame: OcppFrame) -> None:
        if frame.charger_id == charger.charger_id and not heard.full():
            heard.put_nowait(frame)

    context.gateway.listeners.append(hear)
    try:
        yield _event("state", _detail(charger).model_dump_json())
        told_s = monotonic()
        newest = await context.store.frames(charger.charger_id, limit=1)
        last_id = newest[0][0] if newest else 0
        while True:
            if monotonic() - told_s >= STATE_EVERY_S:  # also while it talks without a pause
                told_s = monotonic()
                yield _event("state", _detail(charger).model_dump_json())
            try:
                await asyncio.wait_for(heard.get(), STATE_EVERY_S)
            except TimeoutError:
                continue
            while not heard.empty():
                heard.get_nowait()
            await context.store.recorded()  # what was heard has its number now
            newer = [each for each in await context.store.frames(charger.charger_id, limit=200) if each[0] > last_id]
            for frame_id, frame in reversed(newer):
                last_id = frame_id
                for message in _messages(frame_id, frame):
                    yield _event("message", message.model_dump_json())
    finally:
        context.gateway.listeners.remove(hear)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
