"""The state of charge with which a vehicle comes, by hour and battery: weighted quantiles of those alike who came before."""

from dataclasses import dataclass

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats
from chargeloop.prediction.forecast import QUANTILES
from chargeloop.prediction.stats import weighted_quantiles

HOUR_WIDTH, BATTERY_WIDTH = 6.0, 0.08  # of the Gaussian weights: hours around the clock, and the logarithm of the battery's kWh
HALF_LIFE_D = 180.0
ANYBODY = 0.02  # least weight, so that what is rare leans on everybody


@dataclass(frozen=True, slots=True, eq=False)
class ArrivalSoc:
    """N arrivals that were seen. `at_d`: days, from any day on; `hour`: local, 0..24; `battery_kwh`; `soc`: 0..1.

    Raises:
        BadInput: the arrays differ in length, or nobody was seen.
    """

    at_d: Floats
    hour: Floats
    battery_kwh: Floats
    soc: Floats

    def __post_init__(self) -> None:
        if not self.soc.size or not self.at_d.shape == self.hour.shape == self.battery_kwh.shape == self.soc.shape:
            raise BadInput("arrival soc", "want one day, hour, battery and state of charge for each of at least one arrival")

    def predict(self, at_d: float, hour: float, battery_kwh: float) -> Floats:
        """The three `QUANTILES`, of what was seen before `at_d`; of all where nothing was."""
        before = self.at_d < at_d
        before = before if before.any() else np.ones_like(before)
        apart_h = np.abs(self.hour[before] - hour)
        apart_h = np.minimum(apart_h, 24 - apart_h)
        apart = np.log(self.battery_kwh[before] / battery_kwh)
        near = np.exp(-0.5 * ((apart_h / HOUR_WIDTH) ** 2 + (apart / BATTERY_WIDTH) ** 2))
        weight = (near + ANYBODY) * 0.5 ** (np.abs(at_d - self.at_d[before]) / HALF_LIFE_D)
        return weighted_quantiles(self.soc[before], weight, QUANTILES)
