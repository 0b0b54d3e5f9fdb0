"""Queues of bays, held against an obvious reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.physics import first_free_s, serve_all, sort_pools, take_bay, wait_min


def slowly(free: list[float], arrivals: list[tuple[float, float]]) -> list[float]:
    """Whoever comes takes the bay that is free first."""
    waits = []
    for arrive, stay in arrivals:
        bay = min(range(len(free)), key=lambda b: free[b])
        begin = max(free[bay], arrive)
        waits.append(begin - arrive)
        free[bay] = begin + stay
    return waits


instants = st.floats(0, 10_000)


@given(
    st.lists(instants, min_size=1, max_size=6),
    st.lists(instants, min_size=1, max_size=6),
    st.lists(st.tuples(st.booleans(), instants, st.floats(1, 5000)), max_size=20),
)
def test_two_pools_serve_as_the_reference_does(
    one: list[float], two: list[float], asked: list[tuple[bool, float, float]]
) -> None:
    asked.sort(key=lambda each: each[1])
    free, start = np.array([*one, *two]), np.array([0, len(one), len(one) + len(two)])
    sort_pools(free, start)
    pool = np.array([int(second) for second, _, _ in asked], dtype=np.int64)
    waits = serve_all(free, start, pool, np.array([a for _, a, _ in asked]), np.array([s for _, _, s in asked]))
    for p, bays in enumerate((one, two)):
        reference = slowly(bays, [(a, s) for second, a, s in asked if second == bool(p)])
        assert waits[pool == p].tolist() == pytest.approx(reference)
        assert free[start[p] : start[p + 1]].tolist() == pytest.approx(sorted(bays))


def test_the_next_free_bay_decides_the_wait() -> None:
    free = np.array([100.0, 200.0, 50.0, np.inf])
    start = np.array([0, 2, 4])
    assert first_free_s(free, start).tolist() == [100, 50]
    assert wait_min(free, start, np.array([0, 0, 1]), np.array([40.0, 160.0, 50.0])).tolist() == [1.0, 0.0, 0.0]


def test_a_taken_bay_keeps_the_list_sorted() -> None:
    free = np.array([0.0, 10.0, 20.0])
    assert take_bay(free, 5.0, 12.0) == 0.0
    assert free.tolist() == [10.0, 17.0, 20.0]
    assert take_bay(free, 5.0, 100.0) == 5.0
    assert free.tolist() == [17.0, 20.0, 110.0]
