"""Accounts, log-ins, tokens and the record of who did what, on a real store."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from chargeloop.identity import (
    PERMISSIONS,
    ROLES,
    Account,
    Accounts,
    Audit,
    AuditEntry,
    Lockout,
    Login,
    Permission,
    Role,
    Token,
    Tokens,
    is_emaid,
    permissions_of,
)
from chargeloop.model import BadInput
from chargeloop.persistence import Store, tables

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = await Store.open(database_url)
    yield store
    await store.close()


@pytest.fixture
async def accounts(store: Store) -> Accounts:
    accounts = await Accounts.load(store)
    await accounts.add("ada", PASSWORD, ["operator"])
    return accounts


async def logged_in(accounts: Accounts, name: str = "ada", at: datetime = NOW) -> str:
    entered = await accounts.log_in(name, PASSWORD, "::1", at)
    assert entered is not None
    return entered[1]


def test_roles_allow_what_they_list_and_nothing_else() -> None:
    operator: Role = "operator"
    assert ROLES[operator] == PERMISSIONS
    assert permissions_of(["grid", "nonsense"]) == {"see"}
    assert permissions_of([]) == frozenset[Permission]()
    assert [role for role, may in ROLES.items() if "command" in may] == ["operator", "technician"]
    assert [role for role, may in ROLES.items() if "accounts" in may] == ["operator"]


class TestAccounts:
    async def test_they_outlive_the_process_and_so_do_sessions(self, accounts: Accounts, store: Store) -> None:
        token = await logged_in(accounts)
        again = await Accounts.load(store)
        account = again.whose(token, NOW)
        assert account == Account(name="ada", roles=("operator",), password_hash=accounts.named("ada").password_hash)
        assert PASSWORD not in account.password_hash

    @pytest.mark.parametrize(
        ("name", "password", "roles"),
        [
            ("ada", PASSWORD, ["operator"]),
            ("", PASSWORD, ["operator"]),
            (" bob", PASSWORD, ["operator"]),
            ("bo\nb", PASSWORD, ["operator"]),
            ("b" * 65, PASSWORD, ["operator"]),
            ("bob", "short", ["operator"]),
            ("bob", PASSWORD, ["king"]),
            ("bob", PASSWORD, []),
        ],
    )
    async def test_what_is_no_account(self, accounts: Accounts, name: str, password: str, roles: list[str]) -> None:
        with pytest.raises(BadInput):
            await accounts.add(name, password, roles)
        assert [each.name for each in accounts.all] == ["ada"]

    async def test_somebody_must_be_left_who_may_change_accounts(self, accounts: Accounts) -> None:
        await accounts.add("bob", PASSWORD, ["technician"])
        for change in ({"roles": ["grid"]}, {"disabled": True}):
            with pytest.raises(BadInput, match="nobody would be left"):
                await accounts.change("ada", **change)
        with pytest.raises(BadInput, match="nobody would be left"):
            await accounts.remove("ada")
        await accounts.remove("bob")
        with pytest.raises(BadInput, match="no account"):
            await accounts.remove("bob")


class TestLogin:
    async def test_a_session_ends_when_idle_too_long_or_in_any_case(self, accounts: Accounts) -> None:
        token = await logged_in(accounts)
        assert accounts.whose(token, NOW + timedelta(hours=8)) is not None
        assert accounts.whose(token, NOW + timedelta(hours=8, seconds=1)) is None
        for hour in range(0, 7 * 24 + 1, 7):
            await accounts.seen(token, NOW + timedelta(hours=hour))
        assert accounts.whose(token, NOW + timedelta(days=7)) is not None
        assert accounts.whose(token, NOW + timedelta(days=7, seconds=1)) is None
        await accounts.forget_old(NOW + timedelta(days=8))
        assert accounts.whose(token, NOW) is None

    async def test_it_ends_with_log_out_password_and_account(self, accounts: Accounts) -> None:
        await accounts.add("bob", PASSWORD, ["operator"])
        token = await logged_in(accounts)
        await accounts.log_out(token)
        assert accounts.whose(token, NOW) is None
        token = await logged_in(accounts)
        await accounts.change("ada", password=PASSWORD + "!")
        assert accounts.whose(token, NOW) is None
        token = await logged_in(accounts, "bob")
        await accounts.change("bob", disabled=True)
        assert accounts.whose(token, NOW) is None
        assert await accounts.log_in("bob", PASSWORD, "::1", NOW) is None

    async def test_the_store_holds_nothing_to_log_in_with(self, accounts: Accounts, store: Store) -> None:
        token = await logged_in(accounts)
        kept = str([await store.rows(sa.select(table)) for table in tables.metadata.sorted_tables])
        assert "ada" in kept
        assert token not in kept
        assert PASSWORD not in kept

    async def test_after_five_failures_even_the_right_password_waits(self, accounts: Accounts) -> None:
        for _ in range(5):
            assert await accounts.log_in("ada", "wrong", "1.1.1.1", NOW) is None
        assert await accounts.log_in("ada", PASSWORD, "2.2.2.2", NOW) is None
        assert await accounts.log_in("ada", PASSWORD, "2.2.2.2", NOW + timedelta(seconds=11)) is not None

    async def test_unknown_names_fail_too(self, accounts: Accounts) -> None:
        assert await accounts.log_in("eve", PASSWORD, "::1", NOW) is None
        assert accounts.whose("made up", NOW) is None

    def test_each_further_failure_doubles_the_pause(self) -> None:
        lockout = Lockout()
        for now in range(5):
            assert not lockout.is_locked("x", now)
            lockout.failed("x", now)
        assert lockout.is_locked("x", 13.9)
        assert not lockout.is_locked("x", 14.1)
        lockout.failed("x", 15)
        assert lockout.is_locked("x", 34.9)
        lockout.succeeded("x")
        assert not lockout.is_locked("x", 15)

    def test_a_login_knows_only_a_hash(self) -> None:
        assert set(Login.__dataclass_fields__) == {"token_hash", "name", "since", "seen"}


class TestTokens:
    async def test_what_is_listed_counts_without_case(self, store: Store) -> None:
        tokens = await Tokens.load(store)
        await tokens.put(Token(id_token="AbC"))
        await tokens.put(Token(id_token="old", expires_at=NOW))
        await tokens.put(Token(id_token="bad", status="Blocked", expires_at=NOW, group="G"))
        again = await Tokens.load(store)
        assert [again.status(each, NOW) for each in ("aBc", "OLD", "bad", "nobody's")] == [
            "Accepted",
            "Expired",
            "Blocked",
            None,
        ]
        await again.remove("ABC")
        assert again.status("abc", NOW) is None
        assert [each.id_token for each in again.all] == ["bad", "old"]
        with pytest.raises(BadInput):
            await again.remove("abc")

    @pytest.mark.parametrize("text", ["", " x", "x" * 256, "a\x00b"])
    async def test_what_is_no_token(self, store: Store, text: str) -> None:
        with pytest.raises(BadInput):
            await (await Tokens.load(store)).put(Token(id_token=text))

    def test_contracts_have_a_form(self) -> None:
        assert all(map(is_emaid, ("DE-8AA-CA2B3C4D5-N", "DE8AACA2B3C4D5", "de-8aa-ca2b3c4d5")))
        assert not any(map(is_emaid, ("", "DE-8AA-CA2B3C4D", "1E-8AA-CA2B3C4D5", "DE-8AA-CA2B3C4D5-NN")))


async def test_the_record_holds_who_did_what_and_what_came_of_it(store: Store) -> None:
    audit = Audit(store)
    first = await audit.begin("ada", "Reset", {"type": "Hard"}, NOW, "C1")
    second = await audit.begin("bob", "add account", {"name": "eve"}, NOW)
    await audit.end(first, "Accepted")
    entry = AuditEntry(
        audit_id=first, at=NOW, account="ada", charger_id="C1", action="Reset", payload={"type": "Hard"}, outcome="Accepted"
    )
    assert await audit.entries(charger_id="C1") == (entry,)
    assert [each.audit_id for each in await audit.entries()] == [second, first]
    assert [each.outcome for each in await audit.entries(account="bob")] == [""]
