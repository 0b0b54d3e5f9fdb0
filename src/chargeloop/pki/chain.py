"""Reading certificates: whose they are, until when, whether their keys are strong enough, and whether a chain holds."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.x509.oid import ExtensionOID, NameOID

from chargeloop.model import BadInput, ChargeloopError

RSA_BITS, EC_BITS = 2048, 224  # OCPP, security: the weakest keys allowed
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
LONGEST_PATH = 6  # certificates from a leaf to its root; ISO 15118 has at most 4
READ_BY_US = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
}


class Identity(NamedTuple):
    """The subject of a certificate; `serial` in hex without leading zeros, `not_after` in UTC."""

    common_name: str
    organisation: str
    serial: str
    not_after: datetime


class ChainBroken(ChargeloopError):
    """A chain that cannot be relied upon, and why."""

    def __init__(self, why: Literal["expired", "signature", "chain"], what: str) -> None:
        super().__init__(what)
        self.why = why


def identity_of(der: bytes) -> Identity:
    """Whose certificate this is.

    Raises:
        BadInput: no certificate.
    """
    return identity(_read_der(der))


def client_of(der: bytes, now: datetime) -> Identity:
    """Whose client certificate this is, from a TLS connection, where its issuer has been checked.

    A resumed TLS session doesn't look at the dates again, so this does; `now` is wall time, not the city's.

    Raises:
        BadInput: no certificate, without a common name, or out of its time.
    """
    certificate = _read_der(der)
    found = identity(certificate)
    if not found.common_name:
        raise BadInput("client certificate", "has no common name")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise BadInput("client certificate", f"is valid until {found.not_after:%Y-%m-%d %H:%M} UTC")
    return found


def identity(certificate: x509.Certificate) -> Identity:
    return Identity(
        named(certificate.subject, NameOID.COMMON_NAME),
        named(certificate.subject, NameOID.ORGANIZATION_NAME),
        f"{certificate.serial_number:x}",
        certificate.not_valid_after_utc,
    )


def _read_der(der: bytes) -> x509.Certificate:
    try:
        return whole(x509.load_der_x509_certificate(der))
    except UNREADABLE:
        raise BadInput("certificate", "cannot be read") from None


def named(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    """The first value of an attribute; "" when the name has none."""
    return next((str(attribute.value) for attribute in name.get_attributes_for_oid(oid)), "")


def read_pem(where: str, pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text, in its order.

    Raises:
        BadInput: there is none, or one cannot be read.
    """
    try:
        return [whole(each) for each in x509.load_pem_x509_certificates(pem.encode())]
    except UNREADABLE:
        raise BadInput(where, "holds no PEM certificate that can be read") from None


def whole(certificate: x509.Certificate) -> x509.Certificate:
    """The same, once all of it has been read: the library reads the parts when they are asked for.

    Raises:
        UNREADABLE: a part is damaged, or of a kind that isn't known.
    """
    if certificate.serial_number <= 0:
        raise ValueError("serial number")
    for part in (certificate.subject, certificate.issuer):
        part.rfc4514_string()
    for used in (certificate.extensions, certificate.public_key(), certificate.signature_hash_algorithm):
        del used
    return certificate


def weakness(key: object) -> str | None:
    """What is wrong with a public key, or None."""
    match key:
        case rsa.RSAPublicKey():
            return None if key.key_size >= RSA_BITS else f"RSA key of {key.key_size} bits, at least {RSA_BITS} are needed"
        case ec.EllipticCurvePublicKey():
            return None if key.key_size >= EC_BITS else f"EC key of {key.key_size} bits, at least {EC_BITS} are needed"
        case ed448.Ed448PublicKey():  # ISO 15118-20
            return None
        case _:
            return "key of an algorithm that is not allowed"


def path_to_root(chain: Sequence[x509.Certificate], roots: Iterable[x509.Certificate], now: datetime) -> list[x509.Certificate]:
    """From the leaf, the first of `chain`, to one of the trusted `roots`; the others of `chain` may lie in any order.

    All come from `read_pem`, or have been found `whole`.

    Dates, signatures, key strength, CA marks and path lengths are checked; name constraints and policies are not, and
    a critical extension that isn't known here is refused.

    Raises:
        ChainBroken: "expired" (any of them, or not valid yet), "signature", or "chain" for all else.
    """
    leaf, trusted = chain[0], list(roots)
    path = [leaf]
    _check_one(leaf, now)
    if is_authority(leaf) or leaf in trusted:
        raise ChainBroken("chain", "the leaf is an authority itself")
    while path[-1] not in trusted:
        if len(path) == LONGEST_PATH:
            raise ChainBroken("chain", f"no trusted root within {LONGEST_PATH} certificates")
        issuer = _issuer_of(path[-1], [*trusted, *chain], now)
        _check_one(issuer, now)
        _check_authority(issuer, below=len(path) - 1)
        path.append(issuer)
    return path


def is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` has signed it; False also when the names don't fit."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _issuer_of(certificate: x509.Certificate, candidates: Sequence[x509.Certificate], now: datetime) -> x509.Certificate:
    """Of several, as when an authority has been renewed with the same key, a valid one, and rather one that is trusted."""
    by_name = [each for each in candidates if each.subject == certificate.issuer and each != certificate]
    if not by_name:
        raise ChainBroken("chain", f"nobody known has issued {certificate.subject.rfc4514_string()}")
    signers = [each for each in by_name if issued_by(certificate, each)]
    if not signers:
        raise ChainBroken("signature", f"the signature of {certificate.subject.rfc4514_string()} is wrong")
    return max(signers, key=lambda each: each.not_valid_before_utc <= now <= each.not_valid_after_utc)


def _check_one(certificate: x509.Certificate, now: datetime) -> None:
    name = certificate.subject.rfc4514_string()
    if now > certificate.not_valid_after_utc:
        raise ChainBroken("expired", f"{name} has expired")
    if now < certificate.not_valid_before_utc:
        raise ChainBroken("chain", f"{name} is not valid yet")
    algorithm = certificate.signature_hash_algorithm
    unknown = [each.oid.dotted_string for each in certificate.extensions if each.critical and each.oid not in READ_BY_US]
    if fault := weakness(certificate.public_key()):
        raise ChainBroken("chain", f"{name}: {fault}")
    if not isinstance(algorithm, SHA256 | SHA384 | SHA512 | None):  # None: Ed448, which hashes by itself
        raise ChainBroken("chain", f"{name} is signed over {algorithm.name}")
    if unknown:
        raise ChainBroken("chain", f"{name} has a critical extension that is not known: {unknown[0]}")


def _check_authority(certificate: x509.Certificate, below: int) -> None:
    """`below`: how many authorities stand between this one and the leaf."""
    name, extensions = certificate.subject.rfc4514_string(), certificate.extensions
    if not is_authority(certificate):
        raise ChainBroken("chain", f"{name} is no authority")
    length = extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    if length is not None and below > length:
        raise ChainBroken("chain", f"{name} allows only {length} authorities below it")
    try:
        may_sign = extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        may_sign = True
    if not may_sign:
        raise ChainBroken("chain", f"{name} may not sign certificates")
