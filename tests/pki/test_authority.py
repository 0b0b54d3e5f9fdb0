"""Our own authority: whom it signs for, what openssl thinks of that, and what survives."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput
from chargeloop.pki import (
    CONTRACTS,
    STATIONS,
    V2G,
    Authority,
    HashData,
    Identity,
    Profile,
    client_of,
    identity_of,
    responder_of,
)
from tests.pki.openssl_ca import EC, RSA, issue, new_request, new_root, openssl

NOW = datetime.now(UTC) + timedelta(minutes=50)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "stations", "Stadtwerke Köln", STATIONS, NOW, "http://csms.example/ocsp")


@pytest.mark.parametrize(
    "kind",
    [EC, RSA, ("rsa:3072",), ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"), ("ec", "-pkeyopt", "ec_paramgen_curve:secp224r1")],
)
def test_openssl_accepts_what_is_signed(tmp_path: Path, authority: Authority, kind: tuple[str, ...]) -> None:
    _, csr = new_request(tmp_path, "station", "/O=whatever/CN=CP-7", kind)
    chain = tmp_path / "chain.pem"
    chain.write_text(authority.sign(csr.read_text(), "CP-7", NOW))
    root = tmp_path / "stations" / "root.pem"
    assert b"OK" in openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", root, "-untrusted", chain, chain)
    leaf, sub = x509.load_pem_x509_certificates(chain.read_bytes())
    der = openssl("x509", "-in", chain, "-outform", "DER")
    found = identity_of(der)
    assert found == Identity("CP-7", "Stadtwerke Köln", f"{leaf.serial_number:x}", leaf.not_valid_after_utc)
    assert client_of(der, NOW) == found
    assert found.not_after == NOW.replace(microsecond=0) + timedelta(days=365)
    assert sub == authority.sub
    assert responder_of(leaf) == "http://csms.example/ocsp"
    assert not authority.revoked(found.serial)


@pytest.mark.parametrize(
    ("subject", "kind", "more", "why"),
    [
        ("/CN=CP-8", EC, (), "is for 'CP-8', not for 'CP-7'"),
        ("/O=none", EC, (), "is for '', not for 'CP-7'"),
        ("/CN=CP-7", ("rsa:1024",), (), "RSA key of 1024 bits"),
        ("/CN=CP-7", ("ec", "-pkeyopt", "ec_paramgen_curve:prime192v1"), (), "EC key of 192 bits"),
        ("/CN=CP-7", ("ed25519",), (), "over less than SHA-256"),
        ("/CN=CP-7", RSA, ("-sha1",), "over less than SHA-256"),
    ],
)
def test_requests_that_are_refused_say_why(
    tmp_path: Path, authority: Authority, subject: str, kind: tuple[str, ...], more: tuple[str, ...], why: str
) -> None:
    _, csr = new_request(tmp_path, "station", subject, kind, *more)
    with pytest.raises(BadInput, match=f"^csr: .*{why}"):
        authority.sign(csr.read_text(), "CP-7", NOW)
    assert authority.issued_to("CP-7") == []


def test_a_request_that_was_tampered_with_is_refused(tmp_path: Path, authority: Authority) -> None:
    _, csr = new_request(tmp_path, "station", "/CN=CP-7")
    der = openssl("req", "-in", csr, "-outform", "DER")
    (tmp_path / "changed.der").write_bytes(der.replace(b"CP-7", b"CP-9"))
    changed = openssl("req", "-in", tmp_path / "changed.der", "-inform", "DER", "-outform", "PEM").decode()
    with pytest.raises(BadInput, match="signature is wrong"):
        authority.sign(changed, "CP-9", NOW)
    with pytest.raises(BadInput, match="cannot be read"):
        authority.sign("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "CP-7", NOW)


def test_who_asks_again_with_the_same_key_gets_the_same_certificate(tmp_path: Path, authority: Authority) -> None:
    _, csr = new_request(tmp_path, "station", "/CN=CP-7")
    first = authority.sign(csr.read_text(), "CP-7", NOW)
    assert authority.sign(csr.read_text(), "CP-7", NOW + timedelta(minutes=5)) == first
    later = authority.sign(csr.read_text(), "CP-7", NOW + timedelta(days=300))
    assert later != first
    assert len(authority.issued_to("CP-7")) == 2


def test_everything_is_there_again_after_a_restart(tmp_path: Path, authority: Authority) -> None:
    _, csr = new_request(tmp_path, "station", "/CN=CP-7")
    leaf = x509.load_pem_x509_certificate(authority.sign(csr.read_text(), "CP-7", NOW).encode())
    authority.revoke(f"{leaf.serial_number:x}", NOW, "superseded")
    with (tmp_path / "stations" / "register.jsonl").open("ab") as torn:
        torn.write(b'{"type":"revoked","at":"20')
    again = Authority(tmp_path / "stations", "Stadtwerke Köln", STATIONS, NOW)
    assert again.root == authority.root
    assert again.revoked(f"{leaf.serial_number:x}")
    _, other = new_request(tmp_path, "other", "/CN=CP-8")
    again.sign(other.read_text(), "CP-8", NOW)
    third = Authority(tmp_path / "stations", "Stadtwerke Köln", STATIONS, NOW)
    assert [len(third.issued_to(name)) for name in ("CP-7", "CP-8", "CP-9")] == [1, 1, 0]
    assert third.entry(leaf.serial_number) is not None


def test_what_another_process_does_counts_at_once(tmp_path: Path, authority: Authority) -> None:
    other = Authority(tmp_path / "stations", "Stadtwerke Köln", STATIONS, NOW)
    leaf = x509.load_pem_x509_certificate(other.issue("CP-7", NOW)[0].encode())
    serial = f"{leaf.serial_number:x}"
    assert authority.ocsp_status(HashData.of(leaf, authority.sub)) == "good"
    other.revoke(serial, NOW)
    assert authority.revoked(serial)
    authority.issue("CP-8", NOW)
    assert [len(each.issued_to(name)) for each in (authority, other) for name in ("CP-7", "CP-8")] == [1, 1, 1, 1]


def test_keys_are_for_the_owner_only(tmp_path: Path, authority: Authority) -> None:
    folder = tmp_path / "stations"
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.glob("*.key")} == {"root.key": 0o600, "sub.key": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "sub.key").chmod(0o644)
    with pytest.raises(BadInput, match=r"sub\.key: can be read by others"):
        Authority(folder, "Stadtwerke", STATIONS, NOW)
    (folder / "sub.key").unlink()
    with pytest.raises(BadInput, match=r"sub\.key: No such file"):
        Authority(folder, "Stadtwerke", STATIONS, NOW)
    (folder / "sub.key").write_bytes((folder / "root.key").read_bytes())
    (folder / "sub.key").chmod(0o600)
    with pytest.raises(BadInput, match=r"sub\.key: is not the key of"):
        Authority(folder, "Stadtwerke", STATIONS, NOW)


def test_a_damaged_register_is_not_passed_over(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "stations" / "register.jsonl").write_text('{"type":"issued"}\n')
    with pytest.raises(BadInput, match=r"register\.jsonl: line 1"):
        Authority(tmp_path / "stations", "Stadtwerke", STATIONS, NOW)


def test_a_root_of_somebody_else_can_be_brought_along(tmp_path: Path) -> None:
    root = new_root(tmp_path, "v2g")
    usage = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign"
    sub = issue(tmp_path, "sub", "/O=Other/CN=Sub", root, usage)
    folder = tmp_path / "ca"
    folder.mkdir()
    for name, content in (("root.pem", root.text), ("sub.pem", sub.text), ("sub.key", sub.key.read_text())):
        (folder / name).write_text(content)
    (folder / "sub.key").chmod(0o600)
    authority = Authority(folder, "Stadtwerke", V2G, NOW)
    _, csr = new_request(tmp_path, "secc", "/CN=DE8AA1")
    chain = tmp_path / "chain.pem"
    chain.write_text(authority.sign(csr.read_text(), "DE8AA1", NOW))
    assert b"OK" in openssl("verify", "-CAfile", root.pem, "-untrusted", chain, chain)
    leaf = x509.load_pem_x509_certificate(chain.read_bytes())
    assert [each.value for each in leaf.subject.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)] == ["CPO"]
    assert leaf.not_valid_after_utc == sub.certificate.not_valid_after_utc  # never longer than its issuer
    assert authority.ocsp_status(HashData.of(leaf, sub.certificate)) == "good"
    about_sub = HashData.of(sub.certificate, root.certificate)
    assert authority.ocsp_status(about_sub) == "good"
    assert authority.status_response(about_sub, NOW) is None  # for want of the root's key


def test_openssl_finds_the_revoked_on_our_list(tmp_path: Path, authority: Authority) -> None:
    good, bad = (tmp_path / name for name in ("good.pem", "bad.pem"))
    for path in (good, bad):
        path.write_text(authority.issue(path.stem, NOW)[0])
    authority.revoke(client_of(openssl("x509", "-in", bad, "-outform", "DER"), NOW).serial, NOW, "keyCompromise")
    (tmp_path / "crl.der").write_bytes(authority.crl(NOW))
    shown = openssl(
        "crl", "-in", tmp_path / "crl.der", "-inform", "DER", "-text", "-CAfile", tmp_path / "stations" / "sub.pem"
    ).decode()
    assert "Key Compromise" in shown
    assert shown.count("Serial Number") == 1
    with pytest.raises(BadInput, match="no certificate of ours"):
        authority.revoke("1234", NOW)
    with pytest.raises(BadInput, match="no reason"):
        authority.revoke(client_of(openssl("x509", "-in", good, "-outform", "DER"), NOW).serial, NOW, "bored")


def test_a_server_certificate_names_its_hosts(tmp_path: Path, authority: Authority) -> None:
    chain, key = authority.issue("csms.example", NOW, ["csms.example", "192.0.2.7"])
    leaf = x509.load_pem_x509_certificate(chain.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["csms.example"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
    assert key.startswith("-----BEGIN PRIVATE KEY")


@pytest.mark.parametrize(("at", "why"), [(timedelta(days=400), "valid until"), (timedelta(days=-1), "valid until")])
def test_a_client_out_of_its_time_is_refused(tmp_path: Path, authority: Authority, at: timedelta, why: str) -> None:
    (tmp_path / "c.pem").write_text(authority.issue("CP-7", NOW)[0])
    with pytest.raises(BadInput, match=why):
        client_of(openssl("x509", "-in", tmp_path / "c.pem", "-outform", "DER"), NOW + at)


def test_what_is_no_client_certificate_is_refused(tmp_path: Path) -> None:
    nameless = issue(tmp_path, "nameless", "/O=Other", new_root(tmp_path, "root"), "keyUsage=digitalSignature")
    with pytest.raises(BadInput, match="no common name"):
        client_of(nameless.der, NOW)
    with pytest.raises(BadInput, match="cannot be read"):
        identity_of(b"nonsense")


@given(name=st.text(min_size=1, max_size=16))
def test_any_identity_can_stand_in_a_certificate(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    authority = Authority(tmp_path_factory.mktemp("ca") / "x", "Stadtwerke", Profile("Test", 1), NOW)
    leaf = x509.load_pem_x509_certificate(authority.issue(name, NOW)[0].encode())
    assert [each.value for each in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [name]
    assert [each.certificate for each in authority.issued_to(name)] == [leaf]


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_names_that_cannot_are_refused(authority: Authority, name: str) -> None:
    with pytest.raises(BadInput, match="subject"):
        authority.issue(name, NOW)


@pytest.mark.parametrize(
    "operator", ["Gesellschaft für Ladeinfrastruktur und Energiedienste", "深圳市城市充电基础设施运营有限公司"]
)
def test_an_operator_of_any_name_has_an_authority(tmp_path: Path, operator: str) -> None:
    assert Authority(tmp_path / "x", operator, STATIONS, NOW).operator == operator
    assert Authority(tmp_path / "x", "", STATIONS, NOW).operator == operator


def test_the_three_purposes_differ() -> None:
    assert {profile.component for profile in (STATIONS, V2G, CONTRACTS)} == {"", "CPO", "MO"}
