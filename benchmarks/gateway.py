"""The OCPP gateway: what a MeterValues costs it beside the package `ocpp`; 5,000 charge points in one process, cut and back.

Every charge point here is of OCPP 1.6J, within a transaction, and tells 8 sampled values at a time; it proves itself by Basic
authentication, over plain sockets (security profile 1), then over TLS (profile 2). Servers and charge points are processes of
their own on this machine; CPU is that of all threads of the server's process.
"""

import json
import os
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

from benchmarks.gateway_load import Look, key_of
from benchmarks.report import Result

CHECKOUT = Path(__file__).resolve().parents[1]
PERIOD_S = 10.0  # between two MeterValues of a charge point
GIVE_UP_S = 300.0


@dataclass(frozen=True)
class Size:
    """`flat_out` charge points tell as fast as they are answered, `sockets` one in each PERIOD_S. Windows are seconds."""

    flat_out: int
    windows: int
    window_s: float
    sockets: int
    paced_s: float


FULL = Size(flat_out=500, windows=3, window_s=10.0, sockets=5000, paced_s=30.0)
QUICK = Size(flat_out=200, windows=1, window_s=1.5, sockets=500, paced_s=2.0)
WARM = 50  # charge points that make the server pay what it pays once only


@dataclass(frozen=True)
class Case:
    """One run of everything, over TLS where there is a certificate."""

    size: Size
    folder: Path
    certificate: Path | None
    seed: int

    @property
    def tls(self) -> str:
        return "_tls" if self.certificate else ""


