"""What a photovoltaic plant will give: the clear sky over its panels, and how much of it clouds have let through of late."""

from dataclasses import dataclass

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats, Ints
from chargeloop.physics.sun import clear_hours
from chargeloop.prediction.quantile_trees import QuantileTrees

MOST_LEAD_H = 24
LEADS_H = (1, 2, 3, 4, 6, 9, 12, 18, 24)  # on which it learns; those between are asked for as well
WINDOWS_H = (1, 3, 6, 24)  # over which the clearness of late is taken
FADES = 0.7  # weight of an hour over that of the next newer one
DIM = 0.02  # kW/m2: below, clearness says nothing
LEAST_H = 30 * 24
ROUNDS = 120
SETTINGS = {"learning_rate": 0.05, "num_leaves": 7, "min_data_in_leaf": 200}


@dataclass(frozen=True, slots=True)
class Panel:
    """Where a plant stands and how it is turned; degrees, azimuth from north by east."""

    lon: float
    lat: float
    tilt_deg: float = 30.0
    azimuth_deg: float = 180.0

    def clear(self, start_s: float, count: int) -> Floats:
        """kW per kW of peak power under a clear sky, means of hours from `start_s` on."""
        return clear_hours(start_s, count, self.lon, self.lat, self.tilt_deg, self.azimuth_deg)


@dataclass(frozen=True, slots=True, eq=False)
class Solar:
    """Boosted trees for clearness (output over what a clear sky would give) from that of late, the sun's height and weather.

    `columns`: of weather, 0 where none is known.
    """

    panel: Panel
    columns: int
    trees: QuantileTrees

    @classmethod
    def fit(cls, panel: Panel, start_s: float, output: Floats, weather: Floats | None = None) -> "Solar":
        """From hourly means per kW of peak power, the first of the hour that starts at `start_s` (epoch s); NaN: unknown.

        `weather`: hours x columns of whatever is measured there (clouds, humidity, rain); of it, a forecast goes by the newest
        row that was known at its origin.

        Raises:
            BadInput: fewer than 30 days, or weather of another length.
        """
        if output.size < LEAST_H:
            raise BadInput("output", f"want at least {LEAST_H} hours to learn from, got {output.size}")
        if weather is not None and len(weather) != output.size:
            raise BadInput("weather", f"want one row for each of the {output.size} hours, got {len(weather)}")
        clear = panel.clear(start_s, output.size)
        origin, lead = (each.ravel() for each in np.meshgrid(np.arange(LEAST_H // 10, output.size), LEADS_H, indexing="ij"))
        target = origin + lead - 1
        seen = target < output.size
        origin, lead, target = origin[seen], lead[seen], target[seen]
        there = (clear[target] > DIM) & np.isfinite(output[target])
        origin, lead, target = origin[there], lead[there], target[there]
        known = _known(start_s, output, clear, weather, origin, lead)
        trees = QuantileTrees.fit(known, output[target] / clear[target], clear[target], ROUNDS, SETTINGS)
        return cls(panel, 0 if weather is None else weather.shape[1], trees)

    def forecast(self, start_s: float, output: Floats, hours: int = MOST_LEAD_H, weather: Floats | None = None) -> Floats:
        """3 quantiles x hours after those of `output`, kW per kW of peak power; nothing later is looked at.

        Raises:
            BadInput: more than 24 hours ahead, or weather with other columns than it learned from.
        """
        if not 1 <= hours <= MOST_LEAD_H:
            raise BadInput("hours", f"want 1 to {MOST_LEAD_H}, got {hours}")
        if (0 if weather is None else weather.shape[1]) != self.columns:
            raise BadInput("weather", f"want {self.columns} columns")
        lead = np.arange(1, hours + 1)
        clear = self.panel.clear(start_s, output.size + hours)
        known = _known(start_s, output, clear, weather, np.full(hours, output.size), lead)
        return np.asarray(np.maximum(self.trees.predict(known), 0.0) * clear[output.size :])


def _known(start_s: float, output: Floats, clear: Floats, weather: Floats | None, origin: Ints, lead: Ints) -> Floats:
    """Of each pair of an origin (the first hour that is not known) and a lead: what the trees go by."""
    back = origin[:, None] - 1 - np.arange(24)
    there = (back >= 0) & np.isfinite(output[np.maximum(back, 0)])
    gave = np.where(there, output[np.maximum(back, 0)], 0.0)
    could = np.where(there, clear[np.maximum(back, 0)], 0.0)
    fade = FADES ** np.arange(24)
    target = origin + lead - 1
    columns = [lead, clear[target], _clearness((gave * fade).sum(axis=1), (could * fade).sum(axis=1))]
    columns += [_clearness(gave[:, :n].sum(axis=1), could[:, :n].sum(axis=1)) for n in WINDOWS_H]
    yesterday = target - 24  # lead is a day at most
    seen = (yesterday >= 0) & (yesterday < origin)
    row = np.where(seen, yesterday, 0)
    columns.append(np.where(seen, _clearness(output[row], clear[row]), np.nan))
    at_s = start_s + 3600.0 * target
    year = 2 * np.pi * at_s / (365.25 * 86400)
    columns += [at_s % 86400 / 3600, np.sin(year), np.cos(year)]
    if weather is not None:
        columns += list(weather[origin - 1].T)
    return np.stack(columns, axis=1)


def _clearness(gave: Floats, could: Floats) -> Floats:
    return np.divide(gave, could, out=np.full_like(gave, np.nan), where=could > DIM)
