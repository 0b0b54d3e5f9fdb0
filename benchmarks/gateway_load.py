"""A process full of OCPP 1.6J charge points, as light as they can be, for the benchmark of the gateway.

Each charge point boots, starts one transaction and tells MeterValues: as fast as they are answered, or one in each period,
always with one open call at a time (OCPP-J 1.6, 4.1.1). While its link is cut it goes on measuring; it connects again with the
standard's back-off in small, boots, and tells what was not acknowledged, the oldest first.

Commands are lines of stdin, each answered by one line of JSON: `connect` (all of them), `flow PERIOD_S` (tell MeterValues;
0: as fast as they are answered), `hold` (measure no more), `begin` (forget the latencies), `look` (a `Look`), `acknowledged`
(how many MeterValues of each charge point were answered).
"""

import argparse
import asyncio
import json
import random
import resource
import signal
import ssl
import sys
import time
from array import array
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

AT_ONCE = 100  # handshakes under way while all connect for the first time
CONNECT_WITHIN_S = 300.0
WAIT_MIN_S, WAIT_RANDOM_S, DOUBLINGS = 1.0, 1.0, 1  # the back-off: 1 to 2 s, then 2 to 4 s
TICK_S = 0.01  # of the pacing
START_WH, STEP_WH = 1000, 10  # the register before the first MeterValues, and what each adds: its number can be read from it

BOOT = (
    '[2,"%s","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"B1","chargePointSerialNumber":"%s",'
    '"firmwareVersion":"1.0"}]'
)
START = '[2,"%s","StartTransaction",{"connectorId":1,"idTag":"%s","meterStart":%d,"timestamp":"%s"}]'
METER_VALUES = (
    '[2,"%s","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%s","sampledValue":['
    '{"value":"%d","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","location":"Outlet","unit":"Wh"},'
    '{"value":"%d","context":"Sample.Periodic","measurand":"Power.Active.Import","location":"Outlet","unit":"W"},'
    '{"value":"16.%d","context":"Sample.Periodic","measurand":"Current.Import","phase":"L1","location":"Outlet","unit":"A"},'
    '{"value":"15.%d","context":"Sample.Periodic","measurand":"Current.Import","phase":"L2","location":"Outlet","unit":"A"},'
    '{"value":"15.%d","context":"Sample.Periodic","measurand":"Current.Import","phase":"L3","location":"Outlet","unit":"A"},'
    '{"value":"23%d.1","context":"Sample.Periodic","measurand":"Voltage","phase":"L1-N","location":"Outlet","unit":"V"},'
    '{"value":"%d","context":"Sample.Periodic","measurand":"SoC","location":"EV","unit":"Percent"},'
    '{"value":"3%d.5","context":"Sample.Periodic","measurand":"Temperature","location":"Body","unit":"Celsius"}]}]}]'
)


@dataclass(frozen=True)
class Look:
    """The state of all charge points. Latencies are those since `begin`, from when a MeterValues was due to its answer.

    `caught_up_s`: when the first and the last of them had booted and told all since their links were cut; 0 while one has not.
    Times are monotonic. `refused`: answers that were an error.
    """

    at_s: float
    connected: int
    caught_up_s: tuple[float, float]
    acknowledged: int
    refused: int
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float


class Fleet:
    """What the charge points of this process have in common."""

    def __init__(self, url: str, names: list[str], passwords: dict[str, str], trust: str | None, seed: int) -> None:
        self.url, self.random = url, random.Random(seed)
        self.tls = ssl.create_default_context(cafile=trust) if trust else None
        self.latencies_s = array("d")
        self.refused = 0
        self.is_flat_out = False
        self._pacing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.points = [Point(self, each, passwords.get(each, "")) for each in names]

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def connect(self) -> None:
        """Connect all, and return once each has booted and begun to charge.

        Raises:
            TimeoutError: some did not come so far.
        """
        gate = asyncio.Semaphore(AT_ONCE)

        async def first(point: Point) -> None:
            async with gate:
                await point.connect()

        async with asyncio.timeout(CONNECT_WITHIN_S):
            await asyncio.gather(*(first(each) for each in self.points))
            while any(each.transaction is None for each in self.points):
                await asyncio.sleep(TICK_S)

    def flow(self, period_s: float) -> None:
        self.hold()
        self.is_flat_out = period_s == 0
        if self.is_flat_out:
            for each in self.points:
                each.due(time.monotonic())
        else:
            self._pacing = self.spawn(self._pace(period_s))

    def hold(self) -> None:
        self.is_flat_out = False
        if self._pacing is not None:
            self._pacing.cancel()

    async def _pace(self, period_s: float) -> None:
        """Each charge point's MeterValues are due once in each period, spread evenly over it."""
        turn, count, begun = 0, len(self.points), time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            while turn < (now - begun) * count / period_s:
                self.points[turn % count].due(now)
                turn += 1

    def look(self) -> Look:
        p50, p99, longest = np.quantile(self.latencies_s, (0.5, 0.99, 1.0)) * 1000 if self.latencies_s else (0.0, 0.0, 0.0)
        caught_up = [each.caught_up_s for each in self.points]
        return Look(
            at_s=time.monotonic(),
            connected=sum(each.transport is not None for each in self.points),
            caught_up_s=(min(caught_up), max(caught_up)),
            acknowledged=sum(each.acknowledged for each in self.points),
            refused=self.refused,
            latency_p50_ms=float(p50),
            latency_p99_ms=float(p99),
            latency_max_ms=float(longest),
        )


