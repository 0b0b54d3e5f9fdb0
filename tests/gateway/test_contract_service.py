"""A car fetches its contract through a charger and charges by it, over real sockets, in each version of OCPP."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chargeloop.gateway.ocpp import OcppGateway, TokenInfo
from chargeloop.model import SessionStarted
from chargeloop.persistence import Store
from chargeloop.pki import Pki, open_pki
from chargeloop.protocols.iso15118 import Message, decode, encode
from tests.gateway.conftest import KNOWN, NOW, Dial, Wire, stored
from tests.gateway.test_plug_and_charge import ACCEPTED, PNC, happened, token
from tests.pki.car import Car, Maker

PCID, EMAID, OTHER = "WMIV1234567890ABC", "DE8AACA2B3C4D5L", "NLTNM000122045U"
VERSIONS = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]
Ask = Callable[[Wire, str, dict[str, Any]], Any]


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "maker")


@pytest.fixture
def car(maker: Maker) -> Car:
    return maker.car(PCID)


@pytest.fixture
def pki(tmp_path: Path, maker: Maker) -> Pki:
    (tmp_path / "pki" / "oem").mkdir(parents=True)
    (tmp_path / "pki" / "oem" / "maker.pem").write_text(maker.trusted)
    pki = open_pki(tmp_path / "pki", "Stadtwerke", datetime.now(UTC), "http://csms.example/ocsp")
    pki.provisioning.vehicles.assign(PCID, EMAID, datetime.now(UTC))
    return pki


@pytest.fixture
async def gateway(store: Store, pki: Pki) -> AsyncIterator[OcppGateway]:
    """Nobody may charge here, but by contract; nobody else makes contracts."""
    gateway = OcppGateway(
        store,
        lambda: NOW,
        lambda evse_id: "S1" if evse_id in KNOWN else None,
        authorise=lambda _token, _now: TokenInfo("Invalid"),
        pki=pki,
        wall=lambda: datetime.now(UTC) + timedelta(minutes=1),  # openssl's certificates begin with the second
    )
    await gateway.enrol(sorted(KNOWN))
    await gateway.start("127.0.0.1", 0)
    yield gateway
    await gateway.stop()


async def direct(wire: Wire, action: str, payload: dict[str, Any]) -> Any:
    return (await wire.ask(action, payload))[2]


async def wrapped(wire: Wire, action: str, payload: dict[str, Any]) -> Any:
    answer = (await wire.ask("DataTransfer", {"vendorId": PNC, "messageId": action, "data": json.dumps(payload)}))[2]
    assert answer["status"] == "Accepted"
    return json.loads(answer["data"])


async def start_16(wire: Wire) -> str:
    start = {"connectorId": 1, "idTag": EMAID, "meterStart": 0, "timestamp": "2025-06-10T09:20:00Z"}
    return str((await wire.ask("StartTransaction", start))[2]["idTagInfo"]["status"])


async def start_2(wire: Wire) -> str:
    started = happened("Started", 0, 1000, evse={"id": 1, "connectorId": 1}, **token(EMAID))
    return str((await wire.ask("TransactionEvent", started))[2]["idTokenInfo"]["status"])


BY: dict[str, tuple[Ask, Callable[[Wire], Any]]] = {
    "ocpp1.6": (wrapped, start_16),
    "ocpp2.0.1": (direct, start_2),
    "ocpp2.1": (direct, start_2),
}


def request(message: Message | bytes, action: str = "Install") -> dict[str, Any]:
    exi = encode(message) if isinstance(message, Message) else message
    return {
        "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
        "action": action,
        "exiRequest": base64.b64encode(exi).decode(),
    }


def response(answer: dict[str, Any]) -> bytes:
    assert answer["status"] == "Accepted"
    assert len(answer["exiResponse"]) <= 7500
    return base64.b64decode(answer["exiResponse"])


def code(answer: dict[str, Any]) -> str:
    body: Any = decode(response(answer)).body
    return str(body.code)


@pytest.mark.parametrize("version", VERSIONS)
async def test_from_nothing_to_the_session(dial: Dial, store: Store, pki: Pki, car: Car, version: str) -> None:
    wire: Wire = await dial(version=version)
    ask, start = BY[version]
    car.take(response(await ask(wire, "Get15118EVCertificate", request(car.installation()))), pki.cps.root)
    first = car.chain
    assert await ask(wire, "Authorize", {**token(EMAID), "certificate": first}) == ACCEPTED
    car.take(response(await ask(wire, "Get15118EVCertificate", request(car.update(), "Update"))), pki.cps.root)
    assert car.chain != first
    assert await ask(wire, "Authorize", {**token(EMAID), "certificate": car.chain}) == ACCEPTED
    assert await start(wire) == "Accepted"
    (started,) = [each for each in await stored(store) if isinstance(each, SessionStarted)]
    assert (started.evse_id, started.id_token) == ("E1", EMAID)


@pytest.mark.parametrize("version", VERSIONS)
async def test_refusals_reach_the_car(dial: Dial, pki: Pki, car: Car, maker: Maker, tmp_path: Path, version: str) -> None:
    wire: Wire = await dial(version=version)
    ask, _ = BY[version]

    async def refusal(message: Message) -> str:
        return code(await ask(wire, "Get15118EVCertificate", request(message)))

    assert await refusal(Maker(tmp_path / "foreign", "Foreign").car(PCID).installation()) == "FAILED_CertChainError"
    assert await refusal(maker.car("OLD", days=-1).installation()) == "FAILED_CertificateExpired"
    assert await refusal(maker.car("UNKNOWN").installation()) == "FAILED_NoCertificateAvailable"
    assert await refusal(car.installation(maker.car("ELSE").key)) == "FAILED_SignatureError"
    car.take(response(await ask(wire, "Get15118EVCertificate", request(car.installation()))), pki.cps.root)
    assert pki.provisioning.withdraw(PCID, EMAID, datetime.now(UTC))
    assert await refusal(car.update()) == "FAILED_CertificateRevoked"
    answer = await ask(wire, "Authorize", {**token(EMAID), "certificate": car.chain})
    assert answer["certificateStatus"] == "CertificateRevoked"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "said",
    [
        request(b"noise" * 20),
        request(bytes(4000)),
        request(b"") | {"exiRequest": "not base 64"},
        request(b"") | {"iso15118SchemaVersion": "urn:iso:std:iso:15118:-20:CommonMessages"},
    ],
    ids=["noise", "long", "text", "edition 20"],
)
async def test_what_cannot_be_read_is_failed_and_others_go_on(dial: Dial, version: str, said: dict[str, Any]) -> None:
    wire: Wire = await dial(version=version)
    answer = await BY[version][0](wire, "Get15118EVCertificate", said)
    assert (answer["status"], answer["exiResponse"]) == ("Failed", "")
    assert answer["statusInfo"]["additionalInfo"]
    assert (await wire.ask("Heartbeat", {}))[0] == 3


async def test_who_asks_how_many_are_left_is_told(dial: Dial, pki: Pki, car: Car) -> None:
    pki.provisioning.vehicles.assign(PCID, OTHER, datetime.now(UTC))
    wire: Wire = await dial(version="ocpp2.1")
    wanted = request(car.installation()) | {"maximumContractCertificateChains": 3, "prioritizedEMAIDs": [EMAID]}
    answer = await direct(wire, "Get15118EVCertificate", wanted)
    car.take(response(answer), pki.cps.root)
    assert (car.emaid, answer["remainingContracts"]) == (EMAID, 1)
    del wanted["prioritizedEMAIDs"]
    answer = await direct(wire, "Get15118EVCertificate", wanted)
    car.take(response(answer), pki.cps.root)
    assert (car.emaid, answer["remainingContracts"]) == (OTHER, 0)
    assert "remainingContracts" not in await direct(wire, "Get15118EVCertificate", request(car.installation()))
