"""Power in the bays: what each vehicle takes, capped in proportion where a circuit would carry too much."""

import numpy as np

from chargeloop.physics import accepted_kw, kernel
from chargeloop.simulation.due import push
from chargeloop.simulation.state import Due, State, Whole

_CHARGE_END = np.int64(Due.CHARGE_END)
ALMOST_KWH = 1e-9


@kernel
def accrue(state: State, e: Whole, now_s: float) -> None:
    """Book the energy that flowed into the vehicle at bay `e` since it was last booked."""
    bay = state.bays[e]
    car = state.cars[bay.driver]
    kwh = bay.power_kw * (now_s - bay.since_s) / 3600
    bay.meter_kwh += kwh
    car.kwh += kwh
    car.soc += kwh / car.battery_kwh
    bay.since_s = now_s


@kernel
def accrue_all(state: State, now_s: float) -> float:
    """Book for every bay. Returns the sum of all registers, kWh."""
    total = 0.0
    for e in range(state.bays.size):
        if state.bays[e].driver >= 0:
            accrue(state, e, now_s)
        total += state.bays[e].meter_kwh
    return total


@kernel
def allowed_kw(state: State, e: Whole, now_s: float) -> float:
    """What the EVSE may offer: its rating, the limit set from outside, and the charging profile in force."""
    bay = state.bays[e]
    allowed = min(bay.kw, bay.limit_kw)
    if bay.plan_steps > 0 and now_s >= bay.plan_start_s:
        i = min(int((now_s - bay.plan_start_s) / bay.plan_step_s), bay.plan_steps - 1)
        allowed = min(allowed, state.plan_kw[e, i])
    return float(allowed)


@kernel
def set_power(state: State, now_s: float, step_s: float) -> float:
    """Fix each vehicle's power for the step that begins now, and when charging ends in it. Returns the load, kW.

    Where a circuit would carry more than its limit, all vehicles below it get the same share of what they would take; the
    smallest share on the way to the root counts, so no circuit is ever overloaded.
    """
    cars, bays, circuits = state.cars, state.bays, state.circuits
    for c in range(circuits.size):
        circuits[c].want_kw = 0.0
    for e in range(bays.size):
        bay = bays[e]
        if bay.driver >= 0 and not bay.charged:
            car = cars[bay.driver]
            bay.power_kw = accepted_kw(state.dc_table, state.ac_kw, car.model, car.is_dc, car.soc, allowed_kw(state, e, now_s))
            circuits[bay.circuit].want_kw += bay.power_kw
    for c in range(circuits.size - 1, -1, -1):  # children come after their parents
        if circuits[c].parent >= 0:
            circuits[circuits[c].parent].want_kw += circuits[c].want_kw
    for c in range(circuits.size):
        circuit = circuits[c]
        circuit.factor = 1.0 if circuit.want_kw <= circuit.room_kw else circuit.room_kw / circuit.want_kw
        if circuit.parent >= 0:
            circuit.factor = min(circuit.factor, circuits[circuit.parent].factor)
    load_kw = 0.0
    for e in range(bays.size):
        bay = bays[e]
        if bay.driver >= 0 and not bay.charged:
            car = cars[bay.driver]
            bay.power_kw *= circuits[bay.circuit].factor
            load_kw += bay.power_kw
            left_kwh = (car.target - car.soc) * car.battery_kwh
            bay.charge_end_s = np.inf
            if left_kwh <= ALMOST_KWH:
                bay.charge_end_s = now_s
            elif bay.power_kw > 0:
                bay.charge_end_s = now_s + left_kwh / bay.power_kw * 3600
            if bay.charge_end_s <= now_s + step_s:
                push(state, bay.charge_end_s, _CHARGE_END, e)
    return load_kw
