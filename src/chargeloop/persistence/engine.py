"""Opening the database: connection settings that make a commit durable, migrations, and one server at a time."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.exc import DatabaseError, OperationalError

from chargeloop.model import BadInput, Unreachable

ADVISORY_LOCK = 0x43484152_47454C50  # "CHARGELP"
MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> Engine:
    """An engine on a migrated database.

    Raises:
        BadInput: the file is not a database of ours.
        Unreachable: it cannot be opened or written.
    """
    if is_sqlite(url):
        engine = create_engine(url, connect_args={"timeout": 10, "check_same_thread": False})
        event.listen(engine, "connect", _sqlite_settings)
    else:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)
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


def take_advisory_lock(engine: Engine) -> Callable[[], None]:
    """Claim a PostgreSQL database for this process, as long as the connection lasts; returns what gives it back.

    Raises:
        Unreachable: another process has it.
    """
    connection = engine.connect()
    if not connection.scalar(select(func.pg_try_advisory_lock(ADVISORY_LOCK))):
        connection.close()
        engine.dispose()
        raise Unreachable(f"database {engine.url.render_as_string(hide_password=True)}: another Chargeloop is using it")
    connection.commit()  # the lock is the session's, so no transaction needs to stay open
    return connection.close


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
