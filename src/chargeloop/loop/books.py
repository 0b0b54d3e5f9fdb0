"""The books of the virtual queue: its rules, the day's waits and ends, no-shows by driver, and what is not written down yet."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from chargeloop.model import (
    Event,
    QueuePolicy,
    QueuePolicySet,
    Reservation,
    ReservationClosed,
    ReservationMade,
    ReservationState,
    SessionStarted,
)
from chargeloop.physics import local

ENDS: TypeAlias = SessionStarted | ReservationClosed  # what can end a reservation


@dataclass(slots=True)
class QueueBooks:
    """Since local midnight: `joined`, `ended` by state, and by station `waits_min` of those who plugged in and `no_shows`.

    `no_shows_of`: of each driver, ever. `closed`: ended since reservations were last written down.
    """

    policy: QueuePolicy = field(default_factory=QueuePolicy)
    day: str = ""
    joined: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    waits_min: dict[str, list[float]] = field(default_factory=dict)
    no_shows: dict[str, int] = field(default_factory=dict)
    no_shows_of: dict[str, int] = field(default_factory=dict)
    closed: list[Reservation] = field(default_factory=list)

    def roll(self, now: datetime, time_zone: str) -> None:
        """Begin a new day at local midnight."""
        day = local(now, time_zone).date().isoformat()
        if day != self.day:
            self.day, self.joined, self.ended, self.waits_min, self.no_shows = day, 0, {}, {}, {}

    def count(self, event: Event, gone: list[Reservation]) -> None:
        """Take in an event, and the reservations that it has ended."""
        match event:
            case QueuePolicySet():
                self.policy = event.policy
            case ReservationMade():
                self.joined += 1
            case SessionStarted():
                for each in gone:
                    self._used(each, event)
            case ReservationClosed():
                for each in gone:
                    self._end(each, event.state)

    def _used(self, reservation: Reservation, event: SessionStarted) -> None:
        waited_min = reservation.waited_until(event.at)
        if waited_min is not None:
            self.waits_min.setdefault(reservation.station_id, []).append(waited_min)
        used = replace(reservation, session_id=event.session_id, evse_id=event.evse_id, waited_min=waited_min)
        self._end(used, ReservationState.USED)

    def _end(self, reservation: Reservation, state: ReservationState) -> None:
        self.ended[str(state)] = self.ended.get(str(state), 0) + 1
        if state is ReservationState.NO_SHOW:
            for counts, who in ((self.no_shows, reservation.station_id), (self.no_shows_of, driver_of(reservation))):
                counts[who] = counts.get(who, 0) + 1
        self.closed.append(replace(reservation, state=state, answer_by=None))


def driver_of(reservation: Reservation) -> str:
    """By whom no-shows are counted: the user where one is known, else the token."""
    return reservation.user_id or reservation.id_token
