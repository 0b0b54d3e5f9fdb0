"""The messages of ISO 15118-2 by which a car gets its contract certificate; names and order are the standard's schema's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """What was signed: the element whose Id follows the "#" of `uri`, by the digest of its EXI fragment."""

    uri: str | None
    digest: bytes
    digest_method: str
    transforms: tuple[str, ...] = ()
    id: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class SignedInfo:
    """What a signature is over; methods and transforms are the URIs of algorithms."""

    canonicalization: str
    method: str
    references: tuple[Reference, ...]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class SignatureValue:
    value: bytes
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """XML signature; without key and objects, which ISO 15118-2 leaves out."""

    info: SignedInfo
    value: SignatureValue
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    code: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """`session_id`: up to 8 bytes."""

    session_id: bytes
    notification: Notification | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class RootId:
    """A root that the car has, by the name of its issuer and its serial number."""

    issuer: str
    serial: int


@dataclass(frozen=True, slots=True)
class Chain:
    """DER certificates: the leaf, and up to 4 authorities, without the root."""

    certificate: bytes
    sub_certificates: tuple[bytes, ...] = ()
    id: str | None = None


@dataclass(frozen=True, slots=True)
class EncryptedKey:
    """A private key: the initialisation vector, and 32 bytes by AES-128-CBC."""

    id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class DhPublicKey:
    """A point of the curve P-256, uncompressed."""

    id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Emaid:
    id: str
    value: str


@dataclass(frozen=True, slots=True)
class InstallationRequest:
    """CertificateInstallationReq."""

    id: str
    provisioning_certificate: bytes
    roots: tuple[RootId, ...]


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """CertificateUpdateReq."""

    id: str
    contract_chain: Chain
    emaid: str
    roots: tuple[RootId, ...]


@dataclass(frozen=True, slots=True)
class InstallationResponse:
    """CertificateInstallationRes. `code`: one of `RESPONSE_CODES`."""

    code: str
    provisioning_chain: Chain
    contract_chain: Chain
    encrypted_key: EncryptedKey
    dh_public_key: DhPublicKey
    emaid: Emaid


@dataclass(frozen=True, slots=True)
class UpdateResponse:
    """CertificateUpdateRes. `retry_counter`: days until the car may ask again; -1: never."""

    code: str
    provisioning_chain: Chain
    contract_chain: Chain
    encrypted_key: EncryptedKey
    dh_public_key: DhPublicKey
    emaid: Emaid
    retry_counter: int | None = None


Body = InstallationRequest | InstallationResponse | UpdateRequest | UpdateResponse
Signable = InstallationRequest | UpdateRequest | Chain | EncryptedKey | DhPublicKey | Emaid


@dataclass(frozen=True, slots=True)
class Message:
    """V2G_Message."""

    header: Header
    body: Body
