"""Where more kilowatts help most: runs of the twin with circuits' limits in force say how long whom a circuit holds up.

One more kW at the circuit that binds, for a step of dt, lets each fast charge below it end dt / (kW that all below it want)
sooner. Each such minute is the driver's, and frees a bay, which is worth its shadow price to those who come later. Slow
charges, whose drivers stay as long as they stay, count nothing. Kilowatts are given out a share at a time, and the twin run
again in between, since a circuit relieved leaves the next one above it to bind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from chargeloop.model import BadInput, Circuit, City, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.simulation.ground import JUDGED, STEP_S, TOP, Built, Check, Ground
from chargeloop.simulation.kpis import minutes_lost
from chargeloop.simulation.twin import Twin

SHARES = 5  # in so many rounds the kilowatts are given out
PARTS = 4  # of a round's share: more than one of them no circuit gets in a round, where there are enough others
DAYS = 2  # of the twin a round


@dataclass(frozen=True, slots=True)
class Line:
    """`kw` more at a circuit. `saves_min`: a day, of everybody's time, as it was when they were given."""

    circuit_id: str
    kind: str
    kw: float
    saves_min: float


class Reinforcement:
    """Kilowatts for a city whose demand is as a forecast expects it. Arguments as for `Ground`."""

    def __init__(self, *city_forecast_start: Any, **more: Any) -> None:
        self.ground = Ground(*city_forecast_start, **more)
        self._as_it_is = self.ground.built(self.ground.city)
        self._circuits = {each.circuit_id: each for each in self.ground.city.circuits}
        self._minutes_on = cache(self._minutes)

    def best(self, kw: float, progress: Callable[[float], None] = lambda _: None) -> list[Line]:
        """Where so many kW save most, the most valuable first; fewer of them where no circuit is short of more.

        Raises:
            BadInput: not a positive number.
        """
        if not 0 < kw < np.inf:
            raise BadInput("kw", f"a positive number, got {kw:g}")
        ids = self.ground.layout.circuit_ids
        more, saved, most = np.zeros(len(ids)), np.zeros(len(ids)), float(kw)
        for n in range(SHARES):
            on = self._with(self._lines(more, saved))
            worth_min, short_kw = self._held_up(on, [n * DAYS + day for day in range(DAYS)], n, progress)
            if n == 0:
                most = kw / min(TOP, max(int(np.count_nonzero(worth_min)), 1))  # at one circuit, as for bays
            given = _dearest(worth_min, np.minimum(short_kw, most - more), kw / SHARES)
            more += given
            saved += given * worth_min
        return sorted(self._lines(more, saved), key=lambda line: -line.saves_min)

    def check(self, lines: Sequence[Line], day: int) -> Check:
        """Minutes of drive + wait + fast charging of a day that no kW was given by, 60 for one who gives up.

        As it is, with the first `TOP` of those, and with the same kW at as many random circuits of the same kinds.
        """
        top = tuple(lines[:TOP])
        rng = np.random.default_rng([self.ground.seed, day, 8])
        elsewhere = tuple(replace(line, circuit_id=str(rng.choice(self._alike(line)))) for line in top)
        return Check(self._minutes_on((), day), self._minutes_on(top, day), self._minutes(elsewhere, day))

    def _held_up(self, on: Built, days: Sequence[int], turn: int, progress: Callable[[float], None]) -> tuple[Floats, Floats]:
        """C: minutes a day that a kW more would save, and the kW that each was short of at most."""
        worth_min, short_kw = (np.zeros(len(on.layout.circuit_ids)) for _ in range(2))
        for n, day in enumerate(days):
            watch = _Watch(on)
            self.ground.run(on, day, watch)
            worth_min += watch.worth_min / len(days)
            short_kw = np.maximum(short_kw, watch.short_kw)
            progress((turn + (n + 1) / len(days)) / SHARES)
        return worth_min, short_kw

    def _with(self, lines: Sequence[Line]) -> Built:
        city = with_more_kw(self.ground.city, lines)
        return replace(self._as_it_is, city=city, layout=Layout.of(city))

    def _minutes(self, lines: tuple[Line, ...], day: int) -> float:
        cars = self.ground.run(self._with(lines), JUDGED + day).state.cars
        charging = np.nan_to_num(np.fmin(cars["charged_s"], cars["end_s"]) - cars["start_s"]) / 60
        return float(minutes_lost(cars)[0].sum() + charging[cars["is_dc"]].sum())

    def _lines(self, more: Floats, saved: Floats) -> list[Line]:
        ids = self.ground.layout.circuit_ids
        return [Line(ids[c], str(self._circuits[ids[c]].kind), float(more[c]), float(saved[c])) for c in np.flatnonzero(more)]

    def _alike(self, line: Line) -> list[str]:
        """The other circuits of its kind; itself where it is the only one."""
        others = [each.circuit_id for each in self._circuits.values() if str(each.kind) == line.kind]
        return [each for each in others if each != line.circuit_id] or others


