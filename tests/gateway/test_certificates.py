"""The certificate messages of each version, from a charger's payload to the answer that goes out."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ocpp.messages
import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from chargeloop.gateway.ocpp.certificates import PNC_VENDOR, Certificates, Reply
from chargeloop.model import BadInput, Unreachable
from chargeloop.pki import HashData, Pki, open_pki
from tests.pki.openssl_ca import LEAF, Made, Responder, issue, new_request, new_root, openssl

NOW = datetime.now(UTC) + timedelta(minutes=50)
EMAID, URL = "DE8AACA2B3C4D5", "http://ocsp.example/mo"
V2 = pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp2.1"])


class Abroad:
    """Another operator: a root that is trusted, a contract under it, a responder and a list."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = new_root(folder, "MO")
        self.contract = issue(folder, "contract", f"/CN={EMAID}", self.root, f"{LEAF}\nauthorityInfoAccess=OCSP;URI:{URL}")
        self.responder = Responder(folder, self.root)
        self.responder.knows(self.contract)

    def hash_data(self, made: Made | None = None) -> dict[str, Any]:
        return dict(HashData.of((made or self.contract).certificate, self.root.certificate).to_wire())

    def revoke(self) -> None:
        self.responder.knows(self.contract, revoked=True)

    async def fetch(self, url: str, post: tuple[str, bytes] | None) -> bytes:
        if "away" in url:
            raise Unreachable(url)
        return self._list() if post is None else await self.responder.fetch(url, post)

    def _list(self) -> bytes:
        config, out = self._folder / "ca.cnf", self._folder / "crl.pem"
        config.write_text(
            f"[ca]\ndefault_ca=x\n[x]\ndatabase={self.responder.write_index()}\ndefault_md=sha256\ndefault_crl_days=2\n"
        )
        openssl("ca", "-gencrl", "-config", config, "-keyfile", self.root.key, "-cert", self.root.pem, "-out", out)
        return out.read_bytes()


@pytest.fixture
def abroad(tmp_path: Path) -> Abroad:
    return Abroad(tmp_path)


@pytest.fixture
def pki(tmp_path: Path, abroad: Abroad) -> Pki:
    (tmp_path / "pki" / "trusted").mkdir(parents=True)
    (tmp_path / "pki" / "trusted" / "mo.pem").write_text(abroad.root.text)
    return open_pki(tmp_path / "pki", "Stadtwerke", NOW, fetch=abroad.fetch, token_status=lambda emaid: "Accepted")


@pytest.fixture
def certificates(pki: Pki) -> Certificates:
    return Certificates(pki)


