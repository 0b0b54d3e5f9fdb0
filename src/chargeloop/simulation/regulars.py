"""Drivers who come back: people with a usual place, hour, days and energy. All assumed: no data set here names its users."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from chargeloop.model import City, Current, Layout, Tier
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import local

SEED = 20250610  # the same people live in a city whatever day is drawn
DAY_CHANCE = (0.25, 0.9)  # of coming on one of the usual days, uniform; on another one a tenth of it
HOUR_SPREAD = (0.2, 1.0)  # h, sigma of the instant, uniform
AWAY = 0.15  # share of the visits to another zone than the usual
BATTERY_SHARE = (0.2, 0.5)  # that a visit charges, uniform
ENERGY_SPREAD = 0.15  # sigma of the logarithm
USUAL_DAYS = np.array([[1, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1], [1, 0, 1, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1]])


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """V visits: whose, when (epoch s), zone, and how much energy is wanted."""

    user: Ints
    at_s: Floats
    zone: Ints
    kwh: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Regulars:
    """R people. `hour`: local, mean; `hour_spread`: h; `day_chance`: R x 7, Monday first; `kwh`: median of a visit."""

    time_zone: str
    zone: Ints
    zones: int
    model: Ints
    is_dc: np.ndarray
    hour: Floats
    hour_spread: Floats
    day_chance: Floats
    kwh: Floats

    @classmethod
    def of(cls, city: City, layout: Layout, count: int) -> "Regulars":
        """They live where the bays are, and drive what the private fleet drives."""
        rng = np.random.default_rng([SEED, count])
        is_dc = rng.random(count) < 0.5
        zone_of_bay = layout.station_zone[layout.evse_station]
        bay_is_dc = layout.pool_is_dc[layout.evse_pool]
        zone, model = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        for kind in (Current.AC, Current.DC):
            those = np.flatnonzero(is_dc == (kind is Current.DC))
            bays = zone_of_bay[bay_is_dc == (kind is Current.DC)]
            zone[those] = rng.choice(bays if bays.size else zone_of_bay, those.size)
            model[those] = _private_models(city, kind, those.size, rng)
        battery = np.array([m.battery_kwh for m in city.models])[model]
        chance = rng.uniform(*DAY_CHANCE, count)[:, None] * np.maximum(
            USUAL_DAYS[rng.integers(len(USUAL_DAYS), size=count)], 0.1
        )
        return cls(
            time_zone=city.time_zone,
            zone=zone,
            zones=len(city.zones),
            model=model,
            is_dc=is_dc,
            hour=rng.uniform(7, 22, count),
            hour_spread=rng.uniform(*HOUR_SPREAD, count),
            day_chance=chance,
            kwh=battery * rng.uniform(*BATTERY_SHARE, count),
        )

    def visits(self, start: datetime, hours: int, rng: np.random.Generator) -> Visits:
        """Those within `hours` from `start`, each person once a local day at most."""
        first = local(start, self.time_zone).replace(hour=0, minute=0, second=0, microsecond=0)
        days = [first + timedelta(days=d) for d in range(hours // 24 + 2)]
        comes = rng.random((len(days), self.zone.size)) < self.day_chance[:, [day.weekday() for day in days]].T
        day, user = np.nonzero(comes)
        midnight_s = np.array([each.astimezone(UTC).timestamp() for each in days])
        hour = np.clip(rng.normal(self.hour[user], self.hour_spread[user]), 0, 24 - 1e-6)
        at_s = midnight_s[day] + 3600 * hour
        elsewhere = rng.random(user.size) < AWAY
        zone = np.where(elsewhere, rng.integers(self.zones, size=user.size), self.zone[user])
        kwh = self.kwh[user] * rng.lognormal(0, ENERGY_SPREAD, user.size)
        inside = np.flatnonzero((at_s >= start.timestamp()) & (at_s < start.timestamp() + 3600 * hours))
        return Visits(user[inside], at_s[inside], zone[inside], kwh[inside])


def _private_models(city: City, kind: Current, count: int, rng: np.random.Generator) -> Ints:
    index = {model.model_id: i for i, model in enumerate(city.models)}
    power = [m.dc_kw if kind is Current.DC else m.ac_kw for m in city.models]
    rows = [(index[s.model_id], s.share) for s in city.fleet if s.tier is Tier.PRIVATE and power[index[s.model_id]] > 0]
    if not rows:
        rows = [(i, 1.0) for i in range(len(city.models))]
    models, share = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    return rng.choice(models, count, p=share / share.sum())
