"""Signed meter values on the wire: kept, checked, said of the session; never a reason to refuse a message."""

import base64
from typing import Any

from chargeloop.gateway.ocpp import OcppGateway, checked_keys, recheck, signed_of
from chargeloop.model import SessionEnded
from chargeloop.persistence import SignedRow, Store
from tests.gateway.conftest import Dial, stored
from tests.ocmf import Meter


def sample(text: str, context: str = "Transaction.Begin") -> dict[str, Any]:
    return {"value": text, "format": "SignedData", "context": context}


def event(kind: str, seq_no: int, text: str, key: str) -> dict[str, Any]:
    data = {"signedMeterData": base64.b64encode(text.encode()).decode(), "signingMethod": "", "encodingMethod": "OCMF"}
    values = [{"value": 1000.0 + seq_no, "signedMeterValue": data | {"publicKey": key}}]
    return {
        "eventType": kind,
        "timestamp": f"2025-06-10T09:2{seq_no}:00Z",
        "triggerReason": "Authorized",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "x1"},
        "evse": {"id": 1},
        "meterValue": [{"timestamp": f"2025-06-10T09:2{seq_no}:00Z", "sampledValue": values}],
    }


async def notes(store: Store) -> tuple[str, ...]:
    return next(each for each in await stored(store) if isinstance(each, SessionEnded)).notes


async def test_16_true_and_told_twice(dial: Dial, gateway: OcppGateway, store: Store) -> None:
    meter, wire = Meter(), await dial()
    gateway.chargers["E1"].keep_meter_keys((meter.key,))
    number = await wire.start()
    begin, end = meter.sign(1.0), meter.sign(6.0)
    of_begin = {"timestamp": "2025-06-10T09:20:01Z", "sampledValue": [sample(begin)]}
    of_end = {"timestamp": "2025-06-10T09:29:00Z", "sampledValue": [sample(end, "Transaction.End"), {"value": "6000"}]}
    for _ in range(2):
        await wire.ask("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [of_begin]})
    await wire.stop(number, transactionData=[of_begin, of_end])
    kept = await signed_of(store, f"ocpp-{number}")
    assert all(isinstance(each, SignedRow) and each.number == number for each in kept)
    assert [(each.raw, each.verdict, each.context) for each in kept] == [
        (begin, "verified", "Transaction.Begin"),
        (end, "verified", "Transaction.End"),
    ]
    assert await notes(store) == ("signed meter value verified: by the key known of the meter",)
    assert not gateway.chargers["E1"].problems
    assert await signed_of(store, "s1") == ()


async def test_2x_wrong_ones_are_flagged_and_answered(dial: Dial, gateway: OcppGateway, store: Store) -> None:
    meter, wire = Meter(), await dial(version="ocpp2.0.1")
    good, forged = meter.sign(1.0), meter.sign(6.0).replace("6.0", "1.5")
    assert (await wire.ask("TransactionEvent", event("Started", 0, good, meter.oca_key)))[0] == 3
    assert (await wire.ask("TransactionEvent", event("Ended", 1, forged, meter.oca_key)))[0] == 3
    assert [each.verdict for each in await signed_of(store, "ocpp-1")] == ["verified", "not_verified"]
    assert await notes(store) == (
        "signed meter value verified: by the key sent along",
        "signed meter value not verified: it does not fit the key sent along",
    )
    assert gateway.chargers["E1"].problems == [
        "TransactionEvent: signed meter value not verified: it does not fit the key sent along"
    ]


async def test_with_a_key_that_comes_later_it_is_checked_again(dial: Dial, gateway: OcppGateway, store: Store) -> None:
    meter, wire = Meter(), await dial(version="ocpp2.1")
    await wire.ask("TransactionEvent", event("Started", 0, meter.sign(1.0), ""))
    await wire.ask("TransactionEvent", event("Ended", 1, "no OCMF", ""))
    assert [each.verdict for each in await signed_of(store, "ocpp-1")] == ["no_key", "not_verified"]
    charger = gateway.chargers["E1"]
    charger.keep_meter_keys(checked_keys(charger.registration, [meter.pem]))
    assert await recheck(store, charger.registration) == 1
    assert [each.verdict for each in await signed_of(store, "ocpp-1")] == ["verified", "not_verified"]
    assert await recheck(store, charger.registration) == 0
