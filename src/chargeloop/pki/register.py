"""What an authority has issued and revoked."""

from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from chargeloop.model import BadInput
from chargeloop.pki.chain import identity, whole
from chargeloop.pki.lines import Lines


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
    """A file of `Lines`: all certificates of one authority."""

    def __init__(self, path: Path) -> None:
        """Raises:
        BadInput: a whole line cannot be read.
        """
        self._entries: dict[int, Entry] = {}
        self._by_name: dict[str, list[int]] = {}
        self._lines = Lines[Issued | Revoked](path, Issued | Revoked, self._apply)
        self._lines.follow()

    def add(self, certificate: x509.Certificate, at: datetime) -> None:
        self._lines.add(Issued(at, certificate.public_bytes(Encoding.PEM).decode()))

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
            self._lines.add(Revoked(at, f"{serial:x}", reason))

    def get(self, serial: int) -> Entry | None:
        self._lines.follow()
        return self._entries.get(serial)

    def of_name(self, common_name: str) -> list[Entry]:
        """All certificates of a common name, oldest first."""
        self._lines.follow()
        return [self._entries[serial] for serial in self._by_name.get(common_name, [])]

    def entries(self) -> list[Entry]:
        self._lines.follow()
        return list(self._entries.values())

    def _apply(self, line: Issued | Revoked) -> None:
        if isinstance(line, Revoked):
            self._entries[int(line.serial, 16)].revoked = line
            return
        certificate = whole(x509.load_pem_x509_certificate(line.certificate.encode()))
        self._entries[certificate.serial_number] = Entry(certificate)
        self._by_name.setdefault(identity(certificate).common_name, []).append(certificate.serial_number)
