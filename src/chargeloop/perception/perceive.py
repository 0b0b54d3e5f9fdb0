"""Events in, one live picture of the city out. One writer; everyone else gets an immutable `World`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from chargeloop.model import (
    BayLost,
    BayOffered,
    ChargeEnded,
    ChargeRequested,
    ChargingNeedsTold,
    City,
    DecisionMade,
    DriverArrived,
    Event,
    EvseStatus,
    EvseStatusChanged,
    Layout,
    MeterPoint,
    MeterSampled,
    OfferAnswered,
    RequestWithdrawn,
    Reservation,
    ReservationClosed,
    ReservationMade,
    ReservationState,
    Session,
    SessionEnded,
    SessionStarted,
    StopReason,
    WeatherObserved,
    World,
)
from chargeloop.model.validated import from_json, to_json
from chargeloop.perception.snapshot import STATION_MEMORY_H, stay_s, usual_stay_s, world_of
from chargeloop.perception.state import Needs, OpenRequest, OpenSession, Stage, State
from chargeloop.physics import full_hour, hours_between

HISTORY_WEEKS = 6  # what the blend of forecasters needs at least
NEEDS_HOLD = timedelta(minutes=15)  # from the vehicle's word to the session it is about
CREDIBLE_H = 10_000  # an event further in the future comes from a clock that is wrong


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that has just ended: the metered points its bill is made from, and how its promise was kept."""

    session: Session
    points: tuple[MeterPoint, ...]
    decision_id: str | None = None
    waited_min: float | None = None


