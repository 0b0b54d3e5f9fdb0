"""The loop's decisions, without sockets: shares, rooms, who is told what and when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.edge import (
    ChargerOf,
    Circuit,
    Control,
    Controller,
    Decision,
    Meter,
    Session,
    Site,
    Upstream,
    fair_share,
    tree_of,
)
from chargeloop.edge.control import Cap
from chargeloop.execution import PowerProblem, schedule
from chargeloop.model.city import Floats
from tests.edge.world import longest_over

METER = Meter(host="meter")
UP = Upstream(url="ws://platform/ocpp")


def site_of(
    chargers: int = 3, limit_kw: float = 50.0, blind_kw: float = 12.0, circuits: tuple[Circuit, ...] = (), **more: object
) -> Site:
    return Site(
        name="S",
        blind_kw=blind_kw,
        circuits=(Circuit(name="grid", limit_kw=limit_kw), *circuits),
        chargers=tuple(ChargerOf(id=f"C{n}") for n in range(chargers)),
        upstream=UP,
        meter=METER,
        **more,  # type: ignore[arg-type]
    )


class Held:
    """A controller, and chargers that do as they are told at once; vehicles take all they may, up to `most_kw`."""

    def __init__(self, site: Site, most_kw: float = 11.0) -> None:
        self.controller, self.site, self.now_s, self.most_kw = Controller(site), site, 0.0, most_kw
        self.sessions: dict[int, Session] = {}
        self.base_kw = 0.0
        self.sent = 0
        for cap in self.controller.caps:
            cap.is_reachable = True
            cap.confirmed(0.0, -100.0, 0.0)

    def plug_in(self, *chargers: int, plan_kw: float = np.inf, is_charged: bool = False) -> None:
        for n in chargers:
            self.sessions[n] = Session(f"T{n}", n, plan_kw, is_charged=is_charged)

    def toggle(self, charger: int) -> None:
        """A vehicle comes, or goes."""
        if self.sessions.pop(charger, None) is None:
            self.plug_in(charger)

    @property
    def drawn_kw(self) -> Floats:
        caps = self.controller.caps
        return np.array([min(cap.told_kw, self.most_kw) if n in self.sessions else 0.0 for n, cap in enumerate(caps)])

    @property
    def load_kw(self) -> float:
        return self.base_kw + float(self.drawn_kw.sum())

    def second(self, *, is_blind: bool = False) -> Decision:
        self.now_s += 1.0
        load = None if is_blind else np.full(self.controller.tree.limits.size, self.load_kw)
        sessions = [
            Session(each.wire_id, n, each.plan_kw, float(self.drawn_kw[n]), self.now_s, each.is_charged)
            for n, each in self.sessions.items()
        ]
        decision = self.controller.step(self.now_s, load, sessions)
        for n, kw in decision.orders.items():
            self.controller.caps[n].confirmed(kw, self.now_s, self.site.control.react_s)
        self.sent += len(decision.orders)
        return decision

    def seconds(self, count: int) -> list[float]:
        return [(self.second(), self.load_kw)[1] for _ in range(count)]


# --- shares -----------------------------------------------------------------------------------------------------------------


@given(
    room=st.lists(st.floats(0, 60), min_size=3, max_size=3),
    want=st.lists(st.floats(0.5, 22), min_size=1, max_size=6),
    on=st.lists(st.integers(0, 2), min_size=6, max_size=6),
)
def test_without_least_powers_shares_are_those_of_the_power_plan(room: list[float], want: list[float], on: list[int]) -> None:
    """Two ways to max-min fairness: the loop's own, and the first step of a plan for sessions that are equally urgent."""
    parents = np.array([-1, 0, 0])
    plan = schedule(
        PowerProblem(
            circuit_parent=parents,
            circuit_limit_kw=np.array(room),
            circuit_base_kw=np.zeros(3),
            circuit=np.array(on[: len(want)]),
            max_kw=np.array(want),
            energy_kwh=np.full(len(want), np.inf),
            depart_s=np.full(len(want), np.nan),
            now_s=0.0,
            steps=1,
        )
    )
    weights = np.array([[1.0 if row in (0, on[s]) else 0.0 for s in range(len(want))] for row in range(3)])
    given_kw = fair_share(weights, np.array(room), np.zeros(len(want)), np.array(want), list(range(len(want))))
    assert given_kw == pytest.approx(plan.limit_kw[:, 0], abs=1e-6)


