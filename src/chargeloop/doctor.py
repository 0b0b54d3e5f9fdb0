"""`chargeloop doctor`: what is configured, reachable and wrong, and how to mend it. It looks and changes nothing."""

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Literal

from chargeloop import settings
from chargeloop.model import BadInput

State = Literal["ok", "note", "wrong"]
PACKAGE = Path(__file__).resolve().parent
SPACE_TO_RUN_GB = 1.0
SOON_DAYS = 30
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: a `note` is worth knowing and in nobody's way; `mend` says what to do unless it is ok."""

    name: str
    state: State
    found: str
    mend: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    settings.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 1 when something is wrong."""
    findings = list(examine(args))
    healthy = all(finding.state != "wrong" for finding in findings)
    if args.json:
        sys.stdout.write(json.dumps({"healthy": healthy, "findings": [asdict(finding) for finding in findings]}) + "\n")
    else:
        _print_table(findings)
    return 0 if healthy else 1


def examine(args: argparse.Namespace) -> Iterator[Finding]:
    """Look at everything in the order in which a newcomer meets it; `args` holds the flags that were given."""
    yield python_version()
    yield packages()
    yield compiled_kernels(PACKAGE)
    yield pages(PACKAGE / "console" / "pages")
    try:
        chosen = settings.load_settings(vars(args))
        yield Finding("settings", "ok", f"valid; {'anyone' if not chosen.is_local else 'only this machine'} can connect")
    except BadInput as error:
        chosen = settings.Settings()
        yield Finding("settings", "wrong", str(error), "correct it; what follows is about the defaults")
    yield city_folder(chosen.city)
    yield data_folder(chosen.data_dir)
    if chosen.database_url is None:
        yield database(chosen.data_dir / "chargeloop.db")
    else:
        yield postgres(chosen.database_url.get_secret_value())
    yield from ports(chosen.host, chosen.http_port, chosen.ocpp_port)
    yield tls_files(chosen.ocpp_tls_chain, chosen.ocpp_tls_key)
    yield browser()


def python_version(version: Sequence[int] = sys.version_info[:3]) -> Finding:
    found = ".".join(map(str, version))
    if tuple(version) < (3, 11):
        return Finding("Python", "wrong", found, "install Python 3.11 or newer, then `make setup PYTHON=...`")
    return Finding("Python", "ok", found)


def packages(distribution: str = "chargeloop") -> Finding:
    """Whether what the distribution needs is installed. A requirement with a platform condition may be missing."""
    lines = [line for line in importlib.metadata.requires(distribution) or () if "extra ==" not in line]
    missing = {re.split(r"[\s\[<>=!~;]", line)[0]: ";" in line for line in lines if not _is_installed(line)}
    if not missing:
        return Finding("packages", "ok", f"all {len(lines)} that {distribution} needs")
    only_optional = all(missing.values())
    mend = "works without, more slowly" if only_optional else "`make setup`, or `pip install -r requirements/run.txt`"
    return Finding("packages", "note" if only_optional else "wrong", f"missing: {', '.join(missing)}", mend)


def compiled_kernels(package: Path) -> Finding:
    """Whether each kernel's machine code is on disk and newer than its source."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return Finding("kernels", "note", f"cached in {os.environ['NUMBA_CACHE_DIR']} (NUMBA_CACHE_DIR)", "not looked into")
    if cold := cold_kernels(package):
        return Finding("kernels", "note", f"{len(cold)} not compiled yet", "`make setup`; else the first run does it")
    return Finding("kernels", "ok", "all compiled")


def cold_kernels(package: Path) -> list[str]:
    """The kernels below a package that the next call would have to compile; none where their cache lies elsewhere."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return []
    return [
        f"{path.relative_to(package).with_suffix('').as_posix()}.{name}"
        for path in package.rglob("*.py")
        for name in re.findall(r"^@kernel\ndef (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if not _is_cached(path, name)
    ]


def pages(folder: Path) -> Finding:
    if (folder / "index.html").is_file():
        return Finding("web pages", "ok", "built")
    return Finding("web pages", "note", "not built; the HTTP API works without them", "`make setup` in a checkout with web/")


def city_folder(folder: Path | None) -> Finding:
    """Whether the whole city can be read, which takes a few seconds for a large one."""
    from chargeloop.city import load_city  # noqa: PLC0415 (heavy)

    try:
        city = load_city(folder)
    except BadInput as error:
        return Finding("city", "wrong", str(error), "correct that file, or leave CHARGELOOP_CITY unset for the built-in city")
    return Finding("city", "ok", f"{city.name}: {len(city.stations)} stations in {len(city.zones)} zones")


def data_folder(folder: Path) -> Finding:
    """Whether the database's folder, or the nearest parent that exists, can be written and has room."""
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding("data folder", "wrong", f"{existing} cannot be written", "choose another with CHARGELOOP_DATA_DIR")
    free_gb = shutil.disk_usage(existing).free / 1e9
    if free_gb < SPACE_TO_RUN_GB:
        return Finding("data folder", "wrong", f"{folder}: only {free_gb:.1f} GB free", "make room, or set CHARGELOOP_DATA_DIR")
    return Finding("data folder", "ok", f"{folder}, {free_gb:.0f} GB free{'' if folder.exists() else ', made when needed'}")