class Perception:
    """The city's live state. `apply` takes events in the order they became known, `snapshot` gives the picture at an instant.

    Events about an EVSE, session or request that is not known change nothing and are counted in `passed_over`: a feed that
    is wrong somewhere must not stop the city.
    """

    def __init__(self, city: City, layout: Layout, state: State | None = None) -> None:
        self.layout = layout
        self.state = state or _first_state(city, layout)
        if len(self.state.evse_status) != len(layout.evse_ids):
            raise ValueError("the saved state is of another city")
        self._pool_of = {
            (layout.station_ids[s], bool(dc)): p
            for p, (s, dc) in enumerate(zip(layout.pool_station, layout.pool_is_dc, strict=True))
        }
        self._hourly_kwh = np.array(self.state.hourly_kwh).reshape(-1, len(layout.zone_ids))
        stations = len(layout.station_ids)
        self._heard_s = np.array(self.state.heard_s or [np.nan] * stations, dtype=np.float64)
        self._station_kwh = np.array(self.state.station_kwh or [0.0] * stations)
        self._at_evse = {session.evse_id: session.session_id for session in self.state.sessions.values()}
        self._by_token = {each.request.id_token: key for key, each in self.state.requests.items()}

    @classmethod
    def load(cls, city: City, layout: Layout, text: str) -> "Perception":
        """Read back what `dump` wrote.

        Raises:
            BadInput: where the text is damaged.
        """
        return cls(city, layout, from_json(State, text, "saved perception"))

    def dump(self) -> str:
        self.state.hourly_kwh = self._hourly_kwh.tolist()
        self.state.heard_s = [None if np.isnan(at) else at for at in self._heard_s.tolist()]
        self.state.station_kwh = self._station_kwh.tolist()
        return to_json(self.state)

    @property
    def passed_over(self) -> int:
        return self.state.passed_over

    def snapshot(self, now: datetime) -> World:
        return world_of(self.state, self._hourly_kwh, self._heard_s, self._station_kwh, self.layout, now)

    def session(self, session_id: str) -> Session | None:
        """An open session as a record."""
        open_session = self.state.sessions.get(session_id)
        return self._record(open_session) if open_session else None

    def open_sessions(self) -> tuple[Session, ...]:
        return tuple(self._record(each) for each in self.state.sessions.values())

    def request(self, request_id: str) -> OpenRequest | None:
        return self.state.requests.get(request_id)

    def apply(self, event: Event) -> tuple[Ended, ...]:  # noqa: PLR0912 (one for each kind of event)
        """Take in one event; returns the sessions that ended by it (two at most, mostly none)."""
        match event:
            case MeterSampled():
                self._meter(event.session_id, event.at, event.meter_wh, event.power_kw, event.soc)
            case SessionStarted():
                return self._session_started(event)
            case ChargeEnded():
                self._charge_ended(event)
            case ChargingNeedsTold():
                self._needs_told(event)
            case SessionEnded():
                return self._session_ended(event)
            case EvseStatusChanged():
                return self._status(event)
            case ChargeRequested():
                self._requested(event)
            case DecisionMade():
                self._decided(event)
            case DriverArrived():
                self._arrived(event)
            case RequestWithdrawn():
                self._forget_request(event.request_id)
            case ReservationMade():
                self.state.reservations[event.reservation.reservation_id] = event.reservation
            case BayOffered() | OfferAnswered():
                self._reservation_stands(event.reservation)
            case BayLost():
                held = self.state.reservations.get(event.reservation_id)
                if held is not None and held.evse_id is not None and held.evse_id in (event.evse_ids or (held.evse_id,)):
                    self._reservation_stands(held.bay_lost(event.why))
            case ReservationClosed():
                self._close_reservation(event.reservation_id, event.state)
            case WeatherObserved():
                self.state.temperature_c, self.state.rain = event.temperature_c, float(event.rain)
        return ()

    def _session_started(self, event: SessionStarted) -> tuple[Ended, ...]:
        if event.evse_id not in self.layout.evse_index or event.session_id in self.state.sessions:
            self.state.passed_over += 1  # unknown EVSE, or a start told twice
            return ()
        self._heard(event.evse_id, event.at)
        stale = self._at_evse.get(event.evse_id)
        ended = (self._close(stale, event.at, StopReason.OTHER),) if stale else ()  # a bay holds one vehicle at a time
        session = OpenSession(
            event.session_id,
            event.evse_id,
            event.id_token,
            event.at,
            event.meter_wh,
            request_id=self._by_token.get(event.id_token),
            points=[MeterPoint(event.at, 0.0)],
        )
        needs = self.state.needs.pop(event.evse_id, None)
        if needs is not None and event.at - needs.at <= NEEDS_HOLD:
            session.needs_kwh, session.depart_by = needs.energy_kwh, needs.depart_by
        self.state.sessions[session.session_id] = session
        self._at_evse[event.evse_id] = session.session_id
        self._set_status(event.evse_id, EvseStatus.CHARGING)
        if session.request_id is not None:
            request = self.state.requests[session.request_id]
            session.decision_id = request.decision_id
            if request.stage is Stage.QUEUED:
                session.waited_min = max(event.at.timestamp() - request.arrive_s, 0) / 60
            request.stage = Stage.CHARGING
        for reservation in list(self.state.reservations.values()):
            if reservation.id_token == event.id_token:
                if session.waited_min is None:
                    session.waited_min = reservation.waited_until(event.at)
                self._close_reservation(reservation.reservation_id, ReservationState.USED)
        return ended

    def _meter(self, session_id: str, at: datetime, meter_wh: float, power_kw: float, soc: float | None = None) -> None:
        session = self.state.sessions.get(session_id)
        if session is None:
            self.state.passed_over += 1
            return
        self._heard(session.evse_id, at)
        self._add_demand(session.evse_id, at, _read(session, at, meter_wh))
        session.power_kw, session.soc = power_kw, soc

    def _charge_ended(self, event: ChargeEnded) -> None:
        self._meter(event.session_id, event.at, event.meter_wh, 0.0)
        session = self.state.sessions.get(event.session_id)
        if session is not None and session.charge_ended_at is None:
            _charged(session, event.at)
            self._set_status(session.evse_id, EvseStatus.SUSPENDED_EV)

    def _needs_told(self, event: ChargingNeedsTold) -> None:
        """Of the vehicle that charges there, or of the one whose session begins next."""
        session = self.state.sessions.get(self._at_evse.get(event.evse_id, ""))
        if event.evse_id not in self.layout.evse_index:
            self.state.passed_over += 1
        elif session is None:
            self.state.needs[event.evse_id] = Needs(event.at, event.energy_kwh, event.depart_by)
        else:
            if event.energy_kwh is not None:
                session.needs_kwh = session.energy_kwh + event.energy_kwh
            session.depart_by = event.depart_by or session.depart_by

    def ended_by(self, session_id: str, events: Sequence[Event]) -> Ended | None:
        """What would have ended if the open session's events had come already; nothing changes. None: it does not end."""
        known = self.state.sessions.get(session_id)
        if known is None:
            return None
        session = replace(known, points=list(known.points))
        for event in events:
            match event:
                case MeterSampled():
                    _read(session, event.at, event.meter_wh)
                case ChargeEnded():
                    _read(session, event.at, event.meter_wh)
                    _charged(session, event.at)
                case SessionEnded():
                    _read(session, event.at, event.meter_wh)
                    return self._finished(session, event.at, event.reason, event.notes)
        return None

    def _session_ended(self, event: SessionEnded) -> tuple[Ended, ...]:
        self._meter(event.session_id, event.at, event.meter_wh, 0.0)
        if event.session_id not in self.state.sessions:
            return ()
        return (self._close(event.session_id, event.at, event.reason, event.notes),)

    def _close(self, session_id: str, at: datetime, reason: StopReason, notes: tuple[str, ...] = ()) -> Ended:
        session = self.state.sessions.pop(session_id)
        del self._at_evse[session.evse_id]
        if self.state.evse_status[self.layout.evse_index[session.evse_id]] not in (EvseStatus.FAULTED, EvseStatus.UNAVAILABLE):
            self._set_status(session.evse_id, EvseStatus.AVAILABLE)
        if session.request_id is not None:
            self._forget_request(session.request_id)
        return self._finished(session, at, reason, notes)

    def _finished(self, session: OpenSession, at: datetime, reason: StopReason, notes: tuple[str, ...]) -> Ended:
        at = max(at, session.points[-1].at)  # a clock that ran back must not make a session of negative length
        session.points.append(MeterPoint(at, session.energy_kwh))
        record = replace(self._record(session), ended_at=at, stop_reason=reason, notes=notes)
        return Ended(record, tuple(session.points), session.decision_id, session.waited_min)

    def _status(self, event: EvseStatusChanged) -> tuple[Ended, ...]:
        if event.evse_id not in self.layout.evse_index:
            self.state.passed_over += 1
            return ()
        self._heard(event.evse_id, event.at)
        self._set_status(event.evse_id, event.status)
        return ()

    def _requested(self, event: ChargeRequested) -> None:
        request = event.request
        if request.request_id not in self.state.requests:
            self.state.requests[request.request_id] = OpenRequest(request, energy_kwh=request.energy_kwh)
            self._by_token[request.id_token] = request.request_id

    def _decided(self, event: DecisionMade) -> None:
        decision = event.decision
        open_request = self.state.requests.get(decision.request_id)
        if open_request is None:
            return
        offer = decision.chosen
        if offer is None:
            self._forget_request(decision.request_id)
            return
        is_dc = offer.current == "DC"
        open_request.stage = Stage.UNDER_WAY
        open_request.decision_id = decision.decision_id
        open_request.pool = self._pool_of[offer.station_id, is_dc]
        open_request.arrive_s = event.at.timestamp() + offer.drive_min * 60
        open_request.energy_kwh = (open_request.request.target_soc - offer.arrival_soc) * open_request.request.battery_kwh
        open_request.stay_s = stay_s(open_request.request, open_request.arrive_s, offer.charge_min, is_dc)

    def _arrived(self, event: DriverArrived) -> None:
        open_request = self.state.requests.get(event.request_id)
        if open_request is None:
            return
        pool = self._pool_of.get((event.station_id, open_request.request.current == "DC"))
        if pool is None:
            self.state.passed_over += 1
            return
        open_request.stage, open_request.pool, open_request.arrive_s = Stage.QUEUED, pool, event.at.timestamp()
        for reservation in list(self.state.reservations.values()):
            if reservation.request_id == event.request_id and reservation.station_id == event.station_id:
                self._reservation_stands(replace(reservation, arrive_at=event.at))
        if open_request.stay_s == 0:  # came without being sent, and needs a bay as long as anybody
            open_request.stay_s = usual_stay_s(open_request.request, open_request.arrive_s)

    def _forget_request(self, request_id: str) -> None:
        gone = self.state.requests.pop(request_id, None)
        if gone is not None:
            self._by_token.pop(gone.request.id_token, None)

    def _reservation_stands(self, reservation: Reservation) -> None:
        """One that has been closed meanwhile stays so."""
        if reservation.reservation_id in self.state.reservations:
            self.state.reservations[reservation.reservation_id] = reservation

    def _close_reservation(self, reservation_id: int, state: ReservationState) -> None:
        reservation = self.state.reservations.pop(reservation_id, None)
        if reservation is not None and reservation.request_id is not None and state is not ReservationState.USED:
            self._forget_request(reservation.request_id)

    def _set_status(self, evse_id: str, status: EvseStatus) -> None:
        self.state.evse_status[self.layout.evse_index[evse_id]] = int(status)

    def _heard(self, evse_id: str, at: datetime) -> None:
        station = self.layout.evse_station[self.layout.evse_index[evse_id]]
        self._heard_s[station] = np.fmax(self._heard_s[station], at.timestamp())

    def _add_demand(self, evse_id: str, at: datetime, kwh: float) -> None:
        row = hours_between(self.state.hourly_start, full_hour(at))
        if kwh <= 0 or row < 0:
            return
        missing = row + 1 - len(self._hourly_kwh)
        if missing > CREDIBLE_H:
            self.state.passed_over += 1
            return
        if missing > 0:
            self._hourly_kwh = np.concatenate([self._hourly_kwh, np.zeros((missing, len(self.layout.zone_ids)))])
        station = self.layout.evse_station[self.layout.evse_index[evse_id]]
        self._hourly_kwh[row, self.layout.station_zone[station]] += kwh
        self._fade(at)
        self._station_kwh[station] += kwh
        if len(self._hourly_kwh) > (HISTORY_WEEKS + 1) * 168:
            self._hourly_kwh = self._hourly_kwh[168:]
            self.state.hourly_start += timedelta(hours=168)

    def _fade(self, at: datetime) -> None:
        """Energy of stations counts the less the longer ago, by the hour."""
        begun = self.state.station_at or full_hour(at)
        self.state.station_since = self.state.station_since or begun
        passed_h = hours_between(begun, at)
        if passed_h > 0:
            self._station_kwh *= np.exp(-passed_h / STATION_MEMORY_H)
        self.state.station_at = begun + timedelta(hours=max(passed_h, 0))

    def _record(self, session: OpenSession) -> Session:
        evse = self.layout.evse_index[session.evse_id]
        return Session(
            session.session_id,
            session.evse_id,
            self.layout.station_ids[self.layout.evse_station[evse]],
            session.id_token,
            session.started_at,
            session.energy_kwh,
            session.charge_ended_at,
            request_id=session.request_id,
        )


