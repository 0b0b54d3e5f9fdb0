"""Where partners call us: POST {path of the dialect}/{interface}, answered in the envelope, whatever was sent."""

import json
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from chargeloop.gateway.partners.tcec102.partner import IssuedTokens, Partner
from chargeloop.protocols import tcec102
from chargeloop.protocols.tcec102 import INTERFACES, Refused, Ret, Seen, SuccStat, TokenFail, messages

LARGEST = 1 << 20  # bytes of a body
Handler = Callable[[Partner, Any], Awaitable[messages.Message]]
log = structlog.get_logger()


class Desk:
    """Checks in the order of what they cost and tell: size, envelope, partner, signature, replay, token, then the data.

    `sides`: each partner, and what it may call, by interface; what is not there is refused. `refused` counts by (partner or
    "?", Ret).
    """

    def __init__(self, sides: Iterable[tuple[Partner, Mapping[str, Handler]]], now: Callable[[], datetime]) -> None:
        self._sides: dict[str, tuple[Partner, dict[str, Handler]]] = {}
        for each, handlers in sides:
            self._sides[each.operator_id] = (each, {"query_token": self._token, **handlers})
        self._now = now
        self._tokens, self._seen = IssuedTokens(), Seen()
        self.refused: Counter[tuple[str, int]] = Counter()
        self.router = APIRouter()
        for base in sorted({each.dialect.base_path for each, _ in self._sides.values()}):
            self.router.add_api_route(
                f"{base.rstrip('/')}/{{interface}}", self._posted, methods=["POST"], include_in_schema=False
            )

    async def _posted(self, interface: str, request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return JSONResponse(self._refuse(None, Refused(Ret.BAD_PARAMETERS, f"more than {LARGEST} bytes")))
        return JSONResponse(await self.answer(interface, request.headers.get("authorization", ""), body))

    async def answer(self, interface: str, authorization: str, body: bytes) -> dict[str, Any]:
        """The response's body. Never raises: what goes wrong on our side is Ret 500, and nothing more is said about it."""
        partner = None
        try:
            envelope = read_json(body)
            partner = self._partner_of(envelope)
            return await self._answer(partner, interface, authorization, envelope)
        except Refused as refused:
            return self._refuse(partner, refused)
        except Exception:
            log.exception("a partner's request failed", interface=interface, partner=partner and partner.operator_id)
            return self._refuse(partner, Refused(Ret.SYSTEM, "internal error"))

    async def _answer(self, partner: Partner, interface: str, authorization: str, envelope: object) -> dict[str, Any]:
        request = tcec102.open_request(partner.cipher, envelope)
        self._seen.take(request, self._now())
        _, handlers = self._sides[partner.operator_id]
        if interface not in handlers:
            raise Refused(Ret.BAD_PARAMETERS, f"there is no interface {interface[:40]} here for you")
        if interface != "query_token":
            self._check_token(partner, authorization)
        parts = partner.dialect.from_partner(interface, request.data)
        told = [tcec102.read(INTERFACES[interface].request, each) for each in parts]  # all are good before any is acted upon
        if not told:
            raise Refused(Ret.BAD_BUSINESS_PARAMETERS, "the list is empty")
        answers = [await handlers[interface](partner, each) for each in told]
        data = partner.dialect.to_partner(interface, answers[-1].on_wire())
        return tcec102.seal_response(partner.cipher, Ret.OK, "", data)

    def _partner_of(self, envelope: object) -> Partner:
        """By the id of the sender; a foreign one has no keys, so that its answer carries no signature."""
        operator_id = tcec102.sender(envelope)
        if operator_id not in self._sides:
            raise Refused(Ret.BAD_PARAMETERS, f"operator {operator_id[:9]} is not known here")
        return self._sides[operator_id][0]

    def _check_token(self, partner: Partner, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._tokens.holds(partner, token.strip(), self._now()):
            raise Refused(Ret.BAD_TOKEN, "the access token is missing, wrong or too old")

    async def _token(self, partner: Partner, asked: messages.TokenRequest) -> messages.TokenResponse:
        if asked.OperatorID != partner.operator_id:
            return _no_token(partner, TokenFail.NO_SUCH_OPERATOR)
        if not secrets.compare_digest(asked.OperatorSecret.encode(), partner.their_secret.encode()):
            return _no_token(partner, TokenFail.WRONG_SECRET)
        token, lasts = self._tokens.issue(partner, self._now())
        return messages.TokenResponse(
            OperatorID=partner.operator_id,
            SuccStat=SuccStat.OK,
            AccessToken=token,
            TokenAvailableTime=int(lasts.total_seconds()),
        )

    def _refuse(self, partner: Partner | None, refused: Refused) -> dict[str, Any]:
        who = partner.operator_id if partner is not None else "?"
        self.refused[who, refused.ret] += 1
        log.warning("a partner was refused", partner=who, ret=refused.ret, why=refused.why)
        if partner is None:
            return {"Ret": refused.ret, "Msg": refused.why, "Data": "", "Sig": ""}
        return tcec102.seal_response(partner.cipher, refused.ret, refused.why, None)


def read_json(body: bytes) -> object:
    """Raises Refused (4003) where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(Ret.BAD_PARAMETERS, "the body is no JSON") from None


def _no_token(partner: Partner, why: TokenFail) -> messages.TokenResponse:
    return messages.TokenResponse(OperatorID=partner.operator_id, SuccStat=SuccStat.FAILED, FailReason=why)
