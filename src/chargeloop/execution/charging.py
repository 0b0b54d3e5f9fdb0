"""The charging problem of a day: who asks for how much under which limits and prices, and the plan that answers it, as arrays.

S sessions, C circuits (parents before children), T steps. Energies of a session are what its battery takes in; powers are at
the plug and mean values of a step. `PowerProblem` beside it is the sharing of the next minutes, which knows no prices.
"""

from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats, Ints

VOLTS = 230.0  # of a phase, from amperes to kW
PHASES = 3
DEAR = 3.0  # a kWh short costs so many times the dearest kWh, unless said otherwise
GUARANTEED = 10.0  # and a kWh of the guaranteed minimum so many times as much as that
FAIR_PIECES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Circuits:
    """The tree from EVSE to region, with what it may carry and what a kWh costs where it is metered.

    `parent`: C, -1 at a root. `limit_kw`: C x T, net of everything below. The others are C x T and have defaults: `base_kw` and
    `pv_kw` (forecast; it may be curtailed) of this circuit itself, `feed_in_limit_kw` (what may flow up; default:
    as the limit),
    `phase_limit_a` (of each phase; default: none), `buy_per_kwh` and `sell_per_kwh` (0 where there is no meter; nobody
    may gain by buying and selling at once). C: `demand_charge_per_kw` of the highest import, as far as it exceeds `peak_kw`.
    """

    parent: Ints
    limit_kw: Floats
    base_kw: Floats = field(default_factory=lambda: np.zeros((1, 1)))
    pv_kw: Floats = field(default_factory=lambda: np.zeros((1, 1)))
    feed_in_limit_kw: Floats = field(default_factory=lambda: np.full((1, 1), np.nan))
    phase_limit_a: Floats = field(default_factory=lambda: np.full((1, 1), np.inf))
    buy_per_kwh: Floats = field(default_factory=lambda: np.zeros((1, 1)))
    sell_per_kwh: Floats = field(default_factory=lambda: np.zeros((1, 1)))
    demand_charge_per_kw: Floats = field(default_factory=lambda: np.zeros(1))
    peak_kw: Floats = field(default_factory=lambda: np.zeros(1))

    def __post_init__(self) -> None:
        shape = self.limit_kw.shape
        if len(shape) != 2 or shape[0] != self.parent.size:
            raise BadInput("limit_kw", f"want one row for each of the {self.parent.size} circuits")
        if np.any(self.parent >= np.arange(self.parent.size)):
            raise BadInput("circuit_parent", "parents must come before their children")
        for name in ("base_kw", "pv_kw", "feed_in_limit_kw", "phase_limit_a", "buy_per_kwh", "sell_per_kwh"):
            _spread(self, name, shape)
        for name in ("demand_charge_per_kw", "peak_kw"):
            _spread(self, name, shape[:1])
        object.__setattr__(
            self, "feed_in_limit_kw", np.where(np.isnan(self.feed_in_limit_kw), self.limit_kw, self.feed_in_limit_kw)
        )
        lifted = np.maximum(self.feed_in_limit_kw, -self.below(self.base_kw))  # what base load feeds in, nobody can hold back
        object.__setattr__(self, "feed_in_limit_kw", lifted)
        for name in ("limit_kw", "pv_kw", "feed_in_limit_kw", "phase_limit_a", "demand_charge_per_kw", "peak_kw"):
            if np.any(~(getattr(self, name) >= 0)):
                raise BadInput(name, "must not be negative or NaN")
        for name in ("base_kw", "buy_per_kwh", "sell_per_kwh"):
            if not np.all(np.isfinite(getattr(self, name))):
                raise BadInput(name, "must be finite")
        if np.any(~(self.sell_per_kwh <= self.buy_per_kwh)):
            raise BadInput("sell_per_kwh", "must not exceed buy_per_kwh: energy would be bought to be sold")

    @property
    def steps(self) -> int:
        return int(self.limit_kw.shape[1])

    def below(self, own: Floats) -> Floats:
        """C x T: what stands at each circuit, summed over it and everything below it."""
        total = np.array(own, dtype=np.float64)
        for c in range(self.parent.size - 1, -1, -1):
            if self.parent[c] >= 0:
                total[self.parent[c]] += total[c]
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Vehicles, and storage as a vehicle that stays and asks for nothing.

    `circuit`: S, what each hangs on. `arrive_h`, `depart_h`: S, hours after the begin; power flows in between only.
    `energy_kwh`: S, asked for at most; `least_kwh` of it is guaranteed, so far as it can be. `max_kw`; `min_kw`: it charges at
    that or pauses. `phase`: 1 to 3, or 0 for all three alike. `value_per_kwh`: what a kWh short is taken to cost (NaN: three
    times the dearest kWh). Both ways where `discharge_kw` > 0: battery `capacity_kwh`, now `soc_kwh`, never below `floor_kwh`
    (or what is there now), wanted at departure soc + energy. `efficiency`: battery per plug, each way. `wear_per_kwh`: of each
    kWh given back.
    """

    circuit: Ints
    arrive_h: Floats
    depart_h: Floats
    energy_kwh: Floats
    max_kw: Floats
    least_kwh: Floats = field(default_factory=lambda: np.zeros(1))
    min_kw: Floats = field(default_factory=lambda: np.zeros(1))
    phase: Ints = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    value_per_kwh: Floats = field(default_factory=lambda: np.full(1, np.nan))
    discharge_kw: Floats = field(default_factory=lambda: np.zeros(1))
    capacity_kwh: Floats = field(default_factory=lambda: np.full(1, np.inf))
    soc_kwh: Floats = field(default_factory=lambda: np.zeros(1))
    floor_kwh: Floats = field(default_factory=lambda: np.zeros(1))
    efficiency: Floats = field(default_factory=lambda: np.ones(1))
    wear_per_kwh: Floats = field(default_factory=lambda: np.zeros(1))

    def __post_init__(self) -> None:
        for each in fields(self):
            _spread(self, each.name, self.circuit.shape)
        for name in ("energy_kwh", "max_kw", "min_kw", "least_kwh", "discharge_kw", "capacity_kwh", "soc_kwh", "floor_kwh"):
            if np.any(~(getattr(self, name) >= 0)):
                raise BadInput(name, "must not be negative or NaN")
        if not np.all(np.isfinite(self.energy_kwh)) or not np.all(np.isfinite(self.max_kw)):
            raise BadInput("energy_kwh, max_kw", "must be finite")
        if np.any(self.min_kw > self.max_kw):
            raise BadInput("min_kw", "must not exceed max_kw")
        if np.any(np.isnan(self.arrive_h)) or np.any(np.isnan(self.depart_h)):
            raise BadInput("arrive_h, depart_h", "must be numbers")
        if np.any((self.phase < 0) | (self.phase > PHASES)):
            raise BadInput("phase", "is 1, 2 or 3, or 0 for all three")
        if np.any(~((self.efficiency > 0) & (self.efficiency <= 1))):
            raise BadInput("efficiency", "lies above 0 and at most at 1")
        if np.any(np.isinf(self.value_per_kwh)):
            raise BadInput("value_per_kwh", "must be finite, or NaN for three times the dearest kWh")
        if np.any(self.both_ways & ~np.isfinite(self.capacity_kwh)):
            raise BadInput("capacity_kwh", "must be known where energy is given back")
        if np.any(self.both_ways & ~(self.soc_kwh + self.energy_kwh <= self.capacity_kwh * (1 + 1e-9))):
            raise BadInput("capacity_kwh", "must hold what is there and what is asked for, where energy is given back")

    @property
    def both_ways(self) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        return np.asarray(self.discharge_kw > 0)


@dataclass(frozen=True, eq=False)
class ChargingProblem:
    """`step_h`: hours of a step. `carbon_kg_per_kwh`: T, of the grid; `carbon_price`: of a kg. `fairness`: the last quarter of
    what was asked costs (1 + fairness) times as much to leave out as the first, so a shortage is spread."""

    circuits: Circuits
    sessions: Sessions
    step_h: float = 0.25
    carbon_kg_per_kwh: Floats = field(default_factory=lambda: np.zeros(1))
    carbon_price: float = 0.0
    fairness: float = 0.0

    def __post_init__(self) -> None:
        circuit, many = self.sessions.circuit, self.circuits.parent.size
        if circuit.size and not 0 <= circuit.min() <= circuit.max() < many:
            raise BadInput("circuit", f"circuits are numbered 0 to {many - 1}")
        if not self.step_h > 0 or self.fairness < 0 or self.carbon_price < 0:
            raise BadInput("step_h, fairness, carbon_price", "must not be negative")
        _spread(self, "carbon_kg_per_kwh", (self.steps,))
        if not np.all(np.isfinite(self.carbon_kg_per_kwh)):
            raise BadInput("carbon_kg_per_kwh", "must be finite")

    @property
    def steps(self) -> int:
        return self.circuits.steps

    @property
    def exact_only(self) -> str:
        """Which field makes it a problem that only `plan_exactly` knows; empty for none."""
        if np.any(np.isfinite(self.circuits.phase_limit_a)):
            return "phase_limit_a"
        return "min_kw" if np.any(self.sessions.min_kw > 0) else ""

    @cached_property
    def buy_per_kwh(self) -> Floats:
        """C x T: price of import, carbon included, where anything is metered."""
        metered = np.any((self.circuits.buy_per_kwh != 0) | (self.circuits.sell_per_kwh != 0), axis=1)
        carbon = np.where(metered[:, None], self.carbon_price * self.carbon_kg_per_kwh, 0.0)
        return np.asarray(self.circuits.buy_per_kwh + carbon)

    @cached_property
    def value_per_kwh(self) -> Floats:
        """S: what a kWh short is taken to cost."""
        path = self.buy_per_kwh.copy()
        for c, parent in enumerate(self.circuits.parent):
            if parent >= 0:
                path[c] += path[parent]
        usual = DEAR * max(
            float(np.abs(path).max(initial=0.0)), float(self.circuits.demand_charge_per_kw.max(initial=0.0)), 0.01
        )
        return np.where(np.isnan(self.sessions.value_per_kwh), usual, self.sessions.value_per_kwh)

    def shortfall_pieces(self) -> tuple[Floats, Floats]:
        """S x J each, kWh and cost of a kWh: how a shortfall is weighed, cheapest part first, the guaranteed part last."""
        asked, value = self.sessions.energy_kwh, self.value_per_kwh
        least = np.minimum(self.sessions.least_kwh, asked)
        pieces = FAIR_PIECES if self.fairness > 0 else 1
        rise = 1 + self.fairness * np.arange(pieces) / max(pieces - 1, 1)
        kwh = np.column_stack([*((asked - least) / pieces for _ in range(pieces)), least])
        cost = np.column_stack([*(value * each for each in rise), GUARANTEED * value * rise[-1]])
        return kwh, cost

    def least_power_kwh(self) -> Floats:
        """S x T, at the plug: what a session takes in a step in which it charges at all; less only where it asks for less."""
        sessions = self.sessions
        asked = sessions.energy_kwh / sessions.efficiency
        return np.asarray(
            np.minimum(sessions.min_kw[:, None] * self.hours(), np.where(sessions.both_ways, np.inf, asked)[:, None])
        )

    def hours(self) -> Floats:
        """S x T: for how long of each step a session is there."""
        edge = self.step_h * np.arange(self.steps + 1)
        stay = np.minimum(self.sessions.depart_h[:, None], edge[1:]) - np.maximum(self.sessions.arrive_h[:, None], edge[:-1])
        return np.asarray(np.clip(stay, 0.0, None))


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """What a plan comes to, in money. `shortfall`: what is left out, at what it is taken to cost."""

    energy: float
    demand: float
    wear: float
    shortfall: float

    @property
    def paid(self) -> float:
        return self.energy + self.demand + self.wear

    @property
    def objective(self) -> float:
        return self.paid + self.shortfall


@dataclass(frozen=True, slots=True, eq=False)
class ChargingPlan:
    """`charge_kw`, `discharge_kw`: S x T. `curtailed_kw`: C x T, PV left unused. `shortfall_kwh`: S, asked for and not planned.
    `load_kw`: C x T, net of everything. `price_per_kwh`: C x T, what one more kWh there and then would cost, scarce
    cables included.
    `bound`: no plan's objective is below, proven by the prices."""

    charge_kw: Floats
    discharge_kw: Floats
    curtailed_kw: Floats
    shortfall_kwh: Floats
    load_kw: Floats
    price_per_kwh: Floats
    account: Account
    bound: float

    @property
    def gap(self) -> float:
        """How much more than the bound, as a share of what is paid."""
        return (self.account.objective - self.bound) / max(abs(self.account.paid), 1e-9)


