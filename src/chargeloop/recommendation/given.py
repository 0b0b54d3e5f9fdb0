"""What a call of `recommend` is given, as one record: kept, it can be made again, as it was or with something changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from chargeloop.model import BadInput, ChargeRequest, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.recommendation.candidates import Candidates
from chargeloop.recommendation.prices import DayAhead
from chargeloop.recommendation.reweigh import reweighed
from chargeloop.recommendation.solvers import solver_named
from chargeloop.recommendation.weights import DEFAULT, Weights


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Everything but the city itself. Arrays as in `World` and `Surroundings`: E bays, P pools, N stations, C on their way.

    `seed`: of the solver's generator, so that each call has one of its own. `budget_s`: of the solver.
    """

    at: datetime
    requests: tuple[ChargeRequest, ...]
    candidates: Candidates
    bay_free_s: Floats  # E
    coming_pool: Ints  # C
    coming_arrive_s: Floats  # C
    temperature_c: float
    inflow_per_h: Floats  # P
    load_share: Floats  # N
    ahead: DayAhead | None = None
    solver: str = "exact"
    weights: Weights = DEFAULT
    budget_s: float = 1.0
    seed: int = 0

    def changed(
        self,
        layout: Layout,
        *,
        weights: Mapping[str, object] | None = None,
        solver: str | None = None,
        outages: Sequence[str] = (),
    ) -> "Given":
        """The same, but for what is named. `weights`: as for `reweighed`; `outages`: stations of which no bay is in order.

        Raises:
            BadInput: no such weight, solver or station.
        """
        if solver is not None:
            solver_named(solver)
        free_s = self.bay_free_s.copy()
        for station_id in outages:
            if station_id not in layout.station_index:
                raise BadInput("outage", f"there is no station {station_id!r} in this city")
            free_s[layout.evse_station == layout.station_index[station_id]] = np.inf
        return replace(self, weights=reweighed(self.weights, weights or {}), solver=solver or self.solver, bay_free_s=free_s)
