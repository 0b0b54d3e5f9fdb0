"""The contract-certificate service: whom it gives contracts, what a car makes of its answers, and what it refuses."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from chargeloop.model import BadInput, Unreachable
from chargeloop.pki import PROVISIONING, Pki, Provided, Provisioning, Vehicles, open_pki
from chargeloop.pki.vehicles import Assignment
from chargeloop.protocols.iso15118 import (
    Header,
    InstallationRequest,
    InstallationResponse,
    Message,
    UpdateResponse,
    decode,
    encode,
)
from tests.pki.car import ROOTS, Car, Maker, signed
from tests.pki.openssl_ca import LEAF, RSA, Responder, issue

NOW = datetime.now(UTC) + timedelta(minutes=50)
PCID, EMAID, OTHER = "WMIV1234567890ABC", "DE8AACA2B3C4D5L", "NLTNM000122045U"
URL = "http://ocsp.example/oem"


class Office:
    """Our certificates in a folder, a maker whom we trust, and a car of it that has a contract."""

    def __init__(self, folder: Path, operator: str = "Stadtwerke", ocsp_url: str | None = None) -> None:
        self.folder, self.operator, self.ocsp_url = folder, operator, ocsp_url
        self.fetched: dict[str, Callable[[bytes], Awaitable[bytes]]] = {}
        self.maker = Maker(folder / "maker")
        (folder / "pki" / "oem").mkdir(parents=True)
        (folder / "pki" / "oem" / "maker.pem").write_text(self.maker.trusted)
        self.responder = Responder(folder, self.maker.sub)
        self.fetched[URL] = lambda request: asyncio.to_thread(self.responder.respond, request)
        self.tokens: dict[str, str] = {}
        self.pki = self.open()
        self.car = self.maker.car(PCID)
        self.pki.provisioning.vehicles.assign(PCID, EMAID, NOW)

    def open(self) -> Pki:
        return open_pki(self.folder / "pki", self.operator, NOW, self.ocsp_url, self.fetch, self.tokens.get)

    async def fetch(self, url: str, post: tuple[str, bytes] | None) -> bytes:
        if url not in self.fetched or post is None:
            raise Unreachable(url)
        return await self.fetched[url](post[1])

    async def ask(self, message: Message, now: datetime = NOW, preferred: tuple[str, ...] = ()) -> Provided:
        return await self.pki.provisioning.answer(encode(message), now, preferred)

    async def code(self, message: Message, now: datetime = NOW) -> str:
        """Of a refusal, which is a response too and brings nothing."""
        provided = await self.ask(message, now)
        body = decode(provided.exi).body
        assert isinstance(body, InstallationResponse | UpdateResponse)
        assert (body.code, body.encrypted_key.value, bool(provided.why)) == (provided.code, b"\0", True)
        return provided.code

    async def install(self, now: datetime = NOW) -> Provided:
        provided = await self.ask(self.car.installation(), now)
        self.car.take(provided.exi, self.pki.cps.root)
        return provided


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


async def test_a_contract_is_installed_and_counts(office: Office) -> None:
    provided = await office.install()
    assert (provided.code, provided.why, provided.remaining, office.car.emaid) == ("OK", "", 0, EMAID)
    assert await office.pki.contracts.authorise(EMAID, NOW, chain_pem=office.car.chain) == ("Accepted", "Accepted")
    (assignment,) = office.pki.provisioning.vehicles.of(PCID)
    assert assignment.serials == (f"{office.car.contract[0].serial_number:x}",)


async def test_an_update_gives_another_and_the_old_one_counts_until_it_expires(office: Office) -> None:
    await office.install()
    old, later = office.car.chain, NOW + timedelta(days=700)
    provided = await office.ask(office.car.update(), later)
    office.car.take(provided.exi, office.pki.cps.root)
    assert office.car.chain != old
    for chain in (old, office.car.chain):
        assert (await office.pki.contracts.authorise(EMAID, later, chain_pem=chain)).certificate_status == "Accepted"
    after = await office.pki.contracts.authorise(EMAID, later + timedelta(days=60), chain_pem=old)
    assert after.certificate_status == "CertificateExpired"
    assert len(office.pki.provisioning.vehicles.of(PCID)[0].serials) == 2, "the car is known to have both"


async def test_a_contract_made_by_hand_is_updated_too(office: Office) -> None:
    chain, key = office.pki.contracts.issue(EMAID, NOW)
    from_hand = by_hand(office.car, chain, key)
    provided = await office.ask(from_hand.update())
    from_hand.take(provided.exi, office.pki.cps.root)
    assert office.pki.provisioning.vehicles.holder(f"{from_hand.contract[0].serial_number:x}") is None


def by_hand(car: Car, chain: str, key: str) -> Car:
    private = load_pem_private_key(key.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return Car(car.provisioning, car.key, x509.load_pem_x509_certificates(chain.encode()), private, EMAID)


# --- refused ------------------------------------------------------------------------------------------------------------


async def test_makers_whom_nobody_trusts(office: Office, tmp_path: Path) -> None:
    foreign = Maker(tmp_path / "foreign", "Foreign Root").car(PCID)
    assert await office.code(foreign.installation()) == "FAILED_CertChainError"
    forged = Maker(tmp_path / "forged").car(PCID)  # by the name of the one whom we trust
    assert await office.code(forged.installation()) == "FAILED_CertChainError"
    nobody = open_pki(tmp_path / "new", "Stadtwerke", NOW)
    nobody.provisioning.vehicles.assign(PCID, EMAID, NOW)
    refused = await nobody.provisioning.answer(encode(office.car.installation()), NOW)
    assert refused.code == "FAILED_CertChainError", "without a folder of makers there is none"


async def test_a_provisioning_certificate_out_of_its_time(office: Office) -> None:
    assert await office.code(office.car.installation(), NOW + timedelta(days=40)) == "FAILED_CertificateExpired"
    expired = office.maker.car("EXPIRED", days=-1)
    assert await office.code(expired.installation()) == "FAILED_CertificateExpired"


async def test_a_maker_s_responder_is_asked_where_one_is_named(office: Office) -> None:
    known = office.maker.car("ASKED", extensions=f"{LEAF}\nauthorityInfoAccess=OCSP;URI:{URL}")
    office.pki.provisioning.vehicles.assign("ASKED", EMAID, NOW)
    office.responder.knows(known.provisioning)
    assert (await office.ask(known.installation())).code == "OK"
    office.responder.knows(known.provisioning, revoked=True)
    office.pki = office.open()  # it has forgotten the answer
    assert await office.code(known.installation()) == "FAILED_CertificateRevoked"
    away = office.maker.car("AWAY", extensions=f"{LEAF}\nauthorityInfoAccess=OCSP;URI:http://away.example")
    assert await office.code(away.installation()) == "FAILED_CertChainError"


async def test_signatures_that_are_none(office: Office) -> None:
    request = office.car.installation()
    assert isinstance(request.body, InstallationRequest)
    assert await office.code(Message(Header(request.header.session_id), request.body)) == "FAILED_SignatureError"
    tampered = replace(request, body=replace(request.body, id="ID2"))
    assert await office.code(tampered) == "FAILED_SignatureError"
    assert (
        await office.code(replace(request, body=replace(request.body, roots=request.body.roots * 2))) == "FAILED_SignatureError"
    )
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert await office.code(office.car.installation(stranger)) == "FAILED_SignatureError"
    signature = request.header.signature
    assert signature is not None
    short = replace(signature, value=replace(signature.value, value=signature.value.value[:63]))
    assert await office.code(replace(request, header=replace(request.header, signature=short))) == "FAILED_SignatureError"


async def test_keys_of_another_kind(office: Office) -> None:
    rsa = issue(office.folder, "rsa", f"/CN={PCID}", office.maker.sub, LEAF, RSA)
    car = Car(rsa, office.car.key)
    assert await office.code(car.installation()) == "FAILED_SignatureError"
    noise = InstallationRequest("ID1", b"no certificate", ROOTS)
    assert await office.code(signed(noise, office.car.key)) == "FAILED_CertChainError"


async def test_a_vehicle_without_a_contract(office: Office) -> None:
    unknown = office.maker.car("UNKNOWN")
    assert await office.code(unknown.installation()) == "FAILED_NoCertificateAvailable"
    office.tokens[EMAID] = "Blocked"
    assert await office.code(office.car.installation()) == "FAILED_NoCertificateAvailable"


async def test_contracts_that_are_over(office: Office) -> None:
    await office.install()
    request = office.car.update()
    assert await office.code(request, NOW + timedelta(days=800)) == "FAILED_CertificateExpired"
    office.tokens[EMAID] = "Blocked"
    assert await office.code(request) == "FAILED_ContractCanceled"
    del office.tokens[EMAID]
    assert office.pki.contracts.revoke(EMAID, NOW) == 1
    assert await office.code(request) == "FAILED_CertificateRevoked"
    body = decode((await office.ask(request)).exi).body
    assert isinstance(body, UpdateResponse)
    assert body.retry_counter == -1


async def test_updates_that_are_not_one_s_own(office: Office) -> None:
    await office.install()
    assert await office.code(office.car.update(office.car.key)) == "FAILED_SignatureError"
    assert await office.code(office.car.update(emaid=OTHER)) == "FAILED_CertChainError"
    assert await office.code(office.car.update(emaid="1" * 14)) == "FAILED_NoCertificateAvailable"
    elsewhere = Office(office.folder / "elsewhere")
    await elsewhere.install()
    assert await office.code(elsewhere.car.update()) == "FAILED_CertChainError"


async def test_a_contract_of_another_operator_is_that_one_s_to_update(office: Office) -> None:
    elsewhere = Office(office.folder / "elsewhere", ocsp_url="http://elsewhere.example")
    await elsewhere.install()
    (office.folder / "pki" / "trusted").mkdir()
    root = (elsewhere.folder / "pki" / "contracts" / "root.pem").read_text()
    (office.folder / "pki" / "trusted" / "mo.pem").write_text(root)
    office.tokens[EMAID] = "Accepted"
    office.pki = office.open()
    assert await office.code(elsewhere.car.update()) == "FAILED_CertChainError", "its responder is away"

    async def answer(request: bytes) -> bytes:
        return elsewhere.pki.statuses.answer(request, NOW)

    office.fetched["http://elsewhere.example"] = answer
    assert await office.pki.contracts.authorise(EMAID, NOW, chain_pem=elsewhere.car.chain) == ("Accepted", "Accepted")
    assert await office.code(elsewhere.car.update()) == "FAILED_NoCertificateAvailable"


@pytest.mark.parametrize("exi", [b"", b"\x80", b"noise" * 100, bytes(9000)])
async def test_what_is_no_request(office: Office, exi: bytes) -> None:
    with pytest.raises(BadInput, match="EXI"):
        await office.pki.provisioning.answer(exi, NOW)
    with pytest.raises(BadInput, match="is no request"):
        await office.pki.provisioning.answer((await office.install()).exi, NOW)


# --- which contract -------------------------------------------------------------------------------------------------------


async def test_of_several_contracts_each_comes_in_turn(office: Office) -> None:
    office.pki.provisioning.vehicles.assign(PCID, OTHER, NOW)
    given = []
    for _ in range(3):
        provided = await office.install()
        given.append((office.car.emaid, provided.remaining))
    assert given == [(OTHER, 1), (EMAID, 0), (OTHER, 0)], "the newest, then what is missing"
    wanted = await office.ask(office.car.installation(), preferred=("nonsense", "NL-TNM-000122045", EMAID))
    office.car.take(wanted.exi, office.pki.cps.root)
    assert office.car.emaid == OTHER
    office.tokens[OTHER] = "Blocked"
    await office.install()
    assert office.car.emaid == EMAID


async def test_what_is_withdrawn_counts_no_more(office: Office) -> None:
    await office.install()
    assert office.pki.provisioning.withdraw(PCID.lower(), "DE-8AA-CA2B3C4D5", NOW)
    assert not office.pki.provisioning.withdraw(PCID, EMAID, NOW), "once is enough"
    verdict = await office.pki.contracts.authorise(EMAID, NOW, chain_pem=office.car.chain)
    assert verdict.certificate_status == "CertificateRevoked"
    assert await office.code(office.car.update()) == "FAILED_CertificateRevoked"
    assert await office.code(office.car.installation()) == "FAILED_NoCertificateAvailable"
    assert office.pki.provisioning.vehicles.assign(PCID, EMAID, NOW)
    await office.install()
    with pytest.raises(BadInput, match="vehicle: ELSE has no contract"):
        office.pki.provisioning.withdraw("ELSE", EMAID, NOW)


def test_what_is_assigned_is_remembered(tmp_path: Path) -> None:
    here, there = Vehicles(tmp_path / "vehicles.jsonl"), Vehicles(tmp_path / "vehicles.jsonl")
    assert here.assign("wmi-1", EMAID, NOW)
    assert not there.assign("WMI1", EMAID[:14], NOW), "another process knows it at once"
    assert here.give("WMI1", EMAID, "ab", NOW)
    assert there.all == (Assignment("WMI1", EMAID, NOW, ("ab",)),)
    assert there.withdraw("WMI1", EMAID, NOW)
    assert not here.give("WMI1", EMAID, "cd", NOW), "withdrawn meanwhile"
    assert (here.all, here.holder("ab"), Vehicles(tmp_path / "vehicles.jsonl").of("WMI1")) == ((), None, ())
    with (tmp_path / "vehicles.jsonl").open("ab") as file:
        file.write(b'{"torn')
    assert here.assign("WMI2", OTHER, NOW)
    assert [each.pcid for each in Vehicles(tmp_path / "vehicles.jsonl").all] == ["WMI2"]
    for pcid, emaid, said in (("", EMAID, "PCID"), ("x" * 65, EMAID, "PCID"), ("WMI3", "DE8AACA2B3C4D5N", "mistyped")):
        with pytest.raises(BadInput, match=said):
            here.assign(pcid, emaid, NOW)


# --- what signs, and how long it gets -----------------------------------------------------------------------------------


async def test_what_signs_is_renewed_in_time(office: Office) -> None:
    await office.install()
    await office.install(NOW + timedelta(days=10))
    assert len(office.pki.cps.entries()) == 1
    assert office.pki.cps.profile == PROVISIONING
    leaf = office.pki.cps.entries()[0].certificate
    office.pki.cps.revoke(f"{leaf.serial_number:x}", NOW)
    await office.install()
    assert len(office.pki.cps.entries()) == 2
    late = Provisioning(office.pki.contracts, office.pki.cps, office.pki.provisioning.vehicles, office.pki.statuses, [])
    assert (await late.answer(encode(office.car.update()), NOW + timedelta(days=80))).code == "OK"
    assert len(office.pki.cps.entries()) == 3


async def test_with_the_longest_names_it_still_fits_what_2_0_1_carries(tmp_path: Path) -> None:
    office = Office(tmp_path, "Ö" * 32, "http://" + "x" * 93)
    exi = (await office.install()).exi
    assert all(len(each.public_bytes(Encoding.DER)) <= 800 for each in office.car.contract)
    assert len(base64.b64encode(exi)) <= 7500
