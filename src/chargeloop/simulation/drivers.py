"""Who comes to charge: drivers drawn from the measured behaviour of each zone, with all that they are and want."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import BadInput, City, Current, Layout, Tier
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import charge_minutes, curve_table, drive_kwh, full_hour, hour_of_week, local
from chargeloop.simulation.fleets import ANXIOUS_SOC, TIERS, depots, drawn, earns, is_tier, mix
from chargeloop.simulation.regulars import Regulars
from chargeloop.simulation.scenario import QUIET, RAIN_ASKS, Scenario
from chargeloop.simulation.weather import in_weather, temperature_c

EVENING_H = (17, 18, 19, 20, 21, 22)  # local hours on which the level is defined
FULL_LEVEL = 0.5  # level 1.0 asks for this share of all bay-hours in the evening
ALLOWANCE_S = 15 * 60.0  # what drivers reckon with for driving and plugging in when they name a deadline

# Assumptions: no data set here says them.
VALUE_OF_TIME = {
    Tier.PRIVATE: 30.0,
    Tier.TAXI: 50.0,
    Tier.RIDE_HAILING: 45.0,
    Tier.BUS: 80.0,
    Tier.LOGISTICS: 60.0,
    Tier.EMERGENCY: 200.0,
}  # CNY/h, median
VALUE_SPREAD = 0.3  # sigma of its logarithm
DC_SLACK = 1.5  # deadline of a fast charge over its expected length
DC_TARGET = (0.7, 0.95)  # state of charge wanted, uniform
AC_TARGET = (0.9, 1.0)
DRIVE_KM = 5.0  # what drivers reckon with: state of charge is known on arrival, and asked for before the drive
LEAST_GAIN = 0.05  # nobody plugs in for less than this share of the battery
AC_HEADROOM = 0.95  # share of the energy that a stay at full AC power would give, and that a driver dares to ask for


@dataclass(frozen=True, slots=True, eq=False)
class Drivers:
    """D drivers sorted by the instant they appear. Instants are epoch seconds.

    `stay_s`: AC: from plug-in to departure; DC: what is added after charging has ended. `said_stay_s`: the whole time at
    the bay that the driver expects when asked. `asked_s`: bay time asked for, by which the level is counted.
    `walk_in`: never asks. `follows`: asks, and goes where the answer says. `heeds`: so also if told to come later.
    `anxious`: asks without need. `depot`: the vehicle's own station, -1 for none.
    `level`: realised level of the draw, NaN where no evening hour lies in it. `first`: number of the first driver. `user`: of
    the regulars, -1 for somebody new.
    """

    start: datetime
    hours: int
    level: float
    first: int
    appear_s: Floats
    lon: Floats
    lat: Floats
    model: Ints
    tier: Ints
    is_dc: NDArray[np.bool_]
    soc: Floats
    target: Floats
    battery_kwh: Floats
    kwh_per_km: Floats
    stay_s: Floats
    said_stay_s: Floats
    asked_s: Floats
    depart_by_s: Floats
    patience_s: Floats
    value_of_time_per_h: Floats
    walk_in: NDArray[np.bool_]
    follows: NDArray[np.bool_]
    heeds: NDArray[np.bool_]
    anxious: NDArray[np.bool_]
    depot: Ints
    user: Ints

    def __len__(self) -> int:
        return self.appear_s.size

    def __getitem__(self, these: slice | Ints | NDArray[np.bool_]) -> "Drivers":
        """Some of the drivers, in their order."""
        return replace(self, **{name: getattr(self, name)[these] for name in ARRAYS})


ARRAYS = tuple(field.name for field in fields(Drivers))[4:]


def draw_drivers(
    city: City,
    layout: Layout,
    start: datetime,
    hours: int,
    level: float | None,
    rng: np.random.Generator,
    first: int = 0,
    scenario: Scenario = QUIET,
) -> Drivers:
    """Draw the drivers who appear within `hours` from `start`.

    They come as a Poisson process at the rate that makes the bay-hours asked for equal to `Behaviour.busy_share` x bays in
    each zone, hour and kind of current, times one factor: such that the expected level over the evenings of the days drawn
    is `level`, or 1 where `level` is None (the measured demand).
    """
    models, tiers = _fleet(city)
    air_c, city = temperature_c(city, start, scenario), in_weather(city, start, scenario)
    dc_kw, bays = _zone_dc_kw(layout), _zone_bays(layout)
    asked_h, slots = _bay_hours(city, bays, start, hours, scenario)
    mean_dc_h = _mean_dc_stay_h(city, dc_kw, air_c, scenario)[_local_hour(slots, city.time_zone)]
    mean_stay_h = np.stack(
        [np.broadcast_to(_mean_ac_stay_h(city), mean_dc_h.shape), mean_dc_h], axis=1
    )  # slot x current x zone
    if level is not None:
        asked_h = asked_h * (level / _measured_level(city, bays, start, hours))
    asked_h = asked_h * _zone_weights(asked_h, scenario.zone_spread, rng) * _surges(city, slots, start, scenario)
    count = rng.poisson(asked_h / mean_stay_h)  # slot x current x zone
    slot, current, zone = (np.repeat(index, count.ravel()) for index in (x.ravel() for x in np.indices(count.shape)))
    appear = slots[slot] + rng.random(slot.size) * 3600
    begin = start.timestamp()
    inside = (appear >= begin) & (appear < begin + hours * 3600)
    order = np.flatnonzero(inside)[np.argsort(appear[inside], kind="stable")]
    appear, current, zone = appear[order], current[order], zone[order]
    size, is_dc = appear.size, current == 1

    lon, lat = _places(city, zone, scenario.scatter, rng)
    hour = _local_hour(appear, city.time_zone)
    share = np.where(
        is_dc, *(drawn(mix(city, kind, scenario.own_hours), hour, rng.random(size)) for kind in (Current.DC, Current.AC))
    )
    model, tier = models[share], tiers[share]
    battery = np.array([m.battery_kwh for m in city.models])[model]
    kwh_per_km = _kwh_per_km(city, air_c)[model]
    ears = rng.spawn(1)[0]  # a stream of its own: the same drivers come, whoever listens
    nerves = ears.spawn(1)[0]
    anxious = is_tier(tier, Tier.PRIVATE) & (nerves.random(size) < scenario.anxious)
    soc = _soc(city, rng.random(size), DRIVE_KM * kwh_per_km / battery)
    soc = np.where(anxious, nerves.uniform(*ANXIOUS_SOC, size), soc)
    target = np.where(is_dc, rng.uniform(*DC_TARGET, size), rng.uniform(*AC_TARGET, size))
    target = np.clip(np.maximum(target, soc + LEAST_GAIN), 0, 1)
    ac_stay_s = _quantile(city.behaviour.ac_stay_min, rng.random(size)) * 60
    dc_table, ac_kw = curve_table(city.models)
    reachable = soc + AC_HEADROOM * ac_kw[model] * ac_stay_s / 3600 / battery
    target = np.where(is_dc, target, np.maximum(np.minimum(target, reachable), np.minimum(soc + 0.01, 1)))
    overstay_s = _quantile(city.behaviour.dc_overstay_min, rng.random(size)) * 60
    charge_s = 60 * charge_minutes(dc_table, ac_kw, model, battery, soc, target, is_dc, dc_kw[zone])
    named_s = np.where(
        is_dc,
        charge_s + mean_of_quantiles(city.behaviour.dc_overstay_min) * 60,
        ac_stay_s * rng.lognormal(0, scenario.stay_error, size),
    )
    asked_s = np.where(is_dc, charge_s + overstay_s, ac_stay_s)
    walk_in = ears.random(size) < scenario.walk_ins
    follows = ~walk_in & (ears.random(size) < scenario.compliance)
    patience_s = rng.uniform(*scenario.patience_min, size) * 60
    value = np.array([VALUE_OF_TIME[t] for t in TIERS])[tier] * rng.lognormal(0, VALUE_SPREAD, size)
    depot = np.full(size, -1)
    if scenario.own_hours:
        value *= earns(tier, hour)
        depot = np.where(is_dc & is_tier(tier, Tier.BUS), depots(layout)[zone], -1)
        lon, lat = np.where(depot >= 0, layout.station_lon[depot], lon), np.where(depot >= 0, layout.station_lat[depot], lat)
    drivers = Drivers(
        start=start,
        hours=hours,
        level=_level(appear, asked_s, city.time_zone, layout, start, hours),
        first=first,
        appear_s=appear,
        lon=lon,
        lat=lat,
        model=model,
        tier=tier,
        is_dc=is_dc,
        soc=soc,
        target=target,
        battery_kwh=battery,
        kwh_per_km=kwh_per_km,
        stay_s=np.where(is_dc, overstay_s, ac_stay_s),
        said_stay_s=named_s,
        asked_s=asked_s,
        depart_by_s=appear + ALLOWANCE_S + np.where(is_dc, DC_SLACK, 1.0) * named_s,
        patience_s=patience_s,
        value_of_time_per_h=value,
        walk_in=walk_in,
        follows=follows,
        heeds=follows & (nerves.random(size) < scenario.heeds),
        anxious=anxious,
        depot=depot,
        user=np.full(size, -1),
    )
    return with_regulars(drivers, city, layout, scenario, nerves.spawn(1)[0]) if scenario.regulars else drivers


def with_regulars(drivers: Drivers, city: City, layout: Layout, scenario: Scenario, rng: np.random.Generator) -> Drivers:
    """The same drivers, some of them replaced by regulars at their hours; as many come as before, for the same current.

    Their bay time is what they need, so the bay-hours asked for differ a little from those measured.
    """
    regulars = Regulars.of(city, layout, scenario.regulars)
    visits = regulars.visits(drivers.start, drivers.hours, rng)
    row, visit = [], []
    for kind in (False, True):
        there, come = np.flatnonzero(drivers.is_dc == kind), np.flatnonzero(regulars.is_dc[visits.user] == kind)
        count = min(there.size, come.size)
        row.append(rng.choice(there, count, replace=False))
        visit.append(rng.permutation(come)[:count])
    rows, these = np.concatenate(row), np.concatenate(visit)
    user, appear, is_dc = visits.user[these], visits.at_s[these], drivers.is_dc[rows]
    model = regulars.model[user]
    battery = np.array([m.battery_kwh for m in city.models])[model]
    target = np.where(is_dc, rng.uniform(*DC_TARGET, rows.size), rng.uniform(*AC_TARGET, rows.size))
    soc = np.maximum(target - visits.kwh[these] / battery, 0.01)
    dc_table, ac_kw = curve_table(city.models)
    dc_kw = _zone_dc_kw(layout)[visits.zone[these]]
    charge_s = 60 * charge_minutes(dc_table, ac_kw, model, battery, soc, target, is_dc, dc_kw)
    stay_s = np.where(is_dc, drivers.stay_s[rows], np.maximum(drivers.stay_s[rows], charge_s / AC_HEADROOM))
    named_s = np.where(
        is_dc,
        charge_s + mean_of_quantiles(city.behaviour.dc_overstay_min) * 60,
        stay_s * rng.lognormal(0, scenario.stay_error, rows.size),
    )
    lon, lat = _places(city, visits.zone[these], scenario.scatter, rng)
    private = np.full(rows.size, TIERS.index(Tier.PRIVATE))
    new = {
        "appear_s": appear,
        "lon": lon,
        "lat": lat,
        "model": model,
        "tier": private,
        "soc": soc,
        "target": target,
        "battery_kwh": battery,
        "kwh_per_km": _kwh_per_km(city, temperature_c(city, drivers.start, scenario))[model],
        "stay_s": stay_s,
        "said_stay_s": named_s,
        "asked_s": np.where(is_dc, charge_s, 0) + stay_s,
        "depart_by_s": appear + ALLOWANCE_S + np.where(is_dc, DC_SLACK, 1.0) * named_s,
        "value_of_time_per_h": VALUE_OF_TIME[Tier.PRIVATE] * rng.lognormal(0, VALUE_SPREAD, rows.size),
        "anxious": np.zeros(rows.size, dtype=np.bool_),
        "depot": np.full(rows.size, -1),
        "user": user,
    }
    changed = {name: getattr(drivers, name).copy() for name in new}
    for name, values in new.items():
        changed[name][rows] = values
    return replace(drivers, **changed)[np.argsort(changed["appear_s"], kind="stable")]


def joined_drivers(one: Drivers, more: Drivers) -> Drivers:
    """`one` and the drivers who appear after them. The level of the whole is that of the latest.

    Raises:
        BadInput: where time or numbers of `more` don't follow on those of `one`.
    """
    end = one.start + timedelta(hours=one.hours)
    if more.start != end or more.first != one.first + len(one):
        raise BadInput("drivers", f"those who follow must begin at {end.isoformat()} with number {one.first + len(one)}")
    both = {name: np.concatenate([getattr(one, name), getattr(more, name)]) for name in ARRAYS}
    return Drivers(one.start, one.hours + more.hours, more.level, one.first, **both)


def _local_hour(at_s: Floats, time_zone: str) -> Ints:
    """0..23, of each instant."""
    hours, which = np.unique(at_s // 3600, return_inverse=True)
    here = [local(datetime.fromtimestamp(float(h) * 3600, UTC), time_zone).hour for h in hours]
    return np.array(here, dtype=np.int64)[which]


def in_evening(appear_s: Floats, time_zone: str) -> NDArray[np.bool_]:
    """Which instants lie in the evening hours (local)."""
    return np.isin(_local_hour(appear_s, time_zone), EVENING_H)


def _level(appear_s: Floats, asked_s: Floats, time_zone: str, layout: Layout, start: datetime, hours: int) -> float:
    """Bay-hours asked for in the evenings over half of the bay-hours there are."""
    evening_h = in_evening(start.timestamp() + 60 * np.arange(hours * 60, dtype=np.float64), time_zone).sum() / 60
    if evening_h == 0:
        return float("nan")
    asked_h = asked_s[in_evening(appear_s, time_zone)].sum() / 3600
    return float(asked_h / (FULL_LEVEL * len(layout.evse_ids) * evening_h))


def _bay_hours(city: City, bays: Floats, start: datetime, hours: int, scenario: Scenario) -> tuple[Floats, Floats]:
    """Bay-hours asked for, slot x current x zone, in full hours that cover the time; and the slots' starts. As measured,
    but for what the scenario says of the day.
    """
    begin = full_hour(start)
    count = hours if begin == start else hours + 1
    slots = [begin + timedelta(hours=i) for i in range(count)]
    week = np.array([hour_of_week(slot, city.time_zone) for slot in slots])
    if scenario.weekday is not None:
        week = 24 * scenario.weekday + week % 24
    times = scenario.demand * (1 + RAIN_ASKS * scenario.rain)
    return times * city.behaviour.busy_share[week][:, None, :] * bays, np.array([slot.timestamp() for slot in slots])


def _measured_level(city: City, bays: Floats, start: datetime, hours: int) -> float:
    """Expected level of the unscaled demand over the evenings of the local days that the time begins in."""
    first_day = local(start, city.time_zone).weekday()
    days = (first_day + np.arange(max(1, -(-hours // 24)))) % 7
    week = (days[:, None] * 24 + np.array(EVENING_H)).ravel()
    zone_bays = bays.sum(axis=0)
    return float((city.behaviour.busy_share[week] @ zone_bays).mean() / (FULL_LEVEL * zone_bays.sum()))


def _zone_bays(layout: Layout) -> Floats:
    """Bays by current (AC, DC) and zone."""
    zone = layout.station_zone[layout.evse_station]
    is_dc = layout.pool_is_dc[layout.evse_pool]
    return np.stack([np.bincount(zone[is_dc == kind], minlength=len(layout.zone_ids)) for kind in (False, True)]).astype(float)


def _zone_dc_kw(layout: Layout) -> Floats:
    """Mean power of a zone's DC bays; the city's mean where it has none."""
    dc = layout.pool_is_dc[layout.evse_pool]
    zone, kw = layout.station_zone[layout.evse_station][dc], layout.evse_kw[dc]
    bays = np.bincount(zone, minlength=len(layout.zone_ids))
    total = np.bincount(zone, kw, len(layout.zone_ids))
    city_mean = kw.mean() if kw.size else 60.0
    return np.where(bays > 0, total / np.maximum(bays, 1), city_mean)


def _mean_ac_stay_h(city: City) -> Floats:
    return np.full(len(city.zones), mean_of_quantiles(city.behaviour.ac_stay_min) / 60)


def _mean_dc_stay_h(city: City, dc_kw: Floats, air_c: float, scenario: Scenario) -> Floats:
    """24 local hours x zone: expected bay time of a fast charge, over fleet, arrival and target state of charge."""
    models, tiers = _fleet(city)
    share = mix(city, Current.DC, scenario.own_hours)  # 24 x rows of the fleet
    if not share.any():
        return np.full((24, dc_kw.size), np.inf)
    powers, which = np.unique(dc_kw, return_inverse=True)
    drive = DRIVE_KM * _kwh_per_km(city, air_c) / np.array([m.battery_kwh for m in city.models])
    u = _midpoints(20)
    usual = _charge_h(city, models, _soc(city, u, drive[models][:, None]), powers)
    if scenario.anxious > 0:
        soc = np.broadcast_to(ANXIOUS_SOC[0] + u * (ANXIOUS_SOC[1] - ANXIOUS_SOC[0]), (models.size, u.size))
        among = scenario.anxious * is_tier(tiers, Tier.PRIVATE)
        usual = (1 - among) * usual + among * _charge_h(city, models, soc, powers)
    able = share.any(axis=0)
    mean_h = share[:, able] @ usual[:, able].T + mean_of_quantiles(city.behaviour.dc_overstay_min) / 60
    return np.asarray(mean_h[:, which])


def _charge_h(city: City, models: Ints, soc: Floats, powers: Floats) -> Floats:
    """Powers x rows of the fleet: mean hours of a fast charge from `soc` (rows x samples), over the targets."""
    dc_table, ac_kw = curve_table(city.models)
    targets = DC_TARGET[0] + _midpoints(5) * (DC_TARGET[1] - DC_TARGET[0])
    shape = (*soc.shape, targets.size)
    model = np.broadcast_to(models[:, None, None], shape).ravel()
    soc = np.broadcast_to(soc[:, :, None], shape).ravel()
    target = np.clip(np.maximum(np.broadcast_to(targets, shape).ravel(), soc + LEAST_GAIN), 0, 1)
    battery, is_dc = np.array([m.battery_kwh for m in city.models])[model], np.ones(model.size, dtype=np.bool_)
    minutes = [charge_minutes(dc_table, ac_kw, model, battery, soc, target, is_dc, np.full(model.size, kw)) for kw in powers]
    return np.asarray(np.reshape(minutes, (powers.size, models.size, -1)).mean(axis=2) / 60)


def _soc(city: City, u: Floats, drive: Floats) -> Floats:
    """State of charge when asking: that at quantile `u` on arrival, and what the drive takes (share of the battery)."""
    return np.minimum(_quantile(city.behaviour.arrival_soc, u) + drive, 1 - LEAST_GAIN)


def _kwh_per_km(city: City, air_c: float) -> Floats:
    """By model."""
    return drive_kwh(1.0, np.array([m.consumption_kwh_per_km for m in city.models]), air_c)


def _zone_weights(asked_h: Floats, spread: float, rng: np.random.Generator) -> Floats:
    """One weight a zone, that leaves the sum over all as it is; all 1 where there is no spread."""
    if spread == 0:
        return np.ones(asked_h.shape[-1])
    weight = rng.lognormal(0, spread, asked_h.shape[-1])
    return np.asarray(weight * asked_h.sum() / (asked_h * weight).sum())


def _surges(city: City, slots: Floats, start: datetime, scenario: Scenario) -> Floats:
    """Slot x 1 x zone: how many times as many drivers as usual ask."""
    times = np.ones((slots.size, 1, len(city.zones)))
    zone_ids = [zone.zone_id for zone in city.zones]
    hour = (slots - start.timestamp()) / 3600
    for surge in scenario.surges:
        if surge.zone_id not in zone_ids:
            raise BadInput("surge", f"there is no zone {surge.zone_id!r} in this city")
        times[(hour >= surge.begin_h) & (hour < surge.end_h), 0, zone_ids.index(surge.zone_id)] *= 1 + surge.extra
    return times


def _places(city: City, zone: Ints, scatter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Evenly over a disc around the zone's centre."""
    centre = np.array([(z.centre.lon, z.centre.lat, z.radius_m) for z in city.zones])[zone]
    away = scatter * centre[:, 2] * np.sqrt(rng.random(zone.size))
    angle = rng.random(zone.size) * 2 * np.pi
    metres_per_degree = 111_195.0
    lat = centre[:, 1] + away * np.sin(angle) / metres_per_degree
    return centre[:, 0] + away * np.cos(angle) / (metres_per_degree * np.cos(np.radians(centre[:, 1]))), lat


def _fleet(city: City) -> tuple[Ints, Ints]:
    index = {m.model_id: i for i, m in enumerate(city.models)}
    return np.array([index[s.model_id] for s in city.fleet]), np.array([TIERS.index(s.tier) for s in city.fleet])


def _midpoints(count: int) -> Floats:
    """Of as many equal parts of 0..1."""
    return (np.arange(count) + 0.5) / count


def _quantile(values: Floats, u: Floats) -> Floats:
    """Inverse of the distribution whose evenly spaced quantiles are `values`."""
    return np.interp(u, np.linspace(0, 1, len(values)), values)


def mean_of_quantiles(values: Floats) -> float:
    """Mean of the distribution whose evenly spaced quantiles are `values`, linear between them."""
    return float(np.mean((values[1:] + values[:-1]) / 2))
