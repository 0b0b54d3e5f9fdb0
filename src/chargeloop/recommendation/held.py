"""Bays held for emergency vehicles: pools of their own in the problem, which other vehicles do not see.

Which bay is held is not fixed: it is the one of the pool that is free first, so others are sent there only if another one is.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation.candidates import Candidates


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """The Q pools that requests are weighed against, made from the P pools of a layout.

    `of`: Q, the pool in the layout; `start`: Q + 1, first bays; `station`: Q, rising; `is_held`: Q. `common`, `held`: P, the
    pool for everybody, and that of the bays held, -1 where there is none.
    """

    of: Ints
    start: Ints
    station: Ints
    is_held: NDArray[np.bool_]
    common: Ints
    held: Ints

    @classmethod
    def of_layout(cls, layout: Layout) -> "Pools":
        bays = np.minimum(layout.pool_held, layout.pool_bays - 1)  # never the only one
        parts = np.where(bays > 0, 2, 1)
        of = np.repeat(np.arange(parts.size), parts)
        common = np.cumsum(parts) - 1  # those held come before
        held = np.where(bays > 0, common - 1, -1)
        is_held = np.zeros(of.size, dtype=np.bool_)
        is_held[held[bays > 0]] = True
        start = np.sort(np.concatenate([layout.pool_start, (layout.pool_start[:-1] + bays)[bays > 0]]))
        return cls(of, start, layout.pool_station[of], is_held, common, held)

    def inflow(self, per_h: Floats) -> Floats:
        """Q, from P: drivers who are expected an hour; none of them at a bay that is held."""
        return np.where(self.is_held, 0.0, per_h[self.of])

    def seen(self, candidates: Candidates, uses_held: NDArray[np.bool_]) -> Candidates:
        """The candidates (of P) as pools of Q, with the held ones as further columns for those who may use them (R)."""
        listed = candidates.pool >= 0
        pool = np.maximum(candidates.pool, 0)
        held = np.where(listed & uses_held[:, None], self.held[pool], -1)
        further = np.flatnonzero((held >= 0).any(axis=0))
        common = replace(candidates, pool=np.where(listed, self.common[pool], -1))
        if not further.size:
            return common
        again = common.columns(further)
        return common.beside(replace(again, pool=held[:, further]))
