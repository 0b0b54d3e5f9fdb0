"""Whether a certificate is still good, by the online certificate status protocol (RFC 6960)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypedDict

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from chargeloop.model import BadInput
from chargeloop.pki.chain import UNREADABLE, issued_by, whole

State = Literal["good", "revoked", "unknown"]
STATES: dict[ocsp.OCSPCertStatus, State] = {
    ocsp.OCSPCertStatus.GOOD: "good",
    ocsp.OCSPCertStatus.REVOKED: "revoked",
    ocsp.OCSPCertStatus.UNKNOWN: "unknown",
}
ALGORITHMS: dict[str, HashAlgorithm] = {"SHA256": SHA256(), "SHA384": SHA384(), "SHA512": SHA512()}
SKEW = timedelta(minutes=5)  # how far a responder's clock may be off


class WireHashData(TypedDict):
    """CertificateHashDataType of OCPP 2.x."""

    hashAlgorithm: str
    issuerNameHash: str
    issuerKeyHash: str
    serialNumber: str


class HashData(NamedTuple):
    """What names a certificate to a responder: hashes of the issuer's DER name and of its public key's bits, and the serial."""

    algorithm: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int

    @classmethod
    def of(cls, certificate: x509.Certificate, issuer: x509.Certificate, algorithm: str = "SHA256") -> "HashData":
        """`algorithm`: SHA256, SHA384 or SHA512."""
        name, key = hashes_of(issuer, ALGORITHMS[algorithm])
        return cls(algorithm, name, key, certificate.serial_number)

    @classmethod
    def read(cls, where: str, wire: Mapping[str, object]) -> "HashData":
        """From OCPP's CertificateHashDataType or OCSPRequestDataType; hex digits of either case, with or without leading zeros.

        Raises:
            BadInput: no hex, or hashes of a wrong length.
        """
        algorithm = str(wire.get("hashAlgorithm"))
        if algorithm not in ALGORITHMS:
            raise BadInput(f"{where}.hashAlgorithm", "must be SHA256, SHA384 or SHA512")
        try:
            name, key = (bytes.fromhex(str(wire[field])) for field in ("issuerNameHash", "issuerKeyHash"))
            serial = _serial(int.from_bytes(bytes.fromhex(str(wire["serialNumber"]).zfill(40))))
        except (KeyError, ValueError):
            raise BadInput(where, "hashes and serial number must be hex digits, the latter of at most 159 bits") from None
        size = ALGORITHMS[algorithm].digest_size
        if len(name) != size or len(key) != size:
            raise BadInput(where, f"{algorithm} hashes have {2 * size} hex digits")
        return cls(algorithm, name, key, serial)

    def to_wire(self) -> WireHashData:
        return WireHashData(
            hashAlgorithm=self.algorithm,
            issuerNameHash=self.issuer_name_hash.hex(),
            issuerKeyHash=self.issuer_key_hash.hex(),
            serialNumber=f"{self.serial:x}",
        )

    def request(self) -> bytes:
        """The DER question to a responder; without a nonce, so that answers can be cached."""
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            self.issuer_name_hash, self.issuer_key_hash, self.serial, ALGORITHMS[self.algorithm]
        )
        return builder.build().public_bytes(Encoding.DER)

    def names_issuer(self, issuer: x509.Certificate) -> bool:
        return (self.issuer_name_hash, self.issuer_key_hash) == hashes_of(issuer, ALGORITHMS[self.algorithm])


class Answer(NamedTuple):
    """What a responder says; `next_update` None: it may know something newer at any time."""

    state: State
    next_update: datetime | None


def hashes_of(issuer: x509.Certificate, algorithm: HashAlgorithm) -> tuple[bytes, bytes]:
    """Of the DER name, and of the public key's bit string without tag, length and unused-bit count (RFC 6960, 4.1.1)."""
    spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _digest(algorithm, issuer.subject.public_bytes()), _digest(algorithm, _bit_string(spki))


