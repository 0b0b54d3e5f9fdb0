"""Our side of what we ask of partners, over HTTP."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import httpx
import structlog

from chargeloop.gateway.partners.back_off import BackOff
from chargeloop.gateway.partners.ocpi.peers import Peer
from chargeloop.model import Unreachable
from chargeloop.protocols.ocpi import (
    Answer,
    Headers,
    Party,
    Refused,
    Status,
    Window,
    decode,
    encode,
    is_success,
    next_url,
    opened,
)
from chargeloop.protocols.ocpi.credentials import authorization
from chargeloop.protocols.ocpi.wire import JSON

TIMEOUT_S = 30.0
PAGE = 100  # objects that we ask for at a time
LARGEST_ANSWER = 20_000_000  # bytes
LONGEST_PAUSE_S = 300.0
log = structlog.get_logger()


class Late(Unreachable):
    """The partner is there, and did not answer in time."""


class Heard(NamedTuple):
    """An answer. `answer`: its envelope; `raw` its bytes."""

    http: int
    headers: Mapping[str, str]
    answer: Answer
    raw: bytes


@dataclass(slots=True)
class Client:
    """`counts`: what went wrong, by partner and kind."""

    http: httpx.AsyncClient
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    back_off: dict[str, BackOff] = field(default_factory=dict)
    _rng: random.Random = field(default_factory=random.SystemRandom)

    def is_resting(self, peer_id: str) -> bool:
        """Whether a partner could not be reached just now."""
        return self.back_off.get(peer_id, BackOff(LONGEST_PAUSE_S)).until_s > asyncio.get_running_loop().time()

    async def send(
        self,
        peer: Peer,
        method: str,
        url: str,
        *,
        data: object = None,
        raw: bytes | None = None,
        query: Mapping[str, str] | None = None,
        token: str | None = None,
        to: Party | None = None,
        sender: Party | None = None,
        correlation_id: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Heard:
        """Ask, and return whatever envelope comes, also one that tells of an error.

        Raises:
            Unreachable: no connection, or no answer in time.
            Refused: the answer is none of OCPI.
        """
        headers = Headers(str(uuid4()), correlation_id or str(uuid4()), to, sender).on_wire()
        headers["Authorization"] = authorization(token or peer.token or "", peer.encodes)
        body = raw if data is None else encode(data)
        if body is not None:
            headers["Content-Type"] = JSON
        target = httpx.URL(url).copy_merge_params(dict(query)) if query else httpx.URL(url)
        try:
            http, answered, content = await self._exchange(method, target, headers, body, timeout_s)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._failed(peer.peer_id)
            is_late = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
            kind = Late if is_late else Unreachable
            raise kind(f"{peer.peer_id}: {method} {url}: {type(error).__name__} {error}".rstrip()) from None
        self.back_off.setdefault(peer.peer_id, BackOff(LONGEST_PAUSE_S)).worked()
        try:
            answer = opened(decode(content))
        except Refused as refused:
            self.counts[peer.peer_id, "no envelope"] += 1
            raise Refused(Status.SERVER_ERROR, f"{peer.peer_id}: HTTP {http} to {method} {url}: {refused.why}", http) from None
        return Heard(http, answered, answer, content)

    async def ask(self, peer: Peer, method: str, url: str, **more: Any) -> Heard:
        """As `send`, for an answer that is a success.

        Raises:
            Refused: with the partner's own code, besides what `send` raises.
        """
        heard = await self.send(peer, method, url, **more)
        if not is_success(heard.answer.status) or not 200 <= heard.http < 300:
            self.counts[peer.peer_id, f"refused {heard.answer.status}"] += 1
            raise Refused(heard.answer.status, heard.answer.message or f"HTTP {heard.http} to {method} {url}", heard.http)
        return heard

    async def pages(self, peer: Peer, url: str, window: Window, **more: Any) -> AsyncIterator[list[Any]]:
        """Follow the pages of a list to its end. Where it has shrunk meanwhile, go back by as much: nothing is skipped.

        Raises:
            Refused: a page has more than was asked for, leads elsewhere, or round in a circle; and as `ask`.
        """
        limit = window.limit or PAGE
        following: str | None = str(httpx.URL(url).copy_merge_params({**window.query(), "limit": str(limit)}))
        been, total = set[str](), 0
        while following is not None:
            if following in been:
                raise Refused(Status.SERVER_ERROR, f"{peer.peer_id}: pages go round in a circle")
            been.add(following)
            heard = await self.ask(peer, "GET", following, **more)
            items = heard.answer.data
            cap = _whole(heard.headers.get("x-limit"), limit)
            if not isinstance(items, list) or len(items) > min(limit, max(cap, 1)):
                self.counts[peer.peer_id, "oversized page"] += 1
                raise Refused(Status.SERVER_ERROR, f"{peer.peer_id}: a page has more objects than were asked for, or is none")
            yield items
            following = next_url(heard.headers.get("link"))
            if following is not None and urlsplit(following).netloc != urlsplit(url).netloc:
                raise Refused(Status.SERVER_ERROR, f"{peer.peer_id}: the next page is on another host")
            now = _whole(heard.headers.get("x-total-count"), total)
            if following is not None and now < total:
                following = _back(following, total - now)
                been.discard(following)
            total = now

    async def _exchange(
        self, method: str, url: httpx.URL, headers: dict[str, str], body: bytes | None, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        async with self.http.stream(method, url, headers=headers, content=body, timeout=timeout_s) as response:
            parts, size = [], 0
            async for part in response.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > LARGEST_ANSWER:
                    raise httpx.DecodingError(f"the answer has more than {LARGEST_ANSWER} bytes")
            return response.status_code, response.headers, b"".join(parts)

    def _failed(self, peer_id: str) -> None:
        self.counts[peer_id, "unreachable"] += 1
        self.back_off.setdefault(peer_id, BackOff(LONGEST_PAUSE_S)).failed(asyncio.get_running_loop().time(), self._rng)


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdigit() else otherwise


def _back(url: str, count: int) -> str:
    """The URL of a page that begins that much earlier."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query["offset"] = str(max(_whole(query.get("offset"), 0) - count, 0))
    return urlunsplit(parts._replace(query=urlencode(query)))
