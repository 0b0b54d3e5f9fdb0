"""Two platforms that call each other by T/CEC 102 over real sockets, and partners that misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from chargeloop.gateway.partners.tcec102 import Caller, Desk, Handler, Partner
from chargeloop.model import Unreachable
from chargeloop.protocols.tcec102 import (
    DIALECTS,
    AesHmacMd5,
    Dialect,
    FailReason,
    Refused,
    Ret,
    StartChargeSeqStat,
    SuccStat,
    messages,
    open_response,
    seal_request,
)

KEY = "1234567890abcdef"
OPERATOR, PLATFORM = "395815801", "MA005DBW1"
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SEQ = PLATFORM + "0" * 18
START = messages.StartRequest(StartChargeSeq=SEQ, ConnectorID="C1")


def as_seen_by_the_operator(dialect: Dialect) -> Partner:
    return Partner(PLATFORM, OPERATOR, "", AesHmacMd5(KEY, KEY, KEY), "operator's", "platform's", dialect)


def as_seen_by_the_platform(url: str, dialect: Dialect) -> Partner:
    return Partner(OPERATOR, PLATFORM, url, AesHmacMd5(KEY, KEY, KEY), "platform's", "operator's", dialect)


@dataclass
class Here:
    """The operator's end: what it was told, and what its clock says."""

    now: datetime = NOW
    told: list[messages.Message] = field(default_factory=list)

    async def start(self, partner: Partner, told: messages.StartRequest) -> messages.Message:
        self.told.append(told)
        if told.ConnectorID == "broken":
            raise RuntimeError("a secret of ours")
        return messages.StartResponse(
            StartChargeSeq=told.StartChargeSeq,
            StartChargeSeqStat=StartChargeSeqStat.STARTING,
            ConnectorID=told.ConnectorID,
            SuccStat=SuccStat.OK,
            FailReason=FailReason.NONE,
        )

    async def status(self, partner: Partner, told: messages.StatusChanged) -> messages.Message:
        self.told.append(told)
        return messages.Acknowledged(Status=0)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, lifespan="off"))
    serving = asyncio.create_task(server._serve(sockets=[listener]))  # serve() would take over the signals
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def both(dialect: Dialect = DIALECTS["standard"]) -> AsyncIterator[tuple[Here, Desk, Caller]]:
    here = Here()
    handlers: dict[str, Handler] = {"query_start_charge": here.start, "notification_stationStatus": here.status}
    desk = Desk([(as_seen_by_the_operator(dialect), handlers)], lambda: here.now)
    app = FastAPI()
    app.include_router(desk.router)
    async with served(app) as url, Caller(as_seen_by_the_platform(url, dialect), lambda: here.now) as caller:
        yield here, desk, caller


@pytest.mark.parametrize("dialect", [*DIALECTS.values(), Dialect(base_path="/evcs/v20160701/")])
async def test_a_charge_is_started_in_every_dialect(dialect: Dialect) -> None:
    async with both(dialect) as (here, desk, caller):
        answer = await caller.call("query_start_charge", START, messages.StartResponse)
    assert answer.StartChargeSeqStat == 1
    assert here.told == [START]
    assert not desk.refused


async def test_a_token_that_has_ended_is_asked_for_anew() -> None:
    async with both() as (here, desk, caller):
        for _ in range(3):
            await caller.call("query_start_charge", START, messages.StartResponse)
            here.now += timedelta(hours=1.5)
    assert len(here.told) == 3
    assert not desk.refused


async def test_a_partner_that_was_restarted_knows_no_token() -> None:
    async with both() as (here, desk, caller):
        await caller.call("query_start_charge", START, messages.StartResponse)
        desk._tokens._tokens.clear()
        await caller.call("query_start_charge", START, messages.StartResponse)
    assert len(here.told) == 2
    assert desk.refused == {(PLATFORM, Ret.BAD_TOKEN): 1}


async def test_a_wrong_secret_gets_no_token() -> None:
    async with both() as (here, _, caller):
        caller.partner = replace(caller.partner, our_secret="guessed")
        with pytest.raises(Refused, match="FailReason 2"):
            await caller.call("query_start_charge", START, messages.StartResponse)
    assert not here.told


async def test_who_is_not_there_is_unreachable() -> None:
    async with both() as (_, _, caller):
        pass
    async with Caller(caller.partner, lambda: NOW) as late:
        with pytest.raises(Unreachable, match=OPERATOR):
            await late.call("query_start_charge", START, messages.StartResponse)


async def test_a_page_of_a_proxy_is_no_answer() -> None:
    async with both() as (_, _, caller):
        caller.partner = replace(caller.partner, dialect=Dialect(base_path="/elsewhere"))
        with pytest.raises(Unreachable, match="404"):
            await caller.call("query_start_charge", START, messages.StartResponse)


