"""Passwords of chargers (security profiles 1 and 2)."""

import base64
import binascii
import hashlib
import hmac
import secrets

# Few: these passwords are 160 random bits, which nobody guesses, and five thousand chargers come back at once.
ROUNDS = 1000
PASSWORD_BYTES = 20


def new_password() -> str:
    """40 hexadecimal digits: an AuthorizationKey of 1.6, a BasicAuthPassword of 2.x."""
    return secrets.token_hex(PASSWORD_BYTES)


def hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"pbkdf2${ROUNDS}${salt.hex()}${_digest(password.encode(), salt, ROUNDS).hex()}"


def fits(sent: bytes, password_hash: str) -> bool:
    """Whether a charger knows its password. 1.6 sends the key's raw bytes; many stations send its digits instead."""
    _, rounds, salt, digest = password_hash.split("$")
    forms = (sent, sent.lower(), sent.hex().encode())
    known = [
        hmac.compare_digest(_digest(form, bytes.fromhex(salt), int(rounds)), bytes.fromhex(digest))
        for form in dict.fromkeys(forms)
    ]
    return any(known)


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
