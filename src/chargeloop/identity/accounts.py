"""Accounts of people, and their log-ins."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from chargeloop.identity.lockout import Lockout
from chargeloop.identity.roles import ROLES, Permission, permissions_of
from chargeloop.model import BadInput
from chargeloop.model.quantities import Utc
from chargeloop.model.validated import from_json, to_json
from chargeloop.persistence import Store, tables

SHORTEST_PASSWORD = 10
NAME_LENGTH = 64
IDLE, LONGEST = timedelta(hours=8), timedelta(days=7)  # of a log-in
SEEN_EVERY = timedelta(minutes=1)  # how exactly idle time is stored
COST = {"n": 2**14, "r": 8, "p": 1}  # of scrypt: 16 MB and some 50 ms
NOBODY = "scrypt$00$00"  # so that an unknown name takes as long as a known one


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    name: str
    roles: tuple[str, ...]
    password_hash: str
    disabled: bool = False

    @property
    def may(self) -> frozenset[Permission]:
        return frozenset() if self.disabled else permissions_of(self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """`token_hash` only: who reads the database cannot log in with it."""

    token_hash: str
    name: str
    since: Utc
    seen: Utc


class Accounts:
    """All accounts and log-ins, kept in memory and in the store. Times are wall time."""

    def __init__(self, store: Store, accounts: Iterable[Account], logins: Iterable[Login]) -> None:
        self._store = store
        self._accounts = {each.name: each for each in accounts}
        self._logins = {each.token_hash: each for each in logins}
        self._lockout = Lockout()

    @classmethod
    async def load(cls, store: Store) -> "Accounts":
        accounts, logins = tables.account, tables.login
        return cls(
            store,
            [from_json(Account, row.body, "stored account") for row in await store.rows(sa.select(accounts.c.body))],
            [from_json(Login, row.body, "stored log-in") for row in await store.rows(sa.select(logins.c.body))],
        )

    @property
    def all(self) -> tuple[Account, ...]:
        return tuple(sorted(self._accounts.values(), key=lambda account: account.name))

    def named(self, name: str) -> Account:
        """Raises:
        BadInput: there is none of that name.
        """
        if name not in self._accounts:
            raise BadInput("name", f"there is no account {name!r}")
        return self._accounts[name]

    # --- changing -------------------------------------------------------------------------------------------------------

    async def add(self, name: str, password: str, roles: Iterable[str]) -> Account:
        """Raises:
        BadInput: the name is taken or none, the password too short, or a role unknown.
        """
        if not (0 < len(name) <= NAME_LENGTH and name.isprintable() and name == name.strip()):
            raise BadInput("name", f"has 1 to {NAME_LENGTH} printable characters, got {name!r}")
        if name in self._accounts:
            raise BadInput("name", f"there is an account {name!r} already")
        account = Account(name=name, roles=_checked(roles), password_hash=await _hashed(password))
        await self._put(account)
        return account

    async def change(
        self, name: str, *, roles: Iterable[str] | None = None, password: str | None = None, disabled: bool | None = None
    ) -> Account:
        """Change what is given. A new password, or none any more, ends all log-ins of the account.

        Raises:
            BadInput: as for `add`, or it would leave nobody who may change accounts.
        """
        account = self.named(name)
        if roles is not None:
            account = replace(account, roles=_checked(roles))
        if disabled is not None:
            account = replace(account, disabled=disabled)
        self._check_somebody_is_left({**self._accounts, name: account})
        if password is not None:
            account = replace(account, password_hash=await _hashed(password))
        await self._put(account)
        if password is not None or account.disabled:
            await self._end([each for each in self._logins.values() if each.name == name])
        return account

    async def remove(self, name: str) -> None:
        """Raises:
        BadInput: there is none, or nobody would be left who may change accounts.
        """
        self.named(name)
        left = {key: account for key, account in self._accounts.items() if key != name}
        self._check_somebody_is_left(left)
        await self._end([each for each in self._logins.values() if each.name == name])
        await self._store.write(
            lambda connection: connection.execute(sa.delete(tables.account).where(tables.account.c.name == name))
        )
        del self._accounts[name]

    # --- log-in ---------------------------------------------------------------------------------------------------------

    async def log_in(self, name: str, password: str, address: str, now: datetime) -> tuple[Account, str] | None:
        """The account and a new session token; None where name and password don't fit, or too many tries did not before."""
        seconds = now.timestamp()
        keys = (f"name {name}", f"address {address}")
        if any(self._lockout.is_locked(key, seconds) for key in keys):
            return None
        account = self._accounts.get(name)
        fits = await asyncio.to_thread(_fits, password, account.password_hash if account else NOBODY)
        if account is None or account.disabled or not fits:
            for key in keys:
                self._lockout.failed(key, seconds)
            return None
        for key in keys:
            self._lockout.succeeded(key)
        token = secrets.token_urlsafe(32)
        login = Login(token_hash=_token_hash(token), name=name, since=now, seen=now)
        await self._keep(login)
        return account, token

    def whose(self, token: str, now: datetime) -> Account | None:
        """The account of a session token that is still good."""
        login = self._logins.get(_token_hash(token))
        if login is None or now - login.seen > IDLE or now - login.since > LONGEST:
            return None
        account = self._accounts.get(login.name)
        return None if account is None or account.disabled else account

    async def seen(self, token: str, now: datetime) -> None:
        """Note that a session was used."""
        login = self._logins.get(_token_hash(token))
        if login is not None and now - login.seen >= SEEN_EVERY:
            await self._keep(replace(login, seen=now))

    async def log_out(self, token: str) -> None:
        login = self._logins.get(_token_hash(token))
        if login is not None:
            await self._end([login])

    async def forget_old(self, now: datetime) -> None:
        """Drop log-ins that are over."""
        await self._end([each for each in self._logins.values() if now - each.seen > IDLE or now - each.since > LONGEST])

    # --- how ------------------------------------------------------------------------------------------------------------

    def _check_somebody_is_left(self, accounts: dict[str, Account]) -> None:
        if accounts and not any("accounts" in account.may for account in accounts.values()):
            raise BadInput("roles", "nobody would be left who may change accounts")

    async def _put(self, account: Account) -> None:
        await self._store.put(tables.account, {"name": account.name, "body": to_json(account)})
        self._accounts[account.name] = account

    async def _keep(self, login: Login) -> None:
        await self._store.put(tables.login, {"token_hash": login.token_hash, "body": to_json(login)})
        self._logins[login.token_hash] = login

    async def _end(self, logins: list[Login]) -> None:
        hashes = [each.token_hash for each in logins]
        if hashes:
            query = sa.delete(tables.login).where(tables.login.c.token_hash.in_(hashes))
            await self._store.write(lambda connection: connection.execute(query))
            for each in hashes:
                self._logins.pop(each, None)


def _checked(roles: Iterable[str]) -> tuple[str, ...]:
    given = tuple(dict.fromkeys(roles))
    unknown = [role for role in given if role not in ROLES]
    if unknown or not given:
        raise BadInput("roles", f"are one or more of {', '.join(ROLES)}, got {', '.join(unknown) or 'none'}")
    return given


async def _hashed(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput("password", f"has at least {SHORTEST_PASSWORD} characters")
    salt = secrets.token_bytes(16)
    digest = await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, **COST)
    return f"scrypt${salt.hex()}${digest.hex()}"


def _fits(password: str, password_hash: str) -> bool:
    _, salt, digest = password_hash.split("$")
    return hmac.compare_digest(hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **COST), bytes.fromhex(digest))


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
