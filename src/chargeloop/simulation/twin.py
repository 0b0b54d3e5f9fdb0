"""The city twin: a whole city's drivers, queues and chargers, moved on step by step."""

from copy import copy
from datetime import datetime

import numpy as np

from chargeloop.guidance import Guide
from chargeloop.model import (
    BadInput,
    CancelReservation,
    City,
    Command,
    Decision,
    Event,
    EvseStatus,
    GuideDriver,
    Layout,
    RemoteStart,
    RemoteStop,
    ReserveEvse,
    SetChargingProfile,
)
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import local, utc_offset_s
from chargeloop.recommendation import NO_PRICES, Prices
from chargeloop.simulation.course import advance, end_reservation, end_session, head_for, offer_bay, plug_in, withdraw
from chargeloop.simulation.drivers import Drivers, joined_drivers, mean_of_quantiles
from chargeloop.simulation.due import note, push, quit_queue
from chargeloop.simulation.kpis import Kpis, kpis_of
from chargeloop.simulation.manner import SHIPPED, Manner, summed_tariffs
from chargeloop.simulation.picking import Pick, picked
from chargeloop.simulation.power import accrue_all, set_power
from chargeloop.simulation.reach import cheapest_option, neighbours, options
from chargeloop.simulation.scenario import QUIET, Scenario
from chargeloop.simulation.state import (
    DUE,
    DUE_ROW,
    LISTENING,
    LOG_MARGIN,
    LOGGED,
    MAX_HOPS,
    Bools,
    Due,
    Fact,
    Policy,
    Reason,
    Rules,
    Stage,
    new_state,
    with_more_drivers,
)
from chargeloop.simulation.telling import PlugIn, Teller, Unplug, instant
from chargeloop.simulation.weather import in_weather

POLICIES = {
    "nearest": Policy.NEAREST,
    "cheapest": Policy.CHEAPEST,
    "shortest-wait": Policy.SHORTEST_WAIT,
    "commit": Policy.COMMIT,
    "priced": Policy.PRICED,
    "not-now": Policy.PRICED,
    "external": Policy.EXTERNAL,
}
LONG_WAIT_S = 15 * 60.0  # nearest and cheapest drive on from a longer expected wait
SAMPLE_S = 300  # between two meter readings of an EVSE
STAGGER = 5  # groups of EVSEs that take turns to send theirs
CHANGING = (
    "cars",
    "option_s",
    "visited",
    "bays",
    "plan_kw",
    "pools",
    "circuits",
    "due",
    "log",
    "counts",
    "scratch",
)  # in a run
STRANGER = -2  # holds a reservation, but is no driver of the twin

# Assumptions: no data set here says them.
FAULTS_PER_DAY = 1 / 60  # of one EVSE
REPAIR_H = 4.0  # mean, exponential


def check_step_s(step_s: int) -> None:
    """Steps must meet the full hours, at which prices change.

    Raises:
        BadInput: where they don't.
    """
    if step_s <= 0 or 3600 % step_s:
        raise BadInput("step_s", f"a step must divide the hour, got {step_s} s")


