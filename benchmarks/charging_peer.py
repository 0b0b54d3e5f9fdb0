"""Energy of charging sessions by `acnportal`, for a Python that has it and nothing of ours.

In: a JSON object of `kw`, `minutes` of a period, and `sessions`, rows of bay, first period, period of leaving, kWh asked for.
Out: kWh that each got. The battery is ideal and as large as what is asked for; nothing but the bay limits the power.
"""

import importlib
import json
import sys
import warnings
from datetime import UTC, datetime
from typing import Any

VOLTS = 208.0


def energy_kwh(kw: float, minutes: float, sessions: list[tuple[int, int, int, float]]) -> list[float]:
    # by name: the package lives in another environment than that in which the types are checked
    acnsim: Any = importlib.import_module("acnportal.acnsim")
    algorithms: Any = importlib.import_module("acnportal.algorithms")
    network = acnsim.ChargingNetwork()
    for bay in sorted({row[0] for row in sessions}):
        network.register_evse(acnsim.EVSE(str(bay), max_rate=kw * 1000 / VOLTS), VOLTS, 0)
    network.add_constraint(acnsim.Current(network.station_ids), 1e9)  # it wants one; this holds nobody back
    vehicles = [
        acnsim.EV(arrive, leave, kwh, str(bay), str(i), acnsim.Battery(kwh, 0.0, kw))
        for i, (bay, arrive, leave, kwh) in enumerate(sessions)
    ]
    coming = acnsim.EventQueue([acnsim.PluginEvent(each.arrival, each) for each in vehicles])
    simulator = acnsim.Simulator(
        network, algorithms.UncontrolledCharging(), coming, datetime(2020, 1, 1, tzinfo=UTC), period=minutes, verbose=False
    )
    simulator.run()
    return [float(each.energy_delivered) for each in vehicles]


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of the package, about what it imports
    json.dump(energy_kwh(**json.load(sys.stdin)), sys.stdout)
