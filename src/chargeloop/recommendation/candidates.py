"""The pools that requests are weighed against, and what the way over them costs those who are heading somewhere."""

from dataclasses import dataclass, fields

import numpy as np

from chargeloop.model.city import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The pools a request is weighed against, R x K (-1 where there are fewer), with drive time and distance to each.

    `detour_s`, `detour_m`: what the way to the driver's destination gets longer over each of them; NaN in the row of a driver
    who is heading nowhere, None where nobody is.
    """

    pool: Ints
    drive_s: Floats
    drive_m: Floats
    detour_s: Floats | None = None
    detour_m: Floats | None = None

    def detour(self) -> tuple[Floats, Floats]:
        """Seconds and metres, R x K."""
        nowhere = np.full(self.pool.shape, np.nan)
        return (
            nowhere if self.detour_s is None else self.detour_s,
            nowhere if self.detour_m is None else self.detour_m,
        )

    def columns(self, these: Ints) -> "Candidates":
        return Candidates(*(None if each is None else each[:, these] for each in self._arrays()))  # type: ignore[arg-type]

    def beside(self, other: "Candidates") -> "Candidates":
        """The columns of both."""
        pairs = zip(self._arrays(), other._arrays(), strict=True)
        both = (None if a is None or b is None else np.concatenate([a, b], axis=1) for a, b in pairs)
        return Candidates(*both)  # type: ignore[arg-type]

    def _arrays(self) -> tuple[Floats | Ints | None, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))


def detours(drive: Floats, onward: Floats, direct: Floats) -> Floats:
    """R x K: what `drive` to a station and `onward` from there are more than the `direct` way (R), or the shortest over any.

    The shortest too, since a direct way that is only estimated may come out longer. All seconds, or all metres.
    """
    over = drive + onward
    usual = np.minimum(direct[:, None], np.min(np.where(np.isfinite(over), over, np.inf), axis=1, keepdims=True))
    return np.asarray(over - usual)
