"""Another platform that speaks T/CEC 102, and what was agreed with it."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chargeloop.protocols.tcec102 import STANDARD, Cipher, Dialect

TOKEN_LASTS = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Partner:
    """`operator_id`: theirs; `our_id`: by which they know us. `url`: of their server, without the dialect's path.

    `our_secret`: what we prove ourselves with when we ask for a token; `their_secret`: what they do.
    """

    operator_id: str
    our_id: str
    url: str
    cipher: Cipher
    our_secret: str = field(repr=False)
    their_secret: str = field(repr=False)
    dialect: Dialect = STANDARD


@dataclass(slots=True)
class IssuedTokens:
    """Access tokens that we gave out: one a partner, the newest and the one before it, until they end."""

    _tokens: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)

    def issue(self, partner: Partner, now: datetime) -> tuple[str, timedelta]:
        token = secrets.token_hex(16)
        self._tokens[partner.operator_id] = [*self._tokens.get(partner.operator_id, [])[-1:], (token, now + TOKEN_LASTS)]
        return token, TOKEN_LASTS

    def holds(self, partner: Partner, token: str, now: datetime) -> bool:
        """Compared in constant time."""
        good = [each for each, ends in self._tokens.get(partner.operator_id, ()) if now < ends]
        return any(secrets.compare_digest(each.encode(), token.encode()) for each in good)
