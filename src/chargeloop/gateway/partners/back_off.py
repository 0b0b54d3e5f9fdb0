"""How long a partner that cannot be reached is left alone."""

import random
from dataclasses import dataclass

FIRST_PAUSE_S = 1.0


@dataclass(slots=True)
class BackOff:
    """Twice as long after each failure, give or take a half, up to `longest_s`."""

    longest_s: float
    failures: int = 0
    until_s: float = 0.0

    def failed(self, now_s: float, rng: random.Random) -> None:
        pause = min(FIRST_PAUSE_S * 2**self.failures, self.longest_s)
        self.failures += 1
        self.until_s = now_s + pause * rng.uniform(0.5, 1.0)

    def worked(self) -> None:
        self.failures, self.until_s = 0, 0.0
