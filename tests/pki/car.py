"""A car that fetches its contract: its maker's certificates by openssl, its cryptography written here, of primitives alone."""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from chargeloop.protocols.iso15118 import (
    Chain,
    Header,
    InstallationRequest,
    InstallationResponse,
    Message,
    Reference,
    RootId,
    Signable,
    Signature,
    SignatureValue,
    SignedInfo,
    UpdateRequest,
    UpdateResponse,
    decode,
    fragment,
    signed_info,
)
from tests.pki.openssl_ca import AUTHORITY, LEAF, Made, issue, new_root

EXI = "http://www.w3.org/TR/canonical-exi/"
ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"
SESSION = bytes(range(8))
ROOTS = (RootId("CN=V2G Root", 1),)


class Maker:
    """A maker of vehicles: its root, and the sub-authority that signs provisioning certificates."""

    def __init__(self, folder: Path, name: str = "OEM Root") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.root = new_root(folder, name)
        self.sub = issue(folder, "sub", f"/O=Maker/CN={name} Sub", self.root, AUTHORITY)

    def car(self, pcid: str, days: int = 20, extensions: str = LEAF) -> "Car":
        made = issue(self._folder, pcid, f"/DC=OEM/O=Maker/CN={pcid}", self.sub, extensions, days=days)
        return Car(made, private_key(made))

    @property
    def trusted(self) -> str:
        """What an operator puts into the folder of makers."""
        return self.root.text + self.sub.text


def private_key(made: Made) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(made.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


@dataclass
class Car:
    provisioning: Made
    key: ec.EllipticCurvePrivateKey
    contract: list[x509.Certificate] = field(default_factory=list)
    contract_key: ec.EllipticCurvePrivateKey | None = None
    emaid: str = ""

    @property
    def chain(self) -> str:
        """The contract in PEM, as a station sends it on."""
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in self.contract)

    def installation(self, signer: ec.EllipticCurvePrivateKey | None = None) -> Message:
        return signed(InstallationRequest("ID1", self.provisioning.der, ROOTS), signer or self.key)

    def update(self, signer: ec.EllipticCurvePrivateKey | None = None, emaid: str = "") -> Message:
        leaf, *subs = (each.public_bytes(Encoding.DER) for each in self.contract)
        key = signer or self.contract_key
        assert key is not None
        return signed(UpdateRequest("ID1", Chain(leaf, tuple(subs), "c"), emaid or self.emaid, ROOTS), key)

    def take(self, exi: bytes, cps_root: x509.Certificate) -> Message:
        """Believe a response, as ISO 15118-2 has it, and take over what it brings."""
        message = decode(exi)
        body: Any = message.body
        assert isinstance(body, InstallationResponse | UpdateResponse)
        assert (message.header.session_id, body.code) == (SESSION, "OK")
        verify(message, body, cps_root)
        reader = self.key if isinstance(body, InstallationResponse) else self.contract_key
        assert reader is not None
        scalar = opened(body.encrypted_key.value, body.dh_public_key.value, reader)
        self.contract_key = ec.derive_private_key(int.from_bytes(scalar), ec.SECP256R1())
        ders = (body.contract_chain.certificate, *body.contract_chain.sub_certificates)
        self.contract = [x509.load_der_x509_certificate(der) for der in ders]
        self.emaid = body.emaid.value
        assert self.contract_key.public_key() == self.contract[0].public_key(), "the key belongs to the certificate"
        return message


def signed(body: InstallationRequest | UpdateRequest, key: ec.EllipticCurvePrivateKey) -> Message:
    digest = sha256(fragment(body)).digest()
    info = SignedInfo(EXI, ECDSA, (Reference(f"#{body.id}", digest, DIGEST, (EXI,)),))
    r, s = decode_dss_signature(key.sign(signed_info(info), ec.ECDSA(SHA256())))
    return Message(Header(SESSION, None, Signature(info, SignatureValue(r.to_bytes(32) + s.to_bytes(32)))), body)


def verify(message: Message, body: Any, root: x509.Certificate) -> None:
    """Each of the four parts is digested, and the signature is by a leaf below the root, whose component is CPS."""
    leaf, *subs = map(
        x509.load_der_x509_certificate, (body.provisioning_chain.certificate, *body.provisioning_chain.sub_certificates)
    )
    for certificate, issuer in zip([leaf, *subs], [*subs, root], strict=True):
        certificate.verify_directly_issued_by(issuer)
    assert "DC=CPS" in leaf.subject.rfc4514_string()
    signature = message.header.signature
    assert signature is not None
    parts: list[Signable] = [body.contract_chain, body.encrypted_key, body.dh_public_key, body.emaid]
    told = {each.uri: each.digest for each in signature.info.references}
    assert told == {f"#{part.id}": sha256(fragment(part)).digest() for part in parts}
    r, s = (int.from_bytes(half) for half in (signature.value.value[:32], signature.value.value[32:]))
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(encode_dss_signature(r, s), signed_info(signature.info), ec.ECDSA(SHA256()))


def opened(sealed: bytes, point: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """NIST SP 800-56A: one round of SHA-256 over counter, secret, algorithm, U and V; 16 bytes of it for AES."""
    secret = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
    aes = sha256(b"\0\0\0\1" + secret + b"\x01" + b"\x55" + b"\x56").digest()[:16]
    reader = Cipher(algorithms.AES(aes), modes.CBC(sealed[:16])).decryptor()
    return reader.update(sealed[16:]) + reader.finalize()
