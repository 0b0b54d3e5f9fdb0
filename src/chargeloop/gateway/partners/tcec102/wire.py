"""Our records in the words of T/CEC 102."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from chargeloop.model import Cdr, City, Current, Evse, Session, Site, Station, StopReason, Tariff
from chargeloop.model.errors import BadInput
from chargeloop.physics import wgs84_to_gcj02
from chargeloop.protocols.tcec102 import PLUG_ON_WIRE, STOP_REASON_ON_WIRE, messages

AC, DC = 2, 1  # EquipmentType
FEN = Decimal("0.01")
SPLIT = "."  # between the id of an EVSE and the number of one of its connectors, where it has several


def connector_ids(evse: Evse) -> tuple[str, ...]:
    """A bay's connectors by their name on the wire: an EVSE with one connector is called as it is."""
    if len(evse.connectors) == 1:
        return (evse.evse_id,)
    return tuple(f"{evse.evse_id}{SPLIT}{each.connector_id}" for each in evse.connectors)


def check_ids(stations: Iterable[Station]) -> None:
    """Raises BadInput where an id is longer than the standard allows."""
    for station in stations:
        _short(station.station_id, 20, "station")
        for evse in station.evses:
            _short(evse.evse_id, 23, "EVSE")


def station_infos(city: City, stations: Iterable[Station], operator_id: str, gcj02: bool) -> list[messages.StationInfo]:
    """Stations of the city as `StationInfo`."""
    sites, tariffs = {site.site_id: site for site in city.sites}, city.tariffs_of_stations()
    return [
        _station_info(station, sites[station.site_id], tariffs[station.station_id], operator_id, gcj02) for station in stations
    ]


def _station_info(station: Station, site: Site, tariff: Tariff, operator_id: str, gcj02: bool) -> messages.StationInfo:
    lon, lat = wgs84_to_gcj02(site.place.lon, site.place.lat) if gcj02 else (site.place.lon, site.place.lat)
    return messages.StationInfo(
        StationID=station.station_id,
        OperatorID=operator_id,
        EquipmentOwnerID=operator_id,
        StationName=station.name,
        StationLng=round(float(lon), 6),
        StationLat=round(float(lat), 6),
        EquipmentInfos=tuple(_equipment_info(each) for each in station.evses),
        ParkNums=len(station.evses),
        BusineHours=_hours(station.opens_h, station.closes_h),
        ElectricityFee=_fees(tariff, "energy_per_kwh"),
        ServiceFee=_fees(tariff, "service_per_kwh"),
    )


def _equipment_info(evse: Evse) -> messages.EquipmentInfo:
    connectors = tuple(
        messages.ConnectorInfo(ConnectorID=name, ConnectorType=PLUG_ON_WIRE[each.plug], Power=_kw(each.power_kw))
        for name, each in zip(connector_ids(evse), evse.connectors, strict=True)
    )
    kind = DC if evse.current is Current.DC else AC
    return messages.EquipmentInfo(
        EquipmentID=evse.evse_id, EquipmentType=kind, ConnectorInfos=connectors, Power=_kw(evse.power_kw)
    )


def policy_infos(tariff: Tariff) -> tuple[messages.PolicyInfo, ...]:
    return tuple(
        messages.PolicyInfo(
            StartTime=f"{band.start_h:02d}0000", ElecPrice=band.energy_per_kwh, SevicePrice=band.service_per_kwh
        )
        for band in tariff.bands
    )


def charge_order(seq: str, connector_id: str, cdr: Cdr) -> messages.ChargeOrder:
    """A bill. Idle fees are part of the service: the standard has no place of their own for them.

    Energy is rounded to the Wh, the two sums to the fen so that their sum is the amount of the bill. Prices change within
    a session, but the times at which are not in a CDR: `ChargeDetails` are left out.
    """
    session = cdr.session
    energy = sum((line.amount for line in cdr.lines if line.dimension == "energy"), Decimal(0)).quantize(FEN, ROUND_HALF_UP)
    energy = min(energy, cdr.amount)
    return messages.ChargeOrder(
        StartChargeSeq=seq,
        ConnectorID=connector_id,
        StartTime=session.started_at,
        EndTime=_ended(session),
        TotalPower=Decimal(repr(session.energy_kwh)).quantize(Decimal("0.001"), ROUND_HALF_UP),
        TotalElecMoney=energy,
        TotalSeviceMoney=cdr.amount - energy,
        TotalMoney=cdr.amount,
        StopReason=STOP_REASON_ON_WIRE[session.stop_reason or StopReason.OTHER],
    )


def _ended(session: Session) -> datetime:
    if session.ended_at is None:
        raise BadInput(f"session {session.session_id}", "has not ended")
    return session.ended_at


def _short(name: str, most: int, what: str) -> None:
    if len(name) > most:
        raise BadInput(f"{what} {name}", f"T/CEC 102 allows {most} characters")


def _kw(power: float) -> Decimal:
    return Decimal(repr(power)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _hours(opens: float, closes: float) -> str:
    return "00:00-24:00" if (opens, closes) == (0.0, 24.0) else f"{_clock(opens)}-{_clock(closes)}"


def _clock(hour: float) -> str:
    minutes = round(hour * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _fees(tariff: Tariff, name: str) -> str:
    return ";".join(f"{band.start_h:02d}:00-{band.end_h:02d}:00 {getattr(band, name)}" for band in tariff.bands)