def sealed(data: dict[str, Any] | None = None, key: str = KEY, at: datetime = NOW, seq: str = "0001") -> dict[str, Any]:
    return seal_request(AesHmacMd5(KEY, KEY, key), PLATFORM, START.on_wire() if data is None else data, at, seq)


async def posted(url: str, body: Any, token: str | None = None, interface: str = "query_start_charge") -> dict[str, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    content = body if isinstance(body, bytes) else httpx.Request("POST", url, json=body).content
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{url}/evcs/v1/{interface}", content=content, headers=headers)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize(
    ("body", "interface", "ret"),
    [
        (b"no json", "query_start_charge", Ret.BAD_PARAMETERS),
        (b"[" * 100_000, "query_start_charge", Ret.BAD_PARAMETERS),
        (b" " * (1 << 21), "query_start_charge", Ret.BAD_PARAMETERS),
        ([], "query_start_charge", Ret.BAD_PARAMETERS),
        ({**sealed(), "OperatorID": "999999999"}, "query_start_charge", Ret.BAD_PARAMETERS),
        ({**sealed(), "Seq": "0002"}, "query_start_charge", Ret.BAD_SIGNATURE),
        (sealed(key="another"), "query_start_charge", Ret.BAD_SIGNATURE),
        (sealed(at=NOW - timedelta(hours=1)), "query_start_charge", Ret.BAD_PARAMETERS),
        (sealed({"StartChargeSeq": "short"}), "query_start_charge", Ret.BAD_BUSINESS_PARAMETERS),
        (sealed({"ConnectorStatusInfos": []}), "notification_stationStatus", Ret.BAD_BUSINESS_PARAMETERS),
        (
            sealed({"ConnectorStatusInfos": [{"ConnectorID": "C1", "Status": 1}, {"ConnectorID": "C2", "Status": 9}]}),
            "notification_stationStatus",
            Ret.BAD_BUSINESS_PARAMETERS,
        ),
        (sealed(), "query_everything", Ret.BAD_PARAMETERS),
        (sealed(), "query_stop_charge", Ret.BAD_PARAMETERS),  # of the standard, not offered here
        (sealed({**START.on_wire(), "ConnectorID": "broken"}), "query_start_charge", Ret.SYSTEM),
    ],
)
async def test_bad_requests_are_refused_with_the_standards_code_and_harm_nobody(body: Any, interface: str, ret: Ret) -> None:
    async with both() as (here, desk, caller):
        await caller.call("query_start_charge", START, messages.StartResponse)
        refused = await posted(caller.partner.url, body, caller._token, interface)
        await caller.call("query_start_charge", START, messages.StartResponse)
    assert refused["Ret"] == ret
    assert "secret" not in refused["Msg"]
    assert sum(desk.refused.values()) == 1
    assert [each for each in here.told if isinstance(each, messages.StatusChanged)] == []


@pytest.mark.parametrize("token", [None, "guessed"])
async def test_without_a_token_only_a_token_may_be_asked_for(token: str | None) -> None:
    async with both() as (here, _, caller):
        refused = await posted(caller.partner.url, sealed(), token)
    assert refused["Ret"] == Ret.BAD_TOKEN
    assert not here.told


async def test_a_recorded_request_works_once() -> None:
    async with both() as (here, _, caller):
        await caller.call("query_start_charge", START, messages.StartResponse)
        body = sealed(seq="0777")
        first, second = [await posted(caller.partner.url, body, caller._token) for _ in range(2)]
    assert (first["Ret"], second["Ret"]) == (Ret.OK, Ret.BAD_PARAMETERS)
    assert len(here.told) == 2


async def test_a_refusal_is_signed_so_that_nobody_can_forge_one() -> None:
    async with both() as (_, _, caller):
        refused = await posted(caller.partner.url, sealed(at=NOW - timedelta(hours=1)))
    with pytest.raises(Refused, match="TimeStamp") as read:
        open_response(caller.partner.cipher, refused)
    assert read.value.ret == Ret.BAD_PARAMETERS


async def test_a_list_of_statuses_is_told_one_by_one() -> None:
    infos = [{"ConnectorID": f"C{n}", "Status": 3} for n in range(3)]
    async with both() as (here, _, caller):
        await caller.call("query_start_charge", START, messages.StartResponse)
        body = sealed({"ConnectorStatusInfos": infos}, seq="0777")
        answer = await posted(caller.partner.url, body, caller._token, "notification_stationStatus")
    assert answer["Ret"] == Ret.OK
    assert [each.ConnectorStatusInfo.ConnectorID for each in here.told[1:]] == ["C0", "C1", "C2"]  # type: ignore[attr-defined]


def test_secrets_stay_out_of_logs() -> None:
    assert "operator's" not in repr(as_seen_by_the_platform("http://there", DIALECTS["standard"]))
