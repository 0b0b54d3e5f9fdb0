"""Module locations: where one can charge."""

from datetime import datetime
from typing import Annotated, ClassVar, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from chargeloop.protocols.ocpi.kinds import (
    SINCE_230,
    Bool,
    BusinessDetails,
    Ci25,
    Ci36,
    Ci48,
    Clock,
    Count,
    DateTime,
    DisplayText,
    EnergyMix,
    Image,
    Integer,
    NotNegative,
    Object,
    Owned,
    Text3,
    Text4,
    Text10,
    Text12,
    Text16,
    Text45,
    Text50,
    Text64,
    Text255,
    Url,
    one_of,
)
from chargeloop.protocols.ocpi.tokens import TokenType

EvseState = Annotated[str, one_of("AVAILABLE BLOCKED CHARGING INOPERATIVE OUTOFORDER PLANNED REMOVED RESERVED UNKNOWN")]
Capability = Annotated[
    str,
    one_of(
        "CHARGING_PROFILE_CAPABLE CHARGING_PREFERENCES_CAPABLE CHIP_CARD_SUPPORT CONTACTLESS_CARD_SUPPORT CREDIT_CARD_PAYABLE"
        " DEBIT_CARD_PAYABLE PED_TERMINAL REMOTE_START_STOP_CAPABLE RESERVABLE RFID_READER START_SESSION_CONNECTOR_REQUIRED"
        " TOKEN_GROUP_CAPABLE UNLOCK_CAPABLE",
        is_open=True,
    ),
]
ConnectorType = Annotated[
    str,
    one_of(
        "CHADEMO CHAOJI GBT_AC GBT_DC IEC_60309_2_single_16 IEC_60309_2_three_16 IEC_60309_2_three_32 IEC_60309_2_three_64"
        " IEC_62196_T1 IEC_62196_T1_COMBO IEC_62196_T2 IEC_62196_T2_COMBO IEC_62196_T3A IEC_62196_T3C NEMA_5_20 NEMA_6_30"
        " NEMA_6_50 NEMA_10_30 NEMA_10_50 NEMA_14_30 NEMA_14_50 PANTOGRAPH_BOTTOM_UP PANTOGRAPH_TOP_DOWN TESLA_R TESLA_S "
        + " ".join(f"DOMESTIC_{letter}" for letter in "ABCDEFGHIJKLMNO"),
        new="MCS SAE_J3400",
        is_open=True,
    ),
]
ConnectorFormat = Annotated[str, one_of("SOCKET CABLE")]
PowerType = Annotated[str, one_of("AC_1_PHASE AC_2_PHASE AC_2_PHASE_SPLIT AC_3_PHASE DC")]
ParkingRestriction = Annotated[
    str, one_of("EV_ONLY PLUGGED DISABLED CUSTOMERS MOTORCYCLES", new="EMPLOYEES TAXIS TENANTS", is_open=True)
]
ParkingType = Annotated[
    str,
    one_of("ALONG_MOTORWAY PARKING_GARAGE PARKING_LOT ON_DRIVEWAY ON_STREET UNDERGROUND_GARAGE", is_open=True),
]
Facility = Annotated[
    str,
    one_of(
        "HOTEL RESTAURANT CAFE MALL SUPERMARKET SPORT RECREATION_AREA NATURE MUSEUM BIKE_SHARING BUS_STOP TAXI_STAND TRAM_STOP"
        " METRO_STATION TRAIN_STATION AIRPORT PARKING_LOT CARPOOL_PARKING FUEL_STATION WIFI",
        is_open=True,
    ),
]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone of IANA")
    return name


class GeoLocation(Object):
    """WGS-84 degrees, as texts."""

    latitude: Annotated[str, Field(max_length=10, pattern=r"^-?[0-9]{1,2}\.[0-9]{5,7}$")]
    longitude: Annotated[str, Field(max_length=11, pattern=r"^-?[0-9]{1,3}\.[0-9]{5,7}$")]

    @model_validator(mode="after")
    def _on_earth(self) -> Self:
        if abs(float(self.latitude)) > 90 or abs(float(self.longitude)) > 180:
            raise ValueError("is not on Earth; are latitude and longitude swapped?")
        return self


class AdditionalGeoLocation(GeoLocation):
    name: DisplayText | None = None


class RegularHours(Object):
    weekday: Annotated[Integer, Field(ge=1, le=7)]  # 1 is Monday
    period_begin: Clock
    period_end: Clock

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.period_end <= self.period_begin:
            raise ValueError("period_end is not after period_begin")
        return self


class ExceptionalPeriod(Object):
    period_begin: DateTime
    period_end: DateTime


class Hours(Object):
    twentyfourseven: Bool
    regular_hours: tuple[RegularHours, ...] = ()
    exceptional_openings: tuple[ExceptionalPeriod, ...] = ()
    exceptional_closings: tuple[ExceptionalPeriod, ...] = ()

    @model_validator(mode="after")
    def _regular_or_always(self) -> Self:
        if self.twentyfourseven == bool(self.regular_hours):
            raise ValueError("regular_hours are given exactly where it is not open round the clock")
        return self

    def is_open(self, at: datetime, local: datetime) -> bool:
        """`local`: the same instant in the location's zone. Exceptions go before the rule, and closings before openings."""
        if any(each.period_begin <= at < each.period_end for each in self.exceptional_closings):
            return False
        if self.twentyfourseven or any(each.period_begin <= at < each.period_end for each in self.exceptional_openings):
            return True
        clock = f"{local:%H:%M}"
        return any(
            each.weekday == local.isoweekday() and each.period_begin <= clock < each.period_end for each in self.regular_hours
        )


