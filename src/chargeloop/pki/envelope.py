"""What goes between a provisioning service and a car (ISO 15118-2, 7.9.2): signatures over EXI, and keys for one reader."""

import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chargeloop.model import BadInput
from chargeloop.protocols.iso15118 import Reference, Signable, Signature, SignatureValue, SignedInfo, fragment, signed_info

EXI: Final = "http://www.w3.org/TR/canonical-exi/"
ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
SHA_256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
OTHER_INFO: Final = b"\x01UV"  # algorithm, and the parties U and V
COORDINATE, KEY, IV = 32, 16, 16  # bytes of P-256 and of AES-128


def sign(elements: Sequence[Signable], key: ec.EllipticCurvePrivateKey) -> Signature:
    """An XML signature over elements of a message, by their ids; `key`: of the curve P-256."""
    references = tuple(Reference(f"#{each.id}", _digest(fragment(each)), SHA_256, (EXI,)) for each in elements)
    info = SignedInfo(EXI, ECDSA_SHA256, references)
    r, s = decode_dss_signature(key.sign(signed_info(info), ec.ECDSA(SHA256())))
    return Signature(info, SignatureValue(r.to_bytes(COORDINATE) + s.to_bytes(COORDINATE)))


def check_signed(signature: Signature | None, element: Signable, key: object) -> None:
    """Whether a signature is over that element and no other, by the holder of a P-256 key.

    Raises:
        BadInput: it is not.
    """
    if signature is None:
        raise BadInput("signature", "is missing")
    info, value = signature.info, signature.value.value
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadInput("signature", "its key is not of the curve P-256")
    told = [(each.uri, each.digest, each.digest_method) for each in info.references]
    if told != [(f"#{element.id}", _digest(fragment(element)), SHA_256)]:
        raise BadInput("signature", "is over something else than the message")
    if info.method != ECDSA_SHA256 or len(value) != 2 * COORDINATE:
        raise BadInput("signature", "is not by ECDSA over SHA-256")
    r, s = (int.from_bytes(part) for part in (value[:COORDINATE], value[COORDINATE:]))
    try:
        key.verify(encode_dss_signature(r, s), signed_info(info), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise BadInput("signature", "is not by the certificate's key") from None


def seal(key: ec.EllipticCurvePrivateKey, reader: ec.EllipticCurvePublicKey) -> tuple[bytes, bytes]:
    """A P-256 key that only the holder of another one can read: initialisation vector and AES-128-CBC of the scalar, and the
    point that the reader needs, uncompressed.

    The key of AES is of an ephemeral Diffie-Hellman secret, by the concatenation KDF of NIST SP 800-56A with SHA-256.
    """
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    secret = ConcatKDFHash(SHA256(), KEY, OTHER_INFO).derive(ephemeral.exchange(ec.ECDH(), reader))
    iv, scalar = secrets.token_bytes(IV), key.private_numbers().private_value.to_bytes(COORDINATE)
    cipher = Cipher(algorithms.AES(secret), modes.CBC(iv)).encryptor()
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return iv + cipher.update(scalar) + cipher.finalize(), point


def _digest(data: bytes) -> bytes:
    digest = Hash(SHA256())
    digest.update(data)
    return digest.finalize()
