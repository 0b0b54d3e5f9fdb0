"""We are an operator: partners read our stations, start and stop charges, and are told what happens.

What is told is derived from the store and the loop's picture in `turn`, not from events in passing: after a restart the next
turn finds what was missed. A charge moves on and its messages go into the outbox in one commit.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from chargeloop.gateway.partners.tcec102 import wire
from chargeloop.gateway.partners.tcec102.desk import Handler
from chargeloop.gateway.partners.tcec102.partner import Partner
from chargeloop.model import (
    Cdr,
    City,
    Command,
    Evse,
    EvseStatus,
    RemoteStart,
    RemoteStop,
    Session,
    Tariff,
)
from chargeloop.persistence import PartnerBook, PartnerCharge
from chargeloop.protocols.tcec102 import (
    BEIJING,
    STATUS_ON_WIRE,
    ConnectorStatus,
    FailReason,
    Refused,
    Ret,
    StartChargeSeqStat,
    SuccStat,
    messages,
)

START_WITHIN = timedelta(minutes=2)  # a charge that has not begun by then has failed
TELL_EVERY = timedelta(seconds=50)
UNDER_WAY = (StartChargeSeqStat.STARTING, StartChargeSeqStat.CHARGING, StartChargeSeqStat.STOPPING)
LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Running:
    """A session as it stands."""

    session: Session
    soc: float | None = None


class Live(Protocol):
    """What an operator's platform knows, as `serve` offers it."""

    def status(self, evse_id: str) -> EvseStatus: ...

    def is_reachable(self, evse_id: str) -> bool: ...

    def running(self, charge: PartnerCharge) -> Running | None:
        """The session of a charge, where it is open."""

    async def ended(self, charge: PartnerCharge) -> Session | None:
        """The session of a charge, where it is over."""

    async def cdr(self, session_id: str) -> Cdr | None: ...

    async def energy_kwh(self, station_id: str, since: datetime, until: datetime) -> Mapping[str, float]:
        """By EVSE, of the station's sessions that ended in the span."""