def _read(session: OpenSession, at: datetime, meter_wh: float) -> float:
    """Take in a reading; the kWh that it adds."""
    energy_kwh = max((meter_wh - session.meter_start_wh) / 1000, session.energy_kwh)  # a register never runs back
    if at > session.points[-1].at and _half_hour(at) != _half_hour(session.points[-1].at):
        session.points.append(MeterPoint(at, energy_kwh))  # prices change on the hour, and zones differ by half hours
    added, session.energy_kwh = energy_kwh - session.energy_kwh, energy_kwh
    return added


def _charged(session: OpenSession, at: datetime) -> None:
    if session.charge_ended_at is None:
        session.charge_ended_at = at
        session.points.append(MeterPoint(max(at, session.points[-1].at), session.energy_kwh))


def _half_hour(at: datetime) -> tuple[int, int]:
    return at.hour, at.minute // 30


def _first_state(city: City, layout: Layout) -> State:
    """The state before the first event: all bays free, the city's own demand history behind it."""
    keep = min(HISTORY_WEEKS * 168, city.demand.energy_kwh.shape[0])
    skipped = city.demand.energy_kwh.shape[0] - keep
    return State(
        hourly_start=city.demand.start + timedelta(hours=skipped),
        hourly_kwh=np.nan_to_num(city.demand.energy_kwh[skipped:]).tolist(),
        evse_status=[int(EvseStatus.AVAILABLE)] * len(layout.evse_ids),
    )
