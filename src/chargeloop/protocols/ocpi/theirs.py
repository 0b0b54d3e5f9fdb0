"""What others say by OCPI, as our records: stations, states, tariffs, sessions and charge detail records."""

import hashlib
import re
from decimal import Decimal

from chargeloop.model import (
    BadInput,
    Connector,
    CostLine,
    Current,
    Evse,
    EvseStatus,
    Place,
    Plug,
    PriceBand,
    Station,
    StopReason,
)
from chargeloop.model import Cdr as OurCdr
from chargeloop.model import Session as OurSession
from chargeloop.model import Tariff as OurTariff
from chargeloop.protocols.ocpi.kinds import Owned
from chargeloop.protocols.ocpi.locations import Connector as TheirConnector
from chargeloop.protocols.ocpi.locations import Evse as TheirEvse
from chargeloop.protocols.ocpi.locations import Location
from chargeloop.protocols.ocpi.own import PLUG_ON_WIRE
from chargeloop.protocols.ocpi.sessions import Cdr, Session
from chargeloop.protocols.ocpi.tariffs import ENERGY, PARKING_TIME, PriceComponent, Tariff, TariffRestrictions

PLUG_FROM_WIRE: dict[str, Plug] = {wire: plug for plug, wire in PLUG_ON_WIRE.items()}
STATUS_FROM_WIRE = {
    "AVAILABLE": EvseStatus.AVAILABLE,
    "BLOCKED": EvseStatus.FINISHING,  # somebody stands there, no energy flows
    "CHARGING": EvseStatus.CHARGING,
    "INOPERATIVE": EvseStatus.UNAVAILABLE,
    "OUTOFORDER": EvseStatus.FAULTED,
    "PLANNED": EvseStatus.UNAVAILABLE,
    "REMOVED": EvseStatus.UNAVAILABLE,
    "RESERVED": EvseStatus.RESERVED,
    "UNKNOWN": EvseStatus.UNAVAILABLE,
}
LONGEST_ID_TOKEN = 20
_FULL_HOUR = re.compile(r"\d\d:00")


def our_id(thing: Owned, identifier: str) -> str:
    """What a thing of another party is called here: no two parties' can be the same."""
    return f"{thing.country_code.upper()}*{thing.party_id.upper()}*{identifier}"


def id_token_of(uid: str) -> str:
    """A token as chargers know it: as it is, or a digest where it is longer than OCPP 1.6 has room for."""
    return uid if len(uid) <= LONGEST_ID_TOKEN else hashlib.sha256(uid.casefold().encode()).hexdigest()[:LONGEST_ID_TOKEN]


def station_from(location: Location, site_id: str) -> tuple[Station, Place]:
    """A station with those bays whose plugs we know, and where it is.

    Raises:
        BadInput: there is no such bay.
    """
    evses = tuple(bay for each in location.evses if each.status != "REMOVED" and (bay := _bay(location, each)) is not None)
    name = our_id(location, location.id)
    if not evses:
        raise BadInput(f"location {name}", "has no bay with a plug that is known here")
    tariff_id = next((of for each in location.evses for one in each.connectors for of in one.tariff_ids), "")
    operator = f"{location.country_code.upper()}*{location.party_id.upper()}"
    station = Station(name, location.name or location.address, operator, site_id, our_id(location, tariff_id), evses)
    return station, Place(float(location.coordinates.longitude), float(location.coordinates.latitude))


def _bay(location: Location, evse: TheirEvse) -> Evse | None:
    known = [each for each in evse.connectors if each.standard in PLUG_FROM_WIRE]
    if not known:
        return None
    connectors = tuple(Connector(n, PLUG_FROM_WIRE[each.standard], _kw(each)) for n, each in enumerate(known, start=1))
    current = Current.DC if known[0].power_type == "DC" else Current.AC
    return Evse(our_id(location, evse.uid), current, max(each.power_kw for each in connectors), connectors)


def _kw(connector: TheirConnector) -> float:
    phases = {"AC_3_PHASE": 3, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2}.get(connector.power_type, 1)
    most_w = connector.max_electric_power or connector.max_voltage * connector.max_amperage * phases
    return max(most_w, 1) / 1000


def statuses_from(location: Location) -> dict[str, EvseStatus]:
    """By our id of the bay."""
    return {our_id(location, each.uid): STATUS_FROM_WIRE[each.status] for each in location.evses}