def responder_of(certificate: x509.Certificate) -> str | None:
    """The responder's URL that a certificate names."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return None
    urls = [
        each.access_location.value
        for each in access
        if each.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(each.access_location, x509.UniformResourceIdentifier)
    ]
    return urls[0] if urls else None


def read_request(der: bytes) -> tuple[HashData, list[x509.OCSPNonce]]:
    """What a responder is asked, and the nonce to repeat.

    Raises:
        BadInput: no question about one certificate, or by a hash that OCPP doesn't know.
    """
    try:
        request = ocsp.load_der_ocsp_request(der)
        algorithm = next(name for name, each in ALGORITHMS.items() if each.name == request.hash_algorithm.name)
        nonces = [each.value for each in request.extensions if isinstance(each.value, x509.OCSPNonce)]
        serial = _serial(request.serial_number)
    except (NotImplementedError, StopIteration, *UNREADABLE):
        raise BadInput("OCSP request", "cannot be read") from None
    return HashData(algorithm, request.issuer_name_hash, request.issuer_key_hash, serial), nonces


def read_answer(der: bytes, asked: HashData, issuers: Iterable[x509.Certificate], now: datetime) -> Answer:
    """What an OCSP response says about `asked`.

    The issuer is found by its hashes among `issuers` and the certificates that the response brings along: the hashes tie
    them to the question. It signs itself, or has let a delegate do it (RFC 6960, 4.2.2.2).

    Raises:
        BadInput: no successful response, about something else, out of date, or signed by somebody without the right.
    """
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise BadInput("OCSP response", f"the responder says {response.response_status.name.lower()}")
        answers = [each for each in response.responses if _is_about(each, asked)]
        brought = [whole(each) for each in response.certificates]
    except UNREADABLE:
        raise BadInput("OCSP response", "cannot be read") from None
    if not answers:
        raise BadInput("OCSP response", "is about another certificate")
    _check_signed(response, [each for each in (*issuers, *brought) if asked.names_issuer(each)], brought, now)
    answer = answers[0]
    if answer.this_update_utc > now + SKEW or (answer.next_update_utc is not None and answer.next_update_utc < now - SKEW):
        raise BadInput("OCSP response", "is out of date")
    return Answer(STATES[answer.certificate_status], answer.next_update_utc)


def _is_about(answer: ocsp.OCSPSingleResponse, asked: HashData) -> bool:
    return (
        answer.hash_algorithm.name == ALGORITHMS[asked.algorithm].name
        and answer.serial_number == asked.serial
        and answer.issuer_name_hash == asked.issuer_name_hash
        and answer.issuer_key_hash == asked.issuer_key_hash
    )


def _check_signed(
    response: ocsp.OCSPResponse, issuers: list[x509.Certificate], brought: list[x509.Certificate], now: datetime
) -> None:
    if not issuers:
        raise BadInput("OCSP response", "the issuer is not known, so nothing can vouch for it")
    delegates = [each for each in brought for issuer in issuers if _may_answer(each, issuer, now)]
    if not any(_has_signed(each, response) for each in (*issuers, *delegates)):
        raise BadInput("OCSP response", "is not signed by the issuer or its delegate")


def _may_answer(delegate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    try:
        purposes = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    in_time = delegate.not_valid_before_utc <= now <= delegate.not_valid_after_utc
    return in_time and ExtendedKeyUsageOID.OCSP_SIGNING in purposes and issued_by(delegate, issuer)


def _has_signed(signer: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    try:
        key, algorithm = signer.public_key(), response.signature_hash_algorithm
        match key:
            case rsa.RSAPublicKey() if isinstance(algorithm, SHA256 | SHA384 | SHA512):
                key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
            case ec.EllipticCurvePublicKey() if isinstance(algorithm, SHA256 | SHA384 | SHA512):
                key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
            case ed448.Ed448PublicKey():
                key.verify(response.signature, response.tbs_response_bytes)
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _serial(number: int) -> int:
    """At most 20 bytes, one bit of which is the sign (RFC 5280, 4.1.2.2)."""
    if not 0 <= number < 1 << 159:
        raise ValueError("serial number")
    return number


def _digest(algorithm: HashAlgorithm, data: bytes) -> bytes:
    digest = Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _bit_string(spki: bytes) -> bytes:
    """The key bits of a SubjectPublicKeyInfo: SEQUENCE { AlgorithmIdentifier, BIT STRING }."""
    _, inner, _ = _tlv(spki)
    _, _, rest = _tlv(inner)
    _, bits, _ = _tlv(rest)
    return bits[1:]  # the first byte counts unused bits


def _tlv(der: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content, and what follows, of one DER element."""
    length, start = der[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(der[2:start])
    return der[0], der[start : start + length], der[start + length :]
