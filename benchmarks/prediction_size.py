"""The 45 zones tiled to 275, five months: seconds and memory to learn from them, and seconds to forecast a day of all."""

import json
import resource
import sys
import time
from datetime import timedelta

import numpy as np

from benchmarks.prediction_run import TIME_ZONE, shenzhen
from chargeloop.model import Demand
from chargeloop.prediction import fit_forecaster

ZONES = 275


def main(zones: int, days: int) -> dict[str, float]:
    few, _, weather = shenzhen()
    energy = few.energy_kwh[-24 * days :]
    many = Demand(few.start + timedelta(hours=len(few.energy_kwh) - len(energy)), np.tile(energy, -(-zones // 45))[:, :zones])
    began = time.monotonic()
    model = fit_forecaster("best", many, weather, TIME_ZONE)
    trained = time.monotonic()
    origin = many.start + timedelta(hours=len(energy))
    model.forecast(many, weather, origin, 24)
    told = time.monotonic()
    gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {"train_s": trained - began, "predict_s": told - trained, "gb": gb}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*(int(each) for each in sys.argv[1:]))) + "\n")
