"""How fast a battery charges: DC follows the vehicle's curve, AC its on-board charger, both the EVSE's limit."""

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats, Ints
from chargeloop.model.vehicle import VehicleModel
from chargeloop.physics.kernel import kernel

STEPS = 100  # table points per full battery
MILD_C, LESS_PER_DEGREE, LEAST_SHARE = 10.0, 0.02, 0.4  # of what a cold battery takes: an assumption, no data set here says it


def curve_table(models: tuple[VehicleModel, ...]) -> tuple[Floats, Floats]:
    """Tables by model: highest DC power at states of charge 0, 0.01 .. 1 (models x 101, kW), and AC power (models, kW)."""
    soc = np.linspace(0, 1, STEPS + 1)
    dc = np.array([np.interp(soc, m.curve.soc, m.curve.power_kw) for m in models])
    return dc, np.array([m.ac_kw for m in models])


def cold_share(temperature_c: float) -> float:
    """Share of its direct-current power that a battery takes at this temperature of the air: 1 where it is mild."""
    return min(max(1 - LESS_PER_DEGREE * (MILD_C - temperature_c), LEAST_SHARE), 1.0)


@kernel
def accepted_kw(dc_table: Floats, ac_kw: Floats, model: int, is_dc: bool, soc: float, limit_kw: float) -> float:
    """Power that flows into vehicle `model` at `soc` from an EVSE that offers `limit_kw`; 0 at full."""
    if soc >= 1.0:
        return 0.0
    if not is_dc:
        return float(min(ac_kw[model], limit_kw))
    x = soc * STEPS
    i = int(x)
    return float(min(dc_table[model, i] + (x - i) * (dc_table[model, i + 1] - dc_table[model, i]), limit_kw))


@kernel
def charge_minutes(
    dc_table: Floats,
    ac_kw: Floats,
    model: Ints,
    battery_kwh: Floats,
    soc: Floats,
    target: Floats,
    is_dc: NDArray[np.bool_],
    limit_kw: Floats,
) -> Floats:
    """Minutes from `soc` to `target`, one entry a vehicle; infinite where no power flows. Exact per table step (1 %)."""
    out = np.zeros(model.size)
    for i in range(model.size):
        s = soc[i]
        hours = 0.0
        while s < target[i] - 1e-12:
            end = min((np.floor(s * STEPS + 1e-9) + 1) / STEPS, target[i])
            kw = accepted_kw(dc_table, ac_kw, model[i], is_dc[i], (s + end) / 2, limit_kw[i])
            if kw <= 0:
                hours = np.inf
                break
            hours += (end - s) * battery_kwh[i] / kw
            s = end
        out[i] = hours * 60
    return out
