"""What a charger's word on a reservation means: to its queue the bay is lost, and the driver keeps his place."""

from datetime import datetime
from typing import Any

from chargeloop.model import BayLost, Event, EvseStatus, EvseStatusChanged, Loss
from chargeloop.protocols.ocpp import Version

WANTED = {"requestedMessage": "StatusNotification"}
REFUSED = {"Occupied": EvseStatus.RESERVED, "Faulted": EvseStatus.FAULTED, "Unavailable": EvseStatus.UNAVAILABLE}


def given_up(reservation_id: int, evse_ids: tuple[str, ...], now: datetime) -> BayLost:
    """ReservationStatusUpdate of 2.x: expired, removed, or left without a transaction. Of its own EVSEs only can one speak."""
    return BayLost(at=now, reservation_id=reservation_id, why=Loss.CHARGER, evse_ids=evse_ids)


def refused(evse_id: str, reservation_id: int, answer: dict[str, Any], now: datetime) -> list[Event]:
    """The answer to ReserveNow, where the bay is not what we took it for.

    Rejected is none of these: a charger that keeps no reservations leaves its bay to us to keep.
    """
    status = REFUSED.get(answer.get("status", ""))
    if status is None:
        return []
    return [EvseStatusChanged(at=now, evse_id=evse_id, status=status), given_up(reservation_id, (evse_id,), now)]


def status_wanted(version: Version, connector: int) -> tuple[str, dict[str, Any]]:
    """Action and payload: what is the matter with a bay?"""
    where = {"connectorId": connector} if version is Version.V16 else {"evse": {"id": connector, "connectorId": 1}}
    return "TriggerMessage", WANTED | where
