"""An operator's server and a supervision platform run against each other by T/CEC 102, with a charger, a crash and a cut."""

import asyncio
import base64
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from chargeloop.cli import main
from chargeloop.console.partners import read_partners
from chargeloop.gateway.partners.tcec102 import Caller, Desk, Partner, PlatformSide, charge_number
from chargeloop.model import BadInput
from chargeloop.persistence import PartnerBook, Store
from chargeloop.protocols.tcec102 import AesHmacMd5, ConnectorStatus, FailReason, StartChargeSeqStat, SuccStat
from tests.console.demo_process import free_port

KEY = "1234567890abcdef"
OPERATOR, PLATFORM = "395815801", "MA005DBW1"
FILE = """
[[tcec102]]
operator_id = "MA005DBW1"
our_id = "395815801"
they_are = "platform"
url = "{url}"
data_secret = "1234567890abcdef"
data_secret_iv = "1234567890abcdef"
sig_secret = "1234567890abcdef"
our_secret = "operator's"
their_secret = "platform's"
"""


class Wallbox(ChargePoint):  # type: ignore[misc]
    """A charger with a vehicle at it: starts and stops as it is told."""

    transaction = 0
    meter = 1000

    @on("RemoteStartTransaction")  # type: ignore[untyped-decorator]
    async def start_by_remote(self, id_tag: str, **_: Any) -> call_result.RemoteStartTransaction:
        self.begun = asyncio.create_task(self._charge(id_tag))
        return call_result.RemoteStartTransaction("Accepted")

    @on("RemoteStopTransaction")  # type: ignore[untyped-decorator]
    async def stop_by_remote(self, transaction_id: int, **_: Any) -> call_result.RemoteStopTransaction:
        self.ended = asyncio.create_task(self._stop(transaction_id))
        return call_result.RemoteStopTransaction("Accepted")

    @on("SetChargingProfile")  # type: ignore[untyped-decorator]
    async def limit(self, **_: Any) -> call_result.SetChargingProfile:
        return call_result.SetChargingProfile("Accepted")

    async def _charge(self, id_tag: str) -> None:
        started = await self.call(call.StartTransaction(1, id_tag, 1000, _now()))
        assert started.id_tag_info["status"] == "Accepted"
        await self.call(call.StatusNotification(1, "NoError", "Charging"))

    async def _stop(self, transaction_id: int) -> None:
        await self.call(call.StopTransaction(8500, _now(), transaction_id, reason="Remote"))
        await self.call(call.StatusNotification(1, "NoError", "Available"))


async def plug_in(url: str, password: str) -> None:
    """Stay connected, for as long as it takes."""
    login = {"Authorization": "Basic " + base64.b64encode(f"BOX-1:{password}".encode()).decode()}
    async for connection in connect(url, subprotocols=[Subprotocol("ocpp1.6")], additional_headers=login, proxy=None):
        box = Wallbox("BOX-1", connection)
        listening = asyncio.create_task(box.start())
        try:
            await box.call(call.BootNotification("Wallbox M", "Maker"))
            await listening
        except (ConnectionClosed, TimeoutError):
            continue


class OperatorProcess:
    """`chargeloop serve --partners`, its charger's password, and its end."""

    def __init__(self, folder: Path, platform_url: str) -> None:
        (folder / "partners.toml").write_text(FILE.format(url=platform_url))
        self.port, self.ocpp_port, self._folder = free_port(), free_port(), folder
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        ports = ("--http-port", str(self.port), "--ocpp-port", str(self.ocpp_port))
        rest = ("--data-dir", str(self._folder / "data"), "--partners", str(self._folder / "partners.toml"), "--tick-s", "1")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chargeloop", "serve", *ports, *rest], env=os.environ | {"CHARGELOOP_LOG_LEVEL": "error"}
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@asynccontextmanager
async def operator(folder: Path, platform_url: str) -> AsyncIterator[OperatorProcess]:
    running = OperatorProcess(folder, platform_url)
    try:
        await until(lambda: answers(running.url))
        yield running
    finally:
        running.kill()


async def answers(url: str) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            return (await http.get(f"{url}/api/v1/health")).status_code == 200
        except httpx.HTTPError:
            return False


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(90):
        while not await happened():
            await asyncio.sleep(0.1)


@asynccontextmanager
async def platform(store: Store, port: int) -> AsyncIterator[PlatformSide]:
    """A supervision platform's own server; `port`: to come back at after a cut."""
    book = PartnerBook(store)
    side = PlatformSide(book)
    desk = Desk([(as_seen_here(""), side.handlers)], lambda: datetime.now(UTC))
    app = FastAPI()
    app.include_router(desk.router)
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, lifespan="off"))
    serving = asyncio.create_task(server._serve(sockets=[listener]))  # serve() would take over the signals
    try:
        yield side
    finally:
        server.should_exit = True
        await serving


