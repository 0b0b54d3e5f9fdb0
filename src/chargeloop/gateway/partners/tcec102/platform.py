"""We are the platform that operators report to: supervision, a coordination centre, or an app that starts charges."""

import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog

from chargeloop.gateway.partners.tcec102.caller import Caller
from chargeloop.gateway.partners.tcec102.desk import Handler
from chargeloop.gateway.partners.tcec102.partner import Partner
from chargeloop.persistence import PartnerBook
from chargeloop.protocols.tcec102 import (
    ConfirmResult,
    ConnectorStatus,
    Refused,
    Ret,
    StartChargeSeqStat,
    SuccStat,
    messages,
    read,
)

STATION, STATUS, CHARGE, ORDER = "station", "status", "charge", "order"
NOT_HERE, DIFFERENT = 1, 2  # DisputeReason
PAGE = 100
MOST_PAGES = 1000  # an operator that counts on for ever is left after so many
log = structlog.get_logger()


class PlatformSide:
    """What operators tell is kept in the book, by operator: stations, statuses, charges, orders."""

    def __init__(self, book: PartnerBook) -> None:
        self._book = book

    @property
    def handlers(self) -> dict[str, Handler]:
        return {
            "notification_stationInfo": self._station_changed,
            "notification_stationStatus": self._status_changed,
            "notification_start_charge_result": self._start_result,
            "notification_equip_charge_status": self._charge_status,
            "notification_stop_charge_result": self._stop_result,
            "notification_charge_order_info": self._order,
            "check_charge_orders": self._check,
        }

    # --- told ---------------------------------------------------------------------------------------------------------

    async def _station_changed(self, partner: Partner, told: messages.StationChanged) -> messages.Acknowledged:
        await self._keep_stations(partner, [told.StationInfo])
        return messages.Acknowledged(Status=0)

    async def _status_changed(self, partner: Partner, told: messages.StatusChanged) -> messages.Acknowledged:
        info = told.ConnectorStatusInfo
        await self._book.keep(partner.operator_id, STATUS, {info.ConnectorID: info.on_wire()})
        return messages.Acknowledged(Status=0)

    async def _start_result(self, partner: Partner, told: messages.StartResult) -> messages.Taken:
        return await self._charge_moved(partner, told.StartChargeSeq, told.StartChargeSeqStat, told)

    async def _charge_status(self, partner: Partner, told: messages.ChargeStatus) -> messages.Taken:
        return await self._charge_moved(partner, told.StartChargeSeq, told.StartChargeSeqStat, told)

    async def _stop_result(self, partner: Partner, told: messages.StopResult) -> messages.Taken:
        return await self._charge_moved(partner, told.StartChargeSeq, told.StartChargeSeqStat, told)

    async def _charge_moved(
        self, partner: Partner, seq: str, state: StartChargeSeqStat, told: messages.Message
    ) -> messages.Taken:
        """Messages may overtake each other: a charge that has ended does not run again."""
        before = await self._book.kept_one(partner.operator_id, CHARGE, seq)
        if before is None or before["StartChargeSeqStat"] <= state:
            await self._book.keep(partner.operator_id, CHARGE, {seq: {**(before or {}), **told.on_wire()}})
        return messages.Taken(StartChargeSeq=seq, SuccStat=SuccStat.OK)

    async def _order(self, partner: Partner, told: messages.ChargeOrder) -> messages.OrderConfirmed:
        """The first order of a charge stands; the same again is confirmed again, another one is disputed."""
        before = await self._book.kept_one(partner.operator_id, ORDER, told.StartChargeSeq)
        if before is None:
            await self._book.keep(partner.operator_id, ORDER, {told.StartChargeSeq: told.on_wire()})
        is_same = before is None or read(messages.ChargeOrder, before) == told
        if not is_same:
            log.warning("order disputed", partner=partner.operator_id, charge=told.StartChargeSeq)
        return messages.OrderConfirmed(
            StartChargeSeq=told.StartChargeSeq,
            ConnectorID=told.ConnectorID,
            ConfirmResult=ConfirmResult.OK if is_same else ConfirmResult.DISPUTED,
        )

    async def _check(self, partner: Partner, told: messages.OrdersCheck) -> messages.OrdersChecked:
        """Their list against the orders that we hold: what we do not know, or know otherwise, is disputed."""
        orders = told.ChargeOrders
        sums = (len(orders), _sum(o.TotalPower for o in orders), _sum(o.TotalMoney for o in orders))
        if sums != (told.OrderCount, told.TotalOrderPower, told.TotalOrderMoney):
            raise Refused(
                Ret.BAD_BUSINESS_PARAMETERS, "OrderCount, TotalOrderPower or TotalOrderMoney is not that of ChargeOrders"
            )
        kept = await self._book.kept(partner.operator_id, ORDER)
        disputed = [
            messages.DisputedOrder(**line.model_dump(), DisputeReason=why)
            for line in orders
            if (why := _why_disputed(line, kept.get(line.StartChargeSeq)))
        ]
        return messages.OrdersChecked(
            CheckOrderSeq=told.CheckOrderSeq,
            StartTime=told.StartTime,
            EndTime=told.EndTime,
            TotalDisputeOrder=len(disputed),
            TotalDisputePower=_sum(o.TotalPower for o in disputed),
            TotalDisputeMoney=_sum(o.TotalMoney for o in disputed),
            DisputeOrders=tuple(disputed),
        )

    async def _keep_stations(self, partner: Partner, infos: Sequence[messages.StationInfo]) -> None:
        if any(info.OperatorID != partner.operator_id for info in infos):
            raise Refused(Ret.BAD_BUSINESS_PARAMETERS, "StationInfo.OperatorID: that is another operator")
        await self._book.keep(partner.operator_id, STATION, {info.StationID: info.on_wire() for info in infos})

    # --- asking -------------------------------------------------------------------------------------------------------

    async def read_stations(self, caller: Caller) -> int:
        """All pages of an operator's stations, and the status of each connector; returns the number of stations."""
        partner, ids, page, pages = caller.partner, list[str](), 1, 1
        while page <= pages:
            asked = messages.StationsRequest(PageNo=page, PageSize=PAGE)
            got = await caller.call("query_stations_info", asked, messages.StationsResponse)
            await self._keep_stations(partner, got.StationInfos)
            ids += [info.StationID for info in got.StationInfos]
            page, pages = page + 1, min(got.PageCount, MOST_PAGES)
        for first in range(0, len(ids), 50):
            asked_of = messages.StatusRequest(StationIDs=tuple(ids[first : first + 50]))
            statuses = await caller.call("query_station_status", asked_of, messages.StatusResponse)
            all_of = [each for station in statuses.StationStatusInfos for each in station.ConnectorStatusInfos]
            await self._book.keep(partner.operator_id, STATUS, {each.ConnectorID: each.on_wire() for each in all_of})
        return len(ids)

    async def start(self, caller: Caller, connector_id: str, seq: str | None = None) -> messages.StartResponse:
        """Ask for a charge; with the same `seq` as often as one likes, it is one charge."""
        asked = messages.StartRequest(StartChargeSeq=seq or charge_number(caller.partner.our_id), ConnectorID=connector_id)
        return await caller.call("query_start_charge", asked, messages.StartResponse)

    async def stop(self, caller: Caller, seq: str, connector_id: str) -> messages.StopResponse:
        asked = messages.StopRequest(StartChargeSeq=seq, ConnectorID=connector_id)
        return await caller.call("query_stop_charge", asked, messages.StopResponse)

    # --- what is known ------------------------------------------------------------------------------------------------

    async def stations(self, operator_id: str) -> tuple[messages.StationInfo, ...]:
        return tuple(read(messages.StationInfo, each) for each in (await self._book.kept(operator_id, STATION)).values())

    async def statuses(self, operator_id: str) -> dict[str, ConnectorStatus]:
        kept = await self._book.kept(operator_id, STATUS)
        return {name: ConnectorStatus(each["Status"]) for name, each in kept.items()}

    async def orders(self, operator_id: str) -> dict[str, messages.ChargeOrder]:
        return {seq: read(messages.ChargeOrder, each) for seq, each in (await self._book.kept(operator_id, ORDER)).items()}

    async def charge_state(self, operator_id: str, seq: str) -> StartChargeSeqStat | None:
        kept = await self._book.kept_one(operator_id, CHARGE, seq)
        return None if kept is None else StartChargeSeqStat(kept["StartChargeSeqStat"])


def charge_number(operator_id: str) -> str:
    """27 characters: our id and eighteen of our own."""
    return f"{operator_id}{secrets.randbelow(10**18):018d}"


def _why_disputed(line: messages.OrderLine, kept: Mapping[str, Any] | None) -> int:
    if kept is None:
        return NOT_HERE
    same = (Decimal(str(kept["TotalPower"])), Decimal(str(kept["TotalMoney"]))) == (line.TotalPower, line.TotalMoney)
    return 0 if same else DIFFERENT


def _sum(values: Any) -> Decimal:
    return sum(values, Decimal(0))
