"""What the site must not forget: messages for the platform, ids of transactions, tokens, the platform's plan. One SQLite file.

Every write is a commit that survives a power cut (`synchronous=FULL`); work is done in one thread of its own, in order.
"""

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chargeloop.model import BadInput, Unreachable
from chargeloop.persistence.engine import take_lock
from chargeloop.protocols.ocpp import Listed, Transaction

LAYOUT = 1
KEPT = 500  # messages of a charger that were delivered, by which one that it tells again is known
FORGET_EVERY = 50
FIRST_LOCAL = 2**30  # transaction ids that we give: above what platforms count to, within the 32 bits of 1.6
# These carry the time at which they happened, so the same content is the same message, whatever its id.
DATED = frozenset({"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"})
TABLES = """
CREATE TABLE message (
    number INTEGER PRIMARY KEY AUTOINCREMENT, charger TEXT NOT NULL, fingerprint BLOB NOT NULL, message_id TEXT NOT NULL,
    action TEXT NOT NULL, payload TEXT NOT NULL, at_s REAL NOT NULL, local_id INTEGER UNIQUE, answer TEXT, told TEXT,
    refused TEXT, is_waiting INTEGER NOT NULL DEFAULT 1, UNIQUE (charger, fingerprint));
CREATE INDEX message_waiting ON message (charger, number) WHERE is_waiting;
CREATE TABLE number (
    charger TEXT NOT NULL, local_id INTEGER NOT NULL, platform_id INTEGER NOT NULL, PRIMARY KEY (charger, local_id));
CREATE TABLE token (charger TEXT NOT NULL, id_token TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (charger, id_token));
CREATE TABLE running (charger TEXT NOT NULL, wire_id TEXT NOT NULL, transaction_ TEXT NOT NULL, PRIMARY KEY (charger, wire_id));
CREATE TABLE memory (charger TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (charger, name));
"""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Message:
    """One that a charger told. `local_id`: the transaction id that we gave, of a start. `answer`: the platform's.

    `told`: what the charger was answered to a start. `refused`: why the platform never takes it.
    """

    number: int
    charger: str
    message_id: str
    action: str
    payload: dict[str, Any]
    at_s: float
    local_id: int | None = None
    answer: dict[str, Any] | None = None
    told: dict[str, Any] | None = None
    refused: str | None = None
    is_waiting: bool = True


COLUMNS = "number, charger, message_id, action, payload, at_s, local_id, answer, told, refused, is_waiting"


def fingerprint(action: str, payload: dict[str, Any], at_s: float) -> bytes:
    """The same for a message told again; one without its time is a new one each time."""
    told = (action, payload) if action in DATED else (action, payload, at_s)
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).digest()


