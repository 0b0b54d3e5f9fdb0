"""After some failures, nothing is tried for a while."""

from dataclasses import dataclass, field

FAILURES, PAUSE_S, LONGEST_S = 5, 10.0, 600.0
REMEMBERED = 10_000  # of many addresses, only the newest


@dataclass(slots=True)
class Lockout:
    """Each failure after the first few doubles the pause. `now`: seconds of any clock that does not run back."""

    failures: dict[str, tuple[int, float]] = field(default_factory=dict)

    def is_locked(self, who: str, now: float) -> bool:
        count, at = self.failures.get(who, (0, 0.0))
        return count >= FAILURES and now < at + min(PAUSE_S * 2.0 ** min(count - FAILURES, 16), LONGEST_S)

    def failed(self, who: str, now: float) -> None:
        count, _ = self.failures.pop(who, (0, 0.0))
        self.failures[who] = (count + 1, now)
        if len(self.failures) > REMEMBERED:
            del self.failures[next(iter(self.failures))]

    def succeeded(self, who: str) -> None:
        self.failures.pop(who, None)
