"""Two ways on the same days: what changed, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chargeloop.model import BadInput


@dataclass(frozen=True, slots=True)
class Change:
    """Means over `days` days, the mean difference of the pairs, and half its 95 % interval (infinite for one day)."""

    before: float
    after: float
    change: float
    half_width: float
    days: int

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return abs(self.change) > self.half_width

    @property
    def in_words(self) -> str:
        """In per cent of `before`, where that is not 0."""
        scale, unit = (100 / abs(self.before), " %") if self.before else (1.0, "")
        return f"{scale * self.change:+.1f}{unit} ± {scale * self.half_width:.1f}{unit}"


def paired(before: Sequence[float], after: Sequence[float]) -> Change:
    """By Student's t on the differences.

    Raises:
        BadInput: not as many of one as of the other, or none.
    """
    if len(before) != len(after) or not len(before):
        raise BadInput("pairs", f"want as many days of each, at least one, got {len(before)} and {len(after)}")
    difference = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    half_width = float("inf")
    if difference.size > 1:
        from scipy.special import stdtrit  # noqa: PLC0415 (not needed for --help)

        half_width = float(stdtrit(difference.size - 1, 0.975) * difference.std(ddof=1) / np.sqrt(difference.size))
    return Change(float(np.mean(before)), float(np.mean(after)), float(difference.mean()), half_width, difference.size)
