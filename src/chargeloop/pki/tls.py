"""TLS of the port that chargers connect to (OCPP security profiles 2 and 3)."""

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from chargeloop.model import BadInput
from chargeloop.pki.chain import read_pem

# The four that OCPP asks a server to offer; the two in the middle keep sessions secret even when an RSA key leaks later.
SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384"
)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pair:
    """PEM files of a certificate (with its sub-authorities, leaf first) and of its key."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Tls:
    """`pairs`: an ECDSA one, an RSA one, or both, as the station can do; `client_ca`: whose client certificates count."""

    pairs: tuple[Pair, ...]
    client_ca: Path | None = None

    def files(self) -> list[Path]:
        files = [path for pair in self.pairs for path in (pair.chain, pair.key)]
        return files if self.client_ca is None else [*files, self.client_ca]


class Credentials:
    """The context for a server, which follows its files: new connections get what they say, open ones go on.

    Authorities added to `client_ca` count at once; one that is taken away, after a restart.
    """

    def __init__(self, tls: Tls) -> None:
        """Raises:
        BadInput: naming the file that is missing or wrong.
        """
        self._tls = tls
        self._seen = self._stamp()
        self.context = context_of(tls)

    def refresh(self) -> bool:
        """Look at the files, say once a minute; True when something new was taken over.

        Files that are half written are left alone until they change again.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            context_of(self._tls)  # tried beside the live one, which must not be left half changed
            _load(self.context, self._tls)
        except BadInput as error:
            log.warning("TLS files have changed, but cannot be used", what=str(error))
            return False
        return True

    def days_left(self, now: datetime) -> float:
        """Until the first certificate of ours expires; negative afterwards. `now` is wall time."""
        chains = [read_pem(str(pair.chain), _text(pair.chain)) for pair in self._tls.pairs]
        return min((each.not_valid_after_utc - now).total_seconds() for chain in chains for each in chain) / 86400

    def _stamp(self) -> list[tuple[int, int, int] | None]:
        return [_stamp_of(path) for path in self._tls.files()]


def context_of(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 and 1.3, the suites that OCPP asks for, no compression; a client certificate may be shown, and is then checked.

    Raises:
        BadInput: naming the file that is missing or wrong.
    """
    if not tls.pairs:
        raise BadInput("TLS", "needs a certificate and its key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    _load(context, tls)
    if tls.client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _load(context: ssl.SSLContext, tls: Tls) -> None:
    for pair in tls.pairs:
        read_pem(str(pair.chain), _text(pair.chain))
        _text(pair.key)
        try:
            context.load_cert_chain(pair.chain, pair.key, password="")  # never ask at the terminal
        except (ssl.SSLError, ValueError) as error:
            raise BadInput(str(pair.key), f"does not go with {pair.chain.name}: {error}") from None
    if tls.client_ca is not None:
        read_pem(str(tls.client_ca), _text(tls.client_ca))
        context.load_verify_locations(tls.client_ca)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise BadInput(str(path), getattr(error, "strerror", None) or "is no PEM file") from None


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
