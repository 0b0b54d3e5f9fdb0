"""Whatever a charger, a car or a responder sends: it is refused in words, never by another exception."""

import base64
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from chargeloop.model import ChargeloopError
from chargeloop.pki import STATIONS, Authority, Fetcher, HashData, Statuses, client_of, path_to_root, read_answer
from chargeloop.pki.chain import read_pem
from tests.pki.openssl_ca import EC, LEAF, RSA, Responder, issue, new_request, new_root, openssl

NOW = datetime.now(UTC) + timedelta(minutes=50)
TIMES = 400
Sender = tuple[bytes, Callable[[bytes], object]]


def pem(der: bytes, kind: str) -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n"


@pytest.fixture(scope="module")
def senders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sender]:
    """What can be sent to us, whole, and what is done with it."""
    folder: Path = tmp_path_factory.mktemp("damage")
    root = new_root(folder, "root")
    leaf = issue(folder, "leaf", "/O=Other/CN=CP-7", root, LEAF)
    responder = Responder(folder, root)
    responder.knows(leaf)
    asked = HashData.of(leaf.certificate, root.certificate)
    authority = Authority(folder / "ca", "Stadtwerke", STATIONS, NOW)
    ours = x509.load_pem_x509_certificate(authority.issue("CP-8", NOW)[0].encode())
    requests = {name: new_request(folder, name, "/CN=CP-7", kind)[1] for name, kind in (("ec", EC), ("rsa", RSA))}
    signing = {name: openssl("req", "-in", path, "-outform", "DER") for name, path in requests.items()}
    statuses = Statuses([authority], Fetcher())

    def sign(der: bytes) -> object:
        return authority.sign(pem(der, "CERTIFICATE REQUEST"), "CP-7", NOW)

    def walk(der: bytes) -> object:
        return path_to_root(read_pem("chain", pem(der, "CERTIFICATE")), [root.certificate], NOW)

    return {
        "client certificate": (leaf.der, lambda der: client_of(der, NOW)),
        "chain": (leaf.der, walk),
        "EC request": (signing["ec"], sign),
        "RSA request": (signing["rsa"], sign),
        "OCSP answer": (responder.respond(asked.request()), lambda der: read_answer(der, asked, [root.certificate], NOW)),
        "OCSP question": (HashData.of(ours, authority.sub).request(), lambda der: statuses.answer(der, NOW)),
    }


def damaged(good: bytes, dice: random.Random) -> bytes:
    """Some bytes changed, and now and then some missing or too many."""
    changed = bytearray(good)
    for _ in range(dice.randint(1, 3)):
        place, gone, more = dice.randrange(len(changed)), *dice.choice([(1, 1), (1, 1), (1, 1), (2, 0), (0, 2)])
        changed[place : place + gone] = dice.randbytes(more)
    return bytes(changed)


def outcome(do: Callable[[bytes], object], sent: bytes) -> str:
    try:
        do(sent)
    except ChargeloopError as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("client certificate", 200),
        ("chain", 380),
        ("EC request", 380),
        ("RSA request", 380),
        ("OCSP answer", 300),
        ("OCSP question", 0),
    ],
)
def test_damage_is_refused_in_words(senders: dict[str, Sender], name: str, least: int) -> None:
    """At least so often of 400: some bytes nobody relies on, and a responder answers whatever it is asked."""
    good, do = senders[name]
    assert outcome(do, good) == ""
    dice = random.Random(name)  # the same damage each time
    said = [outcome(do, damaged(good, dice)) for _ in range(TIMES)]
    assert sum(map(bool, said)) >= least