@given(
    room=st.lists(st.floats(-5, 100), min_size=4, max_size=4),
    sessions=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 22), st.integers(0, 2)), min_size=1, max_size=8),
)
def test_shares_keep_every_row_and_are_nothing_or_enough(room: list[float], sessions: list[tuple[float, float, int]]) -> None:
    weights = np.array([[1.0] * len(sessions), *([4.3 * (phase == p) for *_, p in sessions] for phase in range(3))])
    least, want = (np.array([each[i] for each in sessions]) for i in (0, 1))
    given_kw = fair_share(weights, np.array(room), least, want, list(range(len(sessions))))
    assert np.all(weights @ given_kw <= np.maximum(room, 0.0) + 1e-6)
    assert np.all((given_kw == 0) | ((given_kw >= least - 1e-9) & (given_kw <= want + 1e-9)))


def test_a_phase_counts_only_those_that_are_on_it() -> None:
    site = Site(
        name="S",
        blind_kw=9,
        circuits=(Circuit(name="grid", limit_kw=60, limit_a=32),),
        chargers=(
            ChargerOf(id="A", phases=1, first_phase=2, max_kw=7.4),
            ChargerOf(id="B"),
            ChargerOf(id="D", phases=0, max_kw=50),
        ),
        upstream=UP,
    )
    tree = tree_of(site)
    assert tree.names == ("grid kW", "grid L1 A", "grid L2 A", "grid L3 A")
    third = 1000 / 690
    assert tree.weights == pytest.approx(
        np.array([[1, 1, 1], [0, third, third], [1000 / 230, third, third], [0, third, third]])
    )


# --- the limit ------------------------------------------------------------------------------------------------------------


def test_power_rises_slowly_and_is_cut_within_the_second() -> None:
    held = Held(site_of())
    held.base_kw = 20.0
    held.plug_in(0, 1, 2)
    rising = held.seconds(60)
    assert max(rising) <= 49.0 + 1e-6  # the margin of 2 % stays free
    assert rising[0] < rising[10] < rising[-1]
    assert rising[-1] > 46
    held.base_kw = 35.0
    assert held.load_kw > 50
    held.second()
    assert held.load_kw <= 50


def test_what_ripples_within_half_the_margin_is_not_told() -> None:
    held = Held(site_of())
    held.base_kw = 20.0
    held.plug_in(0, 1, 2)
    held.seconds(60)
    before = held.sent
    for i in range(120):
        held.base_kw = 20.0 + 0.4 * (i % 2)
        held.second()
    assert held.sent - before <= 3  # once, down below the crest


def test_a_lower_limit_is_held_at_once() -> None:
    held = Held(site_of())
    held.plug_in(0, 1, 2)
    held.seconds(60)
    held.controller.limit_kw = 15.0
    held.second()
    assert held.load_kw <= 15.0


def test_a_charger_is_raised_only_after_others_have_come_down() -> None:
    held = Held(site_of(limit_kw=23.0))
    held.plug_in(0, 1)
    held.seconds(60)
    held.plug_in(2)
    controller = held.controller
    for _ in range(30):
        held.second()
        in_force = sum(cap.in_force_kw(held.now_s) for cap in controller.caps)
        assert in_force <= 23.0 + 1e-6
    assert controller.caps[2].told_kw > 6


def test_while_blind_all_keep_to_the_safe_limit_and_rise_slowly_afterwards() -> None:
    held = Held(site_of())
    held.plug_in(0, 1, 2)
    held.seconds(60)
    held.second(is_blind=True)
    assert sum(cap.told_kw for cap in held.controller.caps) <= 12.0 + 1e-6
    held.second()
    assert held.load_kw <= 12.0 + 50 / held.site.control.ramp_s
    assert held.seconds(60)[-1] > 30


def test_a_charger_that_cannot_be_told_is_base_load() -> None:
    held = Held(site_of())
    held.plug_in(0, 1, 2)
    held.seconds(60)
    held.controller.caps[0].is_reachable = False
    decision = held.second()
    assert decision.base[0] == pytest.approx(held.drawn_kw[0], abs=0.1)
    assert decision.share_kw[0, "T0"] == 0
    assert held.load_kw <= 50


def test_what_a_charger_that_cannot_be_told_may_draw_counts_where_nothing_measures_it() -> None:
    site = site_of(circuits=(Circuit(name="west", parent="grid", limit_kw=15),))
    site = Site(
        **{name: getattr(site, name) for name in ("name", "blind_kw", "circuits", "upstream", "meter")},
        chargers=tuple(ChargerOf(id=f"C{n}", circuit="west") for n in range(3)),
    )
    held = Held(site)
    held.controller.caps[0].told_kw, held.controller.caps[0].is_reachable = 8.0, False
    held.plug_in(1, 2)
    held.seconds(60)
    assert sum(cap.told_kw for cap in held.controller.caps[1:]) == pytest.approx(7.0, abs=1e-6)


# --- fairness -------------------------------------------------------------------------------------------------------------


