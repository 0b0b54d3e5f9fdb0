"""OCSP against the openssl command: the questions it would ask, the answers it gives, and what it thinks of ours."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput
from chargeloop.pki import STATIONS, Answer, Authority, Fetcher, HashData, Statuses, read_answer, responder_of
from tests.pki.openssl_ca import EC, LEAF, RESPONDER, RSA, Made, Responder, issue, new_request, new_root, openssl

NOW = datetime.now(UTC) + timedelta(minutes=50)  # all that the tests make is valid by then


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ocsp")


@pytest.fixture(scope="module")
def root(folder: Path) -> Made:
    return new_root(folder, "root")


@pytest.fixture(scope="module")
def leaf(folder: Path, root: Made) -> Made:
    return issue(folder, "leaf", "/CN=leaf", root, f"{LEAF}\nauthorityInfoAccess=OCSP;URI:http://ocsp.example/mo")


def by_openssl(issuer: Path, leaf: Path, algorithm: str) -> dict[str, str]:
    """Hash data as `openssl ocsp` computes them."""
    shown = openssl("ocsp", f"-{algorithm.lower()}", "-issuer", issuer, "-cert", leaf, "-req_text", "-no_nonce").decode()
    shown = re.sub(r"\\\n\s*", "", shown)  # long values go on in the next line
    found = dict(re.findall(r"(Issuer Name Hash|Issuer Key Hash|Serial Number): ([0-9A-F]+)", shown))
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": found["Issuer Name Hash"].lower(),
        "issuerKeyHash": found["Issuer Key Hash"].lower(),
        "serialNumber": found["Serial Number"].lower().lstrip("0"),
    }


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("kind", [EC, RSA, ("ec", "-pkeyopt", "ec_paramgen_curve:P-521")], ids=["ec", "rsa", "p521"])
def test_hash_data_are_what_openssl_computes(tmp_path: Path, kind: tuple[str, ...], algorithm: str) -> None:
    root = new_root(tmp_path, "Wurzel ü", kind)
    leaf = issue(tmp_path, "leaf", "/CN=leaf", root, LEAF)
    ours = HashData.of(leaf.certificate, root.certificate, algorithm)
    assert ours.to_wire() == by_openssl(root.pem, leaf.pem, algorithm)


@given(
    serial=st.integers(1, 2**159 - 1),
    algorithm=st.sampled_from(["SHA256", "SHA384", "SHA512"]),
    upper=st.booleans(),
    zeros=st.integers(0, 3),
)
def test_hash_data_survive_the_wire_in_any_spelling(serial: int, algorithm: str, upper: bool, zeros: int) -> None:
    size = {"SHA256": 32, "SHA384": 48, "SHA512": 64}[algorithm]
    sent = HashData(algorithm, b"\x01" * size, b"\xab" * size, serial)
    wire = {
        name: value if name == "hashAlgorithm" else str(value).upper() if upper else value
        for name, value in sent.to_wire().items()
    }
    wire["serialNumber"] = "0" * min(zeros, 40 - len(str(wire["serialNumber"]))) + str(wire["serialNumber"])
    assert HashData.read("x", wire) == sent
    assert ocsp.load_der_ocsp_request(sent.request()).serial_number == serial
    assert not sent.to_wire()["serialNumber"].startswith("0")


@pytest.mark.parametrize(
    "changed",
    [
        {"issuerNameHash": "zz"},
        {"issuerKeyHash": "ab" * 20},
        {"serialNumber": "1g"},
        {"serialNumber": "f" * 40},
        {"hashAlgorithm": "SHA1"},
    ],
)
def test_hash_data_that_are_none_are_refused(changed: dict[str, str]) -> None:
    wire = {"hashAlgorithm": "SHA256", "issuerNameHash": "ab" * 32, "issuerKeyHash": "ab" * 32, "serialNumber": "1"}
    with pytest.raises(BadInput, match="ocspRequestData"):
        HashData.read("ocspRequestData", wire | changed)


@pytest.mark.parametrize(("revoked", "state"), [(False, "good"), (True, "revoked")])
@pytest.mark.parametrize("delegate", [False, True])
def test_what_openssl_answers_is_understood(
    folder: Path, root: Made, leaf: Made, revoked: bool, state: str, delegate: bool
) -> None:
    signer = issue(folder, "delegate", "/CN=delegate", root, RESPONDER) if delegate else None
    responder = Responder(folder, root, signer)
    responder.knows(leaf, revoked)
    asked = HashData.of(leaf.certificate, root.certificate)
    answer = read_answer(responder.respond(asked.request()), asked, [root.certificate], NOW)
    assert isinstance(answer, Answer)
    assert answer.state == state
    assert answer.next_update is not None
    assert NOW < answer.next_update < NOW + timedelta(days=2)
    assert responder_of(leaf.certificate) == "http://ocsp.example/mo"
    assert responder_of(root.certificate) is None


def test_an_unknown_certificate_is_unknown(folder: Path, root: Made, leaf: Made) -> None:
    asked = HashData.of(leaf.certificate, root.certificate)
    assert read_answer(Responder(folder, root).respond(asked.request()), asked, [root.certificate], NOW).state == "unknown"


def test_answers_that_nobody_may_rely_on_are_refused(folder: Path, root: Made, leaf: Made) -> None:
    asked = HashData.of(leaf.certificate, root.certificate)
    stranger = new_root(folder, "stranger")
    impostor = Responder(folder, root, issue(folder, "impostor", "/CN=x", stranger, RESPONDER))
    impostor.knows(leaf)
    without_right = Responder(folder, root, issue(folder, "no-right", "/CN=x", root, LEAF))
    without_right.knows(leaf)
    honest = Responder(folder, root)
    honest.knows(leaf)
    good = honest.respond(asked.request())

    def refused(der: bytes, what: str, about: HashData = asked, at: datetime = NOW) -> None:
        with pytest.raises(BadInput, match=what):
            read_answer(der, about, [root.certificate], at)

    refused(impostor.respond(asked.request()), "not signed by the issuer")
    refused(without_right.respond(asked.request()), "not signed by the issuer")
    refused(good, "about another certificate", asked._replace(serial=1))
    refused(good, "out of date", at=NOW + timedelta(days=3))
    refused(good, "out of date", at=NOW - timedelta(days=1))
    signature = ocsp.load_der_ocsp_response(good).signature
    refused(good.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1])), "not signed by the issuer")
    refused(b"<html>", "cannot be read")
    with pytest.raises(BadInput, match="issuer is not known"):
        read_answer(_without_certificates(folder, honest.write_index(), root, leaf), asked, [], NOW)


def _without_certificates(folder: Path, index: Path, root: Made, leaf: Made) -> bytes:
    (folder / "q.der").write_bytes(HashData.of(leaf.certificate, root.certificate).request())
    openssl(
        *("ocsp", "-index", index, "-CA", root.pem, "-rsigner", root.pem, "-rkey", root.key),
        *("-reqin", folder / "q.der", "-respout", folder / "a.der", "-resp_no_certs"),
    )
    return (folder / "a.der").read_bytes()


def test_openssl_accepts_our_responder(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "Stadtwerke", STATIONS, NOW)
    _, csr = new_request(tmp_path, "CS-1", "/CN=CS-1")
    chain = tmp_path / "chain.pem"
    chain.write_text(authority.sign(csr.read_text(), "CS-1", NOW))
    root, sub, leaf = (
        tmp_path / "ca" / "root.pem",
        tmp_path / "ca" / "sub.pem",
        x509.load_pem_x509_certificate(chain.read_bytes()),
    )
    both = tmp_path / "both.pem"
    both.write_text(sub.read_text() + root.read_text())

    def asked(issuer: Path, certificate: Path) -> str:
        question, answer = tmp_path / "q", tmp_path / "a"
        openssl("ocsp", "-sha256", "-issuer", issuer, "-cert", certificate, "-reqout", question)
        answer.write_bytes(Statuses([authority], Fetcher()).answer(question.read_bytes(), datetime.now(UTC)))
        check: list[str | Path] = ["-issuer", issuer, "-cert", certificate, "-respin", answer, "-CAfile", both, "-no_nonce"]
        return openssl("ocsp", "-sha256", *check).decode()

    assert "chain.pem: good" in asked(sub, chain)
    assert "sub.pem: good" in asked(root, sub)
    authority.revoke(f"{leaf.serial_number:x}", NOW, "keyCompromise")
    said = asked(sub, chain)
    assert "chain.pem: revoked" in said
    assert "keyCompromise" in said


def test_our_responder_refuses_what_is_not_its_own(tmp_path: Path, root: Made, leaf: Made) -> None:
    authority = Authority(tmp_path / "ca", "Stadtwerke", STATIONS, NOW)
    foreign = HashData.of(leaf.certificate, root.certificate)
    assert authority.ocsp_status(foreign) is None
    for request, said in ((foreign.request(), "unauthorized"), (b"nonsense", "malformed_request")):
        with pytest.raises(BadInput, match=said):
            read_answer(Statuses([authority], Fetcher()).answer(request, NOW), foreign, [root.certificate], NOW)
