"""Our stations, tariffs, sessions and bills as others read them by OCPI, and theirs as ours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput, Current, EvseStatus, MeterPoint, Plug, PriceBand, Session, Station, Tariff
from chargeloop.protocols.ocpi import (
    Authorised,
    Operator,
    Party,
    Spot,
    Version,
    cdr_from,
    cdr_of,
    decode,
    encode,
    id_token_of,
    location_of,
    locations,
    our_id,
    read,
    recomputed,
    session_from,
    session_of,
    sessions,
    station_from,
    statuses_from,
    tariff_from,
    tariffs,
    tariffs_of,
    token_of,
    tokens,
    wire_id,
    write,
)
from chargeloop.settlement import settle
from tests.small_city import small_city

D = Decimal
VERSIONS = (Version.V221, Version.V230)
CITY = small_city()
STATION = CITY.stations[0]
CNY = Operator(party=Party("CN", "CLP"), name="Chargeloop", country="CHN")
EUR = Operator(party=Party("DE", "CLP"), name="Chargeloop", country="DEU", vat=D(19))
NOW = datetime(2025, 6, 10, 8, 30, tzinfo=UTC)  # 16:30 in Shanghai; a dearer band begins at 17:00
RIGHT = Authorised(
    token=tokens.CdrToken(country_code="NL", party_id="TNM", uid="CARD-1", type="RFID", contract_id="NL-TNM-C12345678-X"),
    method="AUTH_REQUEST",
    reference="auth-7",
)
SPOT = Spot(
    station=STATION,
    evse=STATION.evses[0],
    connector=STATION.evses[0].connectors[0],
    place=CITY.sites[0].place,
    city="Smallville",
)


def over_the_wire(thing: Any, version: Version) -> Any:
    """What the other side makes of it, from bytes on."""
    return read(type(thing), decode(encode(write(thing, version))), version)


def charged(minutes: float, kwh: float, idle_min: float = 0, start: datetime = NOW) -> tuple[Session, list[MeterPoint]]:
    charge_ended = start + timedelta(minutes=minutes)
    ended = charge_ended + timedelta(minutes=idle_min)
    session = Session("S-1", "S0-01", "S0", "CARD-1", start, kwh, charge_ended if idle_min else None, ended)
    return session, [MeterPoint(start, 0.0), MeterPoint(charge_ended, kwh), MeterPoint(ended, kwh)]


def bill(tariff: Tariff, session: Session, points: list[MeterPoint], operator: Operator, version: Version) -> sessions.Cdr:
    cdr = settle(session, tariff, points, [0.5] * 24)
    return over_the_wire(cdr_of(operator, cdr, SPOT, tariff, points, RIGHT, version, NOW), version)  # type: ignore[no-any-return]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_station_is_a_location(version: Version) -> None:
    busy = {"S0-01": EvseStatus.CHARGING, "S0-02": EvseStatus.FAULTED}
    later = NOW + timedelta(hours=1)
    location = over_the_wire(location_of(CNY, CITY, STATION, busy, {"S0-02": later}, NOW), version)
    assert (location.id, location.country_code, location.party_id, location.country) == ("S0", "CN", "CLP", "CHN")
    assert [each.status for each in location.evses] == ["CHARGING", "OUTOFORDER", *["UNKNOWN"] * 4]
    assert location.evses[0].evse_id == "CN*CLP*ES001"
    dc, ac = location.evses[0].connectors[0], location.evses[-1].connectors[0]
    assert (dc.standard, dc.power_type, dc.max_electric_power, dc.max_voltage) == ("GBT_DC", "DC", 60_000, 1000)
    assert (ac.standard, ac.power_type, ac.max_amperage, ac.tariff_ids) == ("GBT_AC", "AC_1_PHASE", 31, ("day",))
    assert location.last_updated == later == location.evses[1].last_updated
    assert location.opening_times.twentyfourseven


def test_opening_hours() -> None:
    by_day = location_of(CNY, CITY, _with_hours(6, 22), {}, {}, NOW).opening_times
    over_midnight = location_of(CNY, CITY, _with_hours(18, 2), {}, {}, NOW).opening_times
    assert by_day is not None
    assert over_midnight is not None
    assert {(each.period_begin, each.period_end) for each in by_day.regular_hours} == {("06:00", "22:00")}
    assert len(by_day.regular_hours) == 7
    assert {(each.period_begin, each.period_end) for each in over_midnight.regular_hours} == {
        ("00:00", "02:00"),
        ("18:00", "23:59"),
    }


def _with_hours(opens_h: float, closes_h: float) -> Station:
    return replace(STATION, opens_h=opens_h, closes_h=closes_h)


def test_a_location_comes_back_as_the_station_it_was() -> None:
    location = over_the_wire(location_of(CNY, CITY, STATION, {"S0-01": EvseStatus.RESERVED}, {}, NOW), Version.V230)
    station, place = station_from(location, "site-0")
    assert (station.station_id, station.operator_id, station.tariff_id) == ("CN*CLP*S0", "CN*CLP", "CN*CLP*day")
    assert [(each.current, each.power_kw) for each in station.evses] == [
        (each.current, each.power_kw) for each in STATION.evses
    ]
    assert {each.connectors[0].plug for each in station.evses} == {Plug.GBT_AC, Plug.GBT_DC}
    assert (place.lon, place.lat) == pytest.approx((CITY.sites[0].place.lon, CITY.sites[0].place.lat), abs=1e-6)
    assert statuses_from(location)["CN*CLP*S0-01"] is EvseStatus.RESERVED


def test_a_location_without_a_known_plug_is_none_of_ours() -> None:
    location = location_of(CNY, CITY, STATION, {}, {}, NOW)
    data = decode(encode(write(location, Version.V230)))
    for evse in data["evses"]:
        evse["connectors"][0]["standard"] = "CHADEMO"
    with pytest.raises(BadInput, match="no bay"):
        station_from(read(locations.Location, data, Version.V230), "site-0")


def test_power_where_only_volts_and_amperes_are_told() -> None:
    data = decode(encode(write(location_of(CNY, CITY, STATION, {}, {}, NOW), Version.V221)))
    data["evses"][0]["connectors"][0] |= {
        "standard": "IEC_62196_T2",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
    }
    del data["evses"][0]["connectors"][0]["max_electric_power"]
    station, _ = station_from(read(locations.Location, data, Version.V221), "site-0")
    assert station.evses[0].power_kw == pytest.approx(22.08)
    assert station.evses[0].current is Current.AC


def test_long_and_foreign_identifiers_fit_and_stay_apart() -> None:
    long = ["电站" + "x" * 60 + str(n) for n in range(50)]
    made = [wire_id(each) for each in long]
    assert len(set(made)) == 50
    assert all(len(each) <= 36 and each.isascii() for each in made)
    assert wire_id("S1001") == "S1001"
    assert id_token_of("CARD-1") == "CARD-1"
    assert len(id_token_of("NL-TNM-C12345678-X-and-more")) == 20


@pytest.mark.parametrize("version", VERSIONS)
def test_a_tariff_of_ours(version: Version) -> None:
    main, free = (over_the_wire(each, version) for each in tariffs_of(EUR, CITY.tariffs[0], version, NOW))
    assert [(each.restrictions.start_time, each.restrictions.end_time) for each in main.elements[:-1]] == [
        ("00:00", "08:00"),
        ("08:00", "17:00"),
        ("17:00", "21:00"),
        ("21:00", "00:00"),
    ]
    peak = main.elements[2].price_components[0]
    assert peak.vat == 19
    assert peak.price == {Version.V221: D("1.344538"), Version.V230: D("1.60")}[version]  # of 1.60 with tax
    assert main.elements[-1].price_components[0].type == tariffs.PARKING_TIME
    assert free.elements[0].price_components[0].type == tariffs.FLAT
    assert main.tax_included == {Version.V221: None, Version.V230: "YES"}[version]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_tariff_comes_back_with_the_same_prices(version: Version) -> None:
    ours = CITY.tariffs[0]
    back = tariff_from(over_the_wire(tariffs_of(EUR, ours, version, NOW)[0], version), ours.time_zone)
    assert [(each.start_h, each.end_h) for each in back.bands] == [(each.start_h, each.end_h) for each in ours.bands]
    for theirs, band in zip(back.bands, ours.bands, strict=True):
        assert theirs.energy_per_kwh == pytest.approx(band.energy_per_kwh + band.service_per_kwh, abs=D("1e-5"))
    assert back.idle_per_min == pytest.approx(ours.idle_per_min, abs=D("1e-5"))


@pytest.mark.parametrize(
    "element",
    [
        {"price_components": [{"type": "TIME", "price": D(1), "step_size": 1}]},
        {"price_components": [{"type": "ENERGY", "price": D(1), "step_size": 1}], "restrictions": {"min_power": D(50)}},
        {"price_components": [{"type": "ENERGY", "price": D(1), "step_size": 1}], "restrictions": {"start_time": "08:30"}},
    ],
)
def test_a_tariff_that_says_more_than_ours_can_is_refused(element: Any) -> None:
    data = write(tariffs_of(CNY, CITY.tariffs[0], Version.V221, NOW)[0], Version.V221) | {"elements": [element]}
    with pytest.raises(BadInput, match="tariff CN"):
        tariff_from(read(tariffs.Tariff, data, Version.V221), "UTC")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bill_with_two_prices_and_an_idle_fee(version: Version) -> None:
    session, points = charged(minutes=60, kwh=30.0, idle_min=25.5)
    cdr = bill(CITY.tariffs[0], session, points, CNY, version)
    volumes = [{each.type: each.volume for each in period.dimensions} for period in cdr.charging_periods]
    assert volumes[:2] == [{"ENERGY": 15, "TIME": D("0.5")}, {"ENERGY": 15, "TIME": D("0.5")}]  # until 17:00, and from then on
    assert [(each.tariff_id, each.volume("PARKING_TIME")) for each in cdr.charging_periods[2:]] == [
        ("day-FREE", D("0.25")),
        ("day", D("0.166667")),  # ten of ten and a half minutes
        ("day-FREE", D("0.008333")),
    ]
    assert cdr.total_cost.after == D("15.00") + D("24.00") + D("5.00")  # 15 kWh at 1.00, at 1.60; 10 min at 0.50
    assert (cdr.total_energy, cdr.total_time) == (D(30), D("1.425"))
    assert cdr.charging_time == 1
    assert cdr.total_parking_cost is not None
    assert cdr.total_parking_cost.after == 5
    assert recomputed(cdr, CITY.time_zone, version).total == (D("44.00"), D("44.00"))
    assert (cdr.authorization_reference, cdr.auth_method) == ("auth-7", "AUTH_REQUEST")
    assert cdr.cdr_location.evse_id == "CN*CLP*ES001"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bill_with_tax_and_a_capped_idle_fee(version: Version) -> None:
    session, points = charged(minutes=30, kwh=10.0, idle_min=600)
    cdr = bill(CITY.tariffs[0], session, points, EUR, version)
    assert cdr.total_cost.after == D("60.00")  # 10 kWh at 1.00, and idling for no more than 50
    assert cdr.total_cost.before == D("50.42")
    assert recomputed(cdr, CITY.time_zone, version).total.after == D("60.00")
    assert sum(each.volume("PARKING_TIME") for each in cdr.charging_periods) == 10


bands = st.builds(
    lambda edges, prices: tuple(
        PriceBand(start, end, prices[start], prices[24 + start])
        for start, end in zip([0, *sorted(edges)], [*sorted(edges), 24], strict=True)
    ),
    st.sets(st.integers(1, 23), max_size=4),
    st.lists(st.decimals(0, 3, places=4), min_size=48, max_size=48),
)


@given(
    bands,
    st.sampled_from([CNY, EUR]),
    st.sampled_from(VERSIONS),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin"]),
    st.integers(0, 400 * 24 * 60),
    st.integers(1, 3000),
    st.floats(0, 200),
    st.integers(0, 200),
)
def test_any_bill_is_ours_to_the_cent_and_can_be_checked(
    prices: tuple[PriceBand, ...],
    operator: Operator,
    version: Version,
    zone: str,
    begin_min: int,
    minutes: int,
    kwh: float,
    idle_min: int,
) -> None:
    tariff = Tariff("t", "CNY", zone, prices, D("0.35"), 15, D(20))
    session, points = charged(minutes, kwh, idle_min, datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=begin_min))
    ours = settle(session, tariff, points, [0.5] * 24)
    cdr = over_the_wire(cdr_of(operator, ours, SPOT, tariff, points, RIGHT, version, NOW), version)
    assert cdr.total_cost.after == ours.amount
    again = recomputed(cdr, zone, version).total.after
    assert again is not None
    assert abs(again - ours.amount) <= D("0.01")  # they round the sum, we each line
    assert cdr_from(cdr).amount == ours.amount


@pytest.mark.parametrize("version", VERSIONS)
def test_a_running_session(version: Version) -> None:
    running = Session("S-1", "S0-01", "S0", "CARD-1", NOW, 12.5)
    points = [MeterPoint(NOW, 0.0), MeterPoint(NOW + timedelta(minutes=30), 12.5)]
    at = NOW + timedelta(minutes=30)
    sent = session_of(CNY, running, SPOT, CITY.tariffs[0], points, RIGHT, version, at, D("12.50"))
    session = over_the_wire(sent, version)
    assert (session.status, session.kwh, session.end_date_time) == ("ACTIVE", D("12.5"), None)
    assert session.total_cost.after == D("12.50")
    assert session.charging_periods[0].volume("ENERGY") == D("12.5")  # kWh, whatever the samples of the standard show
    back = session_from(session)
    assert (back.session_id, back.evse_id, back.energy_kwh) == ("CN*CLP*S-1", "CN*CLP*S0-01", 12.5)
    unpriced = over_the_wire(session_of(CNY, running, SPOT, CITY.tariffs[0], points, RIGHT, version, at), version)
    assert unpriced.total_cost is None  # not known, which is not free


def test_tokens_of_apps_are_always_asked_for() -> None:
    card = token_of(CNY.party, "Chargeloop", "CARD-1", "CN-CLP-C00000001", NOW)
    app = token_of(CNY.party, "Chargeloop", "APP-1", "CN-CLP-C00000001", NOW, kind="APP_USER")
    assert (card.whitelist, app.whitelist) == ("ALLOWED_OFFLINE", "NEVER")
    assert our_id(card, card.uid) == "CN*CLP*CARD-1"
