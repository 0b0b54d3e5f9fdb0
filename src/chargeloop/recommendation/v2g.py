"""What a willing driver earns by giving energy back while parked."""

import math

import numpy as np

from chargeloop.model.city import Floats
from chargeloop.recommendation.weights import Weights


def earned(
    cny_per_kwh_by_hour: Floats,
    start_h: Floats,
    parked_h: Floats,
    charge_h: Floats,
    kw: Floats,
    battery_kwh: Floats,
    weights: Weights,
) -> Floats:
    """CNY for a stay of `parked_h` from the local hour `start_h`, of which charging takes `charge_h`; broadcasts.

    In the spare time energy is sold in the dearest hour of the stay and bought back in the cheapest: as much as half of that
    time gives at `kw`, and not more than a share of the battery. Losses and wear are the driver's; the gain is shared.
    """
    if not kw.any():
        return np.zeros(np.broadcast_shapes(kw.shape, parked_h.shape))
    dear, cheap = _dearest_and_cheapest(cny_per_kwh_by_hour, start_h, parked_h)
    spare_h = np.maximum(parked_h - charge_h, 0)
    kwh = np.minimum(kw * spare_h / 2, weights.v2g_battery_share * battery_kwh)
    gain = np.maximum(dear - cheap / weights.v2g_efficiency - weights.v2g_wear_per_kwh, 0)
    return np.asarray(weights.v2g_driver_share * kwh * gain)


def _dearest_and_cheapest(cny_per_kwh_by_hour: Floats, start_h: Floats, hours: Floats) -> tuple[Floats, Floats]:
    """Of the hours that are touched, the one that has begun first."""
    first = np.floor(start_h).astype(np.int64)
    dear = cheap = cny_per_kwh_by_hour[first % 24]
    for ahead in range(1, min(math.ceil(float(np.max(hours, initial=0.0))) + 1, 24)):
        price = cny_per_kwh_by_hour[(first + ahead) % 24]
        touched = first + ahead < start_h + hours
        dear = np.where(touched, np.maximum(dear, price), dear)
        cheap = np.where(touched, np.minimum(cheap, price), cheap)
    return dear, cheap
