"""What tokens may do, in the words of each version."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chargeloop.gateway.ocpp import OcppGateway, TokenInfo
from tests.gateway.conftest import NOW, Dial

LATER = NOW + timedelta(days=1)
KNOWN = {
    "good": TokenInfo("Accepted", LATER, "G"),
    "blocked": TokenInfo("Blocked"),
    "poor": TokenInfo("NoCredit"),  # 2.x only
}


def authorise(id_token: str, now: datetime) -> TokenInfo:
    return KNOWN.get(id_token, TokenInfo("Invalid"))


@pytest.mark.parametrize(
    ("token", "info"),
    [
        ("good", {"status": "Accepted", "expiryDate": "2025-06-11T09:30:00Z", "parentIdTag": "G"}),
        ("blocked", {"status": "Blocked"}),
        ("poor", {"status": "Invalid"}),
        ("nobody", {"status": "Invalid"}),
    ],
)
async def test_16(dial: Dial, gateway: OcppGateway, token: str, info: dict[str, Any]) -> None:
    gateway.authorise = authorise
    wire = await dial()
    assert (await wire.ask("Authorize", {"idTag": token}))[2] == {"idTagInfo": info}
    start = {"connectorId": 1, "idTag": token, "meterStart": 1, "timestamp": "2025-06-10T09:20:00Z"}
    assert (await wire.ask("StartTransaction", start))[2] == {"transactionId": 1, "idTagInfo": info}
    stop = {"transactionId": 1, "meterStop": 2, "timestamp": "2025-06-10T09:25:00Z", "idTag": token}
    assert (await wire.ask("StopTransaction", stop))[2] == {"idTagInfo": info}


@pytest.mark.parametrize(
    ("token", "info"),
    [
        (
            "good",
            {
                "status": "Accepted",
                "cacheExpiryDateTime": "2025-06-11T09:30:00Z",
                "groupIdToken": {"idToken": "G", "type": "Central"},
            },
        ),
        ("poor", {"status": "NoCredit"}),
        ("nobody", {"status": "Invalid"}),
    ],
)
async def test_201(dial: Dial, gateway: OcppGateway, token: str, info: dict[str, Any]) -> None:
    gateway.authorise = authorise
    wire = await dial(version="ocpp2.0.1")
    shown = {"idToken": token, "type": "ISO14443"}
    assert (await wire.ask("Authorize", {"idToken": shown}))[2] == {"idTokenInfo": info}
    event = {
        "eventType": "Started",
        "timestamp": "2025-06-10T09:20:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "x"},
        "idToken": shown,
    }
    assert (await wire.ask("TransactionEvent", event))[2] == {"idTokenInfo": info}
