"""From the World, the requests and their candidates to the arrays of a `Problem`: hard constraints and fixed terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import BadInput, ChargeRequest, Layout, Sort, VehicleModel, World
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import charge_minutes, cold_share, curve_table, drive_kwh, first_free_s, utc_offset_s
from chargeloop.pricing import RateTable, estimate
from chargeloop.recommendation.candidates import Candidates
from chargeloop.recommendation.held import Pools
from chargeloop.recommendation.objective import Drivers, Facts, busy_curve, fixed_terms, others_delayed_min, price_over
from chargeloop.recommendation.prices import DayAhead
from chargeloop.recommendation.problem import Problem
from chargeloop.recommendation.v2g import earned
from chargeloop.recommendation.waiting import longer_s
from chargeloop.recommendation.weights import Weights

Bools = NDArray[np.bool_]

# why an option is out, in the order in which it is checked
NO_BAY = "have no bay in order"
EXCLUDED = "belong to operators you excluded"
WRONG_CURRENT = "have not the current you need"
NO_POWER = "cannot charge this vehicle"
TOO_FAR = "are out of reach with the battery as it is"
CLOSED = "are closed then"
TOO_LATE = "have no bay free before you leave"

_tables = lru_cache(maxsize=8)(curve_table)


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What the city expects. P pools, N stations.

    `inflow_per_h`: P, forecast arrivals an hour. `load_share`: N, load over limit of the circuit above each station.
    `energy_price`: 24 local hours, CNY per kWh to buy. `time_zone`: whose hours those are. `ahead`: shadow prices of bays;
    without them, and after them, the inflow alone says what a stay takes from others.
    """

    inflow_per_h: Floats
    load_share: Floats
    energy_price: Floats
    time_zone: str
    ahead: DayAhead | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """The problem, with what is needed to show its options. All arrays R x K, and a few columns more for those who may use
    bays that are held: see `Pools`, which the problem's are.

    `terms`: the fixed terms, CNY. `start_h`: local hour at which charging begins. `why_not`: a name for each hard
    constraint, with the options it put out.
    """

    problem: Problem
    pools: Pools
    drivers: Drivers
    facts: Facts
    terms: dict[str, Floats]
    arrival_soc: Floats
    start_h: Floats
    why_not: dict[str, Bools]