class Server:
    """A server process that listens."""

    def __init__(self, case: Case, module: str, *args: object) -> None:
        certificate = ["--certificate", str(case.certificate)] if case.certificate else []
        self._command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, args), *certificate]
        self.port = 0
        self.start()

    def start(self) -> None:
        """Also again after a kill, on the same port."""
        command = [*self._command, "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"{' '.join(command[2:])} ended with status {self._process.wait()}")
        self.port = int(said)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

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

    def resident_kb(self) -> float:
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024


class Load:
    """A process of charge points; see `gateway_load` for what it can be asked."""

    def __init__(self, case: Case, server: Server, *args: object) -> None:
        url = f"{'wss' if case.certificate else 'ws'}://127.0.0.1:{server.port}"
        trust = ["--trust", str(case.certificate)] if case.certificate else []
        command = [sys.executable, "-m", "benchmarks.gateway_load", url, "--seed", str(case.seed), *map(str, args), *trust]
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
    with tempfile.TemporaryDirectory(dir=_disk()) as temporary:
        folder = Path(temporary)
        yield Result("disk_sync_ms", _disk_sync_ms(folder), "ms, median of one write of 4 kB, made durable")
        for certificate in (None, _certificate(folder)):
            case = Case(QUICK if quick else FULL, folder, certificate, seed)
            if not (quick and certificate):  # which has a minute only
                yield from _beside_the_package(case)
            yield from _thousands(case)


def _beside_the_package(case: Case) -> Iterator[Result]:
    """Both servers in turns, one working while the other waits; then ours is killed at full speed."""
    size, count = case.size, case.size.flat_out
    folder = case.folder / f"flat_out{case.tls}"
    with (
        _ours(case, folder, count) as ours,
        _server(case, "gateway_peer") as package,
        Load(case, ours, "--count", count, "--passwords", folder / "passwords.json") as our_load,
        Load(case, package, "--count", count) as package_load,
    ):
        our_load.ask("connect")
        package_load.ask("connect")
        rates = [
            (_per_cpu_second(ours, our_load, size.window_s), _per_cpu_second(package, package_load, size.window_s))
            for _ in range(size.windows)
        ]
        lost = _killed_flat_out(ours, our_load, folder)
        refused = our_load.look().refused + package_load.look().refused
    own, peer = (statistics.median(each) for each in zip(*rates, strict=True))
    what = f"1/CPU s, {count} flat out, median of {size.windows} x {size.window_s:g} s"
    yield Result(f"metervalues_per_core{case.tls}", own, what, "ocpp package, storing nothing", peer)
    yield Result(f"ratio_to_ocpp_package{case.tls}", own / peer, "of the two", must={"min": 8}, aim={"min": 12})
    yield Result(f"refused_messages{case.tls}", refused, "by either server", must={"max": 0})
    yield Result(f"lost_messages_flat_out{case.tls}", lost, "acknowledged before kill -9 at full speed", must={"max": 0})


def _per_cpu_second(server: Server, load: Load, window_s: float) -> float:
    """MeterValues answered in each CPU second of the server."""
    load.ask("flow 0")
    time.sleep(min(2.0, window_s))  # until it runs evenly
    spent_s, begun = server.cpu_s(), load.look().acknowledged
    time.sleep(window_s)
    spent_s, ended = server.cpu_s() - spent_s, load.look().acknowledged
    load.ask("hold")
    return (ended - begun) / spent_s


def _killed_flat_out(server: Server, load: Load, folder: Path) -> int:
    load.ask("flow 0")
    time.sleep(1.0)
    server.kill()
    return _lost(load.ask("acknowledged"), folder)


def _thousands(case: Case) -> Iterator[Result]:
    """So many sockets in one process: paced; ten times faster; then the process is killed and restarted at once."""
    size, count = case.size, case.size.sockets
    name, each = f"{count}{case.tls}", f"{count} sockets, one MeterValues each per"
    folder = case.folder / f"thousands{case.tls}"
    passwords = folder / "passwords.json"
    with _ours(case, folder, count + WARM) as server:
        with Load(case, server, "--first", count, "--count", WARM, "--passwords", passwords) as warm:
            warm.ask("connect")
            warm.ask("flow 0")
            time.sleep(1.0)
        before_kb = server.resident_kb()
        with Load(case, server, "--count", count, "--passwords", passwords) as load:
            load.ask("connect")
            paced, paced_cpu = _paced(server, load, PERIOD_S, size.paced_s)
            socket_kb = (server.resident_kb() - before_kb) / count
            fast, fast_cpu = _paced(server, load, PERIOD_S / 10, size.paced_s / 2)
            load.ask(f"flow {PERIOD_S}")
            time.sleep(1.0)
            killed_s = time.monotonic()
            server.kill()
            server.start()
            back_s = _back(load, killed_s)
            load.ask("hold")
            time.sleep(1.0)
            acknowledged = load.ask("acknowledged")
    yield Result(f"kb_per_socket_{name}", socket_kb, f"kB, {each} {PERIOD_S:g} s", aim={"max": 40})
    yield Result(f"p99_ms_{name}", paced.latency_p99_ms, f"ms, {each} {PERIOD_S:g} s", aim={"max": 250})
    yield Result(f"p50_ms_{name}", paced.latency_p50_ms, f"ms, {each} {PERIOD_S:g} s")
    yield Result(f"cpu_{name}", paced_cpu, f"CPU s per s, {each} {PERIOD_S:g} s")
    yield Result(f"p99_ms_{name}_tenfold", fast.latency_p99_ms, f"ms, {each} {PERIOD_S / 10:g} s")
    yield Result(f"cpu_{name}_tenfold", fast_cpu, f"CPU s per s, {each} {PERIOD_S / 10:g} s")
    yield Result(f"reconnect_s_{name}", back_s, "s from kill -9 until all had booted and told all", aim={"max": 60})
    yield Result(f"lost_messages{case.tls}", _lost(acknowledged, folder), "acknowledged, over a kill -9", must={"max": 0})


def _paced(server: Server, load: Load, period_s: float, window_s: float) -> tuple[Look, float]:
    """What is seen in a window that begins after one even period; the server's CPU seconds in each of its seconds."""
    load.ask(f"flow {period_s}")
    time.sleep(min(period_s, window_s))
    spent_s = server.cpu_s()
    load.ask("begin")
    time.sleep(window_s)
    return load.look(), (server.cpu_s() - spent_s) / window_s


def _back(load: Load, killed_s: float) -> float:
    """Seconds until each charge point had noticed the cut, booted again and told what it had measured."""
    while True:
        first_s, last_s = load.look().caught_up_s
        if first_s > killed_s:
            return last_s - killed_s
        if time.monotonic() > killed_s + GIVE_UP_S:
            raise TimeoutError(f"not all charge points were back after {GIVE_UP_S:g} s")
        time.sleep(0.1)


def _lost(acknowledged: dict[str, int], folder: Path) -> int:
    """MeterValues that were answered and are not in the database."""
    stored = defaultdict[str, set[str]](set)
    with sqlite3.connect(folder / "gateway.db") as connection:
        for charger_id, message_id in connection.execute(
            "SELECT charger_id, message_id FROM ocpp_frame WHERE action = 'MeterValues'"
        ):
            stored[charger_id].add(message_id)
    return sum(f"m{n}" not in stored[each] for each, newest in acknowledged.items() for n in range(1, newest + 1))


@contextmanager
def _ours(case: Case, folder: Path, count: int) -> Iterator[Server]:
    folder.mkdir()
    with _server(case, "gateway_server", folder, "--count", count) as server:
        yield server


@contextmanager
def _server(case: Case, module: str, *args: object) -> Iterator[Server]:
    server = Server(case, module, *args)
    try:
        yield server
    finally:
        server.stop()


def _certificate(folder: Path) -> Path:
    """A server's ECDSA certificate, of its own signature; its key beside it."""
    made = folder / "server.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = ["openssl", "req", "-x509", *curve, *names, "-days", "2", "-keyout", str(key_of(made)), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


def _disk() -> str | None:
    """A folder that is a disk's: /tmp may be memory, where making things durable costs nothing."""
    return "/var/tmp" if os.access("/var/tmp", os.W_OK) else None


def _disk_sync_ms(folder: Path) -> float:
    seconds = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(100):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - begun)
    return 1000 * statistics.median(seconds)