class StatusSchedule(Object):
    """What is planned; it changes nothing by itself."""

    period_begin: DateTime
    status: EvseState
    period_end: DateTime | None = None


class PublishTokenType(Object):
    """Whom a location is shown that is not published: all fields that are given have to fit."""

    uid: Ci36 | None = None
    type: TokenType | None = None
    visual_number: Text64 | None = None
    issuer: Text64 | None = None
    group_id: Ci36 | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.uid is None and self.visual_number is None and self.group_id is None:
            raise ValueError("needs uid, visual_number or group_id")
        if (self.uid is not None and self.type is None) or (self.visual_number is not None and self.issuer is None):
            raise ValueError("uid needs type, and visual_number needs issuer")
        return self


class Parking(Object):
    """A parking place (2.3.0). Weights in kg, lengths in cm, time in minutes."""

    id: Ci36
    vehicle_types: Annotated[
        tuple[
            Annotated[
                str,
                one_of(
                    "MOTORCYCLE PERSONAL_VEHICLE PERSONAL_VEHICLE_WITH_TRAILER VAN SEMI_TRACTOR RIGID TRUCK_WITH_TRAILER BUS"
                    " DISABLED",
                    is_open=True,
                ),
            ],
            ...,
        ],
        Field(min_length=1),
    ]
    restricted_to_type: Bool
    reservation_required: Bool
    physical_reference: Text12 | None = None
    max_vehicle_weight: NotNegative | None = None
    max_vehicle_height: NotNegative | None = None
    max_vehicle_length: NotNegative | None = None
    max_vehicle_width: NotNegative | None = None
    parking_space_length: NotNegative | None = None
    parking_space_width: NotNegative | None = None
    dangerous_goods_allowed: Bool | None = None
    direction: Annotated[str, one_of("PARALLEL PERPENDICULAR ANGLE")] | None = None
    drive_through: Bool | None = None
    time_limit: NotNegative | None = None
    roofed: Bool | None = None
    images: tuple[Image, ...] = ()
    lighting: Bool | None = None
    refrigeration_outlet: Bool | None = None
    standards: tuple[Ci36, ...] = ()
    apds_reference: str | None = None


class EvseParking(Object):
    parking_id: Ci36
    evse_position: Annotated[str, one_of("LEFT RIGHT CENTER")] | None = None


class Connector(Object):
    """`max_voltage`: of a three-phase connector from line to neutral. `max_electric_power` in W."""

    id: Ci36
    standard: ConnectorType
    format: ConnectorFormat
    power_type: PowerType
    max_voltage: Count
    max_amperage: Count
    last_updated: DateTime
    max_electric_power: Count | None = None
    tariff_ids: tuple[Ci36, ...] = ()
    terms_and_conditions: Url | None = None
    capabilities: Annotated[
        tuple[Annotated[str, one_of("", new="ISO_15118_2_PLUG_AND_CHARGE ISO_15118_20_PLUG_AND_CHARGE", is_open=True)], ...],
        SINCE_230,
    ] = ()


class Evse(Object):
    """Serves one vehicle at a time. `uid` is never used again, so it is not that of the hardware."""

    KEY: ClassVar[str] = "uid"
    uid: Ci36
    status: EvseState
    connectors: Annotated[tuple[Connector, ...], Field(min_length=1)]
    last_updated: DateTime
    evse_id: Ci48 | None = None
    status_schedule: tuple[StatusSchedule, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    floor_level: Text4 | None = None
    coordinates: GeoLocation | None = None
    physical_reference: Text16 | None = None
    directions: tuple[DisplayText, ...] = ()
    parking_restrictions: tuple[ParkingRestriction, ...] = ()
    parking: Annotated[tuple[EvseParking, ...], SINCE_230] = ()
    images: tuple[Image, ...] = ()
    accepted_service_providers: Annotated[tuple[Text50, ...], SINCE_230] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({each.id.casefold() for each in self.connectors}) < len(self.connectors):
            raise ValueError("a connector stands there twice")
        return self


class Location(Owned):
    """A site. Times in it are UTC but for opening hours, which are in its `time_zone`."""

    id: Ci36
    publish: Bool
    address: Text255  # 45 in earlier editions
    city: Text45
    country: Text3  # ISO 3166-1 alpha-3
    coordinates: GeoLocation
    time_zone: Annotated[str, Field(max_length=255), AfterValidator(_zone)]
    last_updated: DateTime
    publish_allowed_to: tuple[PublishTokenType, ...] = ()
    name: Text255 | None = None
    postal_code: Text10 | None = None
    state: Text45 | None = None
    related_locations: tuple[AdditionalGeoLocation, ...] = ()
    parking_type: ParkingType | None = None
    evses: tuple[Evse, ...] = ()
    parking_places: Annotated[tuple[Parking, ...], SINCE_230] = ()
    directions: tuple[DisplayText, ...] = ()
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: tuple[Facility, ...] = ()
    opening_times: Hours | None = None
    charging_when_closed: Bool | None = None  # true where nothing is said
    images: tuple[Image, ...] = ()
    energy_mix: EnergyMix | None = None
    help_phone: Annotated[Ci25 | None, SINCE_230] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.publish and self.publish_allowed_to:
            raise ValueError("publish_allowed_to is for a location that is not published")
        if len({each.uid.casefold() for each in self.evses}) < len(self.evses):
            raise ValueError("an EVSE stands there twice")
        return self

    @property
    def is_expired(self) -> bool:
        """No EVSE of it is left."""
        return all(each.status == "REMOVED" for each in self.evses)


def degrees(value: float) -> str:
    """A coordinate with the six decimals that make a decimetre."""
    return f"{value:.6f}"