class OperatorSide:
    """Towards one platform. `operators`: whose stations of the city it may see, None for all.

    `tokens`: the id tokens that charges which are not over are started with; chargers ask about them.
    """

    def __init__(
        self,
        partner: Partner,
        city: City,
        live: Live,
        book: PartnerBook,
        send: Callable[[Command], Awaitable[bool]],
        now: Callable[[], datetime],
        operators: Iterable[str] | None = None,
    ) -> None:
        wanted = None if operators is None else set(operators)
        ours = [each for each in city.stations if wanted is None or each.operator_id in wanted]
        wire.check_ids(ours)
        self._partner, self._city, self._live, self._book, self._send, self._now = partner, city, live, book, send, now
        tariffs = city.tariffs_of_stations()
        self._stations = {each.station_id: each for each in ours}
        self._evses: dict[str, Evse] = {evse.evse_id: evse for each in ours for evse in each.evses}
        self._evse_of = {name: evse.evse_id for evse in self._evses.values() for name in wire.connector_ids(evse)}
        self._tariff: dict[str, Tariff] = {evse.evse_id: tariffs[each.station_id] for each in ours for evse in each.evses}
        self.tokens: set[str] = set()
        self._told_status: dict[str, ConnectorStatus] = {}
        self._told_charge: dict[str, datetime] = {}

    @property
    def handlers(self) -> dict[str, Handler]:
        return {
            "query_stations_info": self._query_stations,
            "query_station_status": self._query_status,
            "query_station_stats": self._query_stats,
            "query_equip_auth": self._query_auth,
            "query_equip_business_policy": self._query_policy,
            "query_start_charge": self._query_start,
            "query_stop_charge": self._query_stop,
            "query_equip_charge_status": self._query_charge,
        }

    # --- asked --------------------------------------------------------------------------------------------------------

    async def _query_stations(self, partner: Partner, asked: messages.StationsRequest) -> messages.StationsResponse:
        if asked.PageSize > LARGEST_PAGE:
            raise Refused(Ret.BAD_BUSINESS_PARAMETERS, f"PageSize: {LARGEST_PAGE} at most")
        first = (asked.PageNo - 1) * asked.PageSize
        page = list(self._stations.values())[first : first + asked.PageSize]
        return messages.StationsResponse(
            PageNo=asked.PageNo,
            PageCount=max(-(-len(self._stations) // asked.PageSize), 1),
            ItemSize=len(self._stations),
            StationInfos=tuple(wire.station_infos(self._city, page, partner.our_id, partner.dialect.gcj02)),
        )

    async def _query_status(self, partner: Partner, asked: messages.StatusRequest) -> messages.StatusResponse:  # noqa: ARG002
        infos = tuple(
            messages.StationStatusInfo(
                StationID=station_id,
                ConnectorStatusInfos=tuple(
                    messages.ConnectorStatusInfo(ConnectorID=name, Status=self._status(name))
                    for evse in self._stations[station_id].evses
                    for name in wire.connector_ids(evse)
                ),
            )
            for station_id in asked.StationIDs
            if station_id in self._stations
        )
        return messages.StatusResponse(Total=len(infos), StationStatusInfos=infos)

    async def _query_stats(self, partner: Partner, asked: messages.StatsRequest) -> messages.StatsResponse:  # noqa: ARG002
        station = self._stations.get(asked.StationID)
        if station is None:
            raise Refused(Ret.BAD_BUSINESS_PARAMETERS, f"StationID: {asked.StationID} is not a station of ours")
        since = datetime.combine(asked.StartTime, datetime.min.time(), BEIJING)
        until = datetime.combine(asked.EndTime, datetime.min.time(), BEIJING) + timedelta(days=1)
        kwh = await self._live.energy_kwh(asked.StationID, since, until)
        equipment = tuple(
            _stats(evse, Decimal(repr(kwh.get(evse.evse_id, 0.0))).quantize(Decimal("0.1"))) for evse in station.evses
        )
        return messages.StatsResponse(
            StationStats=messages.StationStats(
                StationID=asked.StationID,
                StartTime=asked.StartTime,
                EndTime=asked.EndTime,
                StationElectricity=sum((each.EquipmentElectricity for each in equipment), Decimal(0)),
                EquipmentStatsInfos=equipment,
            )
        )

    async def _query_auth(self, partner: Partner, asked: messages.AuthRequest) -> messages.AuthResponse:  # noqa: ARG002
        why = self._why_not(asked.ConnectorID)
        return messages.AuthResponse(
            EquipAuthSeq=asked.EquipAuthSeq, ConnectorID=asked.ConnectorID, SuccStat=_succ(why), FailReason=why
        )

    async def _query_policy(self, partner: Partner, asked: messages.PolicyRequest) -> messages.PolicyResponse:  # noqa: ARG002
        evse_id = self._evse_of.get(asked.ConnectorID)
        infos = () if evse_id is None else wire.policy_infos(self._tariff[evse_id])
        why = FailReason.NO_SUCH_DEVICE if evse_id is None else FailReason.NONE
        return messages.PolicyResponse(
            EquipBizSeq=asked.EquipBizSeq,
            ConnectorID=asked.ConnectorID,
            SuccStat=_succ(why),
            FailReason=why,
            SumPeriod=len(infos),
            PolicyInfos=infos,
        )

    async def _query_start(self, partner: Partner, asked: messages.StartRequest) -> messages.StartResponse:
        """A number that was used before starts nothing: it is answered with how that charge stands."""
        charge = await self._book.charge(asked.StartChargeSeq)
        why = FailReason.NONE
        if charge is None:
            why = self._why_not(asked.ConnectorID)
            if why is FailReason.NONE:
                charge, why = await self._start(partner, asked)
        else:
            self._check_owner(charge, partner, asked.ConnectorID)
        return messages.StartResponse(
            StartChargeSeq=asked.StartChargeSeq,
            StartChargeSeqStat=StartChargeSeqStat.UNKNOWN if charge is None else StartChargeSeqStat(charge.state),
            ConnectorID=asked.ConnectorID,
            SuccStat=_succ(why),
            FailReason=why,
        )

    async def _start(self, partner: Partner, asked: messages.StartRequest) -> tuple[PartnerCharge, FailReason]:
        wanted = PartnerCharge(
            seq=asked.StartChargeSeq,
            partner_id=partner.operator_id,
            evse_id=self._evse_of[asked.ConnectorID],
            id_token=f"TC{secrets.token_hex(8)}",  # 18 characters: OCPP 1.6 allows 20, a charge's number has 27
            state=StartChargeSeqStat.STARTING,
            asked_at=self._now(),
        )
        charge = await self._book.open_charge(wanted)
        self._check_owner(charge, partner, asked.ConnectorID)
        self.tokens.add(charge.id_token)
        if charge != wanted:  # the same request, in the same instant
            return charge, FailReason.NONE
        if await self._send(RemoteStart(at=self._now(), evse_id=charge.evse_id, id_token=charge.id_token)):
            return charge, FailReason.NONE
        failed = replace(charge, state=StartChargeSeqStat.ENDED)
        await self._move(failed)
        return failed, FailReason.OFFLINE

    async def _query_stop(self, partner: Partner, asked: messages.StopRequest) -> messages.StopResponse:
        charge = await self._book.charge(asked.StartChargeSeq)
        if charge is None:
            return _stopped(asked, StartChargeSeqStat.UNKNOWN, FailReason.NO_SUCH_DEVICE)
        self._check_owner(charge, partner, asked.ConnectorID)
        running = self._live.running(charge)
        if running is None:
            return _stopped(asked, StartChargeSeqStat.ENDED, FailReason.ALREADY_STOPPED)
        stop = RemoteStop(at=self._now(), evse_id=charge.evse_id, session_id=running.session.session_id)
        if not await self._send(stop):
            return _stopped(asked, StartChargeSeqStat(charge.state), FailReason.OFFLINE)
        await self._move(replace(charge, state=StartChargeSeqStat.STOPPING, session_id=running.session.session_id))
        return _stopped(asked, StartChargeSeqStat.STOPPING, FailReason.NONE)

    async def _query_charge(self, partner: Partner, asked: messages.ChargeRequest) -> messages.ChargeStatus:
        charge = await self._book.charge(asked.StartChargeSeq)
        if charge is None or charge.partner_id != partner.operator_id:
            raise Refused(Ret.BAD_BUSINESS_PARAMETERS, "StartChargeSeq: there is no such charge")
        running = self._live.running(charge)
        if running is None:
            session = await self._live.ended(charge)
            running = None if session is None else Running(session)
        return self._status_of(charge, running)

    # --- told ---------------------------------------------------------------------------------------------------------

    async def turn(self) -> None:
        """Look at what has changed since the last turn, and put what the partner is to be told into the outbox.

        Statuses are told from the second turn on: a partner reads all of them when it begins, and again from time to time.
        """
        for charge in await self._book.charges(self._partner.operator_id, UNDER_WAY):
            await self._follow(charge)
        statuses = {name: self._status(name) for name in self._evse_of}
        changed = {name: each for name, each in statuses.items() if self._told_status.get(name, each) != each}
        for name, status in changed.items():
            info = messages.ConnectorStatusInfo(ConnectorID=name, Status=status)
            body = messages.StatusChanged(ConnectorStatusInfo=info).on_wire()
            await self._book.post(self._partner.operator_id, "notification_stationStatus", body, key=f"status {name}")
        self._told_status = statuses

    async def _follow(self, charge: PartnerCharge) -> None:
        running = self._live.running(charge)
        if running is not None:
            await self._goes_on(charge, running)
            return
        session = await self._live.ended(charge)
        if session is not None:
            await self._is_over(charge, session)
        elif charge.state == StartChargeSeqStat.STARTING and self._now() - charge.asked_at > START_WITHIN:
            failed = replace(charge, state=StartChargeSeqStat.ENDED)
            await self._move(failed, self._start_result(failed, None))

    async def _goes_on(self, charge: PartnerCharge, running: Running) -> None:
        if charge.state == StartChargeSeqStat.STARTING:
            begun = replace(charge, state=StartChargeSeqStat.CHARGING, session_id=running.session.session_id)
            await self._move(begun, self._start_result(begun, running.session))
        elif self._now() - self._told_charge.get(charge.seq, charge.asked_at) >= TELL_EVERY:
            self._told_charge[charge.seq] = self._now()
            body = self._status_of(charge, running).on_wire()
            await self._book.post(charge.partner_id, "notification_equip_charge_status", body, key=f"charge {charge.seq}")

    async def _is_over(self, charge: PartnerCharge, session: Session) -> None:
        """Told once the bill is there, a turn of the loop later at most."""
        cdr = await self._live.cdr(session.session_id)
        if cdr is None:
            return
        ended = replace(charge, state=StartChargeSeqStat.ENDED, session_id=session.session_id)
        told: list[tuple[str, dict[str, Any]]] = []
        if charge.state == StartChargeSeqStat.STARTING:  # it began and ended between two turns
            told.append(self._start_result(replace(ended, state=StartChargeSeqStat.CHARGING), session))
        result = messages.StopResult(
            StartChargeSeq=charge.seq,
            StartChargeSeqStat=StartChargeSeqStat.ENDED,
            ConnectorID=self._connector(charge),
            SuccStat=SuccStat.OK,
            FailReason=FailReason.NONE,
        )
        order = wire.charge_order(charge.seq, self._connector(charge), cdr)
        told += [("notification_stop_charge_result", result.on_wire()), ("notification_charge_order_info", order.on_wire())]
        await self._move(ended, *told)

    def _start_result(self, charge: PartnerCharge, session: Session | None) -> tuple[str, dict[str, Any]]:
        result = messages.StartResult(
            StartChargeSeq=charge.seq,
            StartChargeSeqStat=StartChargeSeqStat(charge.state),
            ConnectorID=self._connector(charge),
            StartTime=None if session is None else session.started_at,
        )
        return "notification_start_charge_result", result.on_wire()

    def _status_of(self, charge: PartnerCharge, running: Running | None) -> messages.ChargeStatus:
        begun = charge.asked_at if running is None else running.session.started_at
        kwh = 0.0 if running is None else running.session.energy_kwh
        return messages.ChargeStatus(
            StartChargeSeq=charge.seq,
            StartChargeSeqStat=StartChargeSeqStat(charge.state),
            ConnectorID=self._connector(charge),
            ConnectorStatus=self._status(self._connector(charge)),
            StartTime=begun,
            EndTime=self._now() if running is None else running.session.ended_at or self._now(),
            TotalPower=Decimal(repr(kwh)).quantize(Decimal("0.001")),
            Soc=Decimal(0) if running is None or running.soc is None else Decimal(round(running.soc * 100)),
        )

    # --- how ----------------------------------------------------------------------------------------------------------

    async def remember(self) -> None:
        """After a restart: the charges that are not over."""
        charges = await self._book.charges(self._partner.operator_id, UNDER_WAY)
        self.tokens.update(charge.id_token for charge in charges)

    async def _move(self, charge: PartnerCharge, *told: tuple[str, dict[str, Any]]) -> None:
        await self._book.move(charge, told)
        if charge.state == StartChargeSeqStat.ENDED:
            self.tokens.discard(charge.id_token)
            self._told_charge.pop(charge.seq, None)

    def _status(self, connector_id: str) -> ConnectorStatus:
        return STATUS_ON_WIRE[self._live.status(self._evse_of[connector_id])]

    def _why_not(self, connector_id: str) -> FailReason:
        evse_id = self._evse_of.get(connector_id)
        if evse_id is None:
            return FailReason.NO_SUCH_DEVICE
        return FailReason.NONE if self._live.is_reachable(evse_id) else FailReason.OFFLINE

    def _connector(self, charge: PartnerCharge) -> str:
        return wire.connector_ids(self._evses[charge.evse_id])[0]

    def _check_owner(self, charge: PartnerCharge, partner: Partner, connector_id: str) -> None:
        if charge.partner_id != partner.operator_id or self._evse_of.get(connector_id) != charge.evse_id:
            raise Refused(Ret.BAD_BUSINESS_PARAMETERS, "StartChargeSeq: that number belongs to another charge")


def _stopped(asked: messages.StopRequest, state: StartChargeSeqStat, why: FailReason) -> messages.StopResponse:
    return messages.StopResponse(
        StartChargeSeq=asked.StartChargeSeq, StartChargeSeqStat=state, SuccStat=_succ(why), FailReason=why
    )


def _succ(why: FailReason) -> SuccStat:
    return SuccStat.OK if why is FailReason.NONE else SuccStat.FAILED


def _stats(evse: Evse, kwh: Decimal) -> messages.EquipmentStats:
    """Of an EVSE with several connectors the first one stands for all: the energy is metered for the EVSE."""
    connectors = wire.connector_ids(evse)
    amounts = [kwh, *[Decimal(0)] * (len(connectors) - 1)]
    return messages.EquipmentStats(
        EquipmentID=evse.evse_id,
        EquipmentElectricity=kwh,
        ConnectorStatsInfos=tuple(
            messages.ConnectorStats(ConnectorID=name, ConnectorElectricity=each)
            for name, each in zip(connectors, amounts, strict=True)
        ),
    )
