"""Telling one charger what it may take: the safe profile once, then each change, and now and then the same so that it stays."""

import asyncio
from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any

import structlog

from chargeloop.edge.plan import cap_profile, clear_share, safe_profile, share_profile
from chargeloop.edge.wire import payload_of
from chargeloop.protocols.ocpp import CallError, CallResult, Version

if TYPE_CHECKING:
    from chargeloop.edge.station import Station

SILENT_S = 3.0  # wall time: a charger that was accepted before may have nothing to say as it comes back
AGAIN_S = 20.0  # wall time: until one that refused is tried again
log = structlog.get_logger()


class Telling:
    """`why`: what is wrong; empty where the charger does as it is told. `was_armed`: it once took the safe profile."""

    def __init__(self, station: "Station") -> None:
        self._station = station
        self.was_armed, self.why = False, "not connected"
        self.told = 0  # profiles sent
        self._is_armed, self._can_report = False, True
        self._asked_s = -inf
        self._wanted_kw = 0.0
        self._shares: dict[int, tuple[str, float]] = {}  # wanted, by connector: of which transaction, and kW
        self._told_shares: dict[int, tuple[str, float]] = {}
        self._told_s, self._lapses_s = -inf, inf
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[Any] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the charger has taken what it was last to be told."""
        return self._station.cap.told_kw == self._wanted_kw and self._shares == self._told_shares

    def restore(self, *, was_armed: bool) -> None:
        """After a restart: what an earlier process told it may hold until it lapses."""
        self.was_armed = was_armed
        if was_armed:
            self._lapses_s = self._station.shared.clock().timestamp() + self._station.shared.site.control.renew_s

    def opened(self) -> None:
        self._stop()
        self._is_armed, self.why = False, "not heard of yet"
        if self._station.is_accepted:
            self._station.spawn(self._arm_later())

    def closed(self) -> None:
        self._stop()
        self._lost()
        self.why = "not connected"

    def arm(self) -> None:
        """The charger may be called now."""
        if not self._is_armed and self._station.connection is not None:
            self._is_armed = True
            self._worker = self._station.spawn(self._work())

    def order(self, kw: float) -> None:
        """Have it take no more than that."""
        self._wanted_kw = kw
        self._wake.set()

    def shares(self, share_kw: Mapping[str, float], *, is_ordered: bool, is_over: bool) -> None:
        """What each transaction is to take, where the cap does not say it: at a charger of several connectors, or where the

        charger holds a plan that is over. They change with the cap.
        """
        station = self._station
        wanted = {}
        for wire_id, kw in share_kw.items():
            transaction = station.ledger.find(wire_id)
            connector = 0 if transaction is None else station.connector_of(transaction.evse_id)
            if connector and (station.of.connectors > 1 or (is_over and station.plan.has_of_session(connector))):
                wanted[connector] = (wire_id, kw)
        of = {connector: wire_id for connector, (wire_id, _) in wanted.items()}
        if is_ordered or of != {connector: wire_id for connector, (wire_id, _) in self._shares.items()}:
            self._shares = wanted
            self._wake.set()

    def forget(self) -> None:
        """Tell everything anew."""
        self._told_s, self._told_shares = -inf, {}
        self._station.spawn(self._tell_safe())
        self._wake.set()

    def tend(self, now_s: float) -> None:
        """Once a second: renew what would lapse; one that has lapsed is at the safe limit; have what is drawn now reported."""
        site, cap = self._station.shared.site, self._station.cap
        followed_s = cap.changed_s + site.control.react_s
        if cap.is_reachable and self._can_report and self._asked_s < followed_s <= now_s:
            self._asked_s = now_s
            for each in self._station.ledger.open:
                if each.heard_at.timestamp() < followed_s:
                    self._station.spawn(self._ask_report(self._station.connector_of(each.evse_id)))
        if now_s - self._told_s >= site.control.renew_s / 2:
            self._wake.set()
        if not cap.is_reachable and now_s >= self._lapses_s:
            cap.told_kw = site.fallback_kw(self._station.of)

    # --- how ------------------------------------------------------------------------------------------------------------

    async def _ask_report(self, connector: int) -> None:
        """What a vehicle takes of what it may is known once the charger has said so; one that cannot be asked is not again."""
        connection, is_16 = self._station.connection, self._station.version is Version.V16
        if connection is None:
            return
        which = {"connectorId": connector} if is_16 else {"evse": {"id": connector}}
        message = "MeterValues" if is_16 else "TransactionEvent"  # in 2.x meter values of transactions come with these
        _, frame = await connection.call("TriggerMessage", {"requestedMessage": message, **which})
        if isinstance(frame, CallError) or (
            isinstance(frame, CallResult) and payload_of(frame).get("status") == "NotImplemented"
        ):
            self._can_report = False

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    def _lost(self) -> None:
        shared, cap = self._station.shared, self._station.cap
        cap.is_reachable = False
        cap.lost(shared.clock().timestamp() + shared.site.control.renew_s)

    async def _arm_later(self) -> None:
        await asyncio.sleep(SILENT_S)
        self.arm()

    async def _work(self) -> None:
        while not await self._tell_safe():
            await asyncio.sleep(AGAIN_S)
        cap = self._station.cap
        while True:
            self._wake.clear()
            if await self._tell():
                cap.is_reachable, self.why = True, ""
                await self._wake.wait()
            else:
                self._lost()
                await asyncio.sleep(AGAIN_S)

    async def _tell_safe(self) -> bool:
        station = self._station
        profile = safe_profile(station.shared.site, station.of, station.version, station.shared.clock())
        if not await self._call("SetChargingProfile", profile):
            return False
        if not self.was_armed:
            self.was_armed = True
            await station.shared.buffer.remember(station.id, "was_armed", True)
        return True

    async def _tell(self) -> bool:
        """Bring the charger to what is wanted: the shares, then the cap. Whether it took everything."""
        station = self._station
        site, cap, clock = station.shared.site, station.cap, station.shared.clock
        is_due = clock().timestamp() - self._told_s >= site.control.renew_s / 2
        if not await self._tell_shares(is_due=is_due):
            return False
        kw = self._wanted_kw
        if kw == cap.told_kw and not is_due:
            return True
        cap.sending_kw = kw
        now = clock()
        if not await self._call("SetChargingProfile", cap_profile(site, station.of, station.version, kw, now)):
            return False
        self._told_s, self._lapses_s = now.timestamp(), now.timestamp() + site.control.renew_s
        cap.confirmed(kw, clock().timestamp(), site.control.react_s)
        return True

    async def _tell_shares(self, *, is_due: bool) -> bool:
        station = self._station
        site, version, clock = station.shared.site, station.version, station.shared.clock
        wanted = self._shares
        for connector, (wire_id, kw) in wanted.items():
            if is_due or self._told_shares.get(connector) != (wire_id, kw):
                payload = share_profile(site, station.of, version, kw, clock(), connector, wire_id)
                if not await self._call("SetChargingProfile", payload):
                    return False
        for connector in self._told_shares.keys() - wanted.keys():
            await self._call("ClearChargingProfile", clear_share(version, connector))
        self._told_shares = dict(wanted)
        return True

    async def _call(self, action: str, payload: dict[str, Any]) -> bool:
        connection = self._station.connection
        if connection is None or not connection.is_open:
            return False
        _, frame = await connection.call(action, payload)
        self.told += 1
        if isinstance(frame, CallResult):
            status = payload_of(frame).get("status")
            if status == "Accepted":
                return True
            self.why = f"{action}: {status}"
        else:
            self.why = f"{action}: no answer" if frame is None else f"{action}: an error"
        log.warning("charger does not do as it is told", charger_id=self._station.id, why=self.why)
        return False