def plan_of(
    problem: ChargingProblem, charge_kw: Floats, discharge_kw: Floats, curtailed_kw: Floats, price_per_kwh: Floats, bound: float
) -> ChargingPlan:
    """The plan with everything that follows from its powers."""
    gained = problem.step_h * (charge_kw.sum(axis=1) * problem.sessions.efficiency)
    gained -= problem.step_h * (discharge_kw.sum(axis=1) / problem.sessions.efficiency)
    shortfall = np.maximum(problem.sessions.energy_kwh - gained, 0.0)
    load = load_kw(problem, charge_kw, discharge_kw, curtailed_kw)
    account = account_of(problem, load, discharge_kw, gained)
    return ChargingPlan(charge_kw, discharge_kw, curtailed_kw, shortfall, load, price_per_kwh, account, bound)


def load_kw(problem: ChargingProblem, charge_kw: Floats, discharge_kw: Floats, curtailed_kw: Floats) -> Floats:
    """C x T: net load, everything below included."""
    circuits, sessions = problem.circuits, problem.sessions
    own = circuits.base_kw - circuits.pv_kw + curtailed_kw
    order = np.argsort(sessions.circuit, kind="stable")
    some, first = np.unique(sessions.circuit[order], return_index=True)
    if some.size:
        own[some] += np.add.reduceat(charge_kw[order], first, axis=0)
        both = np.flatnonzero(sessions.both_ways)
        np.subtract.at(own, sessions.circuit[both], discharge_kw[both])
    return circuits.below(own)