class Point(WSListener):
    """One charge point. MeterValues number n (from 1) has the message id `m<n>` and the register START_WH + n STEP_WH."""

    def __init__(self, fleet: Fleet, identity: str, password: str) -> None:
        self.fleet, self.identity = fleet, identity
        authorization = b64encode(f"{identity}:{password}".encode()).decode()
        self._headers = {"Sec-WebSocket-Protocol": "ocpp1.6", "Authorization": f"Basic {authorization}"}
        self.transport: WSTransport | None = None
        self.transaction: int | None = None
        self.acknowledged = 0
        self.caught_up_s = 0.0
        self._open = b""  # what the answer to the open call begins with
        self._on_answer: Callable[[bytes], None] = self._booted
        self._due_s: deque[float] = deque()  # of what was measured and not acknowledged
        self._links = 0

    async def connect(self) -> None:
        """Until it succeeds; no proxy is asked."""
        attempt = 0
        while True:
            try:
                await ws_connect(
                    lambda: self,
                    f"{self.fleet.url}/ocpp/{self.identity}",
                    ssl_context=self.fleet.tls,
                    websocket_handshake_timeout=30,
                    extra_headers=self._headers,
                    read_buffer_init_size=512,
                )
            except Exception:  # whatever kept it from connecting: it tries again
                await self._wait(attempt)
                attempt += 1
            else:
                return

    async def _wait(self, attempt: int) -> None:
        """OCPP 2.0.1 part 4, 5.3: a minimum and a random part, doubled with each attempt up to a number of times."""
        wait_s = WAIT_MIN_S + self.fleet.random.random() * WAIT_RANDOM_S
        await asyncio.sleep(wait_s * 2 ** min(attempt, DOUBLINGS))

    def due(self, now: float) -> None:
        """Something was measured."""
        self._due_s.append(now)
        if self.caught_up_s and len(self._due_s) == 1:
            self._meter_values()

    # --- what picows calls --------------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self._links += 1
        message_id = f"b{self._links}"
        self._call(message_id, BOOT % (message_id, self.identity), self._booted)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            text = frame.get_payload_as_bytes()
            if text.startswith(self._open):
                self._on_answer(text)
            elif text.startswith(b"[4"):
                self.fleet.refused += 1
            elif text.startswith(b"[2"):  # it is asked for its settings, once: that is not what is measured
                transport.send(WSMsgType.TEXT, json.dumps([4, json.loads(text)[1], "NotImplemented", "", {}]).encode())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self.transport = None
        self.caught_up_s = 0.0
        self.fleet.spawn(self._again())

    async def _again(self) -> None:
        await self._wait(0)
        await self.connect()

    # --- the course of a charge point ---------------------------------------------------------------------------------

    def _call(self, message_id: str, text: str, on_answer: Callable[[bytes], None]) -> None:
        self._open, self._on_answer = f'[3,"{message_id}"'.encode(), on_answer
        if self.transport is not None:
            self.transport.send(WSMsgType.TEXT, text.encode())

    def _booted(self, answer: bytes) -> None:
        said = json.loads(answer)[2]
        if said["status"] != "Accepted":
            raise ValueError(f"boot of {self.identity} was answered {said}")
        if self.transaction is None:
            self._call("s1", START % ("s1", self.identity, START_WH, _now()), self._started)
        else:
            self._next()

    def _started(self, answer: bytes) -> None:
        self.transaction = int(json.loads(answer)[2]["transactionId"])
        self._next()

    def _next(self) -> None:
        """The oldest that was not acknowledged."""
        if self._due_s:
            self._meter_values()
        elif not self.caught_up_s:
            self.caught_up_s = time.monotonic()

    def _meter_values(self) -> None:
        n = self.acknowledged + 1
        digit, message_id = n % 10, f"m{n}"
        values = (START_WH + n * STEP_WH, 7000 + n % 400, digit, digit, 9 - digit, digit, 20 + n // 10 % 80, digit)
        self._call(message_id, METER_VALUES % (message_id, self.transaction, _now(), *values), self._told)

    def _told(self, _answer: bytes) -> None:
        self.acknowledged += 1
        now = time.monotonic()
        self.fleet.latencies_s.append(now - self._due_s.popleft())
        if self.fleet.is_flat_out:
            self._due_s.append(now)
        self._next()


def identity(number: int) -> str:
    return f"BENCH-{number:05d}"


def key_of(certificate: Path) -> Path:
    """Where the key of a certificate is kept."""
    return certificate.with_suffix(".key")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def raise_open_files() -> None:
    """As many sockets as this user may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _obey(fleet: Fleet) -> None:
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        answer: object = None
        match line.decode().split():
            case ["connect"]:
                await fleet.connect()
            case ["flow", period_s]:
                fleet.flow(float(period_s))
            case ["hold"]:
                fleet.hold()
            case ["begin"]:
                fleet.latencies_s = array("d")
            case ["look"]:
                answer = asdict(fleet.look())
            case ["acknowledged"]:
                answer = {each.identity: each.acknowledged for each in fleet.points}
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--first", type=int, default=0, help="number of the first charge point")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--passwords", type=Path, help="file of the charge points' passwords")
    parser.add_argument("--trust", help="file of the certificate that signed the server's")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    raise_open_files()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the benchmark ends us, by closing stdin

    passwords = json.loads(args.passwords.read_text()) if args.passwords else {}
    names = [identity(args.first + number) for number in range(args.count)]

    async def run() -> None:
        await _obey(Fleet(args.url, names, passwords, args.trust, args.seed))

    asyncio.run(run())


if __name__ == "__main__":
    main()
