"""What a site draws besides charging: the usual of each hour of the week, and what heat and cold add to it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats, Ints
from chargeloop.prediction.calendar import hours_of
from chargeloop.prediction.profile import weekly_medians
from chargeloop.prediction.residuals import quantiles_by_hour

COOL_FROM_C, HEAT_BELOW_C = 24.0, 16.0  # where cooling and heating begin; assumptions, as no data here has a site's load
ROUNDS = 10  # between the usual and the slopes


@dataclass(frozen=True, slots=True, eq=False)
class BaseLoad:
    """load = usual(hour of week) + cooling x degrees above 24 + heating x degrees below 16 + error, by hour of day.

    `usual_kw`: 168; `cooling_kw_per_k`, `heating_kw_per_k`; `spread_kw`: 3 x 24, what to add for each quantile.
    """

    time_zone: str
    usual_kw: Floats
    cooling_kw_per_k: float
    heating_kw_per_k: float
    spread_kw: Floats

    @classmethod
    def fit(cls, start: datetime, load_kw: Floats, temperature_c: Floats, time_zone: str) -> "BaseLoad":
        """Medians and least squares in turns, on hours that are known. Slopes are not negative.

        Raises:
            BadInput: not one temperature an hour, or no hour with both.
        """
        if load_kw.shape != temperature_c.shape:
            raise BadInput("temperature_c", f"want one for each of the {load_kw.size} hours, got {temperature_c.size}")
        known = np.isfinite(load_kw) & np.isfinite(temperature_c)
        if not known.any():
            raise BadInput("load_kw", "there is no hour with load and temperature")
        hours = hours_of(start, load_kw.size, time_zone)
        degrees = _degrees(temperature_c)
        slopes, week = np.zeros(2), hours.of_week[known]
        for _ in range(ROUNDS):
            usual = weekly_medians((load_kw - degrees @ slopes)[:, None], hours.of_week)[:, 0]
            left = load_kw - usual[hours.of_week] - degrees @ slopes
            more = np.linalg.lstsq(_apart(degrees[known], week), _apart(left[known, None], week)[:, 0], rcond=None)[0]
            slopes = np.maximum(slopes + more, 0.0)
        error = load_kw - usual[hours.of_week] - degrees @ slopes
        spread = quantiles_by_hour(error[:, None], hours.of_day)[:, :, 0]
        return cls(time_zone, usual, float(slopes[0]), float(slopes[1]), spread)

    def predict(self, start: datetime, temperature_c: Floats) -> Floats:
        """3 quantiles x hours from `start` on, kW; a temperature that is not known (NaN) adds nothing."""
        hours = hours_of(start, temperature_c.size, self.time_zone)
        slopes = np.array([self.cooling_kw_per_k, self.heating_kw_per_k])
        point = self.usual_kw[hours.of_week] + _degrees(np.nan_to_num(temperature_c, nan=20.0)) @ slopes
        return np.sort(np.maximum(point + self.spread_kw[:, hours.of_day], 0.0), axis=0)


def _degrees(temperature_c: Floats) -> Floats:
    """Hours x 2: degrees to cool and to heat."""
    return np.stack([np.maximum(temperature_c - COOL_FROM_C, 0), np.maximum(HEAT_BELOW_C - temperature_c, 0)], axis=1)


def _apart(values: Floats, hour_of_week: Ints) -> Floats:
    """Hours x columns, less the mean of each hour of the week."""
    count = np.maximum(np.bincount(hour_of_week, minlength=168), 1)
    mean = np.stack([np.bincount(hour_of_week, column, 168) / count for column in values.T], axis=1)
    return np.asarray(values - mean[hour_of_week])
