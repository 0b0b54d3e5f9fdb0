"""The twin's state: record arrays that the kernels read and write in place.

D drivers, E EVSEs and P pools as in `Layout`, C circuits. Instants are epoch seconds. -1 is "none" where an index stands.
A record array keeps the number of arguments of a kernel small, and with it the time that numba takes to compile it.
"""

from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import City, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import curve_table
from chargeloop.simulation.drivers import ARRAYS, Drivers

Bools = NDArray[np.bool_]
Whole: TypeAlias = int | np.int64  # an index or code, as kernels are handed it
Records: TypeAlias = NDArray[Any]  # of one of the dtypes below
MAX_HOPS = 3  # unless told otherwise, a driver who goes on from queue to queue stays at the fourth station
RECENT_S = 1800.0  # arrivals at a pool are forgotten with this time constant
LOG_ROWS = 1 << 14  # to begin with
LOG_MARGIN = 8  # rows that one happening or command writes at most
PLAN_STEPS = 12
CURSOR, DUE, LOGGED, LISTENING = range(4)  # places in `State.counts`


class Stage(IntEnum):
    """How far a driver has come."""

    AHEAD = 0
    ASKING = 1
    DRIVING = 2
    QUEUED = 3
    PLUGGED_IN = 4
    SERVED = 5
    GAVE_UP = 6
    SPARED = 7  # was told "not now", and did not need to come


class Due(IntEnum):
    """What comes to pass at an instant known before."""

    ARRIVAL = 0
    GIVE_UP = 1
    CHARGE_END = 2
    LEAVE = 3
    ANSWER = 4
    FAULT = 5
    REPAIR = 6
    RESERVATION_END = 7
    RETURN = 8


class Fact(IntEnum):
    """What is written in the log."""

    REQUESTED = 0
    ARRIVED = 1
    STARTED = 2
    CHARGED = 3
    ENDED = 4
    WITHDRAWN = 5
    STATUS = 6


class Reason(IntEnum):
    """Why a session ended."""

    FULL = 0
    DEPARTED = 1
    REMOTE = 2
    FAULT = 3


class Policy(IntEnum):
    """The first two look at queues only on arrival, and drive on from long ones."""

    NEAREST = 0
    CHEAPEST = 1
    SHORTEST_WAIT = 2  # least expected drive + wait on live queues
    COMMIT = 3  # the same, counting the vehicles already sent
    PRICED = 4  # the same, and what the stay takes from those forecast, at shadow prices
    EXTERNAL = 5


class Rules(NamedTuple):
    """How drivers behave. `long_wait_s`: nearest and cheapest drive on from a longer expected wait.

    `not_now`: those who have charge enough are told to come later where that is better; under policy priced.
    `from_s`: the instant at which the columns of `State.traffic` and `State.price` begin, `price_bin_s`: width of the latter.
    """

    policy: int
    answer_s: float
    long_wait_s: float
    dc_overstay_s: float  # expected
    from_s: float
    price_bin_s: float
    not_now: bool = False
    busy_s: float = 0.0  # what `Manner.busy_min` and `Manner.load_min` say, s
    load_s: float = 0.0


def _record(**kinds: str) -> np.dtype[np.void]:
    """One field a name; `kinds` gives a type and the names that have it."""
    return np.dtype([(name, kind) for kind, names in kinds.items() for name in names.split()], align=True)


# A driver with the vehicle. `arrive_s`: at the pool headed for; `start_kwh`: the bay's register at plug-in; `promised_s`: wait
# not exceeded in nine of ten cases, as was known when he set out; `times_price`, `risk` and
# `cny_s` (what a CNY is worth to him, s): what `Manner` says of him; `first`: column of the option chosen without looking at
# queues; `next`, `prev`: neighbours in a pool's queue or list of those on their way;
# `follows`: goes where the policy says, and is counted there from that moment; others go to the nearest, unannounced;
# `heeds`: comes later when told "not now", or not at all if `anxious`; `put_off_s`: by how much that was.
CAR = _record(
    f8="appear_s soc target battery_kwh kwh_per_km stay_s said_stay_s patience_s value_of_time_per_h times_price risk cny_s"
    " set_out_s arrive_s start_s charged_s end_s drive_s drive_m kwh start_kwh promised_s put_off_s",
    i8="model first pool evse hops next prev",
    i1="stage",
    b1="is_dc follows heeds anxious",
)
# An EVSE. `limit_kw`: set by an outside charger; `plan_*`: the charging profile in force (limits in `State.plan_kw`);
# `reserved_for`: driver, or -2 for someone who is not a driver here; `broken`: how many faults are open.
BAY = _record(
    f8="kw power_kw since_s meter_kwh leave_s charge_end_s limit_kw plan_start_s plan_step_s reserved_until_s",
    i8="pool circuit driver plan_steps reserved_for broken",
    b1="charged",
)
# A pool. `idle`: bays without a vehicle; `*_head`, `*_tail`: ends of the lists of those who queue and those on their way;
# `arrivals`: of late, each forgotten with `RECENT_S` from its instant on; `counted_s`: when that was counted.
POOL = _record(f8="arrivals counted_s", i8="begin end idle queue queue_head queue_tail inbound inbound_head")
# A circuit. `room_kw`: limit less the base load of everything below.
CIRCUIT = _record(f8="room_kw want_kw factor", i8="parent")
DUE_ROW = _record(f8="at_s", i8="kind who")
LOG_ROW = _record(f8="at_s value", i8="kind driver evse")


