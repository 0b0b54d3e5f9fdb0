"""The injected clock: domain time runs from a start at a speed; at speed 1 from now on it is the wall clock."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chargeloop.model import BadInput


@dataclass(frozen=True, slots=True)
class Clock:
    """`wall_s`: epoch seconds of the wall clock at which domain time is `domain_s`; `speed` domain seconds per second."""

    wall_s: float
    domain_s: float
    speed: float

    @classmethod
    def real(cls) -> "Clock":
        return cls(0.0, 0.0, 1.0)

    @classmethod
    def starting(cls, at: datetime, speed: float) -> "Clock":
        return cls(time.time(), at.timestamp(), speed)

    @classmethod
    def parse(cls, text: str) -> "Clock":
        """The inverse of `str`: 'wall,domain,speed'.

        Raises:
            BadInput: where the text is not three numbers.
        """
        try:
            wall_s, domain_s, speed = (float(part) for part in text.split(","))
        except ValueError:
            raise BadInput("clock", f"expected 'wall,domain,speed', got {text!r}") from None
        return cls(wall_s, domain_s, speed)

    def __str__(self) -> str:
        return f"{self.wall_s!r},{self.domain_s!r},{self.speed!r}"

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.domain_s, UTC) + timedelta(seconds=(time.time() - self.wall_s) * self.speed)