def tariff_from(tariff: Tariff, time_zone: str) -> OurTariff:
    """A tariff that says what our kind can say: a price per kWh by the hour of the day, and one for parking.

    Raises:
        BadInput: it says more; what a session costs then, only `price` knows.
    """
    where = f"tariff {our_id(tariff, tariff.id)}"
    per_kwh = list[tuple[TariffRestrictions | None, Decimal]]()
    idle: Decimal | None = None
    for element in tariff.elements:
        for component in element.price_components:
            if component.type == ENERGY:
                per_kwh.append((element.restrictions, _with_tax(component, tariff)))
            elif component.type == PARKING_TIME and element.restrictions is None and idle is None:
                idle = _with_tax(component, tariff) / 60
            elif component.price:
                raise BadInput(where, f"has a price by {component.type} that depends on something")
    prices = [next((price for limits, price in per_kwh if _holds(limits, hour, where)), Decimal(0)) for hour in range(24)]
    starts = [hour for hour in range(24) if hour == 0 or prices[hour] != prices[hour - 1]]
    bands = tuple(
        PriceBand(start, end, prices[start], Decimal(0)) for start, end in zip(starts, [*starts[1:], 24], strict=True)
    )
    return OurTariff(our_id(tariff, tariff.id), tariff.currency, time_zone, bands, idle or Decimal(0), 0, Decimal("1E9"))


def _with_tax(component: PriceComponent, tariff: Tariff) -> Decimal:
    factor = Decimal(1) if tariff.tax_included in ("YES", "N/A") else 1 + (component.vat or Decimal(0)) / 100
    return component.price * factor


def _holds(limits: TariffRestrictions | None, hour: int, where: str) -> bool:
    if limits is None:
        return True
    start, end = limits.start_time or "00:00", limits.end_time or "00:00"
    given = {name for name, value in limits if value not in (None, ())}
    if given - {"start_time", "end_time"} or not (_FULL_HOUR.fullmatch(start) and _FULL_HOUR.fullmatch(end)):
        raise BadInput(where, "has a price per kWh that depends on more than the hour of the day")
    clock = f"{hour:02d}:00"
    return start <= clock < end if start < end else start == end or clock >= start or clock < end


def session_from(session: Session) -> OurSession:
    return OurSession(
        session_id=our_id(session, session.id),
        evse_id=our_id(session, session.evse_uid),
        station_id=our_id(session, session.location_id),
        id_token=id_token_of(session.cdr_token.uid),
        started_at=session.start_date_time,
        energy_kwh=max(float(session.kwh), 0.0),
        ended_at=session.end_date_time,
    )


def cdr_from(cdr: Cdr) -> OurCdr:
    """`amount` with tax. A credit CDR has a negative one. CO₂ is not told by OCPI: 0."""
    session = OurSession(
        session_id=our_id(cdr, cdr.session_id or cdr.id),
        evse_id=our_id(cdr, cdr.cdr_location.evse_uid),
        station_id=our_id(cdr, cdr.cdr_location.id),
        id_token=id_token_of(cdr.cdr_token.uid),
        started_at=cdr.start_date_time,
        energy_kwh=max(float(cdr.total_energy), 0.0),
        ended_at=cdr.end_date_time,
        stop_reason=StopReason.OTHER,
    )
    parts = (
        ("fixed", cdr.total_fixed_cost, Decimal(1)),
        ("energy", cdr.total_energy_cost, cdr.total_energy),
        ("time", cdr.total_time_cost, cdr.charging_time * 60),
        ("idle", cdr.total_parking_cost, (cdr.total_parking_time or Decimal(0)) * 60),
        ("reservation", cdr.total_reservation_cost, Decimal(1)),
    )
    sign = -1 if cdr.credit else 1
    lines = tuple(
        CostLine(name, quantity, cost.after / quantity if quantity else cost.after, sign * cost.after)
        for name, cost, quantity in parts
        if cost is not None
    )
    tariff_id = our_id(cdr, cdr.tariffs[0].id) if cdr.tariffs else our_id(cdr, "-")
    return OurCdr(our_id(cdr, cdr.id), session, tariff_id, cdr.currency, lines, cdr.total_cost.after, 0.0)