def account_of(problem: ChargingProblem, load: Floats, discharge_kw: Floats, gained_kwh: Floats) -> Account:
    """`gained_kwh`: S, what each battery has more than before."""
    circuits, hours = problem.circuits, problem.step_h
    bought, sold = np.maximum(load, 0.0), np.maximum(-load, 0.0)
    energy = hours * float((problem.buy_per_kwh * bought - circuits.sell_per_kwh * sold).sum())
    over = np.maximum(bought.max(axis=1, initial=0.0) - circuits.peak_kw, 0.0)
    both = np.flatnonzero(problem.sessions.both_ways)
    wear = hours * float((problem.sessions.wear_per_kwh[both] * discharge_kw[both].sum(axis=1)).sum())
    kwh, cost = problem.shortfall_pieces()
    left = problem.sessions.energy_kwh - gained_kwh
    short = 0.0
    for piece in range(kwh.shape[1]):
        part = np.clip(left, 0.0, kwh[:, piece] if piece < kwh.shape[1] - 1 else None)
        short += float((part * cost[:, piece]).sum())
        left = left - part
    return Account(energy, float((circuits.demand_charge_per_kw * over).sum()), wear, short)


def limits_kw(problem: ChargingProblem) -> Floats:
    """C x T: the limits, lifted to what base load and PV alone put there: a plan can only not add to it."""
    circuits = problem.circuits
    alone = np.array(circuits.base_kw - circuits.pv_kw)
    for c in range(circuits.parent.size - 1, -1, -1):
        alone[c] = np.maximum(alone[c], -circuits.feed_in_limit_kw[c])
        if circuits.parent[c] >= 0:
            alone[circuits.parent[c]] += alone[c]
    return np.maximum(circuits.limit_kw, alone)


def _spread(record: object, name: str, shape: tuple[int, ...]) -> None:
    """A field given as one value, or one for each column, becomes an array of full shape."""
    value = np.asarray(getattr(record, name))
    try:
        object.__setattr__(record, name, np.broadcast_to(value, shape))
    except ValueError:
        raise BadInput(name, f"want an array of shape {shape}, got {value.shape}") from None
