"""Signed meter values: found in the words of each version, and checked."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput
from chargeloop.protocols.ocpp import (
    SignatureCheck,
    SignedValue,
    check_signature,
    number_of,
    public_key,
    session_id,
    signed_values,
)
from tests.ocmf import Meter

AT = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)
METER, OTHER = Meter(), Meter()
TEXT = METER.sign(1.5)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def verdict(raw: str, *, sent: str = "", known: str = "", encoding: str = "OCMF") -> SignatureCheck:
    return check_signature(SignedValue(AT, raw, encoding, sent), known)


CURVES = [ec.SECP256R1, ec.SECP256K1, ec.SECP192R1, ec.SECP384R1, ec.BrainpoolP256R1]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_true_on_every_curve(curve: type[ec.EllipticCurve]) -> None:
    meter = Meter(curve())
    assert verdict(in_base64(meter.sign(2.0)), known=meter.key) == SignatureCheck("verified", "by the key known of the meter")


@pytest.mark.parametrize("raw", [TEXT, in_base64(TEXT), TEXT.encode().hex(), json.dumps({"signedMeterData": in_base64(TEXT)})])
def test_however_it_is_wrapped(raw: str) -> None:
    assert verdict(raw, sent=METER.oca_key, encoding="") == SignatureCheck("verified", "by the key sent along")


@pytest.mark.parametrize(
    "key", [METER.key, METER.oca_key, METER.pem, f"oca:base16:asn1:{METER.key}", in_base64("")], ids=lambda key: key[:12]
)
def test_however_its_key_is_written(key: str) -> None:
    assert verdict(f"{TEXT}|{METER.key}", sent=key).verdict == "verified"


@pytest.mark.parametrize(
    ("raw", "key", "why"),
    [
        (TEXT.replace("1.5", "0.5"), METER.key, "does not fit"),
        (TEXT.replace("RFID_PLAIN", "RFID_NONE"), METER.key, "does not fit"),
        (TEXT, OTHER.key, "does not fit"),
        (TEXT, Meter(ec.SECP384R1()).key, "curve mismatch"),
        (TEXT, "not a key", "public key"),
        (TEXT[:-40], METER.key, "Signature|signature|JSON"),
        (TEXT[: len(TEXT) // 2], METER.key, "format"),
        (in_base64(TEXT)[:-61], METER.key, "cannot be checked"),
        ("OCMF|[1]|[2]", METER.key, "cannot be checked"),
        ("OCMF", METER.key, "cannot be checked"),
        ("%%%", METER.key, "cannot be read"),
    ],
)
def test_what_is_not_verified_says_why(raw: str, key: str, why: str) -> None:
    found = verdict(raw, sent=key)
    assert found.verdict == "not_verified"
    assert any(each in found.why for each in why.split("|")), found.why
    assert found.note == f"signed meter value not verified: {found.why}"


def test_a_key_sent_along_does_not_stand_for_the_meters_own() -> None:
    assert verdict(OTHER.sign(9.0), sent=OTHER.key, known=METER.key).why == "it does not fit the key known of the meter"


def test_without_a_key_and_in_formats_of_others() -> None:
    assert verdict(TEXT).verdict == "no_key"
    assert verdict("3c736d6c3e", encoding="EDL").verdict == "unknown_format"
    assert verdict("some text", encoding="", known=METER.key) == SignatureCheck(
        "unknown_format", "no OCMF: kept, and not checked"
    )


def test_a_record_that_deviates_from_its_standard_but_is_signed() -> None:
    assert verdict(METER.sign(1.0, IT="OWN", PG="x"), known=METER.key).verdict == "verified"


def test_found_in_both_versions() -> None:
    structure = {"signedMeterData": in_base64(TEXT), "encodingMethod": "OCMF", "publicKey": METER.oca_key, "signingMethod": ""}
    of_16: dict[str, Any] = {"value": json.dumps(structure), "format": "SignedData", "context": "Transaction.End"}
    of_2 = {"value": 1, "signedMeterValue": structure}
    values = [{"timestamp": AT, "sampledValue": [of_16, of_2, {"value": "1"}, {"value": "2", "format": "SignedData"}]}]
    found = signed_values(values, AT)
    assert found == (
        SignedValue(AT, of_16["value"], "OCMF", METER.oca_key, "Transaction.End"),
        SignedValue(AT, structure["signedMeterData"], "OCMF", METER.oca_key),
        SignedValue(AT, "2"),
    )
    assert [check_signature(each).verdict for each in found] == ["verified", "verified", "unknown_format"]


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()) | st.text().map(lambda text: "OCMF|" + text))
def test_nothing_escapes(raw: str) -> None:
    assert verdict(raw, known=METER.key).verdict in ("not_verified", "unknown_format")


def test_sessions_of_transactions() -> None:
    assert (number_of(session_id(7)), number_of("s1"), number_of("ocpp-x")) == (7, None, None)


def test_what_is_no_key_is_refused() -> None:
    assert public_key(METER.pem) == METER.key
    with pytest.raises(BadInput, match="public key"):
        public_key("0000")
