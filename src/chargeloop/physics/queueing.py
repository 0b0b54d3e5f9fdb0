"""First come, first served queues of charging bays, as arrays.

A pool of bays is the sorted list of instants at which each bay is next free. Whoever comes takes the first of them:
that one rule gives the wait of a new arrival, and what an arrival costs those after it.
"""

import numpy as np
from numpy.typing import NDArray

from chargeloop.model.city import Floats, Ints
from chargeloop.physics.kernel import kernel


@kernel
def take_bay(free_s: Floats, arrive_s: float, stay_s: float) -> float:
    """Serve one arrival: the earliest bay of `free_s` is taken, which stays sorted. Returns the wait, s."""
    begin = max(free_s[0], arrive_s)
    end = begin + stay_s
    i = 0
    while i + 1 < free_s.size and free_s[i + 1] < end:
        free_s[i] = free_s[i + 1]
        i += 1
    free_s[i] = end
    return float(begin - arrive_s)


@kernel
def serve_all(bay_free_s: Floats, pool_start: Ints, pool: Ints, arrive_s: Floats, stay_s: Floats) -> Floats:
    """Serve arrivals in the order given (sort them by arrival first), changing `bay_free_s` in place.

    `bay_free_s`: E, sorted within each pool; `pool`, `arrive_s`, `stay_s`: one entry an arrival. Returns each wait, s.
    """
    wait = np.empty(pool.size)
    for i in range(pool.size):
        p = pool[i]
        wait[i] = take_bay(bay_free_s[pool_start[p] : pool_start[p + 1]], arrive_s[i], stay_s[i])
    return wait


@kernel
def first_free_s(bay_free_s: Floats, pool_start: Ints) -> Floats:
    """P: the instant at which each pool has its next free bay."""
    first = np.empty(pool_start.size - 1)
    for p in range(first.size):
        first[p] = bay_free_s[pool_start[p]]
    return first


@kernel
def sort_pools(bay_free_s: Floats, pool_start: Ints) -> None:
    """Sort the bays of each pool by the instant they are free, in place."""
    for p in range(pool_start.size - 1):
        bay_free_s[pool_start[p] : pool_start[p + 1]].sort()


def wait_min(bay_free_s: Floats, pool_start: Ints, pool: Ints, arrive_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected wait in minutes of single arrivals (each alone); broadcasts over `pool` and `arrive_s`."""
    return np.maximum(first_free_s(bay_free_s, pool_start)[pool] - arrive_s, 0) / 60
