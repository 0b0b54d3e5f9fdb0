"""Local search: move one request at a time to where F of the whole plan gets smaller."""

from time import monotonic

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel
from chargeloop.recommendation.problem import Problem, gather, insert, least_cost, link, serve_station

MAX_ROUNDS = 20
GAIN_CNY = 1e-6  # less is rounding


def polish(problem: Problem, choice: Ints, rng: np.random.Generator, deadline_s: float) -> Ints:
    """The plan after moves that each lower F, in random order, until none is left or monotonic time `deadline_s` is reached."""
    better = choice.copy()
    floor = least_cost(problem)
    for _ in range(MAX_ROUNDS):
        if monotonic() > deadline_s or improve(problem, better, floor, rng.permutation(len(choice))) == 0:
            break
    return better


@kernel
def improve(problem: Problem, choice: Ints, floor: Floats, order: Ints) -> int:
    """Try every other option of each request in `order`, changing `choice` in place; returns the number of moves.

    `floor`: R x K, F of an option if nobody else was assigned and its bays were as busy as is best.
    """
    size, options = problem.pool.shape
    first, after, station = link(problem, choice)
    who, option = np.empty(size + 1, np.int64), np.empty(size + 1, np.int64)
    waits, shares = np.empty(size + 1), np.empty(size + 1)
    moves = 0
    for i in order:
        here = station[i]
        if here < 0:
            continue
        n = gather(problem, choice, first, after, here, i, who, option)
        without = serve_station(problem, here, who[:n], option[:n], waits, shares)
        insert(problem, who, option, n, i, choice[i])
        now = serve_station(problem, here, who[: n + 1], option[: n + 1], waits, shares) - without
        best, best_cost = choice[i], now - GAIN_CNY
        for j in range(options):
            # nobody waits less for company, and what i saves others by coming is small: a dearer option is not tried
            if j == choice[i] or floor[i, j] > now:
                continue
            there = problem.pool_station[problem.pool[i, j]]
            n = gather(problem, choice, first, after, there, i, who, option)
            before = serve_station(problem, there, who[:n], option[:n], waits, shares)
            insert(problem, who, option, n, i, j)
            cost = serve_station(problem, there, who[: n + 1], option[: n + 1], waits, shares) - before
            if cost < best_cost:
                best, best_cost = j, cost
        if best != choice[i]:
            moves += 1
            choice[i] = best
            first, after, station = link(problem, choice)
    return moves
