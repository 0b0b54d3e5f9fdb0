"""What an option costs beside minutes, in seconds: the amount, a busy station, a loaded grid. Nothing, as shipped."""

from chargeloop.model.city import Floats
from chargeloop.physics import kernel
from chargeloop.simulation.state import Rules, State, Whole


@kernel
def beside_minutes_s(state: State, rules: Rules, d: Whole, p: Whole, begin_s: float) -> float:
    """Of driver `d` at pool `p` from `begin_s` on (from the start of the run)."""
    car, pool, cost_s = state.cars[d], state.pools[p], 0.0
    if car.cny_s > 0:
        cost_s += car.cny_s * energy_cny(state, d, p, begin_s)
    if rules.busy_s > 0:
        bays = pool.end - pool.begin
        cost_s += rules.busy_s * (bays - pool.idle + pool.queue + pool.inbound) / bays
    if rules.load_s > 0:
        cost_s += rules.load_s * _loaded(state, state.bays[pool.begin].circuit) ** 2
    return float(cost_s)


@kernel
def energy_cny(state: State, d: Whole, p: Whole, begin_s: float) -> float:
    """What the charge of driver `d` costs there and then, the energy taken as spread evenly over the stay."""
    car = state.cars[d]
    kwh, begin_h, stay_h = (car.target - car.soc) * car.battery_kwh, begin_s / 3600, car.said_stay_s / 3600
    return float(kwh * (_paid(state.tariff[p], begin_h + stay_h) - _paid(state.tariff[p], begin_h)) / stay_h)


@kernel
def _paid(edges: Floats, hour: float) -> float:
    """CNY for a kW from the start until then."""
    days = hour // 24
    rest = hour - 24 * days
    full = min(int(rest), 23)
    return float(days * edges[24] + edges[full] + (rest - full) * (edges[full + 1] - edges[full]))


@kernel
def _loaded(state: State, c: Whole) -> float:
    """The highest load over the limit of circuit `c` and those above it, as vehicles wanted it at the begin of the step."""
    most = 0.0
    while c >= 0:
        circuit = state.circuits[c]
        most = max(most, circuit.want_kw / max(circuit.room_kw, 1.0))
        c = circuit.parent
    return most
