"""Our records as OCPI has them: stations, tariffs, sessions, charge detail records, tokens."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from chargeloop.model import Cdr as OurCdr
from chargeloop.model import City, Current, Evse, EvseStatus, MeterPoint, Place, Plug, Station
from chargeloop.model import Connector as OurConnector
from chargeloop.model import Session as OurSession
from chargeloop.model import Tariff as OurTariff
from chargeloop.protocols.ocpi import locations, sessions, tariffs, tokens
from chargeloop.protocols.ocpi.kinds import BusinessDetails, DisplayText, Price, Version
from chargeloop.protocols.ocpi.locations import degrees
from chargeloop.protocols.ocpi.periods import SIX, charging_periods, free_id
from chargeloop.protocols.ocpi.wire import Party

LONGEST_ID = 36
CENT, LINE = Decimal("0.01"), Decimal("0.0001")
STATUS_ON_WIRE = {
    EvseStatus.AVAILABLE: "AVAILABLE",
    EvseStatus.PREPARING: "BLOCKED",  # somebody stands there, no session yet
    EvseStatus.CHARGING: "CHARGING",
    EvseStatus.SUSPENDED_EV: "CHARGING",
    EvseStatus.SUSPENDED_EVSE: "CHARGING",
    EvseStatus.FINISHING: "BLOCKED",
    EvseStatus.RESERVED: "RESERVED",
    EvseStatus.UNAVAILABLE: "INOPERATIVE",
    EvseStatus.FAULTED: "OUTOFORDER",
}
PLUG_ON_WIRE = {
    Plug.GBT_AC: "GBT_AC",
    Plug.GBT_DC: "GBT_DC",
    Plug.TYPE2: "IEC_62196_T2",
    Plug.CCS2: "IEC_62196_T2_COMBO",
}
SINGLE_PHASE_KW = 7.4
LINE_V, DC_V = 230, 1000
CAPABILITIES = ("CHARGING_PROFILE_CAPABLE", "REMOTE_START_STOP_CAPABLE", "RESERVABLE", "RFID_READER", "UNLOCK_CAPABLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who an operator is on the wire. `country`: ISO 3166-1 alpha-3; `vat`: % that our prices contain, None for none."""

    party: Party
    name: str
    country: str
    vat: Decimal | None = None
    capabilities: tuple[str, ...] = CAPABILITIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a session was: a connector of a bay of a station."""

    station: Station
    evse: Evse
    connector: OurConnector
    place: Place
    city: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorised:
    """By which right a session was charged; `reference` is the eMSP's, of its last answer or its command."""

    token: tokens.CdrToken
    method: str = "WHITELIST"
    reference: str | None = None


def wire_id(identifier: str, longest: int = LONGEST_ID) -> str:
    """An identifier of ours; one too long or not in ASCII keeps its beginning and ends in a digest of the whole."""
    if identifier.isascii() and identifier.isprintable() and len(identifier) <= longest:
        return identifier
    readable = "".join(each for each in identifier if each.isascii() and each.isprintable())
    return f"{readable[: longest - 17]}-{hashlib.sha256(identifier.encode()).hexdigest()[:16]}"


def evse_id(party: Party, identifier: str) -> str:
    """The number of a bay as drivers know it (eMI3): country, operator, E and letters and digits."""
    instance = "".join(each for each in identifier.upper() if each.isascii() and each.isalnum())
    return f"{party.country_code}*{party.party_id}*E{wire_id(instance, 30)}"


# --- locations --------------------------------------------------------------------------------------------------------------


