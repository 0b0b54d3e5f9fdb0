"""A certificate authority made with the openssl command: a peer that nobody here wrote."""

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from cryptography import x509

EC, RSA = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), ("rsa:2048",)
AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash"
LEAF = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature"
RESPONDER = f"{LEAF}\nextendedKeyUsage=OCSPSigning"
LOCALHOST = f"{LEAF}\nsubjectAltName=DNS:localhost,IP:127.0.0.1"


def openssl(*arguments: str | Path) -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass(frozen=True)
class Made:
    """A key and the certificate on it."""

    key: Path
    pem: Path

    @property
    def text(self) -> str:
        return self.pem.read_text()

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.pem.read_bytes())

    @property
    def der(self) -> bytes:
        return openssl("x509", "-in", self.pem, "-outform", "DER")


def new_request(folder: Path, name: str, subject: str, kind: tuple[str, ...] = EC, *more: str) -> tuple[Path, Path]:
    """Key and signing request, PEM files."""
    key, csr = folder / f"{name}.key", folder / f"{name}.csr"
    openssl("req", "-new", "-newkey", *kind, "-nodes", "-keyout", key, "-out", csr, "-subj", subject, *more)
    return key, csr


def new_root(folder: Path, name: str, kind: tuple[str, ...] = EC, days: int = 30) -> Made:
    made = Made(folder / f"{name}.key", folder / f"{name}.pem")
    where: list[str | Path] = ["-keyout", made.key, "-out", made.pem]
    openssl("req", "-x509", "-newkey", *kind, "-nodes", *where, "-days", str(days), "-subj", f"/O=Other/CN={name}")
    return made


def issue(
    folder: Path, name: str, subject: str, issuer: Made, extensions: str, kind: tuple[str, ...] = EC, days: int = 20
) -> Made:
    """A certificate of `issuer`; with `days` below zero it has expired."""
    key, csr = new_request(folder, name, subject, kind)
    made, extra = Made(key, folder / f"{name}.pem"), folder / f"{name}.ext"
    extra.write_text(extensions)
    openssl(
        *("x509", "-req", "-in", csr, "-CA", issuer.pem, "-CAkey", issuer.key, "-CAcreateserial"),
        *("-days", str(days), "-out", made.pem, "-extfile", extra),
    )
    return made


class Responder:
    """`openssl ocsp` as the responder of an authority: what it was asked, and what it shall say."""

    def __init__(self, folder: Path, issuer: Made, signer: Made | None = None) -> None:
        self._folder, self._issuer, self._signer = Path(mkdtemp(dir=folder)), issuer, signer or issuer
        self._lines: list[str] = []
        self.asked: list[str] = []

    def knows(self, made: Made, revoked: bool = False) -> None:
        serial = f"{made.certificate.serial_number:X}"
        serial = serial.zfill(len(serial) + len(serial) % 2)
        state, when = ("R", "250101000000Z") if revoked else ("V", "")
        self._lines = [line for line in self._lines if f"\t{serial}\t" not in line]
        self._lines.append(f"{state}\t491231235959Z\t{when}\t{serial}\tunknown\t/CN={serial}\n")

    async def fetch(self, url: str, post: tuple[str, bytes] | None) -> bytes:
        assert post is not None
        assert post[0] == "application/ocsp-request"
        self.asked.append(url)
        return await asyncio.to_thread(self.respond, post[1])

    def write_index(self) -> Path:
        """What openssl keeps of an authority's certificates."""
        index = self._folder / "index.txt"
        index.write_text("".join(self._lines))
        return index

    def respond(self, request: bytes) -> bytes:
        index, question, answer = self.write_index(), self._folder / "question.der", self._folder / "answer.der"
        question.write_bytes(request)
        openssl(
            *("ocsp", "-index", index, "-CA", self._issuer.pem, "-rsigner", self._signer.pem, "-rkey", self._signer.key),
            *("-reqin", question, "-respout", answer, "-ndays", "1", "-rmd", "sha256"),
        )
        return answer.read_bytes()
