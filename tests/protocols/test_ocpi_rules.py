"""Rules of OCPI that hold for every module: times, pages, PATCH, parts of locations, routing headers, paths."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.protocols.ocpi import (
    Amount,
    BusinessDetails,
    DisplayText,
    Image,
    Interface,
    Object,
    Owned,
    Party,
    Refused,
    Status,
    TaxAmount,
    Version,
    Window,
    is_older,
    is_success,
    lifted,
    next_url,
    page_headers,
    page_of,
    part_of,
    patched,
    path_parts,
    read,
    read_headers,
    read_time,
    read_window,
    with_part,
    write,
    write_time,
)

NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)
OLD, NEW = "2026-11-29T20:00:00Z", "2026-11-29T21:00:00Z"
LOCATION: dict[str, Any] = {
    "id": "L1",
    "last_updated": OLD,
    "evses": [{"uid": "E1", "last_updated": OLD, "connectors": [{"id": "1", "last_updated": OLD}]}],
}


class Dated(NamedTuple):
    last_updated: datetime


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year >= 1000))
def test_a_time_comes_back_to_a_tenth_of_a_millisecond(at: datetime) -> None:
    text = write_time(at)
    assert len(text) <= 25
    assert text.endswith("Z")
    assert abs(read_time(text) - at) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text", ["2026-11-29T20:00:00+00:00", "2026-11-29", "20:00", "2026-11-29T20:00:00.0000001Z", "2026-13-01T00:00:00Z"]
)
def test_a_time_with_an_offset_or_too_long_or_none_at_all(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_time(text)


def test_a_time_without_a_suffix_is_utc() -> None:
    assert read_time("2026-11-29T20:00:00") == NOW


@given(st.integers(0, 40), st.integers(1, 9))
def test_all_pages_together_are_the_list(count: int, limit: int) -> None:
    things = [Dated(NOW + timedelta(minutes=n)) for n in range(count)]
    url: str | None = "https://cpo.example/sessions?offset=0"
    seen: list[Dated] = []
    while url is not None:
        query = dict(pair.split("=") for pair in url.partition("?")[2].split("&"))
        window = read_window({**query, "limit": str(limit)})
        items, total = page_of(things, window)
        seen += items
        headers = page_headers("https://cpo.example/sessions", window, len(items), total, limit)
        assert (headers["X-Total-Count"], headers["X-Limit"]) == (str(count), str(limit))
        url = next_url(headers.get("Link"))
    assert seen == things


def test_a_window_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    window = read_window({"date_from": OLD, "date_to": NEW})
    assert [window.holds(each) for each in (read_time(OLD), read_time(NEW))] == [True, False]
    assert page_of([Dated(read_time(OLD)), Dated(read_time(NEW))], window).total == 1


@pytest.mark.parametrize("query", [{"offset": "-1"}, {"limit": "0"}, {"limit": "many"}, {"date_from": "yesterday"}])
def test_a_window_that_is_none(query: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        read_window(query)
    assert refused.value.status == Status.BAD_PARAMETERS


def test_sessions_need_a_beginning() -> None:
    with pytest.raises(Refused, match="date_from"):
        read_window({}, needs_from=True)
    assert read_window({}) == Window()


def test_a_link_that_is_not_the_next_page() -> None:
    assert next_url('<https://a.example>; rel="prev"') is None
    assert next_url(None) is None


def test_a_patch_changes_what_it_names_and_twice_is_once() -> None:
    once = patched({**LOCATION, "name": "A", "unknown": 1}, {"name": "B", "last_updated": NEW})
    assert (once["name"], once["unknown"], once["last_updated"]) == ("B", 1, NEW)
    assert patched(once, {"name": "B", "last_updated": NEW}) == once
    longer = patched({"periods": [1], "last_updated": OLD}, {"periods": [1, 2], "last_updated": NEW}, "periods")
    assert longer["periods"] == [1, 2]


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({"name": "B"}, Status.BAD_PARAMETERS),
        ({"name": "B", "last_updated": None}, Status.BAD_PARAMETERS),
        ({"name": "B", "last_updated": "yesterday"}, Status.BAD_PARAMETERS),
        ({"name": None, "last_updated": NEW}, Status.BAD_PARAMETERS),
        ({"name": "B", "last_updated": "2026-11-29T19:00:00Z"}, Status.CLIENT_ERROR),
    ],
)
def test_a_patch_that_is_refused(patch: dict[str, Any], status: Status) -> None:
    with pytest.raises(Refused) as refused:
        patched(LOCATION, patch)
    assert refused.value.status == status


def test_a_connector_lifts_its_evse_and_its_location() -> None:
    changed = with_part(LOCATION, {"id": "1", "power": 50, "last_updated": NEW}, "E1", "1")
    assert part_of(changed, "e1", "1") == {"id": "1", "power": 50, "last_updated": NEW}  # ids do not mind the case
    assert [changed["last_updated"], changed["evses"][0]["last_updated"]] == [NEW, NEW]
    assert lifted(changed) == changed
    assert is_older(LOCATION, changed)
    assert part_of(changed, "E2", None) is None
    with pytest.raises(Refused, match="E2"):
        with_part(LOCATION, {"id": "1", "last_updated": NEW}, "E2", "1")


def test_routing_headers_come_in_twos() -> None:
    found = read_headers({"x-request-id": "r", "ocpi-to-country-code": "CN", "ocpi-to-party-id": "CPO"})
    assert (found.to, found.sender) == (Party("CN", "CPO"), None)
    assert found.answered_by(None).sender == Party("CN", "CPO")
    with pytest.raises(Refused, match="from"):
        read_headers({"ocpi-from-country-code": "CN"})


def test_parts_of_a_path_are_decoded_each() -> None:
    assert path_parts("/CN/CPO/a%2Fb/") == ("CN", "CPO", "a/b")
    assert path_parts("/") == ()


def test_only_the_first_thousand_are_good() -> None:
    assert [is_success(each) for each in (1000, 1999, 2000, 3001, 4003)] == [True, True, False, False, False]
    assert [each.value for each in Interface] == ["SENDER", "RECEIVER"]


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (DisplayText, {"language": "zh", "text": "莲花山"}),
        (Image, {"url": "https://a.example/i.png", "category": "OPERATOR", "type": "png", "width": 64}),
        (BusinessDetails, {"name": "A", "website": "https://a.example", "founded": 1999}),
        (TaxAmount, {"name": "VAT", "amount": Decimal("1.3")}),
    ],
)
def test_small_objects_come_back_with_what_is_not_known(version: Version, kind: type[Object], data: dict[str, Any]) -> None:
    assert write(read(kind, data, version), version) == data
    first = next(iter(data))
    with pytest.raises(Refused, match=first) as refused:
        read(kind, {**data, first: ["no text"]}, version)
    assert refused.value.status == Status.BAD_PARAMETERS


def test_what_is_owned_names_its_party() -> None:
    owned = read(Owned, {"country_code": "CN", "party_id": "CPO", "last_updated": OLD}, Version.V221)
    assert (owned.country_code, owned.party_id) == ("CN", "CPO")
    assert Amount(Decimal(1), None).after is None
