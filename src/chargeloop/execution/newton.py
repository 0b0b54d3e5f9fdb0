"""One Newton system of the price iteration: how prices must move so that loads move by what is wanted.

With D the diagonal of how willingly each variable moves, solve (A D A') y = r. Sessions are eliminated first: each answers
a change of its circuit's prices with a small matrix (its stay x its stay). A circuit adds up the answers from below,
lets through what its own limit
lets through, and passes the rest on as an answer of its own. So a circuit tells the one above it T loads and T x T numbers,
whatever lies below, and prices come down the tree by the same way.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import dsymv
from scipy.linalg.lapack import dpotrf, dpotri

from chargeloop.execution.linear import Shape
from chargeloop.model.city import Floats
from chargeloop.physics import kernel

TINY = 1e-13


class Factor(NamedTuple):
    """`inverse`: C x T x T (upper triangles), of each circuit's matrix with everything below it eliminated.
    `through`: C x T, how willingly flow on it moves. `peak_g`,
    `peak_q`: C x T, and `peak_r`: C, of the peak rows. `chain`: the tridiagonal factors of sessions with two ways,
    or 1 / sum of one way."""

    d: Floats
    inverse: Floats
    through: Floats
    peak_q: Floats
    peak_g: Floats
    peak_r: Floats
    diagonal: Floats
    below: Floats


def factor(shape: Shape, d: Floats) -> Factor:
    """`d`: D for every variable, 0 for those that cannot move."""
    many, steps = shape.parent.size, shape.steps
    cells = many * steps
    answers = np.zeros((many, steps, steps))
    diagonal, below = np.zeros(shape.own_rows), np.zeros(shape.own_rows)
    _answers_of_sessions(shape, d, answers, diagonal, below)
    bought = d[shape.i : shape.i + cells].reshape(many, steps)
    through = bought + d[shape.o : shape.o + cells].reshape(many, steps)
    curtailed = d[shape.k : shape.k + cells].reshape(many, steps)
    peak_g = np.where(shape.peak[:, None] > 0, bought + d[shape.w : shape.w + cells].reshape(many, steps), 1.0)
    peak_g = np.maximum(peak_g, TINY)
    peak_q = np.where(shape.peak[:, None] > 0, bought, 0.0)
    rise = shape.step_h**2 * d[shape.p :]
    peak_r = rise / (1 + rise * (1 / peak_g).sum(axis=1))
    for c in range(many - 1, -1, -1):
        up, matrix = shape.parent[c], answers[c]
        own = np.einsum("ii->i", matrix)
        if shape.peak[c]:
            side = peak_q[c] / peak_g[c]
            flow = np.diag(through[c] - peak_q[c] * side) + peak_r[c] * np.outer(side, side)
            matrix += flow
        else:
            own += through[c]
        own += curtailed[c]
        own += TINY * (own.max(initial=0.0) + 1.0)
        _invert(matrix)
        if up >= 0 and shape.peak[c]:
            full = np.triu(matrix) + np.triu(matrix, 1).T
            answers[up] += flow - flow @ full @ flow
        elif up >= 0:
            _pass_on(answers[up], matrix, through[c])
    return Factor(d, answers, through, peak_q, peak_g, peak_r, diagonal, below)


def _invert(matrix: Floats) -> None:
    """A symmetric positive definite matrix, of which the upper triangle is looked at, in place."""
    half, failed = dpotrf(matrix.T, lower=1, clean=0)
    bump = 1e-12
    while failed and bump < 1.0:  # by rounding, close to the end: prices then move a little less than they might
        half, failed = dpotrf(matrix.T + bump * matrix.diagonal().max() * np.eye(len(matrix)), lower=1, clean=0)
        bump *= 100
    matrix.T[...] = dpotri(half, lower=1, overwrite_c=1)[0]


@kernel
def _pass_on(above: Floats, inverse: Floats, through: Floats) -> None:
    """Adds what a circuit answers as a whole to the matrix above it."""
    for k in range(through.size):
        above[k, k] += through[k]
        for q in range(k, through.size):
            above[k, q] -= through[k] * inverse[k, q] * through[q]


@kernel
def _answers_of_sessions(shape: Shape, d: Floats, answers: Floats, diagonal: Floats, below: Floats) -> None:  # noqa: PLR0912
    """Adds each session's answer to its circuit's matrix (upper triangle and more), and keeps the factors of its own rows."""
    steps = shape.steps
    column = np.empty(steps)
    bend = np.empty(steps)
    for s in range(shape.stay.size):
        c, n, t0, a, r = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s], shape.own[s]
        b, eta = shape.both[s], shape.efficiency[s]
        short = 0.0
        for j in range(shape.pieces):
            short += d[shape.m + s * shape.pieces + j]
        matrix = answers[c]
        if b < 0:
            total = short
            for k in range(n):
                total += d[a + k]
            total = max(total, 1e-300)
            diagonal[r] = total
            for k in range(n):
                dk = d[a + k]
                if dk > 0.0:
                    matrix[t0 + k, t0 + k] += dk
                    share = dk / total
                    row = matrix[t0 + k]
                    for q in range(k, n):
                        row[t0 + q] -= share * d[a + q]
            continue
        before = 0.0
        for k in range(n):
            dx, dz, de = d[a + k], d[shape.z + b + k], d[shape.e + b + k]
            diagonal[r + k] = eta * eta * dx + dz / (eta * eta) + before + de
            before = de
        diagonal[r + n - 1] += short
        for k in range(n):
            if k > 0:
                de = d[shape.e + b + k - 1]
                below[r + k] = -de / diagonal[r + k - 1]
                diagonal[r + k] -= de * de / diagonal[r + k - 1]
            diagonal[r + k] = max(diagonal[r + k], 1e-300)
            bend[k] = eta * d[a + k] + d[shape.z + b + k] / eta
        for q in range(n):
            matrix[t0 + q, t0 + q] += d[a + q] + d[shape.z + b + q]
            if bend[q] == 0.0:
                continue
            for k in range(q):
                column[k] = 0.0
            column[q] = bend[q]
            for k in range(q + 1, n):
                column[k] = -below[r + k] * column[k - 1]
            column[n - 1] /= diagonal[r + n - 1]
            for k in range(n - 2, -1, -1):
                column[k] = (column[k] / diagonal[r + k] if k >= q else 0.0) - below[r + k + 1] * column[k + 1]
            for k in range(q + 1):
                matrix[t0 + k, t0 + q] -= bend[k] * column[k]


def solve(shape: Shape, factor: Factor, own: Floats, balance: Floats, peak: Floats) -> tuple[Floats, Floats, Floats]:
    """The prices y of own rows, balance and peak rows for these right sides."""
    balance = balance.copy()
    _sessions_out(shape, factor.d, factor.diagonal, factor.below, own, balance)
    raised = np.zeros_like(balance)
    for c in range(shape.parent.size - 1, -1, -1):
        up = shape.parent[c]
        if shape.peak[c]:
            push = factor.peak_q[c] * _peak_solve(factor, c, peak[c])
            balance[c] -= push
            if up >= 0:
                balance[up] += push
        raised[c] = dsymv(1.0, factor.inverse[c].T, balance[c], lower=1)
        if up >= 0:
            balance[up] += _through(factor, c, raised[c], bool(shape.peak[c]))
    for c in range(shape.parent.size):
        up = shape.parent[c]
        if up >= 0:
            raised[c] += dsymv(1.0, factor.inverse[c].T, _through(factor, c, raised[up], bool(shape.peak[c])), lower=1)
    peaks = np.zeros_like(peak)
    for c in np.flatnonzero(shape.peak).tolist():
        above = raised[shape.parent[c]] if shape.parent[c] >= 0 else 0.0
        peaks[c] = _peak_solve(factor, c, peak[c] - factor.peak_q[c] * (raised[c] - above))
    return _sessions_in(shape, factor.d, factor.diagonal, factor.below, own, raised), raised, peaks


def _peak_solve(factor: Factor, c: int, right: Floats) -> Floats:
    plain = right / factor.peak_g[c]
    return np.asarray(plain - factor.peak_r[c] * plain.sum() / factor.peak_g[c])


def _through(factor: Factor, c: int, price: Floats, has_peak: bool) -> Floats:
    flow = factor.through[c] * price
    if has_peak:
        flow = flow - factor.peak_q[c] * _peak_solve(factor, c, factor.peak_q[c] * price)
    return np.asarray(flow)


@kernel
def _sessions_out(shape: Shape, d: Floats, diagonal: Floats, below: Floats, own: Floats, balance: Floats) -> None:
    column = np.empty(shape.steps)
    for s in range(shape.stay.size):
        c, n, t0, a, r = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s], shape.own[s]
        b, eta = shape.both[s], shape.efficiency[s]
        if b < 0:
            y = own[r] / diagonal[r]
            for k in range(n):
                balance[c, t0 + k] -= d[a + k] * y
        else:
            _chain(diagonal, below, own, r, n, column)
            for k in range(n):
                balance[c, t0 + k] -= (eta * d[a + k] + d[shape.z + b + k] / eta) * column[k]


@kernel
def _sessions_in(shape: Shape, d: Floats, diagonal: Floats, below: Floats, own: Floats, balance: Floats) -> Floats:
    out = own.copy()
    column = np.empty(shape.steps)
    for s in range(shape.stay.size):
        c, n, t0, a, r = shape.circuit[s], shape.stay[s], shape.first[s], shape.at[s], shape.own[s]
        b, eta = shape.both[s], shape.efficiency[s]
        if b < 0:
            total = own[r]
            for k in range(n):
                total -= d[a + k] * balance[c, t0 + k]
            out[r] = total / diagonal[r]
        else:
            for k in range(n):
                out[r + k] -= (eta * d[a + k] + d[shape.z + b + k] / eta) * balance[c, t0 + k]
            _chain(diagonal, below, out, r, n, column)
            for k in range(n):
                out[r + k] = column[k]
    return out


@kernel
def _chain(diagonal: Floats, below: Floats, right: Floats, r: int, n: int, out: Floats) -> None:
    """Solves one session's tridiagonal rows."""
    out[0] = right[r]
    for k in range(1, n):
        out[k] = right[r + k] - below[r + k] * out[k - 1]
    out[n - 1] /= diagonal[r + n - 1]
    for k in range(n - 2, -1, -1):
        out[k] = out[k] / diagonal[r + k] - below[r + k + 1] * out[k + 1]