def test_below_six_amperes_a_vehicle_pauses_and_they_take_turns() -> None:
    held = Held(site_of(limit_kw=10.0, control=Control(turn_s=60)))
    held.plug_in(0, 1, 2)
    charged = np.zeros(3)
    least = held.site.min_kw(held.site.chargers[0])
    for _ in range(1200):
        held.second()
        told = np.array([cap.told_kw for cap in held.controller.caps])
        assert np.all((told == 0) | (told >= least - 0.02))
        charged += held.drawn_kw
    assert charged.min() > 0.8 * charged.max()


def test_the_platforms_plan_is_followed_where_there_is_room() -> None:
    held = Held(site_of())
    held.plug_in(0, plan_kw=5.0)
    held.plug_in(1, plan_kw=2.0)  # less than six amperes
    held.plug_in(2)
    held.seconds(60)
    assert [cap.told_kw for cap in held.controller.caps] == pytest.approx([5.0, 0.0, 11.0])


def test_a_full_battery_keeps_only_what_wakes_it_and_others_go_first() -> None:
    held = Held(site_of(limit_kw=16.0))
    held.plug_in(0, is_charged=True)
    held.plug_in(1)
    held.seconds(60)
    assert held.controller.caps[0].told_kw == pytest.approx(held.site.min_kw(held.site.chargers[0]))
    held.plug_in(2)
    held.controller.limit_kw = 9.0
    held.seconds(30)
    assert held.controller.caps[0].told_kw == 0
    assert min(cap.told_kw for cap in held.controller.caps[1:]) > 4


def test_a_cut_that_is_not_obeyed_yet_does_not_lead_to_more_cuts() -> None:
    """The vehicle goes on for three seconds: the load that is still there is its own, not the site's."""
    held = Held(site_of(chargers=1, limit_kw=30.0))
    held.base_kw = 10.0
    held.plug_in(0)
    held.seconds(60)
    before = float(held.drawn_kw[0])
    held.base_kw = 22.0
    told = [0.0]
    for _ in range(3):
        held.now_s += 1
        load = np.array([22.0 + before])
        decision = held.controller.step(held.now_s, load, [Session("T0", 0, power_kw=before, reported_s=held.now_s - 20)])
        for kw in decision.orders.values():
            held.controller.caps[0].confirmed(kw, held.now_s, held.site.control.react_s)
        told.append(held.controller.caps[0].told_kw)
    assert told[1:] == pytest.approx([7.4] * 3, abs=0.3)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_the_limit_is_exceeded_for_one_second_at_most(seed: int) -> None:
    """Vehicles of all kinds come and go, chargers report every ten seconds, something large is switched on and off."""
    rng = np.random.default_rng(seed)
    held = Held(site_of(chargers=5, limit_kw=40.0, control=Control(turn_s=120.0)))
    most, reports, shift = np.zeros(5), dict[int, tuple[float, float]](), rng.uniform(0, 97)
    loads = []
    for second in np.arange(1.0, 600.0):
        for n in map(int, np.flatnonzero(rng.random(5) < 1 / 120)):
            held.toggle(n)
            most[n], _ = rng.choice([3.7, 7.4, 11.0]), reports.pop(n, None)
        base_kw = 9 + 4 * np.sin(second / 60) + 0.3 * (second % 3) + 12 * ((second + shift) % 97 < 30)
        told = np.array([cap.told_kw for cap in held.controller.caps])
        drawn = np.array([min(told[n], most[n]) if n in held.sessions else 0.0 for n in range(5)])
        reports |= {n: (float(drawn[n]), float(second)) for n in held.sessions if second % 10 == 0}
        loads.append(float(base_kw + drawn.sum()))
        sessions = [Session(f"T{n} {most[n]}", n, np.inf, *reports.get(n, (None, -np.inf))) for n in held.sessions]
        decision = held.controller.step(second, np.array([loads[-1]]), sessions)
        for n, kw in decision.orders.items():
            held.controller.caps[n].confirmed(kw, second, held.site.control.react_s)
    assert longest_over(loads, 40.0) <= 1
    assert np.mean(loads) > 20  # and charging goes on


def test_what_a_charger_was_being_told_as_it_went_may_hold() -> None:
    cap = Cap(told_kw=5.0, sending_kw=11.0)
    cap.lost(until_s=600.0)
    assert (cap.sending_kw, cap.in_force_kw(599.0), cap.in_force_kw(601.0)) == (None, 11.0, 5.0)
    cap.confirmed(6.0, now_s=100.0, react_s=5.0)  # it is back, and has taken something else
    assert (cap.in_force_kw(104.0), cap.in_force_kw(106.0)) == (11.0, 6.0)
