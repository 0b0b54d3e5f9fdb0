"""Reader of the Open EV Data collection of vehicles (kilowatt_ev_data.json, MIT): a fleet of real charging curves."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from chargeloop.city import assumed
from chargeloop.city.tables import find
from chargeloop.model import BadInput, ChargingCurve, FleetShare, Tier, VehicleModel

PRIVATE_MODELS = 10
ABOUT = "Private cars are vehicles of Open EV Data (https://github.com/KilowattApp/open-ev-data), equally frequent."


def find_vehicles(folder: Path) -> Path | None:
    """The collection, in a city folder or in a folder `vehicles` in or beside it."""
    for place in (folder, folder / "vehicles", folder.parent / "vehicles"):
        found = find(place, "kilowatt_ev_data.json")
        if found is not None:
            return found
    return None


def read_vehicles(path: Path) -> tuple[tuple[VehicleModel, ...], tuple[FleetShare, ...], str]:
    """Models, their shares of requests, and a sentence on both: private cars from the file, other tiers as assumed.

    Of all cars that charge by direct current, those at even steps through the order of battery size are taken.

    Raises:
        BadInput: naming the entry and the field that is wrong.
    """
    cars = sorted(_cars(path), key=lambda model: (model.battery_kwh, model.model_id))
    if len(cars) < PRIVATE_MODELS:
        raise BadInput(
            str(path), f"has {len(cars)} cars with direct current and a charging curve, want {PRIVATE_MODELS} or more"
        )
    steps = (np.arange(PRIVATE_MODELS) + 0.5) / PRIVATE_MODELS * len(cars)
    private = [cars[i] for i in steps.astype(int)]
    models, fleet = assumed.fleet()
    others = [share for share in fleet if share.tier is not Tier.PRIVATE]
    driven = {share.model_id for share in others}
    left = 1 - sum(share.share for share in others)
    shares = [FleetShare(model.model_id, Tier.PRIVATE, left / PRIVATE_MODELS) for model in private]
    return (*private, *(model for model in models if model.model_id in driven)), (*shares, *others), ABOUT


def _cars(path: Path) -> Iterable[VehicleModel]:
    try:
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        entries = json.loads(text)["data"]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BadInput(str(path), f"cannot be read as Open EV Data: {str(error)[:160]}") from None
    for number, entry in enumerate(entries):
        try:
            model = _model(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{path}: data[{number}]", f"is no vehicle: {error}") from None
        if model is not None:
            yield model


def _model(entry: dict[str, Any]) -> VehicleModel | None:
    """The vehicle of an entry; None for one without direct current, or that is no car."""
    dc = entry.get("dc_charger")
    if not dc or entry.get("vehicle_type") != "car":
        return None
    points = {point["percentage"] / 100: float(point["power"]) for point in dc["charging_curve"]}
    soc = sorted(points)
    name = " ".join(str(entry[part]) for part in ("brand", "model", "variant", "release_year") if entry.get(part))
    kwh, use = float(entry["usable_battery_size"]), float(entry["energy_consumption"]["average_consumption"]) / 100
    if not (kwh > 0 and use > 0):
        raise ValueError("battery size and consumption must be above 0")
    curve = ChargingCurve(tuple(soc), tuple(points[s] for s in soc))
    ac_kw = min(float(entry["ac_charger"]["max_power"]), assumed.AC_KW)  # public AC here is single-phase
    return VehicleModel(str(entry["id"]), name, kwh, ac_kw, float(dc["max_power"]), curve, use)
