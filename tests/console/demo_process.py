"""A real `chargeloop demo` on ports of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class DemoProcess:
    """Start it, ask it, kill parts of it."""

    def __init__(self, folder: Path, chargers: int = 40, speed: int = 60) -> None:
        self.address = f"http://127.0.0.1:{(port := free_port())}"
        self.database = folder / "demo" / "chargeloop.db"
        command = [
            *(sys.executable, "-m", "chargeloop", "demo", "--http-port", str(port), "--ocpp-port", str(free_port())),
            *("--data-dir", str(folder), "--chargers", str(chargers), "--speed", str(speed), "--log-level", "warning"),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.wait(lambda: self.get("/kpis")["busy_bays"] > 0)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)

    def get(self, path: str) -> Any:
        return self._ask(urllib.request.Request(f"{self.address}/api/v1{path}"))

    def post(self, path: str, body: object) -> Any:
        headers = {"Content-Type": "application/json"}
        return self._ask(urllib.request.Request(f"{self.address}/api/v1{path}", json.dumps(body).encode(), headers))

    def _ask(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def wait(self, happened: Callable[[], bool], within_s: float = 120) -> None:
        deadline = time.monotonic() + within_s
        while True:
            try:
                if happened():
                    return
            except (OSError, urllib.error.URLError):
                pass
            assert self._process.poll() is None, "the demo ended"
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.2)

    def kill_server(self) -> None:
        """SIGKILL, and wait until the demo has started it again."""
        (server,) = [pid for pid in _children(self._process.pid) if "serve" in _command(pid)]
        os.kill(server, signal.SIGKILL)
        self.wait(lambda: any("serve" in _command(pid) for pid in _children(self._process.pid) if pid != server))
        self.wait(lambda: bool(self.get("/live")))


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")
    except OSError:
        return []