def location_of(
    operator: Operator,
    city: City,
    station: Station,
    statuses: Mapping[str, EvseStatus],
    changed: Mapping[str, datetime],
    since: datetime,
) -> locations.Location:
    """A station and its bays. `statuses`, `changed`: by EVSE id, what it is and since when; `since`: for all others."""
    place = next(each.place for each in city.sites if each.site_id == station.site_id)
    evses = tuple(_evse(operator, each, station, statuses, changed.get(each.evse_id, since)) for each in station.evses)
    return locations.Location(
        country_code=operator.party.country_code,
        party_id=operator.party.party_id,
        id=wire_id(station.station_id),
        publish=True,
        name=station.name[:255],
        address=station.name[:255],
        city=city.name[:45],
        country=operator.country,
        coordinates=_coordinates(place),
        time_zone=city.time_zone,
        operator=BusinessDetails(name=station.operator_id),
        evses=evses,
        opening_times=_hours(station),
        last_updated=max((each.last_updated for each in evses), default=since),
    )


def _coordinates(place: Place) -> locations.GeoLocation:
    return locations.GeoLocation(latitude=degrees(place.lat), longitude=degrees(place.lon))


def _evse(operator: Operator, evse: Evse, station: Station, statuses: Mapping[str, EvseStatus], at: datetime) -> locations.Evse:
    status = statuses.get(evse.evse_id)
    return locations.Evse(
        uid=wire_id(evse.evse_id),
        evse_id=evse_id(operator.party, evse.evse_id),
        status="UNKNOWN" if status is None else STATUS_ON_WIRE[status],
        capabilities=operator.capabilities,
        connectors=tuple(_connector(each, evse.current, station.tariff_id, at) for each in evse.connectors),
        physical_reference=evse.evse_id[-16:],
        last_updated=at,
    )


def _connector(connector: OurConnector, current: Current, tariff_id: str, at: datetime) -> locations.Connector:
    power_type, volts = power_of(current, connector.power_kw)
    phases = 3 if power_type == "AC_3_PHASE" else 1
    return locations.Connector(
        id=str(connector.connector_id),
        standard=PLUG_ON_WIRE[connector.plug],
        format="CABLE" if current is Current.DC else "SOCKET",
        power_type=power_type,
        max_voltage=volts,
        max_amperage=math.ceil(connector.power_kw * 1000 / volts / phases),
        max_electric_power=round(connector.power_kw * 1000),
        tariff_ids=(wire_id(tariff_id),),
        last_updated=at,
    )


def power_of(current: Current, power_kw: float) -> tuple[str, int]:
    """The power type, and volts: of three phases from line to neutral."""
    if current is Current.DC:
        return "DC", DC_V
    return ("AC_1_PHASE" if power_kw <= SINGLE_PHASE_KW else "AC_3_PHASE"), LINE_V


def _hours(station: Station) -> locations.Hours:
    """`HH:MM` ends at 23:59: a period cannot end on the next day."""
    opens, closes = _clock(station.opens_h), _clock(station.closes_h)
    if opens == "00:00" and station.closes_h >= 24:
        return locations.Hours(twentyfourseven=True)
    spans = [(opens, closes)] if opens < closes else [("00:00", closes), (opens, "23:59")]
    return locations.Hours(
        twentyfourseven=False,
        regular_hours=tuple(
            locations.RegularHours(weekday=day, period_begin=begin, period_end=end)
            for day in range(1, 8)
            for begin, end in spans
            if begin < end
        ),
    )


def _clock(hour: float) -> str:
    minutes = min(round(hour * 60), 24 * 60 - 1)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


# --- tariffs ----------------------------------------------------------------------------------------------------------------


