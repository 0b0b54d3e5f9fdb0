"""Sender sides: our lists, one page at a time; whether a token of ours may charge; what a driver prefers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from chargeloop.gateway.partners.ocpi.objects import Objects
from chargeloop.gateway.partners.ocpi.offer import SENDER, Us
from chargeloop.gateway.partners.ocpi.ports import Ports
from chargeloop.gateway.partners.ocpi.request import Call, Reply
from chargeloop.protocols.ocpi import (
    Page,
    Party,
    Refused,
    Status,
    Version,
    Window,
    page_headers,
    page_of,
    part_of,
    read_window,
    write,
)
from chargeloop.protocols.ocpi.locations import Location
from chargeloop.protocols.ocpi.sessions import ChargingPreferences
from chargeloop.protocols.ocpi.tokens import DEFAULT_TYPE, LocationReferences

PAGE_CAP = 500  # objects that we give at a time
OF_ONE_EMSP = frozenset({"sessions", "cdrs"})  # shown only to whose token it was


class Sending:
    def __init__(self, us: Us, ports: Ports, objects: Objects, page_cap: int = PAGE_CAP) -> None:
        self._us, self._ports, self._objects, self._cap = us, ports, objects, page_cap

    async def page(self, call: Call) -> Reply:
        window = read_window(call.query, needs_from=call.module == "sessions")
        asked = Window(window.date_from, window.date_to, window.offset, min(window.limit or self._cap, self._cap))
        found = await self._hub_page(call, asked) if self._us.hub is not None else await self._own_page(call, asked)
        url = self._us.endpoint_url(call.version, SENDER, call.module)
        return Reply(list(found.items), headers=page_headers(url, asked, len(found.items), found.total, self._cap))

    async def _own_page(self, call: Call, window: Window) -> Page[Any]:
        things = await self.things(call.module, call.version, window.date_from)
        found = page_of([each for each in things if self.is_shown(call.module, each, call)], window)
        return Page([write(each, call.version) for each in found.items], found.total)

    async def _hub_page(self, call: Call, window: Window) -> Page[Any]:
        """All that the hub was told. What is one eMSP's, only that one's platform may ask for."""
        if call.module in OF_ONE_EMSP:
            raise Refused(Status.UNKNOWN_RECEIVER, f"{call.module} are asked of one operator, by OCPI-to-party-id")
        return await self._objects.page(call.module, window)

    async def things(self, module: str, version: Version, since: datetime | None) -> Sequence[Any]:
        """All of a module, in the order in which they were made; those that did not change since then may be missing."""
        ports = self._ports
        whole = {"locations": ports.locations, "tariffs": ports.tariffs}.get(module)
        if whole is not None:
            return await whole(version)
        dated: dict[str, Callable[..., Any] | None] = {
            "sessions": ports.sessions,
            "cdrs": ports.cdrs,
            "tokens": ports.tokens,
            "invoicereconciliation": ports.invoices,
        }
        port = dated.get(module)
        return [] if port is None else await port(version, since)

    def is_shown(self, module: str, thing: Any, call: Call) -> bool:
        if module not in OF_ONE_EMSP:
            return True
        theirs = Party(thing.cdr_token.country_code, thing.cdr_token.party_id)
        return theirs.is_same(call.headers.sender) if call.peer.is_hub else call.peer.has(theirs)

    async def location(self, call: Call) -> Reply:
        """A location, an EVSE, or a connector."""
        if not call.parts:
            return await self.page(call)
        found = next((each for each in await self.things("locations", call.version, None) if _is(each, call.parts[0])), None)
        evse_uid, connector_id = (*call.parts[1:], None, None)[:2]
        part = None if found is None else part_of(write(found, call.version), evse_uid, connector_id)
        if part is None:
            raise Refused(Status.UNKNOWN_LOCATION, f"there is no {'/'.join(call.parts)}", http=404)
        return Reply(part)

    async def preferences(self, call: Call) -> Reply:
        session_id, what = call.parts
        if what != "charging_preferences":
            raise Refused(Status.CLIENT_ERROR, "there is nothing there", http=404)
        wish = call.read(ChargingPreferences)
        session = next(
            (
                each
                for each in await self.things("sessions", call.version, None)
                if _is(each, session_id) and self.is_shown("sessions", each, call)
            ),
            None,
        )
        said = None if session is None or self._ports.prefer is None else await self._ports.prefer(session.id, wish)
        if said is None:
            raise Refused(Status.BAD_PARAMETERS, "no such session, or its EVSE cannot do that", http=404)
        return Reply(said)

    async def authorise(self, call: Call) -> Reply:
        uid, what = call.parts
        if what != "authorize":
            raise Refused(Status.CLIENT_ERROR, "there is nothing there", http=404)
        where = call.read(LocationReferences) if call.body.strip() else None
        kind = call.query.get("type", DEFAULT_TYPE)
        info = None if self._ports.authorise is None else await self._ports.authorise(uid, kind, where)
        if info is None:
            raise Refused(Status.UNKNOWN_TOKEN, f"there is no token {uid} of type {kind}", http=404)
        return Reply(write(info, call.version))


def _is(thing: Location | Any, identifier: str) -> bool:
    found: str = thing.id
    return found.casefold() == identifier.casefold()
