"""Plug and Charge from a car's contract to its session, message by message over real sockets, in each version."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from chargeloop.gateway.ocpp import OcppGateway, TokenInfo
from chargeloop.model import SessionEnded, SessionStarted, Unreachable
from chargeloop.persistence import Store
from chargeloop.pki import HashData, Pki, open_pki
from tests.gateway.conftest import KNOWN, NOW, Dial, Wire, stored
from tests.pki.openssl_ca import openssl

EMAID = "DE8AACA2B3C4D5"
PNC = "org.openchargealliance.iso15118pnc"
ACCEPTED = {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"}
BOTH = pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp2.1"])


class Service:
    """The service that answers a car's request for its contract certificate."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, request: Any) -> dict[str, Any]:
        self.asked.append(dict(request))
        if request["exiRequest"] == "QUJD":
            raise Unreachable("the service rests")
        return {"status": "Accepted", "exiResponse": "UkVT"}


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return open_pki(tmp_path / "pki", "Stadtwerke", datetime.now(UTC), "http://csms.example/ocsp")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def gateway(store: Store, pki: Pki, service: Service) -> AsyncIterator[OcppGateway]:
    """Nobody may charge here, but by contract."""
    gateway = OcppGateway(
        store,
        lambda: NOW,
        lambda evse_id: "S1" if evse_id in KNOWN else None,
        authorise=lambda _token, _now: TokenInfo("Invalid"),
        pki=pki,
        forward=service,
    )
    await gateway.enrol(sorted(KNOWN))
    await gateway.start("127.0.0.1", 0)
    yield gateway
    await gateway.stop()


@pytest.fixture
def contract(pki: Pki) -> str:
    """PEM chain of a customer's contract."""
    return pki.contracts.issue(EMAID, datetime.now(UTC))[0]


def hash_data(chain: str, pki: Pki) -> dict[str, Any]:
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    return {**HashData.of(leaf, pki.contracts.authority.sub).to_wire(), "responderURL": "http://csms.example/ocsp"}


def token(emaid: str = EMAID) -> dict[str, Any]:
    return {"idToken": {"idToken": emaid, "type": "eMAID"}}


def happened(kind: str, seq: int, wh: int, **more: Any) -> dict[str, Any]:
    sample = {"value": wh, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}}
    return {
        "eventType": kind,
        "timestamp": f"2025-06-10T09:2{seq}:00Z",
        "triggerReason": "Authorized",
        "seqNo": seq,
        "transactionInfo": {"transactionId": "TX-1"},
        "meterValue": [{"timestamp": f"2025-06-10T09:2{seq}:00Z", "sampledValue": [sample]}],
        **more,
    }


@BOTH
async def test_from_the_contract_to_the_session(dial: Dial, store: Store, pki: Pki, contract: str, version: str) -> None:
    wire: Wire = await dial(version=version)
    await wire.ask("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}})
    stapled = (await wire.ask("GetCertificateStatus", {"ocspRequestData": hash_data(contract, pki)}))[2]
    assert stapled["status"] == "Accepted"
    told = [hash_data(contract, pki)]
    assert (await wire.ask("Authorize", {**token(), "certificate": contract}))[2] == ACCEPTED
    assert (await wire.ask("Authorize", {**token(), "iso15118CertificateHashData": told}))[2] == ACCEPTED
    started = happened("Started", 0, 1000, evse={"id": 1, "connectorId": 1}, **token())
    assert (await wire.ask("TransactionEvent", started))[2] == {"idTokenInfo": {"status": "Accepted"}}
    await wire.ask("TransactionEvent", happened("Ended", 5, 8500) | {"triggerReason": "EVDeparted"})
    events = await stored(store)
    (start,) = [each for each in events if isinstance(each, SessionStarted)]
    (end,) = [each for each in events if isinstance(each, SessionEnded)]
    assert (start.evse_id, start.id_token, end.meter_wh) == ("E1", EMAID, 8500)


@BOTH
async def test_a_contract_that_is_over(dial: Dial, pki: Pki, contract: str, version: str) -> None:
    wire: Wire = await dial(version=version)
    assert pki.contracts.revoke(EMAID, datetime.now(UTC)) == 1
    answer = (await wire.ask("Authorize", {**token(), "certificate": contract}))[2]
    assert answer == {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertificateRevoked"}
    started = happened("Started", 0, 1000, evse={"id": 1}, **token())
    assert (await wire.ask("TransactionEvent", started))[2]["idTokenInfo"]["status"] == "Invalid"


@BOTH
async def test_a_contract_of_somebody_else(dial: Dial, contract: str, version: str) -> None:
    wire: Wire = await dial(version=version)
    answer = (await wire.ask("Authorize", {**token("DE8AACXXXXXXXX"), "certificate": contract}))[2]
    assert answer == {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertChainError"}
    assert (await wire.ask("Authorize", token()))[2]["idTokenInfo"]["status"] == "Invalid", "an eMAID alone proves nothing"


@BOTH
async def test_a_car_asks_for_its_contract(dial: Dial, service: Service, version: str) -> None:
    wire: Wire = await dial(version=version)
    asked = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "UkVR"}
    assert (await wire.ask("Get15118EVCertificate", asked))[2] == {"status": "Accepted", "exiResponse": "UkVT"}
    assert service.asked == [asked]
    refused = (await wire.ask("Get15118EVCertificate", asked | {"exiRequest": "QUJD"}))[2]
    assert (refused["status"], refused["exiResponse"]) == ("Failed", "")
    assert (await wire.ask("Heartbeat", {}))[0] == 3, "others go on"


async def test_in_1_6_the_messages_travel_in_data_transfers(dial: Dial, store: Store, contract: str) -> None:
    wire: Wire = await dial()
    asked = {"vendorId": PNC, "messageId": "Authorize", "data": json.dumps({**token(), "certificate": contract})}
    answer = (await wire.ask("DataTransfer", asked))[2]
    assert (answer["status"], json.loads(answer["data"])) == ("Accepted", ACCEPTED)
    start = {"connectorId": 1, "idTag": EMAID, "meterStart": 0, "timestamp": "2025-06-10T09:20:00Z"}
    assert (await wire.ask("StartTransaction", start))[2]["idTagInfo"] == {"status": "Accepted"}
    (started,) = [each for each in await stored(store) if isinstance(each, SessionStarted)]
    assert started.id_token == EMAID
    nonsense = {"vendorId": PNC, "messageId": "Authorize", "data": "{"}
    assert (await wire.ask("DataTransfer", nonsense))[2] == {"status": "Rejected"}


@BOTH
async def test_openssl_believes_what_is_stapled(dial: Dial, pki: Pki, contract: str, version: str, tmp_path: Path) -> None:
    wire: Wire = await dial(version=version)
    said = (await wire.ask("GetCertificateStatus", {"ocspRequestData": hash_data(contract, pki)}))[2]
    leaf, both, answer = tmp_path / "leaf.pem", tmp_path / "both.pem", tmp_path / "answer.der"
    sub = tmp_path / "pki" / "contracts" / "sub.pem"
    leaf.write_text(contract)
    both.write_text(sub.read_text() + (tmp_path / "pki" / "contracts" / "root.pem").read_text())
    answer.write_bytes(base64.b64decode(said["ocspResult"]))
    about = ("-issuer", sub, "-cert", leaf, "-respin", answer, "-CAfile", both, "-no_nonce")
    assert f"{leaf}: good" in openssl("ocsp", "-sha256", *about).decode()
