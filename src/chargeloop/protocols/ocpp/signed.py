"""Meter values that the meter has signed (calibration law): found as they are said, and OCMF ones checked."""

import base64
import binascii
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chargeloop.model import BadInput
from chargeloop.protocols.ocpp.facts import believed

Verdict = Literal["verified", "not_verified", "no_key", "unknown_format"]
OCMF = "OCMF"
DATA = "signedMeterData"


@dataclass(frozen=True, slots=True)
class SignedValue:
    """`raw`: word for word as received: base64 (2.x), or a text (1.6). `public_key`: sent with it, else empty."""

    at: datetime
    raw: str
    encoding: str = ""
    public_key: str = ""
    context: str = "Sample.Periodic"


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """What came of it, and why."""

    verdict: Verdict
    why: str

    @property
    def note(self) -> str:
        """For the session and its bill."""
        return f"signed meter value {self.verdict.replace('_', ' ')}: {self.why}"


def signed_values(values: Iterable[Mapping[str, Any]], received: datetime) -> tuple[SignedValue, ...]:
    """Of MeterValues: 2.x `signedMeterValue`, 1.6 format `SignedData` (a text, or the structure of 2.x as JSON)."""
    found = []
    for value in values:
        for sample in value.get("sampledValue", ()):
            if sample.get("format") == "SignedData":
                raw = str(sample.get("value", ""))
                signed = _structure(raw)
            elif "signedMeterValue" in sample:
                signed = sample["signedMeterValue"]
                if not isinstance(signed, Mapping) or DATA not in signed:
                    continue
                raw = str(signed[DATA])
            else:
                continue
            encoding, key = str(signed.get("encodingMethod", "")), str(signed.get("publicKey", ""))
            context = str(sample.get("context", "Sample.Periodic"))
            found.append(SignedValue(believed(value.get("timestamp"), received), raw, encoding, key, context))
    return tuple(found)


def check_signature(value: SignedValue, known_key: str = "") -> SignatureCheck:
    """Check a value with the key that is known of its meter, else with the one sent along, which proves only that both fit."""
    text = _text(value.raw)
    if not text.startswith(OCMF):
        if value.encoding.upper() == OCMF:
            return SignatureCheck("not_verified", "it cannot be read: neither text nor base64 of OCMF")
        return SignatureCheck("unknown_format", f"{value.encoding or 'no OCMF'}: kept, and not checked")
    whose = "the key known of the meter" if known_key else "the key sent along"
    key = known_key or value.public_key or _fourth_part(text)
    if not key:
        return SignatureCheck("no_key", "the meter's public key is not known")
    return _check_ocmf(text, key, whose)


def _check_ocmf(text: str, key: str, whose: str) -> SignatureCheck:
    from pyocmf import OCMF as Record  # noqa: PLC0415 (slow to import; few chargers sign)
    from pyocmf import PyOCMFError, SpecWarning  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SpecWarning)  # a meter that writes an unknown code has signed it all the same
            fits = Record.from_string(text).verify_signature(public_key(key))
    except (PyOCMFError, BadInput, ValueError, TypeError, AttributeError) as error:  # the last two: odd JSON
        return SignatureCheck("not_verified", f"it cannot be checked: {str(error).splitlines()[0][:200]}")
    return SignatureCheck("verified", f"by {whose}") if fits else SignatureCheck("not_verified", f"it does not fit {whose}")


def public_key(text: str) -> str:
    """A key as DER in hex or base64: given so, as PEM, or as OCPP has it: base64 of `oca:<encoding>:<content-type>:<key>`.

    Raises:
        BadInput: it is no public key of an elliptic curve.
    """
    from pyocmf import PublicKey, PyOCMFError  # noqa: PLC0415

    key = "".join(line.strip() for line in text.splitlines() if "-----" not in line)
    decoded = _base64_text(key)
    if decoded.startswith("oca:"):
        key = decoded
    if key.startswith("oca:"):
        key = key.rsplit(":", 1)[1]
    try:
        return PublicKey.from_string(key).key
    except (PyOCMFError, ValueError) as error:
        raise BadInput("public key", f"is no DER key of an elliptic curve, in hex or base64: {error}") from None


def _structure(raw: str) -> Mapping[str, Any]:
    """The members of a 1.6 value that is JSON; a bare text has none."""
    try:
        read = json.loads(raw) if raw.lstrip().startswith("{") else {}
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _text(raw: str) -> str:
    """What was signed, with its signature: given as it is, in base64, or in hex."""
    data = str(_structure(raw).get(DATA, raw)).strip()
    if data.startswith(OCMF):
        return data
    try:
        in_hex = bytes.fromhex(data).decode()
    except ValueError:
        in_hex = ""
    return in_hex if in_hex.startswith(OCMF) else _base64_text(data) or data


def _base64_text(data: str) -> str:
    """Text in base64, even where its end is cut off; empty where it is none."""
    data = data.rstrip("=")
    try:
        return base64.b64decode(data[: len(data) - (len(data) % 4 == 1)] + "==").decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _fourth_part(text: str) -> str:
    """A key that was appended to an OCMF record, as some do."""
    parts = text.split("|", 3)
    return parts[3].strip() if len(parts) == 4 else ""
