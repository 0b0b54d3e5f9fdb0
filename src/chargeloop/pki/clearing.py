"""Somebody else's service that makes contract certificates for cars: what it says goes through us unread."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from chargeloop.model import Unreachable
from chargeloop.pki.fetch import Fetcher

# Get15118EVCertificateRequest to Get15118EVCertificateResponse, in OCPP's wire names.
Forward = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


class EvCertificate(msgspec.Struct, rename={"exi_response": "exiResponse", "remaining_contracts": "remainingContracts"}):
    """What is wanted of the service's answer; anything else in it is left out."""

    status: Literal["Accepted", "Failed"]
    exi_response: str = ""
    remaining_contracts: Annotated[int, msgspec.Meta(ge=0)] | msgspec.UnsetType = msgspec.UNSET


class Clearing:
    """A `Forward` over HTTP: the request as a JSON object is POSTed to `url`, and a JSON object comes back.

    `token`: sent as a bearer token. The EV waits for the answer and gives up after some seconds, hence the timeout.
    """

    def __init__(self, url: str, token: str = "", timeout_s: float = 4.0) -> None:
        host = urlsplit(url).hostname or ""
        self._url = url
        self._fetch = Fetcher(frozenset({host}), timeout_s, f"Bearer {token}" if token else "")

    async def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Raises:
        Unreachable: no answer in time, or none that OCPP could carry on.
        """
        body = await self._fetch(self._url, ("application/json", msgspec.json.encode(request)))
        try:
            answer: dict[str, Any] = msgspec.to_builtins(msgspec.json.decode(body, type=EvCertificate))
        except msgspec.DecodeError:
            raise Unreachable(f"{self._url}: answers with something else than a contract") from None
        return answer
