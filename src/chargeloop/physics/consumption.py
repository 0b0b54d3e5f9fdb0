"""Energy that driving takes."""

import numpy as np

from chargeloop.model.city import Floats

BEST_C = 21.5  # cabin and battery need least near here


def drive_kwh(km: Floats | float, kwh_per_km: Floats | float, temperature_c: float) -> Floats:
    """Energy for `km`, with heating and cooling: +1.2 % per degree below and +0.8 % above 21.5 °C.

    The slopes are an assumption, rounded from the span that fleet studies report for -7 to 35 °C; refit on own trips.
    """
    off = temperature_c - BEST_C
    climate = 1 + (0.012 * -off if off < 0 else 0.008 * off)
    return np.asarray(np.asarray(km) * np.asarray(kwh_per_km) * climate)