async def ask(certificates: Certificates, version: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The answer's payload; request and answer fit the schemas that the `ocpp` package has."""
    number = version.removeprefix("ocpp")
    await ocpp.messages.validate_payload(ocpp.messages.Call("1", action, payload), number)
    reply = await certificates.answer("CP-7", version, action, payload, NOW)
    assert isinstance(reply, Reply)
    await ocpp.messages.validate_payload(ocpp.messages.CallResult("1", reply.payload, action), number)
    return reply.payload


def authorize(**more: Any) -> dict[str, Any]:
    return {"idToken": {"idToken": EMAID, "type": "eMAID"}, **more}


@V2
async def test_a_car_is_authorised_by_hash_data_and_by_chain(certificates: Certificates, abroad: Abroad, version: str) -> None:
    good = {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"}
    told = [{**abroad.hash_data(), "responderURL": URL}]
    assert await ask(certificates, version, "Authorize", authorize(iso15118CertificateHashData=told)) == good
    assert await ask(certificates, version, "Authorize", authorize(certificate=abroad.contract.text)) == good


@V2
async def test_a_revoked_contract_is_not(certificates: Certificates, abroad: Abroad, version: str) -> None:
    abroad.revoke()
    answer = await ask(certificates, version, "Authorize", authorize(certificate=abroad.contract.text))
    assert answer == {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertificateRevoked"}


@V2
async def test_hash_data_of_nonsense(certificates: Certificates, abroad: Abroad, version: str) -> None:
    told = [{**abroad.hash_data(), "responderURL": URL, "issuerKeyHash": "no hex"}]
    answer = await ask(certificates, version, "Authorize", authorize(iso15118CertificateHashData=told))
    assert answer == {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertChainError"}


@V2
async def test_cards_and_other_messages_are_left_to_others(certificates: Certificates, version: str) -> None:
    assert await certificates.answer("CP-7", version, "Authorize", authorize(), NOW) is None
    assert await certificates.answer("CP-7", version, "Heartbeat", {}, NOW) is None


@V2
async def test_a_charger_gets_what_it_staples_to_its_own_chain(certificates: Certificates, pki: Pki, version: str) -> None:
    leaf = x509.load_pem_x509_certificate(pki.v2g.issue("CP-7", NOW)[0].encode())
    asked = {**HashData.of(leaf, pki.v2g.sub).to_wire(), "responderURL": "http://csms.example/ocsp"}
    answer = await ask(certificates, version, "GetCertificateStatus", {"ocspRequestData": asked})
    assert answer["status"] == "Accepted"
    response = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.serial_number == leaf.serial_number


@V2
async def test_stapling_for_chains_of_others(certificates: Certificates, abroad: Abroad, version: str) -> None:
    good = await ask(
        certificates, version, "GetCertificateStatus", {"ocspRequestData": {**abroad.hash_data(), "responderURL": URL}}
    )
    assert ocsp.load_der_ocsp_response(base64.b64decode(good["ocspResult"])).certificate_status is ocsp.OCSPCertStatus.GOOD
    unknown = {**abroad.hash_data(), "serialNumber": "7", "responderURL": "http://away.example"}
    failed = await ask(certificates, version, "GetCertificateStatus", {"ocspRequestData": unknown})
    assert failed["status"] == "Failed"
    assert failed["statusInfo"]["additionalInfo"] == "http://away.example"


@pytest.mark.parametrize("source", ["OCSP", "CRL"])
async def test_the_states_of_a_chain(certificates: Certificates, pki: Pki, abroad: Abroad, source: str) -> None:
    leaf = x509.load_pem_x509_certificate(pki.v2g.issue("CP-7", NOW)[0].encode())
    pki.v2g.revoke(f"{leaf.serial_number:x}", NOW)
    ours, stranger = dict(HashData.of(leaf, pki.v2g.sub).to_wire()), {**abroad.hash_data(), "issuerKeyHash": "ab" * 32}
    asked = [(ours, [URL]), (abroad.hash_data(), ["http://away.example", URL]), (stranger, [URL])]
    requests = [{"certificateHashData": data, "source": source, "urls": urls} for data, urls in asked]
    answer = await ask(certificates, "ocpp2.1", "GetCertificateChainStatus", {"certificateStatusRequests": requests})
    assert [each["status"] for each in answer["certificateStatus"]] == ["Revoked", "Good", "Failed"]
    assert [each["certificateHashData"] for each in answer["certificateStatus"]] == [data for data, _ in asked]
    assert answer["certificateStatus"][1]["nextUpdate"] > NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_list_that_names_a_revoked_contract(certificates: Certificates, abroad: Abroad) -> None:
    abroad.revoke()
    request = {"certificateHashData": abroad.hash_data(), "source": "CRL", "urls": [URL]}
    answer = await ask(certificates, "ocpp2.1", "GetCertificateChainStatus", {"certificateStatusRequests": [request]})
    assert answer["certificateStatus"][0]["status"] == "Revoked"


EV_REQUEST = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gJgC"}


@V2
async def test_without_a_contract_service_elsewhere_ours_reads_the_request(certificates: Certificates, version: str) -> None:
    answer = await ask(certificates, version, "Get15118EVCertificate", EV_REQUEST)
    assert answer["status"] == "Failed"
    assert answer["statusInfo"]["additionalInfo"].startswith("EXI: ")


@V2
async def test_a_contract_service_is_handed_the_request_unread(pki: Pki, version: str) -> None:
    heard: list[Any] = []

    async def forward(request: Any) -> dict[str, Any]:
        heard.append(request)
        return {"status": "Accepted", "exiResponse": "gJgD", "remainingContracts": 1}

    answer = await ask(Certificates(pki, forward), version, "Get15118EVCertificate", EV_REQUEST)
    assert heard == [EV_REQUEST]
    assert answer == {"status": "Accepted", "exiResponse": "gJgD"} | ({"remainingContracts": 1} if version == "ocpp2.1" else {})


@pytest.mark.parametrize(("version", "length", "status"), [("ocpp2.0.1", 7501, "Failed"), ("ocpp2.1", 7501, "Accepted")])
async def test_a_contract_too_long_for_the_version_is_none(pki: Pki, version: str, length: int, status: str) -> None:
    async def forward(request: Any) -> dict[str, Any]:
        return {"status": "Accepted", "exiResponse": "x" * length}

    assert (await ask(Certificates(pki, forward), version, "Get15118EVCertificate", EV_REQUEST))["status"] == status


@V2
@pytest.mark.parametrize("kind", ["ChargingStationCertificate", "V2GCertificate"])
async def test_a_signed_certificate_follows_the_answer(
    certificates: Certificates, pki: Pki, tmp_path: Path, version: str, kind: str
) -> None:
    _, csr = new_request(tmp_path, "station", "/CN=CP-7")
    payload = {"csr": csr.read_text(), "certificateType": kind}
    assert await ask(certificates, version, "SignCertificate", payload) == {"status": "Accepted"}
    reply = await certificates.answer("CP-7", version, "SignCertificate", payload, NOW)
    assert reply is not None
    assert reply.then is not None
    assert reply.then.action == "CertificateSigned"
    await ocpp.messages.validate_payload(ocpp.messages.Call("1", *reply.then), version.removeprefix("ocpp"))
    leaf, sub = x509.load_pem_x509_certificates(reply.then.payload["certificateChain"].encode())
    assert sub == {"ChargingStationCertificate": pki.stations, "V2GCertificate": pki.v2g}[kind].sub
    leaf.verify_directly_issued_by(sub)
    assert reply.then.payload["certificateType"] == kind


async def test_signing_in_2_1_keeps_the_request_id_and_the_root_asked_for(
    certificates: Certificates, pki: Pki, tmp_path: Path
) -> None:
    _, csr = new_request(tmp_path, "station", "/CN=CP-7")
    root = dict(HashData.of(pki.v2g.root, pki.v2g.root).to_wire())
    payload = {"csr": csr.read_text(), "certificateType": "V2G20Certificate", "requestId": 17, "hashRootCertificate": root}
    reply = await certificates.answer("CP-7", "ocpp2.1", "SignCertificate", payload, NOW)
    assert reply is not None
    assert reply.then is not None
    assert reply.then.payload["requestId"] == 17
    other = {**payload, "certificateType": "ChargingStationCertificate"}
    assert (await ask(certificates, "ocpp2.1", "SignCertificate", other))["status"] == "Rejected"


@V2
async def test_a_request_for_another_charger_is_rejected_with_the_reason(
    certificates: Certificates, tmp_path: Path, version: str
) -> None:
    _, csr = new_request(tmp_path, "station", "/CN=CP-8")
    answer = await ask(certificates, version, "SignCertificate", {"csr": csr.read_text()})
    assert answer == {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "InvalidCSR", "additionalInfo": "csr: is for 'CP-8', not for 'CP-7'"},
    }


async def test_signing_in_1_6(certificates: Certificates, tmp_path: Path) -> None:
    _, csr = new_request(tmp_path, "station", "/CN=CP-7")
    reply = await certificates.answer("CP-7", "ocpp1.6", "SignCertificate", {"csr": csr.read_text()}, NOW)
    assert reply is not None
    assert reply.payload == {"status": "Accepted"}
    assert reply.then is not None
    assert list(reply.then.payload) == ["certificateChain"]
    assert await ask(certificates, "ocpp1.6", "SignCertificate", {"csr": "none"}) == {"status": "Rejected"}


def read_2_0_1(action: str, text: str) -> dict[str, Any]:
    """A request of 2.0.1, checked by the schemas that the `ocpp` package has."""
    try:
        payload: dict[str, Any] = json.loads(text)
        ocpp.messages.get_validator(ocpp.messages.MessageType.Call, action, "2.0.1").validate(payload)
    except Exception as error:
        raise BadInput("data", str(error)) from None
    return payload


async def transfer(certificates: Certificates, action: str, data: dict[str, Any]) -> tuple[dict[str, Any], Reply]:
    """What came back inside the DataTransfer's answer, and all of it."""
    payload = {"vendorId": "org.openchargealliance.iso15118pnc", "messageId": action, "data": json.dumps(data)}
    reply = await certificates.transferred("CP-7", payload, read_2_0_1, NOW)
    assert reply is not None
    await ocpp.messages.validate_payload(ocpp.messages.CallResult("1", reply.payload, "DataTransfer"), "1.6")
    inner = json.loads(reply.payload["data"])
    await ocpp.messages.validate_payload(ocpp.messages.CallResult("1", inner, action), "2.0.1")
    return inner, reply


async def test_plug_and_charge_in_1_6(certificates: Certificates, abroad: Abroad, tmp_path: Path) -> None:
    inner, _ = await transfer(certificates, "Authorize", authorize(certificate=abroad.contract.text))
    assert inner == {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"}
    inner, _ = await transfer(certificates, "Authorize", authorize())
    assert inner == {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "NoCertificateAvailable"}
    inner, _ = await transfer(
        certificates, "GetCertificateStatus", {"ocspRequestData": {**abroad.hash_data(), "responderURL": URL}}
    )
    assert inner["status"] == "Accepted"
    inner, _ = await transfer(certificates, "Get15118EVCertificate", EV_REQUEST)
    assert inner["status"] == "Failed"


async def test_a_v2g_certificate_in_1_6(certificates: Certificates, pki: Pki, tmp_path: Path) -> None:
    _, csr = new_request(tmp_path, "station", "/CN=CP-7")
    inner, reply = await transfer(certificates, "SignCertificate", {"csr": csr.read_text()})
    assert inner == {"status": "Accepted"}
    assert reply.then is not None
    assert reply.then.action == "DataTransfer"
    await ocpp.messages.validate_payload(ocpp.messages.Call("1", *reply.then), "1.6")
    assert reply.then.payload["messageId"] == "CertificateSigned"
    signed = json.loads(reply.then.payload["data"])
    await ocpp.messages.validate_payload(ocpp.messages.Call("1", "CertificateSigned", signed), "2.0.1")
    assert x509.load_pem_x509_certificates(signed["certificateChain"].encode())[1] == pki.v2g.sub
    assert signed["certificateType"] == "V2GCertificate"


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"vendorId": "com.example"}, None),
        ({"messageId": "Fly"}, {"status": "UnknownMessageId"}),
        ({"data": "{"}, {"status": "Rejected"}),
        ({"data": '{"idToken":"DE8AACA2B3C4D5"}'}, {"status": "Rejected"}),
    ],
)
async def test_what_is_no_plug_and_charge_in_1_6(certificates: Certificates, changed: dict[str, str], answer: Any) -> None:
    payload = {"vendorId": PNC_VENDOR, "messageId": "Authorize", "data": "{}"} | changed
    reply = await certificates.transferred("CP-7", payload, read_2_0_1, NOW)
    assert (reply and reply.payload) == answer


