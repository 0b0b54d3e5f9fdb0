"""What a charger needs of those around it, and what it gives back for a message."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

import msgspec

from chargeloop.gateway.ocpp.certificates import Call as NextCall
from chargeloop.gateway.ocpp.certificates import Certificates
from chargeloop.gateway.ocpp.inventory import Inventory
from chargeloop.gateway.ocpp.local_lists import LocalLists
from chargeloop.model import Event, Tariff
from chargeloop.persistence import OcppFrame, Registration, SignedRow, Store
from chargeloop.protocols.ocpp import Outcome


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What is known of an id token: a status of OCPP, until when, and its group."""

    status: str
    expires_at: datetime | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call to a charger. `payload`: its answer; `code`, `description`: of its error."""

    status: Literal["answered", "error", "timeout", "offline"]
    payload: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    description: str = ""


class Handling(Protocol):
    """What all chargers share."""

    store: Store
    clock: Callable[[], datetime]
    wall: Callable[[], datetime]
    zone: str
    authorise: Callable[[str, datetime], TokenInfo]
    certificates: Certificates | None
    cost_of: Callable[[str, Sequence[Event]], Decimal | None]
    tariff_of: Callable[[str], Tariff | None]
    inventory: Inventory
    lists: LocalLists

    def registered(self, registration: Registration) -> None: ...
    def booted(self, charger: Any) -> None: ...
    def heard(self, frame: OcppFrame) -> None: ...
    def work(self, work: Coroutine[Any, Any, Any]) -> None: ...
    async def call(self, charger_id: str, action: str, payload: dict[str, Any]) -> Answer: ...


class Reply(msgspec.Struct):
    """The answer to a call, and what is stored before it is sent. `flag` says what was odd; `then` is called afterwards.

    `delay_s`: how long the answer waits.
    """

    payload: dict[str, Any] = {}
    events: list[Event] = []
    outcome: Outcome | None = None
    flag: str | None = None
    then: NextCall | None = None
    signed: list[SignedRow] = []
    delay_s: float = 0.0
