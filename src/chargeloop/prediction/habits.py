"""What a person who comes back usually does: where, at what hour, on which days, how often, and for how much energy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from chargeloop.model import BadInput, ChargeRequested, Event, SessionEnded, SessionStarted
from chargeloop.model.city import Floats
from chargeloop.physics import local
from chargeloop.prediction.arrivals import local_clock
from chargeloop.prediction.forecast import QUANTILES

PRIOR_DAYS = 1.0  # weight of a person's mean chance of coming in that of each day of the week
TRIM = 3.0  # visits further off the usual hour, in robust sigmas, are not part of the habit


@dataclass(frozen=True, slots=True)
class Visit:
    """One charge of a known person. `place`: station or zone."""

    user_id: str
    at_s: float
    place: str
    energy_kwh: float


@dataclass(frozen=True, slots=True)
class Habit:
    """`place_share`: of the visits that went to the usual place. `hour`: local, `hour_spread` its sigma in hours.

    `day_chance`: of coming on a Monday to a Sunday. `every_d`: mean days from visit to visit. `energy_kwh`: `QUANTILES`.
    """

    user_id: str
    visits: int
    place: str
    place_share: float
    hour: float
    hour_spread: float
    day_chance: tuple[float, ...]
    every_d: float
    energy_kwh: tuple[float, ...]


def visits_of(events: Iterable[Event], place_of_evse: Mapping[str, str]) -> list[Visit]:
    """Charges that have ended, of drivers who said who they are, from events in order of time."""
    user_of: dict[str, str] = {}  # by token
    begun: dict[str, tuple[str, SessionStarted]] = {}
    visits = []
    for event in events:
        match event:
            case ChargeRequested() if event.request.user_id is not None:
                user_of[event.request.id_token] = event.request.user_id
            case SessionStarted() if event.id_token in user_of and event.evse_id in place_of_evse:
                begun[event.session_id] = (user_of[event.id_token], event)
            case SessionEnded() if event.session_id in begun:
                user, start = begun.pop(event.session_id)
                kwh = (event.meter_wh - start.meter_wh) / 1000
                visits.append(Visit(user, start.at.timestamp(), place_of_evse[start.evse_id], kwh))
    return visits


def habits_of(visits: Sequence[Visit], since: datetime, until: datetime, time_zone: str) -> dict[str, Habit]:
    """The habits of all who came in the time that was watched, by user.

    Raises:
        BadInput: the time watched is shorter than a day.
    """
    if until - since < timedelta(days=1):
        raise BadInput("until", "habits need at least a day that was watched")
    watched = _days_watched(since, until, time_zone)
    by_user: dict[str, list[Visit]] = {}
    for visit in visits:
        if since.timestamp() <= visit.at_s < until.timestamp():
            by_user.setdefault(visit.user_id, []).append(visit)
    return {user: _habit(user, mine, watched, time_zone) for user, mine in by_user.items()}


def _habit(user_id: str, visits: Sequence[Visit], watched: Floats, time_zone: str) -> Habit:
    at_s = np.array([visit.at_s for visit in visits])
    hour, weekday = local_clock(at_s, time_zone)
    usual, spread = _usual_hour(hour)
    places, counts = np.unique([visit.place for visit in visits], return_counts=True)
    midnight_h = np.round(at_s / 3600 - hour)  # of the local day
    came = np.array([np.unique(midnight_h[weekday == day]).size for day in range(7)], dtype=np.float64)
    mean = came.sum() / watched.sum()
    chance = (came + PRIOR_DAYS * mean) / (watched + PRIOR_DAYS)
    return Habit(
        user_id=user_id,
        visits=len(visits),
        place=str(places[counts.argmax()]),
        place_share=float(counts.max() / counts.sum()),
        hour=usual,
        hour_spread=spread,
        day_chance=tuple(np.minimum(chance, 1.0).tolist()),
        every_d=float(watched.sum() / len(visits)),
        energy_kwh=tuple(np.quantile([visit.energy_kwh for visit in visits], QUANTILES).tolist()),
    )


def _usual_hour(hour: Floats) -> tuple[float, float]:
    """Mean around the clock and sigma, of all but outlying hours."""
    angle = hour / 24 * 2 * np.pi
    middle = float(np.angle(np.exp(1j * angle).mean())) * 24 / (2 * np.pi)
    off = (hour - middle + 12) % 24 - 12
    off = off - np.median(off) if off.size > 2 else off
    sigma = 1.4826 * float(np.median(np.abs(off)))
    near = np.abs(off) <= max(TRIM * sigma, 1e-9)
    usual = float(np.angle(np.exp(1j * angle[near]).mean())) * 24 / (2 * np.pi) % 24
    return usual, float(off[near].std(ddof=1)) if near.sum() > 1 else 0.0


def _days_watched(since: datetime, until: datetime, time_zone: str) -> Floats:
    """7: how many Mondays to Sundays lie in the time, by the share of each that does."""
    out = np.zeros(7)
    at = since.astimezone(UTC)
    while at < until:
        out[local(at, time_zone).weekday()] += min((until - at).total_seconds(), 3600.0) / 86400
        at += timedelta(hours=1)
    return out
