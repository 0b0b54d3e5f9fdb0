"""A certificate authority of ours: a root, a sub-authority below it that signs, and what it has issued."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from chargeloop.model import BadInput
from chargeloop.pki.chain import UNREADABLE, Identity, client_of, identity, named, read_pem, weakness
from chargeloop.pki.lines import sync_folder
from chargeloop.pki.ocsp import ALGORITHMS, HashData, State, hashes_of
from chargeloop.pki.register import Entry, Register

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
ROOT_DAYS, SUB_DAYS = 20 * 365, 10 * 365
BACKDATED = timedelta(hours=1)  # a station's clock may be behind ours
CRL_GOOD_FOR, OCSP_GOOD_FOR = timedelta(days=7), timedelta(days=1)
ASKED_AGAIN = timedelta(days=1)
LEAF_USAGE: Final = x509.KeyUsage(True, False, False, False, True, False, False, False, False)
CA_USAGE: Final = x509.KeyUsage(False, False, False, False, False, True, True, False, False)


@dataclass(frozen=True, slots=True)
class Profile:
    """What an authority's leaves have in common.

    `component`: the domain component that ISO 15118-2, annex F, asks of a leaf ("CPO" of a station's, "MO" of a contract's,
    "CPS" of what signs contracts for cars).
    """

    name: str
    days: int
    component: str = ""


STATIONS = Profile("Charging Stations", 365)
V2G = Profile("V2G", 90, "CPO")
CONTRACTS = Profile("Contracts", 730, "MO")
PROVISIONING = Profile("Provisioning", 90, "CPS")


class Authority:
    """Signs for one purpose. All times are wall time in UTC, whatever clock the city runs by."""

    def __init__(self, folder: Path, operator: str, profile: Profile, now: datetime, responder_url: str | None = None) -> None:
        """Takes the folder's keys, or makes them at first use. To sign below a root that somebody else keeps, put
        `root.pem`, `sub.pem` and `sub.key` there beforehand.

        Args:
            operator: O of all subjects, at most 64 bytes of UTF-8; "": as the root that is there says.
            responder_url: where stations reach our OCSP responder; written into leaves.

        Raises:
            BadInput: a file is missing, doesn't fit its certificate, or the key can be read by others.
        """
        if not folder.exists():
            _make(folder, operator, profile, now)
        self.root, self.sub = (_certificate(folder / name) for name in ("root.pem", "sub.pem"))
        self.operator, self.profile, self.responder_url = operator or identity(self.root).organisation, profile, responder_url
        self._sub_key = _key(folder / "sub.key", self.sub)
        # The root's key may be taken away to a safe: only answers about the sub-authority itself need it.
        self._root_key = _key(folder / "root.key", self.root) if (folder / "root.key").exists() else None
        self._register = Register(folder / "register.jsonl")

    def sign(self, csr_pem: str, common_name: str, now: datetime) -> str:
        """A station's certificate for its signing request (A02, A03): PEM chain, leaf first, without the root.

        The subject is ours to say: CN as asked for, O = operator.

        Raises:
            BadInput: the request cannot be read, is for another name, signed wrongly, or its key is too weak.
        """
        request = _request(csr_pem)
        asked = named(request.subject, NameOID.COMMON_NAME)
        if asked != common_name:
            raise BadInput("csr", f"is for {asked!r}, not for {common_name!r}")
        return self.chain_of(
            self._just_issued(request, common_name, now) or self._leaf(request.public_key(), common_name, now, ())
        )

    def issue(self, common_name: str, now: datetime, hosts: Iterable[str] = ()) -> tuple[str, str]:
        """A new EC key and its certificate: PEM chain, and PEM key, which is not kept here.

        `hosts`: names and addresses of a server that the certificate is for.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._leaf(key.public_key(), common_name, now, tuple(hosts))
        return self.chain_of(leaf), _pem_of(key).decode()

    def chain_of(self, leaf: x509.Certificate) -> str:
        """PEM of a leaf of ours and the sub-authority."""
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in (leaf, self.sub))

    def revoke(self, serial: str, now: datetime, reason: str = "unspecified") -> None:
        """`serial` in hex; `reason` as RFC 5280 names it.

        Raises:
            BadInput: no certificate of ours, or no such reason.
        """
        self._register.revoke(int(serial, 16), now, reason)

    def entry(self, serial: int) -> Entry | None:
        """What is known of a certificate of ours."""
        return self._register.get(serial)

    def issued_to(self, common_name: str) -> list[Entry]:
        """All that was ever issued to a name, oldest first."""
        return self._register.of_name(common_name)

    def entries(self) -> list[Entry]:
        """All that was ever issued, oldest first."""
        return self._register.entries()

    def is_due(self, common_name: str, now: datetime) -> bool:
        """Whether the newest certificate of a name is in the last quarter of its life, or past it: time to renew."""
        newest = next((each.certificate for each in reversed(self.issued_to(common_name)) if each.revoked is None), None)
        if newest is None:
            return False
        life = newest.not_valid_after_utc - newest.not_valid_before_utc
        return newest.not_valid_after_utc - now < life / 4

    def revoked(self, serial: str) -> bool:
        """Whether we have revoked it; `serial` in hex. False also for certificates of other authorities."""
        entry = self._register.get(int(serial, 16))
        return entry is not None and entry.revoked is not None

    def check_client(self, der: bytes | None, common_name: str, now: datetime) -> Identity:
        """Whether a TLS client is who it says (profile 3; B01): `der` is what it has shown, its issuer being checked by TLS.

        Raises:
            BadInput: it has shown nothing, or a certificate that is for another name, out of its time, or revoked.
        """
        if der is None:
            raise BadInput("client certificate", "is needed, but none was shown")
        found = client_of(der, now)
        if found.common_name != common_name:
            raise BadInput("client certificate", f"is for {found.common_name!r}, not for {common_name!r}")
        if self.revoked(found.serial):
            raise BadInput("client certificate", f"{found.serial} has been revoked")
        return found

    def ocsp_status(self, asked: HashData) -> State | None:
        """None: of another authority, so not ours to say."""
        if asked.names_issuer(self.sub):
            entry = self._register.get(asked.serial)
            if entry is None:
                return "unknown"
            return "good" if entry.revoked is None else "revoked"
        if asked.names_issuer(self.root):
            return "good" if asked.serial == self.sub.serial_number else "unknown"
        return None

    def crl(self, now: datetime) -> bytes:
        """DER list of what is revoked and would still be valid."""
        builder = x509.CertificateRevocationListBuilder(self.sub.subject, now, now + CRL_GOOD_FOR)
        for entry in self._register.entries():
            if entry.revoked is None or entry.certificate.not_valid_after_utc < now:
                continue
            revoked = x509.RevokedCertificateBuilder(entry.certificate.serial_number, entry.revoked.at)
            reason = x509.CRLReason(x509.ReasonFlags(entry.revoked.reason))
            builder = builder.add_revoked_certificate(revoked.add_extension(reason, critical=False).build())
        # Seconds of our own clock only ever grow, as the numbers of lists must.
        builder = builder.add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        builder = builder.add_extension(_authority_key(self.sub), critical=False)
        return builder.sign(self._sub_key, SHA256()).public_bytes(Encoding.DER)

    def status_response(self, asked: HashData, now: datetime, nonces: Iterable[x509.OCSPNonce] = ()) -> bytes | None:
        """A signed DER response about a certificate; None when it is not ours to say, or the root's key is away."""
        status = self.ocsp_status(asked)
        signer, key = (self.sub, self._sub_key) if asked.names_issuer(self.sub) else (self.root, self._root_key)
        if status is None or key is None:
            return None
        entry = self._register.get(asked.serial)
        revoked = entry.revoked if entry is not None and status == "revoked" else None
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial,
            ALGORITHMS[asked.algorithm],
            ocsp.OCSPCertStatus[status.upper()],
            now,
            now + OCSP_GOOD_FOR,
            revoked.at if revoked else None,
            x509.ReasonFlags(revoked.reason) if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer).certificates([signer])
        for nonce in nonces:
            builder = builder.add_extension(nonce, critical=False)
        return builder.sign(key, SHA256()).public_bytes(Encoding.DER)

    def _just_issued(self, request: x509.CertificateSigningRequest, common_name: str, now: datetime) -> x509.Certificate | None:
        """A charger that missed the answer asks again with the same key: it gets the same certificate."""
        issued = [each.certificate for each in self.issued_to(common_name) if each.revoked is None]
        same = [each for each in issued if each.public_key() == request.public_key()]
        return next((each for each in same if each.not_valid_before_utc + BACKDATED > now - ASKED_AGAIN), None)

    def _leaf(self, key: object, common_name: str, now: datetime, hosts: tuple[str, ...]) -> x509.Certificate:
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise BadInput("csr", "the key must be RSA or EC")
        if fault := weakness(key):
            raise BadInput("csr", fault)
        until = min(now + timedelta(days=self.profile.days), self.sub.not_valid_after_utc)
        builder = (
            _builder(_name(self.operator, common_name, self.profile.component), self.sub.subject, now, until)
            .public_key(key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(LEAF_USAGE, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_authority_key(self.sub), critical=False)
        )
        # No extended key usage, which ISO 15118 doesn't know, so that one certificate serves both.
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(each) for each in hosts]), critical=False)
        if self.responder_url is not None:
            where = x509.UniformResourceIdentifier(self.responder_url)
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        leaf = builder.sign(self._sub_key, SHA256())
        self._register.add(leaf, now)
        return leaf