def database(path: Path) -> Finding:
    """Whether the database opens, and has the layout that this version works with."""
    if not path.exists():
        return Finding("database", "ok", f"{path}: none yet, made at the first start")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (layout,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError) as error:
        return Finding("database", "wrong", f"{path}: {error}", "restore a backup, or move the file away to begin anew")
    return _layout(f"{path}: {path.stat().st_size / 1e6:.0f} MB", layout)


def postgres(url: str) -> Finding:
    """Whether a PostgreSQL database can be reached, which layout it has, and whether a server uses it."""
    import sqlalchemy as sa  # noqa: PLC0415 (heavy)

    from chargeloop.persistence.engine import ADVISORY_LOCK, engine_for  # noqa: PLC0415 (heavy)

    try:
        engine = engine_for(url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
        return Finding("database", "wrong", f"CHARGELOOP_DATABASE_URL: {error}", "postgresql://USER:PASSWORD@HOST/NAME")
    where = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            lock = {"high": ADVISORY_LOCK >> 32, "low": ADVISORY_LOCK & 0xFFFFFFFF}
            is_used = connection.scalar(sa.text(HOLDS_LOCK), lock)
            is_new = not sa.inspect(connection).has_table("alembic_version")
            layout = "" if is_new else str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))
    except sa.exc.DBAPIError as error:
        mend = "start it, or correct CHARGELOOP_DATABASE_URL: postgresql://USER:PASSWORD@HOST/NAME"
        return Finding("database", "wrong", f"{where}: {error.orig}", mend)
    finally:
        engine.dispose()
    where += ", in use by a Chargeloop" if is_used else ""
    return Finding("database", "ok", f"{where}: empty, filled at the first start") if is_new else _layout(where, layout)


HOLDS_LOCK = """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND classid = :high AND objid = :low"""


def _layout(where: str, layout: str) -> Finding:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 (slow to import)

    from chargeloop.persistence.engine import MIGRATIONS  # noqa: PLC0415 (heavy)

    layouts = [each.revision for each in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    if layout not in layouts:
        return Finding(
            "database", "wrong", f"{where}, layout {layout} is not known", "a newer Chargeloop made it: run that one"
        )
    if layout != layouts[0]:
        return Finding(
            "database", "note", f"{where}, layout {layout}, newest is {layouts[0]}", "back up; the next start migrates it"
        )
    return Finding("database", "ok", f"{where}, layout {layout}")


def tls_files(chain: Path | None, key: Path | None) -> Finding:
    """Whether the OCPP port's certificate and key can be read, belong together, and have not expired."""
    if chain is None or key is None:
        return Finding("OCPP over TLS", "ok", "no certificate set: no such port")
    from chargeloop.pki import Credentials, Pair, Tls  # noqa: PLC0415 (heavy)

    make = "make one: python -m chargeloop.pki server NAME --out DIR"
    try:
        days = Credentials(Tls((Pair(chain, key),))).days_left(datetime.now(UTC))
    except BadInput as error:
        return Finding("OCPP over TLS", "wrong", str(error), make)
    if days < 0:
        return Finding("OCPP over TLS", "wrong", f"{chain} expired {-days:.0f} days ago", make)
    if days < SOON_DAYS:
        return Finding("OCPP over TLS", "note", f"{chain} expires in {days:.0f} days", make)
    return Finding("OCPP over TLS", "ok", f"{chain}: for {days:.0f} days more")


def ports(host: str, http_port: int, ocpp_port: int) -> Iterator[Finding]:
    """Who answers where Chargeloop listens: nobody, a running Chargeloop, or something else."""
    running = _chargeloop_at(host, http_port)
    for name, port in (("HTTP port", http_port), ("OCPP port", ocpp_port)):
        if running:
            yield Finding(name, "ok", f"{host}:{port}, a Chargeloop is running ({running})")
        elif problem := _why_not_free(host, port):
            yield Finding(
                name, "wrong", f"{host}:{port}: {problem}", f"stop what uses it, or set CHARGELOOP_{name.split()[0]}_PORT"
            )
        else:
            yield Finding(name, "ok", f"{host}:{port} is free")


def browser() -> Finding:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return Finding("browser", "ok", found)
    return Finding("browser", "note", "none found", "only the page tests need one: install Chromium to run them")


def _is_installed(requirement: str) -> bool:
    try:
        importlib.metadata.version(re.split(r"[\s\[<>=!~;]", requirement)[0])
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _is_cached(source: Path, name: str) -> bool:
    changed = source.stat().st_mtime
    tag = f"py{sys.version_info[0]}{sys.version_info[1]}"
    indexes = (source.parent / "__pycache__").glob(f"{source.stem}.{name}-*.{tag}.nbi")
    return any(index.stat().st_mtime >= changed for index in indexes)


def _chargeloop_at(host: str, port: int) -> str | None:
    """The state that a Chargeloop there says it is in; None when nobody or somebody else answers."""
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/api/v1/health")
        body = json.loads(connection.getresponse().read())
        return str(body["status"])
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return None
    finally:
        connection.close()


def _why_not_free(host: str, port: int) -> str | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _print_table(findings: Sequence[Finding]) -> None:
    from rich.console import Console  # noqa: PLC0415 (not for --json)
    from rich.table import Table  # noqa: PLC0415

    colours = {"ok": "green", "note": "yellow", "wrong": "red"}
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        advice = f"\n→ {finding.mend}" if finding.mend else ""
        table.add_row(
            finding.name, f"[{colours[finding.state]}]{finding.state}[/]", f"{finding.found}{advice}".replace("[", r"\[")
        )
    Console().print(table)
