"""What chargers are told of money: the tariff (2.1), what a session has cost so far, and in the end (2.x)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from chargeloop.gateway.ocpp.handling import Handling
from chargeloop.model import Event, SessionEnded, SessionStarted, StopReason
from chargeloop.persistence import Registration
from chargeloop.protocols.ocpp import Outcome, Transaction, Version, tariff_of_21

TELL_EVERY = timedelta(minutes=1)  # what a running session costs
log = structlog.get_logger()


class Costs:
    """Of one charger. A cost that is not known is left out, for absent is not free (I03)."""

    def __init__(self, handling: Handling) -> None:
        self._handling = handling
        self._told: dict[str, tuple[datetime, float]] = {}  # of each session: when, and what
        self._is_deaf = False  # it knows no CostUpdated

    def answer(self, outcome: Outcome, now: datetime) -> dict[str, Any]:
        """What belongs into the answer to a TransactionEvent: the final cost (I03), or now and then the running one (I02)."""
        transaction = outcome.transaction
        if transaction is None or any(isinstance(each, SessionStarted) for each in outcome.events):
            return {}
        if any(isinstance(each, SessionEnded) for each in outcome.events):
            self._told.pop(transaction.session_id, None)
            cost = self._handling.cost_of(transaction.session_id, outcome.events)
            return {} if cost is None else {"totalCost": float(cost)}
        if not transaction.is_open or not self._is_due(transaction, now):
            return {}
        so_far = self._so_far(transaction, outcome.events, now)
        return {} if so_far is None else {"totalCost": so_far}

    async def tell(self, registration: Registration, running: Sequence[Transaction], now: datetime) -> None:
        """Say what has changed without a word of the charger, as an idle fee does (I02)."""
        for transaction in running:
            last = self._told.get(transaction.session_id)
            if last is None or self._is_deaf or now - last[0] < 2 * TELL_EVERY:
                continue  # never answered with a cost: 1.6, or nobody knows it
            so_far = self._so_far(transaction, (), now)
            if so_far is None or so_far == last[1]:
                continue
            payload = {"totalCost": so_far, "transactionId": transaction.wire_id}
            answer = await self._handling.call(registration.charger_id, "CostUpdated", payload)
            self._is_deaf = answer.status == "error"

    async def bring_tariffs(self, registration: Registration) -> None:
        """Give a charger of 2.1 the tariffs of its EVSEs, after it has booted (I07)."""
        if registration.version != Version.V21:
            return
        for number, evse_id in enumerate(registration.evse_ids, start=1):
            tariff = self._handling.tariff_of(evse_id)
            if tariff is None:
                continue
            answer = await self._handling.call(
                registration.charger_id, "SetDefaultTariff", {"evseId": number, "tariff": tariff_of_21(tariff)}
            )
            if answer.status != "answered":
                return  # it calculates no costs itself
            if answer.payload.get("status") not in ("Accepted", "DuplicateTariffId"):
                log.warning("charger refused its tariff", charger_id=registration.charger_id, answer=answer.payload)

    def _is_due(self, transaction: Transaction, now: datetime) -> bool:
        last = self._told.get(transaction.session_id)
        return last is None or now - last[0] >= TELL_EVERY

    def _so_far(self, transaction: Transaction, events: Sequence[Event], now: datetime) -> float | None:
        """As if it ended now."""
        ended = SessionEnded(
            at=max(now, transaction.at),
            session_id=transaction.session_id,
            evse_id=transaction.evse_id,
            meter_wh=transaction.meter_wh,
            reason=StopReason.OTHER,
        )
        cost = self._handling.cost_of(transaction.session_id, [*events, ended])
        if cost is None:
            return None
        self._told[transaction.session_id] = now, float(cost)
        return float(cost)
