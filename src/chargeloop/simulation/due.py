"""What is due, in order of time (a binary heap), who waits or is on the way (lists linked through the drivers), and the log."""

from chargeloop.physics import kernel
from chargeloop.simulation.state import DUE, LISTENING, LOGGED, State, Whole


@kernel
def push(state: State, at_s: float, kind: Whole, who: Whole) -> None:
    heap = state.due
    i = state.counts[DUE]
    state.counts[DUE] += 1
    while i > 0 and heap[(i - 1) // 2].at_s > at_s:
        heap[i] = heap[(i - 1) // 2]
        i = (i - 1) // 2
    heap[i].at_s = at_s
    heap[i].kind = kind
    heap[i].who = who


@kernel
def pop(state: State) -> tuple[float, int, int]:
    """Take out the earliest: when, what, who."""
    heap = state.due
    at_s, kind, who = heap[0].at_s, heap[0].kind, heap[0].who
    state.counts[DUE] -= 1
    last = state.counts[DUE]
    i = 0
    while 2 * i + 1 < last:
        below = 2 * i + 1
        if below + 1 < last and heap[below + 1].at_s < heap[below].at_s:
            below += 1
        if heap[below].at_s >= heap[last].at_s:
            break
        heap[i] = heap[below]
        i = below
    heap[i] = heap[last]
    return at_s, kind, who


@kernel
def note(state: State, at_s: float, kind: Whole, driver: Whole, evse: Whole, value: float) -> None:
    """Write down what happened, if somebody listens."""
    if state.counts[LISTENING]:
        row = state.log[state.counts[LOGGED]]
        row.at_s = at_s
        row.kind = kind
        row.driver = driver
        row.evse = evse
        row.value = value
        state.counts[LOGGED] += 1


@kernel
def join_queue(state: State, p: Whole, d: Whole) -> None:
    pool, cars = state.pools[p], state.cars
    last = pool.queue_tail
    cars[d].prev = last
    cars[d].next = -1
    if last >= 0:
        cars[last].next = d
    else:
        pool.queue_head = d
    pool.queue_tail = d
    pool.queue += 1


@kernel
def quit_queue(state: State, p: Whole, d: Whole) -> None:
    pool, cars = state.pools[p], state.cars
    before, after = cars[d].prev, cars[d].next
    if before >= 0:
        cars[before].next = after
    else:
        pool.queue_head = after
    if after >= 0:
        cars[after].prev = before
    else:
        pool.queue_tail = before
    pool.queue -= 1


@kernel
def join_inbound(state: State, p: Whole, d: Whole) -> None:
    """Into the list of those on their way, in the order in which they will arrive."""
    pool, cars = state.pools[p], state.cars
    before, after = -1, pool.inbound_head
    while after >= 0 and cars[after].arrive_s <= cars[d].arrive_s:
        before, after = after, cars[after].next
    cars[d].prev = before
    cars[d].next = after
    if before >= 0:
        cars[before].next = d
    else:
        pool.inbound_head = d
    if after >= 0:
        cars[after].prev = d
    pool.inbound += 1


@kernel
def quit_inbound(state: State, p: Whole, d: Whole) -> None:
    pool, cars = state.pools[p], state.cars
    before, after = cars[d].prev, cars[d].next
    if before >= 0:
        cars[before].next = after
    else:
        pool.inbound_head = after
    if after >= 0:
        cars[after].prev = before
    pool.inbound -= 1