def tariffs_of(operator: Operator, tariff: OurTariff, version: Version, at: datetime) -> tuple[tariffs.Tariff, ...]:
    """One of our tariffs: energy and service together per kWh by the hour of the day, and an idle fee as PARKING_TIME.

    OCPI cannot say that an idle fee begins after some minutes and ends at some amount. So there is a second tariff, under
    which parking is free: a CDR names it for the minutes that cost nothing.
    """
    elements = [_band(operator, version, *band) for band in _bands(tariff)]
    text: tuple[DisplayText, ...] = ()
    if tariff.idle_per_min:
        idle = _component(operator, version, tariffs.PARKING_TIME, tariff.idle_per_min * 60, 60)
        elements.append(tariffs.TariffElement(price_components=(idle,)))
        told = f"Idle fee after {tariff.idle_free_min} minutes, up to {tariff.idle_cap} {tariff.currency}."
        text = (DisplayText(language="en", text=told),)
    main = tariffs.Tariff(
        country_code=operator.party.country_code,
        party_id=operator.party.party_id,
        id=wire_id(tariff.tariff_id),
        currency=tariff.currency,
        tariff_alt_text=text,
        elements=tuple(elements),
        tax_included="N/A" if operator.vat is None else "YES",
        last_updated=at,
    )
    if not tariff.idle_per_min:
        return (main,)
    nothing = tariffs.TariffElement(price_components=(_component(operator, version, tariffs.FLAT, Decimal(0), 1),))
    return main, main.model_copy(update={"id": free_id(main.id), "tariff_alt_text": (), "elements": (nothing,)})


def _bands(tariff: OurTariff) -> list[tuple[int, int, Decimal]]:
    """Hours of equal price, in order."""
    bands: list[tuple[int, int, Decimal]] = []
    for band in tariff.bands:
        price = band.energy_per_kwh + band.service_per_kwh
        if bands and bands[-1][2] == price:
            bands[-1] = (bands[-1][0], band.end_h, price)
        else:
            bands.append((band.start_h, band.end_h, price))
    return bands


def _band(operator: Operator, version: Version, start_h: int, end_h: int, price: Decimal) -> tariffs.TariffElement:
    component = _component(operator, version, tariffs.ENERGY, price, 1)
    if (start_h, end_h) == (0, 24):
        return tariffs.TariffElement(price_components=(component,))
    hours = tariffs.TariffRestrictions(start_time=f"{start_h:02d}:00", end_time=f"{end_h % 24:02d}:00")
    return tariffs.TariffElement(price_components=(component,), restrictions=hours)


def _component(operator: Operator, version: Version, kind: str, price: Decimal, step: int) -> tariffs.PriceComponent:
    """Prices of 2.2.1 are without tax: to six decimals, so that a bill of a thousand kWh is right to the cent."""
    shown = _before_tax(operator, price, SIX) if version is Version.V221 else price
    return tariffs.PriceComponent(type=kind, price=shown, step_size=step, vat=operator.vat)


def _before_tax(operator: Operator, amount: Decimal, unit: Decimal) -> Decimal:
    if operator.vat is None:
        return amount
    return (amount / (1 + operator.vat / 100)).quantize(unit, ROUND_HALF_UP)


def _price(operator: Operator, version: Version, amount: Decimal, unit: Decimal) -> Price:
    """An amount of ours, which contains the tax."""
    if operator.vat is None:
        return Price.of(version, amount, None)
    return Price.of(version, _before_tax(operator, amount, unit), amount, operator.vat)


# --- sessions ---------------------------------------------------------------------------------------------------------------


def session_of(
    operator: Operator,
    session: OurSession,
    spot: Spot,
    tariff: OurTariff,
    points: Sequence[MeterPoint],
    right: Authorised,
    version: Version,
    at: datetime,
    amount: Decimal | None = None,
) -> sessions.Session:
    """As it stands `at` that instant. `amount`: so far, None where it is not known."""
    return sessions.Session(
        country_code=operator.party.country_code,
        party_id=operator.party.party_id,
        id=wire_id(session.session_id),
        start_date_time=session.started_at,
        end_date_time=session.ended_at,
        kwh=_kwh(session.energy_kwh),
        cdr_token=right.token,
        auth_method=right.method,
        authorization_reference=right.reference,
        location_id=wire_id(spot.station.station_id),
        evse_uid=wire_id(session.evse_id),
        connector_id=str(spot.connector.connector_id),
        currency=tariff.currency,
        charging_periods=charging_periods(session, tariff, points, session.ended_at or at, wire_id(tariff.tariff_id)),
        total_cost=None if amount is None else _price(operator, version, amount, CENT),
        status="ACTIVE" if session.ended_at is None else "COMPLETED",
        last_updated=at,
    )


