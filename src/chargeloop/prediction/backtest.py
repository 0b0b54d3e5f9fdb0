"""Cross-validation by rolling origin: every hour of a span is forecast at each lead, by models that grow with the record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from chargeloop.model import BadInput, Demand, Weather
from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.blend import Blend
from chargeloop.prediction.forecaster import Fit, Forecaster
from chargeloop.prediction.scores import Scores

REFIT_H = 168


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """Rows `first` to `last` of a record as they were forecast. `quantiles`: 3 x leads x hours x zones, kWh."""

    first: int
    leads: Ints
    actual: Floats
    quantiles: Floats
    methods: dict[str, int]

    def scores(self, lead: int) -> Scores:
        k = int(np.flatnonzero(self.leads == lead)[0])
        return Scores.of(self.actual, *self.quantiles[:, k])


def backtest(
    fit: Fit,
    demand: Demand,
    weather: Weather,
    time_zone: str,
    zone_ids: Sequence[str],
    *,
    first: int,
    last: int,
    leads: Sequence[int],
    refit_h: int = REFIT_H,
    told: Callable[[float], None] = lambda _share: None,
) -> Backtest:
    """Fit to what had ended at the first origin, again every `refit_h` hours, and forecast from each full hour.

    The hour in row t is forecast `h` hours ahead by a model that was fitted to rows before t - h + 1 and sees no others.

    Raises:
        BadInput: the span does not lie in the record, or leaves nothing to learn from.
    """
    ahead = np.array(sorted(leads))
    begin = first - int(ahead[-1]) + 1
    if not (begin > 0 and first < last <= len(demand.energy_kwh)):
        raise BadInput(
            "backtest", f"rows {first} to {last} must lie in a record of {len(demand.energy_kwh)} hours, with some before"
        )
    out = np.full((3, len(ahead), last - first, demand.energy_kwh.shape[1]), np.nan)
    methods: dict[str, int] = {}
    model: Forecaster | None = None
    for origin in range(begin, last):
        if model is None or (origin - begin) % refit_h == 0:
            model = refitted(model, fit, Demand(demand.start, demand.energy_kwh[:origin]), weather, time_zone, zone_ids)
        made = model.forecast(demand, weather, demand.start + timedelta(hours=origin), int(ahead[-1]))
        for name in made.methods:
            methods[name] = methods.get(name, 0) + 1
        rows = origin + ahead - 1 - first
        there = (rows >= 0) & (rows < last - first)
        for q, values in enumerate((made.q10, made.q50, made.q90)):
            out[q, there, rows[there]] = values[ahead[there] - 1]
        told((origin - begin + 1) / (last - begin))
    return Backtest(first, ahead, demand.energy_kwh[first:last], out, methods)


def refitted(
    model: Forecaster | None, fit: Fit, known: Demand, weather: Weather, time_zone: str, zone_ids: Sequence[str]
) -> Forecaster:
    """Fitted to all that is known by now. A blend goes on from its own trial where the record does; others start anew."""
    if isinstance(model, Blend) and model.start == known.start and model.hours <= len(known.energy_kwh):
        return model.updated(known)
    return fit(known, weather, time_zone, zone_ids)
