"""Holding the site's limit: one step a second, from what is measured to what each charger may take. Pure: time is an argument.

A step finds the room for charging in each row of the tree, shares it among the sessions, and says which chargers are to be
told. Power is cut at once and rises slowly; rises wait until what was cut elsewhere has taken effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from chargeloop.edge.config import Site
from chargeloop.edge.tree import Tree, fair_share, tree_of
from chargeloop.model.city import Floats

EPSILON_KW = 0.01
LIMITED = 0.9  # a charger that draws more than this share of what it may would take more
SPARE, SPARE_KW = 0.15, 0.5  # kept for a vehicle above what it takes, so that it shows when it wants more
Key: TypeAlias = tuple[int, str]  # a session: its charger, and its transaction there


@dataclass(frozen=True, slots=True)
class Session:
    """A vehicle at a charger (by its number), whose transaction is known there as `wire_id`.

    `plan_kw`: what the platform allows now, infinite where it says nothing. `power_kw`: what the charger reported last, at
    `reported_s`; None: nothing yet. `is_charged`: the vehicle takes no more.
    """

    wire_id: str
    charger: int
    plan_kw: float = np.inf
    power_kw: float | None = None
    reported_s: float = -np.inf
    is_charged: bool = False

    @property
    def key(self) -> tuple[int, str]:
        return self.charger, self.wire_id


@dataclass(slots=True)
class Cap:
    """What one charger may take as it was told, in kW. `told_kw`: confirmed last. `sending_kw`: told, not confirmed yet.

    `was`: what held before, with the time until which it may still be drawn.
    """

    told_kw: float
    sending_kw: float | None = None
    changed_s: float = -np.inf
    is_reachable: bool = False
    was: list[tuple[float, float]] = field(default_factory=list)

    def confirmed(self, kw: float, now_s: float, react_s: float) -> None:
        """The charger has taken a value over."""
        self.was = [(min(until_s, now_s + react_s), kw) for until_s, kw in self.was if until_s > now_s]
        if kw != self.told_kw:
            self.was.append((now_s + react_s, self.told_kw))
            self.changed_s = now_s
        self.told_kw, self.sending_kw = kw, None

    def lost(self, until_s: float) -> None:
        """The charger is gone while it was told something: it may hold to that until then."""
        if self.sending_kw is not None:
            self.was.append((until_s, self.sending_kw))
            self.sending_kw = None

    def in_force_kw(self, now_s: float) -> float:
        """The most that may be drawn now, reaction times included."""
        return max(self.told_kw, self.sending_kw or 0.0, *(kw for until_s, kw in self.was if until_s > now_s), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """`orders`: chargers to be told, and what. `share_kw`: of each session. `room`, `base`: of each row, in its unit."""

    orders: dict[int, float]
    share_kw: dict[Key, float]
    room: Floats
    base: Floats


class Controller:
    """`caps[n]`: of charger n; whoever sends keeps them up to date."""

    def __init__(self, site: Site) -> None:
        self.site, self.tree = site, tree_of(site)
        self.caps = [Cap(each.max_kw * each.connectors) for each in site.chargers]
        self.limit_kw: float | None = None  # below that of the site, when told so
        self._room = np.zeros(self.tree.limits.size)
        self._held: Floats | None = None
        self._load: Floats | None = None
        self._cut_until_s, self._last_s = -np.inf, -np.inf
        self._within_s = -np.inf  # when the load was last within all limits
        self._appetite: dict[Key, float] = {}  # what a vehicle takes where it may take more
        self._since: dict[Key, tuple[bool, float]] = {}  # whether it charges, and since when

    def limits(self) -> Floats:
        """R: each row's limit, that of the site's connection lowered where that was told."""
        limits: Floats = self.tree.limits.copy()
        if self.limit_kw is not None:
            limits[0] = min(limits[0], self.limit_kw)
        return limits

    def step(self, now_s: float, load: Floats | None, sessions: Sequence[Session]) -> Decision:
        """`load`: R, what the meter measures (rows that it does not are passed over); None: it is not to be believed."""
        self._learn(sessions)
        base = self._base(now_s, load, sessions)
        room = self._rooms(now_s, base, load)
        share = self._shares(now_s, room, sessions)
        target = np.zeros(len(self.caps))
        for each in sessions:
            target[each.charger] += share[each.key]
        orders = self._orders(now_s, room, target)
        self._last_s, self._load = now_s, load
        return Decision(orders, share, room, base)

    # --- room ---------------------------------------------------------------------------------------------------------

    def _base(self, now_s: float, load: Floats | None, sessions: Sequence[Session]) -> Floats:
        """R: load of all but the chargers that we can tell; what of the others may draw counts where nothing measures it."""
        tree = self.tree
        unreachable = np.array([0.0 if each.is_reachable else each.in_force_kw(now_s) for each in self.caps])
        others: Floats = tree.weights @ unreachable
        if load is None:
            self._held = None
            return np.asarray(np.where(tree.is_metered, others, tree.bases + others))
        is_over = bool(np.any(tree.is_metered & (load > self.limits())))
        measured: Floats = load - tree.weights @ self.drawn_kw(now_s, sessions, is_over=is_over)
        if now_s < self._cut_until_s and self._held is not None and self._load is not None:
            # Nobody was raised since the cut: what the load has risen by is no charger's, and some may have followed already.
            risen = np.maximum(load - self._load, 0.0)
            measured = np.maximum(measured, self._held + risen)
            if is_over and np.any(risen[tree.is_metered] > 0):
                measured = np.maximum(measured, load - tree.weights @ self.drawn_kw(np.inf, sessions, is_over=True))
        # The site takes nothing back but what is made there.
        measured = np.maximum(measured, -tree.of_kw(self.site.generation_kw, self.site.voltage_v))
        self._held = measured
        return np.asarray(np.where(tree.is_metered, measured, tree.bases + others))

    def drawn_kw(self, now_s: float, sessions: Sequence[Session], *, is_over: bool) -> Floats:
        """N: what each charger that can be told draws: as it reports, or what its vehicles take of what it was told since.

        `is_over`: a limit is exceeded, so that nothing counts but what was reported, however old.
        """
        drawn = np.zeros(len(self.caps))
        for n, cap in enumerate(self.caps):
            here = [each for each in sessions if each.charger == n]
            if not here or not cap.is_reachable:
                continue
            taken = sum(
                each.power_kw or 0.0 if is_over or self.is_fresh(each) else self._appetite.get(each.key, np.inf)
                for each in here
            )
            drawn[n] = min(taken, cap.in_force_kw(now_s))
        return drawn

    def is_fresh(self, session: Session) -> bool:
        """Whether its last report is of what it was told last."""
        settled_s = self.caps[session.charger].changed_s + self.site.control.react_s
        return session.power_kw is not None and session.reported_s >= settled_s

    def _learn(self, sessions: Sequence[Session]) -> None:
        """Who takes less than he may is limited by the vehicle: no more is kept for it than it takes, and a little."""
        for n, cap in enumerate(self.caps):
            here = [each for each in sessions if each.charger == n]
            if cap.told_kw < EPSILON_KW or not all(self.is_fresh(each) for each in here):
                continue
            is_limited = sum(each.power_kw or 0.0 for each in here) > LIMITED * cap.told_kw
            for each in here:
                self._appetite[each.key] = np.inf if is_limited else each.power_kw or 0.0
        keys = {each.key for each in sessions}
        self._appetite = {key: kw for key, kw in self._appetite.items() if key in keys}

    def _rooms(self, now_s: float, base: Floats, load: Floats | None) -> Floats:
        """R: what may be charged with. Falls at once, but for a ripple within half of the margin; rises slowly."""
        control, metered, limits = self.site.control, self.tree.is_metered, self.limits()
        if load is None:
            safe = np.minimum(self.tree.of_kw(self.site.blind_kw, self.site.voltage_v), limits)
            self._room = np.where(metered, safe, limits) - base
            return self._room
        margin = np.where(metered & np.isfinite(limits), limits * control.margin_pct / 100, 0.0)
        target = limits - margin - base
        over = np.where(metered, load - limits, -np.inf)
        self._within_s = now_s if np.all(over <= 0) else self._within_s
        if now_s - self._within_s > control.react_s:  # the cuts so far took what nobody drew
            told = self.tree.weights @ np.array([each.told_kw for each in self.caps])
            target = np.where(over > 0, np.minimum(target, told - over - margin), target)
        elapsed_s = min(max(now_s - self._last_s, 0.0), 5.0) if np.isfinite(self._last_s) else 1.0
        rise = 0.0 if now_s < self._cut_until_s else elapsed_s / control.ramp_s
        with np.errstate(invalid="ignore"):  # of a row without a limit
            raised = np.minimum(target, np.maximum(self._room, 0.0) + np.where(np.isfinite(limits), limits * rise, np.inf))
        kept = np.where(self._room > target + margin / 2, target, self._room)
        self._room = np.where(metered, np.where(self._room < target, np.where(np.isinf(limits), np.inf, raised), kept), target)
        return self._room

    # --- shares -------------------------------------------------------------------------------------------------------

    def _shares(self, now_s: float, room: Floats, sessions: Sequence[Session]) -> dict[Key, float]:
        chargers = [self.site.chargers[each.charger] for each in sessions]
        least = np.array([self.site.min_kw(each) for each in chargers])
        want = np.array([min(of.max_kw, each.plan_kw) for of, each in zip(chargers, sessions, strict=True)])
        taken = [self._appetite.get(each.key, np.inf) * (1 + SPARE) + SPARE_KW for each in sessions]
        want = np.where(want >= least, np.minimum(want, np.maximum(taken, least)), want)
        want = np.where([each.is_charged for each in sessions], np.minimum(np.maximum(least, EPSILON_KW), want), want)
        reachable = np.array([self.caps[each.charger].is_reachable for each in sessions], dtype=bool)
        want = np.where(reachable, want, 0.0) if sessions else np.zeros(0)
        weights = self.tree.weights[:, [each.charger for each in sessions]]
        given = fair_share(weights, room, least, want, self._order(now_s, sessions))
        share = {each.key: float(kw) for each, kw in zip(sessions, given, strict=True)}
        for key, kw in share.items():
            if key not in self._since or self._since[key][0] != (kw > 0):
                self._since[key] = (kw > 0, now_s)
        self._since = {key: since for key, since in self._since.items() if key in share}
        return share

    def _order(self, now_s: float, sessions: Sequence[Session]) -> list[int]:
        """Who gets the least first: whose turn it is, who waits longest, whose turn is over, whose battery is full."""

        def rank(s: int) -> tuple[int, float]:
            is_on, since_s = self._since.get(sessions[s].key, (False, now_s))
            if sessions[s].is_charged:
                return 3, since_s
            if not is_on:
                return 1, since_s
            return (0 if now_s - since_s < self.site.control.turn_s else 2), since_s

        return sorted(range(len(sessions)), key=rank)

    # --- what to tell -------------------------------------------------------------------------------------------------

    def _orders(self, now_s: float, room: Floats, target: Floats) -> dict[int, float]:
        """Cuts at once; a rise where it is worth telling and fits beside all that may still be drawn."""
        control, orders = self.site.control, dict[int, float]()
        in_force = np.array([each.in_force_kw(now_s) if each.is_reachable else 0.0 for each in self.caps])
        for n, cap in enumerate(self.caps):
            told = cap.told_kw if cap.sending_kw is None else max(cap.told_kw, cap.sending_kw)
            if cap.is_reachable and target[n] < told - EPSILON_KW:
                orders[n] = float(target[n])
                self._cut_until_s = now_s + control.react_s
        left = room - self.tree.weights @ in_force
        for n in np.argsort([each.told_kw for each in self.caps], kind="stable"):
            cap, rise = self.caps[n], target[n] - self.caps[n].told_kw
            is_worth = rise > (EPSILON_KW if cap.told_kw == 0 else control.deadband_kw)
            is_time = now_s >= self._cut_until_s and now_s - cap.changed_s >= control.hold_s
            more = self.tree.weights[:, n] * max(target[n] - in_force[n], 0.0)
            if cap.is_reachable and cap.sending_kw is None and is_worth and is_time and np.all(more <= left + 1e-6):
                orders[int(n)] = float(target[n])
                left = left - more
        return orders


def measured_rows(tree: Tree, kw: float, amperes: Mapping[int, float]) -> Floats:
    """R: a reading of the meter in each row's unit; rows that are not metered get 0."""
    return np.array(
        [
            0.0 if not is_metered else kw if phase == 0 else amperes[phase]
            for phase, is_metered in zip(tree.phases, tree.is_metered, strict=True)
        ]
    )
