"""A file of JSON lines that lines are only ever added to."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from chargeloop.model import BadInput
from chargeloop.pki.chain import UNREADABLE

Line = TypeVar("Line", bound=msgspec.Struct)


class Lines(Generic[Line]):
    """Each line is on disk before the call returns. A line that a power cut has torn is dropped: nobody was told of it.

    Several processes may share the file, a server and a command: each looks whether it has grown before it answers.

    Args:
        kind: what a line may be, for msgspec.
        take: called with each line once, in order; UNREADABLE, KeyError and BadInput of it mean a line that makes no sense.
    """

    def __init__(self, path: Path, kind: Any, take: Callable[[Line], None]) -> None:
        self._path, self._kind, self._take = path, kind, take
        self._read = 0  # bytes, up to the end of a line
        self._count = 0

    def add(self, line: Line) -> None:
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.follow()
            file.truncate(self._read)  # what is beyond the last whole line was torn
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._path.parent)
        self.follow()

    def follow(self) -> None:
        """Take in what has been added since.

        Raises:
            BadInput: a whole line cannot be read.
        """
        try:
            if os.stat(self._path).st_size == self._read:
                return
            with self._path.open("rb") as file:
                file.seek(self._read)
                added, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return
        for line in (added + end).splitlines():
            try:
                self._take(msgspec.json.decode(line, type=self._kind))
            except (msgspec.DecodeError, KeyError, BadInput, *UNREADABLE) as error:
                raise BadInput(f"{self._path}: line {self._count + 1}", f"cannot be read: {error}") from None
            self._count += 1
        self._read += len(added + end)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
