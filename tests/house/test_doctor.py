import argparse
import http.server
import json
import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chargeloop import doctor
from chargeloop.cli import main
from chargeloop.persistence import Store
from tests.database import Postgres
from tests.pki.openssl_ca import LOCALHOST, issue, new_root


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Health(http.server.BaseHTTPRequestHandler):
    """Answers like the API of a running Chargeloop."""

    def do_GET(self) -> None:
        body = json.dumps({"status": "running"}).encode() if self.path == "/api/v1/health" else b""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


def test_a_sound_machine_gets_status_0_and_json(free_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--http-port", str(free_port), "--ocpp-port", "0", "--data-dir", str(tmp_path / "var")]
    assert main(["doctor", "--json", *flags]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["healthy"]
    assert {"Python", "packages", "kernels", "web pages", "settings", "data folder", "HTTP port"} <= {
        finding["name"] for finding in report["findings"]
    }
    assert not (tmp_path / "var").exists(), "the doctor changes nothing"


def test_a_wrong_setting_gets_status_1_and_a_way_to_mend_it(
    taken_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--ocpp-port", str(taken_port), "--http-port", "0", "--data-dir", str(tmp_path)]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "OCPP port wrong" in shown
    assert "CHARGELOOP_OCPP_PORT" in shown


def test_bad_settings_are_a_finding_and_the_rest_is_still_examined() -> None:
    args = argparse.Namespace(settings=None, http_port="many")
    found = {finding.name: finding for finding in doctor.examine(args)}
    assert found["settings"].state == "wrong"
    assert "--http-port" in found["settings"].found
    assert "HTTP port" in found


def test_an_old_python_is_wrong() -> None:
    assert doctor.python_version((3, 10, 4)).state == "wrong"
    assert doctor.python_version((3, 11, 0)).state == "ok"


def test_packages_of_this_installation_are_all_here() -> None:
    assert doctor.packages().state == "ok"


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "lame-1.0.dist-info"
    info.mkdir()
    needs = "Requires-Dist: no-such-thing>=2\nRequires-Dist: fast-thing; sys_platform == 'linux'\n"
    tools = "Requires-Dist: tool; extra == 'dev'\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: lame\nVersion: 1.0\n{needs}{tools}")
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = doctor.packages("lame")
    assert finding.state == "wrong"
    assert finding.found == "missing: no-such-thing, fast-thing"


def test_kernels_are_compiled_when_their_cache_is_newer_than_their_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    source = tmp_path / "wave.py"
    source.write_text("@kernel\ndef swell(x):\n    return x\n")
    assert doctor.compiled_kernels(tmp_path).state == "note"
    assert doctor.cold_kernels(tmp_path) == ["wave.swell"]
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    index = cache / f"wave.swell-1.py{sys.version_info[0]}{sys.version_info[1]}.nbi"
    index.touch()
    assert doctor.compiled_kernels(tmp_path).state == "ok"
    os.utime(index, (0, 0))
    assert doctor.compiled_kernels(tmp_path).state == "note"


def test_pages(tmp_path: Path) -> None:
    assert doctor.pages(tmp_path).state == "note"
    (tmp_path / "index.html").touch()
    assert doctor.pages(tmp_path).state == "ok"


def test_a_data_folder_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert doctor.data_folder(tmp_path / "file" / "var").state == "wrong"
    assert doctor.data_folder(tmp_path / "new" / "var").state == "ok"


async def test_a_database_is_opened_and_its_layout_compared(tmp_path: Path) -> None:
    path = tmp_path / "chargeloop.db"
    assert doctor.database(path).found.endswith("made at the first start")
    await (await Store.open(path)).close()
    assert doctor.database(path).state == "ok"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
    newer = doctor.database(path)
    assert newer.state == "wrong"
    assert "newer Chargeloop" in newer.mend


async def test_a_postgresql_database_is_asked_and_its_password_never_shown(postgres: Postgres) -> None:
    url = postgres.database()
    assert "layout" in doctor.postgres(url).found
    store = await Store.open(url)
    assert "in use" in doctor.postgres(url).found
    await store.close()
    assert "in use" not in doctor.postgres(url).found
    postgres.drop(url)
    gone = doctor.postgres(url.replace("postgres:@", "postgres:geheim@"))
    assert gone.state == "wrong"
    assert "does not exist" in gone.found
    assert "geheim" not in gone.found + gone.mend


@pytest.mark.parametrize(("days", "state"), [(90, "ok"), (9, "note"), (-1, "wrong")])
def test_the_end_of_a_certificate_is_told(tmp_path: Path, days: int, state: str) -> None:
    made = issue(tmp_path, "server", "/CN=localhost", new_root(tmp_path, "root"), LOCALHOST, days=days)
    assert doctor.tls_files(made.pem, made.key).state == state


def test_a_certificate_without_its_key_is_wrong(tmp_path: Path) -> None:
    assert doctor.tls_files(None, None).state == "ok"
    one, other = new_root(tmp_path, "one"), new_root(tmp_path, "other")
    assert doctor.tls_files(one.pem, other.key).state == "wrong"
    assert "nowhere.pem" in doctor.tls_files(tmp_path / "nowhere.pem", one.key).found


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be taken for one" * 100])
def test_a_damaged_database_is_wrong(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chargeloop.db"
    path.write_bytes(content)
    assert doctor.database(path).state == "wrong"


def test_the_city_is_read(tmp_path: Path) -> None:
    assert doctor.city_folder(None).state == "ok"
    broken = doctor.city_folder(tmp_path)
    assert broken.state == "wrong"
    assert str(tmp_path) in broken.found


def test_ports_say_who_answers(taken_port: int, free_port: int) -> None:
    http_port, ocpp_port = doctor.ports("127.0.0.1", taken_port, free_port)
    assert http_port.state == "wrong"
    assert ocpp_port.state == "ok"


def test_a_running_chargeloop_is_recognised() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.handle_request).start()
        http_port, ocpp_port = doctor.ports("127.0.0.1", server.server_port, server.server_port)
    assert http_port.state == ocpp_port.state == "ok"
    assert "running" in http_port.found


def test_no_browser_is_only_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.browser().state == "note"
    (tmp_path / "chromium").touch(mode=0o755)
    assert doctor.browser().state == "ok"
