"""What partners need of the rest of the platform. A port that is not given: there is no such thing here."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from chargeloop.protocols.ocpi import Object, Party, Version
from chargeloop.protocols.ocpi.commands import (
    ActiveChargingProfile,
    ChargingProfile,
    StartSession,
)
from chargeloop.protocols.ocpi.locations import Location
from chargeloop.protocols.ocpi.sessions import Cdr, ChargingPreferences, InvoiceReconciliationRecord, Session
from chargeloop.protocols.ocpi.tariffs import Tariff
from chargeloop.protocols.ocpi.tokens import AuthorizationInfo, LocationReferences, Token


class Begun(NamedTuple):
    """Something that is asked for now and done later. `result`: of a CommandResponse or a ChargingProfileResponse.

    `later`, where that is ACCEPTED: gives the `result` of what is sent to the response_url.
    """

    result: str
    later: Coroutine[Any, Any, str] | None = None


class Received(NamedTuple):
    """Something a partner has sent, stored already. `thing` None: it is gone."""

    peer_id: str
    module: str
    owner: Party
    key: str
    thing: Object | None


class ReserveAt(NamedTuple):
    """`number`: of the reservation, unlike any other partner's."""

    number: int
    location_id: str
    evse_uid: str | None
    token: Token
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Lists come in the order in which things were made. `datetime | None`: only what changed since then is needed."""

    # as CPO
    locations: Callable[[Version], Awaitable[Sequence[Location]]] | None = None
    tariffs: Callable[[Version], Awaitable[Sequence[Tariff]]] | None = None
    sessions: Callable[[Version, datetime | None], Awaitable[Sequence[Session]]] | None = None
    cdrs: Callable[[Version, datetime | None], Awaitable[Sequence[Cdr]]] | None = None
    invoices: Callable[[Version, datetime | None], Awaitable[Sequence[InvoiceReconciliationRecord]]] | None = None
    start: Callable[[StartSession], Awaitable[Begun]] | None = None
    stop: Callable[[str], Awaitable[Begun]] | None = None  # session id
    reserve: Callable[[ReserveAt], Awaitable[Begun]] | None = None
    cancel: Callable[[int], Awaitable[Begun]] | None = None  # number of the reservation
    unlock: Callable[[str, str, str], Awaitable[Begun]] | None = None  # location id, EVSE uid, connector id
    set_profile: Callable[[str, ChargingProfile], Awaitable[Begun]] | None = None  # session id
    clear_profile: Callable[[str], Awaitable[Begun]] | None = None  # session id
    active_profile: Callable[[str, int], Awaitable[ActiveChargingProfile | None]] | None = None  # session id, seconds
    prefer: Callable[[str, ChargingPreferences], Awaitable[str | None]] | None = None  # session id; None: there is none
    # as eMSP. None: nobody knows that token; Refused (2002): it depends on where
    tokens: Callable[[Version, datetime | None], Awaitable[Sequence[Token]]] | None = None
    authorise: Callable[[str, str, LocationReferences | None], Awaitable[AuthorizationInfo | None]] | None = None
    active: Callable[[str, ActiveChargingProfile], Awaitable[None]] | None = None  # session id
    # as either
    received: Callable[[Received], Awaitable[None]] | None = None
