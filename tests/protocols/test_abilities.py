"""The loop's limits in the terms of stations that take fewer, or others."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import SetChargingProfile
from chargeloop.protocols.ocpp import Abilities, Version, call_of, check, rate_unit

AT = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)


def command(*kw: float) -> SetChargingProfile:
    return SetChargingProfile(at=AT, evse_id="E1", session_id="ocpp-1", start=AT, step_s=900, limits_kw=kw)


@pytest.mark.parametrize(
    ("named", "unit"),
    [(["Current"], "A"), (["Current", "Power"], "W"), (["A"], "A"), (["A", " W"], "W"), (["kW"], None), ([], None)],
)
def test_the_unit_of_those_that_are_named(named: list[str], unit: str | None) -> None:
    assert rate_unit(named) == unit


def test_amperes_are_of_three_phases_and_never_above_the_limit() -> None:
    _, payload = call_of(Version.V16, command(11.0, 6.9, 0.0), 1, "7", Abilities("A"))
    schedule = payload["csChargingProfiles"]["chargingSchedule"]
    assert schedule["chargingRateUnit"] == "A"
    assert schedule["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 15.9, "numberPhases": 3},
        {"startPeriod": 900, "limit": 10.0, "numberPhases": 3},
        {"startPeriod": 1800, "limit": 0.0, "numberPhases": 3},
    ]


def test_fewer_periods_end_with_the_lowest_of_the_rest() -> None:
    _, payload = call_of(Version.V201, command(11, 7, 3, 9), 1, "x", Abilities(max_periods=2))
    (schedule,) = payload["chargingProfile"]["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 11000.0}, {"startPeriod": 900, "limit": 3000.0}]


@given(
    st.lists(st.floats(0, 1000), min_size=1, max_size=96),
    st.sampled_from(Version),
    st.sampled_from(["W", "A"]),
    st.none() | st.integers(1, 24),
)
def test_every_profile_fits_its_schema_and_allows_no_more(
    kw: list[float], version: Version, unit: str, most: int | None
) -> None:
    action, payload = call_of(version, command(*kw), 1, "7", Abilities(unit, most))  # type: ignore[arg-type]
    check(version, action, payload)
    schedule = payload.get("csChargingProfiles", payload.get("chargingProfile"))["chargingSchedule"]  # type: ignore[index]
    periods = (schedule[0] if isinstance(schedule, list) else schedule)["chargingSchedulePeriod"]
    assert len(periods) <= (most or 96)
    in_kw = 0.69 if unit == "A" else 0.001
    for i, allowed in enumerate(kw):
        running = [each for each in periods if each["startPeriod"] <= i * 900][-1]
        assert running["limit"] * in_kw <= allowed + 1e-6
