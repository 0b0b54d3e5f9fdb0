"""Telling partners what waits for them: in order, again after a cut, and once."""

import asyncio
import random

import structlog

from chargeloop.gateway.partners.back_off import BackOff
from chargeloop.gateway.partners.tcec102.caller import Caller
from chargeloop.model import Unreachable
from chargeloop.persistence import PartnerBook, Waiting
from chargeloop.protocols.tcec102 import INTERFACES, Refused, Ret, messages, read

LATER = {Ret.BUSY, Ret.SYSTEM, Ret.BAD_TOKEN}  # the partner's trouble, not the message's
EVERY_S, LONGEST_PAUSE_S = 1.0, 60.0
log = structlog.get_logger()


class Outbox:
    """Of one partner. A message leaves it when the partner has taken it; one refused for good stays, marked, for people."""

    def __init__(self, book: PartnerBook, caller: Caller) -> None:
        self._book, self._caller = book, caller
        self._back_off, self._rng = BackOff(LONGEST_PAUSE_S), random.SystemRandom()

    async def run(self) -> None:
        now_s = asyncio.get_running_loop().time
        while True:
            if await self._empty():
                self._back_off.worked()
            else:
                self._back_off.failed(now_s(), self._rng)
            await asyncio.sleep(max(EVERY_S, self._back_off.until_s - now_s()))

    async def _empty(self) -> bool:
        """Tell what waits; False where the partner is away."""
        while waiting := await self._book.waiting(self._caller.partner.operator_id):
            for message in waiting:
                if not await self._tell(message):
                    return False
        return True

    async def _tell(self, message: Waiting) -> bool:
        """False where it is to be tried again."""
        interface = INTERFACES[message.interface]
        try:
            answer = await self._caller.call(message.interface, read(interface.request, message.body), interface.response)
        except Unreachable as error:
            log.info("partner away", partner=message.partner_id, why=str(error), tried=message.tried + 1)
            await self._book.not_told(message.number)
            return False
        except Refused as refused:
            is_final = refused.ret not in LATER
            log.warning("partner refused", partner=message.partner_id, interface=message.interface, why=str(refused))
            await self._book.not_told(message.number, str(refused) if is_final else None)
            return is_final
        if isinstance(answer, messages.Acknowledged) and answer.Status == 1:
            await self._book.not_told(message.number)
            return False
        await self._book.told(message.number)
        return True
