"""The sixteen interfaces and the dialects of partners."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chargeloop.model import EvseStatus, Plug, StopReason
from chargeloop.protocols.tcec102 import (
    BEIJING,
    CORRECTED,
    DIALECTS,
    INTERFACES,
    PLUG_FROM_WIRE,
    PLUG_ON_WIRE,
    STANDARD,
    STATUS_FROM_WIRE,
    STATUS_ON_WIRE,
    STOP_REASON_ON_WIRE,
    AesHmacMd5,
    ConnectorStatus,
    ConnectorType,
    Dialect,
    Interface,
    Refused,
    Ret,
    TokenFail,
    messages,
    open_request,
    read,
    seal_request,
)
from chargeloop.protocols.tcec102.messages import Message

KEY = "1234567890abcdef"
CIPHER = AesHmacMd5(KEY, KEY, KEY)
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SEQ = "123456789" + "0" * 17 + "1"
TIME = "2026-11-29 20:00:00"
DETAIL = {
    "DetailStartTime": TIME,
    "DetailEndTime": "2026-11-29 21:00:00",
    "ElecPrice": 0.7712,
    "SevicePrice": 0.4,
    "DetailPower": 10.25,
    "DetailElecMoney": 7.9,
    "DetailSeviceMoney": 4.1,
}
CHARGE: dict[str, Any] = {"StartChargeSeq": SEQ, "ConnectorID": "C1"}
ORDER: dict[str, Any] = {
    **CHARGE,
    "StartTime": TIME,
    "EndTime": "2026-11-29 21:00:00",
    "TotalPower": 10.25,
    "TotalElecMoney": 7.9,
    "TotalSeviceMoney": 4.1,
    "TotalMoney": 12.0,
    "StopReason": 0,
    "SumPeriod": 1,
    "ChargeDetails": [DETAIL],
}
STATION: dict[str, Any] = {
    "StationID": "S1",
    "OperatorID": "123456789",
    "EquipmentOwnerID": "123456789",
    "StationName": "莲花山",
    "StationLng": 114.06,
    "StationLat": 22.55,
    "EquipmentInfos": [
        {"EquipmentID": "E1", "EquipmentType": 1, "ConnectorInfos": [{"ConnectorID": "C1", "ConnectorType": 4, "Power": 60}]}
    ],
}
SNAPSHOT = {
    **CHARGE,
    "StartChargeSeqStat": 2,
    "ConnectorStatus": 3,
    "StartTime": TIME,
    "EndTime": TIME,
    "TotalPower": 1.5,
    "ElecMoney": 1.1,
    "SeviceMoney": 0.6,
    "SumPeriod": 1,
    "ChargeDetails": [DETAIL],
}
CHECK = {"CheckOrderSeq": SEQ, "StartTime": TIME, "EndTime": TIME}
# one good request and response of each interface
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "query_token": (
        {"OperatorID": "123456789", "OperatorSecret": "s"},
        {"OperatorID": "123456789", "SuccStat": 0, "AccessToken": "t", "TokenAvailableTime": 7200, "FailReason": 0},
    ),
    "query_stations_info": (
        {"LastQueryTime": "", "PageNo": 1, "PageSize": 10},
        {"PageNo": 1, "PageCount": 1, "ItemSize": 1, "StationInfos": [STATION]},
    ),
    "notification_stationInfo": ({"StationInfo": STATION}, {"Status": 0}),
    "notification_stationStatus": ({"ConnectorStatusInfo": {"ConnectorID": "C1", "Status": 3}}, {"Status": 0}),
    "query_station_status": (
        {"StationIDs": ["S1"]},
        {
            "Total": 1,
            "StationStatusInfos": [{"StationID": "S1", "ConnectorStatusInfos": [{"ConnectorID": "C1", "Status": 255}]}],
        },
    ),
    "query_station_stats": (
        {"StationID": "S1", "StartTime": "2026-11-01", "EndTime": "2026-11-29"},
        {
            "StationStats": {
                "StationID": "S1",
                "StartTime": "2026-11-01",
                "EndTime": "2026-11-29",
                "StationElectricity": 5,
                "EquipmentStatsInfos": [],
            }
        },
    ),
    "query_equip_auth": ({"EquipAuthSeq": SEQ, "ConnectorID": "C1"}, {"EquipAuthSeq": SEQ, "ConnectorID": "C1", "SuccStat": 0}),
    "query_equip_business_policy": (
        {"EquipBizSeq": SEQ, "ConnectorID": "C1"},
        {
            "EquipBizSeq": SEQ,
            "ConnectorID": "C1",
            "SuccStat": 0,
            "SumPeriod": 1,
            "PolicyInfos": [{"StartTime": "000000", "ElecPrice": 0.7712, "SevicePrice": 0.4}],
        },
    ),
    "query_start_charge": (CHARGE, {**CHARGE, "StartChargeSeqStat": 1, "SuccStat": 0, "FailReason": 0}),
    "notification_start_charge_result": (
        {**CHARGE, "StartChargeSeqStat": 2, "StartTime": TIME},
        {"StartChargeSeq": SEQ, "SuccStat": 0},
    ),
    "query_equip_charge_status": ({"StartChargeSeq": SEQ}, SNAPSHOT),
    "notification_equip_charge_status": (SNAPSHOT, {"StartChargeSeq": SEQ, "SuccStat": 0}),
    "query_stop_charge": (CHARGE, {"StartChargeSeq": SEQ, "StartChargeSeqStat": 3, "SuccStat": 0, "FailReason": 0}),
    "notification_stop_charge_result": (
        {**CHARGE, "StartChargeSeqStat": 4, "SuccStat": 0, "FailReason": 0},
        {"StartChargeSeq": SEQ, "SuccStat": 0},
    ),
    "notification_charge_order_info": (ORDER, {**CHARGE, "ConfirmResult": 0}),
    "check_charge_orders": (
        {
            **CHECK,
            "OrderCount": 1,
            "TotalOrderPower": 10.25,
            "TotalOrderMoney": 12,
            "ChargeOrders": [{"StartChargeSeq": SEQ, "TotalPower": 10.25, "TotalMoney": 12}],
        },
        {**CHECK, "TotalDisputeOrder": 0, "TotalDisputePower": 0, "TotalDisputeMoney": 0, "DisputeOrders": []},
    ),
}
BOTH_WAYS = [(INTERFACES[name].request, EXAMPLES[name][0], name) for name in EXAMPLES] + [
    (INTERFACES[name].response, EXAMPLES[name][1], name) for name in EXAMPLES
]


def test_all_sixteen_have_an_example() -> None:
    assert len(INTERFACES) == 16
    assert EXAMPLES.keys() == INTERFACES.keys()


@pytest.mark.parametrize(("kind", "data", "name"), BOTH_WAYS)
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_message_comes_back_over_the_wire_in_every_dialect(
    kind: type[Message], data: dict[str, Any], name: str, dialect: Dialect
) -> None:
    message = read(kind, data)
    sent = seal_request(CIPHER, "123456789", dialect.to_partner(name, message.on_wire()), NOW, "0001")
    (received,) = dialect.from_partner(name, open_request(CIPHER, sent).data)
    assert read(kind, received) == message


@pytest.mark.parametrize(("kind", "data", "name"), BOTH_WAYS)
def test_every_field_of_the_wrong_kind_or_missing_is_refused_by_name(
    kind: type[Message], data: dict[str, Any], name: str
) -> None:
    required = {field for field, about in kind.model_fields.items() if about.is_required()}
    for field in required:
        with pytest.raises(Refused, match=field) as refused:
            read(kind, {each: value for each, value in data.items() if each != field})
        assert refused.value.ret == Ret.BAD_BUSINESS_PARAMETERS, name
    for field in kind.model_fields:
        with pytest.raises(Refused, match=field):
            read(kind, {**data, field: {"no": "such"}})


def test_fields_that_are_not_known_are_kept() -> None:
    station = read(messages.StationInfo, {**STATION, "HasParkingLock": 1})
    assert station.on_wire()["HasParkingLock"] == 1


def test_money_is_exact() -> None:
    order = read(messages.ChargeOrder, {**ORDER, "TotalElecMoney": Decimal("7.90"), "TotalMoney": Decimal("12.00")})
    assert order.TotalMoney == Decimal("12.00")
    with pytest.raises(Refused, match="sum"):
        read(messages.ChargeOrder, {**ORDER, "TotalMoney": 12.01})


@pytest.mark.parametrize(
    ("kind", "changed", "what"),
    [
        (messages.ChargeOrder, {**ORDER, "EndTime": "2026-11-29 19:00:00"}, "before"),
        (messages.ChargeOrder, {**ORDER, "SumPeriod": 2}, "SumPeriod"),
        (messages.ChargeOrder, {**ORDER, "TotalPower": -1}, "TotalPower"),
        (messages.ChargeOrder, {**ORDER, "TotalPower": "Infinity"}, "TotalPower"),
        (messages.ChargeOrder, {**ORDER, "StartChargeSeq": SEQ[:-1]}, "StartChargeSeq"),
        (messages.ChargeOrder, {**ORDER, "StartTime": "29.11.2026"}, "StartTime"),
        (messages.ChargeOrder, {**ORDER, "StartTime": datetime(2026, 11, 29)}, "StartTime"),  # noqa: DTZ001 (the point of it)
        (messages.StatusRequest, {"StationIDs": ["S"] * 51}, "StationIDs"),
        (messages.StatsRequest, {"StationID": "S1", "StartTime": "2026-11-29", "EndTime": "2026-11-01"}, "before"),
        (messages.StationsRequest, {"PageNo": 0}, "PageNo"),
        (messages.ConnectorStatusInfo, {"ConnectorID": "C1", "Status": 9}, "Status"),
        (messages.TokenRequest, {"OperatorID": "12345678", "OperatorSecret": "s"}, "OperatorID"),
        (messages.PolicyInfo, {"StartTime": "240000", "ElecPrice": 1, "SevicePrice": 0}, "StartTime"),
    ],
)
def test_what_the_sheet_forbids(kind: type[Message], changed: dict[str, Any], what: str) -> None:
    with pytest.raises(Refused, match=what):
        read(kind, changed)


def test_times_are_those_of_beijing() -> None:
    order = read(messages.ChargeOrder, ORDER)
    assert order.StartTime == datetime(2026, 11, 29, 20, tzinfo=BEIJING)
    utc = order.model_copy(update={"StartTime": datetime(2026, 11, 29, 12, tzinfo=UTC)})
    assert utc.on_wire()["StartTime"] == TIME
    stats = read(messages.StatsRequest, EXAMPLES["query_station_stats"][0])
    assert stats.StartTime == date(2026, 11, 1)
    assert stats.on_wire()["StartTime"] == "2026-11-01"


def test_a_partner_who_spells_service_right() -> None:
    dialect = DIALECTS["corrected"]
    told = dialect.to_partner("query_equip_charge_status", SNAPSHOT)
    assert {"ServiceMoney", "ElectMoney"} <= told.keys()
    assert "ServicePrice" in told["ChargeDetails"][0]
    assert not CORRECTED.keys() & told.keys()
    assert "ElecMoney" in dialect.to_partner("notification_equip_charge_status", SNAPSHOT)


def test_a_list_of_statuses_is_one_message_each() -> None:
    infos = [{"ConnectorID": "C1", "Status": 1}, {"ConnectorID": "C2", "Status": 3}]
    for dialect in DIALECTS.values():  # whichever was agreed upon: both are understood
        assert dialect.from_partner("notification_stationStatus", {"ConnectorStatusInfos": infos}) == [
            {"ConnectorStatusInfo": each} for each in infos
        ]


def test_a_dialect_that_loses_a_name() -> None:
    with pytest.raises(ValueError, match="become one"):
        Dialect(names={"ElecPrice": "Price", "SevicePrice": "Price"})


def test_the_path_of_a_partner() -> None:
    assert Dialect(base_path="/cec/v2/").path("query_token") == "/cec/v2/query_token"


def test_every_state_plug_and_reason_of_ours_has_its_number() -> None:
    assert STATUS_ON_WIRE.keys() == set(EvseStatus)
    assert {STATUS_ON_WIRE[STATUS_FROM_WIRE[each]] for each in ConnectorStatus} == set(ConnectorStatus)
    assert PLUG_ON_WIRE.keys() == set(Plug)
    assert all(PLUG_ON_WIRE[PLUG_FROM_WIRE[each]] == each for each in (ConnectorType.AC_PLUG, ConnectorType.DC_GUN))
    assert STOP_REASON_ON_WIRE.keys() == set(StopReason)
    assert DIALECTS["standard"] is STANDARD


def test_who_gets_no_token_is_told_why() -> None:
    token: Interface = INTERFACES["query_token"]
    refused = read(token.response, {"OperatorID": "123456789", "SuccStat": 1, "FailReason": 2})
    assert refused.on_wire()["FailReason"] == TokenFail.WRONG_SECRET
