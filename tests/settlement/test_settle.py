"""CDR and bill."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput, MeterPoint, PriceBand, Session, Tariff
from chargeloop.pricing import price
from chargeloop.settlement import Bill, bill, settle

NOON = datetime(2025, 6, 10, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
FLAT = Tariff("flat", "CNY", "Asia/Shanghai", (PriceBand(0, 24, Decimal("0.80"), Decimal("0.40")),), Decimal("0.5"))
CO2 = [0.6] * 12 + [0.5] + [0.4] * 11


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def session(key: str = "s1", token: str = "T1") -> Session:
    return Session(key, "E1", "S1", token, NOON, 10.0, charge_ended_at=after(60), ended_at=after(90))


POINTS = (MeterPoint(NOON, 0.0), MeterPoint(after(30), 5.0), MeterPoint(after(60), 10.0), MeterPoint(after(90), 10.0))


def test_a_cdr_has_the_price_of_its_facts() -> None:
    cdr = settle(session(), FLAT, POINTS, CO2)
    assert cdr.cdr_id == "CDR-s1"
    assert cdr.amount == price(FLAT, POINTS, after(60), after(90)).amount == Decimal("19.50")
    assert {line.dimension for line in cdr.lines} == {"energy", "service", "idle"}
    assert cdr.kg_co2 == pytest.approx(10 * 0.5)
    assert settle(session(), FLAT, POINTS, CO2) == cdr


def test_what_cannot_be_settled_is_refused() -> None:
    with pytest.raises(BadInput, match="has not ended"):
        settle(replace(session(), ended_at=None), FLAT, POINTS, CO2)
    with pytest.raises(BadInput, match="run back"):
        settle(session(), FLAT, POINTS[::-1], CO2)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=10))
def test_a_bill_is_the_sum_of_its_cdrs(minutes: list[int]) -> None:
    cdrs = []
    for i, length in enumerate(minutes):
        points = (MeterPoint(NOON, 0.0), MeterPoint(after(length), length / 7))
        ended = replace(session(f"s{i}"), charge_ended_at=None, ended_at=after(length))
        cdrs.append(settle(ended, FLAT, points, CO2))
    owed = bill("T1", cdrs)
    assert isinstance(owed, Bill)
    assert owed.total == sum(each.amount for each in cdrs)
    assert owed.cdrs == tuple(cdrs)


def test_a_bill_holds_each_of_the_users_own_cdrs_once() -> None:
    mine = settle(session(), FLAT, POINTS, CO2)
    other = settle(session("s2", "T2"), FLAT, POINTS, CO2)
    euro = settle(session("s3"), replace(FLAT, currency="EUR"), POINTS, CO2)
    with pytest.raises(BadInput, match="belongs to T2"):
        bill("T1", [mine, other])
    with pytest.raises(BadInput, match="twice"):
        bill("T1", [mine, mine])
    with pytest.raises(BadInput, match="currencies"):
        bill("T1", [mine, euro])
    with pytest.raises(BadInput, match="no CDR"):
        bill("T1", [])
