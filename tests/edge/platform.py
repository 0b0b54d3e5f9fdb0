"""A real `chargeloop serve`, in a process of its own."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.console.demo_process import free_port


class Platform:
    """Serves the built-in city, whose first `bays` EVSEs are chargers that are let in under the EVSE's name."""

    def __init__(self, folder: Path, bays: int) -> None:
        self.address, self.ocpp_port = f"http://127.0.0.1:{(http_port := free_port())}", free_port()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "chargeloop", "serve", "--http-port", str(http_port)),
                *("--ocpp-port", str(self.ocpp_port), "--ocpp-bays", str(bays), "--data-dir", str(folder)),
                *("--tick-s", "2", "--log-level", "error"),
            ]
        )

    def ready(self) -> "Platform":
        for _ in range(600):
            try:
                self.get("/health")
            except OSError:
                assert self._process.poll() is None, "the platform ended"
                time.sleep(0.2)
            else:
                break
        return self

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.address}/api/v1{path}", timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)
