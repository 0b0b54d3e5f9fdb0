"""Passwords of chargers (security profiles 1 and 2)."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any

from chargeloop.persistence import Registration

# Few: these passwords are 160 random bits, which nobody guesses, and five thousand chargers come back at once.
ROUNDS = 1000
PASSWORD_BYTES = 20
HIDDEN = "(not shown)"
NAMES = frozenset({"AuthorizationKey", "BasicAuthPassword"})


def new_password() -> str:
    """40 hexadecimal digits: an AuthorizationKey of 1.6, a BasicAuthPassword of 2.x."""
    return secrets.token_hex(PASSWORD_BYTES)


def hashed(password: str) -> str:
    """How a password is kept. Two of these with a space between count both: while it changes."""
    salt = secrets.token_bytes(16)
    return f"pbkdf2${ROUNDS}${salt.hex()}${_digest(password.encode(), salt, ROUNDS).hex()}"


def fits(sent: bytes, password_hash: str) -> bool:
    """Whether a charger knows its password. 1.6 sends the key's raw bytes; many stations send its digits instead."""
    forms = dict.fromkeys((sent, sent.lower(), sent.hex().encode()))
    return any(_is_of(form, each) for each in password_hash.split() for form in forms)


def _is_of(password: bytes, password_hash: str) -> bool:
    _, rounds, salt, digest = password_hash.split("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt), int(rounds)), bytes.fromhex(digest))


def change_of(version: str | None, password: str) -> tuple[str, dict[str, Any]]:
    """The call that gives a charger its new password: action and payload."""
    if version == "ocpp1.6":
        return "ChangeConfiguration", {"key": "AuthorizationKey", "value": password}
    which = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    return "SetVariables", {"setVariableData": [{"attributeValue": password, **which}]}


def is_old(registration: Registration, before: datetime) -> bool:
    """Whether its password counts and has not been changed since then."""
    since = registration.password_since or registration.first_seen
    return registration.password_hash is not None and registration.security_profile in (1, 2) and since < before


def is_taken(answer: dict[str, Any]) -> bool:
    """Whether a charger has taken it over, by its answer to that call."""
    results = answer.get("setVariableResult", [])
    status = results[0].get("attributeStatus") if results else answer.get("status")
    return status in ("Accepted", "RebootRequired")


def without_secrets(payload: dict[str, Any]) -> dict[str, Any]:
    """A call to a charger as it may be written down: a new password is not."""
    if payload.get("key") in NAMES:
        return payload | {"value": HIDDEN}
    text = json.dumps(payload, default=str)
    return dict.fromkeys(payload, HIDDEN) if any(name in text for name in (*NAMES, "assword")) else payload


def basic(header: str | None) -> tuple[str, bytes] | None:
    """User and password of an Authorization header; None where it holds none."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(value.strip(), validate=True).partition(b":")
        return (user.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _digest(password: bytes, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, rounds)