def build(
    world: World,
    requests: Sequence[ChargeRequest],
    candidates: Candidates,
    rates: RateTable,
    models: Sequence[VehicleModel],
    surroundings: Surroundings,
    weights: Weights,
    sorts: Sequence[Sort | None],
) -> Options:
    """The options of all requests.

    Raises:
        BadInput: on an unknown vehicle model or depot, or arrays of the wrong shape.
    """
    check(world, requests, candidates, surroundings, sorts)
    layout = world.layout
    pools = Pools.of_layout(layout)
    candidates = pools.seen(candidates, np.array([weights.tiers[r.tier].uses_held_bays for r in requests]))
    shape = candidates.pool.shape
    model = _models(requests, models)[:, None]
    soc, target, battery, depart_s = (
        np.array(column)[:, None]
        for column in zip(*((r.soc, r.target_soc, r.battery_kwh, r.depart_by.timestamp()) for r in requests), strict=True)
    )
    is_dc = np.array([r.current == "DC" for r in requests])[:, None]
    consumption = np.array([m.consumption_kwh_per_km for m in models])[model]

    listed = candidates.pool >= 0
    pool = np.where(listed, candidates.pool, 0)
    station, place = pools.station[pool], pools.of[pool]  # `place`: the pool in the layout
    drive_km = candidates.drive_m / 1000
    arrive_s = world.now_s + candidates.drive_s
    arrival_soc = soc - drive_kwh(drive_km, consumption, world.temperature_c) / battery
    free_s = first_free_s(world.bay_free_s, pools.start)[pool]
    usable = np.add.reduceat(np.isfinite(world.bay_free_s), pools.start[:-1])[pool]
    begin_s = np.maximum(arrive_s, free_s)

    open_to = listed.copy()
    why_not: dict[str, Bools] = {}

    def rule_out(why: str, broken: Bools) -> None:
        why_not[why] = open_to & broken
        np.logical_and(open_to, ~broken, out=open_to)

    rule_out(WRONG_CURRENT, layout.pool_is_dc[place] != is_dc)
    rule_out(NO_BAY, ~np.isfinite(free_s))
    rule_out(EXCLUDED, _excluded(requests, layout.station_operators, station))
    rule_out(TOO_FAR, arrival_soc < weights.reserve_soc)
    full_min = np.full(shape, np.inf)
    full_min[open_to] = _charge_minutes(
        models,
        cold_share(world.temperature_c),
        *(np.broadcast_to(a, shape)[open_to] for a in (model, battery, arrival_soc, target, is_dc, layout.pool_kw[place])),
    )
    rule_out(NO_POWER, ~np.isfinite(full_min))
    full_min = np.where(open_to, full_min, 0.0)
    begin_s = np.where(open_to, begin_s, world.now_s)
    left_min = (depart_s - begin_s) / 60
    rule_out(TOO_LATE, ~is_dc & (left_min <= 0))
    # parked at AC the driver leaves on time, charged or not; at DC the driver stays until it is enough
    charge_min = np.where(is_dc, full_min, np.clip(left_min, 0, full_min))
    share = charge_min / np.maximum(full_min, 1e-9)
    energy_kwh = np.where(open_to, np.maximum(target - arrival_soc, 0) * battery * share, 0.0)
    start_h = (begin_s + utc_offset_s(world.at, surroundings.time_zone)) / 3600 % 24
    rule_out(CLOSED, ~is_open(layout.station_opens_h[station], layout.station_closes_h[station], start_h, charge_min / 60))
    stay_min = np.where(is_dc, charge_min, np.maximum(charge_min, (depart_s - arrive_s) / 60)) + weights.overstay_min

    amount = np.zeros(shape)
    amount[open_to] = estimate(rates, station[open_to], begin_s[open_to], charge_min[open_to], energy_kwh[open_to])
    give_back_kw = np.minimum(_v2g_kw(requests, models, model), layout.pool_kw[place])
    give_back_kw = np.where(open_to & ~is_dc & layout.pool_v2g[place], give_back_kw, 0.0)
    facts = Facts(
        drive_min=candidates.drive_s / 60,
        drive_km=drive_km,
        detour_min=candidates.detour()[0] / 60,
        detour_km=candidates.detour()[1] / 1000,
        charge_min=charge_min,
        energy_kwh=energy_kwh,
        amount=amount,
        load_share=surroundings.load_share[station],
        energy_price=price_over(surroundings.energy_price, start_h, charge_min / 60),
        others_min=np.where(
            pools.is_held[pool],
            0.0,  # nobody else may come there
            _others_min(world, surroundings, weights, np.where(open_to, place, -1), begin_s, stay_min, usable),
        ),
        longer_min=longer_s(world, pools, np.where(open_to, pool, -1), arrive_s, surroundings.inflow_per_h, weights.wait_risk)
        / 60,
        v2g_cny=earned(surroundings.energy_price, start_h, left_min / 60, charge_min / 60, give_back_kw, battery, weights),
        at_depot=_depots(requests, layout)[:, None] == station,
    )
    hour = int((world.now_s + utc_offset_s(world.at, surroundings.time_zone)) // 3600 % 24)
    drivers = Drivers.of(requests, sorts, weights, hour)
    terms = fixed_terms(drivers, facts, weights)
    problem = Problem(
        pool=np.where(open_to, pool, -1),
        arrive_s=arrive_s,
        stay_s=stay_min * 60,
        over_s=arrive_s + full_min * 60 - depart_s,
        fixed=np.where(open_to, sum(terms.values()), np.inf),
        wait_rate=(drivers.wait + drivers.soonest)[:, 0] / 60,
        late_rate=drivers.late[:, 0] / 60,
        turn=np.array([weights.tiers[r.tier].turn for r in requests]),
        bay_free_s=world.bay_free_s.copy(),  # a kernel compiles anew for a read-only array
        pool_start=pools.start,
        pool_station=pools.station,
        station_pool=np.searchsorted(pools.station, np.arange(len(layout.station_ids) + 1)),
        busy_curve=busy_curve(weights),
    )
    return Options(problem, pools, drivers, facts, terms, arrival_soc, start_h, why_not)


def check(
    world: World,
    requests: Sequence[ChargeRequest],
    candidates: Candidates,
    surroundings: Surroundings,
    sorts: Sequence[Sort | None],
) -> None:
    """Refuse arrays that don't fit each other or the city."""
    rows, pools, stations = len(requests), len(world.layout.pool_station), len(world.layout.station_ids)
    shape = candidates.pool.shape
    arrays = (candidates.drive_s, candidates.drive_m, *candidates.detour())
    if len(shape) != 2 or shape[0] != rows or any(array.shape != shape for array in arrays):
        raise BadInput("candidates", f"want arrays of {rows} requests x K, got pool {shape}")
    if candidates.pool.size and not -1 <= candidates.pool.min() <= candidates.pool.max() < pools:
        raise BadInput("candidates", f"pools must be -1 or below {pools}")
    for name, array, size in (
        ("inflow_per_h", surroundings.inflow_per_h, pools),
        ("load_share", surroundings.load_share, stations),
        ("energy_price", surroundings.energy_price, 24),
    ):
        if array.shape != (size,):
            raise BadInput(name, f"want {size} values, got {array.shape}")
    if len(sorts) != rows:
        raise BadInput("sorts", f"want one for each of the {rows} requests, got {len(sorts)}")


def _others_min(
    world: World, around: Surroundings, weights: Weights, pool: Ints, begin_s: Floats, stay_min: Floats, usable: Ints
) -> Floats:
    """Minutes that each option takes from drivers who are still to come, R x K."""
    if around.ahead is not None and around.ahead.covers(world.now_s):
        return around.ahead.others_min(pool, begin_s, stay_min * 60)
    return others_delayed_min(around.inflow_per_h[np.maximum(pool, 0)], np.maximum(usable, 1), stay_min, weights.driven_on_min)


def _excluded(requests: Sequence[ChargeRequest], operators: tuple[str, ...], station: Ints) -> Bools:
    out = np.zeros(station.shape, dtype=np.bool_)
    for i, request in enumerate(requests):
        if request.excluded_operators:
            out[i] = [operators[s] in request.excluded_operators for s in station[i]]
    return out


def _models(requests: Sequence[ChargeRequest], models: Sequence[VehicleModel]) -> Ints:
    """R: which of the models each vehicle is."""
    index = {model.model_id: m for m, model in enumerate(models)}
    unknown = next((r for r in requests if r.model_id not in index), None)
    if unknown is not None:
        raise BadInput(f"request {unknown.request_id}: model_id", f"no vehicle model {unknown.model_id!r} in this city")
    return np.array([index[r.model_id] for r in requests])


def _depots(requests: Sequence[ChargeRequest], layout: Layout) -> Ints:
    """R: the station that is each vehicle's own, -1 for none."""
    unknown = next(
        (r for r in requests if r.depot_station_id is not None and r.depot_station_id not in layout.station_index), None
    )
    if unknown is not None:
        raise BadInput(
            f"request {unknown.request_id}: depot_station_id", f"no station {unknown.depot_station_id!r} in this city"
        )
    return np.array([layout.station_index.get(r.depot_station_id or "", -1) for r in requests])


def _v2g_kw(requests: Sequence[ChargeRequest], models: Sequence[VehicleModel], model: Ints) -> Floats:
    """R x 1: what each vehicle would give back."""
    return np.where(np.array([r.v2g for r in requests])[:, None], np.array([m.v2g_kw for m in models])[model], 0.0)


def is_open(opens_h: Floats, closes_h: Floats, start_h: Floats, hours: Floats) -> Bools:
    """Open from the local hour `start_h` for `hours` on; a station that closes at or before it opens is open over midnight."""
    length = np.where(closes_h > opens_h, closes_h - opens_h, closes_h - opens_h + 24)
    return np.asarray((length >= 24) | ((start_h - opens_h) % 24 + hours <= length))


def _charge_minutes(
    models: Sequence[VehicleModel],
    cold: float,
    model: Ints,
    battery: Floats,
    soc: Floats,
    target: Floats,
    is_dc: Bools,
    kw: Floats,
) -> Floats:
    """`cold`: share of its power that a battery takes."""
    dc_table, ac_kw = _tables(tuple(models))
    return charge_minutes(dc_table * cold, ac_kw, model, battery, soc, target, is_dc, kw)
