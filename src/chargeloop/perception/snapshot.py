"""From the remembered state to the arrays of a `World`, with queue and expected wait for every pool."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import OUT_OF_ORDER, ChargeRequest, EvseStatus, Layout, World
from chargeloop.model.city import Floats, Ints
from chargeloop.perception.state import Stage, State
from chargeloop.physics import IDLE_TIMES, STALE_H, first_free_s, full_hour, hours_between, serve_all, sort_pools, stale_from

Bools = NDArray[np.bool_]

OVERSTAY_S = 4 * 60.0  # from full to unplugged at a fast charger, while nothing better is known
UNKNOWN_STAY_S = {True: 45 * 60.0, False: 120 * 60.0}  # by "is DC": drivers who came without a request
OVERDUE_S = 5 * 60.0  # a bay that should be free already is expected to be within this
SILENT_S = 3600.0  # a station with a charging session says something more often
STATION_MEMORY_H = 28 * 24.0  # of the energy of stations


def stay_s(request: ChargeRequest, arrive_s: float, charge_min: float, is_dc: bool) -> float:
    """Seconds a driver will hold a bay: at DC until charged, at AC until the stated departure."""
    charged = charge_min * 60 + OVERSTAY_S
    return charged if is_dc else max(charged, request.depart_by.timestamp() - arrive_s)


def usual_stay_s(request: ChargeRequest, arrive_s: float) -> float:
    """The same of one for whom nobody has reckoned how long charging takes."""
    if request.current == "DC":
        return UNKNOWN_STAY_S[True]
    return max(request.depart_by.timestamp() - arrive_s, OVERDUE_S)


def world_of(state: State, hourly_kwh: Floats, heard_s: Floats, station_kwh: Floats, layout: Layout, now: datetime) -> World:
    """The picture at `now`. Everything is copied, so later events don't change it.

    `hourly_kwh`: hours from `state.hourly_start` on x zones. `heard_s`, `station_kwh`: by station, see `State`.
    """
    size = len(layout.evse_ids)
    status = np.array(state.evse_status, dtype=np.int8)
    power, energy = np.zeros(size), np.zeros(size)
    start, needed, depart, charged = (np.full(size, np.nan) for _ in range(4))
    most_kw = layout.evse_kw.copy()
    session_id = [""] * size
    for session in state.sessions.values():
        e = layout.evse_index[session.evse_id]
        session_id[e] = session.session_id
        power[e], energy[e], start[e] = session.power_kw, session.energy_kwh, session.started_at.timestamp()
        if session.charge_ended_at is not None:
            charged[e] = session.charge_ended_at.timestamp()
        if session.request_id in state.requests:
            asked = state.requests[session.request_id]
            needed[e], depart[e] = asked.energy_kwh, asked.request.depart_by.timestamp()
        elif session.depart_by is not None:
            depart[e] = session.depart_by.timestamp()
        if session.needs_kwh is not None:  # the vehicle knows best
            needed[e] = session.needs_kwh
    has_session = np.isfinite(start)
    bay_free_s = _running_end_s(layout, now.timestamp(), status, has_session, start, energy, power, needed, depart, charged)
    for reservation in state.reservations.values():
        if reservation.evse_id is None:
            continue  # stands in the queue like any other driver
        e = layout.evse_index[reservation.evse_id]
        until = reservation.answer_by or reservation.expires_at
        bay_free_s[e] = max(bay_free_s[e], until.timestamp() + UNKNOWN_STAY_S[bool(layout.evse_kw[e] > 22)])
        status[e] = EvseStatus.RESERVED if status[e] == EvseStatus.AVAILABLE else status[e]
    pool, arrive, begin, queued = _serve_requests(state, layout, bay_free_s, now.timestamp())
    pools = len(layout.pool_station)
    hours_kwh = _hours_until(state.hourly_start, hourly_kwh, now)
    pool_free = np.bincount(layout.evse_pool, ~has_session & (status == EvseStatus.AVAILABLE), pools)
    return World(
        at=now,
        layout=layout,
        evse_status=status,
        evse_power_kw=power,
        has_session=has_session,
        session_start_s=start,
        session_energy_kwh=energy,
        session_needed_kwh=needed,
        session_depart_s=depart,
        session_charge_ended_s=charged,
        session_max_kw=most_kw,
        session_id=tuple(session_id),
        pool_free=pool_free.astype(np.int64),
        pool_queue=np.bincount(pool[queued], minlength=pools),
        pool_inbound=np.bincount(pool[~queued], minlength=pools),
        pool_wait_min=np.maximum(first_free_s(bay_free_s, layout.pool_start) - now.timestamp(), 0) / 60,
        bay_free_s=bay_free_s,
        coming_pool=pool,
        coming_arrive_s=arrive,
        coming_start_s=begin,
        undecided=tuple(each.request for each in state.requests.values() if each.stage is Stage.UNDECIDED),
        reservations=tuple(state.reservations.values()),
        zone_energy_kwh=hours_kwh,
        zone_stale_s=_stale_s(hours_kwh[:-1], now),
        station_stale_s=_silent_s(layout, has_session & ~np.isfinite(charged), heard_s, now.timestamp()),
        station_kwh=station_kwh.copy(),
        station_days=_counted_days(state, now),
        temperature_c=state.temperature_c,
        rain=state.rain,
    )


def _running_end_s(
    layout: Layout,
    now_s: float,
    status: NDArray[np.int8],
    has_session: Bools,
    start: Floats,
    energy: Floats,
    power: Floats,
    needed: Floats,
    depart: Floats,
    charged: Floats,
) -> Floats:
    """E: when the running session of each bay is expected to leave it; now where there is none, infinite out of order."""
    is_dc = layout.pool_is_dc[layout.evse_pool]
    rate = np.maximum(power, 0.3 * layout.evse_kw)  # a session that is held back for a minute is not held back for ever
    full = np.where(np.isfinite(charged), charged, now_s + (needed - energy) / rate * 3600) + OVERSTAY_S
    guess = start + np.where(is_dc, UNKNOWN_STAY_S[True], UNKNOWN_STAY_S[False])
    end = np.where(is_dc, full, depart)
    end = np.where(np.isfinite(end), end, guess)
    end = np.where(has_session, np.maximum(end, now_s + OVERDUE_S), now_s)
    return np.where(np.isin(status, OUT_OF_ORDER), np.inf, end)


def _serve_requests(state: State, layout: Layout, bay_free_s: Floats, now_s: float) -> tuple[Ints, Floats, Floats, Bools]:
    """Give bays to those who wait and those on their way, in the order of arrival, changing `bay_free_s`.

    Returns for each of them: pool, arrival, expected start, whether already in the queue.
    """
    reserved = {reservation.request_id for reservation in state.reservations.values() if reservation.evse_id}
    coming = sorted(
        (max(each.arrive_s, now_s), each.pool, each.stay_s, each.stage is Stage.QUEUED)
        for key, each in state.requests.items()
        if each.stage in (Stage.UNDER_WAY, Stage.QUEUED) and key not in reserved
    )
    arrive = np.array([each[0] for each in coming])
    pool = np.array([each[1] for each in coming], dtype=np.int64)
    stay = np.array([each[2] for each in coming])
    queued = np.array([each[3] for each in coming], dtype=np.bool_)
    sort_pools(bay_free_s, layout.pool_start)
    wait_s = serve_all(bay_free_s, layout.pool_start, pool, arrive, stay)
    return pool, arrive, arrive + wait_s, queued


def _hours_until(start: datetime, hourly_kwh: Floats, now: datetime) -> Floats:
    """Rows of hourly energy by zone; the last one is the hour that `now` lies in."""
    rows = max(hours_between(start, full_hour(now)) + 1, 1)
    known = hourly_kwh[:rows]
    return np.concatenate([known, np.zeros((rows - len(known), hourly_kwh.shape[1]))])


def _stale_s(hours_kwh: Floats, now: datetime) -> Floats:
    """Z: since when the feed of each zone has not moved; NaN where it does. The last row ended at the full hour of `now`."""
    row = stale_from(hours_kwh, STALE_H, IDLE_TIMES)
    return np.where(row >= 0, full_hour(now).timestamp() - 3600.0 * (len(hours_kwh) - row), np.nan)


def _silent_s(layout: Layout, charging: Bools, heard_s: Floats, now_s: float) -> Floats:
    """N: since when a station in which vehicles charge has said nothing; NaN where it talks, or has nothing to say."""
    busy = np.bincount(layout.evse_station, charging, len(layout.station_ids)) > 0
    return np.where(busy & (now_s - heard_s > SILENT_S), heard_s, np.nan)


def _counted_days(state: State, now: datetime) -> float:
    """How many days `station_kwh` stands for, which fades."""
    if state.station_since is None:
        return 0.0
    hours = max((now - state.station_since).total_seconds() / 3600, 0.0)
    return float(STATION_MEMORY_H * (1 - np.exp(-hours / STATION_MEMORY_H)) / 24)