class Twin:
    """A city in which `drivers` go to charge.

    `policy`: nearest, cheapest, shortest-wait, commit, priced (needs `prices`), not-now (the same, but who has charge enough
    is told to come later where that is better), or external: drivers ask (ChargeRequested),
    wait for GuideDriver and go to the nearest after `answer_s` without one. `driven_outside`: E, EVSEs whose sessions are told
    to an outside charger by the `outside_*` lists of the last step and not as events. `listen`: whether steps return events.
    `scenario`: that the drivers were drawn with; the twin takes its roads and outages from it. `most_hops`: how often a
    driver drives on from a long queue. `manner`: of policy priced.
    """

    def __init__(
        self,
        city: City,
        layout: Layout,
        guide: Guide,
        drivers: Drivers,
        start: datetime,
        step_s: int,
        policy: str,
        rng: np.random.Generator,
        *,
        answer_s: float = 180.0,
        driven_outside: Bools | None = None,
        listen: bool | None = None,
        faults_per_day: float = FAULTS_PER_DAY,
        scenario: Scenario = QUIET,
        prices: Prices | None = None,
        most_hops: int = MAX_HOPS,
        manner: Manner = SHIPPED,
    ) -> None:
        if policy not in POLICIES:
            raise BadInput("policy", f"there is no policy {policy!r}; there are: {', '.join(POLICIES)}")
        check_step_s(step_s)
        city = in_weather(city, start, scenario)
        self._city, self._layout, self._guide, self._rng = city, layout, guide, rng
        if POLICIES[policy] is Policy.PRICED and prices is None:
            raise BadInput("prices", f"policy {policy} needs shadow prices")
        self._faults_per_day, self._scenario = faults_per_day, scenario
        self._tastes = rng.spawn(1)[0]  # a stream of its own: the same goes wrong, whoever picks
        self.drivers = drivers
        self.policy, self.step_s = POLICIES[policy], step_s
        self.start, self.now_s = start, start.timestamp()
        overstay_s = mean_of_quantiles(city.behaviour.dc_overstay_min) * 60
        price = NO_PRICES if prices is None else prices
        self.rules = Rules(int(self.policy), answer_s, LONG_WAIT_S, overstay_s, self.now_s, price.bin_s, policy == "not-now")
        self._offset_s = utc_offset_s(start, city.time_zone)
        reach = self._reach(drivers)
        first = self._first_choice(drivers, reach)
        summed = price.summed_s(len(layout.pool_station))
        traffic = scenario.slow(self.now_s + 3600.0 * np.arange(24, dtype=np.float64), self._offset_s)
        tariff = summed_tariffs(city, layout, local(start, city.time_zone).hour)
        near = neighbours(layout, guide)
        self.state = new_state(city, layout, drivers, first, reach, near, traffic, summed, tariff, most_hops)
        self._take(manner)
        self._set_heap()
        self._draw_faults(start, drivers.hours)
        self._plan_outages()
        outside = np.zeros(len(layout.evse_ids), dtype=np.bool_) if driven_outside is None else driven_outside
        self._teller = Teller(city, layout, drivers, outside)
        self.listening = self.policy is Policy.EXTERNAL if listen is None else listen
        self.state.counts[LISTENING] = self.listening
        self._reserved: dict[int, tuple[int, float]] = {}  # reservation -> EVSE, until when
        self._load_kw: list[float] = []
        self._energy_kwh: list[float] = [0.0]
        self._step_end_s: list[float] = []

    @property
    def now(self) -> datetime:
        return instant(self.now_s)

    @property
    def power_kw(self) -> Floats:
        """E: what flows into the vehicles now."""
        return self.state.bays["power_kw"]

    @property
    def meter_wh(self) -> Floats:
        """E: the EVSEs' registers."""
        return self.state.bays["meter_kwh"] * 1000

    @property
    def limit_kw(self) -> Floats:
        """E: limits of EVSEs driven from outside; write into it. Infinite again when the next vehicle plugs in."""
        return self.state.bays["limit_kw"]

    @property
    def outside_plug_in(self) -> list[PlugIn]:
        return self._teller.outside_plug_in

    @property
    def outside_charge_ended(self) -> list[tuple[int, datetime]]:
        return self._teller.outside_charge_ended

    @property
    def outside_unplug(self) -> list[Unplug]:
        return self._teller.outside_unplug

    @property
    def outside_status(self) -> list[tuple[int, EvseStatus]]:
        return self._teller.outside_status

    @property
    def load_kw(self) -> Floats:
        """By step, so far."""
        return np.array(self._load_kw)

    def step(self) -> list[Event]:
        """Move on by one step; returns what happened in it and since the last one, where somebody listens."""
        self._teller.forget_last()
        return self._move(self.rules, self.listening)

    def run_until(self, end: datetime, policy: str = "nearest") -> None:
        """Move on in silence, drivers choosing by a baseline policy. A listener catches up with `current_events`."""
        rules = self.rules._replace(policy=int(POLICIES[policy]))
        while self.now_s < end.timestamp():
            self._move(rules, listening=False)

    def follow(self, policy: str) -> None:
        """From now on drivers choose by another policy; those who have set out go on.

        Raises:
            BadInput: there is no such policy.
        """
        if policy not in POLICIES:
            raise BadInput("policy", f"there is no policy {policy!r}; there are: {', '.join(POLICIES)}")
        self.policy = POLICIES[policy]
        self.rules = self.rules._replace(policy=int(self.policy))
        self.state.cars["first"] = self._first_choice(self.drivers, self.state[1:4])
        self.listening = self.policy is Policy.EXTERNAL
        self.state.counts[LISTENING] = self.listening

    def current_events(self) -> list[Event]:
        """What a fresh listener must be told to know the present state; also fills the `outside_*` lists."""
        self._teller.forget_last()
        return self._teller.present(self.state, self.now)

    def extend(self, more: Drivers) -> None:
        """Add the drivers of the time that follows.

        Raises:
            BadInput: where their time or numbers don't follow on those that are there.
        """
        self.drivers = joined_drivers(self.drivers, more)
        reach = self._reach(more)
        self.state = with_more_drivers(self.state, more, self._first_choice(more, reach), reach)
        self._take(self._manner)
        self._set_heap()
        self._draw_faults(more.start, more.hours)
        self._teller.extend(self.drivers)

    def again(self, manner: Manner) -> "Twin":
        """The same run from its beginning in another manner, without the routing of its drivers.

        Raises:
            BadInput: this one has begun already.
        """
        if self._step_end_s:
            raise BadInput("twin", "it has begun already")
        other = copy(self)
        other.state = self.state._replace(**{name: getattr(self.state, name).copy() for name in CHANGING})
        other._reserved, other._load_kw, other._energy_kwh, other._step_end_s = {}, [], [0.0], []
        other._take(manner)
        return other

    def apply(self, command: Command) -> bool:
        """Do what the loop says; False where it can't be done (any more)."""
        self._make_room()
        match command:
            case GuideDriver():
                return self._guide_driver(command)
            case SetChargingProfile():
                return self._set_profile(command)
            case ReserveEvse():
                return self._reserve(command)
            case CancelReservation():
                return self._cancel(command)
            case RemoteStart():
                return self._remote_start(command)
            case RemoteStop():
                return self._remote_stop(command)

    def pick(self, decision: Decision) -> Pick | None:
        """Let the driver of a decision pick among its offers and set out; who takes none goes to the nearest.

        None: he does not ask any more.

        Raises:
            BadInput: the scenario does not say how drivers pick.
        """
        if self._scenario.picks is None:
            raise BadInput("scenario.picks", "says nothing of how drivers pick")
        d = self._teller.driver(decision.request_id)
        if d < 0 or self.state.cars["stage"][d] != Stage.ASKING:
            return None
        taken = picked(decision, self._scenario.picks, float(self.drivers.value_of_time_per_h[d]), self._tastes)
        nearest = self._layout.station_ids[self._layout.pool_station[self.state.option[d, 0]]]
        to = taken.station_id if taken else nearest
        self._guide_driver(GuideDriver(at=self.now, request_id=decision.request_id, station_id=to, why="his own pick"))
        return Pick(decision.decision_id, taken)

    def kpis(self) -> Kpis:
        """The figures of the run so far."""
        return kpis_of(
            self._city,
            self._layout,
            self.drivers,
            self.state.cars,
            (self.start.timestamp(), self.now_s),
            np.array(self._step_end_s),
            np.array(self._load_kw),
            np.diff(self._energy_kwh),
        )

    def _move(self, rules: Rules, listening: bool) -> list[Event]:
        state, before_s = self.state, self.now_s
        end_s = before_s + self.step_s
        state.counts[LISTENING] = listening
        events: list[Event] = []
        load_kw = set_power(state, before_s, float(self.step_s))
        while not advance(state, rules, end_s):
            events += self._teller.read(state)
        self._energy_kwh.append(accrue_all(state, end_s))
        self.now_s = end_s
        self._load_kw.append(load_kw)
        self._step_end_s.append(end_s)
        if listening:
            events += self._teller.read(state)
            events += self._teller.meters(state, self._samples_due(before_s), self.now)
        state.counts[LISTENING] = self.listening  # to what commands do before the next step
        return events

    def _samples_due(self, before_s: float) -> Ints:
        """EVSEs that send a reading at the end of this step: every five minutes in turns, and all at the turn of the hour."""
        bays, now_s = self.state.bays, self.now_s
        charging = (bays["driver"] >= 0) & ~bays["charged"] & ~self._teller.driven_outside
        if (now_s + self._offset_s) // 3600 != (before_s + self._offset_s) // 3600:
            return np.flatnonzero(charging)
        turn = (np.arange(STAGGER) * SAMPLE_S / STAGGER + now_s) // SAMPLE_S
        due = turn != (np.arange(STAGGER) * SAMPLE_S / STAGGER + before_s) // SAMPLE_S
        return np.flatnonzero(charging & due[np.arange(bays.size) % STAGGER])

    def _first_choice(self, drivers: Drivers, reach: tuple[Ints, Floats, Floats]) -> Ints:
        if self.policy is Policy.CHEAPEST:
            return cheapest_option(self._city, self._layout, drivers, reach[0], reach[1])
        return np.zeros(len(drivers), dtype=np.int64)

    def _reach(self, drivers: Drivers) -> tuple[Ints, Floats, Floats]:
        return options(drivers, self._layout, self._guide, self._scenario.slow(drivers.appear_s, self._offset_s))

    def _take(self, manner: Manner) -> None:
        self._manner = manner
        self.rules = self.rules._replace(busy_s=60 * manner.busy_min, load_s=60 * manner.load_min)
        manner.tell(self.state.cars, self.drivers, self._offset_s)

    def _set_heap(self) -> None:
        """Room for all that can be due at once: four things a driver, four a bay, and the faults still to come."""
        due, evses = int(self.state.counts[DUE]), len(self._layout.evse_ids)
        faults = int(self._faults_per_day * self.drivers.hours / 24 * evses)
        heap = np.zeros(due + 4 * (len(self.drivers) + evses + faults) + 1000, dtype=DUE_ROW)
        heap[:due] = self.state.due[:due]
        self.state = self.state._replace(due=heap)

    def _make_room(self) -> None:
        """Room for what one command puts into log and heap; within a step `advance` sees to the log."""
        if self.state.counts[LOGGED] > self.state.log.size - LOG_MARGIN:
            self.state = self.state._replace(log=np.concatenate([self.state.log, np.zeros_like(self.state.log)]))
        if self.state.counts[DUE] > self.state.due.size - LOG_MARGIN:
            self._set_heap()

    def _draw_faults(self, start: datetime, hours: int) -> None:
        size = len(self._layout.evse_ids)
        count = self._rng.poisson(self._faults_per_day * size * hours / 24)
        at = start.timestamp() + np.sort(self._rng.random(count)) * hours * 3600
        evse = self._rng.integers(size, size=count)
        repaired = at + self._rng.exponential(REPAIR_H * 3600, count)
        for begin, end, e in zip(at, repaired, evse, strict=True):
            push(self.state, begin, int(Due.FAULT), e)
            push(self.state, end, int(Due.REPAIR), e)

    def _plan_outages(self) -> None:
        begin_s = self.start.timestamp()
        for outage in self._scenario.outages:
            if outage.station_id not in self._layout.station_index:
                raise BadInput("outage", f"there is no station {outage.station_id!r} in this city")
            for e in np.flatnonzero(self._layout.evse_station == self._layout.station_index[outage.station_id]):
                push(self.state, begin_s + 3600 * outage.begin_h, int(Due.FAULT), e)
                push(self.state, begin_s + 3600 * outage.end_h, int(Due.REPAIR), e)

    def _guide_driver(self, command: GuideDriver) -> bool:
        d, cars = self._teller.driver(command.request_id), self.state.cars
        if d < 0 or cars["stage"][d] != Stage.ASKING:
            return False
        if command.station_id is None:
            withdraw(self.state, d, self.now_s)
            return True
        n = self._layout.station_index.get(command.station_id, -1)
        pools = np.flatnonzero((self._layout.pool_station == n) & (self._layout.pool_is_dc == cars["is_dc"][d]))
        if pools.size == 0:
            return False
        known = np.flatnonzero(self.state.option[d] == pools[0])
        if known.size:
            drive_s, drive_m = self.state.option_s[d, known[0]], self.state.option_m[d, known[0]]
        else:
            where = slice(d, d + 1)
            s, m = self._guide.drive(self.drivers.lon[where], self.drivers.lat[where], np.array([[n]]))
            drive_s, drive_m = s[0, 0], m[0, 0]
        head_for(self.state, d, int(pools[0]), self.now_s, float(drive_s), float(drive_m))
        return True

    def _set_profile(self, command: SetChargingProfile) -> bool:
        e, d = self._layout.evse_index.get(command.evse_id, -1), self._teller.driver(command.session_id)
        bays = self.state.bays
        if e < 0 or d < 0 or bays["driver"][e] != d or not command.limits_kw:
            return False
        steps = len(command.limits_kw)
        missing = steps - self.state.plan_kw.shape[1]
        if missing > 0:
            self.state = self.state._replace(plan_kw=np.pad(self.state.plan_kw, ((0, 0), (0, missing))))
        self.state.plan_kw[e, :steps] = command.limits_kw
        bays["plan_start_s"][e] = command.start.timestamp()
        bays["plan_step_s"][e] = command.step_s
        bays["plan_steps"][e] = steps
        return True

    def _reserve(self, command: ReserveEvse) -> bool:
        e, bays = self._layout.evse_index.get(command.evse_id, -1), self.state.bays
        if e < 0 or bays["driver"][e] >= 0 or bays["broken"][e] > 0 or bays["reserved_for"][e] != -1:
            return False
        d, until_s = self._teller.driver(command.id_token), command.expires_at.timestamp()
        bays["reserved_for"][e] = d if d >= 0 else STRANGER
        bays["reserved_until_s"][e] = until_s
        self._reserved[command.reservation_id] = (e, until_s)
        push(self.state, until_s, int(Due.RESERVATION_END), e)
        note(self.state, self.now_s, int(Fact.STATUS), -1, e, float(EvseStatus.RESERVED))
        offer_bay(self.state, e, self.now_s)  # its holder may be standing there already
        return True

    def _cancel(self, command: CancelReservation) -> bool:
        e, until_s = self._reserved.pop(command.reservation_id, (-1, 0.0))
        if e < 0 or self.state.bays["reserved_for"][e] == -1 or self.state.bays["reserved_until_s"][e] != until_s:
            return False
        end_reservation(self.state, e, self.now_s)
        return True

    def _remote_start(self, command: RemoteStart) -> bool:
        e, d = self._layout.evse_index.get(command.evse_id, -1), self._teller.driver(command.id_token)
        cars, bays = self.state.cars, self.state.bays
        if e < 0 or d < 0 or bays["driver"][e] >= 0 or bays["broken"][e] > 0 or bays["reserved_for"][e] not in (-1, d):
            return False
        if cars["stage"][d] != Stage.QUEUED or cars["pool"][d] != bays["pool"][e]:
            return False
        quit_queue(self.state, int(bays["pool"][e]), d)
        plug_in(self.state, e, d, self.now_s)
        return True

    def _remote_stop(self, command: RemoteStop) -> bool:
        e, d = self._layout.evse_index.get(command.evse_id, -1), self._teller.driver(command.session_id)
        if e < 0 or d < 0 or self.state.bays["driver"][e] != d:
            return False
        end_session(self.state, e, self.now_s, int(Reason.REMOTE))
        return True
