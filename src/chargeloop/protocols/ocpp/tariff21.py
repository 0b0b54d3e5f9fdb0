"""A tariff of ours as chargers of 2.1 understand it (part 2, I12): the first price whose conditions hold counts."""

from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from chargeloop.model import PriceBand, Tariff

ID_LENGTH = 60


def tariff_of_21(tariff: Tariff) -> dict[str, Any]:
    """A TariffType. Prices are per kWh and minute, taxes included, so no tax is named; times are local.

    The cap of the idle fee stands in it as the time after which idling costs nothing more. Another price is another id.
    """
    told: dict[str, Any] = {"currency": tariff.currency, "energy": {"prices": [_energy(band) for band in tariff.bands]}}
    if tariff.idle_per_min:
        free_s = 60 * tariff.idle_free_min
        idle_s = int(60 * tariff.idle_cap / tariff.idle_per_min)
        conditions = {"minIdleTime": free_s, "maxIdleTime": free_s + idle_s}
        told["idleTime"] = {"prices": [{"priceMinute": float(tariff.idle_per_min), "conditions": conditions}]}
    digest = sha256(msgspec.json.encode(told)).hexdigest()[:8]
    return {"tariffId": f"{tariff.tariff_id[: ID_LENGTH - 9]}-{digest}", **told}


def _energy(band: PriceBand) -> dict[str, Any]:
    price = {"priceKwh": float(Decimal(band.energy_per_kwh) + Decimal(band.service_per_kwh))}
    if (band.start_h, band.end_h) == (0, 24):
        return price
    return {**price, "conditions": {"startTimeOfDay": f"{band.start_h:02}:00", "endTimeOfDay": f"{band.end_h % 24:02}:00"}}
