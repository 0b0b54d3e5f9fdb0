"""What a vehicle is seen to do, kept up to date: energy for a drive by speed and temperature, and power by state of charge.

Both begin with what its type is known for, and give way to what is seen. A profile is a record; seeing more makes a new one.
"""

from dataclasses import dataclass

import numpy as np

from chargeloop.model import BadInput, ChargingCurve
from chargeloop.model.city import Floats
from chargeloop.physics.consumption import BEST_C

# --- consumption -------------------------------------------------------------------------------------------------------------

USUAL_KMH = 40.0
COLD, HOT = 0.012, 0.008  # per degree, as in `physics.drive_kwh`
SURE = (0.25, 0.006, 0.006, 0.15, 0.15)  # sigmas of what is believed of a type, over its consumption
TRIP_ERROR, ALONE_KM = (
    0.12,
    10.0,
)  # sigma of a trip's consumption over the expected, for this length; it falls with the root of it
OUTLIER = 3.0  # sigmas from which on a trip counts less


@dataclass(frozen=True, slots=True, eq=False)
class Consumption:
    """kWh/km = b . (1, degrees below 21.5, degrees above, v, v^2), v = (km/h - 40) / 40. `weight`: b, `information` on it."""

    weight: Floats
    information: Floats
    scale: float

    @classmethod
    def of_type(cls, kwh_per_km: float) -> "Consumption":
        """What is believed before the first trip.

        Raises:
            BadInput: a consumption that is not positive.
        """
        if not kwh_per_km > 0:
            raise BadInput("kwh_per_km", f"must be positive, got {kwh_per_km}")
        weight = kwh_per_km * np.array([1.0, COLD, HOT, 0.0, 0.0])
        return cls(weight, np.diag((kwh_per_km * np.array(SURE)) ** -2.0), kwh_per_km)

    def after(self, km: Floats, kwh: Floats, kmh: Floats, temperature_c: Floats) -> "Consumption":
        """With more trips, one after the other: Bayesian least squares, trips far off weighted down as by Huber (1964).

        Trips of no length, or with a reading missing, say nothing.
        """
        weight, information = self.weight, self.information
        seen = (km > 0) & np.isfinite(kwh) & np.isfinite(kmh) & np.isfinite(temperature_c)
        rows = _drive_features(kmh[seen], temperature_c[seen])
        for x, length, energy in zip(rows, km[seen], kwh[seen], strict=True):
            sigma = TRIP_ERROR * self.scale * np.sqrt(ALONE_KM / length)
            off = energy / length - x @ weight
            spread = np.sqrt(sigma**2 + x @ np.linalg.solve(information, x))
            trust = min(1.0, OUTLIER * spread / max(abs(off), 1e-12)) / sigma**2
            information = information + trust * np.outer(x, x)
            weight = weight + np.linalg.solve(information, trust * off * x)
        return Consumption(weight, information, self.scale)

    def kwh(self, km: Floats | float, kmh: Floats | float, temperature_c: Floats | float) -> tuple[Floats, Floats]:
        """Expected energy of drives, and its standard error from what is not known of the vehicle."""
        rows = _drive_features(
            np.atleast_1d(np.asarray(kmh, dtype=np.float64)), np.atleast_1d(np.asarray(temperature_c, dtype=np.float64))
        )
        error = np.sqrt(np.einsum("nf,fg,ng->n", rows, np.linalg.inv(self.information), rows))
        length = np.atleast_1d(np.asarray(km, dtype=np.float64))
        return np.asarray(length * np.maximum(rows @ self.weight, 0.0)), np.asarray(length * error)


def _drive_features(kmh: Floats, temperature_c: Floats) -> Floats:
    kmh, temperature_c = np.broadcast_arrays(kmh, temperature_c)
    v = (kmh - USUAL_KMH) / USUAL_KMH
    return np.stack(
        [np.ones_like(v), np.maximum(BEST_C - temperature_c, 0), np.maximum(temperature_c - BEST_C, 0), v, v**2], axis=1
    )


# --- charging ----------------------------------------------------------------------------------------------------------------

KNOTS = np.linspace(0, 1, 21)
BELIEF = 2.0  # readings that what is known of the type is worth
MEMORY = 50.0  # readings after which the oldest begin to count less: batteries age
STRIDE = 0.25  # of the curve: as far as one reading moves it at most
HELD_BACK = 0.98  # of the power offered: from here on it is not the vehicle that limits


@dataclass(frozen=True, slots=True, eq=False)
class ChargingSeen:
    """Highest power by state of charge: `kw` at `KNOTS`, linear between, and the `weight` of what was seen there."""

    kw: Floats
    weight: Floats

    @classmethod
    def of_type(cls, curve: ChargingCurve) -> "ChargingSeen":
        """What is believed before the first reading."""
        return cls(np.interp(KNOTS, curve.soc, curve.power_kw), np.full(KNOTS.size, BELIEF))

    def after(self, soc: Floats, power_kw: Floats, offered_kw: Floats) -> "ChargingSeen":
        """With more meter readings, one after the other. `offered_kw`: what the charger would have given.

        A reading at the limit of what was offered says only that the vehicle takes at least so much; one of no power, nothing.
        """
        kw, weight = self.kw.copy(), self.weight.copy()
        for s, power, offered in zip(soc, power_kw, offered_kw, strict=True):
            if not (0 <= s <= 1 and power > 0):
                continue
            low = min(int(s * (KNOTS.size - 1)), KNOTS.size - 2)
            share = s * (KNOTS.size - 1) - low
            near = np.array([1 - share, share])
            believed = float(near @ kw[low : low + 2])
            off = power - believed
            if power >= HELD_BACK * offered and off <= 0:
                continue
            off = float(np.clip(off, -STRIDE * believed, STRIDE * believed))
            weight[low : low + 2] = np.minimum(weight[low : low + 2] + near, MEMORY)
            kw[low : low + 2] += near * off / (weight[low : low + 2] * max(float(near @ near), 0.5))
        return ChargingSeen(np.maximum(kw, 0.0), weight)

    def power_kw(self, soc: Floats) -> Floats:
        return np.asarray(np.interp(soc, KNOTS, self.kw))
