"""The OCSP responder over HTTP, asked by openssl's own requests."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.conftest import Running
from tests.pki.openssl_ca import openssl

OK, DER = 200, {"Content-Type": "application/ocsp-request"}


@pytest.fixture
def question(running: Running, tmp_path: Path) -> bytes:
    """About a station's certificate."""
    leaf, question = tmp_path / "leaf.pem", tmp_path / "question.der"
    leaf.write_text(running.context.pki.stations.issue("CP-1", datetime.now(UTC))[0])
    issuer = tmp_path / "pki" / "stations" / "sub.pem"
    openssl("ocsp", "-sha256", "-issuer", issuer, "-cert", leaf, "-reqout", question)
    return question.read_bytes()


def verdict(folder: Path, answer: bytes) -> str:
    said, both, pki = folder / "answer.der", folder / "both.pem", folder / "pki" / "stations"
    said.write_bytes(answer)
    both.write_text((pki / "sub.pem").read_text() + (pki / "root.pem").read_text())
    about = ("-issuer", pki / "sub.pem", "-cert", folder / "leaf.pem", "-respin", said, "-CAfile", both, "-no_nonce")
    return openssl("ocsp", "-sha256", *about).decode()


async def test_it_is_asked_by_post_and_by_get(running: Running, question: bytes, tmp_path: Path) -> None:
    posted = await running.http.post("http://127.0.0.1/ocsp", content=question, headers=DER)
    assert (posted.status_code, posted.headers["content-type"]) == (OK, "application/ocsp-response")
    assert "leaf.pem: good" in verdict(tmp_path, posted.content)
    got = await running.http.get("http://127.0.0.1/ocsp/" + quote(base64.b64encode(question).decode(), safe=""))
    assert "leaf.pem: good" in verdict(tmp_path, got.content)


async def test_it_knows_at_once_what_is_revoked(running: Running, question: bytes, tmp_path: Path) -> None:
    stations = running.context.pki.stations
    (entry,) = stations.issued_to("CP-1")
    stations.revoke(f"{entry.certificate.serial_number:x}", datetime.now(UTC), "keyCompromise")
    answer = await running.http.post("http://127.0.0.1/ocsp", content=question, headers=DER)
    assert "leaf.pem: revoked" in verdict(tmp_path, answer.content)


async def test_nonsense(running: Running) -> None:
    malformed = bytes.fromhex("30030a0101")  # OCSPResponseStatus malformedRequest
    assert (await running.http.post("http://127.0.0.1/ocsp", content=b"x", headers=DER)).content == malformed
    assert (await running.http.get("http://127.0.0.1/ocsp/QUJD")).content == malformed
    assert (await running.http.get("http://127.0.0.1/ocsp/***")).status_code == 400
    assert (await running.http.post("http://127.0.0.1/ocsp", content=b"x" * 5000, headers=DER)).status_code == 413
