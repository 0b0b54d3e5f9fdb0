"""What every forecaster can do, and the ones there are, by name."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from chargeloop.model import BadInput, Demand, Weather
from chargeloop.prediction.blend import LEAST_H, Blend
from chargeloop.prediction.forecast import Forecast
from chargeloop.prediction.naive import NAIVE, Naive
from chargeloop.prediction.profile import HourOfWeek
from chargeloop.prediction.regression import Regression


class Forecaster(Protocol):
    """Fitted to a record; forecasts from any history of the same zones."""

    @property
    def zone_ids(self) -> tuple[str, ...]: ...

    def forecast(self, history: Demand, weather: Weather, origin: datetime, hours: int) -> Forecast:
        """The next `hours` hours from what had ended at `origin`. Nothing later may change a bit of it."""
        ...


Fit = Callable[[Demand, Weather, str, Sequence[str]], Forecaster]


def _hour_of_week(demand: Demand, weather: Weather, time_zone: str, zone_ids: Sequence[str]) -> Forecaster:  # noqa: ARG001
    return HourOfWeek.fit(demand, time_zone, zone_ids)


def _naive(kind: str, demand: Demand, weather: Weather, time_zone: str, zone_ids: Sequence[str]) -> Forecaster:  # noqa: ARG001
    return Naive.fit(kind, demand, time_zone, zone_ids)


FORECASTERS: Mapping[str, Fit] = {
    "blend": Blend.fit,
    "regression": Regression.fit,
    "hour_of_week": _hour_of_week,
    **{kind: partial(_naive, kind) for kind in NAIVE},
}


def fit_forecaster(name: str, demand: Demand, weather: Weather, time_zone: str, zone_ids: Sequence[str] = ()) -> Forecaster:
    """The forecaster of that name; `best` is the blend where the record is long enough for it, else the regression.

    Raises:
        BadInput: there is no such forecaster, or the record is too short for it.
    """
    if name == "best":
        name = "blend" if len(demand.energy_kwh) >= LEAST_H else "regression"
    if name not in FORECASTERS:
        raise BadInput("forecaster", f"there is no {name!r}; there are best, {', '.join(FORECASTERS)}")
    return FORECASTERS[name](demand, weather, time_zone, zone_ids)