class Buffer:
    """All methods but `close` are to be awaited; each is one commit."""

    def __init__(self, folder: Path) -> None:
        """Raises:
        Unreachable: the folder cannot be written, or another edge has it.
        BadInput: the file is damaged or of another version.
        """
        path = folder / "edge.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._unlock = take_lock(path)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds tokens
        except OSError as error:
            raise Unreachable(f"{path}: {error.strerror}") from None
        self._thread = ThreadPoolExecutor(1, "buffer")
        try:
            self._database = self._thread.submit(_open, path).result()
        except sqlite3.Error as error:
            self._thread.shutdown()
            self._unlock()
            raise BadInput(str(path), f"is damaged: {error}; move it away, and what was not delivered is lost") from None

    def close(self) -> None:
        self._thread.submit(self._database.close).result()
        self._thread.shutdown()
        self._unlock()

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def commit() -> T:
            with self._database:
                return work(self._database)

        return await asyncio.get_running_loop().run_in_executor(self._thread, commit)

    # --- messages -----------------------------------------------------------------------------------------------------

    async def keep(
        self,
        charger: str,
        message_id: str,
        action: str,
        payload: dict[str, Any],
        at_s: float,
        transactions: Iterable[Transaction],
    ) -> tuple[Message, bool]:
        """Store a message with what it changed; the message, and whether it is new."""
        mark = fingerprint(action, payload, at_s)

        def work(database: sqlite3.Connection) -> tuple[Message, bool]:
            cursor = database.execute(
                "INSERT OR IGNORE INTO message (charger, fingerprint, message_id, action, payload, at_s) VALUES (?,?,?,?,?,?)",
                (charger, mark, message_id, action, _text(payload), at_s),
            )
            _remember(database, charger, transactions)
            where = "WHERE charger = ? AND fingerprint = ?"
            row = database.execute(f"SELECT {COLUMNS} FROM message {where}", (charger, mark)).fetchone()  # noqa: S608
            return _message(row), cursor.rowcount == 1

        return await self._do(work)

    async def give_number(self, number: int) -> int:
        """A transaction id of ours for a start that the platform has not answered; its own if it has, in this instant."""

        def work(database: sqlite3.Connection) -> int:
            (answer,) = database.execute(
                "SELECT answer ->> '$.transactionId' FROM message WHERE number = ?", (number,)
            ).fetchone()
            if answer is not None:
                return int(answer)
            (newest,) = database.execute("SELECT max(local_id) FROM message").fetchone()
            (kept,) = database.execute("SELECT max(local_id) FROM number").fetchone()
            new = max(newest or 0, kept or 0, FIRST_LOCAL - 1) + 1
            database.execute("UPDATE message SET local_id = coalesce(local_id, ?) WHERE number = ?", (new, number))
            (given,) = database.execute("SELECT local_id FROM message WHERE number = ?", (number,)).fetchone()
            return int(given)

        return await self._do(work)

    async def told(self, number: int, answer: dict[str, Any], transactions: Iterable[Transaction] = ()) -> None:
        """Store what the charger is about to be answered."""

        def work(database: sqlite3.Connection) -> None:
            row = database.execute("UPDATE message SET told = ? WHERE number = ? RETURNING charger", (_text(answer), number))
            _remember(database, row.fetchone()[0], transactions)

        await self._do(work)

    async def waiting(self, charger: str, most: int = 50) -> list[Message]:
        """Messages that the platform does not have yet, in order."""
        query = f"SELECT {COLUMNS} FROM message WHERE charger = ? AND is_waiting ORDER BY number LIMIT ?"  # noqa: S608
        return await self._do(lambda database: [_message(row) for row in database.execute(query, (charger, most))])

    async def backlog(self) -> dict[str, int]:
        """How many messages wait, by charger; none left out that has any."""
        query = "SELECT charger, count(*) FROM message WHERE is_waiting GROUP BY charger"
        return await self._do(lambda database: dict(database.execute(query).fetchall()))

    async def delivered(self, message: Message, answer: dict[str, Any] | None, refused: str | None = None) -> None:
        """The platform has answered: the message is its now. A start that we numbered is known there by its own id."""
        platform_id = (answer or {}).get("transactionId")

        def work(database: sqlite3.Connection) -> None:
            database.execute(
                "UPDATE message SET is_waiting = 0, answer = ?, refused = ? WHERE number = ?",
                (None if answer is None else _text(answer), refused, message.number),
            )
            (local_id,) = database.execute("SELECT local_id FROM message WHERE number = ?", (message.number,)).fetchone()
            if local_id is not None and isinstance(platform_id, int):
                database.execute("INSERT OR REPLACE INTO number VALUES (?,?,?)", (message.charger, local_id, platform_id))
            if message.number % FORGET_EVERY:
                return
            database.execute(
                "DELETE FROM message WHERE charger = ? AND NOT is_waiting AND refused IS NULL AND number <= ("
                "SELECT number FROM message WHERE charger = ? AND NOT is_waiting ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (message.charger, message.charger, KEPT),
            )

        await self._do(work)

    async def refused(self) -> list[Message]:
        """Messages that the platform will not take, the newest first."""
        query = f"SELECT {COLUMNS} FROM message WHERE refused IS NOT NULL ORDER BY number DESC LIMIT 100"  # noqa: S608
        return await self._do(lambda database: [_message(row) for row in database.execute(query)])

    # --- what is known of a charger -----------------------------------------------------------------------------------

    async def numbers(self, charger: str) -> dict[int, int]:
        """Ids of transactions as the platform knows them, by those that we gave."""
        query = "SELECT local_id, platform_id FROM number WHERE charger = ?"
        return await self._do(lambda database: dict(database.execute(query, (charger,)).fetchall()))

    async def transactions(self, charger: str) -> list[Transaction]:
        query = "SELECT transaction_ FROM running WHERE charger = ?"

        def work(database: sqlite3.Connection) -> list[Transaction]:
            return [msgspec.json.decode(text, type=Transaction) for (text,) in database.execute(query, (charger,))]

        return await self._do(work)

    async def recall(self, charger: str) -> dict[str, Any]:
        """What was kept under names; '' is the site itself."""
        query = "SELECT name, value FROM memory WHERE charger = ?"

        def work(database: sqlite3.Connection) -> dict[str, Any]:
            return {name: msgspec.json.decode(value) for name, value in database.execute(query, (charger,))}

        return await self._do(work)

    async def remember(self, charger: str, name: str, value: object) -> None:
        row = (charger, name, msgspec.json.encode(value).decode())
        await self._do(lambda database: database.execute("INSERT OR REPLACE INTO memory VALUES (?,?,?)", row) and None)

    # --- tokens -------------------------------------------------------------------------------------------------------

    async def tokens(self) -> dict[tuple[str, str], Listed]:
        """By charger, '' for what any of them was told, and token without case."""

        def work(database: sqlite3.Connection) -> dict[tuple[str, str], Listed]:
            rows = database.execute("SELECT charger, id_token, entry FROM token")
            return {(charger, token): msgspec.json.decode(entry, type=Listed) for charger, token, entry in rows}

        return await self._do(work)

    async def keep_tokens(
        self, charger: str, entries: Iterable[Listed], gone: Iterable[str] = (), *, is_full: bool = False
    ) -> None:
        """Put entries in, `gone` out; before that everything, where the list is full."""
        rows = [(charger, each.id_token.casefold(), msgspec.json.encode(each).decode()) for each in entries]
        out = [(charger, each.casefold()) for each in gone]

        def work(database: sqlite3.Connection) -> None:
            if is_full:
                database.execute("DELETE FROM token WHERE charger = ?", (charger,))
            database.executemany("INSERT OR REPLACE INTO token VALUES (?,?,?)", rows)
            database.executemany("DELETE FROM token WHERE charger = ? AND id_token = ?", out)

        await self._do(work)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        database.execute(f"PRAGMA {setting}")
    (layout,) = database.execute("PRAGMA user_version").fetchone()
    if layout == 0:
        database.executescript(f"BEGIN; {TABLES} PRAGMA user_version={LAYOUT}; COMMIT;")
    elif layout != LAYOUT:
        raise sqlite3.DatabaseError(f"its layout is {layout}, ours {LAYOUT}")
    return database


def _remember(database: sqlite3.Connection, charger: str, transactions: Iterable[Transaction]) -> None:
    rows = [(charger, each.wire_id, msgspec.json.encode(each).decode()) for each in transactions]
    database.executemany("INSERT OR REPLACE INTO running VALUES (?,?,?)", rows)
    if rows:  # a few that are over are kept, so that what is told again is known
        database.execute(
            "DELETE FROM running WHERE charger = ? AND transaction_ ->> '$.ended_at' IS NOT NULL AND rowid NOT IN ("
            "SELECT rowid FROM running WHERE charger = ? ORDER BY rowid DESC LIMIT 50)",
            (charger, charger),
        )


def _text(payload: dict[str, Any]) -> str:
    return msgspec.json.encode(payload).decode()


def _message(row: tuple[Any, ...]) -> Message:
    number, charger, message_id, action, payload, at_s, local_id, answer, told, refused, is_waiting = row
    read = msgspec.json.decode
    return Message(
        *(number, charger, message_id, action, read(payload), at_s, local_id),
        *(None if answer is None else read(answer), None if told is None else read(told), refused, bool(is_waiting)),
    )
