"""The contract-certificate service: what a car asks for by EXI, and what it gets (ISO 15118-2, 8.4.3.11 and 8.4.3.12)."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from chargeloop.model import BadInput, Unreachable
from chargeloop.pki.authority import Authority
from chargeloop.pki.chain import UNREADABLE, ChainBroken, identity, path_to_root, read_pem, whole
from chargeloop.pki.contracts import Contracts
from chargeloop.pki.emaid import same_contract
from chargeloop.pki.envelope import check_signed, seal, sign
from chargeloop.pki.ocsp import HashData, responder_of
from chargeloop.pki.statuses import Question, Statuses
from chargeloop.pki.vehicles import Assignment, Vehicles
from chargeloop.protocols.iso15118 import (
    Chain,
    DhPublicKey,
    Emaid,
    EncryptedKey,
    Header,
    InstallationRequest,
    InstallationResponse,
    Message,
    UpdateRequest,
    UpdateResponse,
    decode,
    encode,
)

CPS = "CPS"  # common name of what signs for cars
OF_CHAIN = {"expired": "FAILED_CertificateExpired", "signature": "FAILED_CertChainError", "chain": "FAILED_CertChainError"}
OF_VERDICT = {
    "CertificateExpired": "FAILED_CertificateExpired",
    "CertificateRevoked": "FAILED_CertificateRevoked",
    "ContractCancelled": "FAILED_ContractCanceled",
}
FOR_EVER = frozenset({"FAILED_CertificateRevoked", "FAILED_ContractCanceled"})
NEVER = -1
NOTHING = b"\0"  # the schema wants every field in a refusal too
Request = InstallationRequest | UpdateRequest


class Provided(NamedTuple):
    """`exi`: the response, also where it is a refusal; `code`: of ISO 15118-2; `why`: in words, for the log.

    `remaining`: contracts of that vehicle that it was not given yet.
    """

    exi: bytes
    code: str = "OK"
    why: str = ""
    remaining: int = 0


class Refusal(Exception):
    """Internal: a response code, and why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Provisioning:
    """All times are wall time in UTC.

    Args:
        contracts: whose authority signs contracts. cps: signs what a car is sent. vehicles: which car may have which contract.
        oem: certificates of vehicle makers; a provisioning certificate must chain to a root among them.
    """

    def __init__(
        self, contracts: Contracts, cps: Authority, vehicles: Vehicles, statuses: Statuses, oem: Sequence[x509.Certificate]
    ) -> None:
        self.vehicles = vehicles
        self._contracts, self._cps, self._statuses, self._oem = contracts, cps, statuses, oem
        # The key stays in this process: nothing of it is on a disk, and another one is soon made.
        self._leaf: x509.Certificate | None = None
        self._key: ec.EllipticCurvePrivateKey | None = None

    async def answer(self, exi: bytes, now: datetime, preferred: Sequence[str] = ()) -> Provided:
        """The response to a CertificateInstallationReq or CertificateUpdateReq; `preferred`: eMAIDs wanted before others.

        Raises:
            BadInput: no such request; or the response would not be as the standard's schema has it.
        """
        message = decode(exi)
        body, session = message.body, Header(message.header.session_id)
        if not isinstance(body, InstallationRequest | UpdateRequest):
            raise BadInput("EXI", "is no request")
        try:
            if isinstance(body, InstallationRequest):
                return await self._install(message, body, now, preferred)
            return await self._update(message, body, now)
        except Refusal as refusal:
            return Provided(encode(Message(session, _refused(body, refusal.code))), refusal.code, str(refusal))

    def withdraw(self, pcid: str, emaid: str, now: datetime) -> bool:
        """A vehicle loses a contract, and the certificates of it that it was given count no more; False: it has none any more.

        Raises:
            BadInput: it never had it.
        """
        assignment = self.vehicles.find(pcid, emaid)
        for serial in assignment.serials if assignment is not None else ():
            self._contracts.authority.revoke(serial, now, "cessationOfOperation")
        return self.vehicles.withdraw(pcid, emaid, now)

    # --- the two requests ---------------------------------------------------------------------------------------------

    async def _install(self, message: Message, body: InstallationRequest, now: datetime, preferred: Sequence[str]) -> Provided:
        certificate = _read(body.provisioning_certificate)
        reader = _check_signed(message, body, certificate)
        await self._check_maker(certificate, now)
        pcid = identity(certificate).common_name
        assignments = self.vehicles.of(pcid) if pcid else ()
        offered = [each for each in self._ranked(assignments, preferred, now) if not self._contracts.is_cancelled(each.emaid)]
        if not offered:
            raise Refusal("FAILED_NoCertificateAvailable", f"vehicle {pcid} has no contract here")
        chosen, *others = offered
        given = self._given(message, body, chosen.emaid, chosen.pcid, reader, now)
        return given._replace(remaining=sum(not self._holds(each, now) for each in others))

    async def _update(self, message: Message, body: UpdateRequest, now: datetime) -> Provided:
        """The old certificate counts until it expires: the answer may get lost on its way, and the car has nothing else."""
        certificate = _read(body.contract_chain.certificate)
        reader = _check_signed(message, body, certificate)
        chain = [certificate, *map(_read, body.contract_chain.sub_certificates)]
        pem = "".join(each.public_bytes(Encoding.PEM).decode() for each in chain)
        try:
            verdict, _ = await self._contracts.authorise(body.emaid, now, chain_pem=pem)
        except BadInput as error:
            raise Refusal("FAILED_NoCertificateAvailable", str(error)) from None
        if verdict != "Accepted":
            raise Refusal(OF_VERDICT.get(verdict, "FAILED_CertChainError"), f"contract {body.emaid}: {verdict}")
        entry = self._contracts.authority.entry(certificate.serial_number)
        if entry is None or entry.certificate != certificate:
            raise Refusal("FAILED_NoCertificateAvailable", f"contract {body.emaid} is another operator's")
        holder = self.vehicles.holder(f"{certificate.serial_number:x}")
        emaid, pcid = identity(certificate).common_name, holder.pcid if holder is not None else None
        return self._given(message, body, emaid, pcid, reader, now)

    def _given(
        self, message: Message, body: Request, emaid: str, pcid: str | None, reader: ec.EllipticCurvePublicKey, now: datetime
    ) -> Provided:
        pem, key_pem = self._contracts.authority.issue(emaid, now)
        key = load_pem_private_key(key_pem.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # it has just been made
        leaf, *subs = read_pem("contract", pem)
        encrypted, point = seal(key, reader)
        parts = (
            Chain(_der(leaf), tuple(map(_der, subs)), "id1"),
            EncryptedKey("id2", encrypted),
            DhPublicKey("id3", point),
            Emaid("id4", emaid),
        )
        cps, cps_key = self._signer(now)
        chain = Chain(_der(cps), (_der(self._cps.sub),))
        made = InstallationResponse if isinstance(body, InstallationRequest) else UpdateResponse
        header = Header(message.header.session_id, None, sign(parts, cps_key))
        exi = encode(Message(header, made("OK", chain, *parts)))
        serial = f"{leaf.serial_number:x}"
        if pcid is not None and not self.vehicles.give(pcid, emaid, serial, now):
            self._contracts.authority.revoke(serial, now, "cessationOfOperation")
            raise Refusal("FAILED_NoCertificateAvailable", f"vehicle {pcid} has just lost its contract {emaid}")
        return Provided(exi)

    # --- what is looked at --------------------------------------------------------------------------------------------

    async def _check_maker(self, certificate: x509.Certificate, now: datetime) -> None:
        """Whether a vehicle's maker is one whom we trust, and has not taken its certificate back."""
        roots = [each for each in self._oem if each.subject == each.issuer]
        try:
            _, issuer, *_ = path_to_root([certificate, *self._oem], roots, now)
        except ChainBroken as broken:
            raise Refusal(OF_CHAIN[broken.why], str(broken)) from None
        url = responder_of(certificate)
        if url is None:  # ISO 15118-2 lets a maker do without
            return
        try:
            answer, _ = await self._statuses.response(Question(HashData.of(certificate, issuer), url), now)
        except (BadInput, Unreachable) as error:
            raise Refusal("FAILED_CertChainError", str(error)) from None
        if answer.state != "good":
            code = "FAILED_CertificateRevoked" if answer.state == "revoked" else "FAILED_CertChainError"
            raise Refusal(code, f"the provisioning certificate is {answer.state}")

    def _ranked(self, assignments: Sequence[Assignment], preferred: Sequence[str], now: datetime) -> list[Assignment]:
        """What is wanted first; then what the vehicle has not yet; then the newest."""

        def rank(place: int) -> tuple[int, bool, int]:
            each = assignments[place]
            wanted = [index for index, emaid in enumerate(preferred) if same_contract(emaid, each.emaid)]
            return (wanted[0] if wanted else len(preferred), self._holds(each, now), -place)

        return [assignments[place] for place in sorted(range(len(assignments)), key=rank)]

    def _holds(self, assignment: Assignment, now: datetime) -> bool:
        """Whether a vehicle was given a certificate of a contract that still counts."""
        entries = (self._contracts.authority.entry(int(serial, 16)) for serial in assignment.serials)
        return any(each and each.revoked is None and each.certificate.not_valid_after_utc > now for each in entries)

    def _signer(self, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Another one in the last quarter of its life, or when it was revoked."""
        leaf, key = self._leaf, self._key
        if leaf is None or key is None or self._is_over(leaf, now):
            pem, key_pem = self._cps.issue(CPS, now)
            new_key = load_pem_private_key(key_pem.encode(), None)
            assert isinstance(new_key, ec.EllipticCurvePrivateKey)  # it has just been made
            leaf, key = self._leaf, self._key = read_pem("CPS", pem)[0], new_key
        return leaf, key

    def _is_over(self, leaf: x509.Certificate, now: datetime) -> bool:
        left, life = leaf.not_valid_after_utc - now, leaf.not_valid_after_utc - leaf.not_valid_before_utc
        return left < life / 4 or self._cps.revoked(f"{leaf.serial_number:x}")


def _check_signed(message: Message, body: Request, certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The certificate's key, once it is known to have signed the request."""
    key = certificate.public_key()
    try:
        check_signed(message.header.signature, body, key)
    except BadInput as error:
        raise Refusal("FAILED_SignatureError", str(error)) from None
    assert isinstance(key, ec.EllipticCurvePublicKey)  # it has signed
    return key


def _read(der: bytes) -> x509.Certificate:
    try:
        return whole(x509.load_der_x509_certificate(der))
    except UNREADABLE:
        raise Refusal("FAILED_CertChainError", "a certificate that cannot be read") from None


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _refused(body: Request, code: str) -> InstallationResponse | UpdateResponse:
    nothing = (
        *(Chain(NOTHING), Chain(NOTHING)),
        EncryptedKey("id2", NOTHING),
        DhPublicKey("id3", NOTHING),
        Emaid("id4", body.emaid if isinstance(body, UpdateRequest) else "0" * 14),
    )
    if isinstance(body, InstallationRequest):
        return InstallationResponse(code, *nothing)
    return UpdateResponse(code, *nothing, NEVER if code in FOR_EVER else None)
