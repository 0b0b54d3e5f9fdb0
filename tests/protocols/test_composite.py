"""Composite schedules: worked examples, and the rules one by one. Monday 2027-03-01, 230 V, AC, unless told otherwise."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargeloop.protocols.ocpp.smart import (
    Composite,
    Conversion,
    Installed,
    Mode,
    Options,
    Period,
    Running,
    State,
    Station,
    Unit,
    composite,
    frequency_setpoint_w,
    load_balancing_delta_w,
    read_profile,
)

MONDAY = datetime(2027, 3, 1, tzinfo=UTC)
MAX, DEFAULT, TX = "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
ALONE, CHARGING, USUAL = Station(), State({1: Running()}), Options()
EXTERNAL, PRIORITY, GENERATION = "ChargingStationExternalConstraints", "PriorityCharging", "LocalGeneration"


def at(clock: str, day: datetime = MONDAY) -> datetime:
    hours, minutes, seconds = (*map(int, clock.split(":")), 0)[:3]
    return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def installed(
    purpose: str,
    *periods: tuple[int, float] | dict[str, Any],
    evse: int = 0,
    level: int = 0,
    kind: str = "Absolute",
    start: str | datetime = "00:00",
    unit: Unit = "A",
    duration: int | None = None,
    phases: int | None = None,
    schedule: dict[str, Any] | None = None,
    **profile: Any,
) -> Installed:
    """A profile as 2.x tells it. Periods are start and limit, or members of a period."""
    wire_periods = [each if isinstance(each, dict) else {"startPeriod": each[0], "limit": each[1]} for each in periods]
    by_phase = {} if phases is None else {"numberPhases": phases}
    begin = at(start) if isinstance(start, str) else start
    wire_schedule: dict[str, Any] = {
        "id": 1,
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{**each, **by_phase} for each in wire_periods],
        "duration": duration,
        "startSchedule": None if kind in ("Relative", "Dynamic") else begin.isoformat(),
        **(schedule or {}),
    }
    payload = {
        "id": 1,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [wire_schedule],
        **profile,
    }
    return Installed(evse, read_profile(payload, "ocpp2.1"))


def ask(
    profiles: Sequence[Installed],
    start: str | datetime,
    duration_s: int,
    unit: Unit = "A",
    evse: int = 1,
    station: Station = ALONE,
    state: State = CHARGING,
    options: Options = USUAL,
) -> Composite:
    begin = at(start) if isinstance(start, str) else start
    return composite(
        profiles, evse=evse, start=begin, duration_s=duration_s, unit=unit, station=station, state=state, options=options
    )


def limits(answer: Composite) -> dict[int, float | None]:
    return {each.start_s: None if each.limit is None else round(each.limit[0], 2) for each in answer.periods}


class TestWorkedExamples:
    def test_1_a_higher_level_leads_for_its_duration(self) -> None:
        profiles = [installed(DEFAULT, (0, 32)), installed(DEFAULT, (0, 16), (600, 10), level=2, start="12:00", duration=1800)]
        assert limits(ask(profiles, "11:50", 3600)) == {0: 32, 600: 16, 1200: 10, 2400: 32}

    def test_2_the_transaction_goes_over_the_default_and_the_maximum_caps(self) -> None:
        profiles = [
            installed(MAX, (0, 20)),
            installed(DEFAULT, (0, 10), level=5),
            installed(TX, (0, 25), evse=1, start="12:10", duration=1200),
        ]
        assert limits(ask(profiles, "12:00", 2400)) == {0: 10, 600: 20, 1800: 10}

    def test_3_daily_over_midnight(self) -> None:
        daily: dict[str, Any] = {"kind": "Recurring", "recurrencyKind": "Daily", "start": datetime(2027, 1, 1, 22, tzinfo=UTC)}
        profiles = [installed(DEFAULT, (0, 7), (7200, 13), level=1, duration=28800, **daily), installed(DEFAULT, (0, 24))]
        assert limits(ask(profiles, "23:30", 25200)) == {0: 7, 1800: 13, 23400: 24}

    def test_4_weekly_cut_by_the_end_of_validity(self) -> None:
        weekly: dict[str, Any] = {
            "kind": "Recurring",
            "recurrencyKind": "Weekly",
            "start": datetime(2027, 2, 27, 8, tzinfo=UTC),
        }
        profiles = [
            installed(DEFAULT, (0, 6), level=3, duration=36000, validTo="2027-03-06T12:00:00Z", **weekly),
            installed(DEFAULT, (0, 16)),
        ]
        assert limits(ask(profiles, datetime(2027, 3, 6, 7, 30, tzinfo=UTC), 18000)) == {0: 16, 1800: 6, 16200: 16}

    def test_5_relative_within_the_session(self) -> None:
        profiles = [
            installed(TX, (0, 16), (900, 8), (2700, 12), evse=1, kind="Relative", duration=3600),
            installed(DEFAULT, (0, 20)),
        ]
        state = State({1: Running(anchor=at("09:07:30"))})
        assert limits(ask(profiles, "09:30", 3600, state=state)) == {0: 8, 1350: 12, 2250: 20}

    @pytest.mark.parametrize(("unit", "expected"), [("W", {0: 8280, 900: 11000}), ("A", {0: 12, 900: 15.94})])
    def test_6_mixed_units(self, unit: Unit, expected: dict[int, float]) -> None:
        profiles = [installed(MAX, (0, 11000), unit="W"), installed(DEFAULT, (0, 12), (900, 20), start="10:00")]
        assert limits(ask(profiles, "10:00", 1800, unit)) == expected

    @pytest.mark.parametrize(("conversion", "limit"), [(Conversion.SAFE, 14), (Conversion.MERGED, 20), (Conversion.TOTALS, 20)])
    def test_7_the_phase_trap(self, conversion: Conversion, limit: float) -> None:
        profiles = [installed(MAX, (0, 9660), unit="W", phases=3), installed(TX, (0, 20), evse=1, phases=1)]
        answer = ask(profiles, "12:00", 60, options=Options(conversion))
        assert limits(answer) == {0: limit}
        assert answer.periods[0].number_phases == 1
        assert limits(ask(profiles, "12:00", 60, "W", options=Options(conversion))) == {0: 4600}

    def test_8_the_station_is_the_sum_of_its_evses(self) -> None:
        profiles = [
            installed(MAX, (0, 40)),
            installed(DEFAULT, (0, 16)),
            installed(TX, (0, 6), evse=2, start="12:00", duration=900),
        ]
        state = State({2: Running()})
        assert limits(ask(profiles, "12:00", 1800, evse=0, station=Station(evses=(1, 2, 3)), state=state)) == {0: 38, 900: 40}

    def test_9_external_constraints(self) -> None:
        profiles = [
            installed(MAX, (0, 22000), unit="W"),
            installed(EXTERNAL, (0, 8000), unit="W", start="12:15", duration=1800),
            installed(TX, (0, 11000), evse=1, kind="Relative", unit="W"),
        ]
        assert limits(ask(profiles, "12:00", 3600, "W")) == {0: 11000, 900: 8000, 2700: 11000}

    @pytest.mark.parametrize("evse", [0, 1])
    def test_10_local_generation_is_added_to_the_lowest(self, evse: int) -> None:
        profiles = [
            installed(MAX, (0, 7000), unit="W"),
            installed(DEFAULT, (0, 6000), unit="W"),
            installed(GENERATION, (0, 2500), unit="W", start="12:10", duration=1800),
        ]
        assert limits(ask(profiles, "12:00", 3600, "W", evse)) == {0: 6000, 600: 8500, 2400: 6000}

    def test_11_setpoints_and_priority(self) -> None:
        profiles = [
            installed(TX, {"startPeriod": 0, "setpoint": -4000, "operationMode": "CentralSetpoint"}, evse=1, unit="W"),
            installed(
                EXTERNAL,
                {"startPeriod": 0, "limit": 5000, "dischargeLimit": -3000, "operationMode": "ExternalLimits"},
                unit="W",
            ),
            installed(MAX, (0, 9200), unit="W"),
            installed(PRIORITY, (0, 11000), unit="W"),
        ]
        first, second = ask(profiles, "12:00", 1200, "W", state=State({1: Running(priority_since=at("12:10"))})).periods
        assert (first.start_s, first.mode, first.setpoint) == (0, Mode.CENTRAL_SETPOINT, (-3000,))
        assert (first.limit, first.discharge_limit) == ((5000,), (-3000,))
        assert second == Period(600, limit=(5000,), number_phases=3)
        assert second.mode is Mode.CHARGING_ONLY

    def test_12_dynamic_profiles_expire_until_updated(self) -> None:
        dynamic = installed(TX, (0, 7000), evse=1, level=3, kind="Dynamic", unit="W", duration=60, dynUpdateTime=at("12:00"))
        profiles = [dynamic, installed(DEFAULT, (0, 3000), unit="W")]
        assert limits(ask(profiles, "12:00", 300, "W")) == {0: 7000, 60: 3000}

    def test_13_local_frequency(self) -> None:
        period = Period(
            baseline_w=1000,
            frequency_curve=((49.8, -6000), (49.98, 0), (50.02, 0), (50.2, 6000)),
            signal_curve=((1, 500),),
            mode=Mode.LOCAL_FREQUENCY,
        )
        assert frequency_setpoint_w(period, 49.92) == pytest.approx(-1000)
        assert frequency_setpoint_w(period, 50.05, signal=1) == pytest.approx(2500)


@pytest.mark.parametrize(("load_w", "delta_w"), [(9000, -1500), (8000, 0), (5000, 0), (2000, 0), (1500, 700)])
def test_load_balancing_leads_back_between_the_thresholds(load_w: float, delta_w: float) -> None:
    assert load_balancing_delta_w(load_w, 8000, -500, 2000, 200) == delta_w
