"""Lists of tokens in each version's words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.protocols.ocpp import (
    Listed,
    Version,
    check,
    differential_update,
    digest,
    fitting,
    full_update,
    list_version,
    token_type,
)

LATER = datetime(2026, 1, 1, tzinfo=UTC)
TOKENS = st.text("ABCdef0123", min_size=1, max_size=40)
LISTS = st.lists(
    st.builds(Listed, TOKENS, st.sampled_from(["Accepted", "Blocked"]), st.none() | st.just(LATER), st.none() | TOKENS)
)


def applied(version: Version, held: dict[str, object], updates: list[dict[str, object]]) -> dict[str, object]:
    """What a station makes of them."""
    for update in updates:
        check(version, "SendLocalList", update)
        if update["updateType"] == "Full":
            held = {}
        for entry in update.get("localAuthorizationList", []):  # type: ignore[attr-defined]
            token = entry["idTag"] if version is Version.V16 else entry["idToken"]["idToken"]
            info = entry.get("idTagInfo", entry.get("idTokenInfo"))
            held = {key: each for key, each in held.items() if key != token.casefold()}
            held |= {token.casefold(): info} if info is not None else {}
    return held


@given(LISTS, LISTS, st.sampled_from(Version), st.integers(1, 5))
def test_changes_lead_to_the_same_list_as_all_of_it(
    before: list[Listed], after: list[Listed], version: Version, chunk: int
) -> None:
    old, new = fitting(version, before), fitting(version, after)
    held = applied(version, {}, full_update(version, 1, old, chunk))
    changes = differential_update(version, 9, old, new, chunk)
    assert applied(version, held, changes) == applied(version, held, full_update(version, 1, new, chunk))
    assert all(len(each["localAuthorizationList"]) <= chunk for each in changes)
    numbers = [each.get("listVersion", each.get("versionNumber")) for each in changes]
    assert numbers == list(range(9, 9 + len(changes)))


def test_what_does_not_fit_is_left_out() -> None:
    entries = [Listed("x" * 21, "Accepted"), Listed("T1", "Accepted", group="g" * 30)]
    assert list(fitting(Version.V16, entries).values()) == [Listed("T1", "Accepted")]
    assert len(fitting(Version.V201, entries)) == 2


def test_an_empty_list_clears() -> None:
    assert full_update(Version.V16, 3, {}, 10) == [{"listVersion": 3, "updateType": "Full"}]
    assert list_version(Version.V21, {"versionNumber": 4}) == 4


def test_the_same_list_is_the_same_in_any_order_and_zone() -> None:
    there = LATER.astimezone(timezone(timedelta(hours=8)))
    one = fitting(Version.V16, [Listed("A", "Accepted", LATER), Listed("B", "Blocked")])
    assert digest(one) == digest(fitting(Version.V16, [Listed("B", "Blocked"), Listed("A", "Accepted", there)]))
    assert digest(one) != digest(fitting(Version.V16, [Listed("A", "Accepted", LATER)]))


@pytest.mark.parametrize(
    ("token", "kind"), [("04A1B2C3", "ISO14443"), ("DE-8AA-C12345678-X", "eMAID"), ("driver 7", "Central"), ("123", "Central")]
)
def test_types_by_form(token: str, kind: str) -> None:
    assert token_type(token) == kind
