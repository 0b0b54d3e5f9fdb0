"""Opening the database: connection settings that make a commit durable, migrations, and one server at a time."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Column, Connection, Engine, create_engine, delete, event, func, insert, select
from sqlalchemy.exc import DatabaseError, OperationalError

from chargeloop.model import BadInput, Unreachable
from chargeloop.persistence.tables import event as event_table
from chargeloop.persistence.tables import meta, ocpp_frame, ocpp_transaction, snapshot

ADVISORY_LOCK = 0x43484152_47454C50  # "CHARGELP"
CONNECT_S = 5
SERVER = "server"  # under which `meta` names the server that took the database last
MARK = "written"  # under which `meta` has the mark of the last transaction
MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> Engine:
    """An engine on a migrated database.

    Raises:
        BadInput: the file is not a database of ours.
        Unreachable: it cannot be opened or written.
    """
    engine = engine_for(url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        migrate(engine)
    except OperationalError as error:
        engine.dispose()
        raise Unreachable(f"database {shown}: {error.orig}") from None
    except DatabaseError as error:
        engine.dispose()
        raise BadInput(f"database {shown}", f"is damaged or no database: {error.orig}") from None
    return engine


def engine_for(url: str) -> Engine:
    """An engine that has not connected yet."""
    if is_sqlite(url):
        engine = create_engine(url, connect_args={"timeout": 10, "check_same_thread": False})
        event.listen(engine, "connect", _sqlite_settings)
        return engine
    driven = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(driven, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_S})


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def _sqlite_settings(connection: Any, _record: object) -> None:
    """WAL lets readers go on while we write; FULL makes a commit survive a power cut."""
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {setting}").close()


def migrate(engine: Engine) -> None:
    """Bring the database to the newest layout."""
    from alembic import command  # noqa: PLC0415 (slow to import; needed once)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class Claim:
    """The one connection that writes: of PostgreSQL it holds the lock that only one server has, and a cut gives up both.

    Where it was cut, the next one must get the lock, and nobody else may have had it in between: `lost` says so if one had,
    for ever, since what this process knows of the database is then out of date. `connection` is for one thread at a time.
    """

    def __init__(self, engine: Engine, unlock: Callable[[], None]) -> None:
        """Take a migrated database.

        Raises:
            Unreachable: it cannot be opened, or another server has it.
        """
        self._engine, self._unlock = engine, unlock
        self._name = uuid4().hex
        self.lost: Unreachable | None = None
        self._connection: Connection | None = self._open()
        with self._connection.begin():
            self._connection.execute(delete(meta).where(meta.c.key.in_((SERVER, MARK))))
            self._connection.execute(insert(meta), [{"key": each, "value": self._name} for each in (SERVER, MARK)])

    def connection(self) -> Connection:
        """To write with; a new one where the last was cut.

        Raises:
            Unreachable: the database cannot be reached, or another server has it.
        """
        if self.lost is not None:
            raise self.lost
        if self._connection is not None and not self._connection.invalidated:
            return self._connection
        self._drop()
        connection = self._open()
        with connection.begin():
            is_ours = connection.scalar(select(meta.c.value).where(meta.c.key == SERVER)) == self._name
        if not is_ours:
            connection.close()
            self.lost = Unreachable(f"database {self._shown}: another Chargeloop has taken it over; this one has to end")
            raise self.lost
        self._connection = connection
        return connection

    def give_back(self) -> None:
        self._drop()
        self._engine.dispose()
        self._unlock()

    @property
    def _shown(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    def _open(self) -> Connection:
        try:
            connection = self._engine.connect()
        except OperationalError as error:
            raise Unreachable(f"database {self._shown}: {error.orig}") from None
        if self._engine.dialect.name != "sqlite":
            with connection.begin():  # the lock is the connection's, not the transaction's
                is_free = connection.scalar(select(func.pg_try_advisory_lock(ADVISORY_LOCK)))
            if not is_free:
                connection.close()
                raise Unreachable(f"database {self._shown}: another Chargeloop is using it")
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()  # not back to the pool, where it would keep the lock
            self._connection.close()
            self._connection = None


def take_lock(path: Path) -> Callable[[], None]:
    """Claim a database file for this process; returns what gives it back.

    Raises:
        Unreachable: another process has it.
    """
    lock: IO[str] = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Unreachable(f"database {path}: another Chargeloop is using it") from None
    return lock.close


class Opened(NamedTuple):
    """A database for this process alone, and the newest numbers in it."""

    engine: Engine
    claim: Claim
    event_id: int
    transaction_number: int
    frame_id: int


def open_database(url: str) -> Opened:
    """Raises:
    BadInput, Unreachable: as `open_engine` and `Claim`.
    """
    unlock = take_lock(Path(url.removeprefix("sqlite:///"))) if is_sqlite(url) else _nothing
    try:
        engine = open_engine(url)
        try:
            claim = Claim(engine, unlock)
        except Exception:
            engine.dispose()
            raise
    except Exception:
        unlock()
        raise
    with engine.connect() as connection:

        def newest(*columns: Column[int]) -> int:
            return max(connection.scalar(select(func.max(each))) or 0 for each in columns)

        event_id = newest(event_table.c.event_id, snapshot.c.event_id)
        return Opened(engine, claim, event_id, newest(ocpp_transaction.c.number), newest(ocpp_frame.c.frame_id))


def _nothing() -> None:
    """Where there is no file to unlock."""
