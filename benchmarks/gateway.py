"""The OCPP gateway: what a MeterValues costs it beside the package `ocpp`; 5,000 charge points in one process, cut and back.

Every charge point here is of OCPP 1.6J, within a transaction, and tells 8 sampled values at a time. Servers and charge points
are processes of their own on this machine; CPU is that of all threads of the server's process.
"""

import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.gateway_load import START_WH, STEP_WH, Look
from benchmarks.report import Result

CHECKOUT = Path(__file__).resolve().parents[1]
PERIOD_S = 10.0  # a MeterValues of each charge point
GIVE_UP_S = 300.0


@dataclass(frozen=True)
class Size:
    """How long and how large: `flat_out` charge points tell as fast as they are answered, `sockets` one in each PERIOD_S."""

    flat_out: int
    windows: int
    window_s: float
    sockets: int
    warm: int
    paced_s: float


FULL = Size(flat_out=500, windows=3, window_s=10.0, sockets=5000, warm=50, paced_s=30.0)
QUICK = Size(flat_out=200, windows=1, window_s=2.0, sockets=500, warm=50, paced_s=5.0)


class Server:
    """A server process that has printed its port."""

    def __init__(self, module: str, *args: object) -> None:
        self._command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, args)]
        self._start("0")

    def _start(self, port: str) -> None:
        self._process = subprocess.Popen([*self._command, "--port", port], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"{' '.join(self._command[2:])} ended with status {self._process.wait()}")
        self.port = int(said)

    def kill(self) -> None:
        """As a power cut would end it, but for what the kernel has to write."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def restart(self) -> None:
        self._start(str(self.port))

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def cpu_s(self) -> float:
        """User and system seconds of all its threads, by the kernel's ticks of 10 ms."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kb(self) -> int:
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024


class Load:
    """A process of charge points."""

    def __init__(self, port: int, *args: object, trust: Path | None = None) -> None:
        address = f"{'wss' if trust else 'ws'}://127.0.0.1:{port}"
        trusted = ["--trust", str(trust)] if trust else []
        command = [sys.executable, "-m", "benchmarks.gateway_load", address, *map(str, args), *trusted]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=CHECKOUT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, command: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the charge points ended at {command!r}")
        return json.loads(answer)

    def look(self) -> Look:
        return Look(**self.ask("look"))


def run(*, quick: bool, seed: int) -> Iterator[Result]:
    size = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(dir=_disk()) as folder:
        yield from _beside_the_package(size, Path(folder), seed)
        yield from _in_strain(size, Path(folder), seed)


def _beside_the_package(size: Size, folder: Path, seed: int) -> Iterator[Result]:
    """Both servers in turns, one working while the other waits; then ours is killed at full speed."""
    count = size.flat_out
    what = f"1/CPU s, {count} flat out, median of {size.windows} x {size.window_s:g} s"
    database = folder / "flat_out.db"
    with (
        _server("gateway_server", database, "--count", count) as ours,
        _server("gateway_peer") as package,
        Load(ours.port, "--count", count, "--seed", seed) as our_load,
        Load(package.port, "--count", count, "--seed", seed) as package_load,
    ):
        our_load.ask("connect")
        package_load.ask("connect")
        ours_each, package_each = [], []
        for _ in range(size.windows):
            ours_each.append(_per_cpu_second(ours, our_load, size.window_s))
            package_each.append(_per_cpu_second(package, package_load, size.window_s))
        lost = _killed_flat_out(ours, our_load, database)
        refused = our_load.look().refused + package_load.look().refused
    own, peer = statistics.median(ours_each), statistics.median(package_each)
    yield Result("metervalues_per_core", own, what, "ocpp package, validating, storing nothing", peer)
    yield Result("ratio_to_ocpp_package", own / peer, "messages per CPU second", must={"min": 8}, aim={"min": 12})
    yield Result("refused_messages", refused, "of either server", must={"max": 0})
    yield Result("lost_messages_flat_out", lost, "acknowledged before kill -9", must={"max": 0})


