"""`chargeloop edge` as a process: killed in the middle of a session, asked over HTTP, told a lower limit."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from chargeloop.cli import main
from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.model import MeterSampled, SessionEnded, SessionStarted
from chargeloop.persistence import Store
from chargeloop.protocols.ocpp import wire_time
from tests.console.demo_process import free_port
from tests.edge.meter_server import SimulatedMeter
from tests.edge.world import FaultProxy

SITE = """
name = "Small"
blind_kw = 10.0
unknown_tokens = "accept"
data_dir = "edge"

[[circuits]]
name = "grid"
limit_kw = 30.0

[meter]
host = "127.0.0.1"
port = {meter}

[[chargers]]
id = "C1"

[upstream]
url = "ws://127.0.0.1:{line}/ocpp"
retry_s = 0.3

[listen]
ocpp_port = {ocpp}
http_port = {http}
"""


class EdgeProcess:
    """Start it, ask it, kill it."""

    def __init__(self, folder: Path, meter: int, line: int) -> None:
        self.ocpp_port, self.http_port = free_port(), free_port()
        self._file = folder / "site.toml"
        self._file.write_text(SITE.format(meter=meter, line=line, ocpp=self.ocpp_port, http=self.http_port))
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "chargeloop", "edge", str(self._file), "--log-level", "error"])

    async def ready(self) -> "EdgeProcess":
        async with asyncio.timeout(60):
            while True:
                try:
                    await self.get("/state")
                except OSError:
                    assert self._process.poll() is None, "the edge ended"
                    await asyncio.sleep(0.1)
                else:
                    return self

    def kill(self) -> None:
        """SIGKILL, and start it again."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = self._start()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(20)

    async def get(self, path: str) -> Any:
        return json.loads(await self.read(path))

    async def read(self, path: str, method: str = "GET", body: object = None) -> str:
        def ask() -> str:
            data = None if body is None else json.dumps(body).encode()
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", data, headers, method=method)
            with urllib.request.urlopen(request, timeout=5) as answer:
                return str(answer.read().decode())

        return await asyncio.to_thread(ask)

    async def until(self, fits: Any) -> Any:
        """The state, once it fits."""
        async with asyncio.timeout(30):
            while not fits(state := await self.get("/state")):
                await asyncio.sleep(0.05)
            return state


@pytest.fixture
async def edge(tmp_path: Path, meter: SimulatedMeter, line: FaultProxy) -> AsyncIterator[EdgeProcess]:
    meter.say(5.0)
    edge = await EdgeProcess(tmp_path, meter.port, line.port).ready()
    yield edge
    assert edge.stop() == 0


