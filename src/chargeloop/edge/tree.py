"""The site's circuits as rows of limits, and fair shares under them."""

from dataclasses import dataclass

import numpy as np

from chargeloop.edge.config import Site
from chargeloop.model.city import Floats

TOTAL = 0  # phase of a row in kW


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """R rows: of each circuit its kW, and the A of each phase where `limit_a` is given; the site's connection comes first.

    `weights`: R x N, what a kW at a charger adds to a row, in its unit (kW or A). `limits`, `bases`: R. `phases`: R, 0 for kW.
    `is_metered`: R, whether the meter measures it.
    """

    names: tuple[str, ...]
    weights: Floats
    limits: Floats
    bases: Floats
    phases: tuple[int, ...]
    is_metered: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def of_kw(self, kw: float, volts: float) -> Floats:
        """R: a balanced three-phase load in each row's unit."""
        return np.array([kw if phase == TOTAL else kw * 1000 / (3 * volts) for phase in self.phases])


def tree_of(site: Site) -> Tree:
    """A charger's single phase counts on its own row; what hangs on a circuit counts on all above it."""
    names, weights, limits, bases, phases, is_metered = [], [], [], [], [], []
    above = [_above(site, site.circuit_of(each)) for each in site.chargers]
    for i, circuit in enumerate(site.circuits):
        wanted = [TOTAL] if circuit.limit_kw is not None or i == 0 else []
        wanted += [1, 2, 3] if circuit.limit_a is not None else []
        for phase in wanted:
            names.append(f"{circuit.name} {'kW' if phase == TOTAL else f'L{phase} A'}")
            weights.append([_weight(site, n, phase) if i in above[n] else 0.0 for n in range(len(site.chargers))])
            limit = circuit.limit_kw if phase == TOTAL else circuit.limit_a
            limits.append(np.inf if limit is None else limit)
            bases.append(circuit.base_kw if phase == TOTAL else circuit.base_kw * 1000 / (3 * site.voltage_v))
            phases.append(phase)
            is_metered.append(i == 0 and site.meter is not None)
    return Tree(tuple(names), np.array(weights), np.array(limits), np.array(bases), tuple(phases), np.array(is_metered))


def _above(site: Site, circuit: int) -> set[int]:
    """A circuit and all above it."""
    names, found = [each.name for each in site.circuits], {circuit}
    while (parent := site.circuits[circuit].parent) is not None:
        circuit = names.index(parent)
        found.add(circuit)
    return found


def _weight(site: Site, charger: int, phase: int) -> float:
    """kW per kW, or A on a phase per kW."""
    of = site.chargers[charger]
    if phase == TOTAL:
        return 1.0
    used = {of.first_phase} if of.phases == 1 else {1, 2, 3}  # direct current is drawn from all three
    return 1000 / (site.voltage_v * len(used)) if phase in used else 0.0


def fair_share(weights: Floats, room: Floats, least_kw: Floats, want_kw: Floats, order: list[int]) -> Floats:
    """S: power of each session, nothing or between `least_kw` and `want_kw`. `weights`: R x S; `room`: R.

    In that order each gets its least, or nothing where there is no room for it or it wants less; then all of these rise by
    equal amounts until each has enough or meets a full row (progressive filling, as in max-min fairness).
    """
    left, given = np.maximum(room, 0.0), np.zeros(want_kw.size)
    rising = np.zeros(want_kw.size, dtype=bool)
    for s in order:
        need = weights[:, s] * least_kw[s]
        if 0 < want_kw[s] >= least_kw[s] and np.all(need <= left + 1e-9):
            left = np.maximum(left - need, 0.0)
            given[s], rising[s] = least_kw[s], True
    while True:
        full = left <= 1e-9
        rising &= (want_kw - given > 1e-9) & ~np.any(weights[full] > 0, axis=0)
        if not rising.any():
            return given
        pull = weights[:, rising].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = float(np.min(np.where(pull > 0, left / pull, np.inf)))
        step = min(step, float(np.min((want_kw - given)[rising])))
        given[rising] += step
        left = np.maximum(left - pull * step, 0.0)