def _per_cpu_second(server: Server, load: Load, window_s: float) -> float:
    """MeterValues answered in each CPU second of the server."""
    load.ask("flow 0")
    time.sleep(min(2.0, window_s))  # until it runs evenly
    cpu_s, begun = server.cpu_s(), load.look()
    time.sleep(window_s)
    ended, spent_s = load.look(), server.cpu_s() - cpu_s
    load.ask("hold")
    return (ended.acknowledged - begun.acknowledged) / spent_s


def _killed_flat_out(server: Server, load: Load, database: Path) -> int:
    load.ask("flow 0")
    time.sleep(1.0)
    server.kill()
    return _lost(load.ask("acknowledged"), database)


def _in_strain(size: Size, folder: Path, seed: int) -> Iterator[Result]:
    """So many sockets in one process, which is killed and restarted at once under their load."""
    count = size.sockets
    each = f"{count} sockets, one MeterValues each per {PERIOD_S:g} s"
    database = folder / "strain.db"
    with _server("gateway_server", database, "--count", count + size.warm) as server:
        with Load(server.port, "--first", count, "--count", size.warm, "--seed", seed) as warm:  # what is paid once only
            warm.ask("connect")
            warm.ask("flow 0")
            time.sleep(2.0)
        before_kb = server.resident_kb()
        with Load(server.port, "--count", count, "--seed", seed) as load:
            load.ask("connect")
            load.ask(f"flow {PERIOD_S}")
            time.sleep(min(PERIOD_S, size.paced_s))
            cpu_s, _ = server.cpu_s(), load.ask("begin")
            time.sleep(size.paced_s)
            steady, cpu_s = load.look(), server.cpu_s() - cpu_s
            socket_kb = (server.resident_kb() - before_kb) / count
            begun_s = time.monotonic()
            server.kill()
            server.restart()
            back_s = _back(load, begun_s)
            load.ask("hold")
            time.sleep(1.0)
            acknowledged = load.ask("acknowledged")
    yield Result(f"kb_per_socket_{count}", socket_kb, f"kB, {each}", aim={"max": 40})
    yield Result(f"p99_ms_{count}", steady.latency_p99_ms, f"ms, {each}", aim={"max": 250})
    yield Result(f"p50_ms_{count}", steady.latency_p50_ms, f"ms, {each}")
    yield Result(f"cpu_share_{count}", cpu_s / size.paced_s, f"CPU s per s, {each}")
    yield Result(f"reconnect_s_{count}", back_s, "s from kill -9 until all had booted and told all", aim={"max": 60})
    yield Result("lost_messages", _lost(acknowledged, database), "acknowledged, over a kill -9", must={"max": 0})


def _back(load: Load, begun_s: float) -> float:
    """Seconds until each charge point had noticed the cut, booted again and told what it had measured."""
    while True:
        first_s, last_s = load.look().caught_up_s
        if first_s > begun_s:
            return last_s - begun_s
        if time.monotonic() > begun_s + GIVE_UP_S:
            raise TimeoutError(f"not all charge points were back after {GIVE_UP_S:g} s")
        time.sleep(0.1)


def _lost(acknowledged: dict[str, int], database: Path) -> int:
    """MeterValues that were answered and are not in the database."""
    stored = defaultdict[str, set[int]](set)
    with sqlite3.connect(database) as connection:
        for (body,) in connection.execute("SELECT body FROM event WHERE kind = 'meter_sampled'"):
            event = json.loads(body)
            stored[event["evse_id"]].add(round((event["meter_wh"] - START_WH) / STEP_WH))
    return sum(number not in stored[each] for each, newest in acknowledged.items() for number in range(1, newest + 1))


@contextmanager
def _server(module: str, *args: object) -> Iterator[Server]:
    server = Server(module, *args)
    try:
        yield server
    finally:
        server.stop()


def _disk() -> str | None:
    """A folder that is a disk's: /tmp may be memory, where a commit costs nothing."""
    return "/var/tmp" if os.access("/var/tmp", os.W_OK) else None
