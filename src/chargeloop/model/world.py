"""The live picture of the city at one instant: what perception hands to every other stage. Read-only."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats, Ints
from chargeloop.model.layout import Layout
from chargeloop.model.session import Reservation
from chargeloop.model.user import ChargeRequest


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Arrays as in `Layout`: E EVSEs, P pools, Z zones. Instants are epoch seconds, UTC; NaN where not known.

    `session_*`: of the session at each EVSE; `has_session` says where there is one.
    `bay_free_s`: when each bay is next free to a *new* arrival, after the running session and all who wait or are on
    their way have been served; sorted within each pool, infinite for bays out of order (`physics.queueing`).
    `coming_*`: one entry for each driver who waits or is on the way: pool, arrival, and when a bay is expected.
    `zone_stale_s`, `station_stale_s`: since when a feed has stopped, NaN where it runs: the energy of a zone stands still, a
    station with a charging session is silent. `station_kwh`: energy of each station, fading, of `station_days` in effect.
    `undecided`: requests that no decision has been made for, oldest first.
    """

    at: datetime
    layout: Layout
    evse_status: NDArray[np.int8]
    evse_power_kw: Floats
    has_session: NDArray[np.bool_]
    session_start_s: Floats
    session_energy_kwh: Floats
    session_needed_kwh: Floats
    session_depart_s: Floats
    session_charge_ended_s: Floats
    session_max_kw: Floats
    session_id: tuple[str, ...]
    pool_free: Ints
    pool_queue: Ints
    pool_inbound: Ints
    pool_wait_min: Floats
    bay_free_s: Floats
    coming_pool: Ints
    coming_arrive_s: Floats
    coming_start_s: Floats
    undecided: tuple[ChargeRequest, ...]
    reservations: tuple[Reservation, ...]
    zone_energy_kwh: Floats  # recent hours x zones, the last row the running hour
    zone_stale_s: Floats
    station_stale_s: Floats
    station_kwh: Floats
    station_days: float
    temperature_c: float
    rain: float

    @property
    def now_s(self) -> float:
        return self.at.timestamp()
