"""What feeds and server say to each other, as JSON texts.

Server: {"last_seq": n} once, then {"ack": n}, {"error": {"seq", "where", "what"}} and {"commands": [...]} whenever.
Feed: {"seq": n, "events": [...]}, numbered from 1 on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from annotated_types import Ge, Le

from chargeloop.model import BadInput, Command, Event
from chargeloop.model.validated import from_json, to_json

LAST_SEQ = 2**53 - 1  # the last whole number that every JSON reader keeps


@dataclass(frozen=True, slots=True)
class Batch:
    """Some events of a feed, in order; stored together or not at all."""

    seq: Annotated[int, Ge(1), Le(LAST_SEQ)]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a batch was not stored; `seq` is None where not even its number could be read."""

    seq: int | None
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class FromServer:
    """Any text of the server: one of these is set."""

    last_seq: int | None = None
    ack: int | None = None
    error: Refusal | None = None
    commands: tuple[Command, ...] = ()


class _Numbered(msgspec.Struct):
    seq: int


def read_batch(text: str | bytes) -> Batch:
    """Check a batch as a whole.

    Raises:
        BadInput: naming the event and field that is wrong.
    """
    try:
        # The validator lets NaN, Infinity and 1e999 pass, which JSON has not and the store could not read back.
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("batch", str(error)) from None
    batch: Batch = from_json(Batch, text, "batch")
    return batch


def seq_of(text: str | bytes) -> int | None:
    """The number of a batch that is damaged otherwise."""
    try:
        return msgspec.json.decode(text, type=_Numbered).seq
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def batch_text(seq: int, events: Sequence[Event]) -> str:
    return to_json(Batch(seq, tuple(events)))


def read_server(text: str | bytes) -> FromServer:
    """Raises: BadInput: where it is none of the server's texts."""
    said: FromServer = from_json(FromServer, text, "server")
    return said


def hello_text(last_seq: int) -> str:
    return msgspec.json.encode({"last_seq": last_seq}).decode()


def ack_text(seq: int) -> str:
    return msgspec.json.encode({"ack": seq}).decode()


def refusal_text(refusal: Refusal) -> str:
    return msgspec.json.encode({"error": refusal}).decode()


def commands_text(commands: Sequence[Command]) -> str:
    return f'{{"commands":{to_json(tuple(commands), tuple[Command, ...])}}}'
