"""What drivers charge with: id tokens and contracts (eMAID), and what is known of each."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from chargeloop.model import BadInput
from chargeloop.model.quantities import Utc
from chargeloop.model.validated import from_json, to_json
from chargeloop.persistence import Store, tables

Status = Literal["Accepted", "Blocked", "Expired", "Invalid"]
TOKEN_LENGTH = 255  # OCPP 2.1; 1.6 has 20
EMAID = re.compile(r"([A-Z]{2})-?([A-Z0-9]{3})-?([A-Z0-9]{9})(?:-?([A-Z0-9]))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """`id_token` is compared without case. `group`: tokens of one group may stop each other's sessions."""

    id_token: str
    status: Status = "Accepted"
    expires_at: Utc | None = None
    group: str | None = None
    owner: str = ""


class Tokens:
    """All tokens, kept in memory and in the store. Asked for each authorisation. `on_change` is called when they are others."""

    def __init__(self, store: Store, tokens: Iterable[Token]) -> None:
        self._store = store
        self.on_change: Callable[[], None] = lambda: None
        self._tokens = {each.id_token.casefold(): each for each in tokens}

    @classmethod
    async def load(cls, store: Store) -> "Tokens":
        rows = await store.rows(sa.select(tables.token.c.body))
        return cls(store, [from_json(Token, row.body, "stored token") for row in rows])

    @property
    def all(self) -> tuple[Token, ...]:
        return tuple(sorted(self._tokens.values(), key=lambda token: token.id_token))

    def find(self, id_token: str) -> Token | None:
        return self._tokens.get(id_token.casefold())

    def status(self, id_token: str, now: datetime) -> Status | None:
        """None: nobody knows that token."""
        token = self.find(id_token)
        if token is None:
            return None
        is_over = token.expires_at is not None and token.expires_at <= now
        return "Expired" if is_over and token.status == "Accepted" else token.status

    async def put(self, token: Token) -> None:
        """Raises:
        BadInput: it is empty, too long, or holds what cannot be printed.
        """
        text = token.id_token
        if not (0 < len(text) <= TOKEN_LENGTH and text.isprintable() and text == text.strip()):
            raise BadInput("id_token", f"has 1 to {TOKEN_LENGTH} printable characters")
        await self._store.put(tables.token, {"id_token": text.casefold(), "body": to_json(token)})
        self._tokens[text.casefold()] = token
        self.on_change()

    async def remove(self, id_token: str) -> None:
        """Raises:
        BadInput: there is none.
        """
        key = id_token.casefold()
        if key not in self._tokens:
            raise BadInput("id_token", f"there is no token {id_token!r}")
        await self._store.write(
            lambda connection: connection.execute(sa.delete(tables.token).where(tables.token.c.id_token == key))
        )
        del self._tokens[key]
        self.on_change()


def is_emaid(text: str) -> bool:
    """Whether that has the form of a contract id: country, provider, instance, perhaps a check digit (ISO 15118-1)."""
    return EMAID.fullmatch(text) is not None
