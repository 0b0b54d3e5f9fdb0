"""What an authority has issued and revoked: a file that lines are only ever added to."""

import fcntl
import os
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from chargeloop.model import BadInput
from chargeloop.pki.chain import UNREADABLE, identity, whole


class Issued(msgspec.Struct, frozen=True, tag="issued"):
    """A certificate, PEM."""

    at: datetime
    certificate: str


class Revoked(msgspec.Struct, frozen=True, tag="revoked"):
    """`serial` in hex; `reason` as RFC 5280 names it (keyCompromise, superseded ...)."""

    at: datetime
    serial: str
    reason: str


class Entry(msgspec.Struct):
    """One certificate's life."""

    certificate: x509.Certificate
    revoked: Revoked | None = None


class Register:
    """Each line is on disk before the call returns. A line that a power cut has torn is dropped: nobody was told of it.

    Several processes may share the file, a server and a command: each looks whether it has grown before it answers.
    """

    def __init__(self, path: Path) -> None:
        """Raises:
        BadInput: a whole line cannot be read.
        """
        self._path = path
        self._read = 0  # bytes, up to the end of a line
        self._lines = 0
        self._entries: dict[int, Entry] = {}
        self._by_name: dict[str, list[int]] = {}
        self._follow()

    def add(self, certificate: x509.Certificate, at: datetime) -> None:
        self._write(Issued(at, certificate.public_bytes(Encoding.PEM).decode()))

    def revoke(self, serial: int, at: datetime, reason: str) -> None:
        """Once for all: a second revocation changes nothing.

        Raises:
            BadInput: no such certificate, or no reason of RFC 5280.
        """
        entry = self.get(serial)
        if entry is None:
            raise BadInput(f"serial {serial:x}", "no certificate of ours")
        if reason not in {flag.value for flag in x509.ReasonFlags} - {"removeFromCRL"}:
            raise BadInput("reason", f"{reason} is no reason that RFC 5280 knows")
        if entry.revoked is None:
            self._write(Revoked(at, f"{serial:x}", reason))

    def get(self, serial: int) -> Entry | None:
        self._follow()
        return self._entries.get(serial)

    def of_name(self, common_name: str) -> list[Entry]:
        """All certificates of a common name, oldest first."""
        self._follow()
        return [self._entries[serial] for serial in self._by_name.get(common_name, [])]

    def entries(self) -> list[Entry]:
        self._follow()
        return list(self._entries.values())

    def _write(self, line: Issued | Revoked) -> None:
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._follow()
            file.truncate(self._read)  # what is beyond the last whole line was torn
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._path.parent)
        self._follow()

    def _follow(self) -> None:
        """Take in what has been added since."""
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
                self._apply(msgspec.json.decode(line, type=Issued | Revoked))
            except (msgspec.DecodeError, KeyError, *UNREADABLE) as error:
                raise BadInput(f"{self._path}: line {self._lines + 1}", f"cannot be read: {error}") from None
            self._lines += 1
        self._read += len(added + end)

    def _apply(self, line: Issued | Revoked) -> None:
        if isinstance(line, Revoked):
            self._entries[int(line.serial, 16)].revoked = line
            return
        certificate = whole(x509.load_pem_x509_certificate(line.certificate.encode()))
        self._entries[certificate.serial_number] = Entry(certificate)
        self._by_name.setdefault(identity(certificate).common_name, []).append(certificate.serial_number)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
