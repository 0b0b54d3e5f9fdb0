"""How we call a partner: with an access token, in the envelope, and with our number of the second."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TypeVar

import httpx

from chargeloop.gateway.partners.tcec102.desk import read_json
from chargeloop.gateway.partners.tcec102.partner import Partner
from chargeloop.model import Unreachable
from chargeloop.protocols import tcec102
from chargeloop.protocols.tcec102 import Numbered, Refused, Ret, SuccStat, messages

M = TypeVar("M", bound=messages.Message)
TIMEOUT_S = 20.0
SPARE = timedelta(minutes=1)  # a token is renewed that much before it ends


class Caller:
    """One partner. Calls may run side by side; a token that the partner does not know any more is asked for anew, once."""

    def __init__(self, partner: Partner, now: Callable[[], datetime], client: httpx.AsyncClient | None = None) -> None:
        self.partner = partner
        self._now = now
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT_S)
        self._numbered = Numbered()
        self._token, self._token_until = "", datetime.min.replace(tzinfo=UTC)

    async def __aenter__(self) -> "Caller":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def call(self, interface: str, message: messages.Message, answer: type[M]) -> M:
        """Raises Refused where the partner says no, Unreachable where it says nothing."""
        try:
            return await self._with_token(interface, message, answer)
        except Refused as refused:
            if refused.ret != Ret.BAD_TOKEN:
                raise
        self._token = ""
        return await self._with_token(interface, message, answer)

    async def _with_token(self, interface: str, message: messages.Message, answer: type[M]) -> M:
        if not self._token or self._now() >= self._token_until:
            await self._get_token()
        return await self._post(interface, message, answer, self._token)

    async def _get_token(self) -> None:
        asked = messages.TokenRequest(OperatorID=self.partner.our_id, OperatorSecret=self.partner.our_secret)
        got = await self._post("query_token", asked, messages.TokenResponse, None)
        if got.SuccStat != SuccStat.OK or not got.AccessToken:
            raise Refused(Ret.BAD_TOKEN, f"{self.partner.operator_id} gives us no token: FailReason {got.FailReason}")
        self._token, self._token_until = got.AccessToken, self._now() + timedelta(seconds=got.TokenAvailableTime) - SPARE

    async def _post(self, interface: str, message: messages.Message, answer: type[M], token: str | None) -> M:
        partner = self.partner
        at, seq = self._numbered.next(self._now())
        data = partner.dialect.to_partner(interface, message.on_wire())
        body = tcec102.seal_request(partner.cipher, partner.our_id, data, at, seq)
        url = f"{partner.url.rstrip('/')}{partner.dialect.path(interface)}"
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            response = await self._client.post(url, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unreachable(f"{partner.operator_id}, {interface}: {type(error).__name__} at {url}") from None
        if response.status_code != httpx.codes.OK:  # a proxy's page, a wrong path: no partner's word
            raise Unreachable(f"{partner.operator_id}, {interface}: HTTP {response.status_code} at {url}")
        told = tcec102.open_response(partner.cipher, read_json(response.content))
        (first,) = partner.dialect.from_partner(interface, told)
        return tcec102.read(answer, first)