def as_seen_here(url: str) -> Partner:
    return Partner(OPERATOR, PLATFORM, url, AesHmacMd5(KEY, KEY, KEY), "platform's", "operator's")


def _now() -> str:
    return datetime.now(UTC).isoformat()


async def test_a_charge_is_told_once_through_a_crash_and_a_cut(tmp_path: Path) -> None:
    port, seq = free_port(), charge_number(PLATFORM)
    store = await Store.open(tmp_path / "platform.db")
    async with (
        operator(tmp_path, f"http://127.0.0.1:{port}") as there,
        Caller(as_seen_here(there.url), lambda: datetime.now(UTC)) as caller,
    ):
        async with platform(store, port) as side:
            assert await side.read_stations(caller) > 400
            station = (await side.stations(OPERATOR))[0]
            connector = station.EquipmentInfos[0].ConnectorInfos[0].ConnectorID
            offline = await side.start(caller, connector)
            assert (offline.SuccStat, offline.FailReason) == (SuccStat.FAILED, FailReason.OFFLINE)
            assert (await side.start(caller, "nowhere")).FailReason == FailReason.NO_SUCH_DEVICE

            async with httpx.AsyncClient(base_url=f"{there.url}/api/v1") as http:
                ocpp_url = f"ws://127.0.0.1:{there.ocpp_port}/ocpp/BOX-1"
                assert await first_contact(ocpp_url) == "Pending"
                wanted = {"station_id": station.StationID, "evse_ids": [connector], "security_profile": 1}
                adopted = await http.post("/chargers/BOX-1/adopt", json=wanted)
                adopted.raise_for_status()
            box = asyncio.create_task(plug_in(ocpp_url, adopted.json()["password"]))

            async def is_free() -> bool:
                return (await side.start(caller, connector, seq)).SuccStat == SuccStat.OK

            await until(is_free)
            assert (await side.start(caller, connector, seq)).SuccStat == SuccStat.OK  # again: nothing starts twice

            async def is_charging() -> bool:
                charging = await side.charge_state(OPERATOR, seq) == StartChargeSeqStat.CHARGING
                return charging and (await side.statuses(OPERATOR))[connector] == ConnectorStatus.CHARGING

            await until(is_charging)
            there.kill()
            there.start()
            await until(lambda: answers(there.url))

        # the platform is away while the charge ends
        async def is_stopped() -> bool:
            return (await side.stop(caller, seq, connector)).SuccStat == SuccStat.OK

        await until(is_stopped)
        await asyncio.sleep(3)
        async with platform(store, port) as side:

            async def is_billed() -> bool:
                return seq in await side.orders(OPERATOR)

            await until(is_billed)
            assert await side.charge_state(OPERATOR, seq) == StartChargeSeqStat.ENDED
            orders = await side.orders(OPERATOR)
            assert [float(order.TotalPower) for order in orders.values()] == [7.5]
            assert (await side.stop(caller, seq, connector)).FailReason == FailReason.ALREADY_STOPPED
        box.cancel()
    await store.close()


async def first_contact(url: str) -> str:
    async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], proxy=None) as connection:
        box = Wallbox("BOX-1", connection)
        listening = asyncio.create_task(box.start())
        booted = await box.call(call.BootNotification("Wallbox M", "Maker"))
        listening.cancel()
    return str(booted.status)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (('they_are = "platform"', 'they_are = "friends"'), "they_are"),
        (('our_id = "395815801"', 'our_id = "1"'), "our_id"),
        (('data_secret = "1234567890abcdef"', 'data_secret = "short"'), "data_secret"),
        (('url = "http', 'dialect = "klingon"\nurl = "http'), "dialect"),
        (("[[tcec102]]", "[[tcec103]]"), "tcec103"),
        (("[[tcec102]]", "[[tcec102"), "TOML"),
    ],
)
def test_a_partners_file_that_is_wrong_is_named(
    change: tuple[str, str], what: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "partners.toml"
    path.write_text(FILE.format(url="http://there").replace(*change))
    with pytest.raises(BadInput, match=what):
        read_partners(path)
    assert main(["serve", "--partners", str(path), "--data-dir", str(tmp_path / "data")]) == 2
    said = capfd.readouterr().err
    assert "partners.toml" in said
    assert "short" not in said


def test_a_partner_twice_or_no_file(tmp_path: Path) -> None:
    path = tmp_path / "partners.toml"
    with pytest.raises(BadInput, match="No such file"):
        read_partners(path)
    path.write_text(FILE.format(url="http://there") * 2)
    with pytest.raises(BadInput, match="twice"):
        read_partners(path)
    assert "1234567890" not in repr(read_partners_once(path))


def read_partners_once(path: Path) -> object:
    path.write_text(FILE.format(url="http://there"))
    return read_partners(path)
