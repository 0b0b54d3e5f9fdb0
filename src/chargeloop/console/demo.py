"""`chargeloop demo`: the server and the city twin as two processes, on a clock of their own, watched and restarted."""

import argparse
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from zoneinfo import ZoneInfo

from chargeloop.city import load_city
from chargeloop.console.server import listen
from chargeloop.loop import Clock
from chargeloop.model import City, Unreachable
from chargeloop.physics import local

FIRST_MAP_S = 120.0
RESTARTS_A_MINUTE = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--speed", type=float, default=30.0, help="domain seconds per second (default 30)")
    parser.add_argument("--level", type=float, default=0.8, help="demand; 1.0 begins to saturate the city (default 0.8)")
    parser.add_argument("--chargers", type=int, default=200, help="bays that connect by OCPP (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the twin's drivers (default 1)")
    parser.add_argument("--start", type=datetime.fromisoformat, help="ISO time with offset (default a Tuesday, 17:30)")


def run(args: argparse.Namespace) -> int:
    for port, flag in ((args.http_port, "--http-port"), (args.ocpp_port, "--ocpp-port")):
        listen(args.host, port, flag).close()  # a port that is taken is told before anything starts
    city = load_city(args.city)
    clock = Clock.starting(args.start or usual_start(city), args.speed)
    folder = Path(args.data_dir) / "demo"
    shutil.rmtree(folder, ignore_errors=True)  # each demo is a new day
    demo = Demo(args, clock, folder)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end, it ends its processes too
    try:
        demo.start()
        address = f"http://{args.host}:{args.http_port}"
        sys.stdout.write(f"{city.name}: console {address}/   driver {address}/drive   API {address}/api/docs\n")
        sys.stdout.write("Ctrl-C ends it.\n")
        sys.stdout.flush()
        demo.watch()
    finally:
        demo.stop()
    return 0


def usual_start(city: City) -> datetime:
    """The last Tuesday 17:30 (local) that the demand history reaches: rush hour of a working day."""
    end = local(city.demand.start + timedelta(hours=len(city.demand.energy_kwh) + 1), city.time_zone)
    day = end.replace(hour=17, minute=30, second=0, microsecond=0)
    while day > end or day.weekday() != 1:
        day -= timedelta(days=1)
    return day.replace(tzinfo=ZoneInfo(city.time_zone)).astimezone(UTC)


class Demo:
    """The two processes. A server that dies is started again with the same clock and database; so is the twin."""

    def __init__(self, args: argparse.Namespace, clock: Clock, folder: Path) -> None:
        self._address = (args.host, args.http_port)
        self._environment = {**os.environ, "CHARGELOOP_FEED_TOKEN": secrets.token_urlsafe(24)}
        city = ["--city", str(args.city)] if args.city else []
        ports = ["--host", args.host, "--http-port", str(args.http_port), "--ocpp-port", str(args.ocpp_port)]
        self._server_command = [
            *(sys.executable, "-m", "chargeloop", "serve", *ports, *city, "--data-dir", str(folder)),
            *("--clock", str(clock), "--tick-s", str(max(args.tick_s, args.speed)), "--ocpp-bays", str(args.chargers)),
            *(("--settings", args.settings) if args.settings else ()),
            *("--log-level", args.log_level, "--parent", str(os.getpid())),
        ]
        self._twin_command = [
            *(sys.executable, "-m", "chargeloop.simulation.live", *city, "--clock", str(clock)),
            *("--server", f"http://{args.host}:{args.http_port}", "--ocpp", f"ws://{args.host}:{args.ocpp_port}/ocpp"),
            *("--token-env", "CHARGELOOP_FEED_TOKEN", "--chargers", str(args.chargers), "--parent", str(os.getpid())),
            *("--level", str(args.level), "--seed", str(args.seed)),
        ]
        self._server: subprocess.Popen[bytes] | None = None
        self._twin: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start both and wait for the first picture.

        Raises:
            Unreachable: the server ended, or did not answer in time.
        """
        self._server = self._spawn(self._server_command)
        self._twin = self._spawn(self._twin_command)
        deadline = time.monotonic() + FIRST_MAP_S
        while not self._alive():
            if self._server.poll() is not None:
                raise Unreachable("the server did not start; its message is above")
            if time.monotonic() > deadline:
                raise Unreachable(f"the server did not answer within {FIRST_MAP_S:.0f} s")
            time.sleep(0.2)

    def watch(self) -> None:
        """Restart whichever process dies; give up where one dies again and again."""
        deaths: list[float] = []
        while True:
            time.sleep(0.5)
            if self._server is not None and self._server.poll() is not None:
                deaths.append(time.monotonic())
                self._server = self._spawn(self._server_command)
            if self._twin is not None and self._twin.poll() is not None:
                deaths.append(time.monotonic())
                self._twin = self._spawn(self._twin_command)
            if sum(at > time.monotonic() - 60 for at in deaths) > RESTARTS_A_MINUTE:
                raise Unreachable("a process of the demo ends again and again; its messages are above")

    def stop(self) -> None:
        for process in (self._twin, self._server):
            if process is not None and process.poll() is None:
                process.terminate()
        for process in (self._twin, self._server):
            if process is not None:
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=self._environment, start_new_session=True)  # noqa: S603 (our own program)

    def _alive(self) -> bool:
        connection = HTTPConnection(*self._address, timeout=2)
        try:
            connection.request("GET", "/api/v1/live")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