def cdr_of(
    operator: Operator,
    cdr: OurCdr,
    spot: Spot,
    tariff: OurTariff,
    points: Sequence[MeterPoint],
    right: Authorised,
    version: Version,
    at: datetime,
    signed: sessions.SignedData | None = None,
) -> sessions.Cdr:
    """`total_cost` is our amount to the cent; its parts have four decimals. `at`: when it was made.

    What follows from periods and tariffs may be a cent off: we round each line of a bill, OCPI only the sum.
    """
    session = cdr.session
    assert session.ended_at is not None
    periods = charging_periods(session, tariff, points, session.ended_at, wire_id(tariff.tariff_id))
    parts = {name: sum((each.amount for each in cdr.lines if each.dimension in of), Decimal(0)) for name, of in _PARTS.items()}
    parked = sum((each.volume("PARKING_TIME") for each in periods), Decimal(0))
    return sessions.Cdr(
        country_code=operator.party.country_code,
        party_id=operator.party.party_id,
        id=wire_id(cdr.cdr_id),
        start_date_time=session.started_at,
        end_date_time=session.ended_at,
        session_id=wire_id(session.session_id),
        cdr_token=right.token,
        auth_method=right.method,
        authorization_reference=right.reference,
        cdr_location=_cdr_location(operator, spot),
        currency=cdr.currency,
        tariffs=tariffs_of(operator, tariff, version, at),
        charging_periods=periods,
        signed_data=signed,
        total_cost=_price(operator, version, cdr.amount, CENT),
        total_energy=sum((each.volume("ENERGY") for each in periods), Decimal(0)),
        total_energy_cost=_price(operator, version, parts["energy"], LINE),
        total_time=sum((each.volume("TIME") for each in periods), parked),
        total_parking_time=parked,
        total_parking_cost=_price(operator, version, parts["parking"], LINE),
        last_updated=at,
    )


_PARTS = {"energy": ("energy", "service"), "parking": ("idle",)}


def _cdr_location(operator: Operator, spot: Spot) -> sessions.CdrLocation:
    power_type, _ = power_of(spot.evse.current, spot.connector.power_kw)
    return sessions.CdrLocation(
        id=wire_id(spot.station.station_id),
        name=spot.station.name[:255],
        address=spot.station.name[:45],
        city=spot.city[:45],
        country=operator.country,
        coordinates=_coordinates(spot.place),
        evse_uid=wire_id(spot.evse.evse_id),
        evse_id=evse_id(operator.party, spot.evse.evse_id),
        connector_id=str(spot.connector.connector_id),
        connector_standard=PLUG_ON_WIRE[spot.connector.plug],
        connector_format="CABLE" if spot.evse.current is Current.DC else "SOCKET",
        connector_power_type=power_type,
    )


def _kwh(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(SIX)


# --- tokens -----------------------------------------------------------------------------------------------------------------


def token_of(
    party: Party,
    issuer: str,
    id_token: str,
    contract_id: str,
    at: datetime,
    is_valid: bool = True,
    kind: str = tokens.DEFAULT_TYPE,
    group: str | None = None,
) -> tokens.Token:
    """A token of ours. Cards may be used while we cannot be reached; tokens of apps are always asked for."""
    return tokens.Token(
        country_code=party.country_code,
        party_id=party.party_id,
        uid=id_token,
        type=kind,
        contract_id=contract_id,
        issuer=issuer[:64],
        valid=is_valid,
        whitelist=tokens.ALLOWED_OFFLINE if kind == tokens.DEFAULT_TYPE else tokens.NEVER,
        group_id=group,
        last_updated=at,
    )
