"""The how-to "Connect my first charger", run as written: its commands in a shell, its charger on real sockets and over TLS."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.demo_process import free_port

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to-connect-a-charger.md"
WAIT = "until curl -sf http://127.0.0.1:8080/api/v1/health > health.json; do kill -0 %1 || exit 9; sleep 0.2; done"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page's commands print, one after the other. Only ports are others, so that several can run at once."""
    folder = tmp_path_factory.mktemp("how-to")
    (folder / ".venv").symlink_to(sys.prefix)
    page, wait, ports = PAGE.read_text(encoding="utf-8").replace("sleep 30", "sleep 4"), WAIT, {"CHARGELOOP_TICK_S": "1"}
    for port, setting in (("8080", "HTTP_PORT"), ("9000", "OCPP_PORT"), ("9443", "OCPP_TLS_PORT")):
        free = ports[f"CHARGELOOP_{setting}"] = str(free_port())
        page, wait = page.replace(port, free), wait.replace(port, free)
    (folder / "charger.py").write_text(re.findall(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0])
    commands = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    script = "set -m\n" + "\n".join(each.replace(" &\n", f" &\n{wait}\n") for each in commands) + "\nkill %%; wait\n"
    environment = os.environ | {"CHARGELOOP_LOG_LEVEL": "error", **ports}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    return done.stdout + done.stderr


def test_an_unknown_charger_waits_then_charges_and_charges_over_tls(said: str) -> None:
    assert re.findall(r"(?:boot|card|charged): [^\n]*", said) == [
        "boot: Pending",
        *["boot: Accepted", "card: Accepted", "charged: 7.5 kWh"] * 2,
    ], said


def test_the_session_is_there_with_its_energy(said: str) -> None:
    assert '"evse_id":"S1001-01"' in said
    assert '"id_token":"CARD-1"' in said
