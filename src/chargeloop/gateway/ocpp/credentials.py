"""Passwords of chargers (security profiles 1 and 2) and who may not try any more."""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

# Few: these passwords are 160 random bits, which nobody guesses, and five thousand chargers come back at once.
ROUNDS = 1000
PASSWORD_BYTES = 20
FAILURES, PAUSE_S, LONGEST_S = 5, 10.0, 600.0


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


@dataclass(slots=True)
class Lockout:
    """After some failures, each further one doubles the pause in which nothing is tried. `now`: seconds of any clock."""

    failures: dict[str, tuple[int, float]] = field(default_factory=dict)

    def is_locked(self, who: str, now: float) -> bool:
        count, at = self.failures.get(who, (0, 0.0))
        return count >= FAILURES and now < at + min(PAUSE_S * 2.0 ** min(count - FAILURES, 16), LONGEST_S)

    def failed(self, who: str, now: float) -> None:
        self.failures[who] = (self.failures.get(who, (0, 0.0))[0] + 1, now)
        if len(self.failures) > 10_000:  # of many addresses, only the newest are remembered
            del self.failures[next(iter(self.failures))]

    def succeeded(self, who: str) -> None:
        self.failures.pop(who, None)
