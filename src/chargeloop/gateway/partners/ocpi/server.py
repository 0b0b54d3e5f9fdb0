"""The HTTP side: who asks, whom, and what for; every answer in an envelope."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from chargeloop.gateway.partners.ocpi.calls import Calls
from chargeloop.gateway.partners.ocpi.handshake import Handshake
from chargeloop.gateway.partners.ocpi.hub import Hub
from chargeloop.gateway.partners.ocpi.offer import ONLY_230, RECEIVER, SENDER, Us
from chargeloop.gateway.partners.ocpi.peers import Peer, Peers
from chargeloop.gateway.partners.ocpi.request import Call, Reply
from chargeloop.protocols.ocpi import (
    Headers,
    Interface,
    Refused,
    Status,
    Version,
    decode,
    encode,
    envelope,
    joined,
    path_parts,
    read_headers,
    write,
)
from chargeloop.protocols.ocpi.credentials import CONFIGURATION
from chargeloop.protocols.ocpi.wire import JSON

LARGEST_BODY = 5_000_000  # bytes
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
Handler = Callable[[Call], Awaitable[Reply]]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rule:
    """What a method of one side of a module does, with so many parts of a path after its endpoint."""

    fewest: int
    most: int
    handler: Handler


Rules = Mapping[tuple[str, Interface, str], Rule]


class Server:
    def __init__(
        self,
        us: Us,
        peers: Peers,
        handshake: Handshake,
        calls: Calls,
        rules: Rules,
        hub: Hub | None,
        counts: Counter[tuple[str, str]],
        now: Callable[[], datetime],
    ) -> None:
        self._us, self._peers, self._handshake, self._calls = us, peers, handshake, calls
        self._rules, self._hub, self._counts, self._now = rules, hub, counts, now
        self._prefix = urlsplit(us.url).path.rstrip("/")
        self.routes = [Route(self._prefix + "/{path:path}", self._answer, methods=list(METHODS))]

    async def _answer(self, request: Request) -> Response:
        headers, peer_id = Headers("", ""), "nobody"
        try:
            headers = read_headers(request.headers)
            found = self._peers.who(request.headers.get("authorization"))
            if found is None:
                raise Refused(Status.CLIENT_ERROR, "no token of ours", http=401)
            peer, digest = found
            peer_id = peer.peer_id
            body = await _body(request)
            self._peers.heard[peer_id] = self._now()
            await self._peers.settled(peer, digest)
            raw_path = request.scope.get("raw_path", b"").decode("ascii", "replace")
            tail = raw_path.removeprefix(self._prefix).strip("/")
            reply = await self._dispatch(peer, request, tail, headers, body)
            headers = _answered(headers, tail, self._us)
        except Refused as refused:
            self._counts[peer_id, f"refused {refused.status}"] += 1
            log.warning("refused", peer=peer_id, method=request.method, path=request.url.path, why=str(refused))
            reply = Reply(http=refused.http, status=refused.status, data=None)
            return self._response(reply, headers, refused.why)
        except ClientDisconnect:
            raise
        except Exception:
            self._counts[peer_id, "error"] += 1
            log.exception("an error of ours", peer=peer_id, method=request.method, path=request.url.path)
            return self._response(Reply(status=Status.SERVER_ERROR), headers, "an error of ours")
        return self._response(reply, headers)

    def _response(self, reply: Reply, headers: Headers, message: str | None = None) -> Response:
        body = reply.raw
        if body is None:
            body = encode(envelope(reply.status, self._now(), reply.data, message))
        ids = {name: value for name, value in headers.on_wire().items() if value}
        return Response(body, reply.http, {**ids, **reply.headers}, media_type=JSON)

    # --- what is asked for ------------------------------------------------------------------------------------------

    async def _dispatch(self, peer: Peer, request: Request, tail: str, headers: Headers, body: bytes) -> Reply:
        parts = path_parts(tail)
        if request.method in WITH_BODY and body and not request.headers.get("content-type", JSON).startswith(JSON):
            raise Refused(Status.BAD_PARAMETERS, f"Content-Type is to be {JSON}", http=400)
        if parts == ("versions",):
            return self._versions(request.method)
        version = next((each for each in self._us.versions if parts and parts[0] == each), None)
        if version is None:
            raise Refused(Status.UNSUPPORTED_VERSION, "there is no such version or module", http=404)
        if len(parts) == 1:
            return self._details(request.method, version)
        if parts[1:] == ("credentials",):
            return await self._credentials(peer, request.method, version, body)
        if peer.state != "connected":
            raise Refused(Status.CLIENT_ERROR, "register first", http=401)
        side = next((each for each in (SENDER, RECEIVER) if each.lower() == parts[1]), None)
        if side is None or len(parts) < 3 or (parts[2] in ONLY_230 and version is Version.V221):
            raise Refused(Status.CLIENT_ERROR, "there is nothing there", http=404)
        call = Call(
            peer=peer,
            version=version,
            side=side,
            module=parts[2],
            method=request.method,
            parts=parts[3:],
            tail="/".join(tail.split("/")[3:]),
            headers=headers,
            query=dict(request.query_params),
            body=body,
        )
        return await self._functional(call)

    async def _functional(self, call: Call) -> Reply:
        rule = self._rules.get((call.module, call.side, call.method))
        has_module = call.module in self._us.modules(call.side) or call.module == "hubclientinfo"
        if rule is None and has_module and any(key[:2] == (call.module, call.side) for key in self._rules):
            raise Refused(Status.CLIENT_ERROR, f"{call.method} is not allowed there", http=405)
        if rule is None or not has_module or not rule.fewest <= len(call.parts) <= rule.most:
            raise Refused(Status.CLIENT_ERROR, "there is nothing there", http=404)
        if call.module not in CONFIGURATION:
            self._check_parties(call)
        if call.method not in ("POST", "PATCH") or not call.headers.request_id:
            return await self._handle(call, rule)

        async def work() -> dict[str, Any]:
            reply = await self._handle(call, rule)
            raw = None if reply.raw is None else reply.raw.decode()
            return {"data": reply.data, "http": reply.http, "headers": dict(reply.headers), "status": reply.status, "raw": raw}

        of = (call.peer.peer_id, call.headers.request_id, call.method, call.module, *call.parts)
        kept = await self._calls.once(of, call.body, self._now(), work)
        raw = None if kept["raw"] is None else kept["raw"].encode()
        return Reply(**{**kept, "raw": raw})

    async def _handle(self, call: Call, rule: Rule) -> Reply:
        if self._hub is not None and (forwarded := await self._hub.forwarded(call)) is not None:
            return forwarded
        return await rule.handler(call)

    def _check_parties(self, call: Call) -> None:
        """Raises Refused (2001): a party that is not the partner's, or not ours; or none is named where there are many."""
        sender, to = call.headers.sender, call.headers.to
        if sender is not None and not call.peer.is_hub and not call.peer.has(sender):
            raise Refused(Status.BAD_PARAMETERS, f"OCPI-from: {sender} is no party of yours")
        if self._hub is not None:
            return
        if to is not None and not self._us.is_us(to):
            raise Refused(Status.BAD_PARAMETERS, f"OCPI-to: {to} is no party of ours")
        if to is None and (len(self._us.parties) > 1 or len(self._us.roles) > 1):
            raise Refused(Status.BAD_PARAMETERS, "OCPI-to-party-id: whom of us do you mean?")
        if sender is None and len(call.peer.roles) > 1:
            raise Refused(Status.BAD_PARAMETERS, "OCPI-from-party-id: which of your parties is it?")

    # --- configuration ----------------------------------------------------------------------------------------------

    def _versions(self, method: str) -> Reply:
        _only_get(method)
        return Reply([{"version": each.value, "url": joined(self._us.url, each)} for each in self._us.versions])

    def _details(self, method: str, version: Version) -> Reply:
        _only_get(method)
        return Reply(write(self._us.details(version), version))

    async def _credentials(self, peer: Peer, method: str, version: Version, body: bytes) -> Reply:
        if method == "GET":
            return Reply(write(self._handshake.ours(version), version))
        if method == "DELETE":
            await self._handshake.delete(peer)
            return Reply()
        if method == "PATCH":
            raise Refused(Status.CLIENT_ERROR, "PATCH is not allowed there", http=405)
        take = self._handshake.post if method == "POST" else self._handshake.put
        return Reply(write(await take(peer, decode(body), version), version))


def _answered(headers: Headers, tail: str, us: Us) -> Headers:
    """Ids are repeated, addressee and sender swapped; modules of configuration have neither."""
    parts = tail.split("/")
    if len(parts) < 3 or parts[2] in CONFIGURATION:
        return replace(headers, to=None, sender=None)
    return headers.answered_by(us.parties[0] if us.parties else None)


def _only_get(method: str) -> None:
    if method != "GET":
        raise Refused(Status.CLIENT_ERROR, f"{method} is not allowed there", http=405)


async def _body(request: Request) -> bytes:
    parts, size = list[bytes](), 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY:
            raise Refused(Status.BAD_PARAMETERS, f"more than {LARGEST_BODY} bytes", http=413)
    return b"".join(parts)