def _make(folder: Path, operator: str, profile: Profile, now: datetime) -> None:
    """Beside its place first, so that half an authority never stands there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    made.mkdir(mode=0o700)
    root_key, sub_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    short = operator.encode()[:38].decode(errors="ignore")  # a common name has 64 bytes
    root_name, sub_name = (
        _name(operator, f"{short} {profile.name} {kind}", "V2G" if profile.component else "") for kind in ("Root", "CA")
    )
    root = _authority(root_name, root_key, root_name, root_key, 1, now, ROOT_DAYS)
    sub = _authority(sub_name, sub_key, root_name, root_key, 0, now, SUB_DAYS)
    for name, content in (("root.key", _pem_of(root_key)), ("sub.key", _pem_of(sub_key))):
        _write(made / name, content, 0o600)
    for name, certificate in (("root.pem", root), ("sub.pem", sub)):
        _write(made / name, certificate.public_bytes(Encoding.PEM), 0o644)
    sync_folder(made)
    made.rename(folder)
    sync_folder(folder.parent)


def _authority(
    name: x509.Name, key: Key, issuer: x509.Name, issuer_key: Key, below: int, now: datetime, days: int
) -> x509.Certificate:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        _builder(name, issuer, now, now + timedelta(days=days))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
        .add_extension(CA_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
        .sign(issuer_key, SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, now: datetime, until: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - BACKDATED).not_valid_after(until)


def _name(operator: str, common_name: str, component: str) -> x509.Name:
    if not common_name:
        raise BadInput("subject", "needs a common name")
    parts = [(NameOID.DOMAIN_COMPONENT, component), (NameOID.ORGANIZATION_NAME, operator), (NameOID.COMMON_NAME, common_name)]
    try:
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])
    except ValueError as error:
        raise BadInput("subject", str(error)) from None


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier(hashes_of(issuer, SHA256())[1][:20], None, None)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _request(csr_pem: str) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        request.public_key()
        valid = request.is_signature_valid and isinstance(request.signature_hash_algorithm, SHA256 | SHA384 | SHA512)
    except (InvalidSignature, *UNREADABLE) as error:
        raise BadInput("csr", f"cannot be read: {error}") from None
    if not valid:
        raise BadInput("csr", "its signature is wrong, or over less than SHA-256")
    return request


def refusal(status: str) -> bytes:
    """DER OCSP response without an answer; `status` as RFC 6960 names it, in capitals."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus[status]).public_bytes(Encoding.DER)


def _pem_of(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _certificate(path: Path) -> x509.Certificate:
    try:
        return read_pem(str(path), path.read_text(encoding="ascii"))[0]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(str(path), getattr(error, "strerror", None) or "is no PEM file") from None


def _key(path: Path, certificate: x509.Certificate) -> Key:
    try:
        if path.stat().st_mode & 0o077:
            raise BadInput(str(path), "can be read by others; chmod 600 it")
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise BadInput(str(path), error.strerror or str(error)) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadInput(str(path), "is no PEM key without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise BadInput(str(path), f"is not the key of {identity(certificate).common_name}")
    return key
