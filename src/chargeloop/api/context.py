"""What the routes need: the running loop, the database, and who is connected."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.guidance import Guide
from chargeloop.identity import Accounts, Audit, Tokens
from chargeloop.loop import CityLoop, Tick
from chargeloop.persistence import Store
from chargeloop.pki import Pki


@dataclass(frozen=True, slots=True)
class Context:
    """`token`: what API clients may show instead of logging in.

    `is_local`: only this machine can connect. Without any account whoever asks from there is its operator.
    """

    loop: CityLoop
    store: Store
    guide: Guide
    gateway: OcppGateway
    accounts: Accounts
    tokens: Tokens
    audit: Audit
    pki: Pki
    token: str | None = None
    is_local: bool = True

    @property
    def turn(self) -> Tick:
        """The newest turn of the loop.

        Raises:
            HTTPException: 503, before the first turn is done.
        """
        if self.loop.last is None:
            raise HTTPException(503, "the loop is starting; try again in a few seconds", {"Retry-After": "2"})
        return self.loop.last

    def station(self, station_id: str) -> int:
        """The index of a station.

        Raises:
            HTTPException: 404 where there is none of that name.
        """
        if station_id not in self.loop.layout.station_index:
            raise HTTPException(404, f"no station {station_id!r}; /api/v1/city lists them")
        return self.loop.layout.station_index[station_id]


def _context(connection: HTTPConnection) -> Context:
    context: Context = connection.app.state.context
    return context


Loop = Annotated[Context, Depends(_context)]
