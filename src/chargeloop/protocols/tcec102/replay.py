"""Numbers of requests sent, and requests that came before."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chargeloop.protocols.tcec102.codes import Refused, Ret
from chargeloop.protocols.tcec102.envelope import Request

MOST_OFF = timedelta(minutes=10)  # how far two clocks may be apart
PER_SECOND = 9999
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Numbered:
    """`Seq`: 0001 for the first request within a second, and on. Where 9,999 are gone, the second is stretched."""

    _second: datetime = LONG_AGO
    _count: int = 0

    def next(self, now: datetime) -> tuple[datetime, str]:
        """The time to stamp a request with, and its number; no pair is given out twice, even if the clock steps back."""
        second = now.replace(microsecond=0)
        if second > self._second:
            self._second, self._count = second, 0
        if self._count == PER_SECOND:
            self._second, self._count = self._second + timedelta(seconds=1), 0
        self._count += 1
        return self._second, f"{self._count:04d}"


@dataclass(slots=True)
class Seen:
    """Refuses what was here before, and what is so old or new that this can't be told.

    Seq may come again after a restart, so a replay is the same operator, second, number and signature.
    """

    _keys: OrderedDict[tuple[str, str, str, str], datetime] = field(default_factory=OrderedDict)

    def take(self, request: Request, now: datetime) -> None:
        """Raises Refused (4003) for a replay or a clock that is more than `MOST_OFF` away."""
        if abs(now - request.at) > MOST_OFF:
            raise Refused(Ret.BAD_PARAMETERS, f"TimeStamp is more than {MOST_OFF.seconds // 60} minutes off")
        while self._keys and now - next(iter(self._keys.values())) > 2 * MOST_OFF:
            self._keys.popitem(last=False)
        if request.key in self._keys:
            raise Refused(Ret.BAD_PARAMETERS, "this request was received before")
        self._keys[request.key] = now