class _Watch:
    """Adds up, step by step, what a kW more would have saved at each circuit."""

    def __init__(self, on: Built) -> None:
        layout = on.layout
        self._parent, self._prices, self._dt_min = layout.circuit_parent, on.prices, STEP_S / 60
        self._is_dc = layout.pool_is_dc[layout.evse_pool]
        self._by_depth = _by_depth(layout.circuit_parent)
        self.worth_min, self.short_kw = np.zeros(layout.circuit_parent.size), np.zeros(layout.circuit_parent.size)

    def __call__(self, twin: Twin) -> None:
        circuits, bays = twin.state.circuits, twin.state.bays
        want_kw, room_kw = circuits["want_kw"], circuits["room_kw"]
        short_kw = want_kw - room_kw
        if not (short_kw > 0).any():
            return
        self.short_kw = np.maximum(self.short_kw, short_kw)
        binding = self._binding(np.where(short_kw > 0, room_kw / np.maximum(want_kw, 1e-9), 1.0))
        at = binding[bays["circuit"]]
        held_up = np.flatnonzero((bays["driver"] >= 0) & ~bays["charged"] & self._is_dc & (at >= 0))
        bin_of = int((twin.now_s - twin.start.timestamp()) / self._prices.bin_s) - 1
        rate = self._prices.rate[:, bin_of] if 0 <= bin_of < self._prices.rate.shape[1] else np.zeros(len(self._prices.rate))
        minutes = self._dt_min * (1 + rate[bays["pool"][held_up]]) / want_kw[at[held_up]]
        self.worth_min += np.bincount(at[held_up], minutes, self.worth_min.size)

    def _binding(self, share: Floats) -> Ints:
        """C: the circuit, on the way to the root, that leaves the least share of what is wanted; -1: none binds."""
        least, binding = share.copy(), np.where(share < 1, np.arange(share.size), -1)
        for these in self._by_depth[1:]:
            above = self._parent[these]
            lower = least[above] < least[these]
            least[these] = np.where(lower, least[above], least[these])
            binding[these] = np.where(lower, binding[above], binding[these])
        return binding


def with_more_kw(city: City, lines: Sequence[Line]) -> City:
    """The city with those circuits' limits raised.

    Raises:
        BadInput: a circuit that is not there.
    """
    more: dict[str, float] = {}
    for line in lines:
        more[line.circuit_id] = more.get(line.circuit_id, 0.0) + line.kw
    if missing := more.keys() - {each.circuit_id for each in city.circuits}:
        raise BadInput("circuit", f"there is no circuit {min(missing)!r} in this city")

    def raised(each: Circuit) -> Circuit:
        return replace(each, limit_kw=each.limit_kw + more[each.circuit_id]) if each.circuit_id in more else each

    return replace(city, circuits=tuple(raised(each) for each in city.circuits))


def _dearest(worth: Floats, room_kw: Floats, kw: float) -> Floats:
    """C: what each circuit gets of the kW: a part of them, within its room; more only where there are no others."""
    given = np.zeros(worth.size)
    order = [c for c in np.argsort(-worth, kind="stable") if worth[c] > 0]
    for most in (kw / PARTS, kw):  # the second time, what is left over
        for c in order:
            extra = max(min(most, kw, room_kw[c] - given[c]), 0.0)
            given[c] += extra
            kw -= extra
    return given


def _by_depth(parent: Ints) -> list[Ints]:
    """The circuits at the root, those below it, and so on."""
    depth = np.zeros(parent.size, dtype=np.int64)
    for c in range(parent.size):  # parents come before their children
        depth[c] = depth[parent[c]] + 1 if parent[c] >= 0 else 0
    return [np.flatnonzero(depth == n) for n in range(int(depth.max()) + 1)]
