"""From the World to the power problem, and from the plan to the charging profiles that are worth sending."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from chargeloop.execution import PowerPlan, PowerProblem
from chargeloop.model import Layout, SetChargingProfile, World
from chargeloop.model.city import Floats, Ints

STEP_S = 300
STEPS = 12
LOWER_KW = 0.5  # a limit is lowered when it would change by this much ...
RAISE_SHARE = 0.1  # ... and raised when by this share of the EVSE's power: limits must hold, comfort may wait


@dataclass(slots=True)
class Sent:
    """The limits each session was last sent: start (epoch s) and kW by step; the last step stays."""

    by_session: dict[str, tuple[float, tuple[float, ...]]] = field(default_factory=dict)

    def limit_kw(self, session_id: str, at_s: float) -> float:
        """What holds at an instant; infinite where nothing was sent."""
        if session_id not in self.by_session:
            return np.inf
        start_s, limits = self.by_session[session_id]
        return limits[min(max(int((at_s - start_s) // STEP_S), 0), len(limits) - 1)]


def charging_evses(world: World) -> Ints:
    """Indices of the EVSEs whose session still takes energy, in the order of the plan's rows."""
    return np.flatnonzero(world.has_session & ~np.isfinite(world.session_charge_ended_s))


def power_problem(world: World, sent: Sent) -> PowerProblem:
    """One row for each charging session, as `charging_evses` orders them."""
    layout, rows = world.layout, charging_evses(world)
    needed = np.maximum(world.session_needed_kwh[rows] - world.session_energy_kwh[rows], 0.0)
    return PowerProblem(
        circuit_parent=layout.circuit_parent,
        circuit_limit_kw=layout.circuit_limit_kw,
        circuit_base_kw=layout.circuit_base_kw,
        circuit=layout.station_circuit[layout.evse_station[rows]],
        max_kw=_can_take_kw(world, rows, sent),
        energy_kwh=np.where(np.isfinite(needed), needed, np.inf),
        depart_s=world.session_depart_s[rows],
        now_s=world.now_s,
        step_s=STEP_S,
        steps=STEPS,
    )


def _can_take_kw(world: World, rows: Ints, sent: Sent) -> Floats:
    """What a session can use: the EVSE's power, or little more than it draws when the vehicle is what holds it back."""
    layout = world.layout
    limit = np.array([sent.limit_kw(world.session_id[e], world.now_s) for e in rows])
    power, rated = world.evse_power_kw[rows], layout.evse_kw[rows]
    vehicle_holds_back = (power > 0) & (power < 0.9 * np.minimum(limit, rated))
    return np.where(vehicle_holds_back, np.minimum(power * 1.25 + 1.0, rated), rated)


def profiles_to_send(world: World, plan: PowerPlan, sent: Sent) -> list[SetChargingProfile]:
    """Profiles of new sessions, and of those whose limit changes enough to matter; remembers them in `sent`."""
    rows = charging_evses(world)
    profiles = []
    for row, e in enumerate(rows):
        session_id = world.session_id[e]
        now_kw, next_kw = plan.power_kw[row, 0], plan.power_kw[row, 1]
        old_now, old_next = (sent.limit_kw(session_id, world.now_s + i * STEP_S) for i in (0, 1))
        lower = min(now_kw - old_now, next_kw - old_next) < -LOWER_KW
        higher = now_kw - old_now > RAISE_SHARE * world.layout.evse_kw[e]
        if lower or higher:
            limits = tuple(round(float(kw), 2) for kw in plan.power_kw[row])
            sent.by_session[session_id] = (world.now_s, limits)
            profiles.append(_profile(world.layout, int(e), session_id, world.at, limits))
    gone = sent.by_session.keys() - set(world.session_id)
    for session_id in gone:
        del sent.by_session[session_id]
    return profiles


def _profile(layout: Layout, e: int, session_id: str, at: datetime, limits: tuple[float, ...]) -> SetChargingProfile:
    return SetChargingProfile(
        at=at, evse_id=layout.evse_ids[e], session_id=session_id, start=at, step_s=STEP_S, limits_kw=limits
    )
