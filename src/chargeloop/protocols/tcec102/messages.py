"""The data of the sixteen interfaces, in the spelling of the standard of 2016 (`SevicePrice`, `BusineHours`).

Partners spell some names in other ways: `dialect.py` translates, so that there is one model of each message. Fields that are
not known here are kept. Energy is in kWh, power in kW, money in CNY; times are Beijing time.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from chargeloop.protocols.tcec102.codes import (
    ConfirmResult,
    ConnectorStatus,
    ConnectorType,
    FailReason,
    StartChargeSeqStat,
    SuccStat,
    TokenFail,
)
from chargeloop.protocols.tcec102.envelope import BEIJING


def _as_time(value: object) -> object:
    if isinstance(value, str):
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    return value


def _with_zone(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs a zone")
    return value


Time = Annotated[
    datetime,
    BeforeValidator(_as_time),
    AfterValidator(_with_zone),
    PlainSerializer(lambda at: at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")),
]
Day = Annotated[date, PlainSerializer(lambda day: day.isoformat())]
OperatorId = Annotated[str, Field(min_length=9, max_length=9)]
Seq27 = Annotated[str, Field(min_length=27, max_length=27)]  # the operator's id and 18 characters of its own
StationId = Annotated[str, Field(min_length=1, max_length=20)]
EquipmentId = Annotated[str, Field(min_length=1, max_length=23)]
ConnectorId = Annotated[str, Field(min_length=1, max_length=26)]
Amount = Annotated[Decimal, Field(allow_inf_nan=False)]
NotNegative = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    def on_wire(self) -> dict[str, Any]:
        """As data for the envelope; what is not set is left out."""
        return self.model_dump(exclude_none=True)


# who, where, what


class ConnectorInfo(Message):
    ConnectorID: ConnectorId
    ConnectorType: ConnectorType
    Power: NotNegative
    NationalStandard: int = 2  # 1: of 2011, 2: of 2015
    ConnectorName: str | None = None
    VoltageUpperLimits: int | None = None
    VoltageLowerLimits: int | None = None
    Current: int | None = None
    ParkNo: str | None = None


class EquipmentInfo(Message):
    EquipmentID: EquipmentId
    EquipmentType: int
    ConnectorInfos: tuple[ConnectorInfo, ...]
    ManufacturerID: str | None = None
    ManufacturerName: str | None = None
    EquipmentModel: str | None = None
    ProductionDate: str | None = None
    EquipmentLng: float | None = None
    EquipmentLat: float | None = None
    Power: NotNegative | None = None
    EquipmentName: str | None = None


class StationInfo(Message):
    StationID: StationId
    OperatorID: OperatorId
    EquipmentOwnerID: OperatorId
    StationName: str
    StationLng: Annotated[float, Field(ge=-180, le=180)]
    StationLat: Annotated[float, Field(ge=-90, le=90)]
    EquipmentInfos: tuple[EquipmentInfo, ...]
    CountryCode: str = "CN"
    AreaCode: str = "000000"
    Address: str = ""
    ServiceTel: str = ""
    StationTel: str | None = None
    StationType: int = 1
    StationStatus: int = 50
    ParkNums: int = 0
    BusineHours: str | None = None
    ElectricityFee: str | None = None
    ServiceFee: str | None = None
    ParkFee: str | None = None
    Payment: str | None = None
    SiteGuide: str | None = None
    Construction: int = 255
    Pictures: tuple[str, ...] | None = None
    MatchCars: str | None = None
    ParkInfo: str | None = None
    SupportOrder: int | None = None
    Remark: str | None = None


class ConnectorStatusInfo(Message):
    ConnectorID: ConnectorId
    Status: ConnectorStatus
    ParkStatus: int = 0
    LockStatus: int = 0


class StationStatusInfo(Message):
    StationID: StationId
    ConnectorStatusInfos: tuple[ConnectorStatusInfo, ...]


class ConnectorStats(Message):
    ConnectorID: ConnectorId
    ConnectorElectricity: NotNegative


class EquipmentStats(Message):
    EquipmentID: EquipmentId
    EquipmentElectricity: NotNegative
    ConnectorStatsInfos: tuple[ConnectorStats, ...]


class StationStats(Message):
    StationID: StationId
    StartTime: Day
    EndTime: Day
    StationElectricity: NotNegative
    EquipmentStatsInfos: tuple[EquipmentStats, ...]


class PolicyInfo(Message):
    """A price from this time of the day on."""

    StartTime: Annotated[str, Field(pattern=r"^([01]\d|2[0-3])[0-5]\d[0-5]\d$")]
    ElecPrice: NotNegative
    SevicePrice: NotNegative


class ChargeDetail(Message):
    """A part of a charge at one price."""

    DetailStartTime: Time
    DetailEndTime: Time
    ElecPrice: NotNegative
    SevicePrice: NotNegative
    DetailPower: NotNegative
    DetailElecMoney: NotNegative
    DetailSeviceMoney: NotNegative


class ChargeOrder(Message):
    """A charge as it is billed."""

    StartChargeSeq: Seq27
    ConnectorID: ConnectorId
    StartTime: Time
    EndTime: Time
    TotalPower: NotNegative
    TotalElecMoney: NotNegative
    TotalSeviceMoney: NotNegative
    TotalMoney: NotNegative
    StopReason: int
    SumPeriod: Annotated[int, Field(ge=0, le=32)] = 0
    ChargeDetails: tuple[ChargeDetail, ...] = ()

    @model_validator(mode="after")
    def _adds_up(self) -> "ChargeOrder":
        if self.EndTime < self.StartTime:
            raise ValueError("EndTime is before StartTime")
        if self.TotalElecMoney + self.TotalSeviceMoney != self.TotalMoney:
            raise ValueError("TotalMoney is not the sum of TotalElecMoney and TotalSeviceMoney")
        if len(self.ChargeDetails) != self.SumPeriod:
            raise ValueError("SumPeriod is not the number of ChargeDetails")
        return self


# requests and responses, as the interfaces come in the standard


class TokenRequest(Message):
    OperatorID: OperatorId
    OperatorSecret: str


class TokenResponse(Message):
    OperatorID: OperatorId
    SuccStat: SuccStat
    AccessToken: str = ""
    TokenAvailableTime: Annotated[int, Field(ge=0)] = 0
    FailReason: TokenFail = TokenFail.NONE


class StationsRequest(Message):
    LastQueryTime: Annotated[Time | None, BeforeValidator(lambda value: value or None)] = None
    PageNo: Annotated[int, Field(ge=1)] = 1
    PageSize: Annotated[int, Field(ge=1)] = 10


class StationsResponse(Message):
    PageNo: int
    PageCount: int
    ItemSize: int
    StationInfos: tuple[StationInfo, ...]


class StationChanged(Message):
    StationInfo: StationInfo


class Acknowledged(Message):
    """0 taken, 1 to be sent again."""

    Status: Annotated[int, Field(ge=0, le=1)]


class StatusChanged(Message):
    ConnectorStatusInfo: ConnectorStatusInfo


class StatusRequest(Message):
    StationIDs: Annotated[tuple[StationId, ...], Field(max_length=50)]


class StatusResponse(Message):
    Total: int
    StationStatusInfos: tuple[StationStatusInfo, ...]


class StatsRequest(Message):
    StationID: StationId
    StartTime: Day
    EndTime: Day

    @model_validator(mode="after")
    def _in_order(self) -> "StatsRequest":
        if self.EndTime < self.StartTime:
            raise ValueError("EndTime is before StartTime")
        return self


class StatsResponse(Message):
    StationStats: StationStats


class AuthRequest(Message):
    EquipAuthSeq: Seq27
    ConnectorID: ConnectorId


class AuthResponse(Message):
    EquipAuthSeq: Seq27
    ConnectorID: ConnectorId
    SuccStat: SuccStat
    FailReason: int = 0


class PolicyRequest(Message):
    EquipBizSeq: Seq27
    ConnectorID: ConnectorId


class PolicyResponse(Message):
    EquipBizSeq: Seq27
    ConnectorID: ConnectorId
    SuccStat: SuccStat
    FailReason: int = 0
    SumPeriod: int = 0
    PolicyInfos: tuple[PolicyInfo, ...] = ()


class StartRequest(Message):
    StartChargeSeq: Seq27
    ConnectorID: ConnectorId
    QRCode: str = ""


class StartResponse(Message):
    StartChargeSeq: Seq27
    StartChargeSeqStat: StartChargeSeqStat
    ConnectorID: ConnectorId
    SuccStat: SuccStat
    FailReason: FailReason


class StartResult(Message):
    StartChargeSeq: Seq27
    StartChargeSeqStat: StartChargeSeqStat
    ConnectorID: ConnectorId
    StartTime: Time | None = None
    IdentCode: str = ""


class Taken(Message):
    """What a notification about a charge is answered with."""

    StartChargeSeq: Seq27
    SuccStat: SuccStat
    FailReason: int = 0


class ChargeRequest(Message):
    StartChargeSeq: Seq27


class ChargeStatus(Message):
    """A charge as it stands. Of a DC charger only phase A is used."""

    StartChargeSeq: Seq27
    StartChargeSeqStat: StartChargeSeqStat
    ConnectorID: ConnectorId
    ConnectorStatus: ConnectorStatus
    StartTime: Time
    EndTime: Time
    TotalPower: NotNegative
    CurrentA: Amount = Decimal(0)
    VoltageA: Amount = Decimal(0)
    CurrentB: Amount | None = None
    CurrentC: Amount | None = None
    VoltageB: Amount | None = None
    VoltageC: Amount | None = None
    Soc: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)
    ElecMoney: NotNegative | None = None
    SeviceMoney: NotNegative | None = None
    TotalMoney: NotNegative | None = None
    SumPeriod: Annotated[int, Field(ge=0, le=32)] = 0
    ChargeDetails: tuple[ChargeDetail, ...] = ()


class StopRequest(Message):
    StartChargeSeq: Seq27
    ConnectorID: ConnectorId


class StopResponse(Message):
    StartChargeSeq: Seq27
    StartChargeSeqStat: StartChargeSeqStat
    SuccStat: SuccStat
    FailReason: FailReason


class StopResult(Message):
    StartChargeSeq: Seq27
    StartChargeSeqStat: StartChargeSeqStat
    ConnectorID: ConnectorId
    SuccStat: SuccStat
    FailReason: FailReason


class OrderConfirmed(Message):
    StartChargeSeq: Seq27
    ConnectorID: ConnectorId
    ConfirmResult: ConfirmResult


class OrderLine(Message):
    StartChargeSeq: Seq27
    TotalPower: NotNegative
    TotalMoney: NotNegative


class OrdersCheck(Message):
    CheckOrderSeq: Seq27
    StartTime: Time
    EndTime: Time
    OrderCount: Annotated[int, Field(ge=0)]
    TotalOrderPower: NotNegative
    TotalOrderMoney: NotNegative
    ChargeOrders: tuple[OrderLine, ...]


class DisputedOrder(OrderLine):
    DisputeReason: int


class OrdersChecked(Message):
    CheckOrderSeq: Seq27
    StartTime: Time
    EndTime: Time
    TotalDisputeOrder: int
    TotalDisputePower: NotNegative
    TotalDisputeMoney: NotNegative
    DisputeOrders: tuple[DisputedOrder, ...]