class Stubborn:
    """A charger that tells each message until it is answered, over as many connections as that takes."""

    def __init__(self, port: int) -> None:
        self._url, self.limits_a, self._number = f"ws://127.0.0.1:{port}/ocpp/C1", list[float](), 0
        self._socket: ClientConnection | None = None
        self._pending: tuple[list[Any], asyncio.Future[Any]] | None = None

    async def run(self) -> None:
        while True:
            with suppress(OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                async with connect(self._url, subprotocols=[Subprotocol("ocpp1.6")], proxy=None) as self._socket:
                    await self._say()
                    async for text in self._socket:
                        await self._hear(json.loads(text))
            self._socket = None
            await asyncio.sleep(0.05)

    async def told(self, action: str, payload: dict[str, Any]) -> Any:
        """Its answer, however often it had to be told."""
        self._number += 1
        self._pending = ([2, f"{self._number}", action, payload], asyncio.get_running_loop().create_future())
        with suppress(ConnectionClosed):
            await self._say()
        return await asyncio.wait_for(self._pending[1], 60)

    async def _say(self) -> None:
        if self._socket is not None and self._pending is not None and not self._pending[1].done():
            await self._socket.send(json.dumps(self._pending[0]))

    async def _hear(self, frame: list[Any]) -> None:
        assert self._socket is not None
        if frame[0] == 2:
            await self._socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
            self._note(frame[3].get("csChargingProfiles", {"stackLevel": 0}))
        elif self._pending is not None and frame[1] == self._pending[0][1] and not self._pending[1].done():
            self._pending[1].set_result(frame[2])

    def _note(self, profile: dict[str, Any]) -> None:
        if profile["stackLevel"] == 1:
            self.limits_a.append(profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"])


def now() -> str:
    return wire_time(datetime.now(UTC))


def value(transaction: int, wh: int) -> dict[str, Any]:
    sample = {"timestamp": now(), "sampledValue": [{"value": str(wh)}]}
    return {"connectorId": 1, "transactionId": transaction, "meterValue": [sample]}


async def test_killed_in_mid_session_nothing_is_lost_or_told_twice(
    edge: EdgeProcess, gateway: OcppGateway, store: Store, line: FaultProxy
) -> None:
    charger = Stubborn(edge.ocpp_port)
    running = asyncio.create_task(charger.run())
    await charger.told("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    line.cut()
    start = {"connectorId": 1, "idTag": "T1", "meterStart": 1000, "timestamp": now()}
    await edge.until(lambda state: not state["chargers"][0]["link"])
    number = (await charger.told("StartTransaction", start))["transactionId"]
    assert number >= 2**30
    for wh in range(1100, 1400, 100):
        await charger.told("MeterValues", value(number, wh))
    edge.kill()  # all is told, nothing is with the platform
    await charger.told("MeterValues", value(number, 1500))
    await edge.until(lambda state: [each["transaction"] for each in state["chargers"][0]["sessions"]] == [str(number)])
    line.mend()
    telling = asyncio.create_task(charger.told("MeterValues", value(number, 1600)))
    edge.kill()  # while it tells the platform
    await telling
    assert (await charger.told("StartTransaction", start))["transactionId"] == number  # told again, known again
    await charger.told("StopTransaction", {"transactionId": number, "meterStop": 2000, "timestamp": now()})
    await edge.until(lambda state: state["chargers"][0]["backlog"] == 0)
    running.cancel()
    events = [event async for _, event in store.events_after(0)]
    assert [type(each) for each in events if isinstance(each, SessionStarted | SessionEnded)] == [SessionStarted, SessionEnded]
    assert [each.meter_wh for each in events if isinstance(each, MeterSampled)] == [1100, 1200, 1300, 1500, 1600]
    assert events[-1].meter_wh == 2000  # type: ignore[union-attr]


async def test_it_tells_what_goes_on_and_takes_a_lower_limit(edge: EdgeProcess, meter: SimulatedMeter) -> None:
    charger = Stubborn(edge.ocpp_port)
    running = asyncio.create_task(charger.run())
    await charger.told("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    await charger.told("StartTransaction", {"connectorId": 1, "idTag": "T1", "meterStart": 1000, "timestamp": now()})
    state = await edge.until(lambda state: state["chargers"][0]["is_obeying"] and state["chargers"][0]["cap_kw"] > 10)
    assert state["status"] == "ok"
    assert state["meter"]["kw"] == pytest.approx(5.0)
    await edge.read("/limit", "PUT", {"kw": 8.0})
    await edge.until(lambda state: 0 < state["chargers"][0]["cap_kw"] < 8)
    assert 6 <= charger.limits_a[-1] < 12
    assert (await edge.get("/health"))["status"] == "ok"
    metrics = await edge.read("/metrics")
    assert 'chargeloop_edge_limit{row="grid kW"} 8.0' in metrics
    assert "chargeloop_edge_blind 0.0" in metrics
    assert "<html" in await edge.read("/")
    with pytest.raises(urllib.error.HTTPError, match="422"):
        await edge.read("/limit", "PUT", {"kw": -1})
    running.cancel()


def test_what_is_wrong_with_the_file_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.toml"
    sound = SITE.format(meter=502, line=9000, ocpp=0, http=0)
    file.write_text(sound)
    assert main(["edge", str(file), "--check"]) == 0
    for wrong, said in (
        (sound.replace("limit_kw = 30.0", ""), "needs limit_kw, limit_a or both"),
        (sound.replace("blind_kw = 10.0", ""), "blind_kw"),
        (sound.replace('id = "C1"', 'id = "C1"\ncircuit = "west"'), "circuit must be one of grid"),
        (sound.replace('id = "C1"', 'id = "C1"\nphases = 2'), "phases"),
        (sound.replace('id = "C1"', 'id = "C:1"'), "no colon"),
        (sound.replace('id = "C1"', 'id = "C1"\nfallback_kw = 11'), "more than blind_kw"),
        (sound.replace("retry_s", "retries"), "retries"),
        (sound.replace("ws://", "http://"), "ws:// or wss://"),
        (sound + 'tls_key = "key.pem"', "belong together"),
        ('passwords = "none.toml"\n' + sound, "none.toml"),
        ("name =", "site.toml"),
    ):
        file.write_text(wrong)
        capsys.readouterr()
        assert main(["edge", str(file), "--check"]) == 2
        out = capsys.readouterr().err
        assert said in out
        assert out.count("\n") == 1


def test_passwords_are_for_their_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, passwords = tmp_path / "site.toml", tmp_path / "passwords.toml"
    file.write_text('passwords = "passwords.toml"\n' + SITE.format(meter=502, line=9000, ocpp=0, http=0))
    passwords.write_text('C1 = "0123456789abcdef"\n')
    passwords.chmod(0o644)
    assert main(["edge", str(file), "--check"]) == 2
    assert "chmod 600" in capsys.readouterr().err
    passwords.chmod(0o600)
    assert main(["edge", str(file), "--check"]) == 0
    passwords.write_text('C2 = "0123456789abcdef"\n')
    assert main(["edge", str(file), "--check"]) == 2
    assert "C2: no such charger" in capsys.readouterr().err
