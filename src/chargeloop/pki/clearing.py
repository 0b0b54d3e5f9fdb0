"""The service that makes contract certificates for cars: what it says goes through us unread."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from chargeloop.model import Unreachable
from chargeloop.pki.fetch import Fetcher

# Get15118EVCertificateRequest to Get15118EVCertificateResponse, in OCPP's wire names.
Forward = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]
ANSWERED = {"status", "exiResponse", "remainingContracts"}


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
        body = await self._fetch(self._url, ("application/json", json.dumps(dict(request)).encode()))
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or answer.get("status") not in {"Accepted", "Failed"}:
            raise Unreachable(f"{self._url}: answers with something else than a contract")
        return {name: value for name, value in answer.items() if name in ANSWERED}
