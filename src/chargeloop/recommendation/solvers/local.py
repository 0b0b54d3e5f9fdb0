"""Local search: move one request at a time to where F of the whole plan gets smaller."""

from time import monotonic

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel
from chargeloop.recommendation.problem import Problem, gather, insert, least_cost, link, serve_station

MAX_ROUNDS = 20
AT_ONCE = 1000  # requests looked at between two glances at the clock
GAIN_CNY = 1e-6  # less is rounding


def polish(problem: Problem, choice: Ints, rng: np.random.Generator, deadline_s: float) -> Ints:
    """The plan after moves that each lower F, in random order, until none is left or monotonic time `deadline_s` is reached."""
    better = choice.copy()
    floor = least_cost(problem)
    changed = np.zeros(len(problem.station_pool) - 1, dtype=np.int64)
    looked = np.full(len(choice), -1)
    for _ in range(MAX_ROUNDS):
        order, moves = rng.permutation(len(choice)), 0
        for begin in range(0, len(order), AT_ONCE):
            if monotonic() > deadline_s:
                return better
            moves += improve(problem, better, floor, changed, looked, order[begin : begin + AT_ONCE])
        if moves == 0:
            break
    return better


@kernel
def improve(problem: Problem, choice: Ints, floor: Floats, changed: Ints, looked: Ints, order: Ints) -> int:
    """Try the other options of each request in `order`, changing `choice` in place; returns the number of moves.

    `floor`: R x K, `least_cost`. `changed` (N) and `looked` (R) keep, over the rounds, which move last touched a station
    and how many there had been when a request was last looked at: nothing is tried again that cannot have changed.
    """
    size, options = problem.pool.shape
    first, after, station = link(problem, choice)
    who, option = np.empty(size + 1, np.int64), np.empty(size + 1, np.int64)
    waits, shares = np.empty(size + 1), np.empty(size + 1)
    total = np.zeros(first.size)
    for s in range(first.size):
        if first[s] >= 0:
            n = gather(problem, choice, first, after, s, -1, who, option)
            total[s] = serve_station(problem, s, who[:n], option[:n], waits, shares)
    before = changed.max()
    moves = before
    for i in order:
        here, seen = station[i], looked[i]
        looked[i] = moves
        if here < 0:
            continue
        n = gather(problem, choice, first, after, here, i, who, option)
        without = serve_station(problem, here, who[:n], option[:n], waits, shares)
        now = total[here] - without
        best, best_total, least = choice[i], 0.0, now - GAIN_CNY
        for j in range(options):
            # nobody waits less for company, and what i saves others by coming is small: a dearer option is not tried
            if j == choice[i] or floor[i, j] > now:
                continue
            there = problem.pool_station[problem.pool[i, j]]
            if seen >= 0 and changed[here] <= seen and changed[there] <= seen:
                continue
            n = gather(problem, choice, first, after, there, i, who, option)
            insert(problem, who, option, n, i, j)
            with_i = serve_station(problem, there, who[: n + 1], option[: n + 1], waits, shares)
            cost = with_i - (without if there == here else total[there])
            if cost < least:
                best, best_total, least = j, with_i, cost
        if best != choice[i]:
            there = problem.pool_station[problem.pool[i, best]]
            total[here] = without
            total[there] = best_total
            choice[i] = best
            moves += 1
            changed[here] = changed[there] = moves
            relink(first, after, i, here, there)
            station[i] = there
    return int(moves - before)


@kernel
def relink(first: Ints, after: Ints, request: int, here: int, there: int) -> None:
    """Move a request from one station's list to another's."""
    if first[here] == request:
        first[here] = after[request]
    else:
        before = first[here]
        while after[before] != request:
            before = after[before]
        after[before] = after[request]
    after[request], first[there] = first[there], request
