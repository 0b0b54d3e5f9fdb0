"""From the World to the power problem, and from the plan to the charging profiles that are worth sending."""

import numpy as np

from chargeloop.execution import PowerPlan, PowerProblem
from chargeloop.model import SetChargingProfile, World
from chargeloop.model.city import Floats, Ints
from chargeloop.prediction import remaining_s

STEP_S = 300
STEPS = 12
LEAST_STAY_S = 300.0  # who is there longer than anybody was may leave any minute
STILL_KWH = 0.5  # a vehicle that still draws has not had all it wants, whatever was foreseen
LOWER_KW = 0.5  # a limit is lowered when it would change by this much ...
RAISE_SHARE = 0.1  # ... and raised when by this share of the EVSE's power: limits must hold, comfort may wait


class Sent:
    """The limits that stand at each EVSE: for which session, since when (epoch s), and kW by step; the last step stays."""

    def __init__(self, evses: int) -> None:
        self.session = np.full(evses, "", dtype=object)
        self.start_s = np.zeros(evses)
        self.limits_kw = np.full((evses, STEPS), np.inf)

    def limit_kw(self, world: World, at_s: float) -> Floats:
        """E: what holds at an instant for the session that is there now; infinite where nothing was sent to it."""
        step = np.clip((at_s - self.start_s) // STEP_S, 0, STEPS - 1).astype(np.int64)
        stands = self.session == np.array(world.session_id, dtype=object)
        return np.where(stands, self.limits_kw[np.arange(step.size), step], np.inf)

    def note(self, e: int, session_id: str, start_s: float, limits_kw: Floats) -> None:
        self.session[e], self.start_s[e], self.limits_kw[e] = session_id, start_s, limits_kw

    def forget(self, e: int) -> None:
        """What was sent did not arrive."""
        self.session[e] = ""


def charging_evses(world: World) -> Ints:
    """Indices of the EVSEs whose session still takes energy, in the order of the plan's rows."""
    return np.flatnonzero(world.has_session & ~np.isfinite(world.session_charge_ended_s))


def power_problem(world: World, sent: Sent, usual_stay_s: Floats) -> PowerProblem:
    """One row for each charging session, as `charging_evses` orders them.

    `usual_stay_s`: stays at slow bays at evenly spaced quantiles 0..1, for drivers who did not say when they leave.
    """
    layout, rows = world.layout, charging_evses(world)
    needed = np.maximum(world.session_needed_kwh[rows] - world.session_energy_kwh[rows], STILL_KWH)
    return PowerProblem(
        circuit_parent=layout.circuit_parent,
        circuit_limit_kw=layout.circuit_limit_kw,
        circuit_base_kw=layout.circuit_base_kw,
        circuit=layout.station_circuit[layout.evse_station[rows]],
        max_kw=_can_take_kw(world, sent)[rows],
        energy_kwh=np.where(np.isfinite(needed), needed, np.inf),
        depart_s=_departures_s(world, usual_stay_s)[rows],
        now_s=world.now_s,
        step_s=STEP_S,
        steps=STEPS,
    )


def _departures_s(world: World, usual_stay_s: Floats) -> Floats:
    """E: as said; at a slow bay else as others stay who were there as long as this one; NaN where nobody knows."""
    said = world.session_depart_s
    is_slow = ~world.layout.pool_is_dc[world.layout.evse_pool]
    unsaid = world.has_session & is_slow & ~np.isfinite(said)
    likely = world.now_s + np.maximum(remaining_s(usual_stay_s, world.now_s - world.session_start_s), LEAST_STAY_S)
    return np.where(unsaid, likely, said)


def _can_take_kw(world: World, sent: Sent) -> Floats:
    """E: what a session can use: the EVSE's power, or little more than it draws when the vehicle is what holds it back."""
    power, rated = world.evse_power_kw, world.layout.evse_kw
    vehicle_holds_back = (power > 0) & (power < 0.9 * np.minimum(sent.limit_kw(world, world.now_s), rated))
    return np.where(vehicle_holds_back, np.minimum(power * 1.25 + 1.0, rated), rated)


def profiles_to_send(world: World, plan: PowerPlan, sent: Sent) -> list[SetChargingProfile]:
    """Profiles of new sessions, and of those whose limit changes enough to matter; remembers them in `sent`."""
    rows = charging_evses(world)
    change_now, change_next = (
        plan.limit_kw[:, step] - sent.limit_kw(world, world.now_s + step * STEP_S)[rows] for step in (0, 1)
    )
    lower = np.minimum(change_now, change_next) < -LOWER_KW
    higher = change_now > RAISE_SHARE * world.layout.evse_kw[rows]
    profiles = []
    for row in np.flatnonzero(lower | higher):
        e = int(rows[row])
        limits_kw = plan.limit_kw[row].round(2)
        sent.note(e, world.session_id[e], world.now_s, limits_kw)
        profiles.append(
            SetChargingProfile(
                at=world.at,
                evse_id=world.layout.evse_ids[e],
                session_id=world.session_id[e],
                start=world.at,
                step_s=STEP_S,
                limits_kw=tuple(limits_kw.tolist()),
            )
        )
    return profiles
