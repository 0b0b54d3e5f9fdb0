"""The power problem and its answer, as arrays. S sessions, C circuits (parents before children), T steps."""

from dataclasses import dataclass

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class PowerProblem:
    """Who may take how much, under which limits.

    `circuit_parent`: C, -1 at a root. `circuit_limit_kw`, `circuit_base_kw`: C; base load counts under the limit.
    `circuit`: S, the circuit each session hangs on. `max_kw`: S, what EVSE and vehicle take at most. `energy_kwh`: S, still
    asked for, infinite where unknown. `depart_s`: S, epoch seconds, NaN where unknown. `step_s` and `steps`: the horizon.
    """

    circuit_parent: Ints
    circuit_limit_kw: Floats
    circuit_base_kw: Floats
    circuit: Ints
    max_kw: Floats
    energy_kwh: Floats
    depart_s: Floats
    now_s: float
    step_s: int = 300
    steps: int = 12

    def __post_init__(self) -> None:
        circuits, sessions = self.circuit_parent.size, self.circuit.size
        for name in ("circuit_limit_kw", "circuit_base_kw"):
            if getattr(self, name).shape != (circuits,):
                raise BadInput(name, f"want one value for each of the {circuits} circuits")
        for name in ("max_kw", "energy_kwh", "depart_s"):
            if getattr(self, name).shape != (sessions,):
                raise BadInput(name, f"want one value for each of the {sessions} sessions")
        if np.any(self.circuit_parent >= np.arange(circuits)):
            raise BadInput("circuit_parent", "parents must come before their children")
        if sessions and not 0 <= self.circuit.min() <= self.circuit.max() < circuits:
            raise BadInput("circuit", f"circuits are numbered 0 to {circuits - 1}")
        if np.any(~(self.max_kw >= 0)) or np.any(~(self.energy_kwh >= 0)):
            raise BadInput("max_kw, energy_kwh", "must not be negative or NaN")

    def circuit_base_kw_total(self) -> Floats:
        """C: base load on each circuit, everything below it included."""
        total = self.circuit_base_kw.copy()
        for c in range(total.size - 1, -1, -1):
            if self.circuit_parent[c] >= 0:
                total[self.circuit_parent[c]] += total[c]
        return total


@dataclass(frozen=True, slots=True, eq=False)
class PowerPlan:
    """What each session gets, and what that means for the circuits.

    `power_kw`: S x T, the mean of each step. `limit_kw`: S x T, what a session may draw at any instant of it: the same, but for
    the step in which it is done. Both keep every limit. `shortfall_kwh`: S, asked for and not reached within what the horizon
    could have given. `circuit_load_kw`: C x T, base load included. `shadow_price`: C x T, how urgent the most urgent session is
    that a circuit holds back, as 1 / (1 + its laxity in hours, 0 at least); 0 where the circuit has room.
    """

    power_kw: Floats
    limit_kw: Floats
    shortfall_kwh: Floats
    circuit_load_kw: Floats
    shadow_price: Floats