async def test_chargers_are_reminded_before_their_certificates_end(certificates: Certificates, pki: Pki) -> None:
    connected = {"CP-6": "ocpp1.6", "CP-7": "ocpp2.0.1", "CP-8": "ocpp2.1"}
    for name in ("CP-6", "CP-7"):
        pki.stations.issue(name, NOW)
        pki.v2g.issue(name, NOW)
    assert certificates.renewals(connected, NOW + timedelta(days=60)) == []
    reminded = certificates.renewals(connected, NOW + timedelta(days=300))
    assert [(name, call.action) for name, call in reminded] == [
        ("CP-6", "ExtendedTriggerMessage"),
        ("CP-6", "DataTransfer"),
        ("CP-7", "TriggerMessage"),
        ("CP-7", "TriggerMessage"),
    ]
    for name, call in reminded:
        await ocpp.messages.validate_payload(ocpp.messages.Call("1", *call), connected[name].removeprefix("ocpp"))
    assert [call.payload["requestedMessage"] for name, call in reminded if name == "CP-7"] == [
        "SignChargingStationCertificate",
        "SignV2GCertificate",
    ]
    pki.stations.issue("CP-7", NOW + timedelta(days=300))
    assert ("CP-7", reminded[2][1]) not in certificates.renewals(connected, NOW + timedelta(days=300))