class State(NamedTuple):
    """`option`: pools within reach of each driver, soonest there first (D x K, -1 padded), `visited`: pools where he was.
    `near`: other pools of the same current, soonest first (P x H). `traffic`: by hour, times that of free roads. `price`: P x
    bin edges, shadow price summed up, seconds of everybody's time. `tariff`: P x 25, CNY for a kW from the start on, by hour of
    a day that comes again and again. `due`: binary heap by time. `counts`: see above.
    """

    cars: Records
    option: Ints
    option_s: Floats
    option_m: Floats
    visited: Ints
    bays: Records
    plan_kw: Floats
    pools: Records
    near: Ints
    near_s: Floats
    near_m: Floats
    traffic: Floats
    price: Floats
    tariff: Floats
    circuits: Records
    due: Records
    log: Records
    counts: Ints
    scratch: Floats
    dc_table: Floats
    ac_kw: Floats


def new_cars(drivers: Drivers, first: Ints) -> Records:
    cars = np.zeros(len(drivers), dtype=CAR)
    for name in set(ARRAYS) & set(CAR.names or ()):
        cars[name] = getattr(drivers, name)
    for name in ("set_out_s", "arrive_s", "start_s", "charged_s", "end_s", "promised_s"):
        cars[name] = np.nan
    for name in ("pool", "evse", "next", "prev"):
        cars[name] = -1
    cars["first"] = first
    cars["stage"] = Stage.AHEAD
    return cars


def new_visited(size: int, most_hops: int) -> Ints:
    return np.full((size, most_hops + 1), -1, dtype=np.int64)


def new_bays(layout: Layout) -> Records:
    bays = np.zeros(len(layout.evse_ids), dtype=BAY)
    bays["kw"] = layout.evse_kw
    bays["pool"] = layout.evse_pool
    bays["circuit"] = layout.station_circuit[layout.evse_station]
    bays["driver"] = bays["reserved_for"] = -1
    bays["leave_s"] = bays["charge_end_s"] = np.nan
    bays["limit_kw"] = np.inf
    return bays


def new_pools(layout: Layout) -> Records:
    pools = np.zeros(layout.pool_station.size, dtype=POOL)
    pools["begin"], pools["end"] = layout.pool_start[:-1], layout.pool_start[1:]
    pools["idle"] = layout.pool_bays
    pools["queue_head"] = pools["queue_tail"] = pools["inbound_head"] = -1
    return pools


def new_circuits(layout: Layout) -> Records:
    base = layout.circuit_base_kw.copy()
    for c in range(base.size - 1, -1, -1):  # children come after their parents
        if layout.circuit_parent[c] >= 0:
            base[layout.circuit_parent[c]] += base[c]
    circuits = np.zeros(base.size, dtype=CIRCUIT)
    circuits["room_kw"] = np.maximum(layout.circuit_limit_kw - base, 0)
    circuits["parent"] = layout.circuit_parent
    return circuits


def new_state(
    city: City,
    layout: Layout,
    drivers: Drivers,
    first: Ints,
    options: tuple[Ints, Floats, Floats],
    near: tuple[Ints, Floats, Floats],
    traffic: Floats,
    price: Floats,
    tariff: Floats,
    most_hops: int,
) -> State:
    dc_table, ac_kw = curve_table(city.models)
    return State(
        new_cars(drivers, first),
        *options,
        visited=new_visited(len(drivers), most_hops),
        bays=new_bays(layout),
        plan_kw=np.zeros((len(layout.evse_ids), PLAN_STEPS)),
        pools=new_pools(layout),
        near=near[0],
        near_s=near[1],
        near_m=near[2],
        traffic=traffic,
        price=price,
        tariff=tariff,
        circuits=new_circuits(layout),
        due=np.zeros(0, dtype=DUE_ROW),
        log=np.zeros(LOG_ROWS, dtype=LOG_ROW),
        counts=np.zeros(4, dtype=np.int64),
        scratch=np.zeros(int(layout.pool_bays.max())),
        dc_table=dc_table,
        ac_kw=ac_kw,
    )


def with_more_drivers(state: State, drivers: Drivers, first: Ints, options: tuple[Ints, Floats, Floats]) -> State:
    """The same state with new drivers behind those that are there."""
    more = (new_cars(drivers, first), *options, new_visited(len(drivers), state.visited.shape[1] - 1))
    return State(*(np.concatenate(pair) for pair in zip(state[: len(more)], more, strict=True)), *state[len(more) :])
